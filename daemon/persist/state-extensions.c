/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing the extra fields of a service, one row a field.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/state-extensions.h"

#include <string.h>

#include "config/json-writer.h"
#include "config/strict-json.h"
#include "model/error.h"

#define MAX_PLAIN_DIGITS 18 /* no such number is above G_MAXINT64 */

const char *const zinit_saved_clock_words[] = { "realtime", "monotonic", "boottime", NULL };

typedef enum { FIELD_NUMBER, FIELD_FLAG, FIELD_WORD, FIELD_FAILURE, FIELD_OBJECT, FIELD_TEXT } FieldKind;

typedef struct {
  const char *name;
  FieldKind kind;
  gsize offset; /* of the guint64, gboolean, int, ZinitFailure or char * */
  const char *const *words;
} Field;

static const Field fields[] = {
  { "run", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, run) },
  { "pid_start_ticks", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, pid_start_ticks) },
  { "stdout_inode", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, stdout_inode) },
  { "stderr_inode", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, stderr_inode) },
  { "definition_hash", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, definition_hash) },
  { "definition", FIELD_OBJECT, G_STRUCT_OFFSET (ZinitStateExtensions, definition) },
  { "pending_definition", FIELD_OBJECT, G_STRUCT_OFFSET (ZinitStateExtensions, pending_definition) },
  { "file", FIELD_TEXT, G_STRUCT_OFFSET (ZinitStateExtensions, file) },
  { "wanted_status", FIELD_WORD, G_STRUCT_OFFSET (ZinitStateExtensions, wanted_status), zinit_wanted_words },
  { "failure_reason", FIELD_FAILURE, G_STRUCT_OFFSET (ZinitStateExtensions, failure) },
  { "clock", FIELD_WORD, G_STRUCT_OFFSET (ZinitStateExtensions, clock), zinit_saved_clock_words },
  { "started_at_usec", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, started_at_usec) },
  { "deadline_at", FIELD_NUMBER, G_STRUCT_OFFSET (ZinitStateExtensions, deadline_at) },
  { "exit_unknown", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, exit_unknown) },
  { "main_ended", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, main_ended) },
  { "stop_due", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, stop_due) },
  { "stop_asked", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, stop_asked) },
  { "start_timed_out", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, start_timed_out) },
  { "kill_needed", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, kill_needed) },
  { "start_after", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, start_after) },
  { "comes_back", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, comes_back) },
  { "remove_when_down", FIELD_FLAG, G_STRUCT_OFFSET (ZinitStateExtensions, remove_when_down) },
};

ZinitStateExtensions *
zinit_state_extensions_new (void)
{
  ZinitStateExtensions *extra = g_new0 (ZinitStateExtensions, 1);

  extra->wanted_status = -1;
  return extra;
}

void
zinit_state_extensions_free (ZinitStateExtensions *extra)
{
  if (extra == NULL)
    return;
  zinit_failure_clear (&extra->failure);
  g_free (extra->definition);
  g_free (extra->pending_definition);
  g_free (extra->file);
  g_free (extra);
}

static gboolean
field_is_equal (const Field *field, const ZinitStateExtensions *a, const ZinitStateExtensions *b)
{
  const void *left = (const char *)a + field->offset;
  const void *right = (const char *)b + field->offset;

  switch (field->kind) {
  case FIELD_NUMBER:
    return *(const guint64 *)left == *(const guint64 *)right;
  case FIELD_FLAG:
    return *(const gboolean *)left == *(const gboolean *)right;
  case FIELD_WORD:
    return *(const int *)left == *(const int *)right;
  case FIELD_OBJECT:
  case FIELD_TEXT:
    return g_strcmp0 (*(char *const *)left, *(char *const *)right) == 0;
  default:
    return zinit_failure_equal (left, right);
  }
}

gboolean
zinit_state_extensions_equal (const ZinitStateExtensions *a, const ZinitStateExtensions *b)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (!field_is_equal (&fields[i], a, b))
      return FALSE;
  }
  return TRUE;
}

static const Field *
find_field (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (g_str_equal (fields[i].name, name))
      return &fields[i];
  }
  return NULL;
}

gboolean
zinit_state_extensions_has_field (const char *name)
{
  return find_field (name) != NULL;
}

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, what);
  return FALSE;
}

/* @node as text, or NULL. */
static const char *
string_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
is_integer (JsonNode *node, gint64 minimum, gint64 maximum)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64 &&
         json_node_get_int (node) >= minimum && json_node_get_int (node) <= maximum;
}

static gboolean
read_failure (ZinitFailure *failure, JsonNode *node, GError **error)
{
  ZinitFailure read = { ZINIT_FAILURE_NONE };
  JsonObject *object;
  JsonNode *field;
  const char *name, *type;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, "not an object");
  object = json_node_get_object (node);
  type = string_of (json_object_get_member (object, "type"));
  if (type == NULL || !zinit_failure_type_from_string (type, &read.type))
    return refuse (error, "no known type of failure");
  name = zinit_failure_field_name (read.type);
  field = name != NULL ? json_object_get_member (object, name) : NULL;
  if (name != NULL && zinit_failure_field_is_text (read.type)) {
    if (string_of (field) == NULL)
      return refuse (error, "the type's field is missing or no text");
    read.text = g_strdup (string_of (field));
  } else if (name != NULL) {
    if (!is_integer (field, G_MININT32, G_MAXINT32))
      return refuse (error, "the type's field is missing or no number of 32 bits");
    read.number = (gint32)json_node_get_int (field);
  }
  zinit_failure_clear (failure);
  *failure = read;
  return TRUE;
}

