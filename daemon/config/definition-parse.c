/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a definition file to the definition, with errors that say where in the text. Files and
 * folders are folder.c's matter.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "config/strict-json.h"
#include "model/error.h"
#include "model/limits.h"

#include <string.h>

gboolean
zinit_build_check_size (gsize length, GError **error)
{
  if (length <= ZINIT_MAX_DEFINITION_BYTES)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
               "1:1: the text has %" G_GSIZE_FORMAT " bytes; at most %d are allowed", length,
               ZINIT_MAX_DEFINITION_BYTES);
  return FALSE;
}

/* Makes @text and @length, one JSON value, the one inside of it that @part names. */
static gboolean
narrow (const char **text, gsize *length, const char *part)
{
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (*text, *length, ZINIT_MAX_JSON_DEPTH);
  ZinitJsonKind kind = zinit_json_reader_peek (reader);
  guint64 wanted = g_ascii_strtoull (part, NULL, 10);
  guint64 place = 0;

  if ((kind != ZINIT_JSON_OBJECT && kind != ZINIT_JSON_ARRAY) || !zinit_json_reader_enter (reader))
    return FALSE;
  while (zinit_json_reader_next (reader)) {
    const char *key = kind == ZINIT_JSON_OBJECT ? zinit_json_reader_key (reader, NULL) : NULL;
    gboolean is_wanted = kind == ZINIT_JSON_OBJECT ? g_strcmp0 (key, part) == 0 : ++place == wanted;
    const char *value;
    gsize value_length;

    if (!zinit_json_reader_skip (reader, &value, &value_length))
      return FALSE;
    if (is_wanted) {
      *text = value;
      *length = value_length;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
zinit_json_locate (const char *text, gsize length, const char *const *path, guint *ret_line,
                   guint *ret_column)
{
  const char *part = text;
  gboolean is_known = FALSE;

  while (*path != NULL && narrow (&part, &length, *path)) {
    is_known = TRUE;
    path++;
  }
  if (is_known)
    zinit_text_position (text, part - text, ret_line, ret_column);
  return is_known;
}

/* service.name as far as it is one. Transfer full; NULL if it is not. */
static char *
find_name (JsonNode *root)
{
  JsonNode *node = json_object_get_member (json_node_get_object (root), "service");

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
                        char **ret_name, GError **error)
{
  g_auto (ZinitBuild) build = { 0 };
  g_autoptr (JsonNode) node =
      is_json ? zinit_definition_json_parse (text, length, error) : zinit_toml_parse (text, length, error);
  g_autofree char *name = node != NULL ? find_name (node) : NULL;
  gboolean (*locate) (const char *, gsize, const char *const *, guint *, guint *) =
      is_json ? zinit_json_locate : zinit_toml_locate;
  ZinitDefinition *definition;
  guint line, column;

  if (ret_name != NULL)
    *ret_name = g_strdup (name != NULL ? name : default_name);
  if (node == NULL)
    return NULL;

  zinit_build_begin (&build, ZINIT_KEYS_STRICT);
  definition = zinit_build_from_json (&build, node, default_name, error);
  if (definition == NULL && build.path[0] != NULL &&
      locate (text, length, (const char *const *)build.path, &line, &column))
    g_prefix_error (error, "%u:%u: ", line, column);
  return definition;
}
