/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's view of the real world: GLib's clocks, the loop's timers, the process layer.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/host.h"

#include <sys/stat.h>

static gint64
monotonic_usec (gpointer data)
{
  return g_get_monotonic_time ();
}

static gint64
realtime_usec (gpointer data)
{
  return g_get_real_time ();
}

static void
arm (gpointer data, ZinitTimer *timer, gint64 deadline_usec, ZinitTimerFunc func)
{
  ZinitHostContext *context = data;

  zinit_loop_arm (context->loop, timer, deadline_usec, func);
}

static void
disarm (gpointer data, ZinitTimer *timer)
{
  ZinitHostContext *context = data;

  zinit_loop_disarm (context->loop, timer);
}

static ZinitProcess *
spawn (gpointer data, const ZinitSpawnRequest *request, const ZinitProcessEvents *events, gpointer service,
       GError **error)
{
  ZinitHostContext *context = data;
  g_autoptr (GError) refused = NULL;
  ZinitSpawnRequest recorded = *request;
  ZinitRecordedStart start;
  ZinitStartRecord record;
  ZinitProcess *process;

  if (context->records == NULL)
    return zinit_process_spawn (context->processes, request, events, service, error);
  zinit_record_log_begin_start (context->records, request->definition->name, request->run, &start);
  record =
      (ZinitStartRecord){ .fd = start.fd, .started = start.started, .aborted = start.aborted, .end = "\n" };
  recorded.record = start.fd >= 0 ? &record : NULL;
  process = zinit_process_spawn (context->processes, &recorded, events, service, error);
  if (!zinit_record_log_end_start (context->records, &start, &refused))
    g_warning ("%s; programs are started without a record", refused->message);
  return process;
}

static ZinitProcess *
adopt (gpointer data, const ZinitAdoption *adoption, const ZinitProcessEvents *events, gpointer service)
{
  ZinitHostContext *context = data;

  return zinit_process_adopt (context->processes, adoption, events, service);
}

static void
release (gpointer data, ZinitProcess *process)
{
  zinit_process_free (process);
}

static gboolean
awaits_exit (gpointer data, const ZinitProcess *process)
{
  return zinit_process_awaits_exit (process);
}

static pid_t
get_pid (gpointer data, const ZinitProcess *process)
{
  return zinit_process_get_pid (process);
}

static guint64
get_start_ticks (gpointer data, ZinitProcess *process)
{
  return zinit_process_get_start_ticks (process);
}

static guint64
get_output_inode (gpointer data, const ZinitProcess *process, ZinitStream stream)
{
  int fd = zinit_process_get_output (process, stream);
  struct stat info;

  return fd >= 0 && fstat (fd, &info) == 0 ? info.st_ino : 0;
}

static gboolean
send_signal (gpointer data, ZinitProcess *process, int signo, ZinitWhom whom, GError **error)
{
  return zinit_process_signal (process, signo, whom, error);
}

static gboolean
stop (gpointer data, ZinitProcess *process, int signo, ZinitWhom whom, GError **error)
{
  return zinit_process_stop (process, signo, whom, error);
}

static gboolean
find_oldest (gpointer data, ZinitProcess *process, pid_t *ret_pid, guint64 *ret_start_ticks)
{
  return zinit_process_find_oldest (process, ret_pid, ret_start_ticks);
}

static gboolean
find_member (gpointer data, ZinitProcess *process, pid_t pid, guint64 *ret_start_ticks)
{
  return zinit_process_find_member (process, pid, ret_start_ticks);
}

static gboolean
adopt_main (gpointer data, ZinitProcess *process, pid_t pid, guint64 start_ticks, GError **error)
{
  return zinit_process_adopt_main (process, pid, start_ticks, error);
}

static void
read_stats (gpointer data, ZinitProcess *const *processes, guint n_processes, ZinitProcessStats *ret_stats)
{
  zinit_processes_read_stats (processes, n_processes, ret_stats);
}

const ZinitHost zinit_host_default = {
  .monotonic_usec = monotonic_usec,
  .realtime_usec = realtime_usec,
  .arm = arm,
  .disarm = disarm,
  .spawn = spawn,
  .adopt = adopt,
  .release = release,
  .awaits_exit = awaits_exit,
  .get_pid = get_pid,
  .get_start_ticks = get_start_ticks,
  .get_output_inode = get_output_inode,
  .signal = send_signal,
  .stop = stop,
  .find_oldest = find_oldest,
  .find_member = find_member,
  .adopt_main = adopt_main,
  .read_stats = read_stats,
};
