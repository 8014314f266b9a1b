/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition as the D-Bus dictionary a{sa{sv}}, and back, by way of the tree. Numbers may come in any
 * integer type and go out as t, those that may be negative as x. What a key means is not known here.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "model/error.h"
#include "model/schema.h"

#include <string.h>

/* What a variant of a type that no option has is called in messages; static. */
static const char *
type_name (GVariant *variant)
{
  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_ARRAY:
    return g_variant_type_is_subtype_of (g_variant_get_type (variant), G_VARIANT_TYPE_DICTIONARY)
               ? "a dictionary that is not a{ss}"
               : "a list that is not of strings";
  case G_VARIANT_CLASS_DOUBLE:
    return "a floating-point number";
  case G_VARIANT_CLASS_OBJECT_PATH:
    return "an object path";
  case G_VARIANT_CLASS_HANDLE:
    return "a file descriptor";
  default:
    return "a value of another type";
  }
}

static JsonNode *
read_integer (gint64 number)
{
  return json_node_init_int (json_node_alloc (), number);
}

static JsonNode *
read_list (GVariant *variant)
{
  g_autoptr (JsonArray) array = json_array_new ();
  GVariantIter iter;
  const char *item;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "&s", &item))
    json_array_add_string_element (array, item);
  return json_node_init_array (json_node_alloc (), array);
}

/* NULL for what no option takes. Transfer full. */
static JsonNode *
read_value (GVariant *variant)
{
  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_STRING:
    return json_node_init_string (json_node_alloc (), g_variant_get_string (variant, NULL));
  case G_VARIANT_CLASS_BOOLEAN:
    return json_node_init_boolean (json_node_alloc (), g_variant_get_boolean (variant));
  case G_VARIANT_CLASS_BYTE:
    return read_integer (g_variant_get_byte (variant));
  case G_VARIANT_CLASS_UINT16:
    return read_integer (g_variant_get_uint16 (variant));
  case G_VARIANT_CLASS_UINT32:
    return read_integer (g_variant_get_uint32 (variant));
  case G_VARIANT_CLASS_UINT64:
    /* No option takes what the tree cannot hold. */
    return read_integer ((gint64)MIN (g_variant_get_uint64 (variant), G_MAXINT64));
  case G_VARIANT_CLASS_INT16:
    return read_integer (g_variant_get_int16 (variant));
  case G_VARIANT_CLASS_INT32:
    return read_integer (g_variant_get_int32 (variant));
  case G_VARIANT_CLASS_INT64:
    return read_integer (g_variant_get_int64 (variant));
  default:
    return g_variant_is_of_type (variant, G_VARIANT_TYPE_STRING_ARRAY) ? read_list (variant) : NULL;
  }
}

/* The members of @dictionary as an object. @path is where it stands, with a dot at its end, "" for the whole.
 * Transfer full. */
static JsonNode *
read_dictionary (GVariant *dictionary, const char *path, GPtrArray *problems)
{
  g_autoptr (JsonObject) object = json_object_new ();
  gsize n = g_variant_n_children (dictionary);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, i);
    g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) boxed = g_variant_get_child_value (entry, 1);
    g_autoptr (GVariant) value = g_variant_is_of_type (boxed, G_VARIANT_TYPE_VARIANT)
                                     ? g_variant_get_variant (boxed)
                                     : g_variant_ref (boxed);
    const char *key = g_variant_get_string (name, NULL);
    g_autofree char *inner = g_strconcat (path, key, ".", NULL);
    JsonNode *node = g_variant_is_of_type (value, G_VARIANT_TYPE ("a{ss}")) ||
                             (*path == '\0' && g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
                         ? read_dictionary (value, inner, problems)
                         : read_value (value);

    if (json_object_has_member (object, key))
      zinit_problems_add (problems, (ZinitPlace){ 0, 0 }, "%s%s: is given twice; once is allowed", path, key);
    if (node == NULL) {
      zinit_problems_add (problems, (ZinitPlace){ 0, 0 },
                          "%s%s: %s was given; a string, a boolean, a whole number, a list of strings or an "
                          "a{ss} is wanted",
                          path, key, type_name (value));
      node = json_node_init_null (json_node_alloc ());
    }
    json_object_set_member (object, key, node);
  }
  return json_node_init_object (json_node_alloc (), object);
}

ZinitDefinition *
zinit_definition_from_variant (GVariant *dictionary, GError **error)
{
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (ZinitDefinition) definition = NULL;

  if (!g_variant_is_of_type (dictionary, G_VARIANT_TYPE ("a{sa{sv}}"))) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
                 "a value of type %s was given; a definition of type a{sa{sv}} is wanted",
                 g_variant_get_type_string (dictionary));
    return NULL;
  }
  root = read_dictionary (dictionary, "", problems);
  definition = zinit_build_definition (root, NULL, TRUE, NULL, ZINIT_KEYS_STRICT, problems);
  if (problems->len == 0)
    return g_steal_pointer (&definition);
  zinit_problems_to_error (problems, error);
  return NULL;
}

static GVariant *
write_table (const char *const *strings)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  for (guint i = 0; strings != NULL && strings[i] != NULL; i++) {
    const char *equals = strchr (strings[i], '=');
    g_autofree char *key = g_strndup (strings[i], equals - strings[i]);

    g_variant_builder_add (&builder, "{ss}", key, equals + 1);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
write_value (const ZinitOption *option, const ZinitValue *value)
{
  switch (value->kind) {
  case ZINIT_VALUE_STRING:
    return g_variant_new_string (value->string);
  case ZINIT_VALUE_BOOLEAN:
    return g_variant_new_boolean (value->boolean);
  case ZINIT_VALUE_INTEGER:
    if (option->type != ZINIT_TYPE_SIGNED)
      return g_variant_new_uint64 (value->magnitude);
    return g_variant_new_int64 (value->negative ? -(gint64)value->magnitude : (gint64)value->magnitude);
  case ZINIT_VALUE_LIST:
    return g_variant_new_strv (value->strings, value->strings != NULL ? -1 : 0);
  case ZINIT_VALUE_TABLE:
    return write_table (value->strings);
  case ZINIT_VALUE_OTHER:
    break;
  }
  g_return_val_if_reached (g_variant_new_string (""));
}

GVariant *
zinit_definition_to_variant (const ZinitDefinition *definition, gboolean with_secrets)
{
  GVariantBuilder sections;
  gsize i = 0;

  g_variant_builder_init (&sections, G_VARIANT_TYPE ("a{sa{sv}}"));
  while (i < zinit_n_options) {
    const char *section = zinit_options[i].section;
    gboolean is_open = FALSE;

    /* The rows of a section stand together. */
    for (; i < zinit_n_options && strcmp (zinit_options[i].section, section) == 0; i++) {
      ZinitValue value;

      if ((!with_secrets && (zinit_options[i].flags & ZINIT_OPTION_SECRET)) ||
          !zinit_schema_get (definition, &zinit_options[i], &value))
        continue;
      if (!is_open) {
        g_variant_builder_open (&sections, G_VARIANT_TYPE ("{sa{sv}}"));
        g_variant_builder_add (&sections, "s", section);
        g_variant_builder_open (&sections, G_VARIANT_TYPE_VARDICT);
        is_open = TRUE;
      }
      g_variant_builder_add (&sections, "{sv}", zinit_options[i].key,
                             write_value (&zinit_options[i], &value));
    }
    if (is_open) {
      g_variant_builder_close (&sections);
      g_variant_builder_close (&sections);
    }
  }
  return g_variant_builder_end (&sections);
}
