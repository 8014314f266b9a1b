/* SPDX-License-Identifier: Apache-2.0
 *
 * What the supervisor needs of the world: two clocks, timers, and processes. The daemon gives it the loop and
 * the process layer (zinit_host_default); tests give it a clock they turn by hand and processes that do not
 * exist.
 */
#pragma once

#include "loop/loop.h"
#include "persist/record-log.h"
#include "process/process.h"

G_BEGIN_DECLS

typedef struct {
  gint64 (*monotonic_usec) (gpointer data);
  gint64 (*realtime_usec) (gpointer data); /* since 1970 */
  void (*arm) (gpointer data, ZinitTimer *timer, gint64 deadline_usec, ZinitTimerFunc func);
  void (*disarm) (gpointer data, ZinitTimer *timer);
  /* As the functions of process/process.h of the same name. */
  ZinitProcess *(*spawn) (gpointer data, const ZinitSpawnRequest *request, const ZinitProcessEvents *events,
                          gpointer service, GError **error);
  ZinitProcess *(*adopt) (gpointer data, const ZinitAdoption *adoption, const ZinitProcessEvents *events,
                          gpointer service);
  void (*release) (gpointer data, ZinitProcess *process);
  gboolean (*awaits_exit) (gpointer data, const ZinitProcess *process);
  pid_t (*get_pid) (gpointer data, const ZinitProcess *process);
  guint64 (*get_start_ticks) (gpointer data, ZinitProcess *process);
  guint64 (*get_output_inode) (gpointer data, const ZinitProcess *process, ZinitStream stream); /* 0 = none */
  gboolean (*signal) (gpointer data, ZinitProcess *process, int signo, ZinitWhom whom, GError **error);
  gboolean (*stop) (gpointer data, ZinitProcess *process, int signo, ZinitWhom whom, GError **error);
  gboolean (*find_oldest) (gpointer data, ZinitProcess *process, pid_t *ret_pid, guint64 *ret_start_ticks);
  gboolean (*find_member) (gpointer data, ZinitProcess *process, pid_t pid, guint64 *ret_start_ticks);
  gboolean (*adopt_main) (gpointer data, ZinitProcess *process, pid_t pid, guint64 start_ticks,
                          GError **error);
  void (*read_stats) (gpointer data, ZinitProcess *const *processes, guint n_processes,
                      ZinitProcessStats *ret_stats);
} ZinitHost;

/* The real one. Its data is a ZinitHostContext. */
typedef struct {
  ZinitLoop *loop;
  ZinitProcesses *processes;
  ZinitRecordLog *records; /* NULL = starts are not recorded */
} ZinitHostContext;

extern const ZinitHost zinit_host_default;

G_END_DECLS
