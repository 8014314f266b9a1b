/* SPDX-License-Identifier: Apache-2.0
 *
 * Stopping in order: those that need a service go down before it. A service that is due waits, still running,
 * until nothing that needs it is up; branches that do not need each other stop side by side.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

static gboolean
goes_down (const ZinitService *service)
{
  return service->stop_pending || service->status.state == ZINIT_STATE_STOPPING;
}

/* What is stopped at one time goes down in the reverse order of starts. */
static gboolean
goes_down_before (const ZinitService *dependent, const ZinitService *service)
{
  return zinit_registry_needs (dependent, service) ||
         (goes_down (dependent) && zinit_registry_is_in (dependent->definition->after, service));
}

/* It is `before` one that goes down as well. */
static gboolean
precedes_any (const ZinitService *service)
{
  for (char **name = service->definition->before; name != NULL && *name != NULL; name++) {
    const ZinitService *other = g_hash_table_lookup (service->supervisor->services, *name);

    if (other != NULL && goes_down (other))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_needed (const ZinitService *service)
{
  GPtrArray *dependents = zinit_registry_dependents (service->supervisor, zinit_service_get_name (service));

  for (guint i = 0; dependents != NULL && i < dependents->len; i++) {
    const ZinitService *dependent = dependents->pdata[i];

    if (dependent != service &&
        (zinit_state_is_active (dependent->status.state) || dependent->stop_pending) &&
        goes_down_before (dependent, service))
      return TRUE;
  }
  return precedes_any (service);
}

/* A oneshot that is done has no process to stop: what remains is what comes next for it. */
static void
finish_done (ZinitService *service)
{
  zinit_service_set_stop_pending (service, FALSE);
  if (service->status.next == ZINIT_NEXT_START)
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
  else if (service->status.next == ZINIT_NEXT_REST)
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  zinit_supervisor_enqueue_dependents (service->supervisor, service);
  if (service->status.next == ZINIT_NEXT_REMOVE)
    zinit_supervisor_enqueue (service->supervisor, service);
}

static void
stop_now (ZinitService *service)
{
  if (zinit_state_is_active (service->status.state))
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  else
    finish_done (service);
}

void
zinit_stop_if_ready (ZinitService *service)
{
  if (service->stop_pending && !is_needed (service))
    stop_now (service);
}

typedef gboolean (*RelationFunc) (const ZinitService *dependent, const ZinitService *service);

static gboolean
binds_to (const ZinitService *dependent, const ZinitService *service)
{
  return zinit_registry_is_in (dependent->definition->binds_to, service);
}

/* Adds to @found all that depends by @relation on one of its members, and all that needs one of these,
 * however far, each once. */
static void
add_dependents (GPtrArray *found, RelationFunc relation)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint n_roots = found->len;

  for (guint i = 0; i < found->len; i++)
    g_hash_table_add (seen, found->pdata[i]);
  for (guint i = 0; i < found->len; i++) {
    ZinitService *needed = found->pdata[i];
    GPtrArray *dependents = zinit_registry_dependents (needed->supervisor, zinit_service_get_name (needed));

    if (i == n_roots)
      relation = zinit_registry_needs;
    for (guint j = 0; dependents != NULL && j < dependents->len; j++)
      if (relation (dependents->pdata[j], needed) && g_hash_table_add (seen, dependents->pdata[j]))
        g_ptr_array_add (found, dependents->pdata[j]);
  }
}

/* It is to go down in its turn. For one that is stopping already it is only the cause that changes. */
static void
mark (ZinitService *service, gboolean is_up)
{
  if (service->status.state == ZINIT_STATE_STOPPING)
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  else if (is_up)
    zinit_service_set_stop_pending (service, TRUE);
}

/* It goes down because something that it needs does, and comes back with it. */
static void
hold (ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;
  gboolean is_up = zinit_state_is_active (status->state) || zinit_service_is_done (service);
  gboolean comes_back = status->next == ZINIT_NEXT_REST &&
                        (status->wanted == ZINIT_WANTED_START || zinit_service_is_done (service));

  if (comes_back && (is_up || status->next_restart_usec != 0)) {
    if (!is_up)
      zinit_start_cancel_scheduled (service);
    zinit_service_set_next (service, ZINIT_NEXT_START_WITH_DEPENDENCY);
  }
  mark (service, is_up);
}

static void
stop_all_ready (const GPtrArray *services)
{
  for (guint i = 0; i < services->len; i++)
    zinit_stop_if_ready (services->pdata[i]);
}

void
zinit_stop_in_order (const GPtrArray *roots)
{
  g_autoptr (GPtrArray) services = g_ptr_array_copy ((GPtrArray *)roots, NULL, NULL);

  add_dependents (services, zinit_registry_needs);
  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];
    gboolean is_up = zinit_state_is_active (service->status.state) ||
                     (service->definition->oneshot && service->status.state == ZINIT_STATE_EXITED);

    if (i >= roots->len)
      hold (service);
    else
      mark (service, is_up);
  }
  stop_all_ready (services);
  for (guint i = 0; i < roots->len; i++) {
    ZinitService *service = roots->pdata[i];

    if (!service->stop_pending && !zinit_state_is_active (service->status.state) &&
        service->status.next == ZINIT_NEXT_REST)
      zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  }
}

