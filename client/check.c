/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit check`: the daemon's own program judges. It needs no daemon that runs, and it reads what the daemon
 * would read. Of a folder the command says besides which services are required and have no file.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/command.h"
#include "client/output.h"
#include "client/program.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
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

/* The answer of the checker about the folder @path; NULL when there is none that can be read. Transfer full.
 */
static JsonNode *
ask_checker (const char *path)
{
  const char *const argv[] = { zinit_program_get_daemon (), "--check-config", path, "--json", NULL };
  g_autofree char *output = NULL;
  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL, NULL,
                     NULL))
    return NULL;
  g_autoptr (JsonNode) root = json_from_string (output, NULL);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? g_steal_pointer (&root) : NULL;
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

/* A hint and no error: it may be added without a file. */
static void
print_missing (JsonObject *service, const char *key, GHashTable *known)
{
  JsonArray *list = get_dependencies (service, key);
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    const char *name = json_array_get_string_element (list, i);
    if (name != NULL && !g_hash_table_contains (known, name))
      zinit_output_print_detail (_ ("%s: %s %s, which no file in this folder defines"),
                                 get_string (service, "path"), key, name);
  }
}

/* What the checker itself would print, and what no file defines. */
static ZinitExitCode
print_folder (JsonNode *root)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GList) services = get_objects (root, "services"), errors = get_objects (root, "errors");
  for (GList *at = services; at != NULL; at = at->next) {
    g_hash_table_add (known, (char *)get_string (at->data, "name"));
    zinit_output_print (_ ("%s: ok (%s)\n"), get_string (at->data, "name"), get_string (at->data, "path"));
  }
  for (GList *at = errors; at != NULL; at = at->next)
    zinit_output_print_detail ("%s", get_string (at->data, "message"));
  for (GList *at = services; at != NULL; at = at->next) {
    print_missing (at->data, "requires", known);
    print_missing (at->data, "binds_to", known);
  }
  if (services == NULL && errors == NULL)
    zinit_output_print_detail (_ ("there is no definition in this folder"));
  return errors != NULL ? ZINIT_EXIT_FAILED : ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_check (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 1, 1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (JsonNode) root =
      !client->json && g_file_test (words[0], G_FILE_TEST_IS_DIR) ? ask_checker (words[0]) : NULL;
  return root != NULL ? print_folder (root) : become_checker (client, words[0]);
}
