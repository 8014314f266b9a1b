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

/* @ret_split (may be NULL) becomes where in @out the caller can put or find what it keeps apart: of a
 * document between the braces of its services, of a service where its definition begins. */
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
write_value (GString *out, const ZinitField *field, gconstpointer object, guint level)
{
  const void *place = (const char *)object + field->offset;

  switch (field->type) {
  case ZINIT_FIELD_U32:
    zinit_json_write_number (out, FALSE, *(const guint32 *)place);
    break;
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
  case ZINIT_FIELD_STATE:
    zinit_json_write_string (out, zinit_state_to_string (*(const ZinitState *)place));
    break;
  case ZINIT_FIELD_CONFIG:
    g_string_append (out, *(char *const *)place);
    break;
  case ZINIT_FIELD_OBJECTS:
  case ZINIT_FIELD_LISTENERS:
    write_map (out, field, *(GTree *const *)place, level);
    break;
  }
}

static void
write_origin (GString *out, const ZinitSavedState *state, guint level)
{
  for (const ZinitOriginField *field = zinit_origin_fields; field->name != NULL; field++) {
    const void *place = (const char *)state + field->offset;

    if (field->type == ZINIT_ORIGIN_TEXT && *(char *const *)place != NULL) {
      zinit_json_write_next_name (out, field->name, level);
      zinit_json_write_string (out, *(char *const *)place);
    } else if (field->type == ZINIT_ORIGIN_NUMBER && *(const guint64 *)place != 0) {
      zinit_json_write_next_name (out, field->name, level);
      zinit_json_write_number (out, FALSE, *(const guint64 *)place);
    } else if (field->type == ZINIT_ORIGIN_FLAG && *(const gboolean *)place) {
      zinit_json_write_next_name (out, field->name, level);
      g_string_append (out, "true");
    }
  }
}

/* The fields that the format does not know. There are fields before them. */
static void
write_extras (GString *out, const ZinitFieldTable *table, gconstpointer object, guint level, gsize *ret_split)
{
  if (table->offset_of_extra != 0) {
    const ZinitStateExtensions *extra =
        ZINIT_FIELD_AT (ZinitStateExtensions *, object, table->offset_of_extra);

    if (extra != NULL)
      zinit_state_extensions_write (out, extra, level, ret_split);
  }
  if (table == &zinit_saved_state_table)
    write_origin (out, object, level);
}

static void
write_object (GString *out, const ZinitFieldTable *table, gconstpointer object, guint level, gsize *ret_split)
{
  g_string_append_c (out, '{');
  for (guint i = 0; i < table->n_fields; i++) {
    const ZinitField *field = &table->fields[i];

    if (field->type == ZINIT_FIELD_CONFIG && ZINIT_FIELD_AT (char *, object, field->offset) == NULL)
      continue;
    zinit_json_write_next_name (out, field->name, level + 1);
    if (ret_split != NULL && field->type == ZINIT_FIELD_CONFIG)
      *ret_split = out->len;
    if (ret_split != NULL && field->type == ZINIT_FIELD_OBJECTS)
      *ret_split = out->len + strlen ("{");
    if (!field->needed && field->type != ZINIT_FIELD_CONFIG &&
        !ZINIT_FIELD_AT (gboolean, object, field->offset_of_has))
      g_string_append (out, "null");
    else
      write_value (out, field, object, level + 1);
  }
  write_extras (out, table, object, level + 1, ret_split);
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
  g_string_append_c (out, '\n');
  *ret_length = out->len;
  return g_string_free (out, FALSE);
}

char *
zinit_saved_fds_print (const ZinitSavedFds *fds, gsize *ret_length)
{
  return print_document (&zinit_saved_fds_table, fds, ret_length);
}
