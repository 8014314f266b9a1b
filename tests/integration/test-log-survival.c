/* SPDX-License-Identifier: Apache-2.0
 *
 * Output and the end of the daemon: killed at any moment, or executed anew, it has every line once.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "harness.h"
#include "processes.h"

#define N_KILLS 40
#define N_DISTURBED 60
#define ALL_LINES "buffer_lines = 1000000\n"

typedef struct {
  const char *name;
  int fd;
  guint usec; /* between half lines; 0 = as fast as it can */
  const char *more;
  gboolean is_whole; /* the ring keeps all */
} Talker;

static const Talker talkers[] = {
  { "slow", 1, 3000, "[logging]\n" ALL_LINES, TRUE },
  { "errors", 2, 1100, "[logging]\n" ALL_LINES, TRUE },
  { "busy", 1, 150, "[logging]\n" ALL_LINES, TRUE },
  { "flood", 1, 0, "[logging]\nbuffer_lines = 2000\n", FALSE },
};

static const char *const private_only[] = { "--no-bus", NULL };

static Harness *
start_talkers (void)
{
  Harness *h = harness_new ();
  g_autofree char *stop = harness_path (h, "stop");

  for (guint i = 0; i < G_N_ELEMENTS (talkers); i++) {
    g_autofree char *orders =
        g_strdup_printf ("count-until %d %u %s wait", talkers[i].fd, talkers[i].usec, stop);

    harness_service (h, talkers[i].name, orders, talkers[i].more);
  }
  harness_start_with (h, private_only);
  for (guint i = 0; i < G_N_ELEMENTS (talkers); i++)
    client_wait_log_lines (h->client, talkers[i].name, 1);
  return h;
}

static guint64
get_stat (TestClient *client, const char *service, const char *key)
{
  g_autoptr (GVariant) reply = client_ok (client, "GetStats", "('%s',)", service);
  g_autoptr (GVariant) stats = g_variant_get_child_value (reply, 0);
  guint64 number = 0;

  g_assert_true (g_variant_lookup (stats, key, "t", &number));
  return number;
}

/* Each number once and in order, then "end"; and as many lines in all as there were numbers. */
static void
check_lines (Harness *h, const Talker *talker)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetLogs", "('%s', " NO_OPTIONS ")", talker->name);
  g_autoptr (GVariant) lines = g_variant_get_child_value (reply, 0);
  gsize n_lines = g_variant_n_children (lines);
  guint64 next = get_stat (h->client, talker->name, "log_dropped");

  g_assert_cmpuint (n_lines, >, 1);
  if (talker->is_whole)
    g_assert_cmpuint (next, ==, 0);
  for (gsize i = 0; i < n_lines; i++) {
    g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, next++);
    const char *stream, *text;

    g_variant_get_child (lines, i, "(t&s&s)", NULL, &stream, &text);
    g_assert_cmpstr (stream, ==, talker->fd == 1 ? "stdout" : "stderr");
    g_assert_cmpstr (text, ==, i < n_lines - 1 ? number : "end");
  }
  g_assert_cmpuint (get_stat (h->client, talker->name, "log_lines"), ==, next);
  g_test_message ("%s: %" G_GUINT64_FORMAT " lines", talker->name, next);
}

static gboolean
has_ended (Harness *h, const char *service)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetLogs", "('%s', {'lines': <uint32 1>})", service);
  g_autoptr (GVariant) lines = g_variant_get_child_value (reply, 0);
  const char *text = "";

  if (g_variant_n_children (lines) == 1)
    g_variant_get_child (lines, 0, "(t&s&s)", NULL, NULL, &text);
  return g_str_equal (text, "end");
}

static void
check_all (Harness *h)
{
  g_autofree char *stop = harness_path (h, "stop");
  g_autofree char *folder = g_build_filename (h->runtime_dir, "logs", NULL);
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (stop, "", 0, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (talkers); i++) {
    while (!has_ended (h, talkers[i].name)) {
      if (g_get_monotonic_time () > deadline)
        client_fail (h->client, "%s does not end", talkers[i].name);
      g_usleep (5000);
    }
    check_lines (h, &talkers[i]);
  }
  g_assert_true (g_file_test (folder, G_FILE_TEST_IS_DIR));
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  /* The last output is kept within a boot. */
  g_assert_true (g_file_test (folder, G_FILE_TEST_IS_DIR));
}

