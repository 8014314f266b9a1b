/* SPDX-License-Identifier: Apache-2.0
 *
 * What a first process leaves behind: its group, orphans, zombies. Who is signalled, and who may free what
 * when.
 */
#include "process-harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "model/error.h"
#include "process/private.h"
#include "process/strays.h"

static void
test_signal (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  g_autoptr (GError) error = NULL;

  start (fixture, &service, "sleep 1000");
  g_assert_true (zinit_process_signal (service.process, 0, ZINIT_WHOM_MAIN, &error));
  for (ZinitWhom whom = ZINIT_WHOM_MAIN; whom <= ZINIT_WHOM_ALL; whom++) {
    g_assert_false (zinit_process_signal (service.process, 1000, whom, &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_SIGNAL);
    g_clear_error (&error);
  }
  g_assert_true (zinit_process_signal (service.process, SIGTERM, ZINIT_WHOM_MAIN, &error));
  WAIT_FOR (fixture, service.n_empty == 1);
  assert_end (&service, ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_false (zinit_process_signal (service.process, SIGTERM, ZINIT_WHOM_ALL, &error));
  g_assert_no_error (error);
}

/* A child that ignores SIGTERM keeps the group alive, and can still be signalled when its leader is gone. */
static void
test_group (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };

  start (fixture, &service,
         "sleep 1000 & sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1000; done' & wait");
  WAIT_FOR (fixture, g_str_has_prefix (said (&service), "ready"));
  g_assert_true (zinit_process_signal (service.process, SIGTERM, ZINIT_WHOM_ALL, NULL));
  WAIT_FOR (fixture, service.n_ended == 1);
  assert_end (&service, ZINIT_EXIT_KILLED, SIGTERM);
  run_for (fixture, 150 * 1000);
  g_assert_cmpuint (service.n_empty, ==, 0);
  g_assert_true (zinit_process_signal (service.process, 0, ZINIT_WHOM_ALL, NULL));
  g_assert_true (zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL));
  WAIT_FOR (fixture, service.n_empty == 1);
  g_assert_false (zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL));
}

/* What outlives the first process is still heard, and noticed when it ends by itself. */
static void
test_outlives (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };

  start (fixture, &service, "(sleep 0.3; echo late) & exit 5");
  WAIT_FOR (fixture, service.n_ended == 1);
  assert_end (&service, ZINIT_EXIT_EXITED, 5);
  g_assert_cmpuint (service.n_empty, ==, 0);
  WAIT_FOR (fixture, service.n_empty == 1);
  g_assert_cmpstr (said (&service), ==, "late\n");
}

/* A zombie in the group whose parent has left the group and never reaps it does not keep the group alive; the
 * parent is still one of the tree. */
static void
test_foreign_zombie (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  pid_t escaped;

  start (fixture, &service, "sh -c 'true & echo $$; exec setsid sleep 1000' & sleep 0.3");
  WAIT_FOR (fixture, service.n_ended == 1);
  escaped = atoi (said (&service));
  g_assert_cmpint (escaped, >, 1);
  g_assert_cmpuint (service.n_empty, ==, 0);
  g_assert_cmpint (kill (escaped, SIGKILL), ==, 0);
  WAIT_FOR (fixture, service.n_empty == 1);
}

/* A process that left the group comes to us when its parent ends, and is reaped in its time. */
static void
test_orphan (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  pid_t orphan;

  start (fixture, &service, "setsid sleep 0.3 & echo $!; exec sleep 1000");
  WAIT_FOR (fixture, strchr (said (&service), '\n') != NULL);
  orphan = atoi (said (&service));
  g_assert_true (is_alive (orphan));
  zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_MAIN, NULL);
  WAIT_FOR (fixture, service.n_empty == 1);
  WAIT_FOR (fixture, !is_alive (orphan));
}

/* Many that were forked twice, with services ending among them. */
static void
test_many_orphans (Fixture *fixture, gconstpointer unused)
{
  Service services[10] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    start (fixture, &services[i], "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.0$i &) ; done");
  for (guint i = 0; i < G_N_ELEMENTS (services); i++) {
    WAIT_FOR (fixture, services[i].n_empty == 1);
    assert_end (&services[i], ZINIT_EXIT_EXITED, 0);
    finish (&services[i]);
  }
}

/* Freed while its first process lives: nothing is killed, and it is reaped when it ends. */
static void
test_free_alive (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  pid_t pid;

  start (fixture, &service, "sleep 1000");
  pid = zinit_process_get_pid (service.process);
  service_free_process (&service);
  run_for (fixture, 50 * 1000);
  g_assert_true (is_alive (pid));
  kill (pid, SIGKILL);
  WAIT_FOR (fixture, !is_alive (pid));
  g_assert_cmpuint (service.n_ended, ==, 0);
}

