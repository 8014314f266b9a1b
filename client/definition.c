/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the daemon's program what is in a file and turns its JSON into D-Bus values. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/definition.h"

#include "client/program.h"

#include <glib/gi18n.h>

static gboolean
set_unreadable (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("the output of %s cannot be read: %s"),
               zinit_program_get_daemon (), what);
  return FALSE;
}

/* Which type of D-Bus a value has that @node is; NULL leaves it to the node. */
static const char *
choose_type (JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    return "as";
  if (JSON_NODE_HOLDS_OBJECT (node))
    return "a{ss}";
  return json_node_get_value_type (node) == G_TYPE_INT64 && json_node_get_int (node) >= 0 ? "t" : NULL;
}

static gboolean
add_section (GVariantBuilder *definition, const char *section, JsonNode *node, GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return set_unreadable (error, _ ("a section is not an object"));
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  JsonObjectIter iter;
  const char *key = NULL;
  JsonNode *content = NULL;
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &content)) {
    /* null is "not given". */
    if (JSON_NODE_HOLDS_NULL (content))
      continue;
    g_autoptr (GError) local = NULL;
    GVariant *value = json_gvariant_deserialize (content, choose_type (content), &local);
    if (value == NULL)
      return set_unreadable (error, local->message);
    g_variant_builder_add (&builder, "{sv}", key, value);
  }
  g_variant_builder_add (definition, "{s@a{sv}}", section, g_variant_builder_end (&builder));
  return TRUE;
}

GVariant *
zinit_definition_from_json (JsonNode *node, GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    set_unreadable (error, _ ("a definition is not an object"));
    return NULL;
  }
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sa{sv}}"));
  JsonObjectIter iter;
  const char *section = NULL;
  JsonNode *keys = NULL;
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &section, &keys))
    if (!JSON_NODE_HOLDS_NULL (keys) && !add_section (&builder, section, keys, error))
      return NULL;
  return g_variant_builder_end (&builder);
}

/* Output of the checker; NULL when it could not be run. Transfer full. */
static char *
run_checker (const char *path, GError **error)
{
  const char *const argv[] = { zinit_program_get_daemon (), "--check-config", path, "--json", NULL };
  g_autofree char *output = NULL, *complaints = NULL;
  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_CLOEXEC_PIPES, NULL, NULL, &output, &complaints, NULL,
                     error))
    return NULL;
  if (*output != '\0')
    return g_steal_pointer (&output);
  set_unreadable (error, *complaints != '\0' ? g_strchomp (complaints) : _ ("it is empty"));
  return NULL;
}

/* The messages of member "errors", one a line; NULL when there are none. */
static char *
collect_errors (JsonObject *answer)
{
  JsonNode *node = json_object_get_member (answer, "errors");
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node) ||
      json_array_get_length (json_node_get_array (node)) == 0)
    return NULL;
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++) {
    JsonNode *item = json_array_get_element (json_node_get_array (node), i);
    if (JSON_NODE_HOLDS_OBJECT (item))
      g_string_append_printf (
          text, "%s%s", text->len > 0 ? "\n" : "",
          json_object_get_string_member_with_default (json_node_get_object (item), "message", "?"));
  }
  return g_string_free (text, FALSE);
}

/* The definition of the only service in @answer. Borrowed. */
static JsonNode *
find_definition (JsonObject *answer, const char *path, GError **error)
{
  JsonNode *services = json_object_get_member (answer, "services");
  if (services == NULL || !JSON_NODE_HOLDS_ARRAY (services) ||
      json_array_get_length (json_node_get_array (services)) != 1) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("%s must define exactly one service"), path);
    return NULL;
  }
  JsonNode *service = json_array_get_element (json_node_get_array (services), 0);
  JsonNode *definition = JSON_NODE_HOLDS_OBJECT (service)
                             ? json_object_get_member (json_node_get_object (service), "definition")
                             : NULL;
  if (definition == NULL)
    set_unreadable (error, _ ("it has no definition"));
  return definition;
}

GVariant *
zinit_definition_read (const char *path, GError **error)
{
  g_autofree char *output = run_checker (path, error);
  if (output == NULL)
    return NULL;
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;
  JsonNode *root = NULL;
  if (json_parser_load_from_data (parser, output, -1, &local))
    root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    set_unreadable (error, local != NULL ? local->message : _ ("it is not an object"));
    return NULL;
  }
  JsonObject *answer = json_node_get_object (root);
  g_autofree char *problems = collect_errors (answer);
  if (problems != NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, problems);
    return NULL;
  }
  JsonNode *definition = find_definition (answer, path, error);
  return definition != NULL ? zinit_definition_from_json (definition, error) : NULL;
}
