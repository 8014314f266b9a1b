/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule G3: an error while the kernel is asked about a process is no death. The next daemon starts no second
 * copy, says what it does not know, and adopts the process once the error is over.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../integration/survival.h"
#include "fault-control.h"
#include "processes.h"

static const char *const options[] = { "--no-bus", NULL };

typedef struct {
  Harness *h;
  FaultControl *control;
  char *control_path;
  pid_t pid; /* of web, which hides its tags: only its record tells of it */
} Run;

static void
run_begin (Run *run)
{
  g_autofree char *stamps = NULL;
  g_autofree char *orders = NULL;
  int fd;

  run->h = harness_new ();
  run->control_path = harness_path (run->h, "control");
  fd = open (run->control_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (ftruncate (fd, sizeof (FaultControl)), ==, 0);
  run->control = mmap (NULL, sizeof (FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (run->control != MAP_FAILED);
  close (fd);
  stamps = harness_path (run->h, "stamps");
  orders = g_strdup_printf ("hide-title stamp %s while %s", stamps, run->h->directory);
  harness_service (run->h, "web", orders, "");
  survival_start (run->h);
  client_wait_state (run->h->client, "web", "running");
  g_strfreev (harness_wait_lines (run->h, "stamps", 1));
  run->pid = (pid_t)client_get_pid (run->h->client, "web");
}

static void
run_end (Run *run)
{
  munmap (run->control, sizeof (FaultControl));
  g_free (run->control_path);
  harness_finish (run->h);
}

/* For the next daemon. */
static void
set_wrapper (Run *run, const char *tool, const char *arguments)
{
  g_free (run->h->wrapper);
  run->h->wrapper = tool != NULL ? g_strdup_printf ("%s %s --", tool, arguments) : NULL;
}

static void
set_fault (Run *run, const char *arguments)
{
  g_autofree char *all = g_strdup_printf ("--control %s %s", run->control_path, arguments);

  run->control->stop = run->control->n_hits = 0;
  set_wrapper (run, g_getenv ("ZINIT_SYSCALL_FAULT"), all);
}

/* It is the one that was started first, and no other was started since. */
static void
check_adopted (Run *run)
{
  g_auto (GStrv) lines = NULL;

  client_wait_state (run->h->client, "web", "running");
  client_wait_property (run->h->client, "web", "StatusText", "");
  g_assert_cmpuint (client_get_pid (run->h->client, "web"), ==, (guint32)run->pid);
  assert_property (run->h->client, "web", "RestartCount", "0");
  lines = harness_wait_lines (run->h, "stamps", 1);
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
}

/* While pidfd_open(2) fails. */
static void
test_pidfd (gconstpointer data)
{
  g_autofree char *fault =
      g_strdup_printf ("--unseen --call pidfd_open --fail %s --count 1000000 --same", (const char *)data);
  g_autofree char *text = NULL, *said = NULL;
  Run run;

  run_begin (&run);
  survival_crash (run.h);
  set_fault (&run, fault);
  survival_start (run.h);
  set_wrapper (&run, NULL, NULL);
  g_assert_cmpuint (run.control->n_hits, >, 0);
  text = client_get_text (run.h->client, "web", "StatusText");
  said = g_strdup_printf ("it is not known whether process %d lives, which is asked again: %s", (int)run.pid,
                          g_str_equal (data, "EMFILE") ? "Too many open files" : "Cannot allocate memory");
  if (strstr (text, said) == NULL)
    g_error ("the status text is “%s”, without “%s”", text, said);
  assert_property (run.h->client, "web", "State", "running");
  g_assert_cmpuint (client_get_pid (run.h->client, "web"), ==, (guint32)run.pid);
  run.control->stop = 1;
  check_adopted (&run);
  survival_start_again (run.h);
  check_adopted (&run);
  run_end (&run);
}

/* What is asked for meanwhile is done when it is known: it is stopped, and nothing is started before. */
static void
test_stop (void)
{
  Run run;

  run_begin (&run);
  survival_crash (run.h);
  set_fault (&run, "--unseen --call pidfd_open --fail EMFILE --count 1000000 --same");
  survival_start (run.h);
  set_wrapper (&run, NULL, NULL);
  g_variant_unref (client_ok (run.h->client, "StopService", "('web', " NO_OPTIONS ")"));
  assert_property (run.h->client, "web", "State", "stopping");
  g_assert_true (processes_is_alive (run.pid));
  run.control->stop = 1;
  client_wait_property (run.h->client, "web", "Pid", "0");
  assert_property (run.h->client, "web", "WantedStatus", "stop");
  g_assert_false (processes_is_alive (run.pid));
  run_end (&run);
}

/* TRUE when it is ready, FALSE when it has ended. */
static gboolean
wait_ready_or_end (Harness *h)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  struct pollfd poll_fd = { h->notify_fd, POLLIN, 0 };

  while (processes_is_alive (h->daemon_pid)) {
    if (poll (&poll_fd, 1, 10) == 1) {
      harness_wait_ready (h);
      h->client = client_new_for_socket (h->socket);
      return TRUE;
    }
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
  harness_wait_exit (h);
  return FALSE;
}

/* Each call of one name that the next daemon makes, at each of its places, fails once. */
static void
test_each (gconstpointer data)
{
  g_autofree char *fault = g_strdup_printf ("--unseen --call %s", (const char *)data);
  guint n_places = 0;
  Run run;

  run_begin (&run);
  do {
    /* The definition too, should its file not be read. */
    survival_wait_saved (run.h, "web", "state", "\"running\"");
    survival_crash (run.h);
    set_fault (&run, fault);
    harness_launch (run.h, options);
    set_wrapper (&run, NULL, NULL);
    /* It need not manage to start. */
    if (!wait_ready_or_end (run.h))
      survival_start (run.h);
    run.control->stop = 1;
    n_places += run.control->n_hits;
    g_test_message ("place %" G_GINT64_MODIFIER "x of %s", run.control->hit.place, fault);
    check_adopted (&run);
  } while (run.control->n_hits > 0);
  g_assert_cmpuint (n_places, >, 3);
  run_end (&run);
}

/* So few descriptors that one of the steps of the start gets none, whichever that is. Such a daemon waits,
 * ends or supervises; it starts nothing a second time. */
static void
test_few_descriptors (void)
{
  static const guint limits[] = { 8, 20, 24, 28, 32, 36, 40, 48, 64 };
  Run run;

  run_begin (&run);
  survival_wait_saved (run.h, "web", "state", "\"running\"");
  survival_crash (run.h);
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++) {
    g_autofree char *limit = g_strdup_printf ("--nofile=%u:%u", limits[i], limits[i]);
    struct pollfd poll_fd = { run.h->notify_fd, POLLIN, 0 };

    set_wrapper (&run, "prlimit", limit);
    harness_launch (run.h, options);
    /* Until it supervises, or long enough for a wrong start. */
    poll (&poll_fd, 1, 300);
    kill (run.h->daemon_pid, SIGKILL);
    harness_wait_exit (run.h);
  }
  set_wrapper (&run, NULL, NULL);
  survival_start (run.h);
  check_adopted (&run);
  run_end (&run);
}

int
main (int argc, char **argv)
{
  /* Services of a killed daemon are reaped by nobody else before the test looks at them. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  harness_init (&argc, &argv);
  g_test_add_data_func ("/rules/G3/pidfd-EMFILE", "EMFILE", test_pidfd);
  g_test_add_data_func ("/rules/G3/pidfd-ENOMEM", "ENOMEM", test_pidfd);
  g_test_add_func ("/rules/G3/stop", test_stop);
  g_test_add_data_func ("/rules/G3/each-open", "openat --fail EMFILE", test_each);
  g_test_add_data_func ("/rules/G3/each-read", "read --fail EIO", test_each);
  g_test_add_func ("/rules/G3/few-descriptors", test_few_descriptors);
  return g_test_run ();
}
