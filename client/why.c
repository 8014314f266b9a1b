/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit why`: what keeps a service from running, down to the root of it, and what would help.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/cause.h"
#include "client/json.h"
#include "client/logs.h"
#include "client/output.h"
#include "client/service-names.h"

#include <glib/gi18n.h>

#define OUTPUT_LINES 5

static void
print_chain (ZinitClient *client, GPtrArray *causes)
{
  for (guint i = 0; i < causes->len; i++) {
    const ZinitCause *cause = g_ptr_array_index (causes, i);
    g_autofree char *text = i == 0 || cause->is_root ? zinit_cause_describe (client, cause) : NULL;
    g_autofree char *line =
        i == 0 ? g_strdup_printf ("%s: %s", cause->service, text) : zinit_cause_describe_link (cause, text);
    g_autofree char *safe = zinit_output_safe (line);
    zinit_output_print ("%*s%s\n", (int)cause->depth * 2, "", safe);
  }
}

static void
print_why (ZinitClient *client, GPtrArray *causes)
{
  const ZinitCause *root = zinit_cause_get_root (causes);
  g_auto (GStrv) help = zinit_cause_get_help (causes);
  print_chain (client, causes);
  if (zinit_cause_has_failed (root))
    zinit_logs_print_last (client, root->info, OUTPUT_LINES, FALSE);
  if (*help == NULL)
    return;
  zinit_output_print ("%s\n", _ ("Try:"));
  for (gsize i = 0; help[i] != NULL; i++)
    zinit_output_print ("  %s\n", help[i]);
}

static void
print_json (ZinitClient *client, GPtrArray *causes)
{
  GString *json = g_string_new ("[");
  g_auto (GStrv) help = zinit_cause_get_help (causes);
  for (guint i = 0; i < causes->len; i++) {
    const ZinitCause *cause = g_ptr_array_index (causes, i);
    g_autofree char *text = zinit_cause_describe (client, cause);
    zinit_json_next (json);
    g_string_append (json, "\n{");
    zinit_json_key (json, "kind");
    zinit_json_string (json, cause->kind);
    zinit_json_key (json, "service");
    zinit_json_string (json, cause->service);
    zinit_json_key (json, "state");
    zinit_json_string (json, cause->info != NULL ? cause->info->state : "unknown");
    zinit_json_key (json, "sub_state");
    zinit_json_string (json, cause->info != NULL ? cause->info->sub_state : NULL);
    zinit_json_key (json, "depth");
    g_string_append_printf (json, "%u", cause->depth);
    zinit_json_key (json, "is_root");
    g_string_append (json, cause->is_root ? "true" : "false");
    zinit_json_key (json, "text");
    zinit_json_string (json, text);
    if (i == 0) {
      zinit_json_key (json, "help");
      zinit_json_strv (json, (const char *const *)help);
    }
    g_string_append_c (json, '}');
  }
  zinit_json_print (g_string_append (json, "\n]"));
}

ZinitExitCode
zinit_command_why (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) names = zinit_command_parse (client, NULL, 1, 1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) causes = zinit_cause_find (client, names[0], &error);
  if (causes == NULL)
    return zinit_names_fail (client, names[0], error);
  if (client->json)
    print_json (client, causes);
  else
    print_why (client, causes);
  return ZINIT_EXIT_DONE;
}
