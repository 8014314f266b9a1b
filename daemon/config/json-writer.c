/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text in one fixed layout, from values, from json-glib's trees, or from another text by way of the pull
 * reader.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/json-writer.h"

#include <math.h>
#include <string.h>

#include "config/json-private.h"

static void
write_escaped (GString *out, guchar byte)
{
  static const char letters[] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'
  };

  g_string_append_c (out, '\\');
  if (letters[byte] != '\0')
    g_string_append_c (out, letters[byte]);
  else
    g_string_append_printf (out, "u%04x", byte);
}

void
zinit_json_write_string (GString *out, const char *text)
{
  g_autofree char *valid = NULL;
  const char *run = text;

  if (!g_utf8_validate (text, -1, NULL))
    run = valid = g_utf8_make_valid (text, -1);
  g_string_append_c (out, '"');
  while (*run != '\0') {
    const char *at = run;

    while ((guchar)*at >= 0x20 && *at != '"' && *at != '\\')
      at++;
    g_string_append_len (out, run, at - run);
    if (*at == '\0')
      break;
    write_escaped (out, (guchar)*at);
    run = at + 1;
  }
  g_string_append_c (out, '"');
}

/* By hand: a state file holds ten numbers a service, and printf is most of the time of writing it. */
void
zinit_json_write_number (GString *out, gboolean is_negative, guint64 magnitude)
{
  char digits[20];
  guint at = sizeof digits;

  do {
    digits[--at] = (char)('0' + magnitude % 10);
    magnitude /= 10;
  } while (magnitude > 0);
  if (is_negative)
    g_string_append_c (out, '-');
  g_string_append_len (out, digits + at, sizeof digits - at);
}

static void
write_line (GString *out, guint level)
{
  static const char blanks[] = "\n                ";
  gsize length = MIN (1 + 2 * (gsize)level, sizeof blanks - 1);

  g_string_append_len (out, blanks, (gssize)length);
  for (length = 1 + 2 * (gsize)level - length; length > 0; length--)
    g_string_append_c (out, ' ');
}

/* Values end in anything but an opening bracket, strings in their quote. */
static gboolean
ends_with_bracket (const GString *out)
{
  char last = out->len > 0 ? out->str[out->len - 1] : '\0';

  return last == '{' || last == '[';
}

void
zinit_json_write_next (GString *out, guint level)
{
  gboolean is_first = ends_with_bracket (out);

  if (!is_first)
    g_string_append_c (out, ',');
  if (level != ZINIT_JSON_ONE_LINE)
    write_line (out, level);
  else if (!is_first)
    g_string_append_c (out, ' ');
}

void
zinit_json_write_next_name (GString *out, const char *name, guint level)
{
  zinit_json_write_next (out, level);
  zinit_json_write_string (out, name);
  g_string_append (out, ": ");
}

void
zinit_json_write_end (GString *out, char bracket, guint level)
{
  if (level != ZINIT_JSON_ONE_LINE && !ends_with_bracket (out))
    write_line (out, level);
  g_string_append_c (out, bracket);
}

static guint
level_inside (guint level)
{
  return level != ZINIT_JSON_ONE_LINE ? level + 1 : level;
}

static void
write_object (GString *out, JsonObject *object, guint level)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  g_string_append_c (out, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &member)) {
    zinit_json_write_next_name (out, name, level_inside (level));
    zinit_json_write_node (out, member, level_inside (level));
  }
  zinit_json_write_end (out, '}', level);
}

static void
write_array (GString *out, JsonArray *array, guint level)
{
  guint n = json_array_get_length (array);

  g_string_append_c (out, '[');
  for (guint i = 0; i < n; i++) {
    zinit_json_write_next (out, level_inside (level));
    zinit_json_write_node (out, json_array_get_element (array, i), level_inside (level));
  }
  zinit_json_write_end (out, ']', level);
}

