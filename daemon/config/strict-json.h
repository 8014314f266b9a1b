/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict JSON reader (RFC 8259) for what must be read to the letter: json-glib's parser accepts comments,
 * octal numbers and broken strings, wraps large numbers and can be made to overflow the stack. It reads by
 * pull, without recursion, and never builds what its caller skips.
 */
#pragma once

#include "config/problem.h"

G_BEGIN_DECLS

/* Parses a whole document into a tree: UTF-8 without byte order mark, one value, nothing after it; a member
 * given twice, U+0000 in a string, a number outside gint64 that has no fraction, or more than
 * ZINIT_MAX_JSON_DEPTH containers is an error. Errors are ZINIT_ERROR_INVALID_CONFIG, "LINE:COLUMN: what".
 * Transfer full. */
JsonNode *zinit_strict_json_parse (const char *text, gsize length, GError **error);
/* The same with the place of each node, and the error as a problem. */
JsonNode *zinit_strict_json_parse_placed (const char *text, gsize length, ZinitPlaces *places,
                                          GPtrArray *problems);

/* The pull reader. Its first error stays: from then on every call below fails, so that a caller may ask once
 * at the end. After zinit_json_reader_next() said TRUE exactly one value has to be taken: by one of the typed
 * calls, by zinit_json_reader_enter() and the loop that leaves the container again, or by
 * zinit_json_reader_skip(). */
typedef struct _ZinitJsonReader ZinitJsonReader;

typedef enum {
  ZINIT_JSON_INVALID, /* nothing that could begin a value, or an earlier error */
  ZINIT_JSON_NULL,
  ZINIT_JSON_BOOLEAN,
  ZINIT_JSON_NUMBER,
  ZINIT_JSON_STRING,
  ZINIT_JSON_ARRAY,
  ZINIT_JSON_OBJECT,
} ZinitJsonKind;

typedef struct {
  const char *text;    /* as it is written; in the document, no NUL at its end */
  gsize length;        /* bytes of text */
  gboolean is_integer; /* neither fraction nor exponent, and not "-0", which is a float to most readers */
  gboolean fits;       /* an integer whose magnitude is below 2^64 */
  gboolean is_negative;
  guint64 magnitude; /* exact if fits */
} ZinitJsonNumber;

/* @text is borrowed for the reader's life, need not end in a NUL and may be NULL if it is empty. More than
 * @max_depth containers around each other are an error, except in what is skipped. That the whole text is
 * UTF-8 is checked here; whatever is wrong shows at the first call. Transfer full. */
ZinitJsonReader *zinit_json_reader_new (const char *text, gsize length, guint max_depth);
void zinit_json_reader_free (ZinitJsonReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitJsonReader, zinit_json_reader_free)

/* What the next value is, judged by its first byte. */
ZinitJsonKind zinit_json_reader_peek (ZinitJsonReader *reader);
/* "null", "a number", "an object", … for messages. Static. */
const char *zinit_json_kind_describe (ZinitJsonKind kind);

/* Goes into the object or array that is next. */
gboolean zinit_json_reader_enter (ZinitJsonReader *reader);
/* TRUE when the container has one more value, which is next then; its name, if it is an object, is known.
 * FALSE at the end of the container, which is left by that, and on error. */
gboolean zinit_json_reader_next (ZinitJsonReader *reader);
/* The name of the member that zinit_json_reader_next() found, decoded; valid until the next call. Without
 * @ret_length U+0000 in it is an error, and NULL is returned. */
const char *zinit_json_reader_key (ZinitJsonReader *reader, gsize *ret_length);
/* How many containers the reader is in. */
guint zinit_json_reader_get_depth (const ZinitJsonReader *reader);
/* TRUE when the innermost of them is an object. */
gboolean zinit_json_reader_is_in_object (const ZinitJsonReader *reader);

/* The next value as a string, decoded; valid until the next call. NULL on error. Without @ret_length U+0000
 * in it is an error. */
const char *zinit_json_reader_string (ZinitJsonReader *reader, gsize *ret_length);
gboolean zinit_json_reader_number (ZinitJsonReader *reader, ZinitJsonNumber *ret_number);
gboolean zinit_json_reader_boolean (ZinitJsonReader *reader, gboolean *ret_value);
gboolean zinit_json_reader_null (ZinitJsonReader *reader);
/* Passes over the next value, whatever it is and however deep: it has to be JSON, but surrogate escapes need
 * not pair, names may repeat and numbers may be of any size. @ret_text (optional) is where it begins in the
 * document. */
gboolean zinit_json_reader_skip (ZinitJsonReader *reader, const char **ret_text, gsize *ret_length);
/* Goes to where the value that was skipped last begins, to read it after all, or ends. The reader has to be
 * in the container of that value still. An error since then is forgotten: it is about the value and not about
 * the document. */
void zinit_json_reader_go_to (ZinitJsonReader *reader, const char *at);
/* TRUE when nothing but white space is left after the document's one value. */
gboolean zinit_json_reader_end (ZinitJsonReader *reader);

/* The first error, ZINIT_ERROR_INVALID_CONFIG, "LINE:COLUMN: what"; NULL when there was none. Owned by the
 * reader. */
const GError *zinit_json_reader_get_error (const ZinitJsonReader *reader);

/* Where @offset (bytes) is in @text: line and column from 1, the column in characters. */
void zinit_text_position (const char *text, gsize offset, guint *ret_line, guint *ret_column);

G_END_DECLS
