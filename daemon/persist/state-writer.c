/* SPDX-License-Identifier: Apache-2.0
 *
 * Document to text by the tables of the format.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include <string.h>

#include "config/json-writer.h"
#include "persist/state-fields.h"

/* Of the braces of a service in the document. */
#define SERVICE_LEVEL 2

/* @ret_split (may be NULL) becomes where in @out the value of the field begins that the table splits off. */
static void write_object (GString *out, const ZinitFieldTable *table, gconstpointer object, guint level,
                          gsize *ret_split);

static void
write_signed (GString *out, gint64 number)
{
  zinit_json_write_number (out, number < 0, number < 0 ? 0 - (guint64)number : (guint64)number);
}

static void
write_map (GString *out, const ZinitField *field, GTree *map, guint level)
{
  g_string_append_c (out, '{');
  for (GTreeNode *node = g_tree_node_first (map); node != NULL; node = g_tree_node_next (node)) {
    zinit_json_write_next_name (out, g_tree_node_key (node), level + 1);
    if (field->type == ZINIT_FIELD_LISTENERS)
      write_signed (out, GPOINTER_TO_INT (g_tree_node_value (node)));
    else
      write_object (out, field->items, g_tree_node_value (node), level + 1, NULL);
  }
  zinit_json_write_end (out, '}', level);
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
      write_signed (out, failure->number);
  }
  zinit_json_write_end (out, '}', level);
}

static void
write_value (GString *out, const ZinitField *field, gconstpointer object, guint level)
{
  const void *place = (const char *)object + field->offset;

  switch (field->type) {
  case ZINIT_FIELD_U32:
    zinit_json_write_number (out, FALSE, *(const guint32 *)place);
    break;
  case ZINIT_FIELD_U63:
  case ZINIT_FIELD_U64:
    zinit_json_write_number (out, FALSE, *(const guint64 *)place);
    break;
  case ZINIT_FIELD_I32:
    write_signed (out, *(const gint32 *)place);
    break;
  case ZINIT_FIELD_BOOLEAN:
    g_string_append (out, *(const gboolean *)place ? "true" : "false");
    break;
  case ZINIT_FIELD_STRING:
    zinit_json_write_string (out, *(char *const *)place);
    break;
  case ZINIT_FIELD_WORD:
    zinit_json_write_string (out, field->words[*(const int *)place]);
    break;
  case ZINIT_FIELD_CONFIG:
  case ZINIT_FIELD_OBJECT:
    g_string_append (out, *(char *const *)place);
    break;
  case ZINIT_FIELD_FAILURE:
    write_failure (out, place, level);
    break;
  case ZINIT_FIELD_OBJECTS:
  case ZINIT_FIELD_LISTENERS:
    write_map (out, field, *(GTree *const *)place, level);
    break;
  }
}

static gboolean
has_value (const ZinitField *field, gconstpointer object)
{
  const void *place = (const char *)object + field->offset;

  if (field->rule == ZINIT_FIELD_NEEDED)
    return TRUE;
  if (field->rule == ZINIT_FIELD_NULLABLE)
    return ZINIT_FIELD_AT (gboolean, object, field->offset_of_has);
  switch (field->type) {
  case ZINIT_FIELD_U63:
    return *(const guint64 *)place != 0;
  case ZINIT_FIELD_BOOLEAN:
    return *(const gboolean *)place;
  case ZINIT_FIELD_WORD:
    return *(const int *)place >= 0;
  case ZINIT_FIELD_FAILURE:
    return ((const ZinitFailure *)place)->type != ZINIT_FAILURE_NONE;
  default:
    return *(char *const *)place != NULL;
  }
}

static void
write_object (GString *out, const ZinitFieldTable *table, gconstpointer object, guint level, gsize *ret_split)
{
  gconstpointer extra = table->offset_of_extra != 0
                            ? ZINIT_FIELD_AT (ZinitStateExtensions *, object, table->offset_of_extra)
                            : object;

  g_string_append_c (out, '{');
  for (guint i = 0; i < table->n_fields; i++) {
    const ZinitField *field = &table->fields[i];
    gconstpointer holder = field->rule == ZINIT_FIELD_OWN ? extra : object;
    gboolean is_there = holder != NULL && has_value (field, holder);

    if (!is_there && field->rule != ZINIT_FIELD_NULLABLE)
      continue;
    zinit_json_write_next_name (out, field->name, level + 1);
    if (ret_split != NULL && field->is_split)
      *ret_split = out->len;
    if (is_there)
      write_value (out, field, holder, level + 1);
    else
      g_string_append (out, "null");
  }
  zinit_json_write_end (out, '}', level);
}

static char *
print_document (const ZinitFieldTable *table, gconstpointer document, gsize *ret_length)
{
  GString *out = g_string_new (NULL);

  write_object (out, table, document, 0, NULL);
  g_string_append_c (out, '\n');
  if (ret_length != NULL)
    *ret_length = out->len;
  return g_string_free (out, FALSE);
}

char *
zinit_saved_state_print (const ZinitSavedState *state, gsize *ret_length)
{
  return print_document (&zinit_saved_state_table, state, ret_length);
}

char *
zinit_saved_service_print (const ZinitSavedService *service, gsize *ret_length, gsize *ret_definition_at)
{
  GString *out = g_string_new (NULL);

  zinit_json_write_next_name (out, service->name, SERVICE_LEVEL);
  *ret_definition_at = 0;
  write_object (out, &zinit_saved_service_table, service, SERVICE_LEVEL, ret_definition_at);
  *ret_length = out->len;
  return g_string_free (out, FALSE);
}

char *
zinit_saved_state_print_frame (const ZinitSavedState *state, gsize *ret_length, gsize *ret_end_at)
{
  GString *out = g_string_new (NULL);

  write_object (out, &zinit_saved_state_table, state, 0, ret_end_at);
  *ret_end_at += strlen ("{");
  g_string_append_c (out, '\n');
  *ret_length = out->len;
  return g_string_free (out, FALSE);
}

char *
zinit_saved_fds_print (const ZinitSavedFds *fds, gsize *ret_length)
{
  return print_document (&zinit_saved_fds_table, fds, ret_length);
}
