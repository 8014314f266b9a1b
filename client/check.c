/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit check`: the daemon's own program judges. It needs no daemon that runs, and it reads what the daemon
 * would read. Of a folder the command says besides which services are required and have no file.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/command.h"
#include "client/json.h"
#include "client/output.h"
#include "client/program.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

/* Only returns when it cannot. */
static ZinitExitCode
become_checker (ZinitClient *client, const char *path)
{
  const char *checker = zinit_program_get_daemon ();
  const char *const arguments[] = { checker, "--check-config", path, client->json ? "--json" : NULL, NULL };
  execv (checker, (char **)arguments);
  zinit_output_print_error (_ ("%s cannot be run: %s"), checker, g_strerror (errno));
  return ZINIT_EXIT_FAILED;
}

/* The answer of the checker about the folder @path, and its text; NULL when there is none that can be read.
 * Transfer full.
 */
static JsonNode *
ask_checker (const char *path, char **ret_text)
{
  const char *const argv[] = { zinit_program_get_daemon (), "--check-config", path, "--json", NULL };
  g_autofree char *output = NULL;
  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL, NULL,
                     NULL))
    return NULL;
  g_autoptr (JsonNode) root = json_from_string (output, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  *ret_text = g_steal_pointer (&output);
  return g_steal_pointer (&root);
}

/* Member @name, a list of objects; empty when there is none. Borrowed objects. Transfer container. */
static GList *
get_objects (JsonNode *root, const char *name)
{
  JsonNode *node = json_object_get_member (json_node_get_object (root), name);
  GList *objects = NULL;
  for (guint i = 0;
       node != NULL && JSON_NODE_HOLDS_ARRAY (node) && i < json_array_get_length (json_node_get_array (node));
       i++) {
    JsonNode *item = json_array_get_element (json_node_get_array (node), i);
    if (JSON_NODE_HOLDS_OBJECT (item))
      objects = g_list_prepend (objects, json_node_get_object (item));
  }
  return g_list_reverse (objects);
}

static const char *
get_string (JsonObject *object, const char *member)
{
  return json_object_get_string_member_with_default (object, member, "?");
}

/* The list dependencies.@key of a service's definition; NULL when there is none. Borrowed. */
static JsonArray *
get_dependencies (JsonObject *service, const char *key)
{
  static const char *const steps[] = { "definition", "dependencies" };
  JsonObject *object = service;
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    JsonNode *node = json_object_get_member (object, steps[i]);
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
      return NULL;
    object = json_node_get_object (node);
  }
  JsonNode *list = json_object_get_member (object, key);
  return list != NULL && JSON_NODE_HOLDS_ARRAY (list) ? json_node_get_array (list) : NULL;
}

/* What a folder holds. */
typedef struct {
  GList *services; /* objects; the lists are owned */
  GList *errors;
  GHashTable *known; /* names that some file defines, or would if it were in order */
} Folder;

static void
folder_init (Folder *folder, JsonNode *root)
{
  folder->services = get_objects (root, "services");
  folder->errors = get_objects (root, "errors");
  folder->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (GList *at = folder->services; at != NULL; at = at->next)
    g_hash_table_add (folder->known, g_strdup (get_string (at->data, "name")));
  for (GList *at = folder->errors; at != NULL; at = at->next) {
    char *name = g_path_get_basename (get_string (at->data, "path"));
    char *end = strrchr (name, '.');
    if (end != NULL)
      *end = '\0';
    g_hash_table_add (folder->known, name);
  }
}

static void
folder_clear (Folder *folder)
{
  g_list_free (folder->services);
  g_list_free (folder->errors);
  g_hash_table_unref (folder->known);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Folder, folder_clear)

/* Calls @func for each required service that no file defines. A hint and no error: it may be added without a
 * file. */
static void
find_missing (const Folder *folder,
              void (*func) (JsonObject *service, const char *key, const char *name, gpointer data),
              gpointer data)
{
  static const char *const keys[] = { "requires", "binds_to" };
  for (GList *at = folder->services; at != NULL; at = at->next)
    for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
      JsonArray *list = get_dependencies (at->data, keys[i]);
      for (guint j = 0; list != NULL && j < json_array_get_length (list); j++) {
        const char *name = json_array_get_string_element (list, j);
        if (name != NULL && !g_hash_table_contains (folder->known, name))
          func (at->data, keys[i], name, data);
      }
    }
}

static void
print_missing (JsonObject *service, const char *key, const char *name, gpointer data)
{
  zinit_output_print_detail (_ ("%s: %s %s, which no file in this folder defines"),
                             get_string (service, "path"), key, name);
}

static void
append_missing (JsonObject *service, const char *key, const char *name, gpointer data)
{
  GString *json = data;
  zinit_json_next (json);
  g_string_append_c (json, '{');
  zinit_json_key (json, "service");
  zinit_json_string (json, get_string (service, "name"));
  zinit_json_key (json, "kind");
  zinit_json_string (json, key);
  zinit_json_key (json, "missing");
  zinit_json_string (json, name);
  g_string_append_c (json, '}');
}

/* What the checker itself would print, and what no file defines. */
static void
print_folder (const Folder *folder)
{
  for (GList *at = folder->services; at != NULL; at = at->next)
    zinit_output_print (_ ("%s: ok (%s)\n"), get_string (at->data, "name"), get_string (at->data, "path"));
  for (GList *at = folder->errors; at != NULL; at = at->next)
    zinit_output_print_detail ("%s", get_string (at->data, "message"));
  find_missing (folder, print_missing, NULL);
  if (folder->services == NULL && folder->errors == NULL)
    zinit_output_print_detail (_ ("there is no definition in this folder"));
}

/* The checker's own text with one member more: its numbers have 64 bits, which a parser in between need not
 * keep. */
static void
print_folder_json (const Folder *folder, const char *text)
{
  const char *end = strrchr (text, '}');
  GString *json = g_string_new_len (text, end - text);
  g_string_append (json, ",\"missing\":[");
  find_missing (folder, append_missing, json);
  zinit_json_print (g_string_append (json, "]}"));
}

ZinitExitCode
zinit_command_check (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 1, 1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root =
      g_file_test (words[0], G_FILE_TEST_IS_DIR) ? ask_checker (words[0], &text) : NULL;
  if (root == NULL)
    return become_checker (client, words[0]);
  g_auto (Folder) folder = { NULL };
  folder_init (&folder, root);
  if (client->json)
    print_folder_json (&folder, text);
  else
    print_folder (&folder);
  return folder.errors != NULL ? ZINIT_EXIT_FAILED : ZINIT_EXIT_DONE;
}
