/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to one service: an event comes in, the machine's table names the action, the action is done
 * here. Requests come from requests.c; the effects on other services are in stop.c and the queue.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"
#include "supervisor/record.h"

#define NO_LINE "it closed its readiness descriptor without a line"
static void on_timer (ZinitTimer *timer);

void
zinit_lifecycle_arm_at (ZinitService *service, gint64 deadline_usec)
{
  service->supervisor->host->arm (service->supervisor->host_data, &service->timer, deadline_usec, on_timer);
  zinit_service_touch (service);
}

void
zinit_lifecycle_disarm (ZinitService *service)
{
  if (zinit_timer_is_armed (&service->timer))
    zinit_service_touch (service);
  service->supervisor->host->disarm (service->supervisor->host_data, &service->timer);
}

static gint64
monotonic_usec (ZinitService *service)
{
  return service->supervisor->host->monotonic_usec (service->supervisor->host_data);
}

gint64
zinit_lifecycle_realtime_usec (ZinitService *service)
{
  return service->supervisor->host->realtime_usec (service->supervisor->host_data);
}

void
zinit_lifecycle_arm (ZinitService *service, guint64 delay_ms)
{
  zinit_lifecycle_arm_at (service, monotonic_usec (service) + (gint64)delay_ms * 1000);
}

void
zinit_lifecycle_limit_timer (ZinitService *service)
{
  const ZinitDefinition *definition = service->definition;
  guint64 limit_ms = definition->start_timeout_ms;

  if (service->status.state == ZINIT_STATE_STOPPING)
    limit_ms = definition->stop_timeout_ms;
  else if (service->status.state == ZINIT_STATE_RUNNING && !zinit_start_limits_run (definition))
    limit_ms = definition->stability_period_ms;
  if (zinit_timer_is_armed (&service->timer) &&
      service->timer.deadline_usec > monotonic_usec (service) + (gint64)limit_ms * 1000)
    zinit_lifecycle_arm (service, limit_ms);
}

void
zinit_lifecycle_release (ZinitService *service, ZinitProcess **process)
{
  ZinitProcess *released = g_steal_pointer (process);

  if (released != NULL)
    service->supervisor->host->release (service->supervisor->host_data, released);
}

static void
release_undying (ZinitService *service)
{
  zinit_lifecycle_release (service, &service->undying);
  zinit_service_touch (service);
  zinit_outlook_update (service);
  zinit_supervisor_enqueue (service->supervisor, service);
}

static void
on_main_ended (ZinitProcess *process, const ZinitExit *exit, gpointer data)
{
  ZinitService *service = data;

  if (process == service->undying) {
    if (service->definition->kill_mode == ZINIT_KILL_MODE_MAIN)
      release_undying (service);
    return;
  }
  zinit_lifecycle_release (service, &service->exit_pending);
  service->status.last_exit = *exit;
  service->main_ended = TRUE;
  zinit_service_touch (service);
  /* Usually the tree is empty as well, which is known next; only if not there is something to clean up. */
  zinit_supervisor_enqueue (service->supervisor, service);
}

static void
on_group_empty (ZinitProcess *process, gpointer data)
{
  ZinitService *service = data;

  /* Of a run that is over it means nothing any more. */
  if (process == service->process)
    zinit_lifecycle_event (service, ZINIT_EVENT_GROUP_EMPTY);
  else if (process == service->undying)
    release_undying (service);
}

static void
on_exit_known (ZinitProcess *process, const ZinitExit *exit, gpointer data)
{
  ZinitService *service = data;

  if (process == service->exit_pending)
    zinit_lifecycle_release (service, &service->exit_pending);
  if (exit->kind == ZINIT_EXIT_UNKNOWN)
    return;
  service->status.last_exit = *exit;
  zinit_service_touch (service);
}

static char *
on_reserve (ZinitProcess *process, ZinitStream stream, gsize wanted, gsize *ret_size, gpointer data)
{
  ZinitService *service = data;

  return zinit_log_reserve (service->log, stream, wanted, zinit_lifecycle_realtime_usec (service), ret_size);
}

static void
on_output (ZinitProcess *process, ZinitStream stream, const char *bytes, gsize length, gpointer data)
{
  ZinitService *service = data;

  zinit_log_append (service->log, stream, bytes, length, zinit_lifecycle_realtime_usec (service));
}

static void
on_ready (ZinitProcess *process, const char *line, gpointer data)
{
  if (process == ((ZinitService *)data)->process)
    zinit_readiness_heard_line (data, line);
}

static void
on_notified (ZinitProcess *process, const ZinitNotifyMessage *message, gpointer data)
{
  if (process == ((ZinitService *)data)->process)
    zinit_readiness_heard_message (data, message);
}

const ZinitProcessEvents zinit_process_events = {
  .ready = on_ready,
  .notified = on_notified,
  .main_ended = on_main_ended,
  .group_empty = on_group_empty,
  .exit_known = on_exit_known,
  .reserve = on_reserve,
  .output = on_output,
};

