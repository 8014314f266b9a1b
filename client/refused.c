/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks for refused definitions and says which they are.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/refused.h"

#include "names.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_NAMED 5

GVariant *
zinit_refused_fetch (ZinitClient *client)
{
  g_autoptr (GVariant) reply = zinit_command_call_object (
      client, ZINIT_MANAGER_PATH, ZINIT_PROPERTIES_INTERFACE, "Get",
      g_variant_new ("(ss)", ZINIT_MANAGER_INTERFACE, "ConfigErrors"), "(v)", NULL);
  if (reply == NULL)
    return NULL;
  g_autoptr (GVariant) value = NULL;
  g_variant_get (reply, "(v)", &value);
  gboolean known =
      g_variant_is_of_type (value, G_VARIANT_TYPE ("a(sss)")) && g_variant_n_children (value) > 0;
  return known ? g_steal_pointer (&value) : NULL;
}

/* A file that could not be read at all has no service; its name is the file's then. */
static gboolean
is_about (const char *file, const char *service, const char *name)
{
  if (*service != '\0')
    return g_str_equal (service, name);
  g_autofree char *base = g_path_get_basename (file);
  gsize length = strlen (name);
  return strncmp (base, name, length) == 0 &&
         (g_str_equal (base + length, ".toml") || g_str_equal (base + length, ".json"));
}

const char *
zinit_refused_find (GVariant *refused, const char *name)
{
  for (gsize i = 0; refused != NULL && i < g_variant_n_children (refused); i++) {
    const char *file = NULL, *service = NULL, *message = NULL;
    g_variant_get_child (refused, i, "(&s&s&s)", &file, &service, &message);
    if (is_about (file, service, name))
      return message;
  }
  return NULL;
}

char *
zinit_refused_describe (GVariant *refused)
{
  if (refused == NULL)
    return NULL;
  gsize count = g_variant_n_children (refused);
  GString *names = g_string_new (NULL);
  for (gsize i = 0; i < MIN (count, MAX_NAMED); i++) {
    const char *file = NULL, *service = NULL;
    g_variant_get_child (refused, i, "(&s&s&s)", &file, &service, NULL);
    g_autofree char *base = g_path_get_basename (*file != '\0' ? file : service);
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", base);
  }
  if (count > MAX_NAMED)
    g_string_append (names, ", ...");
  char *text = g_strdup_printf (ngettext ("%u definition refused: %s", "%u definitions refused: %s", count),
                                (guint)count, names->str);
  g_string_free (names, TRUE);
  return text;
}
