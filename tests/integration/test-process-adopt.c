/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that somebody else has started and will reap: when their end is noticed, and by what.
 */
#include "process-harness.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "process/private.h"

#define OTHER_UID 65534

/* A process that leads a session, and its parent, which does as it is told. */
typedef struct {
  pid_t parent, pid;
  int to_parent, to_child; /* a byte lets the one reap, the other go on */
  uid_t uid;               /* whom it belongs to, 0 = us */
} Stranger;

static void
await_byte (int fd)
{
  char byte;

  if (read (fd, &byte, 1) != 1)
    _exit (100);
}

static void
let (int fd)
{
  g_assert_cmpint (write (fd, "", 1), ==, 1);
}

/* Once it may, it exits with 7; the other that it leaves behind needs a byte of its own. */
static void
run_non_child (int go_fd, gboolean has_other, uid_t uid)
{
  if (uid != 0 && setuid (uid) != 0)
    _exit (100);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setsid ();
  await_byte (go_fd);
  if (has_other && fork () == 0) {
    await_byte (go_fd);
    _exit (0);
  }
  _exit (7);
}

static void
run_parent (int pid_fd, int reap_fd, int go_fd, gboolean has_other, uid_t uid)
{
  pid_t pid;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  pid = fork ();
  if (pid == 0)
    run_non_child (go_fd, has_other, uid);
  if (write (pid_fd, &pid, sizeof pid) != sizeof pid)
    _exit (100);
  await_byte (reap_fd);
  waitpid (pid, NULL, 0);
  for (;;)
    pause ();
}

static void
on_main_ended (ZinitProcess *process, const ZinitExit *end, gpointer data)
{
  Service *service = data;

  service->end = *end;
  service->n_ended++;
}

static void
on_exit_known (ZinitProcess *process, const ZinitExit *end, gpointer data)
{
  Service *service = data;

  g_assert_cmpuint (service->n_ended, ==, 1);
  g_assert_false (zinit_process_awaits_exit (process));
  service->end = *end;
  service_free_process (service);
}

static void
on_group_empty (ZinitProcess *process, gpointer data)
{
  Service *service = data;

  g_assert_cmpuint (service->n_ended, ==, 1);
  service->n_empty++;
}

static const ZinitProcessEvents events = { .main_ended = on_main_ended,
                                           .group_empty = on_group_empty,
                                           .exit_known = on_exit_known };

static void
adopt (Fixture *fixture, Service *service, Stranger *non_child, gboolean has_other)
{
  ZinitAdoption adoption = { .outputs = { -1, -1 } };
  int pid_fds[2], reap_fds[2], go_fds[2];

  g_assert_cmpint (pipe (pid_fds) | pipe (reap_fds) | pipe (go_fds), ==, 0);
  non_child->parent = fork ();
  if (non_child->parent == 0)
    run_parent (pid_fds[1], reap_fds[0], go_fds[0], has_other, non_child->uid);
  g_assert_cmpint (read (pid_fds[0], &non_child->pid, sizeof (pid_t)), ==, sizeof (pid_t));
  close (pid_fds[0]);
  close (pid_fds[1]);
  close (reap_fds[0]);
  close (go_fds[0]);
  non_child->to_parent = reap_fds[1];
  non_child->to_child = go_fds[1];
  adoption.pid = non_child->pid;
  adoption.pidfd = pidfd_open (non_child->pid, 0);
  service->process = zinit_process_adopt (fixture->processes, &adoption, &events, service);
}

static void
stranger_clear (Stranger *non_child)
{
  close (non_child->to_parent);
  close (non_child->to_child);
  kill (non_child->parent, SIGKILL);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stranger, stranger_clear)

/* No look into /proc is taken from now on. */
static void
forbid_looks (Fixture *fixture)
{
  fixture->processes->next_scan_usec = g_get_monotonic_time () + G_TIME_SPAN_HOUR;
}

/* It exited with 7 and its parent reaped it at once. A kernel that does not tell it after that leaves a
 * moment in which the zombie can be asked. */
static void
assert_end_of_reaped (const Service *service)
{
  if (kernel_tells_exits () || service->end.kind != ZINIT_EXIT_UNKNOWN)
    assert_end (service, ZINIT_EXIT_EXITED, 7);
}

