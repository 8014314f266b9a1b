/* SPDX-License-Identifier: Apache-2.0
 *
 * What the processes of a service use, summed over its session.
 */
#define G_LOG_DOMAIN "zinit-process"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "process/group.h"
#include "process/private.h"
#include "process/procfs.h"

typedef struct {
  pid_t leader;
  guint64 cpu_ticks;
  guint64 resident_pages;
  GArray *processes;
} Sum;

static void
add_entry (const ZinitProcEntry *entry, gpointer data)
{
  Sum *sum = data;
  ZinitProcessInfo info = { .pid = entry->pid };

  /* One that was taken up need not lead a session. */
  if ((entry->session != sum->leader && entry->pid != sum->leader) || entry->is_dead)
    return;
  sum->cpu_ticks += entry->cpu_ticks;
  sum->resident_pages += entry->resident_pages;
  memcpy (info.name, entry->name, sizeof info.name);
  g_array_append_val (sum->processes, info);
}

static int
compare_pids (gconstpointer a, gconstpointer b)
{
  pid_t first = ((const ZinitProcessInfo *)a)->pid;
  pid_t second = ((const ZinitProcessInfo *)b)->pid;

  return (first > second) - (first < second);
}

/* When it is reaped and its group is empty the number may be another's. */
static gboolean
has_number (const ZinitProcess *process)
{
  if (g_hash_table_lookup (process->processes->by_pid, GINT_TO_POINTER (process->pid)) == process)
    return TRUE;
  if (process->has_main)
    return pidfd_send_signal (process->pidfd, 0, NULL, 0) == 0 || errno == EPERM;
  return process->has_group && !zinit_group_is_gone (process);
}

void
zinit_process_read_stats (const ZinitProcess *process, ZinitProcessStats *ret_stats)
{
  Sum sum = { .leader = process->pid };

  sum.processes = g_array_new (FALSE, FALSE, sizeof (ZinitProcessInfo));
  if (has_number (process))
    zinit_proc_walk (NULL, add_entry, &sum);
  g_array_sort (sum.processes, compare_pids);
  ret_stats->cpu_usec = sum.cpu_ticks * G_USEC_PER_SEC / (guint64)sysconf (_SC_CLK_TCK);
  ret_stats->memory_bytes = sum.resident_pages * (guint64)sysconf (_SC_PAGESIZE);
  ret_stats->processes = sum.processes;
}

void
zinit_processes_read_stats (ZinitProcess *const *processes, guint n_processes, ZinitProcessStats *ret_stats)
{
  for (guint i = 0; i < n_processes; i++) {
    ret_stats[i] = (ZinitProcessStats){ 0 };
    if (processes[i] != NULL)
      zinit_process_read_stats (processes[i], &ret_stats[i]);
  }
}

void
zinit_process_stats_clear (ZinitProcessStats *stats)
{
  if (stats->processes != NULL)
    g_array_unref (stats->processes);
  *stats = (ZinitProcessStats){ 0 };
}
