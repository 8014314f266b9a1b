/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts the first process of a service: looks up all that the child needs, makes its pipes, describes a
 * failure in words. It does not watch what was started.
 */
#pragma once

#include <sys/resource.h>
#include <signal.h>

#include "process/process.h"

G_BEGIN_DECLS

/* What all spawns share. The slots are low descriptors, kept open on /dev/null between spawns, so that a
 * child needs to copy nothing above them of the daemon's thousands of descriptors. */
typedef struct {
  int null_fd;
  int slots[ZINIT_N_STREAMS + 1]; /* the last one is for a readiness descriptor */
  struct rlimit files;            /* as the daemon was started, while its own soft limit is the hard one */
  sigset_t resets;
  gboolean knows_resets;
  const char **environment;         /* what services inherit */
  const char **clean_environment;   /* the same without inherit_env */
  const char **foreign_environment; /* the same for another user */
  int lock_fd;                      /* of zinit_processes_set_lock(); -1 = none */
  char *stack;                      /* with its guard page at the low end */
  gboolean is_isolated;             /* always fork: the fast way is not possible here */
} ZinitSpawner;

/* Raises the soft RLIMIT_NOFILE. Clear it also after a failure. */
gboolean zinit_spawner_init (ZinitSpawner *spawner, GError **error);
/* Sets the soft RLIMIT_NOFILE back. */
void zinit_spawner_clear (ZinitSpawner *spawner);

/* CLOCK_BOOTTIME in clock ticks, as /proc/PID/stat counts. */
guint64 zinit_spawner_now_ticks (void);

typedef struct {
  pid_t pid;
  int pidfd; /* -1 = there are none here */
  uid_t uid;
  int outputs[ZINIT_N_STREAMS]; /* the daemon's ends, non-blocking */
  int ready_fd;                 /* the same, of the readiness descriptor; -1 = none */
} ZinitSpawned;

/* @notify_path is its NOTIFY_SOCKET, NULL = none. The caller owns the descriptors. */
gboolean zinit_spawner_spawn (ZinitSpawner *spawner, const ZinitSpawnRequest *request,
                              const char *notify_path, ZinitSpawned *ret_spawned, GError **error);

G_END_DECLS
