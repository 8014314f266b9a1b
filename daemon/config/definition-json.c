/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition as a JSON object, and back. TOML comes through here too, once it is a JsonNode. What a key
 * means is not known here.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "config/strict-json.h"
#include "model/error.h"
#include "model/limits.h"

#include <string.h>

/* What @node is, for messages; static. */
static const char *
type_name (JsonNode *node)
{
  switch (json_node_get_node_type (node)) {
  case JSON_NODE_OBJECT:
    return "a table";
  case JSON_NODE_ARRAY:
    return "a list";
  case JSON_NODE_NULL:
    return "null";
  case JSON_NODE_VALUE:
    break;
  }
  switch (json_node_get_value_type (node)) {
  case G_TYPE_STRING:
    return "a string";
  case G_TYPE_INT64:
    return "a number";
  case G_TYPE_BOOLEAN:
    return "true or false";
  default:
    return "a number with a fraction or exponent";
  }
}

/* NULL when @node is no string. */
static const char *
text_of (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static void
read_list (ZinitBuildValue *value, JsonArray *array)
{
  guint length = json_array_get_length (array);

  zinit_build_value_begin (value, ZINIT_VALUE_LIST);
  for (guint i = 0; i < length; i++) {
    JsonNode *node = json_array_get_element (array, i);

    zinit_build_value_add (value, NULL, text_of (node), type_name (node));
  }
  zinit_build_value_end (value);
}

static void
read_table (ZinitBuildValue *value, JsonObject *object)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  zinit_build_value_begin (value, ZINIT_VALUE_TABLE);
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &node))
    zinit_build_value_add (value, key, text_of (node), type_name (node));
  zinit_build_value_end (value);
}

static void
read_value (ZinitBuildValue *value, JsonNode *node)
{
  value->value.kind = ZINIT_VALUE_OTHER;
  value->value.type_name = type_name (node);

  if (JSON_NODE_HOLDS_ARRAY (node)) {
    read_list (value, json_node_get_array (node));
  } else if (JSON_NODE_HOLDS_OBJECT (node)) {
    read_table (value, json_node_get_object (node));
  } else if (JSON_NODE_HOLDS_VALUE (node)) {
    GType type = json_node_get_value_type (node);

    if (type == G_TYPE_STRING) {
      value->value.kind = ZINIT_VALUE_STRING;
      value->value.string = json_node_get_string (node);
    } else if (type == G_TYPE_BOOLEAN) {
      value->value.kind = ZINIT_VALUE_BOOLEAN;
      value->value.boolean = json_node_get_boolean (node);
    } else if (type == G_TYPE_INT64) {
      gint64 number = json_node_get_int (node);

      value->value.kind = ZINIT_VALUE_INTEGER;
      value->value.negative = number < 0;
      value->value.magnitude = number < 0 ? -(guint64)number : (guint64)number;
    }
  }
}

/* A null stands for "not given" where there may be no value at all: an optional text, and all of health. For
 * anything else the specification refuses it. */
static gboolean
may_be_null (const char *section, const char *key)
{
  const ZinitOption *option = key != NULL ? zinit_schema_find (section, key) : NULL;

  return strcmp (section, "health") == 0 ||
         (option != NULL && option->type == ZINIT_TYPE_STRING && !(option->flags & ZINIT_OPTION_REQUIRED));
}

static gboolean
read_section (ZinitBuild *build, const char *section, JsonNode *node, GError **error)
{
  gboolean is_table = JSON_NODE_HOLDS_OBJECT (node);
  gboolean skip;
  JsonObjectIter iter;
  const char *key;
  JsonNode *member;

  if (JSON_NODE_HOLDS_NULL (node) && may_be_null (section, NULL))
    return TRUE;
  if (!zinit_build_section (build, section, is_table ? NULL : type_name (node), &skip, error))
    return FALSE;
  if (skip)
    return TRUE;

  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &member)) {
    g_auto (ZinitBuildValue) value = { 0 };

    if (JSON_NODE_HOLDS_NULL (member) && may_be_null (section, key))
      continue;
    read_value (&value, member);
    if (!zinit_build_add (build, section, key, &value, error))
      return FALSE;
  }
  return TRUE;
}

ZinitDefinition *
zinit_build_from_json (ZinitBuild *build, JsonNode *node, const char *default_name, GError **error)
{
  JsonObjectIter iter;
  const char *section;
  JsonNode *member;

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
                 "%s was given; an object with the sections of a definition is wanted", type_name (node));
    return NULL;
  }
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &section, &member))
    if (!read_section (build, section, member, error))
      return NULL;
  return zinit_build_end (build, default_name, error);
}

ZinitDefinition *
zinit_definition_from_json (JsonNode *node, const char *default_name, ZinitKeyRule rule, GError **error)
{
  g_auto (ZinitBuild) build = { 0 };

  zinit_build_begin (&build, rule);
  return zinit_build_from_json (&build, node, default_name, error);
}

JsonNode *
zinit_definition_json_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonNode) node = NULL;

  if (!zinit_build_check_size (length, error))
    return NULL;
  node = zinit_strict_json_parse (text, length, error);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
                 "1:1: %s was given; an object with the sections of a definition is wanted",
                 type_name (node));
    return NULL;
  }
  return g_steal_pointer (&node);
}

static JsonNode *
write_strings (const ZinitValue *value)
{
  JsonNode *node = json_node_new (value->kind == ZINIT_VALUE_LIST ? JSON_NODE_ARRAY : JSON_NODE_OBJECT);
  JsonArray *array = value->kind == ZINIT_VALUE_LIST ? json_array_new () : NULL;
  JsonObject *object = array == NULL ? json_object_new () : NULL;

  for (guint i = 0; value->strings != NULL && value->strings[i] != NULL; i++) {
    const char *text = value->strings[i];

    if (array != NULL) {
      json_array_add_string_element (array, text);
    } else {
      const char *equals = strchr (text, '=');
      g_autofree char *key = g_strndup (text, equals - text);

      json_object_set_string_member (object, key, equals + 1);
    }
  }
  if (array != NULL)
    json_node_take_array (node, array);
  else
    json_node_take_object (node, object);
  return node;
}

static JsonNode *
write_value (const ZinitValue *value)
{
  switch (value->kind) {
  case ZINIT_VALUE_STRING:
    return json_node_init_string (json_node_alloc (), value->string);
  case ZINIT_VALUE_BOOLEAN:
    return json_node_init_boolean (json_node_alloc (), value->boolean);
  case ZINIT_VALUE_INTEGER:
    return json_node_init_int (json_node_alloc (), (gint64)value->magnitude);
  case ZINIT_VALUE_LIST:
  case ZINIT_VALUE_TABLE:
    return write_strings (value);
  case ZINIT_VALUE_OTHER:
    break;
  }
  g_return_val_if_reached (json_node_new (JSON_NODE_NULL));
}

JsonNode *
zinit_definition_to_json (const ZinitDefinition *definition)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *root = json_object_new ();

  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    ZinitValue value;

    if (!zinit_schema_get (definition, option, &value))
      continue;
    if (!json_object_has_member (root, option->section))
      json_object_set_object_member (root, option->section, json_object_new ());
    json_object_set_member (json_object_get_object_member (root, option->section), option->key,
                            write_value (&value));
  }
  json_node_take_object (node, root);
  return node;
}
