/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule E5, ends that nobody saw: each goes its policy's way and says so. And that what was asked for and what
 * is done is known after any time without a daemon.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "processes.h"
#include "survival.h"

/* More than the specification's fields may be. */
#define OLD_MS 301000

typedef struct {
  const char *name;
  gboolean is_released; /* by PrepareRestart, else killed */
  const char *lost;     /* files of the run-time folder */
} Absence;

static const Absence absences[] = {
  { "killed", FALSE, "" },
  { "released", TRUE, "" },
  { "state-lost", FALSE, "state.json state.json.old" },
};

static const char *const names[] = { "always", "failing", "never", "once" };

static void
go_away (Harness *h, const Absence *absence)
{
  if (!absence->is_released) {
    survival_crash (h);
    return;
  }
  g_variant_unref (client_ok (h->client, "PrepareRestart", "(" NO_OPTIONS ",)"));
  harness_wait_exit (h);
}

static void
lose (Harness *h, const char *files)
{
  g_auto (GStrv) words = g_strsplit (files, " ", -1);

  for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++) {
    g_autofree char *path = survival_path (h, words[i]);

    g_unlink (path);
  }
}

static void
end (guint32 pid)
{
  int status;

  g_assert_cmpint (kill ((pid_t)pid, SIGKILL), ==, 0);
  g_assert_true (processes_wait_child ((pid_t)pid, CLIENT_PATIENCE_SECONDS, &status));
}

static guint
count_starts (Harness *h, const char *name)
{
  g_autofree char *path = harness_path (h, "stamps");
  g_autofree char *word = g_strdup_printf ("start %s ", name);
  g_autofree char *text = NULL;
  guint count = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  for (const char *at = text; (at = strstr (at, word)) != NULL; at++)
    count++;
  return count;
}

static void
assert_says (Harness *h, const char *service, const char *part)
{
  g_autofree char *text = client_get_text (h->client, service, "StatusText");

  if (strstr (text, part) == NULL)
    g_error ("the status text of %s is %s, without “%s”", service, text, part);
}

static void
write_services (Harness *h)
{
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *go = harness_path (h, "go");
  g_autofree char *wait = g_strdup_printf ("stamp %s wait", stamps);
  g_autofree char *until = g_strdup_printf ("stamp %s until %s", stamps, go);

  harness_service (h, "always", wait, "[lifecycle]\nrestart_delay_ms = 5\nstability_period_ms = 3600000\n");
  harness_service (h, "failing", wait, "[lifecycle]\nrestart = 'on-failure'\nrestart_delay_ms = 5\n");
  harness_service (h, "never", wait, "[lifecycle]\nrestart = 'never'\n");
  harness_service (h, "once", until, "oneshot = true\n");
  harness_service (h, "needs", wait, "[dependencies]\nrequires = ['once']\n");
}

/* What had an end that nobody saw. */
static void
check_ends (Harness *h)
{
  client_wait_state (h->client, "always", "running");
  client_wait_property (h->client, "always", "RestartCount", "1");
  for (guint i = 1; i < G_N_ELEMENTS (names); i++) {
    client_wait_state (h->client, names[i], "exited");
    assert_property (h->client, names[i], "LastExit", "('exited', -1)");
    assert_property (h->client, names[i], "NextRestart", "0");
    assert_property (h->client, names[i], "Pid", "0");
    g_assert_cmpuint (count_starts (h, names[i]), ==, 1);
  }
  g_assert_cmpuint (count_starts (h, "always"), ==, 2);
  client_wait_state (h->client, "needs", "blocked");
  assert_says (h, "once", "zinit restart once");
  assert_says (h, "needs", "zinit restart once");
}

static void
test_unseen_end (gconstpointer data)
{
  const Absence *absence = data;
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *go = harness_path (h, "go");
  guint32 pids[G_N_ELEMENTS (names)];

  write_services (h);
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    client_wait_state (h->client, names[i], "running");
    pids[i] = client_get_pid (h->client, names[i]);
  }
  client_wait_state (h->client, "needs", "blocked");
  g_strfreev (harness_wait_lines (h, "stamps", G_N_ELEMENTS (names)));
  go_away (h, absence);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    end (pids[i]);
  lose (h, absence->lost);
  survival_start (h);
  g_strfreev (harness_wait_lines (h, "stamps", G_N_ELEMENTS (names) + 1));
  check_ends (h);

  /* And it stays so over the next daemon. */
  survival_wait_saved (h, "always", "restart_count", "1");
  survival_start_again (h);
  check_ends (h);

  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  g_variant_unref (client_ok (h->client, "RestartService", "('once', {'wait': <true>})"));
  client_wait_state (h->client, "needs", "running");
  assert_property (h->client, "once", "LastExit", "('exited', 0)");
  assert_property (h->client, "once", "StatusText", "");
}

