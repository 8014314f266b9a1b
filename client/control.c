/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit start`, `stop`, `restart`, `kill`, `why`: what changes whether a service runs, and what keeps it
 * from running. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/describe.h"
#include "client/json.h"
#include "client/output.h"
#include "client/parse.h"
#include "client/wait.h"

#include <glib/gi18n.h>
#include <signal.h>

static ZinitExitCode
run_request (ZinitClient *client, ZinitRequest request, int argc, char **argv)
{
  ZinitWaitRequest wait = { .request = request };
  gboolean verbose = FALSE;
  const GOptionEntry common[] = {
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &wait.no_wait, N_ ("Only ask, do not wait for the result"), NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
      N_ ("Show every change of state (default on a terminal)"), NULL },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &wait.all, N_ ("All services of class user"), NULL },
    { "tree", 't', 0, G_OPTION_ARG_NONE, &wait.tree, N_ ("Start also what they require and want"), NULL },
  };
  /* restart has no --all, and only start has --tree. */
  static const gsize counts[] = { 4, 3, 2 };
  GOptionEntry entries[G_N_ELEMENTS (common) + 1] = { G_OPTION_ENTRY_NULL };
  for (gsize i = 0; i < counts[request]; i++)
    entries[i] = common[i];

  g_auto (GStrv) names = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  if (wait.all && (*names != NULL || wait.tree))
    return zinit_command_usage_error (client, _ ("--all goes with neither names nor --tree"));
  if (!wait.all && *names == NULL)
    return zinit_command_usage_error (client, _ ("the name of a service is missing"));
  wait.names = names;
  wait.show = !client->json && (verbose || zinit_output_is_terminal ());
  return zinit_wait_run (client, &wait);
}

ZinitExitCode
zinit_command_start (ZinitClient *client, int argc, char **argv)
{
  return run_request (client, ZINIT_REQUEST_START, argc, argv);
}

ZinitExitCode
zinit_command_stop (ZinitClient *client, int argc, char **argv)
{
  return run_request (client, ZINIT_REQUEST_STOP, argc, argv);
}

ZinitExitCode
zinit_command_restart (ZinitClient *client, int argc, char **argv)
{
  return run_request (client, ZINIT_REQUEST_RESTART, argc, argv);
}

static ZinitExitCode
kill_one (ZinitClient *client, const char *name, int signal_number, gboolean main_only, GString *json)
{
  g_autoptr (GError) error = NULL;
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "whom", "s", main_only ? "main" : "all");
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "KillService", g_variant_new ("(si@a{sv})", name, signal_number, g_variant_dict_end (&options)),
      NULL, &error);
  if (client->json) {
    zinit_json_next (json);
    g_string_append_c (json, '{');
    zinit_json_key (json, "service");
    zinit_json_string (json, name);
    zinit_command_append_result (json, error);
    g_string_append_c (json, '}');
    return zinit_command_exit_code (error);
  }
  if (reply == NULL)
    return zinit_command_fail (error);
  g_autofree char *what = zinit_describe_signal (signal_number);
  zinit_output_print (_ ("%s: sent %s\n"), name, what);
  return ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_kill (ZinitClient *client, int argc, char **argv)
{
  g_autofree char *signal_text = NULL;
  gboolean main_only = FALSE;
  const GOptionEntry entries[] = {
    { "signal", 's', 0, G_OPTION_ARG_STRING, &signal_text, N_ ("Signal by name or number (default TERM)"),
      N_ ("SIGNAL") },
    { "main", 'm', 0, G_OPTION_ARG_NONE, &main_only, N_ ("Only to its first process, not to the whole group"),
      NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) names = zinit_command_parse (client, entries, 1, -1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  int signal_number = SIGTERM;
  g_autoptr (GError) error = NULL;
  if (signal_text != NULL && !zinit_parse_signal (signal_text, &signal_number, &error))
    return zinit_command_usage_error (client, error->message);

  GString *json = g_string_new ("[");
  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  for (gsize i = 0; names[i] != NULL && exit_code != ZINIT_EXIT_NO_DAEMON; i++)
    exit_code = zinit_command_worse (exit_code, kill_one (client, names[i], signal_number, main_only, json));
  if (client->json)
    zinit_json_print (g_string_append_c (json, ']'));
  else
    g_string_free (json, TRUE);
  return exit_code;
}

static void
print_blockers (const ZinitServiceInfo *info, GVariant *blockers)
{
  if (g_variant_n_children (blockers) == 0) {
    g_autofree char *state = zinit_describe_state (info);
    g_autofree char *safe = zinit_output_safe (state);
    zinit_output_print (_ ("%s is held by nothing; it is %s\n"), info->name, safe);
    return;
  }
  zinit_output_print (_ ("%s is %s and held by:\n"), info->name, info->state);
  const char *kind = NULL, *service = NULL, *service_state = NULL;
  GVariantIter iter;
  g_variant_iter_init (&iter, blockers);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &kind, &service, &service_state)) {
    g_autofree char *painted = zinit_output_paint (zinit_output_state_style (service_state), service_state);
    if (g_str_equal (kind, "conflicts"))
      zinit_output_print (_ ("  conflicts with %s, which is %s\n"), service, painted);
    else if (g_str_equal (kind, "requires"))
      zinit_output_print (_ ("  requires %s, which is %s\n"), service, painted);
    else if (g_str_equal (kind, "after"))
      zinit_output_print (_ ("  comes after %s, which is %s\n"), service, painted);
    else
      zinit_output_print ("  %s %s: %s\n", kind, service, painted);
  }
}

static void
print_blockers_json (GVariant *blockers)
{
  GString *json = g_string_new ("[");
  const char *kind = NULL, *service = NULL, *state = NULL;
  GVariantIter iter;
  g_variant_iter_init (&iter, blockers);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &kind, &service, &state)) {
    zinit_json_next (json);
    g_string_append_c (json, '{');
    zinit_json_key (json, "kind");
    zinit_json_string (json, kind);
    zinit_json_key (json, "service");
    zinit_json_string (json, service);
    zinit_json_key (json, "state");
    zinit_json_string (json, state);
    g_string_append_c (json, '}');
  }
  zinit_json_print (g_string_append_c (json, ']'));
}

ZinitExitCode
zinit_command_why (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) names = zinit_command_parse (client, NULL, 1, 1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (client, names[0], &error);
  if (info == NULL)
    return zinit_command_fail (error);
  g_autoptr (GVariant) reply =
      zinit_command_call (client, "WhyBlocked", g_variant_new ("(s)", names[0]), "(a(sss))", &error);
  if (reply == NULL)
    return zinit_command_fail (error);

  g_autoptr (GVariant) blockers = g_variant_get_child_value (reply, 0);
  if (client->json)
    print_blockers_json (blockers);
  else
    print_blockers (info, blockers);
  return ZINIT_EXIT_DONE;
}