void
zinit_stop_one_in_order (ZinitService *service)
{
  g_autoptr (GPtrArray) roots = g_ptr_array_new ();

  g_ptr_array_add (roots, service);
  zinit_stop_in_order (roots);
}

void
zinit_stop_hold_dependents (ZinitService *service, gboolean is_restarted)
{
  g_autoptr (GPtrArray) services = NULL;

  if (service->supervisor->is_shutting_down ||
      zinit_registry_dependents (service->supervisor, zinit_service_get_name (service)) == NULL)
    return;
  services = g_ptr_array_new ();
  g_ptr_array_add (services, service);
  add_dependents (services, is_restarted ? binds_to : zinit_registry_needs);
  g_ptr_array_remove_index (services, 0);
  for (guint i = 0; i < services->len; i++)
    hold (services->pdata[i]);
  stop_all_ready (services);
}

GPtrArray *
zinit_stop_find_ending (const ZinitService *service)
{
  const ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GPtrArray) services = NULL;
  GPtrArray *names = NULL;

  /* Most have nobody who depends on them, and most starts come while nothing goes down. */
  if ((supervisor->n_stopping == 0 && supervisor->n_stop_pending == 0) ||
      zinit_registry_dependents (service->supervisor, zinit_service_get_name (service)) == NULL)
    return NULL;
  services = g_ptr_array_new ();
  g_ptr_array_add (services, (gpointer)service);
  add_dependents (services, binds_to);
  for (guint i = 1; i < services->len; i++) {
    if (!goes_down (services->pdata[i]))
      continue;
    if (names == NULL)
      names = g_ptr_array_new ();
    g_ptr_array_add (names, (gpointer)zinit_service_get_name (services->pdata[i]));
  }
  if (names != NULL)
    g_ptr_array_add (names, NULL);
  return names;
}

static void
report_shutdown_done (gpointer observer, gpointer data)
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
    if (((ZinitService *)services->pdata[i])->stop_pending)
      stop_now (services->pdata[i]);
  }
}

void
zinit_stop_check (ZinitSupervisor *supervisor)
{
  if (supervisor->n_stop_pending > 0 && supervisor->n_stopping == 0)
    break_ties (supervisor);
  if (supervisor->is_shutting_down && supervisor->n_active == 0 && !supervisor->shutdown_is_done) {
    supervisor->shutdown_is_done = TRUE;
    zinit_supervisor_for_each_observer (supervisor, report_shutdown_done, NULL);
  }
}

static void
report_shutdown_begun (gpointer observer, gpointer data)
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
  zinit_supervisor_for_each_observer (supervisor, report_shutdown_begun, NULL);

  services = zinit_supervisor_list (supervisor);
  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];

    zinit_service_set_next (service, ZINIT_NEXT_REST);
    zinit_service_touch (service);
    if (zinit_state_is_active (service->status.state) || zinit_service_is_done (service))
      zinit_service_set_stop_pending (service, TRUE);
    else
      zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  }
  stop_all_ready (services);
  /* The queue's end is where "all is down" is noticed, also when nothing was up. */
  zinit_supervisor_wake (supervisor);
}
