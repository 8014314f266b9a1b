/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks for refused definitions and says which they are.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/refused.h"

#include "names.h"

#include <glib/gi18n.h>

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

const char *
zinit_refused_find (GVariant *refused, const char *name)
{
  for (gsize i = 0; refused != NULL && i < g_variant_n_children (refused); i++) {
    const char *service = NULL, *message = NULL;
    g_variant_get_child (refused, i, "(&s&s&s)", NULL, &service, &message);
    if (g_str_equal (service, name))
      return message;
  }
  return NULL;
}

/* A file is refused once, however many problems it has. */
static GPtrArray *
list_files (GVariant *refused)
{
  GPtrArray *files = g_ptr_array_new ();
  for (gsize i = 0; i < g_variant_n_children (refused); i++) {
    const char *file = NULL, *service = NULL;
    g_variant_get_child (refused, i, "(&s&s&s)", &file, &service, NULL);
    const char *name = *file != '\0' ? file : service;
    if (!g_ptr_array_find_with_equal_func (files, name, g_str_equal, NULL))
      g_ptr_array_add (files, (char *)name);
  }
  return files;
}

char *
zinit_refused_describe (GVariant *refused)
{
  if (refused == NULL)
    return NULL;
  g_autoptr (GPtrArray) files = list_files (refused);
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < MIN (files->len, MAX_NAMED); i++) {
    g_autofree char *base = g_path_get_basename (g_ptr_array_index (files, i));
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", base);
  }
  if (files->len > MAX_NAMED)
    g_string_append (names, ", ...");
  char *text =
      g_strdup_printf (ngettext ("%u definition refused: %s", "%u definitions refused: %s", files->len),
                       files->len, names->str);
  g_string_free (names, TRUE);
  return text;
}
