/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to one service: an event comes in, the machine's table names the action, the action is done
 * here. Requests come from requests.c; the effects on other services are in stop.c and the queue.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"
#include "supervisor/record.h"

#include <signal.h>

static void on_timer (ZinitTimer *timer);

void
zinit_lifecycle_arm_at (ZinitService *service, gint64 deadline_usec)
{
  service->supervisor->host->arm (service->supervisor->host_data, &service->timer, deadline_usec, on_timer);
}

static void
arm (ZinitService *service, guint64 delay_ms)
{
  ZinitSupervisor *supervisor = service->supervisor;

  zinit_lifecycle_arm_at (service,
                          supervisor->host->monotonic_usec (supervisor->host_data) + (gint64)delay_ms * 1000);
}

static void
disarm (ZinitService *service)
{
  service->supervisor->host->disarm (service->supervisor->host_data, &service->timer);
}

static gint64
realtime_usec (ZinitService *service)
{
  return service->supervisor->host->realtime_usec (service->supervisor->host_data);
}

static void
stop_all (ZinitService *service, int signo)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GError) error = NULL;

  if (service->process == NULL)
    return;
  /* FALSE without an error: nothing is left to signal, and its end is about to be reported. */
  if (!supervisor->host->stop (supervisor->host_data, service->process, signo, &error) && error != NULL)
    g_warning ("%s: %s", zinit_service_get_name (service), error->message);
}

/* By policy, after the back-off; unless the limit is reached. */
static void
schedule_restart (ZinitService *service)
{
  guint64 delay_ms;

  if (service->wanted == ZINIT_WANTED_STOP || service->remove_when_down ||
      service->supervisor->is_shutting_down)
    return;
  if (zinit_backoff_is_exhausted (&service->backoff, service->definition)) {
    g_message ("%s: given up after %u restarts", zinit_service_get_name (service), service->backoff.count);
    return;
  }
  delay_ms = zinit_backoff_get_delay_ms (&service->backoff, service->definition);
  arm (service, delay_ms);
  zinit_service_set_next_restart (service, realtime_usec (service) + (gint64)delay_ms * 1000);
}

static void
drop_exit_pending (ZinitService *service)
{
  if (service->exit_pending != NULL)
    service->supervisor->host->release (service->supervisor->host_data, service->exit_pending);
  service->exit_pending = NULL;
}

static void
on_main_ended (ZinitProcess *process, const ZinitExit *exit, gpointer data)
{
  ZinitService *service = data;

  drop_exit_pending (service);
  service->last_exit = *exit;
  service->main_ended = TRUE;
  service->changes |= ZINIT_CHANGED_LAST_EXIT;
  /* Usually its group is empty as well, which is reported next; only if not there is something to clean
   * up. */
  zinit_supervisor_enqueue (service->supervisor, service);
}

static void
on_group_empty (ZinitProcess *process, gpointer data)
{
  ZinitService *service = data;

  zinit_lifecycle_event (service, ZINIT_EVENT_GROUP_EMPTY);
  zinit_service_publish (service);
}

static void
on_exit_known (ZinitProcess *process, const ZinitExit *exit, gpointer data)
{
  ZinitService *service = data;

  if (process == service->exit_pending)
    drop_exit_pending (service);
  if (exit->kind == ZINIT_EXIT_UNKNOWN)
    return;
  service->last_exit = *exit;
  service->changes |= ZINIT_CHANGED_LAST_EXIT;
  zinit_service_publish (service);
}

static char *
on_reserve (ZinitProcess *process, ZinitStream stream, gsize wanted, gsize *ret_size, gpointer data)
{
  ZinitService *service = data;

  return zinit_log_reserve (service->log, stream, wanted, realtime_usec (service), ret_size);
}

static void
on_output (ZinitProcess *process, ZinitStream stream, const char *bytes, gsize length, gpointer data)
{
  ZinitService *service = data;

  zinit_log_append (service->log, stream, bytes, length, realtime_usec (service));
}

const ZinitProcessEvents zinit_process_events = {
  .main_ended = on_main_ended,
  .group_empty = on_group_empty,
  .exit_known = on_exit_known,
  .reserve = on_reserve,
  .output = on_output,
};