static gboolean
is_text (const char *text, gsize length, const char *expected)
{
  return strlen (expected) == length && memcmp (text, expected, length) == 0;
}

/* Values as we write them ourselves: thousands in a file, and a tree for each would be most of the time of
 * reading it. FALSE for any other, right or wrong. */
static gboolean
read_plain (const Field *field, gpointer place, const char *text, gsize length)
{
  guint64 number;

  switch (field->kind) {
  case FIELD_NUMBER:
    if (!g_ascii_isdigit (*text) || length > MAX_PLAIN_DIGITS)
      return FALSE;
    number = 0;
    for (gsize i = 0; i < length; i++) {
      if (!g_ascii_isdigit (text[i]))
        return FALSE;
      number = number * 10 + (guint64)(text[i] - '0');
    }
    *(guint64 *)place = number;
    return TRUE;
  case FIELD_FLAG:
    if (!is_text (text, length, "true"))
      return FALSE;
    *(gboolean *)place = TRUE;
    return TRUE;
  case FIELD_WORD:
    for (int i = 0; *text == '"' && field->words[i] != NULL; i++) {
      if (is_text (text + 1, length - 2, field->words[i])) {
        *(int *)place = i;
        return TRUE;
      }
    }
    return FALSE;
  case FIELD_OBJECT:
    if (*text != '{')
      return FALSE;
    g_free (*(char **)place);
    *(char **)place = g_strndup (text, length);
    return TRUE;
  default:
    return FALSE;
  }
}

gboolean
zinit_state_extensions_read (ZinitStateExtensions *extra, const char *name, const char *text, gsize length,
                             GError **error)
{
  const Field *field = find_field (name);
  gpointer place = (char *)extra + field->offset;
  g_autoptr (JsonNode) node = NULL;
  const char *word;

  if (read_plain (field, place, text, length))
    return TRUE;
  node = zinit_strict_json_parse (text, length, error);
  if (node == NULL)
    return FALSE;
  switch (field->kind) {
  case FIELD_NUMBER:
    if (!is_integer (node, 0, G_MAXINT64))
      return refuse (error, "a number from 0 to 9223372036854775807 is allowed");
    *(guint64 *)place = (guint64)json_node_get_int (node);
    return TRUE;
  case FIELD_FLAG:
    if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
      return refuse (error, "true and false are allowed");
    *(gboolean *)place = json_node_get_boolean (node);
    return TRUE;
  case FIELD_WORD:
    word = string_of (node);
    for (int i = 0; word != NULL && field->words[i] != NULL; i++) {
      if (g_str_equal (field->words[i], word)) {
        *(int *)place = i;
        return TRUE;
      }
    }
    return refuse (error, "none of the known words");
  case FIELD_OBJECT:
    return refuse (error, "an object is allowed");
  case FIELD_TEXT:
    if (string_of (node) == NULL)
      return refuse (error, "a string is allowed");
    g_free (*(char **)place);
    *(char **)place = g_strdup (string_of (node));
    return TRUE;
  case FIELD_FAILURE:
    return read_failure (place, node, error);
  }
  return FALSE;
}

static void
write_failure (GString *out, const ZinitFailure *failure, guint level)
{
  const char *name = zinit_failure_field_name (failure->type);

  g_string_append_c (out, '{');
  zinit_json_write_next_name (out, "type", level + 1);
  zinit_json_write_string (out, zinit_failure_type_to_string (failure->type));
  if (name != NULL) {
    zinit_json_write_next_name (out, name, level + 1);
    if (zinit_failure_field_is_text (failure->type))
      zinit_json_write_string (out, failure->text != NULL ? failure->text : "");
    else
      zinit_json_write_number (out, failure->number < 0, (guint64)ABS ((gint64)failure->number));
  }
  zinit_json_write_end (out, '}', level);
}

void
zinit_state_extensions_write (GString *out, const ZinitStateExtensions *extra, guint level,
                              gsize *ret_definition_at)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    const Field *field = &fields[i];
    const void *place = (const char *)extra + field->offset;

    if (field->kind == FIELD_NUMBER && *(const guint64 *)place != 0) {
      zinit_json_write_next_name (out, field->name, level);
      zinit_json_write_number (out, FALSE, *(const guint64 *)place);
    } else if (field->kind == FIELD_FLAG && *(const gboolean *)place) {
      zinit_json_write_next_name (out, field->name, level);
      g_string_append (out, "true");
    } else if (field->kind == FIELD_WORD && *(const int *)place >= 0) {
      zinit_json_write_next_name (out, field->name, level);
      zinit_json_write_string (out, field->words[*(const int *)place]);
    } else if (field->kind == FIELD_OBJECT && *(char *const *)place != NULL) {
      zinit_json_write_next_name (out, field->name, level);
      if (ret_definition_at != NULL && field->offset == G_STRUCT_OFFSET (ZinitStateExtensions, definition))
        *ret_definition_at = out->len;
      g_string_append (out, *(char *const *)place);
    } else if (field->kind == FIELD_TEXT && *(char *const *)place != NULL) {
      zinit_json_write_next_name (out, field->name, level);
      zinit_json_write_string (out, *(char *const *)place);
    } else if (field->kind == FIELD_FAILURE && ((const ZinitFailure *)place)->type != ZINIT_FAILURE_NONE) {
      zinit_json_write_next_name (out, field->name, level);
      write_failure (out, place, level);
    }
  }
}
