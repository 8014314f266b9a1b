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
} ZinitReading;

void zinit_reading_init (ZinitReading *reading, const char *text, gsize length, ZinitExtras extras);
/* Gives the refusal, if there is one, to @error. TRUE when there is none. */
gboolean zinit_reading_finish (ZinitReading *reading, GError **error);

/* Goes to the field or map entry @name of where it is, and returns what zinit_reading_leave() needs. The name
 * has to last until then, or until a refusal. */
gsize zinit_reading_go_to (ZinitReading *reading, const char *name);
void zinit_reading_leave (ZinitReading *reading, gsize place);

/* Where it is: "services.web.pid", "document" for the whole. Transfer full. */
char *zinit_reading_describe_place (const ZinitReading *reading);

/* All of these are FALSE, so that a caller may return them. */
gboolean zinit_reading_refuse (ZinitReading *reading, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The reader's own error, with the field. */
gboolean zinit_reading_refuse_text (ZinitReading *reading);
/* The next value is not what is due. */
gboolean zinit_reading_refuse_kind (ZinitReading *reading, const char *allowed);
/* @name of where it is was not there. */
gboolean zinit_reading_refuse_missing (ZinitReading *reading, const char *name);

/* The next value, if it is one of the kind. */
gboolean zinit_reading_unsigned (ZinitReading *reading, guint64 maximum, guint64 *ret_value);
gboolean zinit_reading_signed32 (ZinitReading *reading, gint32 *ret_value);
gboolean zinit_reading_boolean (ZinitReading *reading, gboolean *ret_value);
/* NULL if it is not one; valid until the next is read. */
const char *zinit_reading_borrow_string (ZinitReading *reading);
/* Replaces *@ret_text, which is owned. */
gboolean zinit_reading_string (ZinitReading *reading, char **ret_text);
/* The index of the string in @words (NULL-terminated). */
gboolean zinit_reading_word (ZinitReading *reading, const char *const *words, int *ret_index);
/* TRUE, and it is passed over, when the next value is null. */
gboolean zinit_reading_takes_null (ZinitReading *reading);
/* Goes into the object that has to be next. */
gboolean zinit_reading_enter (ZinitReading *reading);

G_END_DECLS