static void
tell_starting (gpointer observer, gpointer service)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->starting != NULL)
    entry->observer->starting (service, entry->data);
}

static void
spawn (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GError) error = NULL;
  ZinitSpawnRequest request = { .definition = service->definition, .run = ++service->run };
  g_auto (GStrv) tags = zinit_service_make_tags (service);

  request.tags = (const char *const *)tags;

  disarm (service);
  zinit_service_set_next_restart (service, 0);
  /* The pending start is on record, should the daemon be killed before the start itself is. */
  service->start_queued = TRUE;
  zinit_supervisor_for_each_observer (supervisor, tell_starting, service);
  service->comes_back = service->start_after = service->start_queued = FALSE;
  service->main_ended = service->stop_asked = service->start_timed_out = service->kill_needed = FALSE;

  /* Half a line that an earlier daemon left is not the beginning of what comes. */
  zinit_log_end (service->log);
  service->process =
      supervisor->host->spawn (supervisor->host_data, &request, &zinit_process_events, service, &error);
  if (service->process == NULL) {
    g_message ("%s: %s", zinit_service_get_name (service), error->message);
    zinit_service_set_failure (service, ZINIT_FAILURE_SPAWN_ERROR, 0, error->message);
    zinit_lifecycle_event (service, ZINIT_EVENT_SPAWN_FAILED);
  } else {
    zinit_lifecycle_event (service, ZINIT_EVENT_SPAWNED);
  }
}

static void
wait_for (ZinitService *service)
{
  g_autoptr (GPtrArray) blockers = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *last = "";

  zinit_registry_may_start (service, &blockers, NULL);
  for (guint i = 0; i < blockers->len; i++) {
    const ZinitBlocker *blocker = blockers->pdata[i];
    gboolean is_repeated = FALSE;

    for (guint j = 0; j < i && !is_repeated; j++)
      is_repeated = g_str_equal (((const ZinitBlocker *)blockers->pdata[j])->service, blocker->service);
    if (!is_repeated)
      g_strv_builder_add (builder, last = blocker->service);
  }
  zinit_service_set_waiting_on (service, *last != '\0' ? g_strv_builder_end (builder) : NULL);
  if (service->state != ZINIT_STATE_BLOCKED) {
    disarm (service);
    zinit_service_set_next_restart (service, 0);
    service->comes_back = FALSE;
    zinit_service_set_state (service, ZINIT_STATE_BLOCKED);
  }
}

static void
fail_dependency (ZinitService *service, ZinitVerdict verdict, const char *name)
{
  ZinitFailure failure = { .type = verdict == ZINIT_VERDICT_MISSING ? ZINIT_FAILURE_MISSING_DEPENDENCY
                                                                    : ZINIT_FAILURE_DEPENDENCY_FAILED,
                           .text = (char *)name };

  if (service->state == ZINIT_STATE_FAILED && service->next_restart_usec == 0 &&
      zinit_failure_equal (&failure, &service->failure))
    return;
  disarm (service);
  zinit_service_set_next_restart (service, 0);
  service->comes_back = FALSE;
  zinit_service_set_failure (service, failure.type, 0, name);
  zinit_service_set_state (service, ZINIT_STATE_FAILED);
}

static void
evaluate (ZinitService *service)
{
  const char *name = NULL;
  ZinitVerdict verdict;

  if (service->supervisor->is_shutting_down || service->remove_when_down)
    return;
  /* This is the start that was queued, whatever its result is. */
  service->start_after = FALSE;
  zinit_registry_apply_pending (service);
  verdict = zinit_registry_may_start (service, NULL, &name);
  /* Down with what it requires, it stays as it is until that is back. */
  if (verdict == ZINIT_VERDICT_MUST_WAIT && service->comes_back)
    return;
  switch (verdict) {
  case ZINIT_VERDICT_MAY_START:
    spawn (service);
    break;
  case ZINIT_VERDICT_MUST_WAIT:
    wait_for (service);
    break;
  default:
    fail_dependency (service, verdict, name);
  }
}

