/* SPDX-License-Identifier: Apache-2.0
 *
 * One reading of a document: the reader, the path of the field it is at, and the refusal that names that
 * field. What the fields are is its callers' matter. For the files of this folder alone.
 */
#pragma once

#include "config/strict-json.h"
#include "persist/state-format.h"

G_BEGIN_DECLS

typedef struct {
  ZinitJsonReader *reader;
  GPtrArray *names; /* of the fields around it and its own, borrowed; none for the document itself */
  ZinitExtras extras;
  GError *error; /* the refusal, NULL so far */
} ZinitDecoder;

void zinit_decoder_init (ZinitDecoder *decoder, const char *text, gsize length, ZinitExtras extras);
/* Gives the refusal, if there is one, to @error. TRUE when there is none. */
gboolean zinit_decoder_finish (ZinitDecoder *decoder, GError **error);

/* Goes to the field or map entry @name of where it is, and returns what zinit_decoder_leave() needs. The name
 * has to last until then, or until a refusal. */
gsize zinit_decoder_go_to (ZinitDecoder *decoder, const char *name);
void zinit_decoder_leave (ZinitDecoder *decoder, gsize place);

/* Each names the field in @error, and is FALSE so that a caller may return it. */
gboolean zinit_decoder_refuse (ZinitDecoder *decoder, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The reader's own error, with the field. */
gboolean zinit_decoder_refuse_text (ZinitDecoder *decoder);
/* The next value is not what is due. */
gboolean zinit_decoder_refuse_kind (ZinitDecoder *decoder, const char *allowed);
/* @name of where it is was not there. */
gboolean zinit_decoder_refuse_missing (ZinitDecoder *decoder, const char *name);

/* Makes the refusal a warning, as if there had been none. The reader is where the caller puts it. */
void zinit_decoder_forgive (ZinitDecoder *decoder);

/* The next value, if it is one of the kind. */
gboolean zinit_decoder_unsigned (ZinitDecoder *decoder, guint64 maximum, guint64 *ret_value);
gboolean zinit_decoder_signed32 (ZinitDecoder *decoder, gint32 *ret_value);
gboolean zinit_decoder_boolean (ZinitDecoder *decoder, gboolean *ret_value);
/* NULL if it is not one; valid until the next is read. */
const char *zinit_decoder_borrow_string (ZinitDecoder *decoder);
/* Replaces *@ret_text, which is owned. */
gboolean zinit_decoder_string (ZinitDecoder *decoder, char **ret_text);
/* The index of the string in @words (NULL-terminated). */
gboolean zinit_decoder_word (ZinitDecoder *decoder, const char *const *words, int *ret_index);
/* TRUE, and it is passed over, when the next value is null. */
gboolean zinit_decoder_takes_null (ZinitDecoder *decoder);
/* Goes into the object that has to be next. */
gboolean zinit_decoder_enter (ZinitDecoder *decoder);
/* Goes from entry to entry of the map that was entered: *@name, which is owned and NULL at first, becomes the
 * name of the one whose value is next. FALSE at the end of the map, and on a refusal. */
gboolean zinit_decoder_next_entry (ZinitDecoder *decoder, char **name);

G_END_DECLS
