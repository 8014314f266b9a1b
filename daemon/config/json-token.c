/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of JSON's strings and numbers, and the position of the first error. Which value is due, and
 * what is around it, is the reader's matter.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/json-private.h"

#include <string.h>

#include "model/error.h"

static void
count (ZinitPlace *place, const char *from, const char *to)
{
  for (; from < to; from++) {
    if (*from == '\n')
      *place = (ZinitPlace){ place->line + 1, 1 };
    else if (((guchar)*from & 0xc0) != 0x80)
      place->column++;
  }
}

void
zinit_text_position (const char *text, gsize offset, guint *ret_line, guint *ret_column)
{
  ZinitPlace place = { 1, 1 };

  count (&place, text, text + offset);
  *ret_line = place.line;
  *ret_column = place.column;
}

void
zinit_json_count_place (ZinitJsonReader *reader, const char *where)
{
  if (where < reader->place_at) {
    reader->place = (ZinitPlace){ 1, 1 };
    reader->place_at = reader->start;
  }
  count (&reader->place, reader->place_at, where);
  reader->place_at = where;
}

gboolean
zinit_json_fail (ZinitJsonReader *reader, const char *where, const char *format, ...)
{
  va_list arguments;

  if (reader->error != NULL)
    return FALSE;
  va_start (arguments, format);
  reader->reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  zinit_json_count_place (reader, where);
  reader->error = g_error_new (ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "%u:%u: %s", reader->place.line,
                               reader->place.column, reader->reason);
  return FALSE;
}

