/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to make a child, and the one function that runs in it. The fast way shares memory and descriptor
 * table and holds the daemon until exec: nothing is copied, however large the daemon is and however many
 * descriptors it has. The isolated way is fork. In the child only plain system calls are made; those of libc
 * that change the user would reach for the daemon's other threads.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/child-record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* An isolated child that has not come to exec by then is given up. */
#define EXEC_PATIENCE_MS 3000

/* On 32-bit machines the plain numbers are of the calls with 16-bit identities. */
#ifdef SYS_setresuid32
#define CALL_SETRESUID SYS_setresuid32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETGROUPS SYS_setgroups32
#else
#define CALL_SETRESUID SYS_setresuid
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETGROUPS SYS_setgroups
#endif

ZINIT_IN_CHILD static gboolean
apply_stdio (const ZinitChildPlan *plan)
{
  for (int fd = 0; fd < 3; fd++)
    if (dup2 (plan->stdio[fd], fd) < 0)
      return FALSE;
  return TRUE;
}

ZINIT_IN_CHILD static ZinitStep
apply_identity (const ZinitCredentials *identity)
{
  uid_t uid = identity->uid;
  gid_t gid = identity->gid;

  if (identity->sets_groups && syscall (CALL_SETGROUPS, identity->n_groups, identity->groups) != 0)
    return ZINIT_STEP_GROUPS;
  if (identity->sets_gid && syscall (CALL_SETRESGID, gid, gid, gid) != 0)
    return ZINIT_STEP_GROUP;
  if (identity->sets_uid && syscall (CALL_SETRESUID, uid, uid, uid) != 0)
    return ZINIT_STEP_USER;
  return ZINIT_STEP_NONE;
}

