/* SPDX-License-Identifier: Apache-2.0
 *
 * What the processes of a service use, summed over its tree.
 */
#define G_LOG_DOMAIN "zinit-process"

#include <string.h>
#include <unistd.h>

#include "process/strays.h"

typedef struct {
  guint64 cpu_ticks;
  guint64 resident_pages;
  GArray *processes;
} Sum;

static void
add_entry (ZinitProcess *process, const ZinitProcEntry *entry, gpointer data)
{
  Sum *sum = data;
  ZinitProcessInfo info = { .pid = entry->pid };

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

void
zinit_process_read_stats (ZinitProcess *process, ZinitProcessStats *ret_stats)
{
  Sum sum = { .processes = g_array_new (FALSE, FALSE, sizeof (ZinitProcessInfo)) };

  zinit_strays_find (process->processes, TRUE);
  zinit_tree_foreach_member (process, add_entry, &sum);
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
