/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of processes and the life of one: made, signalled, freed. Reading its pipes is output.c's, noticing
 * its end reaper.c's.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "model/error.h"
#include "process/announce.h"
#include "process/procfs.h"
#include "process/strays.h"
#include "process/tags.h"
#include "process/tree.h"

ZinitProcesses *
zinit_processes_new (ZinitLoop *loop, GError **error)
{
  ZinitProcesses *processes = g_new0 (ZinitProcesses, 1);
  gboolean is_ready;

  processes->loop = loop;
  processes->folder_fd = -1;
  processes->by_pid = g_hash_table_new (NULL, NULL);
  processes->buffer = g_malloc (ZINIT_OUTPUT_BUFFER_BYTES);
  /* The slots first, while low descriptors are free. */
  is_ready = zinit_spawner_init (&processes->spawner, error);
  zinit_strays_init (processes);
  is_ready = zinit_reaper_init (processes, is_ready ? error : NULL) && is_ready;
  if (!is_ready)
    g_clear_pointer (&processes, zinit_processes_free);
  return processes;
}

void
zinit_processes_free (ZinitProcesses *processes)
{
  g_warn_if_fail (g_hash_table_size (processes->by_pid) == 0);
  zinit_reaper_clear (processes);
  zinit_pending_exits_clear (processes);
  zinit_loop_disarm (processes->loop, &processes->stop_timer);
  zinit_strays_clear (processes);
  zinit_spawner_clear (&processes->spawner);
  g_hash_table_unref (processes->by_pid);
  g_free (processes->buffer);
  g_free (processes);
}

guint64
zinit_processes_get_file_limit (const ZinitProcesses *processes)
{
  return processes->spawner.files.rlim_cur;
}

void
zinit_processes_set_file_limit (ZinitProcesses *processes, guint64 limit)
{
  processes->spawner.files.rlim_cur = MIN (limit, processes->spawner.files.rlim_max);
}

void
zinit_processes_set_lock (ZinitProcesses *processes, int fd)
{
  processes->spawner.lock_fd = fd;
}

void
zinit_processes_set_folder (ZinitProcesses *processes, const char *path, int fd)
{
  processes->folder = path;
  processes->folder_fd = fd;
}

guint64
zinit_process_get_start_ticks (ZinitProcess *process)
{
  ZinitProcEntry entry;

  /* While it is our unreaped child, or lives, the number is its own. */
  if (process->start_ticks == 0 && (process->has_main || process->is_held) &&
      zinit_proc_read (process->pid, &entry))
    process->start_ticks = entry.start_ticks;
  return process->start_ticks;
}

static const char *
find_tag (char *const *tags, const char *name)
{
  gsize length = strlen (name);

  for (; tags != NULL && *tags != NULL; tags++)
    if (strncmp (*tags, name, length) == 0 && (*tags)[length] == '=')
      return *tags + length + 1;
  return NULL;
}

void
zinit_process_set_tags (ZinitProcess *process, const char *const *tags)
{
  const char *run;

  process->tags = g_strdupv ((char **)tags);
  process->service = (char *)find_tag (process->tags, ZINIT_TAG_SERVICE);
  run = find_tag (process->tags, ZINIT_TAG_RUN);
  process->run = run != NULL ? g_ascii_strtoull (run, NULL, 10) : 0;
  if (process->service != NULL)
    g_hash_table_add (process->processes->by_run, process);
}

ZinitProcess *
zinit_process_new (ZinitProcesses *processes, pid_t pid, int pidfd, const ZinitProcessEvents *events,
                   gpointer data)
{
  ZinitProcess *process = g_new0 (ZinitProcess, 1);

  process->processes = processes;
  process->events = *events;
  process->data = data;
  process->pid = process->leader = pid;
  process->pidfd = pidfd;
  process->leader_fd = process->ready.fd = process->notify.fd = -1;
  process->has_group = TRUE;
  return process;
}

