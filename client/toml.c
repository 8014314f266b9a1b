/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes TOML. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/toml.h"

static void
append_string (GString *text, const char *string)
{
  g_string_append_c (text, '"');
  for (const char *at = string; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (c == '"' || c == '\\')
      g_string_append_printf (text, "\\%c", (char)c);
    else if (c == '\n')
      g_string_append (text, "\\n");
    else if (c == '\t')
      g_string_append (text, "\\t");
    else if (g_unichar_iscntrl (c))
      g_string_append_printf (text, "\\u%04X", c);
    else
      g_string_append_unichar (text, c);
  }
  g_string_append_c (text, '"');
}

static void
append_key (GString *text, const char *key)
{
  gboolean bare = *key != '\0';
  for (const char *at = key; *at != '\0'; at++)
    bare = bare && (g_ascii_isalnum (*at) || *at == '_' || *at == '-');
  if (bare)
    g_string_append (text, key);
  else
    append_string (text, key);
}

static void append_value (GString *text, GVariant *value);

static void
append_list (GString *text, GVariant *list)
{
  g_string_append_c (text, '[');
  for (gsize i = 0; i < g_variant_n_children (list); i++) {
    g_autoptr (GVariant) item = g_variant_get_child_value (list, i);
    if (i > 0)
      g_string_append (text, ", ");
    append_value (text, item);
  }
  g_string_append_c (text, ']');
}

static void
append_table (GString *text, GVariant *table)
{
  g_string_append (text, "{ ");
  for (gsize i = 0; i < g_variant_n_children (table); i++) {
    const char *key = NULL, *value = NULL;
    g_variant_get_child (table, i, "{&s&s}", &key, &value);
    if (i > 0)
      g_string_append (text, ", ");
    append_key (text, key);
    g_string_append (text, " = ");
    append_string (text, value);
  }
  g_string_append (text, " }");
}

static void
append_value (GString *text, GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    append_string (text, g_variant_get_string (value, NULL));
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE ("a{ss}")))
    append_table (text, value);
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_ARRAY))
    append_list (text, value);
  else /* booleans and numbers */
    g_variant_print_string (value, text, FALSE);
}

static void
append_section (GString *text, const char *section, GVariant *keys)
{
  gboolean begun = FALSE;
  for (gsize i = 0; i < g_variant_n_children (keys); i++) {
    const char *key = NULL;
    g_autoptr (GVariant) value = NULL;
    g_variant_get_child (keys, i, "{&sv}", &key, &value);
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_ARRAY) && g_variant_n_children (value) == 0)
      continue;
    if (!begun) {
      g_string_append (text, text->len > 0 ? "\n[" : "[");
      append_key (text, section);
      g_string_append (text, "]\n");
      begun = TRUE;
    }
    append_key (text, key);
    g_string_append (text, " = ");
    append_value (text, value);
    g_string_append_c (text, '\n');
  }
}

char *
zinit_toml_from_definition (GVariant *definition)
{
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < g_variant_n_children (definition); i++) {
    const char *section = NULL;
    g_autoptr (GVariant) keys = NULL;
    g_variant_get_child (definition, i, "{&s@a{sv}}", &section, &keys);
    append_section (text, section, keys);
  }
  return g_string_free (text, FALSE);
}