static void
write_scalar (GString *out, JsonNode *node)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  gint64 number;

  switch (json_node_get_value_type (node)) {
  case G_TYPE_STRING:
    zinit_json_write_string (out, json_node_get_string (node));
    break;
  case G_TYPE_BOOLEAN:
    g_string_append (out, json_node_get_boolean (node) ? "true" : "false");
    break;
  case G_TYPE_INT64:
    number = json_node_get_int (node);
    zinit_json_write_number (out, number < 0, number < 0 ? 0 - (guint64)number : (guint64)number);
    break;
  default:
    g_string_append (out, g_ascii_dtostr (digits, sizeof digits, json_node_get_double (node)));
    /* It was a float and has to be read as one. */
    if (strpbrk (digits, ".e") == NULL)
      g_string_append (out, ".0");
  }
}

void
zinit_json_write_node (GString *out, JsonNode *node, guint level)
{
  switch (json_node_get_node_type (node)) {
  case JSON_NODE_OBJECT:
    write_object (out, json_node_get_object (node), level);
    break;
  case JSON_NODE_ARRAY:
    write_array (out, json_node_get_array (node), level);
    break;
  case JSON_NODE_VALUE:
    write_scalar (out, node);
    break;
  case JSON_NODE_NULL:
    g_string_append (out, "null");
    break;
  }
}

static gboolean
copy_number (ZinitJsonReader *reader, GString *out)
{
  gsize first = out->len;
  ZinitJsonNumber number;

  if (!zinit_json_reader_number (reader, &number))
    return FALSE;
  g_string_append_len (out, number.text, number.length);
  return isfinite (g_ascii_strtod (out->str + first, NULL)) ||
         zinit_json_fail (reader, number.text, "the number is out of range");
}

/* Copies the next value; of a container only its first bracket. */
static gboolean
copy_beginning (ZinitJsonReader *reader, GString *out)
{
  ZinitJsonKind kind = zinit_json_reader_peek (reader);
  const char *string;
  gboolean truth;

  switch (kind) {
  case ZINIT_JSON_OBJECT:
  case ZINIT_JSON_ARRAY:
    g_string_append_c (out, kind == ZINIT_JSON_OBJECT ? '{' : '[');
    return zinit_json_reader_enter (reader);
  case ZINIT_JSON_STRING:
    string = zinit_json_reader_string (reader, NULL);
    if (string != NULL)
      zinit_json_write_string (out, string);
    return string != NULL;
  case ZINIT_JSON_NUMBER:
    return copy_number (reader, out);
  case ZINIT_JSON_BOOLEAN:
    if (!zinit_json_reader_boolean (reader, &truth))
      return FALSE;
    g_string_append (out, truth ? "true" : "false");
    return TRUE;
  default:
    g_string_append (out, "null");
    return zinit_json_reader_null (reader);
  }
}

/* What stands before the value that zinit_json_reader_next() has found. */
static gboolean
copy_separator (ZinitJsonReader *reader, GString *out, guint level)
{
  const char *name;

  if (!zinit_json_reader_is_in_object (reader)) {
    zinit_json_write_next (out, level);
    return TRUE;
  }
  name = zinit_json_reader_key (reader, NULL);
  if (name != NULL)
    zinit_json_write_next_name (out, name, level);
  return name != NULL;
}

gboolean
zinit_json_copy_value (ZinitJsonReader *reader, GString *out, guint level)
{
  guint outside = zinit_json_reader_get_depth (reader);

  do {
    if (!copy_beginning (reader, out))
      return FALSE;
    while (zinit_json_reader_get_depth (reader) > outside) {
      gboolean is_object = zinit_json_reader_is_in_object (reader);

      if (zinit_json_reader_next (reader)) {
        if (!copy_separator (reader, out, level + zinit_json_reader_get_depth (reader) - outside))
          return FALSE;
        break;
      }
      if (zinit_json_reader_get_error (reader) != NULL)
        return FALSE;
      zinit_json_write_end (out, is_object ? '}' : ']',
                            level + zinit_json_reader_get_depth (reader) - outside);
    }
  } while (zinit_json_reader_get_depth (reader) > outside);
  return TRUE;
}
