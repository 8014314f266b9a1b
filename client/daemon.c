/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit shutdown`, `reexec`, `prepare-restart`: the life of the daemon itself.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/command.h"
#include "client/json.h"
#include "client/output.h"

#include <glib/gi18n.h>

static void
print_done (ZinitClient *client, const char *message)
{
  if (client->json)
    zinit_output_print ("{\"ok\":true}\n");
  else
    zinit_output_print ("%s\n", message);
}

static void
daemon_gone (gpointer connection, gpointer loop)
{
  g_main_loop_quit (loop);
}

ZinitExitCode
zinit_command_shutdown (ZinitClient *client, int argc, char **argv)
{
  gboolean no_wait = FALSE;
  const GOptionEntry entries[] = {
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait, N_ ("Do not wait until it has ended"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 0, 0, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;

  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  ZinitConnection *connection = zinit_command_connect (client, &error);
  if (connection == NULL)
    return zinit_command_fail (error);
  zinit_connection_on_gone (connection, daemon_gone, loop);
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "Shutdown", g_variant_new ("(@a{sv})", zinit_command_no_options ()), NULL, &error);
  if (reply == NULL)
    return zinit_command_fail (error);
  if (no_wait) {
    print_done (client, _ ("the daemon stops its services and then ends"));
    return ZINIT_EXIT_DONE;
  }
  /* It leaves us when its last service is down. */
  g_main_loop_run (loop);
  print_done (client, _ ("all services are stopped and the daemon has ended"));
  return ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_reexec (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 0, 0, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "Reexecute", g_variant_new ("(@a{sv})", zinit_command_no_options ()), NULL, &error);
  if (reply == NULL)
    return zinit_command_fail (error);
  print_done (client, _ ("the daemon is executing its program again; services keep running"));
  return ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_prepare_restart (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 0, 0, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "PrepareRestart", g_variant_new ("(@a{sv})", zinit_command_no_options ()), "(ss)", &error);
  if (reply == NULL)
    return zinit_command_fail (error);

  const char *state_path = NULL, *fds_path = NULL;
  g_variant_get (reply, "(&s&s)", &state_path, &fds_path);
  if (client->json) {
    GString *json = g_string_new ("{");
    zinit_json_key (json, "state_path");
    zinit_json_string (json, state_path);
    zinit_json_key (json, "fds_path");
    zinit_json_string (json, fds_path);
    zinit_json_print (g_string_append_c (json, '}'));
  } else {
    zinit_output_print (_ ("state saved in %s\n"), state_path);
    zinit_output_print (_ ("descriptors saved in %s\n"), fds_path);
  }
  return ZINIT_EXIT_DONE;
}