/* The parent reaps: the kernel tells all there is to tell. */
static void
test_reaped (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  g_auto (Stranger) non_child = { 0 };

  adopt (fixture, &service, &non_child, FALSE);
  if (fixture->processes->has_group_signals)
    forbid_looks (fixture);
  let (non_child.to_parent);
  let (non_child.to_child);
  WAIT_FOR (fixture, service.n_empty == 1);
  assert_end_of_reaped (&service);
}

/* It does not: that is found out all the same, and until then the end is not told, as nobody knows yet
 * whether there is something to clean up. */
static void
test_not_reaped (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  g_auto (Stranger) non_child = { 0 };
  gint64 began_usec;

  adopt (fixture, &service, &non_child, FALSE);
  began_usec = g_get_monotonic_time ();
  let (non_child.to_child);
  WAIT_FOR (fixture, service.n_ended == 1);
  g_assert_cmpuint (service.n_empty, ==, 1);
  assert_end (&service, ZINIT_EXIT_EXITED, 7);
  g_assert_cmpint (g_get_monotonic_time () - began_usec, <,
                   (gint64)(2 * G_USEC_PER_SEC * processes_slowness ()));
  g_assert_cmpint (kill (non_child.pid, 0), ==, 0);
}

/* Those that come late are the rule, and the others do not suffer from it. */
static void
test_reaped_late (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  g_auto (Stranger) non_child = { 0 };

  adopt (fixture, &service, &non_child, FALSE);
  if (fixture->processes->has_group_signals)
    forbid_looks (fixture);
  let (non_child.to_child);
  run_for (fixture, 100 * 1000);
  if (fixture->processes->has_group_signals)
    g_assert_cmpuint (service.n_ended, ==, 0);
  let (non_child.to_parent);
  WAIT_FOR (fixture, service.n_empty == 1);
  assert_end (&service, ZINIT_EXIT_EXITED, 7);
}

/* Others of its group outlive it, whether it is reaped or not. */
static void
test_outlived (Fixture *fixture, gconstpointer unused)
{
  for (guint is_reaped = 0; is_reaped < 2; is_reaped++) {
    g_auto (Service) service = { 0 };
    g_auto (Stranger) non_child = { 0 };

    adopt (fixture, &service, &non_child, TRUE);
    if (is_reaped)
      let (non_child.to_parent);
    let (non_child.to_child);
    WAIT_FOR (fixture, service.n_ended == 1);
    assert_end_of_reaped (&service);
    run_for (fixture, 100 * 1000);
    g_assert_cmpuint (service.n_empty, ==, 0);
    let (non_child.to_child);
    WAIT_FOR (fixture, service.n_empty == 1);
  }
}

/* Takes away, or gives back, the right to ask about processes of others. */
static void
set_may_ask (gboolean may)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

  g_assert_cmpint (syscall (SYS_capget, &header, data), ==, 0);
  data[0].effective = (data[0].effective & ~(1U << CAP_SYS_PTRACE)) | (may ? 1U << CAP_SYS_PTRACE : 0);
  g_assert_cmpint (syscall (SYS_capset, &header, data), ==, 0);
}

/* How it ended is not to be known before it is reaped. Nothing waits for that, but it is told then. */
static void
test_exit_unknown (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) service = { 0 };
  g_auto (Stranger) non_child = { .uid = OTHER_UID };
  gboolean is_told;

  if (geteuid () != 0) {
    g_test_skip ("only root starts processes of others");
    return;
  }
  set_may_ask (FALSE);
  adopt (fixture, &service, &non_child, FALSE);
  let (non_child.to_child);
  WAIT_FOR (fixture, service.n_empty == 1);
  assert_end (&service, ZINIT_EXIT_UNKNOWN, -1);
  is_told = zinit_process_awaits_exit (service.process);
  g_assert_cmpint (is_told, ==, fixture->processes->has_group_signals);
  let (non_child.to_parent);
  if (is_told)
    WAIT_FOR (fixture, service.process == NULL);
  set_may_ask (TRUE);
  g_assert_cmpuint (service.n_ended, ==, 1);
  g_assert_cmpuint (service.n_empty, ==, 1);
  if (is_told)
    assert_end_of_reaped (&service);
}

static void
adopt_group (Fixture *fixture, Service *service, pid_t group, const char *mark)
{
  const char *const tags[] = { mark, NULL };
  ZinitAdoption adoption = {
    .pid = group, .pidfd = -1, .outputs = { -1, -1 }, .main_ended = TRUE, .tags = tags
  };

  service->n_ended = 1;
  service->process = zinit_process_adopt (fixture->processes, &adoption, &events, service);
  g_assert_false (zinit_process_has_main (service->process));
}

