/* SPDX-License-Identifier: Apache-2.0
 *
 * Which processes of a service a stop is for: its stop signal, SIGKILL, and what becomes of the rest (rules
 * F2, F4 and G7). When a stop begins and what follows it is lifecycle.c.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"
#include "supervisor/record.h"

#include <signal.h>

/* How often it is looked whether a stop by SIGKILL, which process/ sends again and again, takes too long. */
#define LOOK_AGAIN_MS 1000
/* A stop does not wait longer for what lives on in spite of SIGKILL. */
#define MAX_DYING_USEC (5 * G_USEC_PER_SEC)

static gint64
monotonic_usec (const ZinitService *service)
{
  return service->supervisor->host->monotonic_usec (service->supervisor->host_data);
}

static void
send (ZinitService *service, int signo, ZinitWhom whom)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GError) error = NULL;

  if (service->process == NULL)
    return;
  /* FALSE without an error: nothing is left to signal, and its end is about to be reported. */
  if (!supervisor->host->stop (supervisor->host_data, service->process, signo, whom, &error) && error != NULL)
    g_warning ("%s: %s", zinit_service_get_name (service), error->message);
}

static void
send_kill (ZinitService *service)
{
  send (service, SIGKILL,
        service->definition->kill_mode == ZINIT_KILL_MODE_MAIN ? ZINIT_WHOM_MAIN : ZINIT_WHOM_ALL);
  zinit_lifecycle_arm (service, MIN (service->definition->stop_timeout_ms, LOOK_AGAIN_MS));
}

void
zinit_killing_main_ended (ZinitService *service)
{
  if (service->definition->kill_mode != ZINIT_KILL_MODE_MIXED || service->sigkill_usec != 0)
    return;
  service->sigkill_usec = monotonic_usec (service);
  zinit_service_touch (service);
  send_kill (service);
}

void
zinit_killing_begin (ZinitService *service)
{
  if (service->definition->kill_mode == ZINIT_KILL_MODE_MIXED && service->main_ended)
    zinit_killing_main_ended (service);
  else
    send (service, service->definition->stop_signal,
          service->definition->kill_mode == ZINIT_KILL_MODE_TREE ? ZINIT_WHOM_ALL : ZINIT_WHOM_MAIN);
}

/* Something of it lives on in spite of SIGKILL, or may not be signalled: the stop is over all the same. */
static void
give_up (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;

  g_warning ("%s: process %d lives on in spite of SIGKILL; the stop does not wait for it",
             zinit_service_get_name (service),
             supervisor->host->get_pid (supervisor->host_data, service->process));
  zinit_lifecycle_release (service, &service->undying);
  service->undying = g_steal_pointer (&service->process);
  service->is_late = TRUE;
  if (service->stop_cause != ZINIT_STOP_CAUSE_DEPENDENCY)
    service->stop_cause = ZINIT_STOP_CAUSE_REQUESTED;
  zinit_lifecycle_event (service, ZINIT_EVENT_GROUP_EMPTY);
}

void
zinit_killing_enforce (ZinitService *service)
{
  gint64 now_usec = monotonic_usec (service);

  if (service->sigkill_usec == 0) {
    g_message ("%s: did not stop within %" G_GUINT64_FORMAT " ms, killing what is left",
               zinit_service_get_name (service), service->definition->stop_timeout_ms);
    service->sigkill_usec = now_usec;
    service->is_late = TRUE;
    zinit_service_touch (service);
  }
  if (service->unproven_pid != 0 && service->supervisor->is_shutting_down) {
    g_warning ("%s: it is still not known whether process %d lives; it is left alone",
               zinit_service_get_name (service), service->unproven_pid);
    zinit_service_resolve (service, NULL);
    return;
  }
  if (service->process != NULL && now_usec - service->sigkill_usec >= MAX_DYING_USEC)
    give_up (service);
  else
    send_kill (service);
}

gboolean
zinit_killing_leaves_rest (ZinitService *service)
{
  const ZinitSupervisor *supervisor = service->supervisor;
  guint64 start_ticks;
  pid_t oldest;

  if (service->definition->kill_mode != ZINIT_KILL_MODE_MAIN)
    return FALSE;
  if (service->process != NULL &&
      supervisor->host->find_oldest (supervisor->host_data, service->process, &oldest, &start_ticks)) {
    service->n_left = zinit_background_count (service);
    g_message (
        "%s: its main process ended and left %u running (the oldest is process %d), which belong to no "
        "service now, as its kill_mode is main",
        zinit_service_get_name (service), service->n_left, oldest);
    zinit_service_touch (service);
  }
  return TRUE;
}