static void
cancel (ZinitService *service)
{
  disarm (service);
  zinit_service_set_next_restart (service, 0);
  service->comes_back = service->start_after = service->start_queued = FALSE;
  if (service->state == ZINIT_STATE_BLOCKED)
    zinit_service_set_state (service, ZINIT_STATE_INACTIVE);
  else
    service->changes |= ZINIT_CHANGED_CAN_STOP | ZINIT_CHANGED_STATUS_TEXT;
}

static void
enter_starting (ZinitService *service)
{
  service->started_at_usec = realtime_usec (service);
  service->changes |= ZINIT_CHANGED_STARTED_AT | ZINIT_CHANGED_PID;
  arm (service, service->definition->start_timeout_ms);
  zinit_service_set_state (service, ZINIT_STATE_STARTING);
  /* exec has succeeded, and nothing else is asked of a service yet to be ready. */
  zinit_lifecycle_event (service, ZINIT_EVENT_READY);
}

static void
enter_running (ZinitService *service)
{
  const ZinitDefinition *definition = service->definition;

  /* Most services never restart: they hold no timer. */
  if (service->backoff.count > 0 || service->backoff.delay_ms != definition->restart_delay_ms)
    arm (service, definition->stability_period_ms);
  else
    disarm (service);
  zinit_service_set_state (service, ZINIT_STATE_RUNNING);
}

void
zinit_lifecycle_signal_stop (ZinitService *service)
{
  stop_all (service, service->definition->stop_signal);
}

static void
begin_stop (ZinitService *service)
{
  zinit_stop_set_due (service, FALSE);
  arm (service, service->definition->stop_timeout_ms);
  zinit_service_set_state (service, ZINIT_STATE_STOPPING);
  zinit_lifecycle_signal_stop (service);
}

static void
kill_all (ZinitService *service)
{
  if (!service->kill_needed) {
    g_message ("%s: did not stop within %" G_GUINT64_FORMAT " ms, killing what is left",
               zinit_service_get_name (service), service->definition->stop_timeout_ms);
    service->kill_needed = TRUE;
    service->changes |= ZINIT_CHANGED_STATUS_TEXT;
  }
  if (service->unproven_pid != 0 && service->supervisor->is_shutting_down) {
    g_warning ("%s: it is still not known whether process %d lives; it is left alone",
               zinit_service_get_name (service), service->unproven_pid);
    zinit_service_resolve (service, NULL);
    return;
  }
  stop_all (service, SIGKILL);
  /* What the kernel holds (uninterruptible sleep) dies late; what was forked meanwhile needs another one. */
  arm (service, MIN (service->definition->stop_timeout_ms, 1000));
}

/* With its wanted status, unless another one was requested meanwhile. */
static void
apply_pending (ZinitService *service)
{
  gboolean is_as_defined = service->wanted == (ZinitWanted)service->definition->status;

  zinit_registry_apply_pending (service);
  if (is_as_defined)
    zinit_service_set_wanted (service, (ZinitWanted)service->definition->status);
}

static void
release_process (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  ZinitProcess *process = g_steal_pointer (&service->process);

  if (process != NULL && supervisor->host->awaits_exit (supervisor->host_data, process))
    service->exit_pending = process;
  else if (process != NULL)
    supervisor->host->release (supervisor->host_data, process);
}

static void
finish (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  ZinitEnding ending = { .exit = service->last_exit,
                         .stop_asked = service->stop_asked,
                         .start_timed_out = service->start_timed_out,
                         .kill_needed = service->kill_needed };
  ZinitOutcome outcome = zinit_machine_outcome (service->definition, &ending);

  disarm (service);
  release_process (service);
  service->is_vanished = FALSE;
  zinit_log_end (service->log);
  zinit_stop_set_due (service, FALSE);
  service->main_ended = service->stop_asked = service->start_timed_out = service->kill_needed = FALSE;
  service->changes |= ZINIT_CHANGED_PID;
  zinit_service_set_failure (service, outcome.failure.type, outcome.failure.number, NULL);
  if (!service->start_after)
    apply_pending (service);
  if (outcome.wants_restart && !service->start_after && !service->comes_back)
    schedule_restart (service);
  zinit_service_set_state (service, outcome.state);
  if (outcome.state == ZINIT_STATE_FAILED) {
    g_autofree char *reason = zinit_failure_describe (&service->failure);

    g_message ("%s: %s", zinit_service_get_name (service), reason);
  }

  if (service->remove_when_down)
    zinit_supervisor_enqueue (supervisor, service);
  else if (service->start_after && !supervisor->is_shutting_down)
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
}