static void
kill_daemon (Harness *h)
{
  int status;

  g_assert_cmpint (kill (h->daemon_pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child (h->daemon_pid, CLIENT_PATIENCE_SECONDS, &status));
  g_clear_pointer (&h->client, client_free);
}

static void
test_killed (void)
{
  g_autoptr (Harness) h = start_talkers ();

  for (guint i = 0; i < N_KILLS; i++) {
    g_usleep ((gulong)g_test_rand_int_range (100, 60000));
    kill_daemon (h);
    harness_launch (h, private_only);
    /* Some die before they are ready. */
    if (i == N_KILLS - 1 || g_test_rand_int_range (0, 4) > 0)
      harness_wait_ready (h);
  }
  h->client = client_new_for_socket (h->socket);
  check_all (h);
}

static void
test_reexecuted (void)
{
  g_autoptr (Harness) h = start_talkers ();

  for (guint i = 0; i < 20; i++) {
    g_usleep ((gulong)g_test_rand_int_range (100, 60000));
    g_assert_cmpint (kill (h->daemon_pid, SIGUSR1), ==, 0);
    harness_wait_ready (h);
  }
  g_clear_pointer (&h->client, client_free);
  h->client = client_new_for_socket (h->socket);
  check_all (h);
}

/* Until the state file knows the process; before that the next daemon would start another. */
static void
wait_saved (Harness *h, pid_t pid)
{
  g_autofree char *number = g_strdup_printf (" %d,", (int)pid);
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *state = harness_read_when_there (h, "run/state.json");

    if (strstr (state, number) != NULL)
      return;
    if (g_get_monotonic_time () > deadline)
      client_fail (h->client, "process %d is not saved", (int)pid);
    g_usleep (5000);
  }
}

/* The first process has put something else in the place of its output, and another of its group has it still.
 */
static void
test_of_others (void)
{
  static const Talker inner = { "inner", 2, 700, NULL, TRUE };
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stop = harness_path (h, "stop");
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  harness_write (
      h, "inner.toml",
      "[service]\nexec = \"/bin/sh -c '%s count-until 2 700 %s wait & exec >/dev/null 2>&1; wait'\"\n"
      "[logging]\n" ALL_LINES,
      harness_child (), stop);
  harness_start_with (h, private_only);
  client_wait_log_lines (h->client, "inner", 1);
  wait_saved (h, (pid_t)client_get_pid (h->client, "inner"));
  for (guint i = 0; i < 6; i++) {
    g_usleep ((gulong)g_test_rand_int_range (100, 60000));
    kill_daemon (h);
    harness_start_with (h, private_only);
  }
  g_assert_true (g_file_set_contents (stop, "", 0, NULL));
  while (!has_ended (h, "inner")) {
    if (g_get_monotonic_time () > deadline)
      client_fail (h->client, "inner does not end");
    g_usleep (5000);
  }
  check_lines (h, &inner);
}

/* A service that ends while there is no daemon: its last line is one, also for the daemon after the next. And
 * what nobody knows any more is removed. */
