/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules F2 and G7 with real processes: which of them hear a stop, and what becomes of the others, also for
 * the next daemon.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "processes.h"
#include "survival.h"

/* One in the group of the main process, one with a session of its own, and one that has lost its parent. Each
 * writes its number, and that it was asked to end. */
#define REST                                                                                                 \
  "cat >rest.sh <<'END'\n"                                                                                   \
  "trap 'echo term >>heard' TERM\n"                                                                          \
  "echo $$ >>rest\n"                                                                                         \
  "while ! [ -e end ]; do sleep 0.05; done\n"                                                                \
  "END\n"                                                                                                    \
  "sh rest.sh >/dev/null 2>&1 &\n"                                                                           \
  "setsid sh rest.sh >/dev/null 2>&1 &\n"                                                                    \
  "(setsid sh rest.sh >/dev/null 2>&1 &)\n"
#define N_REST 3

/* The rest is made by the first run alone. */
static void
add (Harness *h, const char *mode)
{
  g_autofree char *path = harness_path (h, "main.sh");
  g_autofree char *script = g_strdup_printf (
      "[ -e rest.sh ] || {\n" REST "}\nexec %s on-term 0 0 stamp mains wait\n", harness_child ());

  g_assert_true (g_file_set_contents (path, script, -1, NULL));
  harness_write (h, "web.toml",
                 "[service]\nexec = \"sh %s\"\ndir = \"%s\"\n"
                 "[lifecycle]\nkill_mode = \"%s\"\nstop_timeout_ms = 60000\nrestart_delay_ms = 1\n",
                 path, h->directory, mode);
}

/* Once the daemon knows of all. Transfer full. */
static GArray *
start (Harness *h, const char *mode)
{
  g_auto (GStrv) lines = NULL;
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));

  add (h, mode);
  survival_start (h);
  lines = harness_wait_lines (h, "rest", N_REST);
  g_strfreev (harness_wait_lines (h, "mains", 1));
  for (guint i = 0; i < N_REST; i++) {
    pid_t pid = (pid_t)g_ascii_strtoll (lines[i], NULL, 10);

    g_assert_cmpint (pid, >, 1);
    g_array_append_val (pids, pid);
  }
  client_wait_state (h->client, "web", "running");
  return pids;
}

static void
stop (Harness *h)
{
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
}

static void
assert_heard_nothing (Harness *h)
{
  g_autofree char *path = harness_path (h, "heard");

  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* They live, have heard nothing, and are not of the run that there is now. */
static void
assert_untouched (Harness *h, const GArray *rest)
{
  g_autofree char *listed = NULL;

  assert_heard_nothing (h);
  listed = client_get_text (h->client, "web", "Pid");
  for (guint i = 0; i < rest->len; i++) {
    g_autofree char *pid = g_strdup_printf ("%d", (int)g_array_index (rest, pid_t, i));

    if (!processes_is_alive (g_array_index (rest, pid_t, i)))
      g_error ("process %s has ended", pid);
    g_assert_cmpstr (pid, !=, listed);
  }
}

/* Nobody else will. */
static void
end_rest (Harness *h, const GArray *rest)
{
  g_autofree char *path = harness_path (h, "end");

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  for (guint i = 0; i < rest->len; i++)
    g_assert_true (processes_wait_end (g_array_index (rest, pid_t, i), CLIENT_PATIENCE_SECONDS));
}

static void
test_tree (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "tree");

  g_variant_unref (client_ok (h->client, "StopService", "('web', @a{sv} {})"));
  g_strfreev (harness_wait_lines (h, "heard", N_REST));
  assert_property (h->client, "web", "State", "stopping");
  end_rest (h, rest);
  client_wait_state (h->client, "web", "exited");
}

static void
test_mixed (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "mixed");

  stop (h);
  assert_property (h->client, "web", "State", "exited");
  assert_property (h->client, "web", "SubState", "stopped");
  assert_property (h->client, "web", "LastExit", "('exited', 0)");
  assert_heard_nothing (h);
  for (guint i = 0; i < rest->len; i++)
    g_assert_false (processes_is_alive (g_array_index (rest, pid_t, i)));
}

/* The next daemon is the parent of none of them. */
static void
test_mixed_next_daemon (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "mixed");

  survival_start_again (h);
  stop (h);
  assert_heard_nothing (h);
  for (guint i = 0; i < rest->len; i++)
    g_assert_false (processes_is_alive (g_array_index (rest, pid_t, i)));
}

static void
test_main (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "main");
  g_autofree char *text = NULL;

  stop (h);
  assert_property (h->client, "web", "SubState", "stopped");
  text = client_get_text (h->client, "web", "StatusText");
  g_test_message ("%s", text);
  g_assert_nonnull (strstr (text, "processes running"));
  survival_wait_said (h, "belong to no service now", 1);
  assert_untouched (h, rest);
  g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
  g_strfreev (harness_wait_lines (h, "mains", 2));
  assert_untouched (h, rest);
  stop (h);
  assert_untouched (h, rest);
  g_assert_cmpuint (survival_count_said (h, "belong to no service now"), ==, 1);
  end_rest (h, rest);
}

