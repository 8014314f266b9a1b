/* SPDX-License-Identifier: Apache-2.0
 *
 * Values by type, and refusals that name the field, what is there and what is allowed.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/decoder.h"

#include <string.h>

#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"

/* serde_json's own limit: a 128th container is refused. */
#define MAX_DEPTH 127
#define MAX_SHOWN_DIGITS 64 /* of a number in a message */

void
zinit_decoder_init (ZinitDecoder *decoder, const char *text, gsize length, ZinitExtras extras)
{
  decoder->reader = zinit_json_reader_new (text, length, MAX_DEPTH);
  decoder->names = g_ptr_array_new ();
  decoder->extras = extras;
  decoder->error = NULL;
}

gboolean
zinit_decoder_finish (ZinitDecoder *decoder, GError **error)
{
  g_clear_pointer (&decoder->reader, zinit_json_reader_free);
  g_clear_pointer (&decoder->names, g_ptr_array_unref);
  if (decoder->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&decoder->error));
  return FALSE;
}

gsize
zinit_decoder_go_to (ZinitDecoder *decoder, const char *name)
{
  gsize place = decoder->names->len;

  g_ptr_array_add (decoder->names, (gpointer)name);
  return place;
}

void
zinit_decoder_leave (ZinitDecoder *decoder, gsize place)
{
  g_ptr_array_set_size (decoder->names, (int)place);
}

