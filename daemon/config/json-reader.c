/* SPDX-License-Identifier: Apache-2.0
 *
 * The pull reader: which value is next, the containers around it by an explicit stack, and passing over what
 * nobody wants. It knows nothing of trees or of what any document means.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/json-private.h"

#include <string.h>

ZinitJsonReader *
zinit_json_reader_new (const char *text, gsize length, guint max_depth)
{
  ZinitJsonReader *reader = g_new0 (ZinitJsonReader, 1);
  const char *bad;

  if (length == 0)
    text = "";
  reader->start = text;
  reader->at = text;
  reader->place = (ZinitPlace){ 1, 1 };
  reader->place_at = text;
  reader->end = text + length;
  reader->max_depth = max_depth;
  reader->containers = g_byte_array_new ();
  reader->key = g_string_new (NULL);
  reader->string = g_string_new (NULL);
  if (!g_utf8_validate_len (text, length, &bad)) {
    if (*bad == '\0')
      zinit_json_fail (reader, bad, "a NUL byte");
    else
      zinit_json_fail (reader, bad, "not UTF-8: byte 0x%02x", (guchar)*bad);
  } else if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) {
    zinit_json_fail (reader, text, "a byte order mark; none is allowed");
  }
  return reader;
}

void
zinit_json_reader_free (ZinitJsonReader *reader)
{
  if (reader == NULL)
    return;
  g_byte_array_unref (reader->containers);
  g_string_free (reader->key, TRUE);
  g_string_free (reader->string, TRUE);
  g_clear_error (&reader->error);
  g_free (reader->reason);
  g_free (reader);
}

const GError *
zinit_json_reader_get_error (const ZinitJsonReader *reader)
{
  return reader->error;
}

guint
zinit_json_reader_get_depth (const ZinitJsonReader *reader)
{
  return reader->containers->len;
}

gboolean
zinit_json_reader_is_in_object (const ZinitJsonReader *reader)
{
  guint depth = reader->containers->len;

  return depth > 0 && reader->containers->data[depth - 1] == '{';
}

ZinitJsonKind
zinit_json_reader_peek (ZinitJsonReader *reader)
{
  if (reader->error != NULL)
    return ZINIT_JSON_INVALID;
  switch (zinit_json_next_byte (reader)) {
  case '{':
    return ZINIT_JSON_OBJECT;
  case '[':
    return ZINIT_JSON_ARRAY;
  case '"':
    return ZINIT_JSON_STRING;
  case 't':
  case 'f':
    return ZINIT_JSON_BOOLEAN;
  case 'n':
    return ZINIT_JSON_NULL;
  case '-':
  case '0' ... '9':
    return ZINIT_JSON_NUMBER;
  default:
    return ZINIT_JSON_INVALID;
  }
}

const char *
zinit_json_kind_describe (ZinitJsonKind kind)
{
  static const char *const descriptions[] = { "no value", "null",     "true or false", "a number",
                                              "a string", "an array", "an object" };

  return descriptions[kind];
}

/* Checks that the next value is a @kind; says what is wrong if it is not. */
static gboolean
expect (ZinitJsonReader *reader, ZinitJsonKind kind)
{
  ZinitJsonKind found = zinit_json_reader_peek (reader);

  if (found == kind)
    return TRUE;
  if (found == ZINIT_JSON_INVALID)
    return zinit_json_fail_expected (reader, "a value is");
  return zinit_json_fail (reader, reader->at, "%s; %s is expected", zinit_json_kind_describe (found),
                          zinit_json_kind_describe (kind));
}

/* @decoded as a C string. */
static const char *
finish_string (ZinitJsonReader *reader, const char *where, const GString *decoded, gsize *ret_length)
{
  if (ret_length != NULL)
    *ret_length = decoded->len;
  else if (strlen (decoded->str) != decoded->len) {
    zinit_json_fail (reader, where, "U+0000 in a string; it is not allowed here");
    return NULL;
  }
  return decoded->str;
}

const char *
zinit_json_reader_string (ZinitJsonReader *reader, gsize *ret_length)
{
  const char *where;

  if (!expect (reader, ZINIT_JSON_STRING))
    return NULL;
  where = reader->at;
  if (!zinit_json_scan_string (reader, reader->string))
    return NULL;
  return finish_string (reader, where, reader->string, ret_length);
}

const char *
zinit_json_reader_key (ZinitJsonReader *reader, gsize *ret_length)
{
  if (reader->error != NULL)
    return NULL;
  return finish_string (reader, reader->key_quote, reader->key, ret_length);
}

gboolean
zinit_json_reader_number (ZinitJsonReader *reader, ZinitJsonNumber *ret_number)
{
  return expect (reader, ZINIT_JSON_NUMBER) && zinit_json_scan_number (reader, ret_number);
}

