/* SPDX-License-Identifier: Apache-2.0
 *
 * From executed to running: what a service says of itself, and what is still missing.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include "model/ready.h"

/* What its readiness is, of a oneshot too. */
static ZinitReady
get_ready (const ZinitService *service)
{
  ZinitReady ready = { .kind = ZINIT_READY_EXEC };

  if (!service->definition->oneshot)
    zinit_ready_parse (service->definition->ready, &ready, NULL);
  return ready;
}

void
zinit_readiness_begin (ZinitService *service)
{
  ZinitReady ready = get_ready (service);

  if (ready.kind == ZINIT_READY_EXEC)
    zinit_lifecycle_event (service, ZINIT_EVENT_READY);
  else
    zinit_lifecycle_arm (service, ready.kind == ZINIT_READY_ALIVE ? ready.alive_ms
                                                                  : service->definition->start_timeout_ms);
}

ZinitEvent
zinit_readiness_time_is_up (const ZinitService *service)
{
  if (get_ready (service).kind == ZINIT_READY_ALIVE)
    return ZINIT_EVENT_READY;
  /* It may have said so while there was no daemon to hear it. A name can be asked for again. */
  return service->is_ready_unheard && get_ready (service).kind != ZINIT_READY_DBUS
             ? ZINIT_EVENT_READY
             : ZINIT_EVENT_START_TIMEOUT;
}

void
zinit_readiness_heard_line (ZinitService *service, const char *line)
{
  if (service->status.state != ZINIT_STATE_STARTING || get_ready (service).kind != ZINIT_READY_FD)
    return;
  zinit_lifecycle_event (service, line != NULL || service->is_ready_unheard ? ZINIT_EVENT_READY
                                                                            : ZINIT_EVENT_NOT_READY);
}

static void
set_said (ZinitService *service, const char *text)
{
  if (g_strcmp0 (service->said, text) == 0)
    return;
  g_free (service->said);
  service->said = g_strdup (text);
  zinit_service_touch (service);
}

void
zinit_readiness_forget_said (ZinitService *service)
{
  set_said (service, NULL);
}

/* Only ever later. */
static void
extend_timeout (ZinitService *service, guint64 extend_usec)
{
  const ZinitSupervisor *supervisor = service->supervisor;
  gint64 deadline_usec = supervisor->host->monotonic_usec (supervisor->host_data) + (gint64)extend_usec;

  if (service->status.state != ZINIT_STATE_STARTING && service->status.state != ZINIT_STATE_STOPPING)
    return;
  if (zinit_timer_is_armed (&service->timer) && service->timer.deadline_usec < deadline_usec &&
      service->sigkill_usec == 0)
    zinit_lifecycle_arm_at (service, deadline_usec);
}

void
zinit_readiness_heard_message (ZinitService *service, const ZinitNotifyMessage *message)
{
  if (message->status != NULL)
    set_said (service, message->status);
  if (message->main_pid != 0)
    service->announced_pid = message->main_pid;
  if (message->extend_usec != 0)
    extend_timeout (service, message->extend_usec);
  zinit_watchdog_heard (service, message);
  if (message->is_ready && service->status.state == ZINIT_STATE_STARTING &&
      get_ready (service).kind == ZINIT_READY_NOTIFY)
    zinit_lifecycle_event (service, ZINIT_EVENT_READY);
}

const char *
zinit_service_get_bus_name (const ZinitService *service)
{
  ZinitReady ready = get_ready (service);

  return ready.kind == ZINIT_READY_DBUS && zinit_state_is_active (service->status.state) ? ready.bus_name
                                                                                         : NULL;
}

void
zinit_service_bus_name_owned (ZinitService *service, pid_t pid)
{
  const ZinitSupervisor *supervisor = service->supervisor;
  const char *name = zinit_service_get_bus_name (service);
  guint64 start_ticks;

  if (name == NULL || service->process == NULL)
    return;
  if (pid == 0 && service->status.state == ZINIT_STATE_RUNNING)
    g_message ("%s: it has lost its name %s on the message bus", zinit_service_get_name (service), name);
  if (service->status.state != ZINIT_STATE_STARTING)
    return;
  if (pid != 0 &&
      supervisor->host->find_member (supervisor->host_data, service->process, pid, &start_ticks)) {
    zinit_lifecycle_event (service, ZINIT_EVENT_READY);
    return;
  }
  service->foreign_owner = pid;
  zinit_service_touch (service);
}

char *
zinit_readiness_describe_owner (const ZinitService *service)
{
  return service->foreign_owner != 0 && service->status.state == ZINIT_STATE_STARTING
             ? g_strdup_printf (", which process %d owns, and that is not of this service",
                                service->foreign_owner)
             : NULL;
}

const char *
zinit_readiness_describe_missing (const ZinitService *service)
{
  switch (get_ready (service).kind) {
  case ZINIT_READY_NOTIFY:
    return "READY=1 on its NOTIFY_SOCKET";
  case ZINIT_READY_FD:
    return "a line on its readiness descriptor";
  case ZINIT_READY_ALIVE:
    return "the time after which it counts as running";
  case ZINIT_READY_DBUS:
    return get_ready (service).bus_name;
  default:
    return NULL;
  }
}
