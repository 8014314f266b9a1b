/* SPDX-License-Identifier: Apache-2.0
 *
 * Values by type, and refusals that name the field, what is there and what is allowed.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/reading.h"

#include <string.h>

#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"

/* serde_json's own limit: a 128th container is refused. */
#define MAX_DEPTH 127
#define MAX_SHOWN_DIGITS 64 /* of a number in a message */

void
zinit_reading_init (ZinitReading *reading, const char *text, gsize length, ZinitExtras extras)
{
  reading->reader = zinit_json_reader_new (text, length, MAX_DEPTH);
  reading->names = g_ptr_array_new ();
  reading->extras = extras;
  reading->error = NULL;
}

gboolean
zinit_reading_finish (ZinitReading *reading, GError **error)
{
  g_clear_pointer (&reading->reader, zinit_json_reader_free);
  g_clear_pointer (&reading->names, g_ptr_array_unref);
  if (reading->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reading->error));
  return FALSE;
}

gsize
zinit_reading_go_to (ZinitReading *reading, const char *name)
{
  gsize place = reading->names->len;

  g_ptr_array_add (reading->names, (gpointer)name);
  return place;
}

void
zinit_reading_leave (ZinitReading *reading, gsize place)
{
  g_ptr_array_set_size (reading->names, (int)place);
}