/* Its owner may free it in any callback. */
static void
test_free_in_callback (Fixture *fixture, gconstpointer unused)
{
  static const char *const moments[] = { "output", "ended", "empty" };
  static const char *const lines[] = { "echo x; echo y >&2", "echo x; sleep 0.05 & exit 0" };

  for (guint i = 0; i < G_N_ELEMENTS (moments); i++)
    for (guint j = 0; j < G_N_ELEMENTS (lines); j++) {
      g_auto (Service) service = { .free_in = moments[i] };

      start (fixture, &service, lines[j]);
      WAIT_FOR (fixture, service.process == NULL);
      run_for (fixture, 100 * 1000);
      g_assert_cmpuint (service.n_ended, ==, i == 0 ? 0 : 1);
      g_assert_cmpuint (service.n_empty, ==, i == 2 ? 1 : 0);
    }
}

/* Held by a debugger, a process that has ended cannot be reaped: the daemon waits for that without turning
 * round and round. */
static void
test_traced (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  int attached[2];
  char result = 0;
  guint n_turns = 0;
  pid_t tracer;

  start (fixture, &service, "sleep 1000");
  g_assert_cmpint (pipe (attached), ==, 0);
  tracer = fork ();
  if (tracer == 0) {
    result = ptrace (PTRACE_SEIZE, zinit_process_get_pid (service.process), NULL, NULL) == 0;
    if (write (attached[1], &result, 1) == 1)
      pause ();
    _exit (0);
  }
  /* It would be taken for what the service has left: it has no tags, and began just after it. */
  zinit_strays_disown (fixture->processes, tracer);
  g_assert_cmpint (read (attached[0], &result, 1), ==, 1);
  close (attached[0]);
  close (attached[1]);
  zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL);
  if (result) {
    for (gint64 end_usec = g_get_monotonic_time () + 300 * 1000; turn_until (fixture, end_usec);)
      n_turns++;
    g_assert_cmpuint (n_turns, <, 100);
    g_assert_cmpuint (service.n_ended, ==, 0);
  }
  kill (tracer, SIGKILL);
  WAIT_FOR (fixture, service.n_empty == 1);
  assert_end (&service, ZINIT_EXIT_KILLED, SIGKILL);
}

static void
test_stats (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  ZinitProcessStats stats;
  const ZinitProcessInfo *info;

  start (fixture, &service, "sleep 1000 & i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo x; wait");
  WAIT_FOR (fixture, service.n_bytes > 0);
  zinit_process_read_stats (service.process, &stats);
  g_assert_cmpuint (stats.processes->len, ==, 2);
  info = &g_array_index (stats.processes, ZinitProcessInfo, 0);
  g_assert_cmpint (MIN (info[0].pid, info[1].pid), ==, info[0].pid);
  g_assert_true (info[0].pid == zinit_process_get_pid (service.process) ||
                 info[1].pid == zinit_process_get_pid (service.process));
  for (guint i = 0; i < 2; i++)
    g_assert_cmpstr (info[i].name, ==,
                     info[i].pid == zinit_process_get_pid (service.process) ? "sh" : "sleep");
  g_assert_cmpuint (stats.cpu_usec, >=, 10000);
  g_assert_cmpuint (stats.memory_bytes, >, 100000);
  zinit_process_stats_clear (&stats);
  zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL);
  WAIT_FOR (fixture, service.n_empty == 1);
  zinit_process_read_stats (service.process, &stats);
  g_assert_cmpuint (stats.processes->len, ==, 0);
  g_assert_cmpuint (stats.memory_bytes, ==, 0);
  zinit_process_stats_clear (&stats);
}