/* "services.web.pid", "document" for the whole. Transfer full. */
static char *
describe_place (const ZinitDecoder *decoder)
{
  GString *path = g_string_new (decoder->names->len == 0 ? "document" : NULL);

  for (guint i = 0; i < decoder->names->len; i++) {
    const char *name = decoder->names->pdata[i];

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
zinit_decoder_refuse (ZinitDecoder *decoder, const char *format, ...)
{
  g_autofree char *place = NULL;
  g_autofree char *what = NULL;
  va_list arguments;

  if (decoder->error != NULL)
    return FALSE;
  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  place = describe_place (decoder);
  g_set_error (&decoder->error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "%s: %s", place, what);
  return FALSE;
}

gboolean
zinit_decoder_refuse_text (ZinitDecoder *decoder)
{
  return zinit_decoder_refuse (decoder, "%s", zinit_json_reader_get_error (decoder->reader)->message);
}

gboolean
zinit_decoder_refuse_kind (ZinitDecoder *decoder, const char *allowed)
{
  ZinitJsonKind kind = zinit_json_reader_peek (decoder->reader);

  /* Where no value begins, the reader says best what is wrong. */
  if (kind == ZINIT_JSON_INVALID && !zinit_json_reader_null (decoder->reader))
    return zinit_decoder_refuse_text (decoder);
  return zinit_decoder_refuse (decoder, "%s is given; %s", zinit_json_kind_describe (kind), allowed);
}

gboolean
zinit_decoder_refuse_missing (ZinitDecoder *decoder, const char *name)
{
  zinit_decoder_go_to (decoder, name);
  return zinit_decoder_refuse (decoder, "missing; it has to be given");
}

void
zinit_decoder_forgive (ZinitDecoder *decoder)
{
  g_warning ("%s; the field is passed over", decoder->error->message);
  g_clear_error (&decoder->error);
}

/* A number as it is written, for a message. */
static gboolean
refuse_number (ZinitDecoder *decoder, const ZinitJsonNumber *number, const char *allowed)
{
  return zinit_decoder_refuse (decoder, "%.*s%s is given; %s", (int)MIN (number->length, MAX_SHOWN_DIGITS),
                               number->text, number->length > MAX_SHOWN_DIGITS ? "…" : "", allowed);
}

gboolean
zinit_decoder_unsigned (ZinitDecoder *decoder, guint64 maximum, guint64 *ret_value)
{
  g_autofree char *allowed = NULL;
  ZinitJsonNumber number;

  if (zinit_json_reader_peek (decoder->reader) == ZINIT_JSON_NUMBER) {
    if (!zinit_json_reader_number (decoder->reader, &number))
      return zinit_decoder_refuse_text (decoder);
    if (number.fits && !number.is_negative && number.magnitude <= maximum) {
      *ret_value = number.magnitude;
      return TRUE;
    }
    allowed = g_strdup_printf ("a number from 0 to %" G_GUINT64_FORMAT " is allowed", maximum);
    return refuse_number (decoder, &number, allowed);
  }
  allowed = g_strdup_printf ("a number from 0 to %" G_GUINT64_FORMAT " is allowed", maximum);
  return zinit_decoder_refuse_kind (decoder, allowed);
}

gboolean
zinit_decoder_signed32 (ZinitDecoder *decoder, gint32 *ret_value)
{
  static const char allowed[] = "a number from -2147483648 to 2147483647 is allowed";
  ZinitJsonNumber number;
  guint64 limit;

  if (zinit_json_reader_peek (decoder->reader) != ZINIT_JSON_NUMBER)
    return zinit_decoder_refuse_kind (decoder, allowed);
  if (!zinit_json_reader_number (decoder->reader, &number))
    return zinit_decoder_refuse_text (decoder);
  limit = (guint64)G_MAXINT32 + (number.is_negative ? 1 : 0);
  if (!number.fits || number.magnitude > limit)
    return refuse_number (decoder, &number, allowed);
  *ret_value = (gint32)(number.is_negative ? -(gint64)number.magnitude : (gint64)number.magnitude);
  return TRUE;
}

gboolean
zinit_decoder_boolean (ZinitDecoder *decoder, gboolean *ret_value)
{
  if (zinit_json_reader_peek (decoder->reader) != ZINIT_JSON_BOOLEAN)
    return zinit_decoder_refuse_kind (decoder, "true and false are allowed");
  return zinit_json_reader_boolean (decoder->reader, ret_value) || zinit_decoder_refuse_text (decoder);
}

const char *
zinit_decoder_borrow_string (ZinitDecoder *decoder)
{
  const char *text;

  if (zinit_json_reader_peek (decoder->reader) != ZINIT_JSON_STRING) {
    zinit_decoder_refuse_kind (decoder, "a string is allowed");
    return NULL;
  }
  text = zinit_json_reader_string (decoder->reader, NULL);
  if (text == NULL)
    zinit_decoder_refuse_text (decoder);
  return text;
}

gboolean
zinit_decoder_string (ZinitDecoder *decoder, char **ret_text)
{
  const char *text = zinit_decoder_borrow_string (decoder);

  if (text == NULL)
    return FALSE;
  g_free (*ret_text);
  *ret_text = g_strdup (text);
  return TRUE;
}

gboolean
zinit_decoder_word (ZinitDecoder *decoder, const char *const *words, int *ret_index)
{
  const char *text = NULL;
  g_autofree char *list = NULL;
  g_autofree char *shown = NULL;

  if (zinit_json_reader_peek (decoder->reader) == ZINIT_JSON_STRING) {
    text = zinit_json_reader_string (decoder->reader, NULL);
    if (text == NULL)
      return zinit_decoder_refuse_text (decoder);
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

    return zinit_decoder_refuse_kind (decoder, allowed);
  }
  shown = zinit_schema_quote (text);
  return zinit_decoder_refuse (decoder, "%s is given; %s are allowed", shown, list);
}

gboolean
zinit_decoder_takes_null (ZinitDecoder *decoder)
{
  return zinit_json_reader_peek (decoder->reader) == ZINIT_JSON_NULL &&
         zinit_json_reader_null (decoder->reader);
}

gboolean
zinit_decoder_enter (ZinitDecoder *decoder)
{
  if (zinit_json_reader_peek (decoder->reader) != ZINIT_JSON_OBJECT)
    return zinit_decoder_refuse_kind (decoder, "an object is allowed");
  return zinit_json_reader_enter (decoder->reader) || zinit_decoder_refuse_text (decoder);
}

gboolean
zinit_decoder_next_entry (ZinitDecoder *decoder, char **name)
{
  if (*name != NULL) {
    zinit_decoder_leave (decoder, decoder->names->len - 1);
    g_clear_pointer (name, g_free);
  }
  if (zinit_json_reader_next (decoder->reader))
    *name = g_strdup (zinit_json_reader_key (decoder->reader, NULL));
  if (*name != NULL)
    zinit_decoder_go_to (decoder, *name);
  else if (zinit_json_reader_get_error (decoder->reader) != NULL)
    zinit_decoder_refuse_text (decoder);
  return *name != NULL;
}
