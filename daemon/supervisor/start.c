/* SPDX-License-Identifier: Apache-2.0
 *
 * The way up: whether a service may start now, its process, and the restarts that its policy wants.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

gboolean
zinit_start_schedule (ZinitService *service)
{
  guint64 delay_ms;

  if (service->status.wanted == ZINIT_WANTED_STOP || service->status.next != ZINIT_NEXT_REST ||
      service->supervisor->is_shutting_down)
    return FALSE;
  if (zinit_backoff_is_exhausted (&service->backoff, service->definition)) {
    g_message ("%s: given up after %u restarts", zinit_service_get_name (service), service->backoff.count);
    return FALSE;
  }
  delay_ms = zinit_backoff_get_delay_ms (&service->backoff, service->definition);
  zinit_lifecycle_arm (service, delay_ms);
  zinit_service_set_next_restart (service, zinit_lifecycle_realtime_usec (service) + (gint64)delay_ms * 1000);
  return TRUE;
}

void
zinit_start_cancel_scheduled (ZinitService *service)
{
  zinit_lifecycle_disarm (service);
  zinit_service_set_next_restart (service, 0);
}

gboolean
zinit_start_limits_run (const ZinitDefinition *definition)
{
  return definition->oneshot && definition->start_timeout_is_given;
}

void
zinit_start_become_running (ZinitService *service)
{
  const ZinitDefinition *definition = service->definition;

  if (zinit_start_limits_run (definition))
    zinit_lifecycle_arm (service, definition->start_timeout_ms);
  /* Most services never restart: they hold no timer. */
  else if (service->backoff.count > 0 || service->backoff.delay_ms != definition->restart_delay_ms)
    zinit_lifecycle_arm (service, definition->stability_period_ms);
  else
    zinit_lifecycle_disarm (service);
  /* It says so once only: what has heard it must not be forgotten. */
  if (zinit_readiness_describe_missing (service) != NULL)
    zinit_service_mark (service, ZINIT_CHANGED_ASKED);
  service->is_ready_unheard = FALSE;
  zinit_service_set_state (service, ZINIT_STATE_RUNNING);
}

static void
report_starting (gpointer observer, gpointer service)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->starting != NULL)
    entry->observer->starting (service, entry->data);
}

void
zinit_start_report (ZinitService *service)
{
  zinit_supervisor_for_each_observer (service->supervisor, report_starting, service);
}

/* Its process could not be made. */
static void
fail_spawn (ZinitService *service, const char *message)
{
  gboolean is_restarted = zinit_machine_retries_spawn (service->definition) && zinit_start_schedule (service);

  g_message ("%s: %s", zinit_service_get_name (service), message);
  zinit_service_set_failure (service, ZINIT_FAILURE_SPAWN_ERROR, 0, message);
  zinit_service_set_state (service, ZINIT_STATE_FAILED);
  zinit_stop_hold_dependents (service, is_restarted);
  if (!is_restarted)
    zinit_on_failure_report (service);
  zinit_on_failure_look (service);
}

static void
spawn (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GError) error = NULL;
  ZinitSpawnRequest request = { .definition = service->definition, .run = ++service->run };
  g_auto (GStrv) tags = zinit_service_make_tags (service);
  g_auto (GStrv) variables = zinit_on_failure_make_variables (service);

  request.tags = (const char *const *)tags;
  request.variables = (const char *const *)variables;
  zinit_start_cancel_scheduled (service);
  /* The pending start is on record, should the daemon be killed before the start itself is. */
  zinit_service_set_next (service, ZINIT_NEXT_START);
  zinit_start_report (service);
  zinit_service_set_next (service, ZINIT_NEXT_REST);
  service->main_ended = FALSE;
  service->stop_cause = ZINIT_STOP_CAUSE_NONE;
  service->sigkill_usec = 0;
  service->is_late = FALSE;
  service->n_left = 0;
  service->is_ready_unheard = FALSE;
  service->announced_pid = service->foreign_owner = 0;
  service->watchdog_usec = 0;
  zinit_readiness_forget_said (service);

  /* Half a line that an earlier daemon left is not the beginning of what comes. */
  zinit_log_end (service->log);
  service->process =
      supervisor->host->spawn (supervisor->host_data, &request, &zinit_process_events, service, &error);
  if (service->process == NULL) {
    fail_spawn (service, error->message);
    return;
  }
  service->executed_usec = supervisor->host->monotonic_usec (supervisor->host_data);
  service->n_in_background = 0;
  service->status.started_at_usec = zinit_lifecycle_realtime_usec (service);
  zinit_service_set_state (service, ZINIT_STATE_STARTING);
  zinit_readiness_begin (service);
}

