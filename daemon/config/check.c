/* SPDX-License-Identifier: Apache-2.0
 *
 * Definition files judged without a daemon, as text for people or as JSON for programs. What is wrong with a
 * file or a cycle is judged by folder.c and the graph; here it is gathered, compared with the folder and
 * printed.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/check.h"

#include <string.h>

#include "config/folder.h"
#include "model/graph.h"

/* Services that could never start leave the set. */
static void
refuse_impossible (ZinitConfigSet *set)
{
  g_autoptr (GPtrArray) definitions = g_ptr_array_new ();
  g_autoptr (GHashTable) reasons = NULL;

  for (guint i = 0; i < set->entries->len; i++)
    g_ptr_array_add (definitions, ((ZinitConfigEntry *)set->entries->pdata[i])->definition);
  reasons = zinit_graph_find_impossible (definitions, 0);
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

/* A service that is named and that no file of the folder defines. */
typedef struct {
  const ZinitConfigEntry *entry; /* which names it */
  const char *key;
  const char *name;
} Missing;

/* Those of @names that are missing. */
static void
add_missing (GArray *all, GHashTable *known, const ZinitConfigEntry *entry, const char *key, char **names)
{
  for (; names != NULL && *names != NULL; names++)
    if (!g_hash_table_contains (known, *names)) {
      Missing missing = { entry, key, *names };

      g_array_append_val (all, missing);
    }
}

/* Missing, by value, into the entries of @set. What a refused file would define is not missing. Transfer
 * full. */
static GArray *
find_missing (const ZinitConfigSet *set)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Missing));
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < set->entries->len; i++)
    g_hash_table_add (known, ((ZinitConfigEntry *)set->entries->pdata[i])->definition->name);
  for (guint i = 0; i < set->errors->len; i++)
    g_hash_table_add (known, ((ZinitConfigError *)set->errors->pdata[i])->name);
  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];

    add_missing (all, known, entry, "requires", entry->definition->requires);
    add_missing (all, known, entry, "binds_to", entry->definition->binds_to);
    add_missing (all, known, entry, "on_failure", entry->definition->on_failure);
  }
  return all;
}

/* @missing is NULL for a file. */
static void
print_text (const ZinitConfigSet *set, const GArray *missing, FILE *out, FILE *err)
{
  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];

    fprintf (out, "%s: ok (%s)\n", entry->definition->name, entry->path);
  }
  for (guint i = 0; i < set->errors->len; i++)
    fprintf (err, "%s\n", ((ZinitConfigError *)set->errors->pdata[i])->message);
  if (missing == NULL)
    return;
  for (guint i = 0; i < missing->len; i++) {
    const Missing *one = &g_array_index (missing, Missing, i);

    fprintf (err, "%s: %s \"%s\", which no file in this folder defines\n", one->entry->path,
             strcmp (one->key, "requires") == 0 ? "requires" : "its on_failure starts", one->name);
  }
  if (set->entries->len == 0 && set->errors->len == 0)
    fprintf (err,
             "there is no definition in this folder; its files are to be called NAME.toml or NAME.json\n");
}

static JsonArray *
list_missing (const GArray *missing)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < missing->len; i++) {
    const Missing *one = &g_array_index (missing, Missing, i);
    JsonObject *object = json_object_new ();

    json_object_set_string_member (object, "service", one->entry->definition->name);
    json_object_set_string_member (object, "kind", one->key);
    json_object_set_string_member (object, "missing", one->name);
    json_array_add_object_element (array, object);
  }
  return array;
}

static void
print_json (const ZinitConfigSet *set, const GArray *missing, FILE *out)
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
  if (missing != NULL)
    json_object_set_array_member (root, "missing", list_missing (missing));
  json_node_set_object (node, root);
  text = json_to_string (node, TRUE);
  fprintf (out, "%s\n", text);
}

gboolean
zinit_check_config (const char *path, gboolean as_json, FILE *out, FILE *err)
{
  gboolean is_folder = g_file_test (path, G_FILE_TEST_IS_DIR);
  g_autoptr (ZinitConfigSet) set =
      is_folder ? zinit_config_read_folder (path) : zinit_config_read_file (path);
  g_autoptr (GArray) missing = NULL;

  refuse_impossible (set);
  if (is_folder)
    missing = find_missing (set);
  if (as_json)
    print_json (set, missing, out);
  else
    print_text (set, missing, out, err);
  return set->errors->len == 0;
}
