/* SPDX-License-Identifier: Apache-2.0
 *
 * Output of services: complete, given before the end, and never in the way of anybody else.
 */
#include "process-harness.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "process/private.h"

static void
test_streams (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };

  run (fixture, &service, "printf out; printf err >&2; printf more");
  g_assert_cmpstr (service.outputs[ZINIT_STREAM_STDOUT]->str, ==, "outmore");
  g_assert_cmpstr (service.outputs[ZINIT_STREAM_STDERR]->str, ==, "err");
  g_assert_cmpuint (service.bytes_at_end, ==, strlen ("outmoreerr"));
}

/* Two nearly full pipes and the end are there at the same moment: the output is given first. */
static void
test_before_end (Fixture *fixture, gconstpointer unused)
{
  for (guint i = 0; i < 5; i++) {
    g_auto (Service) service = { 0 };
    siginfo_t info = { 0 };

    start (fixture, &service, "head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2; exit 4");
    g_assert_cmpint (waitid (P_PID, (id_t)zinit_process_get_pid (service.process), &info, WEXITED | WNOWAIT),
                     ==, 0);
    WAIT_FOR (fixture, service.n_ended == 1);
    g_assert_cmpuint (service.bytes_at_end, ==, 120000);
    assert_end (&service, ZINIT_EXIT_EXITED, 4);
    WAIT_FOR (fixture, service.n_empty == 1);
  }
}

/* The reader goes away while the service writes: the service does not notice. */
static void
test_no_sigpipe (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *folder = g_dir_make_tmp ("zinit-process-XXXXXX", NULL);
  g_autofree char *mark = g_build_filename (folder, "mark", NULL);
  g_autofree char *exec = g_strdup_printf (
      "echo up; sleep 0.2; echo into; echo nothing >&2; echo written >%s; exec sleep 1000", mark);
  g_auto (Service) service = { 0 };
  pid_t pid;

  start (fixture, &service, exec);
  WAIT_FOR (fixture, service.n_bytes > 0);
  pid = zinit_process_get_pid (service.process);
  service_free_process (&service);
  WAIT_FOR (fixture, (run_for (fixture, 10 * 1000), g_file_test (mark, G_FILE_TEST_EXISTS)));
  g_assert_true (is_alive (pid));
  kill (-pid, SIGKILL);
  g_assert_cmpint (g_remove (mark), ==, 0);
  g_assert_cmpint (g_remove (folder), ==, 0);
}

/* A service that closes its output and lives on: the pipes are let go. */
static void
test_closed (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };

  start (fixture, &service, "exec >/dev/null 2>&1; exec sleep 1000");
  WAIT_FOR (fixture, service.process->outputs[ZINIT_STREAM_STDOUT].fd < 0 &&
                         service.process->outputs[ZINIT_STREAM_STDERR].fd < 0);
  g_assert_true (zinit_process_has_main (service.process));
  zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL);
  WAIT_FOR (fixture, service.n_empty == 1);
}

/* A flood is slowed down and loses nothing; another service is heard meanwhile. */
static void
test_flood (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) flood = { .counts_only = TRUE };
  g_auto (Service) quiet = { 0 };
  gint64 began_usec = g_get_monotonic_time ();
  gint64 passed_usec;

  start (fixture, &flood, "exec head -c 4000000 /dev/zero");
  start (fixture, &quiet, "echo hello; exec sleep 1000");
  WAIT_FOR (fixture, quiet.n_bytes > 0);
  g_assert_cmpuint (flood.n_ended, ==, 0);
  WAIT_FOR (fixture, flood.n_ended == 1);
  passed_usec = g_get_monotonic_time () - began_usec;
  g_assert_cmpuint (flood.bytes_at_end, ==, 4000000);
  g_assert_cmpint (passed_usec, >, 200 * 1000); /* 1 MiB at once, then at 100, 200 and 300 ms */
  zinit_process_signal (quiet.process, SIGKILL, ZINIT_WHOM_ALL, NULL);
  WAIT_FOR (fixture, quiet.n_empty == 1 && flood.n_empty == 1);
}

/* A flood that goes on after the first process has ended does not hold up the news of its end. */
static void
test_flood_outlives (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { .counts_only = TRUE };

  start (fixture, &service, "yes & sleep 0.05; exit 0");
  WAIT_FOR (fixture, service.n_ended == 1);
  g_assert_true (zinit_process_signal (service.process, SIGKILL, ZINIT_WHOM_ALL, NULL));
  WAIT_FOR (fixture, service.n_empty == 1);
}

static const ProcessTest tests[] = {
  { "streams", test_streams }, { "before-end", test_before_end }, { "no-sigpipe", test_no_sigpipe },
  { "closed", test_closed },   { "flood", test_flood },           { "flood-outlives", test_flood_outlives },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, tests, G_N_ELEMENTS (tests));
}