static gboolean
read_word (ZinitJsonReader *reader, const char *word)
{
  gsize length = strlen (word);

  if ((gsize)(reader->end - reader->at) < length || memcmp (reader->at, word, length) != 0)
    return zinit_json_fail (reader, reader->at, "no value; did you mean %s?", word);
  reader->at += length;
  return TRUE;
}

gboolean
zinit_json_reader_boolean (ZinitJsonReader *reader, gboolean *ret_value)
{
  gboolean value;

  if (!expect (reader, ZINIT_JSON_BOOLEAN))
    return FALSE;
  value = *reader->at == 't';
  if (!read_word (reader, value ? "true" : "false"))
    return FALSE;
  *ret_value = value;
  return TRUE;
}

gboolean
zinit_json_reader_null (ZinitJsonReader *reader)
{
  return expect (reader, ZINIT_JSON_NULL) && read_word (reader, "null");
}

gboolean
zinit_json_reader_enter (ZinitJsonReader *reader)
{
  ZinitJsonKind kind = zinit_json_reader_peek (reader);

  if (kind != ZINIT_JSON_ARRAY && !expect (reader, ZINIT_JSON_OBJECT))
    return FALSE;
  if (!reader->is_skipping && reader->containers->len >= reader->max_depth)
    return zinit_json_fail (reader, reader->at, "more than %u arrays and objects in each other",
                            reader->max_depth);
  g_byte_array_append (reader->containers, (const guint8 *)reader->at, 1);
  reader->at++;
  reader->is_fresh = TRUE;
  return TRUE;
}

gboolean
zinit_json_reader_next (ZinitJsonReader *reader)
{
  gboolean in_object = zinit_json_reader_is_in_object (reader);
  char closer = in_object ? '}' : ']';

  if (reader->error != NULL)
    return FALSE;
  g_return_val_if_fail (reader->containers->len > 0, FALSE);
  if (zinit_json_next_byte (reader) == closer) {
    reader->at++;
    reader->is_fresh = FALSE;
    g_byte_array_set_size (reader->containers, reader->containers->len - 1);
    return FALSE;
  }
  if (!reader->is_fresh) {
    if (zinit_json_next_byte (reader) != ',')
      return zinit_json_fail_expected (reader, in_object ? "',' or '}' is" : "',' or ']' is");
    reader->at++;
  }
  reader->is_fresh = FALSE;
  if (!in_object)
    return TRUE;
  if (zinit_json_next_byte (reader) != '"')
    return zinit_json_fail_expected (reader, "a name in double quotes is");
  reader->key_quote = reader->at;
  if (!zinit_json_scan_string (reader, reader->is_skipping ? NULL : reader->key))
    return FALSE;
  if (zinit_json_next_byte (reader) != ':')
    return zinit_json_fail_expected (reader, "':' is");
  reader->at++;
  return TRUE;
}

static gboolean
skip_value (ZinitJsonReader *reader)
{
  ZinitJsonNumber number;
  gboolean truth;

  switch (zinit_json_reader_peek (reader)) {
  case ZINIT_JSON_OBJECT:
  case ZINIT_JSON_ARRAY:
    return zinit_json_reader_enter (reader);
  case ZINIT_JSON_STRING:
    return zinit_json_scan_string (reader, NULL);
  case ZINIT_JSON_NUMBER:
    return zinit_json_reader_number (reader, &number);
  case ZINIT_JSON_BOOLEAN:
    return zinit_json_reader_boolean (reader, &truth);
  default:
    return zinit_json_reader_null (reader);
  }
}

gboolean
zinit_json_reader_skip (ZinitJsonReader *reader, const char **ret_text, gsize *ret_length)
{
  guint depth = reader->containers->len;
  const char *first;

  zinit_json_next_byte (reader);
  first = reader->at;
  reader->is_skipping = TRUE;
  do {
    if (!skip_value (reader))
      break;
    while (reader->containers->len > depth && !zinit_json_reader_next (reader) && reader->error == NULL)
      ;
  } while (reader->containers->len > depth && reader->error == NULL);
  reader->is_skipping = FALSE;
  if (reader->error != NULL)
    return FALSE;
  if (ret_text != NULL) {
    *ret_text = first;
    *ret_length = reader->at - first;
  }
  return TRUE;
}

void
zinit_json_reader_go_to (ZinitJsonReader *reader, const char *at)
{
  reader->at = at;
  g_clear_error (&reader->error);
  g_clear_pointer (&reader->reason, g_free);
}

gboolean
zinit_json_reader_end (ZinitJsonReader *reader)
{
  if (reader->error != NULL)
    return FALSE;
  return zinit_json_next_byte (reader) < 0 || zinit_json_fail_expected (reader, "the end of the text is");
}
