/* SPDX-License-Identifier: Apache-2.0
 *
 * What a first use of the command stumbles over: what has to wait, what failed, what was mistyped, where the
 * daemon is.
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
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no \"%s\" in: %s", part, text);
}

static void
assert_lacks (const char *text, const char *part)
{
  if (strstr (text, part) != NULL)
    g_error ("\"%s\" in: %s", part, text);
}

/* Runs it and checks its end; gives what it printed. Transfer full. */
#define run(code_wanted, ...)                                                                                \
  ({                                                                                                         \
    g_autoptr (CommandResult) result_ = command_run (h, __VA_ARGS__);                                        \
    command_check (result_, code_wanted);                                                                    \
    g_strconcat (result_->out, result_->err, NULL);                                                          \
  })

/* The same, for a test that says itself where the daemon is. */
#define run_plain(code_wanted, ...)                                                                          \
  ({                                                                                                         \
    g_autoptr (CommandResult) result_ = command_run_plain (h, __VA_ARGS__);                                  \
    command_check (result_, code_wanted);                                                                    \
    g_strconcat (result_->out, result_->err, NULL);                                                          \
  })

/* A start takes along what it needs; one that must not says what it waits for, and its waiting has an end. */
static void
test_start_waits (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *only = NULL, *again = NULL, *tree = NULL, *wrong = NULL, *both = NULL, *slow = NULL;
  g_autofree char *go = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 0", go);

  harness_service (h, "db", "wait", BY_HAND);
  harness_service (h, "web", "wait", BY_HAND REQUIRES ("db"));
  harness_service (h, "gate", orders, "oneshot = true\n" BY_HAND);
  harness_service (h, "late", "wait", BY_HAND REQUIRES ("gate"));
  harness_start (h);
  only = run (FAILED, "start --only web");
  assert_has (only, "web waits: it requires db");
  assert_has (only, "zinit start web");
  assert_property (h->client, "web", "State", "blocked");
  assert_property (h->client, "db", "State", "inactive");
  /* Blocked already: no change of state tells of it. */
  again = run (FAILED, "start --only --timeout 60 web");
  assert_has (again, "web waits: it requires db");
  tree = run (DONE, "start web");
  assert_property (h->client, "db", "State", "running");
  assert_property (h->client, "web", "State", "running");
  slow = run (FAILED, "start --timeout 300ms late");
  assert_has (slow, "late waits: it requires gate");
  assert_has (slow, "late is not up after 300ms");
  assert_property (h->client, "gate", "State", "running");
  wrong = run (USAGE, "start --timeout 5x web");
  assert_has (wrong, "2min");
  both = run (USAGE, "start --no-wait --timeout 5 web");
}

/* What failed is named, with the output of that run, and not of the one that only waited for it. */
static void
test_last_output (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *broken = NULL, *dependency = NULL, *lost = NULL;

  harness_service (h, "db", "out healthy wait", BY_HAND "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "web", "out ofweb wait", BY_HAND REQUIRES ("db"));
  harness_start (h);
  g_free (run (DONE, "start web"));
  client_wait_log_lines (h->client, "db", 1);
  client_wait_log_lines (h->client, "web", 1);
  g_free (run (DONE, "stop db"));
  harness_service (h, "db", "err boom exit 3", BY_HAND "oneshot = true\n[lifecycle]\nrestart = \"never\"\n");
  g_free (run (DONE, "reload"));
  broken = run (FAILED, "start db");
  assert_has (broken, "Last output of db");
  assert_has (broken, "boom");
  assert_lacks (broken, "healthy");
  dependency = run (FAILED, "start web");
  assert_has (dependency, "Last output of db");
  assert_has (dependency, "boom");
  assert_has (dependency, "zinit logs db");
  assert_lacks (dependency, "ofweb");
  /* A program that is not there wrote nothing; what is kept is older. */
  harness_write (h, "db.toml", "[service]\nexec = \"/nonexistent/db\"\n" BY_HAND);
  g_free (run (DONE, "reload"));
  lost = run (FAILED, "start db");
  assert_has (lost, "/nonexistent/db");
  assert_lacks (lost, "boom");
}

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
  why = run (DONE, "why web");
  assert_has (why, "requires api");
  assert_has (why, "requires db");
  assert_has (why, "exited with code 3");
  assert_has (why, "given up after 2 restarts");
  assert_has (why, "boom");
  assert_has (why, "zinit logs db");
  assert_has (why, "zinit start web");
  assert_lacks (why, "held by nothing");
  json = command_run_json (h, DONE, "why web");
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json)), ==, 3);
  last = json_array_get_object_element (json_node_get_array (json), 2);
  g_assert_cmpstr (json_object_get_string_member (last, "service"), ==, "db");
  g_assert_cmpstr (json_object_get_string_member (last, "sub_state"), ==, "given-up");
  g_assert_true (json_object_get_boolean_member (last, "is_root"));
  by_hand = run (DONE, "why other");
  assert_has (by_hand, "zinit start other");
  up = run (DONE, "why fine");
  assert_has (up, "running");
  assert_lacks (up, "would help");
}

