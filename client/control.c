/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit start`, `stop`, `restart`, `kill`: what changes whether a service runs.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/describe.h"
#include "client/json.h"
#include "client/output.h"
#include "client/parse.h"
#include "client/service-names.h"
#include "client/wait.h"

#include <glib/gi18n.h>
#include <signal.h>

static const char *
check_options (const ZinitWaitRequest *wait, char **names, gboolean only)
{
  if (wait->all && *names != NULL)
    return _ ("--all and names cannot be used together");
  if (wait->all && only)
    return _ ("--all and --only cannot be used together");
  if (wait->no_wait && wait->timeout_ms >= 0)
    return _ ("--no-wait and --timeout cannot be used together");
  if (!wait->all && *names == NULL)
    return _ ("the name of a service is missing");
  return NULL;
}

static ZinitExitCode
run_request (ZinitClient *client, ZinitRequest request, int argc, char **argv)
{
  ZinitWaitRequest wait = { .request = request, .timeout_ms = -1 };
  gboolean verbose = FALSE, only = FALSE;
  g_autofree char *timeout = NULL;
  const GOptionEntry common[] = {
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &wait.no_wait, N_ ("Do not wait for the result"), NULL },
    { "timeout", 0, 0, G_OPTION_ARG_STRING, &timeout, N_ ("Wait at most this long: 5 (seconds), 500ms, 2min"),
      N_ ("TIME") },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
      N_ ("Show every change of state (default on a terminal)"), NULL },
  };
  const GOptionEntry all = { "all", 'a', 0, G_OPTION_ARG_NONE, &wait.all, N_ ("All services of class user"),
                             NULL };
  const GOptionEntry alone = {
    "only", 'o', 0, G_OPTION_ARG_NONE, &only, N_ ("Do not start what they require or want"), NULL
  };
  GOptionEntry entries[G_N_ELEMENTS (common) + 3] = { G_OPTION_ENTRY_NULL };
  gsize count = 0;
  for (; count < G_N_ELEMENTS (common); count++)
    entries[count] = common[count];
  if (request != ZINIT_REQUEST_RESTART)
    entries[count++] = all;
  if (request != ZINIT_REQUEST_STOP)
    entries[count++] = alone;

  g_auto (GStrv) words = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  guint timeout_ms = 0;
  if (timeout != NULL && !zinit_parse_timeout (timeout, &timeout_ms, &error))
    return zinit_command_usage_error (client, error->message);
  if (timeout != NULL)
    wait.timeout_ms = timeout_ms;
  const char *problem = check_options (&wait, words, only);
  if (problem != NULL)
    return zinit_command_usage_error (client, problem);

  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_auto (GStrv) names = zinit_names_expand (client, words, &exit_code);
  if (names == NULL)
    return exit_code;
  wait.names = names;
  wait.tree = request != ZINIT_REQUEST_STOP && !wait.all && !only;
  wait.show = !client->json && (verbose || zinit_output_is_terminal ());
  return zinit_command_worse (exit_code, zinit_wait_run (client, &wait));
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
    return zinit_names_fail (client, name, error);
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
    { "main", 'm', 0, G_OPTION_ARG_NONE, &main_only,
      N_ ("Only to its main process, not to all its processes"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 1, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  int signal_number = SIGTERM;
  g_autoptr (GError) error = NULL;
  if (signal_text != NULL && !zinit_parse_signal (signal_text, &signal_number, &error))
    return zinit_command_usage_error (client, error->message);

  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_auto (GStrv) names = zinit_names_expand (client, words, &exit_code);
  if (names == NULL)
    return exit_code;
  GString *json = g_string_new ("[");
  for (gsize i = 0; names[i] != NULL && exit_code != ZINIT_EXIT_NO_DAEMON; i++)
    exit_code = zinit_command_worse (exit_code, kill_one (client, names[i], signal_number, main_only, json));
  if (client->json)
    zinit_json_print (g_string_append_c (json, ']'));
  else
    g_string_free (json, TRUE);
  return exit_code;
}
