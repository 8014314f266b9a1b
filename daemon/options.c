/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses the command line of zinitd, and finds the bus that it means.
 */
#define G_LOG_DOMAIN "zinit-main"

#include "options.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "zinit-config.h"

static gboolean
check_combination (const ZinitOptions *options, gboolean is_system, gboolean is_session, GError **error)
{
  const char *problem = NULL;

  if (is_system && is_session)
    problem = "--system and --session (or --user) exclude each other";
  else if (options->no_bus && options->address != NULL)
    problem = "--no-bus and --address exclude each other";
  else if (options->at != NULL && options->check_state == NULL)
    problem = "--at goes with --check-state";
  else if (options->json && options->check_config == NULL)
    problem = "--json goes with --check-config";
  if (problem == NULL)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, problem);
  return FALSE;
}

gboolean
zinit_options_parse (ZinitOptions *options, int *argc, char ***argv, GError **error)
{
  gboolean is_system = FALSE, is_session = FALSE;
  const GOptionEntry entries[] = {
    { "system", 0, 0, G_OPTION_ARG_NONE, &is_system,
      N_ ("Run for the system, on the system bus (default as root)"), NULL },
    { "session", 0, 0, G_OPTION_ARG_NONE, &is_session, N_ ("Run for this user, on the session bus"), NULL },
    { "user", 0, 0, G_OPTION_ARG_NONE, &is_session, N_ ("The same as --session"), NULL },
    { "address", 0, 0, G_OPTION_ARG_STRING, &options->address,
      N_ ("Use the message bus at this D-Bus address"), "ADDR" },
    { "no-bus", 0, 0, G_OPTION_ARG_NONE, &options->no_bus, N_ ("Use no message bus, only the private socket"),
      NULL },
    { "config-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->config_dir,
      N_ ("Read service definitions from here"), "DIR" },
    { "runtime-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->runtime_dir,
      N_ ("Keep socket, lock and state here"), "DIR" },
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &options->socket, N_ ("Path of the private socket"), "PATH" },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &options->log_level,
      N_ ("error, warning, message, info or debug"), "LEVEL" },
    { "check-config", 0, 0, G_OPTION_ARG_FILENAME, &options->check_config,
      N_ ("Judge a definition file or folder and exit"), "PATH" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, N_ ("With --check-config: answer as JSON"), NULL },
    { "check-state", 0, 0, G_OPTION_ARG_FILENAME, &options->check_state,
      N_ ("Judge a state file, print it and exit"), "FILE" },
    { "at", 0, 0, G_OPTION_ARG_STRING, &options->at,
      N_ ("With --check-state: judge version and age at this time too"), "MS|now" },
    { "check-fds", 0, 0, G_OPTION_ARG_FILENAME, &options->check_fds,
      N_ ("Judge a descriptor file, print it and exit"), "FILE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_ ("Print the version and exit"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, _ ("Supervises services and shows them on D-Bus."));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, "%s: zinitd takes no arguments",
                 (*argv)[1]);
    return FALSE;
  }
  if (!check_combination (options, is_system, is_session, error))
    return FALSE;
  options->scope = is_system || (!is_session && geteuid () == 0) ? ZINIT_SCOPE_SYSTEM : ZINIT_SCOPE_SESSION;
  return TRUE;
}

void
zinit_options_clear (ZinitOptions *options)
{
  g_free (options->address);
  g_free (options->config_dir);
  g_free (options->runtime_dir);
  g_free (options->socket);
  g_free (options->log_level);
  g_free (options->check_config);
  g_free (options->check_state);
  g_free (options->check_fds);
  g_free (options->at);
}

char *
zinit_options_get_address (const ZinitOptions *options)
{
  const char *from_environment = g_getenv (options->scope == ZINIT_SCOPE_SYSTEM ? "DBUS_SYSTEM_BUS_ADDRESS"
                                                                                : "DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *path = NULL;
  g_autofree char *escaped = NULL;

  if (options->address != NULL)
    return g_strdup (options->address);
  if (from_environment != NULL && *from_environment != '\0')
    return g_strdup (from_environment);
  path = options->scope == ZINIT_SCOPE_SYSTEM ? g_strdup ("/run/dbus/system_bus_socket")
                                              : g_build_filename (g_get_user_runtime_dir (), "bus", NULL);
  escaped = g_dbus_address_escape_value (path);
  return g_strconcat ("unix:path=", escaped, NULL);
}