/* Ends are said once; what had to be killed is down all the same. */
static void
test_words_for_ends (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *status = NULL, *list = NULL, *stop = NULL;
  g_autoptr (JsonNode) json = NULL;

  harness_service (h, "ended", "exit 0", "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "deaf", "ignore 15 out up wait", "[lifecycle]\nstop_timeout_ms = 200\n");
  harness_service (h, "setup", "exit 0", "oneshot = true\n");
  harness_start (h);
  client_wait_state (h->client, "ended", "exited");
  client_wait_state (h->client, "setup", "exited");
  client_wait_log_lines (h->client, "deaf", 1);
  status = run (DONE, "status ended setup");
  assert_has (status, "State: exited with code 0");
  assert_has (status, "State: done");
  assert_lacks (status, "exited: exited");
  list = run (DONE, "list");
  assert_has (list, "setup\texited\tdone\t");
  stop = run (DONE, "stop deaf");
  assert_has (stop, "deaf: stopped, killed after 200 ms");
  json = command_run_json (h, DONE, "list deaf");
  g_assert_cmpstr (
      json_object_get_string_member (json_array_get_object_element (json_node_get_array (json), 0), "state"),
      ==, "failed");
}

static void
test_wait (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 0", go);
  g_autofree char *late = NULL, *there = NULL, *none = NULL, *wrong = NULL, *missing = NULL, *output = NULL;
  g_autofree char *path = harness_path (h, "waited");
  int status = -1;
  GPid pid;

  harness_service (h, "job", orders, "oneshot = true\n");
  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  there = run (DONE, "wait web --for running");
  late = run (FAILED, "wait job --for done --timeout 100ms");
  assert_has (late, "job is not done in time; it is running");
  none = run (NO_SERVICE, "wait jbo --for done");
  assert_has (none, "did you mean \"job\"");
  wrong = run (USAGE, "wait job --for runing");
  assert_has (wrong, "did you mean \"running\"");
  missing = run (USAGE, "wait job");
  pid = command_start (h, "waited", "wait job web --for exited --timeout 60");
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  client_wait_state (h->client, "job", "exited");
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, DONE);
  g_assert_true (g_file_get_contents (path, &output, NULL, NULL));
  assert_has (output, "job: ");
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
  by_env = run_plain (DONE, "list");
  /* Questions and what hears signals go to the private socket in two ways. */
  g_free (run_plain (DONE, "stop web"));
  g_free (run_plain (DONE, "start web"));
  status = run_plain (DONE, "status web");
  assert_has (status, "running");
  unknown = run_plain (NO_SERVICE, "status wbe");
  assert_has (unknown, "did you mean \"web\"");
  user = run_plain (NO_DAEMON, "--user list");
  assert_has (user, empty);
  session = run_plain (NO_DAEMON, "list --session");
  assert_has (session, empty);
  both = run_plain (USAGE, "--system list --user");
  twice = run_plain (NO_DAEMON, "--user --session list");
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
  built = run_plain (NO_DAEMON, "--socket '%s' list", socket);
  assert_has (built, daemon);
  assert_has (built, folder);
  assert_lacks (built, "--system");
  harness_setenv (h, "ZINIT_DAEMON", "/bin/true");
  named = run_plain (NO_DAEMON, "--socket '%s' list", socket);
  assert_has (named, "\"/bin/true ");
  harness_setenv (h, "ZINIT_DAEMON", "/nonexistent/zinitd");
  lost = run_plain (NO_DAEMON, "--socket '%s' list", socket);
  assert_has (lost, "/nonexistent/zinitd");
  assert_lacks (lost, "start it with");
  g_assert_cmpint (g_mkdir (nothing, 0700), ==, 0);
  if (geteuid () == 0) {
    const char *const argv[] = { "setpriv",  "--reuid=65534", "--clear-groups", harness_zinit (),
                                 "--socket", socket,          "list",           NULL };
    int status = 0;

    g_assert_true (g_spawn_sync (NULL, (char **)argv, h->environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                                 &denied, &status, NULL));
    g_assert_cmpint (WEXITSTATUS (status), ==, NOT_ALLOWED);
  } else {
    g_assert_cmpint (g_chmod (nothing, 0), ==, 0);
    denied = run_plain (NOT_ALLOWED, "--socket '%s' list", socket);
    g_assert_cmpint (g_chmod (nothing, 0700), ==, 0);
  }
  assert_has (denied, "not allowed");
  assert_lacks (denied, "start it with");
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
  all = run (DONE, "logs");
  assert_has (all, "web-1: one");
  assert_has (all, "db: three");
  stop = run (DONE, "stop 'web*'");
  assert_property (h->client, "web-1", "State", "exited");
  assert_property (h->client, "web-2", "State", "exited");
  assert_property (h->client, "db", "State", "running");
  none = run (NO_SERVICE, "stop 'x*' db");
  assert_has (none, "\"x*\"");
  assert_property (h->client, "db", "State", "exited");
  nothing = run (NO_SERVICE, "logs 'x*'");
  assert_lacks (nothing, "three");
  near = run (NO_SERVICE, "start web1");
  assert_has (near, "did you mean \"web-1\"");
  g_free (run (DONE, "start db"));
  remove = run (FAILED, "remove db");
  assert_has (remove, "--stop");
  assert_lacks (remove, "option");
}