static void
test_ended (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *gone = g_build_filename (h->runtime_dir, "logs", "gone.journal", NULL);
  g_autofree char *silent = g_build_filename (h->runtime_dir, "logs", "silent.journal", NULL);
  pid_t pid;

  harness_service (h, "once", "out hello err bad partial half wait", "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "gone", "out bye exit 0", "oneshot = true\n");
  harness_service (h, "silent", "wait", "");
  harness_start_with (h, private_only);
  client_wait_log_lines (h->client, "once", 3);
  client_wait_log_lines (h->client, "gone", 1);
  client_wait_state (h->client, "gone", "exited");
  g_assert_true (g_file_test (gone, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (silent, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (get_stat (h->client, "once", "log_lines"), ==, 2);
  pid = (pid_t)client_get_pid (h->client, "once");
  wait_saved (h, pid);
  harness_remove (h, "gone.toml");
  kill_daemon (h);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  for (guint i = 0; i < 3; i++) {
    harness_start_with (h, private_only);
    /* How it ended is known only if its new parent has not reaped it yet. */
    client_wait_property (h->client, "once", "Pid", "0");
    g_assert_cmpuint (get_stat (h->client, "once", "log_lines"), ==, 3);
    g_assert_false (g_file_test (gone, G_FILE_TEST_EXISTS));
    if (i < 2)
      kill_daemon (h);
  }
}

/* @text is how number @next begins: its writer was killed in the middle of the line. */
static gboolean
is_beginning (const char *text, guint64 next)
{
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, next);

  return g_str_has_prefix (number, text);
}

/* Each life of the service counts from 0, and no number is missing or there twice. Where a life ends that
 * nobody watched the last line may be half of one. */
static void
check_lives (Harness *h, const char *service)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetLogs", "('%s', " NO_OPTIONS ")", service);
  g_autoptr (GVariant) lines = g_variant_get_child_value (reply, 0);
  gsize n_lines = g_variant_n_children (lines);
  guint64 next = 0;
  guint n_lives = 0;

  for (gsize i = 0; i < n_lines; i++) {
    g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, next);
    gboolean is_last = i + 1 == n_lines;
    const char *text, *after = "0";

    g_variant_get_child (lines, i, "(t&s&s)", NULL, NULL, &text);
    if (!is_last)
      g_variant_get_child (lines, i + 1, "(t&s&s)", NULL, NULL, &after);
    if (g_str_equal (text, "0")) {
      n_lives++;
      next = 1;
    } else if (g_str_equal (text, number)) {
      next++;
    } else if (!(is_last && g_str_equal (text, "end")) &&
               !((g_str_equal (after, "0") || g_str_equal (after, "end")) && is_beginning (text, next))) {
      g_error ("%s: line %" G_GSIZE_FORMAT " is \"%s\" in place of %s; \"%s\" follows", service, i, text,
               number, after);
    }
  }
  g_assert_cmpuint (get_stat (h->client, service, "log_dropped"), ==, 0);
  g_assert_cmpuint (get_stat (h->client, service, "log_lines"), ==, n_lines);
  g_test_message ("%s: %u lives, %" G_GSIZE_FORMAT " lines", service, n_lives, n_lines);
}

static void
check_at_most_one (Harness *h, const char *service)
{
  g_autoptr (GArray) pids = harness_service_pids (h, service);

  g_assert_cmpuint (pids->len, <=, 1);
}

/* A stop, a start, a restart or a hand-over is under way when it is killed. */
static void
disturb (Harness *h, const char *service)
{
  switch (g_test_rand_int_range (0, 6)) {
  case 0:
    client_send (h->client, "StopService", "('%s', " NO_OPTIONS ")", service);
    break;
  case 1:
    client_send (h->client, "RestartService", "('%s', " NO_OPTIONS ")", service);
    break;
  case 2:
    client_send (h->client, "KillService", "('%s', 9, " NO_OPTIONS ")", service);
    break;
  case 3:
    client_send (h->client, "Reexecute", "(" NO_OPTIONS ",)");
    break;
  default:
    client_send (h->client, "StartService", "('%s', " NO_OPTIONS ")", service);
  }
  g_usleep ((gulong)g_test_rand_int_range (0, 40000));
}

static void
test_disturbed (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stop = harness_path (h, "stop");
  static const char *const names[] = { "a", "b", "c", "d" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *orders = g_strdup_printf ("count-until %u %u %s wait", 1 + i % 2, 700 + 900 * i, stop);

    harness_service (h, names[i], orders, "[lifecycle]\nrestart_delay_ms = 10\n[logging]\n" ALL_LINES);
  }
  harness_start_with (h, private_only);
  for (guint i = 0; i < N_DISTURBED; i++) {
    disturb (h, names[g_test_rand_int_range (0, G_N_ELEMENTS (names))]);
    kill_daemon (h);
    harness_start_with (h, private_only);
    for (guint j = 0; j < G_N_ELEMENTS (names); j++)
      check_at_most_one (h, names[j]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    client_send (h->client, "StartService", "('%s', " NO_OPTIONS ")", names[i]);
    client_wait_state (h->client, names[i], "running");
  }
  g_assert_true (g_file_set_contents (stop, "", 0, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

    while (!has_ended (h, names[i])) {
      if (g_get_monotonic_time () > deadline)
        client_fail (h->client, "%s does not end", names[i]);
      g_usleep (5000);
    }
    check_lives (h, names[i]);
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/log-survival/killed", test_killed);
  g_test_add_func ("/log-survival/reexecuted", test_reexecuted);
  g_test_add_func ("/log-survival/disturbed", test_disturbed);
  g_test_add_func ("/log-survival/of-others", test_of_others);
  g_test_add_func ("/log-survival/ended", test_ended);
  return g_test_run ();
}
