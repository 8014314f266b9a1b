/* SPDX-License-Identifier: Apache-2.0
 *
 * Which services there are, their definitions, and which of them name each other. Keeps the reverse index
 * that makes "who depends on this" cheap. Decides nothing about states.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

typedef void (*NameFunc) (ZinitService *service, const char *name);

static void
for_each_name (ZinitService *service, NameFunc func)
{
  char **const lists[] = { service->definition->requires, service->definition->after,
                           service->definition->conflicts };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (char **name = lists[i]; name != NULL && *name != NULL; name++)
      func (service, *name);
}

static void
mark_required_by (ZinitService *service)
{
  for (char **name = service->definition->requires; name != NULL && *name != NULL; name++) {
    ZinitService *required = g_hash_table_lookup (service->supervisor->services, *name);

    if (required != NULL && required != service) {
      required->changes |= ZINIT_CHANGED_REQUIRED_BY;
      zinit_service_publish (required);
    }
  }
}

static void
refer (ZinitService *service, const char *name)
{
  GHashTable *index = service->supervisor->dependents;
  GPtrArray *dependents = g_hash_table_lookup (index, name);

  if (dependents == NULL) {
    dependents = g_ptr_array_new ();
    g_hash_table_insert (index, g_strdup (name), dependents);
  }
  /* A name that stands in two lists of one service stands next to itself here. */
  if (dependents->len == 0 || dependents->pdata[dependents->len - 1] != service)
    g_ptr_array_add (dependents, service);
}

static void
forget (ZinitService *service, const char *name)
{
  GHashTable *index = service->supervisor->dependents;
  GPtrArray *dependents = g_hash_table_lookup (index, name);

  if (dependents == NULL)
    return;
  g_ptr_array_remove (dependents, service);
  if (dependents->len == 0)
    g_hash_table_remove (index, name);
}

GPtrArray *
zinit_registry_dependents (ZinitSupervisor *supervisor, const char *name)
{
  return g_hash_table_lookup (supervisor->dependents, name);
}

gboolean
zinit_registry_requires (const ZinitService *dependent, const ZinitService *service)
{
  const char *const *requires = (const char *const *)dependent->definition->requires;

  return requires != NULL && g_strv_contains (requires, zinit_service_get_name (service));
}

static void
tell_added (gpointer observer, gpointer service)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->service_added != NULL)
    entry->observer->service_added (service, entry->data);
}

static void
tell_removed (gpointer observer, gpointer service)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->service_removed != NULL)
    entry->observer->service_removed (service, entry->data);
}

