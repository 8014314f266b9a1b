/* SPDX-License-Identifier: Apache-2.0
 *
 * The one writer of a service's state and of what is shown beside it. It checks, stamps, counts and tells
 * observers; why a state changes is decided in lifecycle.c, and questions are answered in service-view.c.
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
  service->wanted = (ZinitWanted)definition->status;
  service->log = zinit_log_new (definition->buffer_lines);
  if (supervisor->log_folder != NULL)
    zinit_log_attach (service->log, supervisor->log_folder, definition->name);
  service->state_changed_at_usec = supervisor->host->realtime_usec (supervisor->host_data);
  zinit_backoff_reset (&service->backoff, definition);
  return service;
}

void
zinit_service_free (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;

  supervisor->host->disarm (supervisor->host_data, &service->timer);
  if (service->process != NULL)
    supervisor->host->release (supervisor->host_data, service->process);
  if (service->exit_pending != NULL)
    supervisor->host->release (supervisor->host_data, service->exit_pending);
  zinit_definition_unref (service->definition);
  zinit_definition_unref (service->pending_definition);
  zinit_failure_clear (&service->failure);
  zinit_log_free (service->log);
  g_strfreev (service->waiting_on);
  g_free (service->path);
  g_free (service->overridden);
  g_free (service->unproven_reason);
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
tell_transition (gpointer observer, gpointer data)
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
    zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_COUNTS);
}

void
zinit_service_set_state (ZinitService *service, ZinitState state)
{
  ZinitSupervisor *supervisor = service->supervisor;
  ZinitTransition transition = { .service = service, .old_state = service->state, .new_state = state };

  if (!zinit_machine_may_change (service->state, state)) {
    g_critical ("%s: no way from %s to %s", zinit_service_get_name (service),
                zinit_state_to_string (service->state), zinit_state_to_string (state));
    return;
  }
  service->state = state;
  service->state_changed_at_usec = supervisor->host->realtime_usec (supervisor->host_data);
  service->changes |= ZINIT_CHANGED_STATE | ZINIT_CHANGED_STATE_CHANGED_AT | ZINIT_CHANGED_STATUS_TEXT |
                      ZINIT_CHANGED_CAN_START | ZINIT_CHANGED_CAN_STOP;
  if (state != ZINIT_STATE_BLOCKED)
    zinit_service_set_waiting_on (service, NULL);
  if (state != ZINIT_STATE_FAILED)
    zinit_service_set_failure (service, ZINIT_FAILURE_NONE, 0, NULL);

  transition.sequence = ++supervisor->sequence;
  transition.time_usec = service->state_changed_at_usec;
  g_debug ("%s: %s → %s", zinit_service_get_name (service), zinit_state_to_string (transition.old_state),
           zinit_state_to_string (state));
  count_state (supervisor, transition.old_state, state);
  zinit_supervisor_for_each_observer (supervisor, tell_transition, &transition);
  zinit_supervisor_enqueue_dependents (supervisor, service);
}

void
zinit_service_set_failure (ZinitService *service, ZinitFailureType type, gint32 number, const char *text)
{
  ZinitFailure failure = { .type = type, .number = number, .text = (char *)text };

  if (zinit_failure_equal (&service->failure, &failure))
    return;
  zinit_failure_copy (&failure, &service->failure);
  service->changes |= ZINIT_CHANGED_FAILURE_REASON | ZINIT_CHANGED_STATUS_TEXT;
}

void
zinit_service_set_waiting_on (ZinitService *service, char **names)
{
  static char *none[] = { NULL };

  if (g_strv_equal ((const char *const *)(names != NULL ? names : none),
                    zinit_service_get_waiting_on (service))) {
    g_strfreev (names);
    return;
  }
  g_strfreev (service->waiting_on);
  service->waiting_on = names;
  service->changes |= ZINIT_CHANGED_WAITING_ON | ZINIT_CHANGED_STATUS_TEXT;
}

void
zinit_service_set_wanted (ZinitService *service, ZinitWanted wanted)
{
  if (service->wanted == wanted)
    return;
  service->wanted = wanted;
  service->changes |= ZINIT_CHANGED_WANTED_STATUS;
}

void
zinit_service_set_next_restart (ZinitService *service, gint64 realtime_usec)
{
  if (service->next_restart_usec == realtime_usec)
    return;
  service->next_restart_usec = realtime_usec;
  service->changes |= ZINIT_CHANGED_NEXT_RESTART | ZINIT_CHANGED_STATUS_TEXT | ZINIT_CHANGED_CAN_STOP;
}

void
zinit_service_set_start_after (ZinitService *service, gboolean start_after)
{
  if (service->start_after == start_after)
    return;
  service->start_after = start_after;
  service->changes |= ZINIT_CHANGED_STATUS_TEXT | ZINIT_CHANGED_ASKED;
}

void
zinit_service_reset_backoff (ZinitService *service)
{
  ZinitBackoff before = service->backoff;

  zinit_backoff_reset (&service->backoff, service->definition);
  if (before.count != service->backoff.count)
    service->changes |= ZINIT_CHANGED_RESTART_COUNT;
  if (before.delay_ms != service->backoff.delay_ms)
    service->changes |= ZINIT_CHANGED_RESTART_DELAY;
}

static void
tell_changes (gpointer observer, gpointer data)
{
  const ZinitObserverEntry *entry = observer;
  ZinitService *service = data;

  if (entry->observer->service_changed != NULL)
    entry->observer->service_changed (service, service->changes, entry->data);
}

void
zinit_service_publish (ZinitService *service)
{
  if (service->changes == 0)
    return;
  zinit_supervisor_for_each_observer (service->supervisor, tell_changes, service);
  service->changes = 0;
}

gboolean
zinit_service_failed_for_good (const ZinitService *service)
{
  return service->state == ZINIT_STATE_FAILED && service->next_restart_usec == 0 && !service->start_after;
}

gboolean
zinit_service_is_held (const ZinitService *service)
{
  if (service->state != ZINIT_STATE_EXITED && service->state != ZINIT_STATE_FAILED)
    return FALSE;
  return service->comes_back || (service->wanted == ZINIT_WANTED_START &&
                                 (service->failure.type == ZINIT_FAILURE_MISSING_DEPENDENCY ||
                                  service->failure.type == ZINIT_FAILURE_DEPENDENCY_FAILED));
}