/* The cost of statistics is that of the service's own processes, however many others there are. */
static void
test_stats_cost (Fixture *fixture, gconstpointer unused)
{
  Service services[20] = { 0 };
  ZinitProcess *processes[G_N_ELEMENTS (services)];
  ZinitProcessStats stats[G_N_ELEMENTS (services)];
  guint64 alone = 0, among_others = 0, all;

  for (guint i = 0; i < G_N_ELEMENTS (services); i++) {
    start (fixture, &services[i], "sleep 1000");
    processes[i] = services[i].process;
    if (i != 0 && i != G_N_ELEMENTS (services) - 1)
      continue;
    fixture->processes->strays_turn = fixture->processes->next_strays_usec = 0;
    alone = i == 0 ? 0 : among_others;
    among_others = zinit_proc_get_n_opens ();
    zinit_process_read_stats (processes[0], &stats[0]);
    among_others = zinit_proc_get_n_opens () - among_others;
    g_assert_cmpuint (stats[0].processes->len, ==, 1);
    zinit_process_stats_clear (&stats[0]);
  }
  g_assert_cmpuint (among_others, ==, alone);
  g_assert_cmpuint (among_others, <=, 3);
  all = zinit_proc_get_n_opens ();
  zinit_processes_read_stats (processes, G_N_ELEMENTS (processes), stats);
  g_assert_cmpuint (zinit_proc_get_n_opens () - all, <=, 2 * G_N_ELEMENTS (services) + 1);
  for (guint i = 0; i < G_N_ELEMENTS (services); i++) {
    g_assert_cmpuint (stats[i].processes->len, ==, 1);
    zinit_process_stats_clear (&stats[i]);
    zinit_process_signal (services[i].process, SIGKILL, ZINIT_WHOM_ALL, NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (services); i++) {
    WAIT_FOR (fixture, services[i].n_empty == 1);
    finish (&services[i]);
  }
}

static gboolean
count_number (pid_t pid, gpointer data)
{
  ++*(guint *)data;
  return TRUE;
}

/* Many that are stopped in one turn of the loop share one walk. */
static void
test_stop_cost (Fixture *fixture, gconstpointer unused)
{
  Service services[60] = { 0 };
  guint n_processes = 0;
  guint64 before;

  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    start (fixture, &services[i], "sleep 1000");
  zinit_proc_foreach_number (count_number, &n_processes);
  before = zinit_proc_get_n_opens ();
  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    g_assert_true (zinit_process_stop (services[i].process, SIGTERM, ZINIT_WHOM_ALL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    WAIT_FOR (fixture, services[i].n_empty == 1);
  /* A scan for what is held reads each of them as well. */
  if (fixture->processes->has_group_signals)
    g_assert_cmpuint (zinit_proc_get_n_opens () - before, <, 3 * n_processes);
  for (guint i = 0; i < G_N_ELEMENTS (services); i++)
    finish (&services[i]);
}

/* Went to the background: the oldest of those that are left becomes the main process, and its end is told as
 * that of any. */
static void
test_adopt_main (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  g_autoptr (GError) error = NULL;
  guint64 start_ticks;
  int first, second;
  pid_t pid;

  start (fixture, &service,
         "setsid sh -c 'echo $$; sleep 0.05; setsid sh -c \"echo \\$\\$; exec sleep 1000\" & wait; exit 3' & "
         "sleep 0.2");
  WAIT_FOR (fixture, service.n_ended == 1 && sscanf (said (&service), "%d %d", &first, &second) == 2);
  g_assert_cmpuint (service.n_empty, ==, 0);
  g_assert_true (zinit_process_find_oldest (service.process, &pid, &start_ticks));
  g_assert_cmpint (pid, ==, first);
  g_assert_false (zinit_process_adopt_main (service.process, pid, start_ticks + 1, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_true (zinit_process_adopt_main (service.process, pid, start_ticks, NULL));
  g_assert_true (zinit_process_has_main (service.process));
  g_assert_cmpint (zinit_process_get_pid (service.process), ==, first);
  g_assert_cmpuint (zinit_process_get_start_ticks (service.process), ==, start_ticks);
  service.n_ended = 0;
  g_assert_cmpint (kill (second, SIGKILL), ==, 0);
  WAIT_FOR (fixture, service.n_ended == 1);
  assert_end (&service, ZINIT_EXIT_EXITED, 3);
  WAIT_FOR (fixture, service.n_empty == 1);
}

/* And a stop reaches all of it. */
static void
test_stop_adopted_main (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  guint64 start_ticks;
  pid_t pid;

  start (fixture, &service, "setsid sh -c 'setsid sleep 1000 & sleep 1000 & wait' & sleep 1000 & sleep 0.1");
  WAIT_FOR (fixture, service.n_ended == 1);
  g_assert_true (zinit_process_find_oldest (service.process, &pid, &start_ticks));
  g_assert_true (zinit_process_adopt_main (service.process, pid, start_ticks, NULL));
  service.n_ended = 0;
  g_assert_true (zinit_process_stop (service.process, SIGTERM, ZINIT_WHOM_ALL, NULL));
  WAIT_FOR (fixture, service.n_ended == 1);
  assert_end (&service, ZINIT_EXIT_KILLED, SIGTERM);
  WAIT_FOR (fixture, service.n_empty == 1);
}

static const ProcessTest tests[] = {
  { "signal", test_signal },         { "group", test_group },
  { "outlives", test_outlives },     { "foreign-zombie", test_foreign_zombie },
  { "orphan", test_orphan },         { "many-orphans", test_many_orphans },
  { "free-alive", test_free_alive }, { "free-in-callback", test_free_in_callback },
  { "traced", test_traced },         { "stats", test_stats },
  { "stats-cost", test_stats_cost }, { "stop-cost", test_stop_cost },
  { "adopt-main", test_adopt_main }, { "stop-adopted-main", test_stop_adopted_main },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, tests, G_N_ELEMENTS (tests));
}
