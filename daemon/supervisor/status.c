/* SPDX-License-Identifier: Apache-2.0
 *
 * The visible status of a service: what follows from its other fields is filled in here and nowhere else, and
 * a change is whatever differs from the status that was reported last.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"
#include "supervisor/record.h"

static gboolean
has_given_up (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  return status->state == ZINIT_STATE_FAILED && status->wanted == ZINIT_WANTED_START &&
         service->definition->restart != ZINIT_RESTART_NEVER &&
         status->failure.type != ZINIT_FAILURE_DEPENDENCY_FAILED &&
         status->failure.type != ZINIT_FAILURE_MISSING_DEPENDENCY &&
         !zinit_machine_is_permanent (service->definition, &status->failure) &&
         zinit_backoff_is_exhausted (&service->backoff, service->definition);
}

static ZinitSubState
get_sub_state_when_down (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  if (status->next == ZINIT_NEXT_START_WITH_DEPENDENCY)
    return ZINIT_SUB_STATE_HELD;
  if (status->next_restart_usec != 0)
    return ZINIT_SUB_STATE_RESTARTING;
  if (status->wanted == ZINIT_WANTED_STOP &&
      (status->state != ZINIT_STATE_INACTIVE || service->definition->status != ZINIT_WANTED_STOP))
    return ZINIT_SUB_STATE_STOPPED;
  if (status->state == ZINIT_STATE_INACTIVE)
    return ZINIT_SUB_STATE_INACTIVE;
  if (has_given_up (service))
    return ZINIT_SUB_STATE_GIVEN_UP;
  if (status->state == ZINIT_STATE_FAILED)
    return ZINIT_SUB_STATE_FAILED;
  return zinit_service_is_done (service) ? ZINIT_SUB_STATE_DONE : ZINIT_SUB_STATE_ENDED;
}

static ZinitSubState
get_sub_state (const ZinitService *service)
{
  switch (service->status.state) {
  case ZINIT_STATE_BLOCKED:
    return ZINIT_SUB_STATE_WAITING;
  case ZINIT_STATE_STARTING:
    return ZINIT_SUB_STATE_STARTING;
  case ZINIT_STATE_RUNNING:
    return ZINIT_SUB_STATE_RUNNING;
  case ZINIT_STATE_STOPPING:
    return service->sigkill_usec != 0 ? ZINIT_SUB_STATE_KILLING : ZINIT_SUB_STATE_STOPPING;
  default:
    return get_sub_state_when_down (service);
  }
}

static pid_t
get_pid (const ZinitService *service)
{
  if (service->process == NULL || !zinit_state_is_active (service->status.state))
    return service->unproven_pid;
  return service->supervisor->host->get_pid (service->supervisor->host_data, service->process);
}

static void
fill_in (ZinitService *service)
{
  ZinitServiceStatus *status = &service->status;

  status->sub_state = get_sub_state (service);
  status->pid = get_pid (service);
  status->restart_count = service->backoff.count;
  status->restart_delay_ms = service->backoff.delay_ms;
  status->needs_restart = service->pending_definition != NULL;
  status->is_ephemeral = service->path == NULL;
  status->can_start = !service->supervisor->is_shutting_down && status->next != ZINIT_NEXT_REMOVE &&
                      status->state != ZINIT_STATE_STARTING && status->state != ZINIT_STATE_RUNNING &&
                      !zinit_service_is_done (service);
  status->can_stop = zinit_state_is_active (status->state) || status->state == ZINIT_STATE_BLOCKED ||
                     status->next_restart_usec != 0 || status->next == ZINIT_NEXT_START ||
                     zinit_service_is_held (service) || zinit_service_is_done (service);
  g_free (status->text);
  status->text = zinit_service_describe (service);
}

const ZinitServiceStatus *
zinit_service_get_status (const ZinitService *service)
{
  /* A question between a change and its report. */
  if (service->dirty_link.data != NULL || service->status.text == NULL)
    fill_in ((ZinitService *)service);
  return &service->status;
}

void
zinit_status_clear (ZinitServiceStatus *status)
{
  zinit_failure_clear (&status->failure);
  g_strfreev (status->waiting_on);
  g_free (status->text);
}

static gboolean
same_names (char **a, char **b)
{
  static char *none[] = { NULL };

  return g_strv_equal ((const char *const *)(a != NULL ? a : none),
                       (const char *const *)(b != NULL ? b : none));
}

/* Requests that show in nothing else: a start after the stop, and a removal. */
static gboolean
asks_for_the_same (const ZinitServiceStatus *a, const ZinitServiceStatus *b)
{
  return a->next == b->next || (a->next != ZINIT_NEXT_START && a->next != ZINIT_NEXT_REMOVE &&
                                b->next != ZINIT_NEXT_START && b->next != ZINIT_NEXT_REMOVE);
}

