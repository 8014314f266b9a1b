/* SPDX-License-Identifier: Apache-2.0
 *
 * From clone to exec: makes the child of a plan in which everything has been looked up already. It neither
 * makes the plan nor watches the process.
 */
#pragma once

#include <signal.h>
#include <time.h>

#include "model/state.h"
#include "process/attributes.h"
#include "process/capabilities.h"
#include "process/credentials.h"
#include "process/process.h"

G_BEGIN_DECLS

typedef struct {
  const char *path; /* of the file to execute */
  const char *const *argv;
  const char *const *shell_argv; /* for a file that is a script without "#!" */
  const char *const *environment;
  const char *dir; /* NULL = stay */
  const ZinitCredentials *identity;
  const ZinitAttributes *attributes;
  const ZinitCapabilities *capabilities;
  sigset_t resets;          /* signals to give the default disposition */
  int stdio[3];             /* close-on-exec descriptors ≥ 3 that become 0, 1 and 2 */
  int ready_slot;           /* close-on-exec; becomes @ready_fd */
  int ready_fd;             /* -1 = none */
  int lock_fd;              /* stays open until exec; -1 = none */
  unsigned int first_other; /* this descriptor and all above it are not the child's */
  char *stack;              /* its high end */
  /* Made by fork: slower, but nothing that the child's new user or a hanging file system does to it can hold
   * the daemon for longer than a limit. Else the child borrows the daemon's memory until exec. */
  gboolean is_isolated;
  pid_t daemon_pid;
  const ZinitStartRecord *record; /* NULL = none */
  char *pid_variable;             /* behind "ZINIT_PID=" in @environment: room for a number; NULL = none */
  char *watchdog_pid;             /* the same behind "WATCHDOG_PID=" */
  guint64 before_ticks;           /* CLOCK_BOOTTIME just before, in clock ticks */
  guint64 ticks_per_second;       /* sysconf (_SC_CLK_TCK) */
} ZinitChildPlan;

#define ZINIT_PID_DIGITS 11 /* of a pid, with the NUL */

/* @time as /proc/PID/stat counts: in clock ticks. */
static inline guint64
zinit_child_ticks_at (const struct timespec *time, guint64 ticks_per_second)
{
  return (guint64)time->tv_sec * ticks_per_second +
         (guint64)time->tv_nsec / (G_GUINT64_CONSTANT (1000000000) / ticks_per_second);
}

/* Returns the pid with *@ret_pidfd open (-1 where the kernel, or valgrind in its place, has no pidfds), or -1
 * with *@ret_failure filled; then nothing is left of the child, but for one that the kernel does not let go
 * yet, which is reaped with the others. */
pid_t zinit_child_launch (const ZinitChildPlan *plan, int *ret_pidfd, ZinitStepFailure *ret_failure);

G_END_DECLS
