/* SPDX-License-Identifier: Apache-2.0
 *
 * What a first use of the command stumbles over: what was mistyped, where the daemon is, why something does
 * not run.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "processes.h"

#define DONE 0
#define FAILED 1
#define USAGE 2
#define NO_SERVICE 3
#define NO_DAEMON 4
#define NOT_ALLOWED 5

#define BY_HAND "status = \"ignore\"\n"
#define REQUIRES(name) "[dependencies]\nrequires = [\"" name "\"]\n"

static void
test_why (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *why = NULL, *by_hand = NULL, *up = NULL;
  g_autoptr (JsonNode) json = NULL;
  JsonObject *last;

  harness_service (h, "db", "err boom exit 3",
                   "oneshot = true\n[lifecycle]\nmax_restarts = 2\nrestart_delay_ms = 10\n");
  harness_service (h, "api", "wait", REQUIRES ("db"));
  harness_service (h, "web", "wait", REQUIRES ("api"));
  harness_service (h, "other", "wait", BY_HAND);
  harness_service (h, "fine", "wait", "");
  harness_start (h);
  client_wait_property (h->client, "db", "RestartCount", "2");
  client_wait_state (h->client, "web", "failed");
  client_wait_log_lines (h->client, "db", 3);
  why = command_print (h, DONE, "why web");
  command_assert_has (why, "requires api");
  command_assert_has (why, "requires db");
  command_assert_has (why, "exited with code 3");
  command_assert_has (why, "given up after 2 restarts");
  command_assert_has (why, "boom");
  command_assert_has (why, "zinit logs db");
  command_assert_has (why, "zinit start web");
  command_assert_lacks (why, "held by nothing");
  json = command_run_json (h, DONE, "why web");
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json)), ==, 3);
  last = json_array_get_object_element (json_node_get_array (json), 2);
  g_assert_cmpstr (json_object_get_string_member (last, "service"), ==, "db");
  g_assert_cmpstr (json_object_get_string_member (last, "sub_state"), ==, "given-up");
  g_assert_true (json_object_get_boolean_member (last, "is_root"));
  by_hand = command_print (h, DONE, "why other");
  command_assert_has (by_hand, "zinit start other");
  up = command_print (h, DONE, "why fine");
  command_assert_has (up, "running");
  command_assert_lacks (up, "would help");
}

/* What it is not ready without, and for how long. */
static void
test_why_starting (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *why = NULL, *list = NULL;

  harness_service (h, "web", "wait", "ready = \"notify\"\n");
  harness_start (h);
  client_wait_state (h->client, "web", "starting");
  why = command_print (h, DONE, "why web");
  command_assert_has (why, "starting (pid ");
  command_assert_has (why, " for ");
  command_assert_has (why, "waits for READY=1");
  list = command_print (h, DONE, "list");
  command_assert_has (list, "waits for READY=1");
}

/* An option goes before the environment, and two that contradict are refused. */
static void
test_option_before_environment (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *user = NULL, *session = NULL, *both = NULL, *twice = NULL, *by_env = NULL, *status = NULL,
                  *unknown = NULL;
  g_autofree char *empty = harness_path (h, "empty");

  harness_service (h, "web", "wait", "");
  harness_start (h);
  harness_setenv (h, "ZINIT_SOCKET", h->socket);
  harness_setenv (h, "XDG_RUNTIME_DIR", empty);
  by_env = command_print_plain (h, DONE, "list");
  /* Questions and what hears signals go to the private socket in two ways. */
  g_free (command_print_plain (h, DONE, "stop web"));
  g_free (command_print_plain (h, DONE, "start web"));
  status = command_print_plain (h, DONE, "status web");
  command_assert_has (status, "running");
  unknown = command_print_plain (h, NO_SERVICE, "status wbe");
  command_assert_has (unknown, "did you mean \"web\"");
  user = command_print_plain (h, NO_DAEMON, "--user list");
  command_assert_has (user, empty);
  session = command_print_plain (h, NO_DAEMON, "list --session");
  command_assert_has (session, empty);
  both = command_print_plain (h, USAGE, "--system list --user");
  twice = command_print_plain (h, NO_DAEMON, "--user --session list");
  /* zinitd knows both words as well. */
  {
    const char *const argv[] = { g_getenv ("ZINITD"), "--user", "--session", "--version", NULL };
    int code = 0;

    g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                                 NULL, &code, NULL));
    g_assert_cmpint (WEXITSTATUS (code), ==, DONE);
  }
}

