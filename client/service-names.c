/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns are matched here, against the daemon's list: a call names services exactly.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/service-names.h"

#include "client/output.h"
#include "client/parse.h"
#include "client/refused.h"

#include <fnmatch.h>
#include <glib/gi18n.h>
#include <string.h>

char **
zinit_names_list (ZinitClient *client, GError **error)
{
  g_autoptr (GVariant) reply = zinit_command_call (client, "ListServices", NULL, "(as)", error);
  char **names = NULL;
  if (reply != NULL)
    g_variant_get (reply, "(^as)", &names);
  return names;
}

static gboolean
is_pattern (const char *word)
{
  return strpbrk (word, "*?[") != NULL;
}

static void
add_once (GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++)
    if (g_str_equal (g_ptr_array_index (names, i), name))
      return;
  g_ptr_array_add (names, g_strdup (name));
}

static void
add_matching (GPtrArray *names, char **known, const char *pattern, ZinitExitCode *exit_code)
{
  gboolean found = FALSE;
  for (gsize i = 0; known[i] != NULL; i++)
    if (fnmatch (pattern, known[i], 0) == 0) {
      add_once (names, known[i]);
      found = TRUE;
    }
  if (found)
    return;
  zinit_output_print_error (_ ("no service matches \"%s\""), pattern);
  *exit_code = zinit_command_worse (*exit_code, ZINIT_EXIT_NO_SUCH_SERVICE);
}

char **
zinit_names_expand (ZinitClient *client, char **words, ZinitExitCode *exit_code)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) known = NULL;
  for (gsize i = 0; words[i] != NULL; i++) {
    if (!is_pattern (words[i])) {
      add_once (names, words[i]);
      continue;
    }
    g_autoptr (GError) error = NULL;
    if (known == NULL)
      known = zinit_names_list (client, &error);
    if (known == NULL) {
      *exit_code = zinit_command_worse (*exit_code, zinit_command_fail (error));
      return NULL;
    }
    add_matching (names, known, words[i], exit_code);
  }
  if (names->len == 0 && *words != NULL)
    return NULL;
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_steal (names, NULL);
}

char *
zinit_names_explain (ZinitClient *client, const char *name, const GError *error)
{
  g_autofree char *message = zinit_command_error_message (error);
  if (!zinit_command_is_error (error, "NoSuchService"))
    return g_steal_pointer (&message);

  g_autoptr (GVariant) refused = zinit_refused_fetch (client);
  const char *problem = zinit_refused_find (refused, name);
  if (problem != NULL)
    return g_strdup_printf (_ ("%s; its definition was refused: %s"), message, problem);
  g_auto (GStrv) known = zinit_names_list (client, NULL);
  const char *nearest = known != NULL ? zinit_parse_nearest (name, (const char *const *)known) : NULL;
  return nearest != NULL ? g_strdup_printf (_ ("%s; did you mean \"%s\"?"), message, nearest)
                         : g_steal_pointer (&message);
}

ZinitExitCode
zinit_names_fail (ZinitClient *client, const char *name, const GError *error)
{
  g_autofree char *message = zinit_names_explain (client, name, error);
  zinit_output_print_error ("%s", message);
  return zinit_command_exit_code (error);
}