ZinitProcess *
zinit_process_spawn (ZinitProcesses *processes, const ZinitSpawnRequest *request,
                     const ZinitProcessEvents *events, gpointer data, GError **error)
{
  guint64 before_ticks = zinit_spawner_now_ticks ();
  g_autofree char *notify_path = NULL;
  ZinitProcess *process;
  ZinitSpawned spawned;
  int notify_fd = -1;

  if (zinit_announce_is_by_socket (request->definition) &&
      (notify_fd = zinit_announce_bind (processes, request->definition->name, &notify_path, error)) < 0)
    return NULL;
  if (!zinit_spawner_spawn (&processes->spawner, request, notify_path, &spawned, error)) {
    if (notify_fd >= 0)
      close (notify_fd);
    return NULL;
  }
  process = zinit_process_new (processes, spawned.pid, spawned.pidfd, events, data);
  /* Mostly within one tick, and then nobody has to ask /proc: what is looked at there costs again when it is
   * reaped. */
  process->start_ticks = before_ticks == zinit_spawner_now_ticks () ? before_ticks : 0;
  process->has_main = TRUE;
  process->uid = spawned.uid;
  process->has_uid = TRUE;
  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    process->outputs[i].fd = spawned.outputs[i];
  g_hash_table_insert (processes->by_pid, GINT_TO_POINTER (process->pid), process);
  zinit_process_set_tags (process, request->tags);
  zinit_strays_add_execution (process, before_ticks);
  zinit_announce_begin (process, spawned.ready_fd, notify_fd, g_steal_pointer (&notify_path));
  zinit_output_watch_all (process);
  return process;
}

void
zinit_process_free (ZinitProcess *process)
{
  if (process == NULL)
    return;
  g_return_if_fail (!process->is_freed);
  process->is_freed = TRUE;
  zinit_reaper_forget (process);
  zinit_strays_remove_execution (process);
  process->service = NULL;
  g_clear_pointer (&process->tags, g_strfreev);
  zinit_loop_disarm (process->processes->loop, &process->resume_timer);
  zinit_announce_end (process, FALSE);
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    zinit_output_close (process, stream);
  if (process->pidfd >= 0)
    close (process->pidfd);
  if (process->leader_fd >= 0)
    close (process->leader_fd);
  if (process->n_calls == 0)
    g_free (process);
}

void
zinit_process_enter (ZinitProcess *process)
{
  process->n_calls++;
}

gboolean
zinit_process_leave (ZinitProcess *process)
{
  gboolean is_freed = process->is_freed;

  if (--process->n_calls == 0 && is_freed)
    g_free (process);
  return !is_freed;
}

pid_t
zinit_process_get_pid (const ZinitProcess *process)
{
  return process->pid;
}

int
zinit_process_get_output (const ZinitProcess *process, ZinitStream stream)
{
  return process->outputs[stream].fd;
}

int
zinit_process_get_ready_fd (const ZinitProcess *process)
{
  return process->ready.fd;
}

int
zinit_process_get_notify_fd (const ZinitProcess *process)
{
  return process->notify.fd;
}

int
zinit_process_get_non_child (const ZinitProcess *process)
{
  return process->is_non_child && process->has_main ? process->pidfd : -1;
}

gboolean
zinit_process_has_main (const ZinitProcess *process)
{
  return process->has_main;
}

gboolean
zinit_process_awaits_exit (const ZinitProcess *process)
{
  return !process->has_main && process->end.kind == ZINIT_EXIT_UNKNOWN && process->main_watch.is_active;
}

gboolean
zinit_process_signal (ZinitProcess *process, int signo, ZinitWhom whom, GError **error)
{
  if (whom == ZINIT_WHOM_ALL)
    return zinit_tree_signal (process, signo, error);
  if (!process->has_main)
    return FALSE;
  /* Not reaped yet, so its number is its own; a pidfd would be right even if that were wrong. */
  if (process->pidfd >= 0 ? pidfd_send_signal (process->pidfd, signo, NULL, 0) == 0
                          : kill (process->pid, signo) == 0)
    return TRUE;
  if (errno != ESRCH)
    g_set_error (error, ZINIT_ERROR, errno == EINVAL ? ZINIT_ERROR_INVALID_SIGNAL : ZINIT_ERROR_FAILED,
                 "cannot send signal %d to process %d: %s", signo, process->pid, g_strerror (errno));
  return FALSE;
}

gboolean
zinit_process_stop (ZinitProcess *process, int signo, ZinitWhom whom, GError **error)
{
  if (whom == ZINIT_WHOM_ALL)
    return zinit_tree_stop (process, signo, error);
  if (!zinit_process_signal (process, signo, whom, error))
    return FALSE;
  /* One that is stopped (SIGSTOP) would not hear it. */
  if (signo != SIGKILL)
    zinit_process_signal (process, SIGCONT, whom, NULL);
  return TRUE;
}
