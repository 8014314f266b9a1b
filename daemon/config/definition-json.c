/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition as a tree of JsonNodes, every field that has a value. What a key means is not known here.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/format.h"

#include <string.h>

#include "model/schema.h"

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
    return json_node_init_int (json_node_alloc (),
                               value->negative ? -(gint64)value->magnitude : (gint64)value->magnitude);
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

JsonNode *
zinit_definition_to_saved_json (const ZinitDefinition *definition)
{
  JsonNode *node = zinit_definition_to_json (definition);
  JsonObject *service = json_object_get_object_member (json_node_get_object (node), "service");

  if (definition->argv != NULL) {
    json_object_set_member (service, ZINIT_SAVED_ARGV, json_object_dup_member (service, "exec"));
    json_object_set_string_member (service, "exec", definition->exec);
  }
  return node;
}
