/* SPDX-License-Identifier: Apache-2.0
 *
 * A service whose main process ends while the rest of it goes on: which process is the main one then (rule
 * G6, and MAINPID of sd_notify(3)).
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

/* A main process that ends well later than this after its execution has not gone to the background. */
#define MAX_LAUNCH_USEC (5 * G_USEC_PER_SEC)

static gint64
now_usec (const ZinitService *service)
{
  return service->supervisor->host->monotonic_usec (service->supervisor->host_data);
}

/* Its main process ended well a moment after its execution and left others: it went to the background. */
static gboolean
may_be_in_background (ZinitService *service)
{
  return (service->status.state == ZINIT_STATE_STARTING || service->status.state == ZINIT_STATE_RUNNING) &&
         !service->stop_pending && !service->definition->oneshot &&
         service->definition->kill_mode != ZINIT_KILL_MODE_MAIN && service->process != NULL &&
         zinit_machine_is_success (service->definition, &service->status.last_exit) &&
         service->executed_usec != 0 &&
         (service->status.state == ZINIT_STATE_STARTING ||
          now_usec (service) - service->executed_usec <= MAX_LAUNCH_USEC);
}

guint
zinit_background_count (ZinitService *service)
{
  ZinitProcessStats stats;
  guint n;

  zinit_service_read_stats (service, &stats);
  n = stats.processes != NULL ? stats.processes->len : 0;
  zinit_process_stats_clear (&stats);
  return n;
}

/* The one that it has named itself, or the oldest of the others. FALSE when there is none. */
static gboolean
find_successor (ZinitService *service, pid_t *ret_pid, guint64 *ret_start_ticks)
{
  const ZinitSupervisor *supervisor = service->supervisor;

  *ret_pid = service->announced_pid;
  if (service->process == NULL || service->stop_pending || service->status.state == ZINIT_STATE_STOPPING)
    return FALSE;
  if (*ret_pid != 0 &&
      supervisor->host->find_member (supervisor->host_data, service->process, *ret_pid, ret_start_ticks))
    return TRUE;
  return may_be_in_background (service) &&
         supervisor->host->find_oldest (supervisor->host_data, service->process, ret_pid, ret_start_ticks);
}

gboolean
zinit_background_follow (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GError) error = NULL;
  gboolean is_announced;
  guint64 start_ticks;
  pid_t pid;

  if (!find_successor (service, &pid, &start_ticks))
    return FALSE;
  is_announced = pid == service->announced_pid;
  if (!supervisor->host->adopt_main (supervisor->host_data, service->process, pid, start_ticks, &error)) {
    g_message ("%s: process %d cannot be its main process: %s", zinit_service_get_name (service), pid,
               error->message);
    return FALSE;
  }
  service->main_ended = FALSE;
  service->n_in_background = is_announced ? 0 : zinit_background_count (service);
  /* On record before anybody learns of it. */
  zinit_service_mark (service, ZINIT_CHANGED_ASKED);
  zinit_start_report (service);
  if (is_announced) {
    g_message ("%s: its main process ended; process %d, which it named before, is the service now",
               zinit_service_get_name (service), pid);
    return TRUE;
  }
  g_message (
      "%s: its main process ended and left %u in the background; process %d is the service now. To keep "
      "it simple, have the program stay in the foreground",
      zinit_service_get_name (service), service->n_in_background, pid);
  return TRUE;
}