/* The hint can be typed as it is; no permission is another matter than no daemon. */
static void
test_hint (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *nothing = harness_path (h, "nothing"),
                  *socket = g_build_filename (nothing, "zinit.sock", NULL);
  g_autofree char *folder = g_strdup_printf ("--runtime-dir %s", nothing);
  g_autofree char *built = NULL, *named = NULL, *lost = NULL, *denied = NULL;
  const char *daemon = g_getenv ("ZINITD");

  harness_setenv (h, "ZINIT_DAEMON", NULL);
  built = command_print_plain (h, NO_DAEMON, "--socket '%s' list", socket);
  command_assert_has (built, daemon);
  command_assert_has (built, folder);
  command_assert_lacks (built, "--system");
  harness_setenv (h, "ZINIT_DAEMON", "/bin/true");
  named = command_print_plain (h, NO_DAEMON, "--socket '%s' list", socket);
  command_assert_has (named, "\"/bin/true ");
  harness_setenv (h, "ZINIT_DAEMON", "/nonexistent/zinitd");
  lost = command_print_plain (h, NO_DAEMON, "--socket '%s' list", socket);
  command_assert_has (lost, "/nonexistent/zinitd");
  command_assert_lacks (lost, "start it with");
  g_assert_cmpint (g_mkdir (nothing, 0700), ==, 0);
  if (geteuid () == 0) {
    const char *const argv[] = { "setpriv",  "--reuid=65534", "--clear-groups", harness_zinit (),
                                 "--socket", socket,          "list",           NULL };
    int status = 0;

    g_assert_true (g_spawn_sync (NULL, (char **)argv, h->environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                                 &denied, &status, NULL));
    if (WEXITSTATUS (status) >= 126) {
      g_test_skip ("the build folder is closed to other users");
      return;
    }
    g_assert_cmpint (WEXITSTATUS (status), ==, NOT_ALLOWED);
  } else {
    g_assert_cmpint (g_chmod (nothing, 0), ==, 0);
    denied = command_print_plain (h, NOT_ALLOWED, "--socket '%s' list", socket);
    g_assert_cmpint (g_chmod (nothing, 0700), ==, 0);
  }
  command_assert_has (denied, "not allowed");
  command_assert_lacks (denied, "start it with");
}

static void
test_names (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stop = NULL, *none = NULL, *near = NULL, *all = NULL, *remove = NULL, *nothing = NULL;

  harness_service (h, "web-1", "out one wait", "");
  harness_service (h, "web-2", "out two wait", "");
  harness_service (h, "db", "out three wait", "");
  harness_start (h);
  client_wait_log_lines (h->client, "web-1", 1);
  client_wait_log_lines (h->client, "web-2", 1);
  client_wait_log_lines (h->client, "db", 1);
  all = command_print (h, DONE, "logs");
  command_assert_has (all, "web-1: one");
  command_assert_has (all, "db: three");
  stop = command_print (h, DONE, "stop 'web*'");
  assert_property (h->client, "web-1", "State", "exited");
  assert_property (h->client, "web-2", "State", "exited");
  assert_property (h->client, "db", "State", "running");
  none = command_print (h, NO_SERVICE, "stop 'x*' db");
  command_assert_has (none, "\"x*\"");
  assert_property (h->client, "db", "State", "exited");
  nothing = command_print (h, NO_SERVICE, "logs 'x*'");
  command_assert_lacks (nothing, "three");
  near = command_print (h, NO_SERVICE, "start web1");
  command_assert_has (near, "did you mean \"web-1\"");
  g_free (command_print (h, DONE, "start db"));
  remove = command_print (h, FAILED, "remove db");
  command_assert_has (remove, "--stop");
  command_assert_lacks (remove, "option");
}

static void
test_definitions (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "definition"), *help = NULL, *wrong_help = NULL, *checked = NULL;
  g_autofree char *command = NULL, *error = NULL, *broken = NULL, *empty = NULL;
  g_autoptr (JsonNode) json = NULL;
  JsonObject *missing;
  g_autofree char *definition =
      g_strdup_printf ("[service]\nname = \"piped\"\nexec = \"%s wait\"\n", harness_child ());
  int status = 0;

  harness_setenv (h, "ZINIT_DAEMON", NULL);
  empty = command_print (h, DONE, "check '%s'", h->config_dir);
  command_assert_has (empty, "no definition in this folder");
  harness_service (h, "web", "wait", BY_HAND REQUIRES ("nowhere") "[lifecycle]\non_failure = [\"nobody\"]\n");
  checked = command_print (h, DONE, "check '%s'", h->config_dir);
  command_assert_has (checked, "web: ok");
  command_assert_has (checked, "requires \"nowhere\"");
  command_assert_has (checked, "its on_failure starts \"nobody\", which no file");
  json = command_run_json (h, DONE, "check '%s'", h->config_dir);
  missing = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (json), "missing"), 0);
  g_assert_cmpstr (json_object_get_string_member (missing, "missing"), ==, "nowhere");
  missing = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (json), "missing"), 1);
  g_assert_cmpstr (json_object_get_string_member (missing, "missing"), ==, "nobody");
  g_assert_cmpstr (json_object_get_string_member (missing, "kind"), ==, "on_failure");
  /* Its file is there, and what is wrong with that is said. */
  harness_write (h, "nowhere.toml", "[service]\nexec = 5\n");
  broken = command_print (h, FAILED, "check '%s'", h->config_dir);
  command_assert_has (broken, "service.exec");
  command_assert_lacks (broken, "nowhere\", which no file");
  harness_remove (h, "nowhere.toml");
  help = command_print (h, DONE, "help start");
  command_assert_has (help, "--timeout");
  wrong_help = command_print (h, USAGE, "help strat");
  command_assert_has (wrong_help, "\"start\"");
  harness_start (h);
  g_assert_true (g_file_set_contents (path, definition, -1, NULL));
  command =
      g_strdup_printf ("'%s' --socket '%s' add - < '%s' > /dev/null", harness_zinit (), h->socket, path);
  g_assert_cmpint (system (command), ==, 0);
  client_wait_state (h->client, "piped", "running");
  g_assert_true (g_file_set_contents (path, "[service]\nexec = \"true\"\n", -1, NULL));
  {
    const char *const argv[] = { "/bin/sh", "-c", command, NULL };

    g_assert_true (
        g_spawn_sync (NULL, (char **)argv, h->environment, 0, NULL, NULL, NULL, &error, &status, NULL));
  }
  g_assert_cmpint (WEXITSTATUS (status), ==, FAILED);
  command_assert_has (error, "name");
}

