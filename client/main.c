/* SPDX-License-Identifier: Apache-2.0
 *
 * The command `zinit`: global options, the table of commands, the exit code. Talks to the daemon over D-Bus
 * and shares nothing else with it.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "zinit-config.h"

#include "client/command.h"
#include "client/output.h"
#include "client/parse.h"
#include "client/program.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <locale.h>

static ZinitExitCode run_help (ZinitClient *client, int argc, char **argv);

static const ZinitCommand commands[] = {
  { "list", "ls", N_ ("[NAME...]"), N_ ("Show all services and their states."), zinit_command_list },
  { "status", NULL, N_ ("[NAME...]"), N_ ("Show details of services, or of the daemon."),
    zinit_command_status },
  { "start", NULL, N_ ("NAME..."),
    N_ ("Start services with what they require and want, and wait until they are up."), zinit_command_start },
  { "stop", NULL, N_ ("NAME..."), N_ ("Stop services and wait until they are down."), zinit_command_stop },
  { "restart", NULL, N_ ("NAME..."), N_ ("Stop and start services and wait until they are up."),
    zinit_command_restart },
  { "kill", NULL, N_ ("NAME..."), N_ ("Send a signal to services."), zinit_command_kill },
  { "wait", NULL, N_ ("NAME..."), N_ ("Wait until services are in a state."), zinit_command_wait },
  { "why", NULL, N_ ("NAME"), N_ ("Explain why a service is not running."), zinit_command_why },
  { "tree", NULL, N_ ("[NAME]"), N_ ("Show as a tree what services depend on."), zinit_command_tree },
  { "logs", NULL, N_ ("[NAME...]"), N_ ("Show the output of services."), zinit_command_logs },
  { "watch", NULL, N_ ("[NAME...]"), N_ ("Show changes of state as they happen."), zinit_command_watch },
  { "add", NULL, N_ ("FILE|-"), N_ ("Add a service from a definition file; - is standard input."),
    zinit_command_add, TRUE },
  { "remove", NULL, N_ ("NAME..."), N_ ("Remove services."), zinit_command_remove },
  { "reload", NULL, "", N_ ("Read the definition files again and apply what changed."),
    zinit_command_reload },
  { "config", NULL, N_ ("NAME"), N_ ("Show a service's definition."), zinit_command_config },
  { "check", NULL, N_ ("FILE|FOLDER"), N_ ("Check definition files; needs no daemon."), zinit_command_check,
    TRUE },
  { "stats", NULL, N_ ("[NAME...]"), N_ ("Show the processor time, memory and processes of services."),
    zinit_command_stats },
  { "help", NULL, N_ ("[COMMAND]"), N_ ("Print this help, or the help of a command."), run_help },
  { "shutdown", NULL, "", N_ ("Stop every service and end the daemon."), zinit_command_shutdown },
  { "reexec", NULL, "", N_ ("Replace the daemon with its installed version; services keep running."),
    zinit_command_reexec },
  { "prepare-restart", NULL, "", N_ ("Save the state and end the daemon; services keep running."),
    zinit_command_prepare_restart },
};

static char *
describe_commands (void)
{
  GString *text = g_string_new (_ ("Commands:"));
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree char *usage = g_strjoin (
        " ", commands[i].name, *commands[i].arguments != '\0' ? _ (commands[i].arguments) : NULL, NULL);
    int padding = MAX (0, 22 - (int)g_utf8_strlen (usage, -1));
    g_string_append_printf (text, "\n  %s%*s %s", usage, padding, "", _ (commands[i].summary));
  }
  g_string_append_printf (
      text, "\n\n%s\n%s", _ ("\"zinit COMMAND --help\" shows the options of a command."),
      _ ("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such service, 4 no daemon, 5 not allowed."));
  return g_string_free (text, FALSE);
}

static const ZinitCommand *
find_command (const char *word)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (word, commands[i].name) || g_strcmp0 (word, commands[i].alias) == 0)
      return &commands[i];
  return NULL;
}

static ZinitExitCode
unknown_command (ZinitClient *client, const char *word)
{
  const char *names[G_N_ELEMENTS (commands) + 1] = { NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    names[i] = commands[i].name;
  const char *nearest = zinit_parse_nearest (word, names);
  g_autofree char *message =
      nearest != NULL
          ? g_strdup_printf (_ ("there is no command \"%s\"; did you mean \"%s\"?"), word, nearest)
          : g_strdup_printf (_ ("there is no command \"%s\""), word);
  return zinit_command_usage_error (client, message);
}

/* @entries: those of `zinit` itself. Transfer full. */
static GOptionContext *
new_context (const GOptionEntry *entries)
{
  g_autofree char *description = describe_commands ();
  GOptionContext *context = g_option_context_new (_ ("COMMAND ..."));

  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, N_ ("Show and control the services of zinitd."));
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, zinit_command_global_entries (), GETTEXT_PACKAGE);
  /* What stands behind the command belongs to the command. */
  g_option_context_set_strict_posix (context, TRUE);
  return context;
}

static gboolean version;

static const GOptionEntry own_entries[] = {
  { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Print the version"), NULL },
  G_OPTION_ENTRY_NULL,
};

static ZinitExitCode
run_help (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 0, 1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  if (words[0] == NULL) {
    g_set_prgname ("zinit");
    g_autoptr (GOptionContext) context = new_context (own_entries);
    g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);
    zinit_output_print ("%s", text);
    return ZINIT_EXIT_DONE;
  }
  const ZinitCommand *command = find_command (words[0]);
  if (command == NULL)
    return unknown_command (client, words[0]);
  client->command = command;
  const char *const help[] = { command->name, "--help", NULL };
  g_autofree const char **arguments = g_memdup2 (help, sizeof help);
  return command->run (client, 2, (char **)arguments);
}

static ZinitExitCode
run (ZinitClient *client, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = new_context (own_entries);
  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error) || !zinit_command_take_globals (client, &error))
    return zinit_command_usage_error (client, error->message);

  if (version) {
    zinit_output_print ("zinit %s\n", ZINIT_VERSION);
    return ZINIT_EXIT_DONE;
  }
  if (argc > 1 && g_str_equal (argv[1], "--")) {
    argc--;
    argv++;
  }
  if (argc < 2)
    return zinit_command_usage_error (client, _ ("a command is missing"));
  client->command = find_command (argv[1]);
  if (client->command == NULL)
    return unknown_command (client, argv[1]);
  return client->command->run (client, argc - 1, argv + 1);
}

int
main (int argc, char **argv)
{
  /* The first number that GLib reads may be refused when threads are there, see the daemon. */
  g_ascii_strtoull ("0", NULL, 10);
  /* No module of GIO is of use here, and each would cost more than the whole command. */
  g_setenv ("GIO_USE_VFS", "local", TRUE);
  g_setenv ("GIO_MODULE_DIR", "/nonexistent", FALSE);
  /* One by one: a locale that is not installed would else take the others with it. Numbers and dates look the
   * same everywhere. */
  setlocale (LC_CTYPE, "");
  setlocale (LC_MESSAGES, "");
  bindtextdomain (GETTEXT_PACKAGE, zinit_program_get_locale_folder ());
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("zinit");

  ZinitClient client = { NULL };
  ZinitExitCode exit_code = run (&client, argc, argv);
  g_clear_pointer (&client.connection, zinit_connection_free);
  if (!zinit_output_flush ()) {
    zinit_output_print_error (_ ("the output could not be written: %s"), g_strerror (errno));
    exit_code = zinit_command_worse (exit_code, ZINIT_EXIT_FAILED);
  }
  return exit_code;
}
