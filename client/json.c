/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/json.h"

#include "client/output.h"

#include <string.h>

void
zinit_json_next (GString *json)
{
  char last = json->len > 0 ? json->str[json->len - 1] : '[';
  if (last != '[' && last != '{' && last != '\n')
    g_string_append_c (json, ',');
}

void
zinit_json_key (GString *json, const char *key)
{
  zinit_json_next (json);
  zinit_json_string (json, key);
  g_string_append_c (json, ':');
}

static void
append_character (GString *json, gunichar c)
{
  switch (c) {
  case '"':
    g_string_append (json, "\\\"");
    break;
  case '\\':
    g_string_append (json, "\\\\");
    break;
  case '\n':
    g_string_append (json, "\\n");
    break;
  case '\t':
    g_string_append (json, "\\t");
    break;
  default:
    /* DEL and C1 need no escape in JSON, but JSON is also looked at on terminals. */
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
      g_string_append_printf (json, "\\u%04x", c);
    else
      g_string_append_unichar (json, c);
  }
}

void
zinit_json_string (GString *json, const char *text)
{
  if (text == NULL) {
    g_string_append (json, "null");
    return;
  }
  g_autofree char *valid = g_utf8_validate (text, -1, NULL) ? NULL : g_utf8_make_valid (text, -1);
  g_string_append_c (json, '"');
  for (const char *at = valid != NULL ? valid : text; *at != '\0'; at = g_utf8_next_char (at))
    append_character (json, g_utf8_get_char (at));
  g_string_append_c (json, '"');
}

void
zinit_json_strv (GString *json, const char *const *strings)
{
  g_string_append_c (json, '[');
  for (; strings != NULL && *strings != NULL; strings++) {
    zinit_json_next (json);
    zinit_json_string (json, *strings);
  }
  g_string_append_c (json, ']');
}

static void
append_dictionary (GString *json, GVariant *value)
{
  g_string_append_c (json, '{');
  for (gsize i = 0; i < g_variant_n_children (value); i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (value, i);
    g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) content = g_variant_get_child_value (entry, 1);
    zinit_json_key (json, g_variant_get_string (key, NULL));
    zinit_json_value (json, content);
  }
  g_string_append_c (json, '}');
}

static void
append_array (GString *json, GVariant *value)
{
  g_string_append_c (json, '[');
  for (gsize i = 0; i < g_variant_n_children (value); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
    zinit_json_next (json);
    zinit_json_value (json, child);
  }
  g_string_append_c (json, ']');
}

static void
append_double (GString *json, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  /* Infinite and not-a-number have no form in JSON. */
  gboolean finite = number - number == 0;
  g_string_append (json, finite ? g_ascii_dtostr (buffer, sizeof buffer, number) : "null");
}

void
zinit_json_value (GString *json, GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT)) {
    g_autoptr (GVariant) content = g_variant_get_variant (value);
    zinit_json_value (json, content);
  } else if (g_variant_is_of_type (value, G_VARIANT_TYPE ("a{s*}")))
    append_dictionary (json, value);
  else if (g_variant_is_container (value))
    append_array (json, value);
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ||
           g_variant_is_of_type (value, G_VARIANT_TYPE_OBJECT_PATH) ||
           g_variant_is_of_type (value, G_VARIANT_TYPE_SIGNATURE))
    zinit_json_string (json, g_variant_get_string (value, NULL));
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
    append_double (json, g_variant_get_double (value));
  else {
    /* Booleans and integers: GVariant's text without types is JSON's. A byte is written in hexadecimal there.
     */
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTE))
      g_string_append_printf (json, "%u", g_variant_get_byte (value));
    else
      g_variant_print_string (value, json, FALSE);
  }
}

static void
append_config_errors (GString *json, GVariant *value)
{
  static const char *const keys[] = { "file", "service", "message" };
  g_string_append_c (json, '[');
  for (gsize i = 0; i < g_variant_n_children (value); i++) {
    const char *texts[G_N_ELEMENTS (keys)] = { NULL };
    g_variant_get_child (value, i, "(&s&s&s)", &texts[0], &texts[1], &texts[2]);
    zinit_json_next (json);
    g_string_append_c (json, '{');
    for (gsize j = 0; j < G_N_ELEMENTS (keys); j++) {
      zinit_json_key (json, keys[j]);
      zinit_json_string (json, texts[j]);
    }
    g_string_append_c (json, '}');
  }
  g_string_append_c (json, ']');
}

static void
append_property (GString *json, const char *name, GVariant *value)
{
  if ((g_str_equal (name, "LastExit") || g_str_equal (name, "last_exit")) &&
      g_variant_is_of_type (value, G_VARIANT_TYPE ("(si)"))) {
    const char *kind = NULL;
    gint32 number = 0;
    g_variant_get (value, "(&si)", &kind, &number);
    g_string_append_c (json, '{');
    zinit_json_key (json, "kind");
    zinit_json_string (json, kind);
    zinit_json_key (json, "value");
    g_string_append_printf (json, "%d}", number);
  } else if (g_str_equal (name, "ConfigErrors") && g_variant_is_of_type (value, G_VARIANT_TYPE ("a(sss)"))) {
    append_config_errors (json, value);
  } else if (g_str_equal (name, "FailureReason") && g_variant_n_children (value) == 0)
    g_string_append (json, "null");
  else
    zinit_json_value (json, value);
}

void
zinit_json_properties (GString *json, GVariant *properties)
{
  for (gsize i = 0; i < g_variant_n_children (properties); i++) {
    const char *name = NULL;
    g_autoptr (GVariant) value = NULL;
    g_variant_get_child (properties, i, "{&sv}", &name, &value);
    g_autofree char *key = zinit_json_snake_case (name);
    zinit_json_key (json, key);
    append_property (json, name, value);
  }
}

char *
zinit_json_snake_case (const char *name)
{
  GString *snake = g_string_sized_new (strlen (name) + 4);
  for (const char *at = name; *at != '\0'; at++) {
    if (g_ascii_isupper (*at) && at != name && at[-1] != '_')
      g_string_append_c (snake, '_');
    g_string_append_c (snake, g_ascii_tolower (*at));
  }
  return g_string_free (snake, FALSE);
}

void
zinit_json_print (GString *json)
{
  g_string_append_c (json, '\n');
  zinit_output_print ("%s", json->str);
  g_string_free (json, TRUE);
}
