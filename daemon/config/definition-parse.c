/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a definition file, or from a tree, to the definition: what any text must be before it is
 * parsed, and the way through parser and builder. Files and folders are folder.c's matter.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "config/strict-json.h"
#include "model/limits.h"

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

ZinitDefinition *
zinit_definition_from_json (JsonNode *node, const char *default_name, ZinitKeyRule rule, GError **error)
{
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  ZinitDefinition *definition = zinit_build_definition (node, NULL, FALSE, default_name, rule, problems);

  if (definition == NULL)
    zinit_problems_to_error (problems, error);
  return definition;
}