static void
test_definitions (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "definition"), *help = NULL, *wrong_help = NULL, *checked = NULL;
  g_autofree char *command = NULL, *unnamed = NULL, *error = NULL;
  g_autofree char *definition =
      g_strdup_printf ("[service]\nname = \"piped\"\nexec = \"%s wait\"\n", harness_child ());
  int status = 0;

  harness_setenv (h, "ZINIT_DAEMON", NULL);
  harness_service (h, "web", "wait", BY_HAND REQUIRES ("nowhere"));
  checked = run (DONE, "check '%s'", h->config_dir);
  assert_has (checked, "web: ok");
  assert_has (checked, "requires nowhere");
  help = run (DONE, "help start");
  assert_has (help, "--timeout");
  wrong_help = run (USAGE, "help strat");
  assert_has (wrong_help, "\"start\"");
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
  assert_has (error, "name");
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
  assert_has (status, "echo first");
  assert_has (status, "sleep 1000");
  assert_lacks (status, "\\x0a");
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
  german = run_plain (DONE, "help");
  assert_has (german, "anhalten");
  harness_setenv (h, "LANGUAGE", NULL);
  english = run_plain (DONE, "help");
  assert_has (english, "Stop services");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/command-first-use/start-waits", test_start_waits);
  g_test_add_func ("/command-first-use/last-output", test_last_output);
  g_test_add_func ("/command-first-use/why", test_why);
  g_test_add_func ("/command-first-use/words-for-ends", test_words_for_ends);
  g_test_add_func ("/command-first-use/wait", test_wait);
  g_test_add_func ("/command-first-use/option-before-environment", test_option_before_environment);
  g_test_add_func ("/command-first-use/hint", test_hint);
  g_test_add_func ("/command-first-use/names", test_names);
  g_test_add_func ("/command-first-use/definitions", test_definitions);
  g_test_add_func ("/command-first-use/language", test_language);
  g_test_add_func ("/command-first-use/terminal", test_terminal);
  return g_test_run ();
}