/* A group without its first process: who has its marks is signalled and waited for, and nobody else, whatever
 * the number says. */
static void
test_group (Fixture *fixture, gconstpointer unused)
{
  g_auto (Service) first = { 0 }, wrong = { 0 }, right = { 0 };
  g_autoptr (GError) error = NULL;
  int marked, unmarked;
  pid_t group;

  start (fixture, &first, "sleep 1000 & echo $!; ZINIT_MARK=x sleep 1000 & echo $!");
  WAIT_FOR (fixture, first.n_ended == 1 && sscanf (said (&first), "%d %d", &marked, &unmarked) == 2);
  group = zinit_process_get_pid (first.process);
  service_free_process (&first);

  adopt_group (fixture, &wrong, group, "ZINIT_MARK=y");
  g_assert_false (zinit_process_signal (wrong.process, SIGKILL, ZINIT_WHOM_ALL, &error));
  WAIT_FOR (fixture, wrong.n_empty == 1);

  adopt_group (fixture, &right, group, "ZINIT_MARK=m");
  g_assert_false (zinit_process_signal (right.process, SIGKILL, ZINIT_WHOM_MAIN, &error));
  run_for (fixture, 300 * 1000);
  g_assert_cmpuint (right.n_empty, ==, 0);
  g_assert_true (zinit_process_signal (right.process, SIGKILL, ZINIT_WHOM_ALL, &error));
  g_assert_no_error (error);
  WAIT_FOR (fixture, right.n_empty == 1);
  g_assert_false (is_alive (marked));
  g_assert_cmpint (kill (unmarked, SIGKILL), ==, 0);
}

static void
on_output (ZinitProcess *process, ZinitStream stream, const char *bytes, gsize length, gpointer data)
{
  g_string_append_len (((Service *)data)->outputs[stream], bytes, (gssize)length);
}

/* The kernel has no room for one more descriptor to be waited for. The process is adopted all the same, and
 * once there is room, what it has written is read and its end is noticed. */
static void
test_unheard (Fixture *fixture, gconstpointer unused)
{
  static const ZinitProcessEvents all_events = { .main_ended = on_main_ended,
                                                 .group_empty = on_group_empty,
                                                 .output = on_output };
  g_auto (Service) service = { 0 };
  /* A descriptor that no epoll takes stands in for each of them. */
  ZinitAdoption adoption = { .pidfd = open ("/dev/null", O_RDWR | O_CLOEXEC),
                             .outputs = { open ("/dev/null", O_RDWR | O_CLOEXEC), -1 } };
  int pipe_fds[2], pidfd;

  service.outputs[ZINIT_STREAM_STDOUT] = g_string_new (NULL);
  g_assert_cmpint (pipe (pipe_fds), ==, 0);
  adoption.pid = fork ();
  if (adoption.pid == 0) {
    setsid ();
    g_assert_cmpint (write (pipe_fds[1], "a\n", 2), ==, 2);
    pause ();
  }
  pidfd = pidfd_open (adoption.pid, 0);
  service.process = zinit_process_adopt (fixture->processes, &adoption, &all_events, &service);
  run_for (fixture, 300 * 1000);
  g_assert_cmpuint (service.n_ended, ==, 0);
  g_assert_cmpint (dup3 (pidfd, adoption.pidfd, O_CLOEXEC), ==, adoption.pidfd);
  g_assert_cmpint (dup3 (pipe_fds[0], adoption.outputs[0], O_CLOEXEC), ==, adoption.outputs[0]);
  WAIT_FOR (fixture, g_str_equal (said (&service), "a\n"));
  kill (adoption.pid, SIGKILL);
  WAIT_FOR (fixture, service.n_ended == 1 && service.n_empty == 1);
  assert_end (&service, ZINIT_EXIT_KILLED, SIGKILL);
  close (pidfd);
  close (pipe_fds[0]);
  close (pipe_fds[1]);
}

static const ProcessTest tests[] = {
  { "reaped", test_reaped },     { "not-reaped", test_not_reaped },     { "reaped-late", test_reaped_late },
  { "outlived", test_outlived }, { "exit-unknown", test_exit_unknown }, { "group", test_group },
  { "unheard", test_unheard },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, tests, G_N_ELEMENTS (tests));
}
