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

static void
entry_free (gpointer data)
{
  ZinitConfigEntry *entry = data;

  g_free (entry->path);
  zinit_definition_unref (entry->definition);
  g_free (entry);
}

static void
add_error (GPtrArray *messages, const char *path, const char *message)
{
  JsonObject *error = json_object_new ();

  json_object_set_string_member (error, "path", path);
  json_object_set_string_member (error, "message", message);
  g_ptr_array_add (messages, error);
}

static void
read_one (const char *path, GPtrArray *entries, GPtrArray *messages)
{
  g_autoptr (GError) error = NULL;
  ZinitDefinition *definition = zinit_config_read_file (path, NULL, &error);
  ZinitConfigEntry *entry;

  if (definition == NULL) {
    add_error (messages, path, error->message);
    return;
  }
  entry = g_new0 (ZinitConfigEntry, 1);
  entry->path = g_strdup (path);
  entry->definition = definition;
  g_ptr_array_add (entries, entry);
}

static void
read_folder (const char *path, GPtrArray *entries, GPtrArray *messages)
{
  g_autoptr (ZinitConfigSet) set = zinit_config_read_folder (path);

  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];
    ZinitConfigEntry *copy = g_new0 (ZinitConfigEntry, 1);

    copy->path = g_strdup (entry->path);
    copy->definition = zinit_definition_ref (entry->definition);
    g_ptr_array_add (entries, copy);
  }
  for (guint i = 0; i < set->errors->len; i++) {
    const ZinitConfigError *error = set->errors->pdata[i];

    add_error (messages, error->path, error->message);
  }
}

/* Services in a cycle are no good ones: they leave @entries. */
static void
refuse_cycles (GPtrArray *entries, GPtrArray *messages)
{
  g_autoptr (GPtrArray) definitions = g_ptr_array_new ();
  g_autoptr (GHashTable) cyclic = NULL;

  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add (definitions, ((ZinitConfigEntry *)entries->pdata[i])->definition);
  cyclic = zinit_graph_find_cycles (definitions);
  for (guint i = entries->len; i-- > 0;) {
    const ZinitConfigEntry *entry = entries->pdata[i];
    const char *chain = g_hash_table_lookup (cyclic, entry->definition->name);
    g_autofree char *message = NULL;

    if (chain == NULL)
      continue;
    message = g_strdup_printf ("%s: the dependencies go in a circle: %s", entry->path, chain);
    add_error (messages, entry->path, message);
    g_hash_table_remove (cyclic, entry->definition->name);
    g_ptr_array_remove_index (entries, i);
  }
}

static void
print_text (GPtrArray *entries, GPtrArray *messages, FILE *out, FILE *err)
{
  for (guint i = 0; i < entries->len; i++) {
    const ZinitConfigEntry *entry = entries->pdata[i];

    fprintf (out, "%s: ok (%s)\n", entry->definition->name, entry->path);
  }
  for (guint i = 0; i < messages->len; i++)
    fprintf (err, "%s\n", json_object_get_string_member (messages->pdata[i], "message"));
}

static void
print_json (GPtrArray *entries, GPtrArray *messages, FILE *out)
{
  g_autoptr (JsonObject) root = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  JsonArray *services = json_array_new ();
  JsonArray *errors = json_array_new ();

  for (guint i = 0; i < entries->len; i++) {
    const ZinitConfigEntry *entry = entries->pdata[i];
    JsonObject *service = json_object_new ();

    json_object_set_string_member (service, "name", entry->definition->name);
    json_object_set_string_member (service, "path", entry->path);
    json_object_set_member (service, "definition", zinit_definition_to_json (entry->definition));
    json_array_add_object_element (services, service);
  }
  for (guint i = 0; i < messages->len; i++)
    json_array_add_object_element (errors, json_object_ref (messages->pdata[i]));
  json_object_set_array_member (root, "services", services);
  json_object_set_array_member (root, "errors", errors);
  json_node_set_object (node, root);
  text = json_to_string (node, TRUE);
  fprintf (out, "%s\n", text);
}

gboolean
zinit_check_config (const char *path, gboolean as_json, FILE *out, FILE *err)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (entry_free);
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func ((GDestroyNotify)json_object_unref);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    read_folder (path, entries, messages);
  else
    read_one (path, entries, messages);
  refuse_cycles (entries, messages);
  if (as_json)
    print_json (entries, messages, out);
  else
    print_text (entries, messages, out, err);
  return messages->len == 0;
}