static void
wait_for (ZinitService *service)
{
  g_autoptr (GPtrArray) blockers = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *last = "";

  zinit_registry_may_start (service, &blockers, NULL);
  if (service->undying != NULL)
    g_strv_builder_add (builder, last = zinit_service_get_name (service));
  for (guint i = 0; i < blockers->len; i++) {
    const ZinitBlocker *blocker = blockers->pdata[i];
    gboolean is_repeated = FALSE;

    for (guint j = 0; j < i && !is_repeated; j++)
      is_repeated = g_str_equal (((const ZinitBlocker *)blockers->pdata[j])->service, blocker->service);
    if (!is_repeated)
      g_strv_builder_add (builder, last = blocker->service);
  }
  zinit_service_set_waiting_on (service, *last != '\0' ? g_strv_builder_end (builder) : NULL);
  if (service->status.state != ZINIT_STATE_BLOCKED) {
    zinit_start_cancel_scheduled (service);
    zinit_service_set_next (service, ZINIT_NEXT_REST);
    zinit_service_set_state (service, ZINIT_STATE_BLOCKED);
  }
  zinit_service_set_next (service, ZINIT_NEXT_REST);
}

static void
fail_dependency (ZinitService *service, ZinitVerdict verdict, const char *name)
{
  ZinitFailure failure = { .type = verdict == ZINIT_VERDICT_MISSING ? ZINIT_FAILURE_MISSING_DEPENDENCY
                                                                    : ZINIT_FAILURE_DEPENDENCY_FAILED,
                           .text = (char *)name };
  gboolean was_on_its_way = service->status.next == ZINIT_NEXT_START;

  zinit_service_set_next (service, ZINIT_NEXT_REST);
  if (service->status.state == ZINIT_STATE_FAILED && service->status.next_restart_usec == 0 &&
      zinit_failure_equal (&failure, &service->status.failure)) {
    /* Its state is what it was, but those that began to wait for this attempt look again. */
    if (was_on_its_way)
      zinit_supervisor_enqueue_dependents (service->supervisor, service);
    return;
  }
  zinit_start_cancel_scheduled (service);
  zinit_service_set_failure (service, failure.type, 0, name);
  zinit_service_set_state (service, ZINIT_STATE_FAILED);
  zinit_stop_hold_dependents (service, FALSE);
  zinit_on_failure_look (service);
}

static void
await_ends (ZinitService *service)
{
  g_autoptr (GPtrArray) ending = zinit_stop_find_ending (service);

  if (ending != NULL)
    zinit_supervisor_await_end (service->supervisor, service);
}

void
zinit_start_evaluate (ZinitService *service)
{
  gboolean is_held = service->status.next == ZINIT_NEXT_START_WITH_DEPENDENCY;
  const char *name = NULL;
  ZinitVerdict verdict;

  if (service->supervisor->is_shutting_down || service->status.next == ZINIT_NEXT_REMOVE)
    return;
  zinit_registry_apply_pending (service);
  verdict = zinit_registry_may_start (service, NULL, &name);
  if (verdict == ZINIT_VERDICT_MAY_START && service->undying != NULL)
    verdict = ZINIT_VERDICT_MUST_WAIT;
  if (verdict == ZINIT_VERDICT_MUST_WAIT)
    await_ends (service);
  /* It stays down with what it requires until that is back, also when that fails meanwhile. */
  if (is_held && (verdict == ZINIT_VERDICT_MUST_WAIT || verdict == ZINIT_VERDICT_FAILED)) {
    zinit_service_touch (service);
    return;
  }
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

void
zinit_start_held (ZinitService *service)
{
  if (zinit_service_is_held (service))
    zinit_start_evaluate (service);
}

void
zinit_start_when_due (ZinitService *service)
{
  zinit_backoff_advance (&service->backoff, service->definition);
  zinit_service_set_next_restart (service, 0);
  zinit_service_set_state (service, ZINIT_STATE_BLOCKED);
  zinit_start_evaluate (service);
}