char *
zinit_reading_describe_place (const ZinitReading *reading)
{
  GString *path = g_string_new (reading->names->len == 0 ? "document" : NULL);

  for (guint i = 0; i < reading->names->len; i++) {
    const char *name = reading->names->pdata[i];

    if (i > 0)
      g_string_append_c (path, '.');
    if (*name != '\0' && strlen (name) <= ZINIT_MAX_NAME_BYTES &&
        name[strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-@")] == '\0') {
      g_string_append (path, name);
    } else {
      g_autofree char *shown = zinit_schema_quote (name);

      g_string_append (path, shown);
    }
  }
  return g_string_free (path, FALSE);
}

gboolean
zinit_reading_refuse (ZinitReading *reading, const char *format, ...)
{
  g_autofree char *place = NULL;
  g_autofree char *what = NULL;
  va_list arguments;

  if (reading->error != NULL)
    return FALSE;
  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  place = zinit_reading_describe_place (reading);
  g_set_error (&reading->error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "%s: %s", place, what);
  return FALSE;
}

gboolean
zinit_reading_refuse_text (ZinitReading *reading)
{
  return zinit_reading_refuse (reading, "%s", zinit_json_reader_get_error (reading->reader)->message);
}

gboolean
zinit_reading_refuse_kind (ZinitReading *reading, const char *allowed)
{
  ZinitJsonKind kind = zinit_json_reader_peek (reading->reader);

  /* Where no value begins, the reader says best what is wrong. */
  if (kind == ZINIT_JSON_INVALID && !zinit_json_reader_null (reading->reader))
    return zinit_reading_refuse_text (reading);
  return zinit_reading_refuse (reading, "%s is given; %s", zinit_json_kind_describe (kind), allowed);
}

gboolean
zinit_reading_refuse_missing (ZinitReading *reading, const char *name)
{
  zinit_reading_go_to (reading, name);
  return zinit_reading_refuse (reading, "missing; it has to be given");
}

/* A number as it is written, for a message. */
static gboolean
refuse_number (ZinitReading *reading, const ZinitJsonNumber *number, const char *allowed)
{
  return zinit_reading_refuse (reading, "%.*s%s is given; %s", (int)MIN (number->length, MAX_SHOWN_DIGITS),
                               number->text, number->length > MAX_SHOWN_DIGITS ? "…" : "", allowed);
}

gboolean
zinit_reading_unsigned (ZinitReading *reading, guint64 maximum, guint64 *ret_value)
{
  g_autofree char *allowed = NULL;
  ZinitJsonNumber number;

  if (zinit_json_reader_peek (reading->reader) == ZINIT_JSON_NUMBER) {
    if (!zinit_json_reader_number (reading->reader, &number))
      return zinit_reading_refuse_text (reading);
    if (number.fits && !number.is_negative && number.magnitude <= maximum) {
      *ret_value = number.magnitude;
      return TRUE;
    }
    allowed = g_strdup_printf ("a number from 0 to %" G_GUINT64_FORMAT " is allowed", maximum);
    return refuse_number (reading, &number, allowed);
  }
  allowed = g_strdup_printf ("a number from 0 to %" G_GUINT64_FORMAT " is allowed", maximum);
  return zinit_reading_refuse_kind (reading, allowed);
}

gboolean
zinit_reading_signed32 (ZinitReading *reading, gint32 *ret_value)
{
  static const char allowed[] = "a number from -2147483648 to 2147483647 is allowed";
  ZinitJsonNumber number;
  guint64 limit;

  if (zinit_json_reader_peek (reading->reader) != ZINIT_JSON_NUMBER)
    return zinit_reading_refuse_kind (reading, allowed);
  if (!zinit_json_reader_number (reading->reader, &number))
    return zinit_reading_refuse_text (reading);
  limit = (guint64)G_MAXINT32 + (number.is_negative ? 1 : 0);
  if (!number.fits || number.magnitude > limit)
    return refuse_number (reading, &number, allowed);
  *ret_value = (gint32)(number.is_negative ? -(gint64)number.magnitude : (gint64)number.magnitude);
  return TRUE;
}

gboolean
zinit_reading_boolean (ZinitReading *reading, gboolean *ret_value)
{
  if (zinit_json_reader_peek (reading->reader) != ZINIT_JSON_BOOLEAN)
    return zinit_reading_refuse_kind (reading, "true and false are allowed");
  return zinit_json_reader_boolean (reading->reader, ret_value) || zinit_reading_refuse_text (reading);
}

const char *
zinit_reading_borrow_string (ZinitReading *reading)
{
  const char *text;

  if (zinit_json_reader_peek (reading->reader) != ZINIT_JSON_STRING) {
    zinit_reading_refuse_kind (reading, "a string is allowed");
    return NULL;
  }
  text = zinit_json_reader_string (reading->reader, NULL);
  if (text == NULL)
    zinit_reading_refuse_text (reading);
  return text;
}

gboolean
zinit_reading_string (ZinitReading *reading, char **ret_text)
{
  const char *text = zinit_reading_borrow_string (reading);

  if (text == NULL)
    return FALSE;
  g_free (*ret_text);
  *ret_text = g_strdup (text);
  return TRUE;
}

gboolean
zinit_reading_word (ZinitReading *reading, const char *const *words, int *ret_index)
{
  const char *text = NULL;
  g_autofree char *list = NULL;
  g_autofree char *shown = NULL;

  if (zinit_json_reader_peek (reading->reader) == ZINIT_JSON_STRING) {
    text = zinit_json_reader_string (reading->reader, NULL);
    if (text == NULL)
      return zinit_reading_refuse_text (reading);
  }
  for (int i = 0; text != NULL && words[i] != NULL; i++) {
    if (g_str_equal (words[i], text)) {
      *ret_index = i;
      return TRUE;
    }
  }
  list = g_strjoinv (", ", (char **)words);
  if (text == NULL) {
    g_autofree char *allowed = g_strdup_printf ("%s are allowed", list);

    return zinit_reading_refuse_kind (reading, allowed);
  }
  shown = zinit_schema_quote (text);
  return zinit_reading_refuse (reading, "%s is given; %s are allowed", shown, list);
}

gboolean
zinit_reading_takes_null (ZinitReading *reading)
{
  return zinit_json_reader_peek (reading->reader) == ZINIT_JSON_NULL &&
         zinit_json_reader_null (reading->reader);
}

gboolean
zinit_reading_enter (ZinitReading *reading)
{
  if (zinit_json_reader_peek (reading->reader) != ZINIT_JSON_OBJECT)
    return zinit_reading_refuse_kind (reading, "an object is allowed");
  return zinit_json_reader_enter (reading->reader) || zinit_reading_refuse_text (reading);
}