static ZinitChanges
compare (const ZinitServiceStatus *a, const ZinitServiceStatus *b)
{
  const struct {
    gboolean is_same;
    ZinitChanges change;
  } fields[] = {
    { a->state == b->state, ZINIT_CHANGED_STATE },
    { a->sub_state == b->sub_state, ZINIT_CHANGED_SUB_STATE },
    { a->wanted == b->wanted, ZINIT_CHANGED_WANTED_STATUS },
    { zinit_failure_equal (&a->failure, &b->failure), ZINIT_CHANGED_FAILURE_REASON },
    { same_names (a->waiting_on, b->waiting_on), ZINIT_CHANGED_WAITING_ON },
    { a->last_exit.kind == b->last_exit.kind && a->last_exit.value == b->last_exit.value,
      ZINIT_CHANGED_LAST_EXIT },
    { a->pid == b->pid, ZINIT_CHANGED_PID },
    { a->restart_count == b->restart_count, ZINIT_CHANGED_RESTART_COUNT },
    { a->restart_delay_ms == b->restart_delay_ms, ZINIT_CHANGED_RESTART_DELAY },
    { a->next_restart_usec == b->next_restart_usec, ZINIT_CHANGED_NEXT_RESTART },
    { a->started_at_usec == b->started_at_usec, ZINIT_CHANGED_STARTED_AT },
    { a->state_changed_at_usec == b->state_changed_at_usec, ZINIT_CHANGED_STATE_CHANGED_AT },
    { a->can_start == b->can_start, ZINIT_CHANGED_CAN_START },
    { a->can_stop == b->can_stop, ZINIT_CHANGED_CAN_STOP },
    { a->needs_restart == b->needs_restart, ZINIT_CHANGED_NEEDS_RESTART },
    { a->is_ephemeral == b->is_ephemeral, ZINIT_CHANGED_EPHEMERAL },
    { asks_for_the_same (a, b), ZINIT_CHANGED_ASKED },
    { a->outlook == b->outlook, ZINIT_CHANGED_OUTLOOK },
    { g_strcmp0 (a->text, b->text) == 0, ZINIT_CHANGED_STATUS_TEXT },
  };
  guint changes = 0;

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    changes |= fields[i].is_same ? 0 : fields[i].change;
  return (ZinitChanges)changes;
}

static ZinitIntents
get_intents (const ZinitService *service)
{
  return (ZinitIntents){
    .stop_cause = service->stop_cause,
    .deadline_usec = zinit_timer_is_armed (&service->timer) ? service->timer.deadline_usec : 0,
    .stop_pending = service->stop_pending,
    .is_late = service->is_late,
    .main_ended = service->main_ended,
    .comes_back = service->comes_back,
  };
}

static gboolean
same_intents (const ZinitIntents *a, const ZinitIntents *b)
{
  return a->stop_cause == b->stop_cause && a->deadline_usec == b->deadline_usec &&
         a->stop_pending == b->stop_pending && a->is_late == b->is_late && a->main_ended == b->main_ended &&
         a->comes_back == b->comes_back;
}

/* @to keeps its own strings where they are the same. */
static void
copy (const ZinitServiceStatus *from, ZinitServiceStatus *to, guint changes)
{
  ZinitServiceStatus old = *to;

  *to = *from;
  to->failure = old.failure;
  to->waiting_on = old.waiting_on;
  to->text = old.text;
  if ((changes & ZINIT_CHANGED_FAILURE_REASON) != 0)
    zinit_failure_copy (&from->failure, &to->failure);
  if ((changes & ZINIT_CHANGED_WAITING_ON) != 0) {
    g_strfreev (to->waiting_on);
    to->waiting_on = g_strdupv (from->waiting_on);
  }
  if ((changes & ZINIT_CHANGED_STATUS_TEXT) != 0) {
    g_free (to->text);
    to->text = g_strdup (from->text);
  }
}

void
zinit_service_touch (ZinitService *service)
{
  if (service->dirty_link.data != NULL)
    return;
  service->dirty_link.data = service;
  g_queue_push_tail_link (&service->supervisor->dirty, &service->dirty_link);
  zinit_supervisor_wake (service->supervisor);
}

void
zinit_service_mark (ZinitService *service, ZinitChanges changes)
{
  service->marked |= changes;
  zinit_service_touch (service);
}

/* Since the last report. */
static ZinitChanges
get_changes (const ZinitService *service)
{
  ZinitIntents intents = get_intents (service);

  if (service->dirty_link.data == NULL)
    return 0;
  fill_in ((ZinitService *)service);
  return service->marked | compare (&service->reported, &service->status) |
         (same_intents (&service->reported_intents, &intents) ? 0 : ZINIT_CHANGED_INTENTS);
}

typedef struct {
  ZinitService *service;
  ZinitChanges changes;
} Report;

static void
report_to (gpointer observer, gpointer data)
{
  const ZinitObserverEntry *entry = observer;
  const Report *report = data;

  if (entry->observer->service_changed != NULL)
    entry->observer->service_changed (report->service, report->changes, entry->data);
}

void
zinit_service_report (ZinitService *service)
{
  Report report = { service, get_changes (service) };

  if (service->dirty_link.data == NULL)
    return;
  g_queue_unlink (&service->supervisor->dirty, &service->dirty_link);
  service->dirty_link.data = NULL;
  service->marked = 0;
  service->reported_intents = get_intents (service);
  if (report.changes == 0)
    return;
  copy (&service->status, &service->reported, report.changes);
  zinit_supervisor_for_each_observer (service->supervisor, report_to, &report);
}

void
zinit_service_forget_changes (ZinitService *service)
{
  ZinitChanges changes;

  zinit_service_touch (service);
  changes = get_changes (service);
  g_queue_unlink (&service->supervisor->dirty, &service->dirty_link);
  service->dirty_link.data = NULL;
  service->marked = 0;
  service->reported_intents = get_intents (service);
  copy (&service->status, &service->reported, changes);
}

gboolean
zinit_service_has_requests (const ZinitService *service)
{
  return (get_changes (service) & ZINIT_CHANGED_REQUESTS) != 0;
}
