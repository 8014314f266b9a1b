/* SPDX-License-Identifier: Apache-2.0
 *
 * Definition files judged without a daemon, as text for people or as JSON for programs. What is judged is
 * folder.c's and the graph's matter; here it is only gathered and printed.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/check.h"

#include "config/folder.h"
#include "model/error.h"
#include "model/graph.h"

/* Services that could never start leave the set. */
static void
refuse_impossible (ZinitConfigSet *set)
{
  g_autoptr (GPtrArray) definitions = g_ptr_array_new ();
  g_autoptr (GHashTable) reasons = NULL;

  for (guint i = 0; i < set->entries->len; i++)
    g_ptr_array_add (definitions, ((ZinitConfigEntry *)set->entries->pdata[i])->definition);
  reasons = zinit_graph_find_impossible (definitions);
  for (guint i = set->entries->len; i-- > 0;) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];
    const char *reason = g_hash_table_lookup (reasons, entry->definition->name);

    if (reason != NULL) {
      zinit_config_set_add_error (set, entry->path, entry->definition->name, "%s", reason);
      g_hash_table_remove (reasons, entry->definition->name);
      g_ptr_array_remove_index (set->entries, i);
    }
  }
}

static void
print_text (const ZinitConfigSet *set, FILE *out, FILE *err)
{
  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];

    fprintf (out, "%s: ok (%s)\n", entry->definition->name, entry->path);
  }
  for (guint i = 0; i < set->errors->len; i++)
    fprintf (err, "%s\n", ((ZinitConfigError *)set->errors->pdata[i])->message);
}

static void
print_json (const ZinitConfigSet *set, FILE *out)
{
  g_autoptr (JsonObject) root = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  JsonArray *services = json_array_new ();
  JsonArray *errors = json_array_new ();

  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];
    JsonObject *service = json_object_new ();

    json_object_set_string_member (service, "name", entry->definition->name);
    json_object_set_string_member (service, "path", entry->path);
    json_object_set_member (service, "definition", zinit_definition_to_json (entry->definition));
    json_array_add_object_element (services, service);
  }
  for (guint i = 0; i < set->errors->len; i++) {
    const ZinitConfigError *failure = set->errors->pdata[i];
    JsonObject *error = json_object_new ();

    json_object_set_string_member (error, "path", failure->path);
    json_object_set_string_member (error, "message", failure->message);
    json_array_add_object_element (errors, error);
  }
  json_object_set_array_member (root, "services", services);
  json_object_set_array_member (root, "errors", errors);
  json_node_set_object (node, root);
  text = json_to_string (node, TRUE);
  fprintf (out, "%s\n", text);
}

gboolean
zinit_check_config (const char *path, gboolean as_json, FILE *out, FILE *err)
{
  g_autoptr (ZinitConfigSet) set = g_file_test (path, G_FILE_TEST_IS_DIR) ? zinit_config_read_folder (path)
                                                                          : zinit_config_read_file (path);

  refuse_impossible (set);
  if (as_json)
    print_json (set, out);
  else
    print_text (set, out, err);
  return set->errors->len == 0;
}