int
zinit_json_next_byte (ZinitJsonReader *reader)
{
  while (reader->at < reader->end &&
         (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\r' || *reader->at == '\t'))
    reader->at++;
  return reader->at < reader->end ? (guchar)*reader->at : -1;
}

gboolean
zinit_json_fail_expected (ZinitJsonReader *reader, const char *expected)
{
  gunichar character;
  char shown[7] = "";

  /* After an error the text may be no UTF-8, or the reader in the middle of a character. */
  if (reader->error != NULL)
    return FALSE;
  if (zinit_json_next_byte (reader) < 0)
    return zinit_json_fail (reader, reader->at, "the text ends; %s expected", expected);
  character = g_utf8_get_char (reader->at);
  if (!g_unichar_isprint (character))
    return zinit_json_fail (reader, reader->at, "U+%04X; %s expected", character, expected);
  shown[g_unichar_to_utf8 (character, shown)] = '\0';
  return zinit_json_fail (reader, reader->at, "'%s'; %s expected", shown, expected);
}

/* Reads the four digits after "\u"; the reader stands on the first of them. */
static gboolean
read_hex (ZinitJsonReader *reader, gunichar *ret_unit)
{
  gunichar unit = 0;

  for (guint i = 0; i < 4; i++, reader->at++) {
    if (reader->at >= reader->end || !g_ascii_isxdigit (*reader->at))
      return zinit_json_fail (reader, reader->at, "\\u needs four hexadecimal digits");
    unit = unit << 4 | (gunichar)g_ascii_xdigit_value (*reader->at);
  }
  *ret_unit = unit;
  return TRUE;
}

/* Reads the rest of "\uXXXX" and, for a high surrogate, the low one that has to follow. @escape is its
 * backslash.
 */
static gboolean
read_unicode_escape (ZinitJsonReader *reader, const char *escape, GString *decoded)
{
  gunichar unit = 0, low = 0;

  if (!read_hex (reader, &unit))
    return FALSE;
  if (decoded == NULL)
    return TRUE;
  if (unit >= 0xdc00 && unit <= 0xdfff)
    return zinit_json_fail (reader, escape, "a low surrogate without a high one before it");
  if (unit >= 0xd800 && unit <= 0xdbff) {
    if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
      return zinit_json_fail (reader, escape, "a high surrogate without a low one after it");
    reader->at += 2;
    if (!read_hex (reader, &low))
      return FALSE;
    if (low < 0xdc00 || low > 0xdfff)
      return zinit_json_fail (reader, escape, "a high surrogate without a low one after it");
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  /* g_string_append_unichar() would drop U+0000. */
  if (unit == 0)
    g_string_append_c (decoded, '\0');
  else
    g_string_append_unichar (decoded, unit);
  return TRUE;
}

/* Reads an escape; the reader stands on its backslash. */
static gboolean
read_escape (ZinitJsonReader *reader, GString *decoded)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *escape = reader->at;
  const char *letter;

  reader->at++;
  if (reader->at < reader->end && *reader->at == 'u') {
    reader->at++;
    return read_unicode_escape (reader, escape, decoded);
  }
  letter = reader->at < reader->end ? memchr (letters, *reader->at, sizeof letters - 1) : NULL;
  if (letter == NULL)
    return zinit_json_fail (reader, escape,
                            "no escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are allowed");
  reader->at++;
  if (decoded != NULL)
    g_string_append_c (decoded, meanings[letter - letters]);
  return TRUE;
}

gboolean
zinit_json_scan_string (ZinitJsonReader *reader, GString *decoded)
{
  const char *quote = reader->at;

  if (decoded != NULL)
    g_string_truncate (decoded, 0);
  reader->at++;
  for (;;) {
    const char *run = reader->at;

    while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\' &&
           (guchar)*reader->at >= 0x20)
      reader->at++;
    if (decoded != NULL)
      g_string_append_len (decoded, run, reader->at - run);
    if (reader->at >= reader->end)
      return zinit_json_fail (reader, quote, "a string without an end");
    if (*reader->at == '"')
      break;
    if (*reader->at != '\\')
      return zinit_json_fail (reader, reader->at,
                              "control character U+%04X in a string; it has to be escaped",
                              (guint)(guchar)*reader->at);
    if (!read_escape (reader, decoded))
      return FALSE;
  }
  reader->at++;
  return TRUE;
}

static gboolean
read_digits (ZinitJsonReader *reader)
{
  const char *first = reader->at;

  while (reader->at < reader->end && g_ascii_isdigit (*reader->at))
    reader->at++;
  return reader->at > first || zinit_json_fail_expected (reader, "a digit is");
}

/* Fills in what an integer is worth; @number->text is its own digits. */
static void
measure_integer (ZinitJsonNumber *number)
{
  const char *digit = number->text + (number->is_negative ? 1 : 0);
  const char *end = number->text + number->length;

  number->fits = TRUE;
  for (; digit < end && number->fits; digit++)
    number->fits = g_uint64_checked_mul (&number->magnitude, number->magnitude, 10) &&
                   g_uint64_checked_add (&number->magnitude, number->magnitude, (guint64)(*digit - '0'));
  if (number->is_negative && number->magnitude == 0) {
    number->is_integer = FALSE;
    number->fits = FALSE;
  }
}

gboolean
zinit_json_scan_number (ZinitJsonReader *reader, ZinitJsonNumber *ret_number)
{
  ZinitJsonNumber number = { .is_integer = TRUE };

  number.text = reader->at;
  if (*reader->at == '-') {
    number.is_negative = TRUE;
    reader->at++;
  }
  if (reader->end - reader->at >= 2 && reader->at[0] == '0' && g_ascii_isdigit (reader->at[1]))
    return zinit_json_fail (reader, number.text, "a number with a leading zero");
  if (!read_digits (reader))
    return FALSE;
  if (reader->at < reader->end && *reader->at == '.') {
    number.is_integer = FALSE;
    reader->at++;
    if (!read_digits (reader))
      return FALSE;
  }
  if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
    number.is_integer = FALSE;
    reader->at++;
    if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
      reader->at++;
    if (!read_digits (reader))
      return FALSE;
  }
  number.length = reader->at - number.text;
  if (number.is_integer)
    measure_integer (&number);
  *ret_number = number;
  return TRUE;
}