/* A definition that the daemon refuses is counted, and its name is answered with what is wrong with it. */
static void
test_refused (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *list = NULL, *status = NULL, *start = NULL, *why = NULL, *held = NULL, *older = NULL;
  g_autoptr (JsonNode) json = NULL;

  harness_service (h, "web", "wait", REQUIRES ("db"));
  harness_write (h, "db.toml", "[service]\nexec = 5\n");
  harness_start (h);
  client_wait_state (h->client, "web", "failed");
  list = command_print (h, DONE, "list");
  command_assert_has (list, "1 definition refused: db.toml");
  status = command_print (h, DONE, "status");
  command_assert_has (status, "1 definition refused: db.toml");
  command_assert_has (status, "service.exec");
  start = command_print (h, NO_SERVICE, "start db");
  command_assert_has (start, "its definition was refused");
  command_assert_has (start, "service.exec");
  why = command_print (h, NO_SERVICE, "why db");
  command_assert_has (why, "service.exec");
  held = command_print (h, DONE, "why web");
  command_assert_has (held, "requires db, which does not exist: its definition was refused");
  /* One that runs goes on with its older definition. */
  harness_write (h, "web.toml", "[service]\nexec = 6\n");
  g_free (command_print (h, FAILED, "reload"));
  older = command_print (h, DONE, "status web");
  command_assert_has (older, "an older definition is used");
  json = command_run_json (h, DONE, "status");
  g_assert_cmpuint (
      json_array_get_length (json_object_get_array_member (json_node_get_object (json), "config_errors")), ==,
      2);
}

/* What the command writes on a terminal. Transfer full. */
static char *
run_on_terminal (Harness *h, const char *words)
{
  g_autofree char *line = g_strdup_printf ("'%s' --socket '%s' %s", harness_zinit (), h->socket, words);
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  GString *text = g_string_new (NULL);
  g_auto (GStrv) argv = NULL;
  int slave, status = 0;
  char buffer[1024];
  ssize_t length;
  GPid pid = 0;

  g_assert_cmpint (grantpt (master) | unlockpt (master), ==, 0);
  slave = open (ptsname (master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  g_assert_cmpint (slave, >=, 0);
  g_assert_true (g_shell_parse_argv (line, NULL, &argv, NULL));
  g_assert_true (g_spawn_async_with_fds (NULL, argv, h->environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                         &pid, slave, slave, slave, NULL));
  close (slave);
  while ((length = read (master, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, length);
  close (master);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  return g_string_free (text, FALSE);
}

static void
test_terminal (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *status = NULL;

  harness_write (h, "lines.toml", "[service]\nexec = \"\"\"\necho first\nsleep 1000\n\"\"\"\n" BY_HAND);
  harness_start (h);
  status = run_on_terminal (h, "status lines");
  command_assert_has (status, "echo first");
  command_assert_has (status, "sleep 1000");
  command_assert_lacks (status, "\\x0a");
}

/* The language is that of the messages, whatever the rest is set to, and to something that is not installed.
 */
static void
test_language (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *german = NULL, *english = NULL;

  harness_setenv (h, "LC_ALL", NULL);
  harness_setenv (h, "LC_MESSAGES", "C.UTF-8");
  harness_setenv (h, "LC_CTYPE", "C.UTF-8");
  harness_setenv (h, "LC_TIME", "xx_XX");
  harness_setenv (h, "LANGUAGE", "de");
  german = command_print_plain (h, DONE, "help");
  command_assert_has (german, "anhalten");
  harness_setenv (h, "LANGUAGE", NULL);
  english = command_print_plain (h, DONE, "help");
  command_assert_has (english, "Stop services");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/command-first-use/why", test_why);
  g_test_add_func ("/command-first-use/why-starting", test_why_starting);
  g_test_add_func ("/command-first-use/option-before-environment", test_option_before_environment);
  g_test_add_func ("/command-first-use/hint", test_hint);
  g_test_add_func ("/command-first-use/names", test_names);
  g_test_add_func ("/command-first-use/definitions", test_definitions);
  g_test_add_func ("/command-first-use/refused", test_refused);
  g_test_add_func ("/command-first-use/terminal", test_terminal);
  g_test_add_func ("/command-first-use/language", test_language);
  return g_test_run ();
}