/* Where in by_name the service @name is, or would have to be. */
static guint
find_place (const ZinitSupervisor *supervisor, const char *name)
{
  guint low = 0, high = supervisor->by_name->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (strcmp (zinit_service_get_name (supervisor->by_name->pdata[middle]), name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

ZinitService *
zinit_registry_insert (ZinitSupervisor *supervisor, ZinitDefinition *definition, const char *path)
{
  ZinitService *service = zinit_service_new (supervisor, definition, path);

  g_hash_table_insert (supervisor->services, (gpointer)zinit_service_get_name (service), service);
  g_ptr_array_insert (supervisor->by_name, (int)find_place (supervisor, zinit_service_get_name (service)),
                      service);
  for_each_name (service, refer);
  zinit_supervisor_for_each_observer (supervisor, tell_added, service);
  zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_COUNTS);
  mark_required_by (service);
  zinit_supervisor_enqueue_dependents (supervisor, service);
  return service;
}

void
zinit_registry_remove (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autofree char *name = g_strdup (zinit_service_get_name (service));
  GPtrArray *dependents;

  if (service->is_queued)
    g_queue_remove (&supervisor->queue, service);
  zinit_stop_set_due (service, FALSE);
  for_each_name (service, forget);
  g_hash_table_steal (supervisor->services, name);
  g_ptr_array_remove_index (supervisor->by_name, find_place (supervisor, name));
  mark_required_by (service);
  if (service->state == ZINIT_STATE_FAILED)
    supervisor->n_failed--;
  zinit_supervisor_for_each_observer (supervisor, tell_removed, service);
  zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_COUNTS);
  zinit_log_discard (service->log);
  zinit_service_free (service);

  dependents = zinit_registry_dependents (supervisor, name);
  for (guint i = 0; dependents != NULL && i < dependents->len; i++)
    zinit_supervisor_enqueue (supervisor, dependents->pdata[i]);
}

static void
bring_into_force (ZinitService *service, ZinitDefinition *definition)
{
  ZinitSupervisor *supervisor = service->supervisor;
  ZinitDefinition *old = service->definition;

  /* Those that the old definition held up look again; the new one may not name them. */
  zinit_supervisor_enqueue_dependents (supervisor, service);
  mark_required_by (service);
  for_each_name (service, forget);
  /* The table's key is the name inside the definition. */
  g_hash_table_steal (supervisor->services, old->name);
  service->definition = zinit_definition_ref (definition);
  g_hash_table_insert (supervisor->services, service->definition->name, service);
  zinit_definition_unref (old);
  for_each_name (service, refer);
  mark_required_by (service);

  zinit_log_set_max_lines (service->log, definition->buffer_lines);
  if (service->backoff.count == 0)
    zinit_service_reset_backoff (service);
  service->changes |= ZINIT_CHANGED_DEFINITION;
}

void
zinit_registry_apply_pending (ZinitService *service)
{
  g_autoptr (ZinitDefinition) definition = g_steal_pointer (&service->pending_definition);

  if (definition == NULL)
    return;
  service->changes |= ZINIT_CHANGED_NEEDS_RESTART | ZINIT_CHANGED_STATUS_TEXT;
  bring_into_force (service, definition);
}

void
zinit_registry_keep_in_force (ZinitService *service, ZinitDefinition *definition)
{
  ZinitDefinition *pending_definition = zinit_definition_ref (service->definition);

  bring_into_force (service, definition);
  service->pending_definition = pending_definition;
}

void
zinit_registry_set_pending (ZinitService *service, ZinitDefinition *definition)
{
  if (!zinit_state_is_active (service->state)) {
    bring_into_force (service, definition);
    return;
  }
  g_clear_pointer (&service->pending_definition, zinit_definition_unref);
  if (!zinit_definition_equal (definition, service->definition))
    service->pending_definition = zinit_definition_ref (definition);
}

void
zinit_registry_redefine (ZinitService *service, ZinitDefinition *definition, const char *path)
{
  if ((service->path == NULL) != (path == NULL))
    service->changes |= ZINIT_CHANGED_EPHEMERAL;
  if (g_strcmp0 (service->path, path) != 0) {
    g_free (service->overridden);
    service->overridden = path == NULL ? g_steal_pointer (&service->path) : NULL;
    g_free (service->path);
    service->path = g_strdup (path);
  }
  if (zinit_state_is_active (service->state)) {
    gboolean is_same = zinit_definition_equal (definition, service->definition);

    if (is_same == (service->pending_definition != NULL))
      service->changes |= ZINIT_CHANGED_NEEDS_RESTART | ZINIT_CHANGED_STATUS_TEXT;
    /* What it will be started with has no property. */
    if (!is_same)
      service->changes |= ZINIT_CHANGED_ASKED;
    g_clear_pointer (&service->pending_definition, zinit_definition_unref);
    if (!is_same)
      service->pending_definition = zinit_definition_ref (definition);
  } else {
    gboolean status_changed = definition->status != service->definition->status;

    g_clear_pointer (&service->pending_definition, zinit_definition_unref);
    if (status_changed)
      zinit_service_set_wanted (service, (ZinitWanted)definition->status);
    bring_into_force (service, definition);
    if (service->wanted == ZINIT_WANTED_STOP)
      zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
    /* What failed under the old definition deserves a try under the new one. */
    else if (service->wanted == ZINIT_WANTED_START &&
             (status_changed || service->state == ZINIT_STATE_FAILED))
      service->start_queued = TRUE;
    zinit_supervisor_enqueue (service->supervisor, service);
    zinit_supervisor_enqueue_dependents (service->supervisor, service);
  }
  zinit_service_publish (service);
}

static gboolean
lookup_node (const char *name, ZinitGraphNode *ret_node, gpointer data)
{
  ZinitSupervisor *supervisor = data;
  ZinitService *service = g_hash_table_lookup (supervisor->services, name);

  if (service == NULL)
    return FALSE;
  ret_node->definition = service->definition;
  ret_node->state = service->state;
  /* What is about to be stopped, or started anew, holds nobody up. */
  ret_node->is_satisfied =
      zinit_service_is_satisfied (service) && !service->stop_due && !service->start_after;
  ret_node->failed_for_good = zinit_service_failed_for_good (service);
  return TRUE;
}

static gboolean
names_as_conflict (const ZinitService *dependent, const char *name)
{
  const char *const *conflicts = (const char *const *)dependent->definition->conflicts;

  return conflicts != NULL && g_strv_contains (conflicts, name);
}

ZinitVerdict
zinit_registry_may_start (ZinitService *service, GPtrArray **ret_blockers, const char **ret_name)
{
  const char *name = zinit_service_get_name (service);
  GPtrArray *dependents = zinit_registry_dependents (service->supervisor, name);
  g_autoptr (GPtrArray) conflicting = NULL;

  for (guint i = 0; dependents != NULL && i < dependents->len; i++)
    if (names_as_conflict (dependents->pdata[i], name)) {
      if (conflicting == NULL)
        conflicting = g_ptr_array_new ();
      g_ptr_array_add (conflicting, (gpointer)zinit_service_get_name (dependents->pdata[i]));
    }
  if (conflicting != NULL)
    g_ptr_array_add (conflicting, NULL);
  return zinit_graph_may_start (service->definition,
                                conflicting != NULL ? (const char *const *)conflicting->pdata : NULL,
                                lookup_node, service->supervisor, ret_blockers, ret_name);
}