static void
cancel (ZinitService *service)
{
  gboolean is_undone = service->definition->oneshot && service->status.state == ZINIT_STATE_EXITED;

  zinit_start_cancel_scheduled (service);
  zinit_service_set_stop_pending (service, FALSE);
  zinit_service_set_next (service, ZINIT_NEXT_REST);
  if (service->status.state == ZINIT_STATE_BLOCKED || is_undone)
    zinit_service_set_state (service, ZINIT_STATE_INACTIVE);
}

static void
begin_stop_for (ZinitService *service, ZinitStopCause cause)
{
  service->stop_cause = cause;
  zinit_service_set_stop_pending (service, FALSE);
  zinit_lifecycle_arm (service, service->definition->stop_timeout_ms);
  zinit_service_set_state (service, ZINIT_STATE_STOPPING);
  zinit_killing_begin (service);
}

static ZinitStopCause
requested_cause (const ZinitService *service)
{
  return service->status.next == ZINIT_NEXT_START_WITH_DEPENDENCY ? ZINIT_STOP_CAUSE_DEPENDENCY
                                                                  : ZINIT_STOP_CAUSE_REQUESTED;
}

static void
begin_stop (ZinitService *service)
{
  begin_stop_for (service, requested_cause (service));
}

static void
fail_start (ZinitService *service)
{
  begin_stop_for (service, ZINIT_STOP_CAUSE_START_TIMEOUT);
}

static void
give_up_start (ZinitService *service)
{
  begin_stop_for (service, ZINIT_STOP_CAUSE_NOT_READY);
}

static void
fail_watchdog (ZinitService *service)
{
  begin_stop_for (service, ZINIT_STOP_CAUSE_WATCHDOG);
}

static void
clean_up (ZinitService *service)
{
  begin_stop_for (service, ZINIT_STOP_CAUSE_LEFTOVERS);
}

static void
change_cause (ZinitService *service)
{
  zinit_service_set_stop_pending (service, FALSE);
  service->stop_cause = requested_cause (service);
  zinit_service_touch (service);
}

static void
start_after (ZinitService *service)
{
  zinit_service_set_next (service, ZINIT_NEXT_START);
}

static void
clear (ZinitService *service)
{
  if (service->status.next_restart_usec == 0)
    zinit_service_set_state (service, ZINIT_STATE_INACTIVE);
}

static void
release_process (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;

  if (service->process != NULL && supervisor->host->awaits_exit (supervisor->host_data, service->process))
    service->exit_pending = g_steal_pointer (&service->process);
  else
    zinit_lifecycle_release (service, &service->process);
}

/* With its wanted status, unless another one was requested meanwhile. */
static void
apply_pending (ZinitService *service)
{
  gboolean is_as_defined = service->status.wanted == (ZinitWanted)service->definition->status;

  zinit_registry_apply_pending (service);
  if (is_as_defined)
    zinit_service_set_wanted (service, (ZinitWanted)service->definition->status);
}

static gboolean
was_asked_for (ZinitStopCause cause)
{
  return cause == ZINIT_STOP_CAUSE_REQUESTED || cause == ZINIT_STOP_CAUSE_DEPENDENCY;
}

/* The state that the outcome leads to, once it is known whether there is a restart. */
static void
enter_end (ZinitService *service, const ZinitOutcome *outcome, gboolean is_restarted)
{
  const ZinitExit *last = &service->status.last_exit;
  gboolean has_given_up = outcome->wants_restart && !is_restarted &&
                          zinit_backoff_is_exhausted (&service->backoff, service->definition) &&
                          service->status.wanted != ZINIT_WANTED_STOP &&
                          service->status.next == ZINIT_NEXT_REST && !service->supervisor->is_shutting_down;

  zinit_service_set_failure (service, outcome->failure.type, outcome->failure.number,
                             outcome->failure.type == ZINIT_FAILURE_NOT_READY ? NO_LINE : NULL);
  if (has_given_up && outcome->state == ZINIT_STATE_EXITED)
    zinit_service_set_failure (
        service, last->kind == ZINIT_EXIT_KILLED ? ZINIT_FAILURE_SIGNAL : ZINIT_FAILURE_EXIT_CODE,
        last->value, NULL);
  zinit_service_set_state (service, has_given_up ? ZINIT_STATE_FAILED : outcome->state);
  if (service->status.state == ZINIT_STATE_FAILED) {
    g_autofree char *reason = zinit_failure_describe (&service->status.failure);

    g_message ("%s: %s", zinit_service_get_name (service), reason);
  }
}

/* What its end means for others, and its own start again. */
static void
follow_end (ZinitService *service, gboolean is_by_itself, gboolean is_restarted)
{
  gboolean comes_back = is_restarted || service->status.next == ZINIT_NEXT_START;

  if (is_by_itself)
    zinit_stop_hold_dependents (service, comes_back);
  if (is_by_itself && !comes_back)
    zinit_on_failure_report (service);
  if (service->status.next == ZINIT_NEXT_START && !service->supervisor->is_shutting_down)
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
}

