/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a definition file, or from a tree, to the definition: what any text must be before it is
 * parsed, and the way through parser and builder. Files and folders are folder.c's matter.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "config/strict-json.h"
#include "model/limits.h"
#include "model/schema.h"

/* Refuses what is not text, before any parser sees it. */
static gboolean
check_text (const char *text, gsize length, GPtrArray *problems)
{
  const char *bad;
  ZinitPlace place = { 1, 1 };

  if (length > ZINIT_MAX_DEFINITION_BYTES) {
    zinit_problems_add (problems, place, "the text has %" G_GSIZE_FORMAT " bytes; at most %d are allowed",
                        length, ZINIT_MAX_DEFINITION_BYTES);
    return FALSE;
  }
  if (length == 0 || g_utf8_validate_len (text, length, &bad))
    return TRUE;
  zinit_text_position (text, (gsize)(bad - text), &place.line, &place.column);
  if (*bad == '\0')
    zinit_problems_add (problems, place, "a NUL byte; only text is allowed");
  else
    zinit_problems_add (problems, place, "byte 0x%02x is not UTF-8; only UTF-8 text is allowed",
                        (guchar)*bad);
  return FALSE;
}

/* service.name as far as it is one. Transfer full; NULL if it is not. */
static char *
find_name (JsonNode *root)
{
  JsonNode *node =
      JSON_NODE_HOLDS_OBJECT (root) ? json_object_get_member (json_node_get_object (root), "service") : NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  node = json_object_get_member (json_node_get_object (node), "name");
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING ||
      !zinit_name_is_valid (json_node_get_string (node), NULL))
    return NULL;
  return json_node_dup_string (node);
}

ZinitDefinition *
zinit_definition_parse (const char *text, gsize length, gboolean is_json, const char *default_name,
                        char **ret_name, GPtrArray *problems)
{
  g_autoptr (GPtrArray) found = problems != NULL ? g_ptr_array_ref (problems) : zinit_problems_new ();
  g_auto (ZinitPlaces) places = { 0 };
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (ZinitDefinition) definition = NULL;
  g_autofree char *name = NULL;

  zinit_places_init (&places);
  if (check_text (text, length, found))
    root = is_json ? zinit_strict_json_parse_placed (text, length, &places, found)
                   : zinit_toml_parse (text, length, &places, found);
  if (root != NULL) {
    gboolean has_holes = !is_json && found->len > 0;

    name = find_name (root);
    definition = zinit_build_definition (root, &places, has_holes, default_name, ZINIT_KEYS_STRICT, found);
  }
  if (ret_name != NULL)
    *ret_name = g_strdup (name != NULL ? name : default_name);
  zinit_problems_sort (found);
  return found->len == 0 ? g_steal_pointer (&definition) : NULL;
}

/* What is wrong with the list costs it alone: the words quoted for a shell do the same. */
static void
read_saved_argv (ZinitDefinition *definition, JsonNode *root)
{
  JsonObject *service = json_object_get_object_member (json_node_get_object (root), "service");
  JsonNode *node = json_object_get_member (service, ZINIT_SAVED_ARGV);
  ZinitValue value = { .kind = ZINIT_VALUE_LIST };
  g_autoptr (GPtrArray) strings = g_ptr_array_new (); /* borrowed */
  g_autoptr (GError) error = NULL;
  gboolean is_good = node == NULL || JSON_NODE_HOLDS_ARRAY (node);

  for (guint i = 0; is_good && node != NULL && i < json_array_get_length (json_node_get_array (node)); i++) {
    JsonNode *item = json_array_get_element (json_node_get_array (node), i);

    is_good = JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_STRING;
    if (is_good)
      g_ptr_array_add (strings, (gpointer)json_node_get_string (item));
  }
  g_ptr_array_add (strings, NULL);
  value.strings = (const char *const *)strings->pdata;
  if (!is_good)
    g_warning ("service." ZINIT_SAVED_ARGV ": it is not a list of strings; ignored");
  else if (node != NULL &&
           !zinit_schema_set (definition, zinit_schema_find ("service", "exec"), &value, &error))
    g_warning ("%s; ignored", error->message);
}

ZinitDefinition *
zinit_definition_from_json (JsonNode *node, const char *default_name, ZinitKeyRule rule, GError **error)
{
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  ZinitDefinition *definition = zinit_build_definition (node, NULL, FALSE, default_name, rule, problems);

  if (definition == NULL)
    zinit_problems_to_error (problems, error);
  else if (rule == ZINIT_KEYS_LAX)
    read_saved_argv (definition, node);
  return definition;
}
