/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a definition as TOML, short enough for a person to go on with: only what differs from the defaults.
 * Reading is toml.cc.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/format.h"
#include "model/schema.h"

#include <string.h>

static void
append_string (GString *toml, const char *text)
{
  g_string_append_c (toml, '"');
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_printf (toml, "\\%c", *c);
    else if (*c == '\n')
      g_string_append (toml, "\\n");
    else if (*c == '\t')
      g_string_append (toml, "\\t");
    else if ((guchar)*c < ' ' || *c == 0x7f)
      g_string_append_printf (toml, "\\u%04x", (guint)*c);
    else
      g_string_append_c (toml, *c);
  }
  g_string_append_c (toml, '"');
}

static gboolean
is_bare_key (const char *key)
{
  const char *c = key;

  while (g_ascii_isalnum (*c) || *c == '_' || *c == '-')
    c++;
  return *c == '\0' && c > key;
}

static void
append_list (GString *toml, const ZinitOption *option, const char *const *items)
{
  g_string_append_printf (toml, "%s = [", option->key);
  for (guint i = 0; items != NULL && items[i] != NULL; i++) {
    gboolean is_number = option->type == ZINIT_TYPE_LIST && option->maximum > 0 &&
                         g_ascii_string_to_unsigned (items[i], 10, 0, option->maximum, NULL, NULL);

    g_string_append (toml, i > 0 ? ", " : "");
    /* Not 007, which is no number of TOML's. */
    if (is_number && (items[i][0] != '0' || items[i][1] == '\0'))
      g_string_append (toml, items[i]);
    else
      append_string (toml, items[i]);
  }
  g_string_append (toml, "]\n");
}

/* Dotted keys, one line a variable: they need no section of their own. */
static void
append_table (GString *toml, const char *table, const char *const *pairs)
{
  for (guint i = 0; pairs != NULL && pairs[i] != NULL; i++) {
    const char *equals = strchr (pairs[i], '=');
    g_autofree char *key = g_strndup (pairs[i], equals - pairs[i]);

    g_string_append_printf (toml, "%s.", table);
    if (is_bare_key (key))
      g_string_append (toml, key);
    else
      append_string (toml, key);
    g_string_append (toml, " = ");
    append_string (toml, equals + 1);
    g_string_append_c (toml, '\n');
  }
}

static void
append_value (GString *toml, const ZinitOption *option, const ZinitValue *value)
{
  const char *key = option->key;

  switch (value->kind) {
  case ZINIT_VALUE_STRING:
    g_string_append_printf (toml, "%s = ", key);
    append_string (toml, value->string);
    g_string_append_c (toml, '\n');
    break;
  case ZINIT_VALUE_BOOLEAN:
    g_string_append_printf (toml, "%s = %s\n", key, value->boolean ? "true" : "false");
    break;
  case ZINIT_VALUE_INTEGER:
    g_string_append_printf (toml, "%s = %s%" G_GUINT64_FORMAT "\n", key, value->negative ? "-" : "",
                            value->magnitude);
    break;
  case ZINIT_VALUE_LIST:
    append_list (toml, option, value->strings);
    break;
  case ZINIT_VALUE_TABLE:
    append_table (toml, key, value->strings);
    break;
  case ZINIT_VALUE_OTHER:
    g_return_if_reached ();
  }
}

/* What an option is when it is not written. A [health] section has defaults of its own, beside its type. */
static ZinitDefinition *
defaults_for (const ZinitDefinition *definition)
{
  ZinitDefinition *defaults = zinit_definition_new ();

  defaults->health_type = definition->health_type;
  return defaults;
}

char *
zinit_definition_to_toml (const ZinitDefinition *definition)
{
  g_autoptr (ZinitDefinition) defaults = defaults_for (definition);
  GString *toml = g_string_new (NULL);
  const char *section = "";

  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    gboolean has_default = option->default_number >= option->minimum; /* health.type has none to give */
    ZinitValue value;

    if (!zinit_schema_get (definition, option, &value) ||
        (has_default && zinit_schema_is_equal (definition, defaults, option)))
      continue;
    if (strcmp (section, option->section) != 0) {
      section = option->section;
      g_string_append_printf (toml, "%s[%s]\n", toml->len > 0 ? "\n" : "", section);
    }
    append_value (toml, option, &value);
  }
  return g_string_free (toml, FALSE);
}
