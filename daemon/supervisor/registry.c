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
  const ZinitDefinition *definition = service->definition;
  char **const lists[] = { definition->requires, definition->binds_to, definition->after, definition->before,
                           definition->conflicts };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (char **name = lists[i]; name != NULL && *name != NULL; name++)
      func (service, *name);
}

static void
mark_required_by (ZinitService *service)
{
  ZinitNeedIter iter = { 0 };
  const char *name;

  while ((name = zinit_definition_next_need (service->definition, &iter)) != NULL) {
    ZinitService *required = g_hash_table_lookup (service->supervisor->services, name);

    if (required != NULL && required != service)
      zinit_service_mark (required, ZINIT_CHANGED_REQUIRED_BY);
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
zinit_registry_needs (const ZinitService *dependent, const ZinitService *service)
{
  return zinit_definition_needs (dependent->definition, zinit_service_get_name (service));
}

static void
report_added (gpointer observer, gpointer service)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->service_added != NULL)
    entry->observer->service_added (service, entry->data);
}

static void
report_removed (gpointer observer, gpointer service)
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
  zinit_service_forget_changes (service);
  zinit_supervisor_for_each_observer (supervisor, report_added, service);
  zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_SERVICE_COUNT);
  mark_required_by (service);
  zinit_outlook_update (service);
  zinit_supervisor_enqueue_dependents (supervisor, service);
  zinit_service_touch (service);
  return service;
}

void
zinit_registry_remove (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autofree char *name = g_strdup (zinit_service_get_name (service));
  GPtrArray *dependents;

  if (service->queue_link.data != NULL)
    g_queue_unlink (&supervisor->queue, &service->queue_link);
  service->queue_link.data = NULL;
  g_ptr_array_remove_fast (supervisor->awaiting_ends, service);
  zinit_service_set_stop_pending (service, FALSE);
  for_each_name (service, forget);
  g_hash_table_steal (supervisor->services, name);
  g_ptr_array_remove_index (supervisor->by_name, find_place (supervisor, name));
  mark_required_by (service);
  if (service->status.state == ZINIT_STATE_FAILED) {
    supervisor->n_failed--;
    zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_FAILED_COUNT);
  }
  zinit_supervisor_for_each_observer (supervisor, report_removed, service);
  zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_SERVICE_COUNT);
  zinit_supervisor_end_stop (supervisor);
  zinit_supervisor_enqueue_dependents (supervisor, service);
  zinit_log_discard (service->log);
  zinit_service_free (service);

  dependents = zinit_registry_dependents (supervisor, name);
  for (guint i = 0; dependents != NULL && i < dependents->len; i++) {
    zinit_outlook_update (dependents->pdata[i]);
    zinit_supervisor_enqueue (supervisor, dependents->pdata[i]);
  }
}

static void
activate (ZinitService *service, ZinitDefinition *definition)
{
  ZinitSupervisor *supervisor = service->supervisor;
  ZinitDefinition *old = service->definition;

  /* Those that the old definition kept waiting look again; the new one may not name them. */
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
  zinit_service_mark (service, ZINIT_CHANGED_DEFINITION);
  zinit_supervisor_end_stop (supervisor);
  zinit_outlook_update (service);
  zinit_supervisor_enqueue_dependents (supervisor, service);
}

void
zinit_registry_apply_pending (ZinitService *service)
{
  g_autoptr (ZinitDefinition) definition = g_steal_pointer (&service->pending_definition);

  if (definition != NULL)
    activate (service, definition);
}

void
zinit_registry_set_definitions (ZinitService *service, ZinitDefinition *definition, ZinitDefinition *pending)
{
  ZinitDefinition *old = g_steal_pointer (&service->pending_definition);

  if (definition != service->definition)
    activate (service, definition);
  service->pending_definition = pending != NULL ? zinit_definition_ref (pending) : NULL;
  /* What it will be started with has no property. */
  if (pending != NULL || old != NULL)
    zinit_service_mark (service, ZINIT_CHANGED_ASKED);
  g_clear_pointer (&old, zinit_definition_unref);
}