/* SIGKILL too is for the main process alone. */
static void
test_main_late (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "main");
  pid_t pid = (pid_t)client_get_pid (h->client, "web");

  harness_write (h, "web.toml",
                 "[service]\nexec = \"sh %s/main.sh\"\ndir = \"%s\"\n"
                 "[lifecycle]\nkill_mode = \"main\"\nstop_timeout_ms = 50\nstop_signal = \"SIGCONT\"\n",
                 h->directory, h->directory);
  g_free (harness_reload (h));
  stop (h);
  g_assert_false (processes_is_alive (pid));
  assert_failure (h->client, "web", "stop_timeout");
  assert_untouched (h, rest);
  end_rest (h, rest);
}

/* Its end by itself: it is started again beside them. */
static void
test_by_itself (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "main");

  kill ((pid_t)client_get_pid (h->client, "web"), SIGKILL);
  g_strfreev (harness_wait_lines (h, "mains", 2));
  client_wait_state (h->client, "web", "running");
  assert_property (h->client, "web", "RestartCount", "1");
  assert_untouched (h, rest);
  end_rest (h, rest);
}

typedef struct {
  const char *name;
  gboolean is_stopped;    /* before there is another daemon */
  gboolean is_reexecuted; /* else killed */
  gboolean ends_unseen;   /* its main process, while there is none */
  gboolean is_state_lost;
} NextDaemon;

static const NextDaemon next_daemons[] = {
  { "stopped", TRUE, FALSE, FALSE, FALSE },           { "stopped-reexecute", TRUE, TRUE, FALSE, FALSE },
  { "stopped-state-lost", TRUE, FALSE, FALSE, TRUE }, { "running", FALSE, FALSE, FALSE, FALSE },
  { "running-reexecute", FALSE, TRUE, FALSE, FALSE }, { "unseen", FALSE, FALSE, TRUE, FALSE },
  { "unseen-state-lost", FALSE, FALSE, TRUE, TRUE },
};

static void
replace_daemon (Harness *h, const NextDaemon *next)
{
  pid_t pid = (pid_t)client_get_pid (h->client, "web");
  static const char *const lost[] = { "state.json", "state.json.old", "records" };

  if (next->is_reexecuted) {
    harness_reexecute (h);
    return;
  }
  survival_wait_saved (h, "web", "state", next->is_stopped ? "\"exited\"" : "\"running\"");
  survival_crash (h);
  for (guint i = 0; next->is_state_lost && i < G_N_ELEMENTS (lost); i++) {
    g_autofree char *path = survival_path (h, lost[i]);

    g_unlink (path);
  }
  if (next->ends_unseen) {
    kill (pid, SIGKILL);
    g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &(int){ 0 }));
  }
  survival_start (h);
}

static void
test_next_daemon (gconstpointer data)
{
  const NextDaemon *next = data;
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) rest = start (h, "main");
  g_autofree char *before = client_get_text (h->client, "web", "Pid");

  if (next->is_stopped)
    stop (h);
  replace_daemon (h, next);
  if (next->is_stopped && !next->is_state_lost) {
    assert_property (h->client, "web", "SubState", "stopped");
  } else {
    client_wait_state (h->client, "web", "running");
    if (!next->is_stopped && !next->ends_unseen)
      assert_property (h->client, "web", "Pid", before);
    else
      g_strfreev (harness_wait_lines (h, "mains", 2));
  }
  /* They were not taken for what is left of a run that goes on. */
  g_assert_cmpuint (survival_count_said (h, "other processes of it have not"), ==, 0);
  assert_untouched (h, rest);
  if (next->is_stopped && !next->is_state_lost)
    g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
  stop (h);
  assert_property (h->client, "web", "SubState", "stopped");
  assert_untouched (h, rest);
  end_rest (h, rest);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  /* What loses its daemon comes to the test. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  g_test_add_func ("/rules/F2/real-tree", test_tree);
  g_test_add_func ("/rules/F2/real-mixed", test_mixed);
  g_test_add_func ("/rules/F2/real-mixed-next-daemon", test_mixed_next_daemon);
  g_test_add_func ("/rules/F2/real-main", test_main);
  g_test_add_func ("/rules/F2/real-main-late", test_main_late);
  g_test_add_func ("/rules/G7/real-by-itself", test_by_itself);
  for (guint i = 0; i < G_N_ELEMENTS (next_daemons); i++) {
    g_autofree char *path = g_strconcat ("/rules/G7/", next_daemons[i].name, NULL);

    g_test_add_data_func (path, &next_daemons[i], test_next_daemon);
  }
  return g_test_run ();
}
