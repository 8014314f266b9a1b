/* SPDX-License-Identifier: Apache-2.0
 *
 * Stopping in order: those that need a service go down before it. A service that is due waits, still running,
 * until nothing that needs it is up; branches that do not need each other stop side by side.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

void
zinit_stop_set_due (ZinitService *service, gboolean is_due)
{
  if (service->stop_due == is_due)
    return;
  service->stop_due = is_due;
  service->changes |= ZINIT_CHANGED_STATUS_TEXT;
  service->supervisor->n_stop_due += is_due ? 1 : -1;
}

/* On the way out, what comes after another goes down before it as well. */
static gboolean
goes_down_before (const ZinitService *dependent, const ZinitService *service)
{
  const char *const *after = (const char *const *)dependent->definition->after;

  if (zinit_registry_requires (dependent, service))
    return TRUE;
  return service->supervisor->is_shutting_down && after != NULL &&
         g_strv_contains (after, zinit_service_get_name (service));
}

static gboolean
is_needed (const ZinitService *service)
{
  GPtrArray *dependents = zinit_registry_dependents (service->supervisor, zinit_service_get_name (service));

  for (guint i = 0; dependents != NULL && i < dependents->len; i++) {
    const ZinitService *dependent = dependents->pdata[i];

    if (dependent != service && zinit_state_is_active (dependent->state) &&
        goes_down_before (dependent, service))
      return TRUE;
  }
  return FALSE;
}

void
zinit_stop_if_ready (ZinitService *service)
{
  if (service->stop_due && !is_needed (service))
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
}

/* @service and every active one that requires it, however far, each once. Transfer container. */
static GPtrArray *
collect_dependents (ZinitService *service)
{
  GPtrArray *found = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  g_ptr_array_add (found, service);
  g_hash_table_add (seen, service);
  for (guint i = 0; i < found->len; i++) {
    ZinitService *needed = found->pdata[i];
    GPtrArray *dependents = zinit_registry_dependents (needed->supervisor, zinit_service_get_name (needed));

    for (guint j = 0; dependents != NULL && j < dependents->len; j++) {
      ZinitService *dependent = dependents->pdata[j];

      if (zinit_state_is_active (dependent->state) && zinit_registry_requires (dependent, needed) &&
          g_hash_table_add (seen, dependent))
        g_ptr_array_add (found, dependent);
    }
  }
  return found;
}

void
zinit_stop_in_order (ZinitService *service)
{
  g_autoptr (GPtrArray) services = NULL;

  if (!zinit_state_is_active (service->state)) {
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
    zinit_service_publish (service);
    return;
  }
  services = collect_dependents (service);
  for (guint i = 0; i < services->len; i++) {
    ZinitService *dependent = services->pdata[i];

    zinit_stop_set_due (dependent, TRUE);
    if (dependent != service && dependent->wanted == ZINIT_WANTED_START)
      dependent->comes_back = TRUE;
  }
  for (guint i = 0; i < services->len; i++) {
    zinit_stop_if_ready (services->pdata[i]);
    zinit_service_publish (services->pdata[i]);
  }
}

static void
tell_shutdown_done (gpointer observer, gpointer data)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->shutdown_done != NULL)
    entry->observer->shutdown_done (entry->data);
}

/* Definitions that changed under running services can make them need each other; nothing is stopping then. */
static void
break_ties (ZinitSupervisor *supervisor)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (supervisor);

  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];

    if (service->stop_due)
      zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
    zinit_service_publish (service);
  }
}

void
zinit_stop_check (ZinitSupervisor *supervisor)
{
  if (supervisor->n_stop_due > 0 && supervisor->n_stopping == 0)
    break_ties (supervisor);
  if (supervisor->is_shutting_down && supervisor->n_active == 0 && !supervisor->shutdown_is_done) {
    supervisor->shutdown_is_done = TRUE;
    zinit_supervisor_for_each_observer (supervisor, tell_shutdown_done, NULL);
  }
}

static void
tell_shutdown_begun (gpointer observer, gpointer data)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->shutdown_begun != NULL)
    entry->observer->shutdown_begun (entry->data);
}

void
zinit_supervisor_shutdown (ZinitSupervisor *supervisor)
{
  g_autoptr (GPtrArray) services = NULL;

  if (supervisor->is_shutting_down)
    return;
  supervisor->is_shutting_down = TRUE;
  zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_STATE);
  zinit_supervisor_for_each_observer (supervisor, tell_shutdown_begun, NULL);

  services = zinit_supervisor_list (supervisor);
  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];

    service->start_after = FALSE;
    service->changes |= ZINIT_CHANGED_CAN_START;
    if (zinit_state_is_active (service->state))
      zinit_stop_set_due (service, TRUE);
    else
      zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  }
  for (guint i = 0; i < services->len; i++) {
    zinit_stop_if_ready (services->pdata[i]);
    zinit_service_publish (services->pdata[i]);
  }
  /* The queue's end is where "all is down" is noticed, also when nothing was up. */
  zinit_supervisor_wake (supervisor);
}
