/* SPDX-License-Identifier: Apache-2.0
 *
 * The one writer of a service's state and of what is shown beside it. It checks, stamps and counts; why a
 * state changes is decided in lifecycle.c, and what follows from a change for others is in supervisor.c.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "process/credentials.h"
#include "process/tags.h"
#include "supervisor/internal.h"

ZinitService *
zinit_service_new (ZinitSupervisor *supervisor, ZinitDefinition *definition, const char *path)
{
  ZinitService *service = g_new0 (ZinitService, 1);

  service->supervisor = supervisor;
  service->definition = zinit_definition_ref (definition);
  service->path = g_strdup (path);
  service->status.wanted = (ZinitWanted)definition->status;
  service->log = zinit_log_new (definition->buffer_lines);
  if (supervisor->log_folder != NULL)
    zinit_log_attach (service->log, supervisor->log_folder, definition->name);
  service->status.state_changed_at_usec = supervisor->host->realtime_usec (supervisor->host_data);
  zinit_backoff_reset (&service->backoff, definition);
  return service;
}

static void
release (ZinitSupervisor *supervisor, ZinitProcess *process)
{
  if (process != NULL)
    supervisor->host->release (supervisor->host_data, process);
}

void
zinit_service_free (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;

  supervisor->host->disarm (supervisor->host_data, &service->timer);
  supervisor->host->disarm (supervisor->host_data, &service->watchdog_timer);
  if (service->dirty_link.data != NULL)
    g_queue_unlink (&supervisor->dirty, &service->dirty_link);
  release (supervisor, service->process);
  release (supervisor, service->exit_pending);
  release (supervisor, service->undying);
  zinit_definition_unref (service->definition);
  zinit_definition_unref (service->pending_definition);
  zinit_log_free (service->log);
  zinit_status_clear (&service->status);
  zinit_status_clear (&service->reported);
  g_free (service->path);
  g_free (service->overridden);
  g_free (service->unproven_reason);
  g_free (service->said);
  g_free (service->started_for);
  g_free (service->failures);
  g_free (service);
}

/* Of the user that its processes are of. Transfer full. */
static char *
make_instance_tag (const ZinitService *service)
{
  const char *instance = zinit_supervisor_get_instance (service->supervisor);
  g_auto (ZinitCredentials) identity = { 0 };
  g_autofree char *own = NULL;

  if (service->definition->user == NULL ||
      !zinit_credentials_resolve (service->definition->user, service->definition->group, &identity, NULL) ||
      !identity.sets_uid)
    return g_strdup (service->supervisor->instance_tag);
  own = zinit_tags_instance_for (instance, identity.uid);
  return g_strconcat (ZINIT_TAG_INSTANCE "=", own, NULL);
}

char **
zinit_service_make_tags (const ZinitService *service)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *name = g_strconcat (ZINIT_TAG_SERVICE "=", zinit_service_get_name (service), NULL);
  g_autofree char *run = g_strdup_printf (ZINIT_TAG_RUN "=%" G_GUINT64_FORMAT, service->run);

  g_strv_builder_add (builder, name);
  if (service->supervisor->instance_tag != NULL) {
    g_autofree char *instance = make_instance_tag (service);

    g_strv_builder_add_many (builder, instance, service->supervisor->folder_tag, NULL);
  }
  /* One of another writer has none. */
  if (service->run > 0)
    g_strv_builder_add (builder, run);
  return g_strv_builder_end (builder);
}

static void
report_transition (gpointer observer, gpointer data)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->transition != NULL)
    entry->observer->transition (data, entry->data);
}

static void
count_state (ZinitSupervisor *supervisor, ZinitState old_state, ZinitState new_state)
{
  guint n_failed = supervisor->n_failed;

  supervisor->n_active += zinit_state_is_active (new_state);
  supervisor->n_active -= zinit_state_is_active (old_state);
  supervisor->n_stopping += new_state == ZINIT_STATE_STOPPING;
  supervisor->n_stopping -= old_state == ZINIT_STATE_STOPPING;
  supervisor->n_failed += new_state == ZINIT_STATE_FAILED;
  supervisor->n_failed -= old_state == ZINIT_STATE_FAILED;
  if (n_failed != supervisor->n_failed)
    zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_FAILED_COUNT);
}

