/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict JSON document as json-glib's tree, for those who want to walk it. The grammar is the pull
 * reader's; what is decided here is what a tree cannot hold.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/json-private.h"

#include <math.h>

#include "model/limits.h"

static JsonNode *
read_number (ZinitJsonReader *reader)
{
  ZinitJsonNumber number;
  g_autofree char *digits = NULL;
  double value;

  if (!zinit_json_reader_number (reader, &number))
    return NULL;
  if (number.is_integer) {
    guint64 limit = (guint64)G_MAXINT64 + (number.is_negative ? 1 : 0);

    if (!number.fits || number.magnitude > limit) {
      zinit_json_fail (reader, number.text,
                       "the number is out of range; %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " are allowed",
                       G_MININT64, G_MAXINT64);
      return NULL;
    }
    return json_node_init_int (json_node_alloc (),
                               (gint64)(number.is_negative ? 0 - number.magnitude : number.magnitude));
  }
  digits = g_strndup (number.text, number.length);
  value = g_ascii_strtod (digits, NULL);
  if (!isfinite (value)) {
    zinit_json_fail (reader, number.text, "the number is out of range");
    return NULL;
  }
  return json_node_init_double (json_node_alloc (), value);
}

static JsonNode *
enter_container (ZinitJsonReader *reader, JsonNodeType type)
{
  JsonNode *node;

  if (!zinit_json_reader_enter (reader))
    return NULL;
  node = json_node_new (type);
  if (type == JSON_NODE_OBJECT)
    json_node_take_object (node, json_object_new ());
  else
    json_node_take_array (node, json_array_new ());
  return node;
}

/* A node for the next value; a container is entered and empty still. */
static JsonNode *
read_value (ZinitJsonReader *reader)
{
  const char *string;
  gboolean truth;

  switch (zinit_json_reader_peek (reader)) {
  case ZINIT_JSON_OBJECT:
    return enter_container (reader, JSON_NODE_OBJECT);
  case ZINIT_JSON_ARRAY:
    return enter_container (reader, JSON_NODE_ARRAY);
  case ZINIT_JSON_STRING:
    string = zinit_json_reader_string (reader, NULL);
    return string != NULL ? json_node_init_string (json_node_alloc (), string) : NULL;
  case ZINIT_JSON_NUMBER:
    return read_number (reader);
  case ZINIT_JSON_BOOLEAN:
    if (!zinit_json_reader_boolean (reader, &truth))
      return NULL;
    return json_node_init_boolean (json_node_alloc (), truth);
  default:
    return zinit_json_reader_null (reader) ? json_node_init_null (json_node_alloc ()) : NULL;
  }
}

static JsonNode *
read_placed (ZinitJsonReader *reader, ZinitPlaces *places)
{
  JsonNode *node;
  ZinitPlace place;

  if (places == NULL)
    return read_value (reader);
  zinit_json_next_byte (reader);
  zinit_json_count_place (reader, reader->at);
  place = reader->place;
  node = read_value (reader);
  if (node != NULL)
    zinit_places_add (places, node, place.line, place.column);
  return node;
}

/* Reads one more value of @parent, which takes it. NULL on error. */
static JsonNode *
read_child (ZinitJsonReader *reader, JsonNode *parent, ZinitPlaces *places)
{
  g_autofree char *name = NULL;
  JsonObject *object;
  JsonNode *child;

  if (!JSON_NODE_HOLDS_OBJECT (parent)) {
    child = read_placed (reader, places);
    if (child != NULL)
      json_array_add_element (json_node_get_array (parent), child);
    return child;
  }
  name = g_strdup (zinit_json_reader_key (reader, NULL));
  if (name == NULL)
    return NULL;
  object = json_node_get_object (parent);
  if (json_object_has_member (object, name)) {
    zinit_json_fail (reader, reader->key_quote, "\"%s\" is given twice", name);
    return NULL;
  }
  child = read_placed (reader, places);
  if (child != NULL)
    json_object_set_member (object, name, child);
  return child;
}

/* NULL on error, which @reader has. Transfer full. */
static JsonNode *
read_document (ZinitJsonReader *reader, ZinitPlaces *places)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new (); /* the containers that are being filled, outermost first */
  g_autoptr (JsonNode) root = read_placed (reader, places);

  if (zinit_json_reader_get_depth (reader) > 0)
    g_ptr_array_add (open, root);
  while (open->len > 0 && zinit_json_reader_get_error (reader) == NULL) {
    if (zinit_json_reader_next (reader)) {
      JsonNode *child = read_child (reader, g_ptr_array_index (open, open->len - 1), places);

      if (zinit_json_reader_get_depth (reader) > open->len)
        g_ptr_array_add (open, child);
    } else {
      g_ptr_array_set_size (open, (int)open->len - 1);
    }
  }
  return zinit_json_reader_end (reader) ? g_steal_pointer (&root) : NULL;
}

JsonNode *
zinit_strict_json_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (text, length, ZINIT_MAX_JSON_DEPTH);
  JsonNode *root = read_document (reader, NULL);

  if (root == NULL)
    g_propagate_error (error, g_error_copy (zinit_json_reader_get_error (reader)));
  return root;
}

JsonNode *
zinit_strict_json_parse_placed (const char *text, gsize length, ZinitPlaces *places, GPtrArray *problems)
{
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (text, length, ZINIT_MAX_JSON_DEPTH);
  JsonNode *root = read_document (reader, places);

  if (root == NULL)
    zinit_problems_add (problems, reader->place, "%s", reader->reason);
  return root;
}
