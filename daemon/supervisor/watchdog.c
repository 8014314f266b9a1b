/* SPDX-License-Identifier: Apache-2.0
 *
 * A service that has to say again and again that it is well (rule I3). The time counts from running on, on a
 * clock that stands still with the machine.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

static void
on_due (ZinitTimer *timer)
{
  ZinitService *service = ZINIT_OWNER_OF (timer, ZinitService, watchdog_timer);

  g_message ("%s: no WATCHDOG=1 for %" G_GUINT64_FORMAT " ms", zinit_service_get_name (service),
             zinit_watchdog_get_usec (service) / 1000);
  zinit_lifecycle_event (service, ZINIT_EVENT_WATCHDOG);
}

guint64
zinit_watchdog_get_usec (const ZinitService *service)
{
  if (service->definition->oneshot || service->definition->watchdog_ms == 0)
    return 0;
  return service->watchdog_usec != 0 ? service->watchdog_usec : service->definition->watchdog_ms * 1000;
}

void
zinit_watchdog_arm (ZinitService *service)
{
  const ZinitSupervisor *supervisor = service->supervisor;
  guint64 period_usec = zinit_watchdog_get_usec (service);

  if (period_usec == 0 || service->status.state != ZINIT_STATE_RUNNING)
    supervisor->host->disarm (supervisor->host_data, &service->watchdog_timer);
  else
    supervisor->host->arm (supervisor->host_data, &service->watchdog_timer,
                           supervisor->host->monotonic_usec (supervisor->host_data) + (gint64)period_usec,
                           on_due);
}

void
zinit_watchdog_heard (ZinitService *service, const ZinitNotifyMessage *message)
{
  if (message->watchdog_usec != 0)
    service->watchdog_usec = message->watchdog_usec;
  if (message->is_alive || message->watchdog_usec != 0)
    zinit_watchdog_arm (service);
  if (message->has_failed && zinit_watchdog_get_usec (service) != 0) {
    g_message ("%s: it has sent WATCHDOG=trigger", zinit_service_get_name (service));
    zinit_lifecycle_event (service, ZINIT_EVENT_WATCHDOG);
  }
}