ZINIT_IN_CHILD static void
reset_signals (const ZinitChildPlan *plan)
{
  struct sigaction by_default = { .sa_handler = SIG_DFL };
  sigset_t none;

  for (int signo = 1; signo < NSIG; signo++)
    if (sigismember (&plan->resets, signo) == 1)
      sigaction (signo, &by_default, NULL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* Returns only on failure, with errno set. What is executed is recorded first, and not executed if the
 * daemon is gone: the next daemon starts the service by what it finds in the record. */
ZINIT_IN_CHILD static ZinitStep
execute (const ZinitChildPlan *plan)
{
  ZinitStep step;

  step = zinit_attributes_apply (plan->attributes);
  if (step != ZINIT_STEP_NONE)
    return step;
  if (!zinit_capabilities_bound (plan->capabilities))
    return ZINIT_STEP_CAPABILITIES;
  step = apply_identity (plan->identity);
  if (step != ZINIT_STEP_NONE)
    return step;
  if (!zinit_capabilities_set (plan->capabilities))
    return ZINIT_STEP_CAPABILITIES;
  if (plan->dir != NULL && chdir (plan->dir) != 0)
    return ZINIT_STEP_CHDIR;
  reset_signals (plan);
  if (getppid () != plan->daemon_pid) {
    errno = ESRCH;
    return ZINIT_STEP_DAEMON;
  }
  execve (plan->path, (char *const *)(gpointer)plan->argv, (char *const *)(gpointer)plan->environment);
  if (errno == ENOEXEC)
    execve (plan->shell_argv[0], (char *const *)(gpointer)plan->shell_argv,
            (char *const *)(gpointer)plan->environment);
  return ZINIT_STEP_EXEC;
}

/* The limit on the size of files holds for what is recorded after it, and is no reason to die of. */
ZINIT_IN_CHILD static void
survive_size_limit (void)
{
  sigset_t excess;

  sigemptyset (&excess);
  sigaddset (&excess, SIGXFSZ);
  sigprocmask (SIG_BLOCK, &excess, NULL);
}

/* A descriptor that is needed until exec leaves the number @wanted. */
ZINIT_IN_CHILD static gboolean
move_away (int *fd, int wanted)
{
  if (*fd != wanted)
    return TRUE;
  *fd = fcntl (*fd, F_DUPFD_CLOEXEC, wanted + 1);
  return *fd >= 0;
}

ZINIT_IN_CHILD static gboolean
apply_ready (const ZinitChildPlan *plan)
{
  if (plan->ready_fd < 0)
    return TRUE;
  /* Of the same number it would still be closed. */
  if (plan->ready_slot == plan->ready_fd)
    return fcntl (plan->ready_fd, F_SETFD, 0) == 0;
  return dup2 (plan->ready_slot, plan->ready_fd) >= 0;
}

/* Returns only on failure, with errno set. The first call matters most: until it has given the child a
 * descriptor table of its own (a copy of the few low ones) every other one would change the daemon's. The
 * plan is a copy of the child's own, and @report_fd (-1 = none) its as well. */
ZINIT_IN_CHILD static ZinitStep
run_child (ZinitChildPlan *plan, int *report_fd)
{
  unsigned int flags = plan->is_isolated ? CLOSE_RANGE_CLOEXEC : CLOSE_RANGE_UNSHARE;
  ZinitStartRecord record = { .fd = -1 };
  ZinitStep step;
  int reason;

  if (close_range (plan->first_other, ~0U, (int)flags) != 0 || !apply_stdio (plan))
    return ZINIT_STEP_STDIO;
  if (plan->record != NULL) {
    record = *plan->record;
    plan->record = &record;
  }
  if (plan->ready_fd >= 0 &&
      (!move_away (&record.fd, plan->ready_fd) || !move_away (&plan->lock_fd, plan->ready_fd) ||
       !move_away (report_fd, plan->ready_fd) || !apply_ready (plan)))
    return ZINIT_STEP_STDIO;
  if (setsid () < 0)
    return ZINIT_STEP_SESSION;
  zinit_child_record_start (plan);
  step = execute (plan);
  reason = errno;
  survive_size_limit ();
  zinit_child_record_abort (plan);
  errno = reason;
  return step;
}

typedef struct {
  const ZinitChildPlan *plan;
  ZinitStepFailure *failure;
} SharedArgument;

ZINIT_IN_CHILD static int
shared_main (void *data)
{
  SharedArgument *argument = data;

  ZinitChildPlan plan = *argument->plan;
  int no_report = -1;

  argument->failure->step = run_child (&plan, &no_report);
  argument->failure->reason = errno;
  syscall (SYS_exit_group, 127);
  return 127;
}

static pid_t
launch_shared (const ZinitChildPlan *plan, int *ret_pidfd, ZinitStepFailure *ret_failure)
{
  SharedArgument argument = { plan, ret_failure };
  int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD;

  return clone (shared_main, plan->stack, flags, &argument, ret_pidfd);
}

static void
wait_for_child (pid_t pid, int options)
{
  siginfo_t info;

  while (waitid (P_PID, (id_t)pid, &info, WEXITED | options) != 0 && errno == EINTR)
    continue;
}

static void
isolated_main (ZinitChildPlan plan, int report_fd)
{
  ZinitStepFailure failure;

  failure.step = run_child (&plan, &report_fd);
  failure.reason = errno;
  if (write (report_fd, &failure, sizeof failure) != sizeof failure)
    syscall (SYS_exit_group, 126);
  syscall (SYS_exit_group, 127);
}

/* The pipe closes at exec. FALSE with *@failure filled when a failure comes out of it, or nothing for too
 * long.
 */
static gboolean
await_exec (int report_fd, pid_t pid, ZinitStepFailure *failure)
{
  struct pollfd poll_fd = { .fd = report_fd, .events = POLLIN };
  gint64 deadline_usec = g_get_monotonic_time () + EXEC_PATIENCE_MS * 1000;
  int n_ready;

  do {
    gint64 left_ms = (deadline_usec - g_get_monotonic_time ()) / 1000;

    n_ready = poll (&poll_fd, 1, (int)MAX (left_ms, 0));
  } while (n_ready < 0 && errno == EINTR);
  if (n_ready > 0 && read (report_fd, failure, sizeof *failure) == 0)
    return TRUE;
  if (n_ready > 0) {
    wait_for_child (pid, 0);
    return FALSE;
  }
  *failure = (ZinitStepFailure){ ZINIT_STEP_EXEC, ETIMEDOUT };
  kill (pid, SIGKILL);
  wait_for_child (pid, WNOHANG);
  return FALSE;
}

static pid_t
launch_isolated (const ZinitChildPlan *plan, int *ret_pidfd, ZinitStepFailure *ret_failure)
{
  int report_fds[2];
  pid_t pid;

  *ret_pidfd = -1;
  if (pipe2 (report_fds, O_CLOEXEC) != 0)
    return -1;
  pid = fork ();
  if (pid == 0)
    isolated_main (*plan, report_fds[1]);
  ret_failure->reason = errno;
  close (report_fds[1]);
  if (pid > 0) {
    /* The number is certainly still the child's: only this thread reaps. */
    *ret_pidfd = pidfd_open (pid, 0);
    if (*ret_pidfd < 0 && errno != ENOSYS) {
      *ret_failure = (ZinitStepFailure){ ZINIT_STEP_CLONE, errno };
      kill (pid, SIGKILL);
      wait_for_child (pid, 0);
    } else {
      await_exec (report_fds[0], pid, ret_failure);
    }
  }
  close (report_fds[0]);
  errno = ret_failure->reason;
  return pid;
}

pid_t
zinit_child_launch (const ZinitChildPlan *plan, int *ret_pidfd, ZinitStepFailure *ret_failure)
{
  sigset_t all, before;
  pid_t pid;

  *ret_pidfd = -1;
  *ret_failure = (ZinitStepFailure){ ZINIT_STEP_NONE, 0 };
  /* A handler must not run in a child that shares our memory. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  if (plan->is_isolated) {
    pid = launch_isolated (plan, ret_pidfd, ret_failure);
  } else {
    pid = launch_shared (plan, ret_pidfd, ret_failure);
    if (pid > 0 && ret_failure->step != ZINIT_STEP_NONE)
      wait_for_child (pid, 0);
  }
  if (pid < 0)
    *ret_failure = (ZinitStepFailure){ ZINIT_STEP_CLONE, errno };
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  if (ret_failure->step == ZINIT_STEP_NONE)
    return pid;
  if (*ret_pidfd >= 0)
    close (*ret_pidfd);
  *ret_pidfd = -1;
  return -1;
}