static void
do_action (ZinitService *service, ZinitAction action)
{
  switch (action) {
  case ZINIT_ACTION_EVALUATE_HELD:
    if (!zinit_service_is_held (service))
      return;
    evaluate (service);
    return;
  case ZINIT_ACTION_BLOCK_EVALUATE:
    zinit_backoff_advance (&service->backoff, service->definition);
    service->changes |= ZINIT_CHANGED_RESTART_COUNT | ZINIT_CHANGED_RESTART_DELAY;
    zinit_service_set_next_restart (service, 0);
    zinit_service_set_state (service, ZINIT_STATE_BLOCKED);
    evaluate (service);
    return;
  case ZINIT_ACTION_FAIL_SPAWN:
    if (zinit_machine_retries_spawn (service->definition))
      schedule_restart (service);
    zinit_service_set_state (service, ZINIT_STATE_FAILED);
    return;
  case ZINIT_ACTION_BEGIN_STOP:
    service->stop_asked = TRUE;
    begin_stop (service);
    return;
  case ZINIT_ACTION_FAIL_START:
    service->start_timed_out = TRUE;
    begin_stop (service);
    return;
  case ZINIT_ACTION_START_AFTER:
    zinit_service_set_start_after (service, TRUE);
    return;
  case ZINIT_ACTION_STAY_DOWN:
    zinit_stop_set_due (service, FALSE);
    service->stop_asked = TRUE;
    zinit_service_set_start_after (service, FALSE);
    return;
  default:
    g_assert_not_reached ();
  }
}

void
zinit_lifecycle_event (ZinitService *service, ZinitEvent event)
{
  /* The plain ones; the others need a word or two. */
  static void (*const functions[ZINIT_N_ACTIONS]) (ZinitService *) = {
    [ZINIT_ACTION_EVALUATE] = evaluate,
    [ZINIT_ACTION_CANCEL] = cancel,
    [ZINIT_ACTION_ENTER_STARTING] = enter_starting,
    [ZINIT_ACTION_ENTER_RUNNING] = enter_running,
    [ZINIT_ACTION_CLEAN_UP] = begin_stop,
    [ZINIT_ACTION_KILL] = kill_all,
    [ZINIT_ACTION_FINISH] = finish,
  };
  ZinitAction action = zinit_machine_action (service->state, event);

  if (action == ZINIT_ACTION_IGNORE)
    return;
  if (functions[action] != NULL)
    functions[action](service);
  else
    do_action (service, action);
}

static void
on_timer (ZinitTimer *timer)
{
  ZinitService *service = ZINIT_OWNER_OF (timer, ZinitService, timer);

  switch (service->state) {
  case ZINIT_STATE_STARTING:
    zinit_lifecycle_event (service, ZINIT_EVENT_START_TIMEOUT);
    break;
  case ZINIT_STATE_RUNNING:
    zinit_service_reset_backoff (service);
    break;
  case ZINIT_STATE_STOPPING:
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP_TIMEOUT);
    break;
  default:
    zinit_lifecycle_event (service, ZINIT_EVENT_RESTART_DUE);
  }
  zinit_service_publish (service);
}

void
zinit_lifecycle_process (ZinitService *service)
{
  if (service->remove_when_down && !zinit_state_is_active (service->state)) {
    zinit_registry_remove (service);
    return;
  }
  if (service->is_vanished)
    zinit_lifecycle_event (service, ZINIT_EVENT_GROUP_EMPTY);
  else if (service->main_ended)
    zinit_lifecycle_event (service, ZINIT_EVENT_MAIN_ENDED);
  if (service->start_queued && !zinit_state_is_active (service->state)) {
    service->start_queued = FALSE;
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
  } else {
    zinit_lifecycle_event (service, ZINIT_EVENT_DEPENDENCY_CHANGED);
  }
  zinit_stop_if_ready (service);
  zinit_service_publish (service);
}
