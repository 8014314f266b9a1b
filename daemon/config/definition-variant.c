/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition as the D-Bus dictionary a{sa{sv}}, and back. Numbers may come in any integer type and go out
 * as t. What a key means is not known here.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "model/error.h"

#include <string.h>

static void
set_integer (ZinitValue *value, gint64 number)
{
  value->kind = ZINIT_VALUE_INTEGER;
  value->negative = number < 0;
  value->magnitude = number < 0 ? -(guint64)number : (guint64)number;
}

static void
set_unsigned (ZinitValue *value, guint64 number)
{
  value->kind = ZINIT_VALUE_INTEGER;
  value->magnitude = number;
}

static void
read_list (ZinitBuildValue *value, GVariant *variant)
{
  GVariantIter iter;
  const char *item;

  zinit_build_value_begin (value, ZINIT_VALUE_LIST);
  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "&s", &item))
    zinit_build_value_add (value, NULL, item, NULL);
  zinit_build_value_end (value);
}

static void
read_table (ZinitBuildValue *value, GVariant *variant)
{
  GVariantIter iter;
  const char *key, *text;

  zinit_build_value_begin (value, ZINIT_VALUE_TABLE);
  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "{&s&s}", &key, &text))
    zinit_build_value_add (value, key, text, NULL);
  zinit_build_value_end (value);
}

/* What a variant of a type that no option has is called in messages; static. */
static const char *
type_name (GVariant *variant)
{
  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_DOUBLE:
    return "a floating-point number";
  case G_VARIANT_CLASS_ARRAY:
    return g_variant_type_is_subtype_of (g_variant_get_type (variant), G_VARIANT_TYPE_DICTIONARY)
               ? "a dictionary that is not a{ss}"
               : "a list that is not of strings";
  case G_VARIANT_CLASS_OBJECT_PATH:
    return "an object path";
  case G_VARIANT_CLASS_HANDLE:
    return "a file descriptor";
  default:
    return "a value of another type";
  }
}

static void
read_value (ZinitBuildValue *value, GVariant *variant)
{
  ZinitValue *plain = &value->value;

  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_STRING:
    plain->kind = ZINIT_VALUE_STRING;
    plain->string = g_variant_get_string (variant, NULL);
    return;
  case G_VARIANT_CLASS_BOOLEAN:
    plain->kind = ZINIT_VALUE_BOOLEAN;
    plain->boolean = g_variant_get_boolean (variant);
    return;
  case G_VARIANT_CLASS_BYTE:
    set_unsigned (plain, g_variant_get_byte (variant));
    return;
  case G_VARIANT_CLASS_UINT16:
    set_unsigned (plain, g_variant_get_uint16 (variant));
    return;
  case G_VARIANT_CLASS_UINT32:
    set_unsigned (plain, g_variant_get_uint32 (variant));
    return;
  case G_VARIANT_CLASS_UINT64:
    set_unsigned (plain, g_variant_get_uint64 (variant));
    return;
  case G_VARIANT_CLASS_INT16:
    set_integer (plain, g_variant_get_int16 (variant));
    return;
  case G_VARIANT_CLASS_INT32:
    set_integer (plain, g_variant_get_int32 (variant));
    return;
  case G_VARIANT_CLASS_INT64:
    set_integer (plain, g_variant_get_int64 (variant));
    return;
  default:
    break;
  }
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE_STRING_ARRAY)) {
    read_list (value, variant);
  } else if (g_variant_is_of_type (variant, G_VARIANT_TYPE ("a{ss}"))) {
    read_table (value, variant);
  } else {
    plain->kind = ZINIT_VALUE_OTHER;
    plain->type_name = type_name (variant);
  }
}

static gboolean
read_section (ZinitBuild *build, const char *section, GVariant *keys, GError **error)
{
  GVariantIter iter;
  gboolean skip;

  if (!zinit_build_section (build, section, NULL, &skip, error))
    return FALSE;
  if (skip)
    return TRUE;

  g_variant_iter_init (&iter, keys);
  for (;;) {
    g_autoptr (GVariant) entry = g_variant_iter_next_value (&iter);
    g_autoptr (GVariant) variant = NULL;
    g_auto (ZinitBuildValue) value = { 0 };
    const char *key;

    if (entry == NULL)
      return TRUE;
    g_variant_get (entry, "{&sv}", &key, &variant);
    read_value (&value, variant);
    if (!zinit_build_add (build, section, key, &value, error))
      return FALSE;
  }
}

ZinitDefinition *
zinit_definition_from_variant (GVariant *dictionary, GError **error)
{
  g_auto (ZinitBuild) build = { 0 };
  GVariantIter iter;

  if (!g_variant_is_of_type (dictionary, G_VARIANT_TYPE ("a{sa{sv}}"))) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
                 "a value of type %s was given; a definition of type a{sa{sv}} is wanted",
                 g_variant_get_type_string (dictionary));
    return NULL;
  }
  zinit_build_begin (&build, ZINIT_KEYS_STRICT);
  g_variant_iter_init (&iter, dictionary);
  for (;;) {
    g_autoptr (GVariant) entry = g_variant_iter_next_value (&iter);
    g_autoptr (GVariant) keys = NULL;
    const char *section;

    if (entry == NULL)
      return zinit_build_end (&build, NULL, error);
    g_variant_get (entry, "{&s@a{sv}}", &section, &keys);
    if (!read_section (&build, section, keys, error))
      return NULL;
  }
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
write_value (const ZinitValue *value)
{
  switch (value->kind) {
  case ZINIT_VALUE_STRING:
    return g_variant_new_string (value->string);
  case ZINIT_VALUE_BOOLEAN:
    return g_variant_new_boolean (value->boolean);
  case ZINIT_VALUE_INTEGER:
    return g_variant_new_uint64 (value->magnitude);
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
    gboolean is_there = FALSE;
    GVariantDict keys;

    g_variant_dict_init (&keys, NULL);
    /* The rows of a section stand together. */
    for (; i < zinit_n_options && strcmp (zinit_options[i].section, section) == 0; i++) {
      ZinitValue value;

      if (!with_secrets && (zinit_options[i].flags & ZINIT_OPTION_SECRET))
        continue;
      if (zinit_schema_get (definition, &zinit_options[i], &value)) {
        g_variant_dict_insert_value (&keys, zinit_options[i].key, write_value (&value));
        is_there = TRUE;
      }
    }
    if (is_there)
      g_variant_builder_add (&sections, "{s@a{sv}}", section, g_variant_dict_end (&keys));
    else
      g_variant_dict_clear (&keys);
  }
  return g_variant_builder_end (&sections);
}
