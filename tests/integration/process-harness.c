/* SPDX-License-Identifier: Apache-2.0
 *
 * The fixture of the process tests, and the state in which a daemon may have been started.
 */
#include "process-harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "process/private.h"

typedef enum { PLAIN, NO_GROUP_SIGNALS, ISOLATED, N_WAYS } Way;

static const char *const way_words[N_WAYS] = { "plain", "no-group-signals", "isolated" };

static void
set_up (Fixture *fixture, gconstpointer way)
{
  g_autoptr (GError) error = NULL;

  *fixture = (Fixture){ 0 };
  fixture->loop = zinit_loop_new (NULL, &error);
  g_assert_no_error (error);
  fixture->processes = zinit_processes_new (fixture->loop, &error);
  g_assert_no_error (error);
  if (GPOINTER_TO_INT (way) == NO_GROUP_SIGNALS)
    fixture->processes->has_group_signals = FALSE;
  if (GPOINTER_TO_INT (way) == ISOLATED)
    fixture->processes->spawner.is_isolated = TRUE;
}

static gboolean
has_children (void)
{
  siginfo_t info = { 0 };

  return waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  WAIT_FOR (fixture, !has_children ());
  zinit_processes_free (fixture->processes);
  zinit_loop_free (fixture->loop);
}

static void
on_wake (ZinitTimer *timer)
{
}

gboolean
turn_until (Fixture *fixture, gint64 deadline_usec)
{
  zinit_loop_arm (fixture->loop, &fixture->wake, deadline_usec, on_wake);
  g_main_context_iteration (NULL, TRUE);
  zinit_loop_disarm (fixture->loop, &fixture->wake);
  return g_get_monotonic_time () < deadline_usec;
}

void
run_for (Fixture *fixture, gint64 usec)
{
  gint64 deadline_usec = g_get_monotonic_time () + usec;

  while (turn_until (fixture, deadline_usec))
    continue;
}

static void
on_output (ZinitProcess *process, ZinitStream stream, const char *bytes, gsize length, gpointer data)
{
  Service *service = data;

  g_assert_true (process == service->process);
  g_assert_cmpuint (service->n_empty, ==, 0);
  service->n_bytes += length;
  if (!service->counts_only)
    g_string_append_len (service->outputs[stream], bytes, (gssize)length);
  if (g_strcmp0 (service->free_in, "output") == 0)
    service_free_process (service);
}

static void
on_main_ended (ZinitProcess *process, const ZinitExit *end, gpointer data)
{
  Service *service = data;

  g_assert_true (process == service->process);
  g_assert_false (zinit_process_has_main (process));
  g_assert_false (zinit_process_signal (process, SIGKILL, ZINIT_WHOM_MAIN, NULL));
  service->end = *end;
  service->n_ended++;
  service->bytes_at_end = service->n_bytes;
  if (g_strcmp0 (service->free_in, "ended") == 0)
    service_free_process (service);
}

static void
on_group_empty (ZinitProcess *process, gpointer data)
{
  Service *service = data;

  g_assert_true (process == service->process);
  g_assert_cmpuint (service->n_ended, ==, 1);
  service->n_empty++;
  if (g_strcmp0 (service->free_in, "empty") == 0)
    service_free_process (service);
}

gboolean
start_definition (Fixture *fixture, Service *service, const ZinitDefinition *definition, GError **error)
{
  static const ZinitProcessEvents events = { .main_ended = on_main_ended,
                                             .group_empty = on_group_empty,
                                             .output = on_output };
  static guint n_runs;
  g_autofree char *run = g_strdup_printf ("ZINIT_RUN=%u", ++n_runs);
  const char *const tags[] = { "ZINIT_MARK=m", "ZINIT_SERVICE=s", run, NULL };
  ZinitSpawnRequest request = { .definition = definition, .tags = tags };

  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    service->outputs[i] = g_string_new (NULL);
  service->process = zinit_process_spawn (fixture->processes, &request, &events, service, error);
  return service->process != NULL;
}

void
start (Fixture *fixture, Service *service, const char *exec)
{
  ZinitDefinition definition = { .exec = (char *)exec };
  g_autoptr (GError) error = NULL;

  start_definition (fixture, service, &definition, &error);
  g_assert_no_error (error);
  g_assert_cmpint (zinit_process_get_pid (service->process), >, 0);
  g_assert_true (zinit_process_has_main (service->process));
}

void
run_definition (Fixture *fixture, Service *service, const ZinitDefinition *definition)
{
  g_autoptr (GError) error = NULL;

  start_definition (fixture, service, definition, &error);
  g_assert_no_error (error);
  WAIT_FOR (fixture, service->n_empty == 1);
}

void
run (Fixture *fixture, Service *service, const char *exec)
{
  ZinitDefinition definition = { .exec = (char *)exec };

  run_definition (fixture, service, &definition);
}

void
service_free_process (Service *service)
{
  zinit_process_free (service->process);
  service->process = NULL;
}

void
finish (Service *service)
{
  zinit_process_free (service->process);
  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    if (service->outputs[i] != NULL)
      g_string_free (service->outputs[i], TRUE);
}

const char *
said (const Service *service)
{
  return service->outputs[ZINIT_STREAM_STDOUT]->str;
}

void
assert_end (const Service *service, ZinitExitKind kind, int value)
{
  g_assert_cmpint (service->end.kind, ==, kind);
  g_assert_cmpint (service->end.value, ==, value);
}

guint
count_descriptors (void)
{
  DIR *folder = opendir ("/proc/self/fd");
  guint n = 0;

  while (readdir (folder) != NULL)
    n++;
  closedir (folder);
  return n;
}

gboolean
is_alive (pid_t pid)
{
  return kill (pid, 0) == 0;
}

static void
spoil_surroundings (void)
{
  struct rlimit files;

  g_setenv ("A", "inherited", TRUE);
  g_setenv ("INHERITED", "yes", TRUE);
  g_setenv ("NOTIFY_SOCKET", "/run/x", TRUE);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGQUIT, SIG_IGN);
  signal (SIGRTMIN + 3, SIG_IGN);
  signal (SIGCHLD, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &files), ==, 0);
  files.rlim_cur = MIN (files.rlim_max - 1, 512);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &files), ==, 0);
}

int
process_test_main (int argc, char **argv, const ProcessTest *tests, guint n_tests)
{
  g_test_init (&argc, &argv, NULL);
  spoil_surroundings ();
  for (Way way = 0; way < N_WAYS; way++)
    for (guint i = 0; i < n_tests; i++) {
      g_autofree char *path = g_strdup_printf ("/process/%s/%s", way_words[way], tests[i].name);

      g_test_add (path, Fixture, GINT_TO_POINTER (way), set_up, tests[i].func, tear_down);
    }
  return g_test_run ();
}