static gint64
uptime_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64)now.tv_sec * 1000;
}

static const char *const running[] = { "web", "asked", "guest", "needs", "unsteady" };

static void
write_old_services (Harness *h)
{
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *count = harness_path (h, "count");
  g_autofree char *once = g_strdup_printf ("stamp %s exit 0", stamps);
  g_autofree char *unsteady = g_strdup_printf ("exit-first 1 7 %s wait", count);

  harness_service (h, "web", "wait", "");
  harness_service (h, "stopped", "wait", "");
  harness_service (h, "asked", "wait", "status = 'stop'\n");
  harness_service (h, "once", once, "oneshot = true\n");
  harness_service (h, "needs", "wait", "[dependencies]\nrequires = ['once']\n");
  harness_service (h, "unsteady", unsteady,
                   "[lifecycle]\nrestart_delay_ms = 5\nstability_period_ms = 3600000\n");
}

/* Five minutes without a daemon: requests, what is in no file and what is done outlast them; the count of
 * restarts does not. */
static void
test_old (void)
{
  g_autoptr (Harness) h = NULL;
  guint32 pids[G_N_ELEMENTS (running)];

  if (uptime_ms () < 2 * OLD_MS) {
    g_test_skip ("the machine was started too short a time ago");
    return;
  }
  h = harness_new ();
  write_old_services (h);
  survival_start (h);
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'guest'>, 'exec': <'%s wait'>}}, " NO_OPTIONS ")",
                              harness_child ()));
  g_variant_unref (client_ok (h->client, "StopService", "('stopped', {'wait': <true>})"));
  g_variant_unref (client_ok (h->client, "StartService", "('asked', {'wait': <true>})"));
  client_wait_property (h->client, "unsteady", "RestartCount", "1");
  for (guint i = 0; i < G_N_ELEMENTS (running); i++) {
    client_wait_state (h->client, running[i], "running");
    pids[i] = client_get_pid (h->client, running[i]);
    survival_wait_saved (h, running[i], "state", "\"running\"");
  }
  survival_wait_saved (h, "once", "state", "\"exited\"");
  survival_wait_saved (h, "unsteady", "restart_count", "1");

  for (guint i = 0; i < 2; i++) {
    survival_crash (h);
    survival_age_state_by_boottime (h, OLD_MS);
    survival_start (h);
    for (guint j = 0; j < G_N_ELEMENTS (running); j++) {
      assert_property (h->client, running[j], "State", "running");
      g_assert_cmpuint (client_get_pid (h->client, running[j]), ==, pids[j]);
    }
    assert_property (h->client, "guest", "Ephemeral", "true");
    assert_property (h->client, "asked", "WantedStatus", "start");
    assert_property (h->client, "stopped", "WantedStatus", "stop");
    assert_property (h->client, "stopped", "Pid", "0");
    assert_property (h->client, "once", "State", "exited");
    assert_property (h->client, "unsteady", "RestartCount", "0");
    g_assert_cmpuint (count_starts (h, "once"), ==, 1);
    survival_wait_saved (h, "unsteady", "restart_count", "0");
  }
}

/* Who was told how it ended was told the truth, and its policy goes on from there. */
static void
test_told (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "web", "exit 7",
                   "status = \"ignore\"\n[lifecycle]\nrestart = \"on-failure\"\n"
                   "restart_delay_ms = 3000\n");
  survival_start (h);
  for (guint i = 0; i < 5; i++) {
    g_variant_unref (client_ok (h->client, "StartService", "('web', " NO_OPTIONS ")"));
    client_wait_state (h->client, "web", "failed");
    survival_start_again (h);
    assert_failure (h->client, "web", "exit_code code=7");
    assert_property (h->client, "web", "SubState", "restarting");
  }
}

int
main (int argc, char **argv)
{
  /* What a killed daemon leaves is reaped here, and when the test says so. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  harness_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (absences); i++) {
    g_autofree char *path = g_strdup_printf ("/rules/E5/%s", absences[i].name);

    g_test_add_data_func (path, &absences[i], test_unseen_end);
  }
  g_test_add_func ("/rules/E5/old", test_old);
  g_test_add_func ("/rules/E5/told", test_told);
  return g_test_run ();
}