/* By its policy, after a restart on request, or with what it requires. */
static gboolean
is_to_come_back (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  return status->next_restart_usec != 0 || status->next == ZINIT_NEXT_START ||
         status->next == ZINIT_NEXT_START_WITH_DEPENDENCY;
}

void
zinit_service_set_state (ZinitService *service, ZinitState state)
{
  ZinitSupervisor *supervisor = service->supervisor;
  ZinitTransition transition = { .service = service, .old_state = service->status.state, .new_state = state };

  if (!zinit_machine_may_change (transition.old_state, state)) {
    g_critical ("%s: no way from %s to %s", zinit_service_get_name (service),
                zinit_state_to_string (transition.old_state), zinit_state_to_string (state));
    return;
  }
  service->status.state = state;
  service->status.state_changed_at_usec = supervisor->host->realtime_usec (supervisor->host_data);
  if (state != ZINIT_STATE_BLOCKED) {
    zinit_service_set_waiting_on (service, NULL);
    service->comes_back = is_to_come_back (service);
  }
  if (state != ZINIT_STATE_FAILED)
    zinit_service_set_failure (service, ZINIT_FAILURE_NONE, 0, NULL);
  zinit_service_touch (service);

  transition.sequence = ++supervisor->sequence;
  transition.time_usec = service->status.state_changed_at_usec;
  g_debug ("%s: %s → %s", zinit_service_get_name (service), zinit_state_to_string (transition.old_state),
           zinit_state_to_string (state));
  count_state (supervisor, transition.old_state, state);
  if (transition.old_state == ZINIT_STATE_RUNNING || state == ZINIT_STATE_RUNNING)
    zinit_watchdog_arm (service);
  zinit_supervisor_for_each_observer (supervisor, report_transition, &transition);
}

void
zinit_service_set_failure (ZinitService *service, ZinitFailureType type, gint32 number, const char *text)
{
  ZinitFailure failure = { .type = type, .number = number, .text = (char *)text };

  if (zinit_failure_equal (&service->status.failure, &failure))
    return;
  zinit_failure_copy (&failure, &service->status.failure);
  zinit_service_touch (service);
}

void
zinit_service_set_waiting_on (ZinitService *service, char **names)
{
  g_strfreev (service->status.waiting_on);
  service->status.waiting_on = names;
  zinit_service_touch (service);
}

void
zinit_service_set_wanted (ZinitService *service, ZinitWanted wanted)
{
  service->status.wanted = wanted;
  zinit_service_touch (service);
}

void
zinit_service_set_next_restart (ZinitService *service, gint64 realtime_usec)
{
  if (service->status.next_restart_usec == realtime_usec)
    return;
  service->status.next_restart_usec = realtime_usec;
  zinit_service_touch (service);
  zinit_outlook_update (service);
}

void
zinit_service_set_next (ZinitService *service, ZinitNext next)
{
  if (service->status.next == next || service->status.next == ZINIT_NEXT_REMOVE)
    return;
  service->status.next = next;
  if (service->stop_cause == ZINIT_STOP_CAUSE_DEPENDENCY && next != ZINIT_NEXT_START_WITH_DEPENDENCY)
    service->stop_cause = ZINIT_STOP_CAUSE_REQUESTED;
  zinit_service_touch (service);
  zinit_outlook_update (service);
}

void
zinit_service_set_stop_pending (ZinitService *service, gboolean is_pending)
{
  if (service->stop_pending == is_pending)
    return;
  service->stop_pending = is_pending;
  service->supervisor->n_stop_pending += is_pending ? 1 : -1;
  if (!is_pending)
    zinit_supervisor_end_stop (service->supervisor);
  zinit_service_touch (service);
  zinit_outlook_update (service);
}

void
zinit_service_reset_backoff (ZinitService *service)
{
  zinit_backoff_reset (&service->backoff, service->definition);
  zinit_service_touch (service);
}