static void
finish (ZinitService *service)
{
  ZinitStopCause cause = service->stop_cause;
  ZinitEnding ending = { .exit = service->status.last_exit,
                         .stop_cause = cause,
                         .sigkill_sent = service->is_late };
  ZinitOutcome outcome = zinit_machine_outcome (service->definition, &ending);
  gboolean is_restarted;

  zinit_lifecycle_disarm (service);
  release_process (service);
  zinit_log_end (service->log);
  zinit_service_set_stop_pending (service, FALSE);
  service->main_ended = FALSE;
  service->stop_cause = ZINIT_STOP_CAUSE_NONE;
  service->sigkill_usec = 0;
  service->is_late = FALSE;
  zinit_readiness_forget_said (service);
  if (service->status.next != ZINIT_NEXT_START)
    apply_pending (service);
  is_restarted = outcome.wants_restart && zinit_start_schedule (service);
  enter_end (service, &outcome, is_restarted);

  if (service->status.next == ZINIT_NEXT_REMOVE)
    zinit_supervisor_enqueue (service->supervisor, service);
  else
    follow_end (service, !was_asked_for (cause) && !zinit_service_is_done (service), is_restarted);
  zinit_on_failure_look (service);
}

void
zinit_lifecycle_event (ZinitService *service, ZinitEvent event)
{
  static void (*const functions[ZINIT_N_ACTIONS]) (ZinitService *) = {
    [ZINIT_ACTION_EVALUATE] = zinit_start_evaluate,
    [ZINIT_ACTION_EVALUATE_HELD] = zinit_start_held,
    [ZINIT_ACTION_BLOCK_EVALUATE] = zinit_start_when_due,
    [ZINIT_ACTION_CANCEL] = cancel,
    [ZINIT_ACTION_BEGIN_STOP] = begin_stop,
    [ZINIT_ACTION_BECOME_RUNNING] = zinit_start_become_running,
    [ZINIT_ACTION_FAIL_START] = fail_start,
    [ZINIT_ACTION_GIVE_UP_START] = give_up_start,
    [ZINIT_ACTION_FAIL_WATCHDOG] = fail_watchdog,
    [ZINIT_ACTION_CLEAN_UP] = clean_up,
    [ZINIT_ACTION_CHANGE_CAUSE] = change_cause,
    [ZINIT_ACTION_KILL] = zinit_killing_enforce,
    [ZINIT_ACTION_KILL_REST] = zinit_killing_main_ended,
    [ZINIT_ACTION_START_AFTER] = start_after,
    [ZINIT_ACTION_FINISH] = finish,
    [ZINIT_ACTION_CLEAR] = clear,
  };
  ZinitAction action = zinit_machine_action (service->status.state, event);

  if (action != ZINIT_ACTION_IGNORE)
    functions[action](service);
}

static void
on_timer (ZinitTimer *timer)
{
  ZinitService *service = ZINIT_OWNER_OF (timer, ZinitService, timer);

  zinit_service_touch (service);
  switch (service->status.state) {
  case ZINIT_STATE_STARTING:
    zinit_lifecycle_event (service, zinit_readiness_time_is_up (service));
    break;
  case ZINIT_STATE_RUNNING:
    if (zinit_start_limits_run (service->definition))
      zinit_lifecycle_event (service, ZINIT_EVENT_START_TIMEOUT);
    else
      zinit_service_reset_backoff (service);
    break;
  case ZINIT_STATE_STOPPING:
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP_TIMEOUT);
    break;
  default:
    zinit_lifecycle_event (service, ZINIT_EVENT_RESTART_DUE);
  }
}

/* Restored without the process that its state had. */
static gboolean
has_vanished (const ZinitService *service)
{
  return zinit_state_is_active (service->status.state) && service->process == NULL &&
         service->unproven_pid == 0;
}

void
zinit_lifecycle_process (ZinitService *service)
{
  /* Another one of its name must not be started beside what does not die. */
  if (service->status.next == ZINIT_NEXT_REMOVE && !zinit_state_is_active (service->status.state) &&
      service->undying == NULL) {
    zinit_registry_remove (service);
    return;
  }
  zinit_on_failure_begin (service);
  if (has_vanished (service))
    zinit_lifecycle_event (service, ZINIT_EVENT_GROUP_EMPTY);
  else if (service->main_ended && !zinit_background_follow (service))
    zinit_lifecycle_event (service, zinit_killing_leaves_rest (service) ? ZINIT_EVENT_GROUP_EMPTY
                                                                        : ZINIT_EVENT_MAIN_ENDED);
  if (service->status.next == ZINIT_NEXT_START && !zinit_state_is_active (service->status.state) &&
      !service->stop_pending)
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
  else
    zinit_lifecycle_event (service, ZINIT_EVENT_DEPENDENCY_CHANGED);
  zinit_stop_if_ready (service);
}
