/* SPDX-License-Identifier: Apache-2.0
 *
 * One service comes, goes, or gets another definition. The whole folder is read in reload.c.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include "model/limits.h"
#include "model/ready.h"

GPtrArray *
zinit_membership_list_definitions (ZinitSupervisor *supervisor, const ZinitService *skip)
{
  GPtrArray *definitions = g_ptr_array_new ();

  for (guint i = 0; i < supervisor->by_name->len; i++)
    if (supervisor->by_name->pdata[i] != skip)
      g_ptr_array_add (definitions,
                       (gpointer)zinit_service_get_next_definition (supervisor->by_name->pdata[i]));
  return definitions;
}

/* Whether @definition can ever start beside @definitions, and takes that from none of them. */
static gboolean
check_possible (GPtrArray *definitions, ZinitDefinition *definition, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_copy (definitions, NULL, NULL);
  g_autoptr (GHashTable) reasons = NULL;
  g_autoptr (GHashTable) reasons_before = NULL;
  GHashTableIter iter;
  gpointer name, reason;

  g_ptr_array_add (all, definition);
  reasons = zinit_graph_find_impossible (all, definitions->len);
  if (g_hash_table_size (reasons) == 0)
    return TRUE;
  reason = g_hash_table_lookup (reasons, definition->name);
  if (reason != NULL) {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_CYCLIC_DEPENDENCY, reason);
    return FALSE;
  }
  reasons_before = zinit_graph_find_impossible (definitions, definitions->len);
  g_hash_table_iter_init (&iter, reasons);
  while (g_hash_table_iter_next (&iter, &name, &reason))
    if (!g_hash_table_contains (reasons_before, name)) {
      g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_CYCLIC_DEPENDENCY, "%s could never start with it: %s",
                   (const char *)name, (const char *)reason);
      return FALSE;
    }
  return TRUE;
}

gboolean
zinit_membership_check (const ZinitSupervisor *supervisor, const ZinitDefinition *definition, GError **error)
{
  ZinitReady ready;

  if (!supervisor->has_no_bus || definition->oneshot ||
      !zinit_ready_parse (definition->ready, &ready, NULL) || ready.kind != ZINIT_READY_DBUS)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
               "service.ready: \"%s\" needs a message bus, and this zinitd was started without one",
               definition->ready);
  return FALSE;
}

static gboolean
check_addition (ZinitSupervisor *supervisor, ZinitService *existing, ZinitDefinition *definition,
                ZinitAddFlags flags, GError **error)
{
  g_autoptr (GPtrArray) definitions = NULL;

  if (!zinit_supervisor_is_open (supervisor, error) ||
      !zinit_membership_check (supervisor, definition, error))
    return FALSE;
  if (existing != NULL && (!(flags & ZINIT_ADD_REPLACE) || existing->status.next == ZINIT_NEXT_REMOVE)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SERVICE_EXISTS,
                 existing->status.next == ZINIT_NEXT_REMOVE ? "%s is being removed"
                                                            : "there is a service \"%s\" already",
                 definition->name);
    return FALSE;
  }
  if (existing == NULL && zinit_supervisor_count (supervisor) >= ZINIT_MAX_SERVICES) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
                 "there are %d services already, the most allowed", ZINIT_MAX_SERVICES);
    return FALSE;
  }
  if ((flags & ZINIT_ADD_PERSIST) && supervisor->config_dir == NULL) {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                         "there is no configuration folder to write to");
    return FALSE;
  }
  definitions = zinit_membership_list_definitions (supervisor, existing);
  return check_possible (definitions, definition, error);
}

ZinitService *
zinit_supervisor_add (ZinitSupervisor *supervisor, ZinitDefinition *definition, ZinitAddFlags flags,
                      GError **error)
{
  ZinitService *service = g_hash_table_lookup (supervisor->services, definition->name);
  g_autofree char *path = NULL;

  if (!check_addition (supervisor, service, definition, flags, error))
    return NULL;
  if ((flags & ZINIT_ADD_PERSIST) != 0) {
    if (!zinit_config_write (supervisor->config_dir, definition, (flags & ZINIT_ADD_REPLACE) != 0, &path,
                             error))
      return NULL;
    /* Two files would define the same name. */
    if (service != NULL && service->path != NULL && !g_str_equal (service->path, path) &&
        !zinit_config_rename_aside (service->path, error))
      return NULL;
    if (service != NULL && service->overridden != NULL && !g_str_equal (service->overridden, path) &&
        !zinit_config_rename_aside (service->overridden, error))
      return NULL;
  }
  if (service != NULL) {
    zinit_membership_redefine (service, definition, path);
    return service;
  }
  service = zinit_registry_insert (supervisor, definition, path);
  if (service->status.wanted == ZINIT_WANTED_START)
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
  return service;
}

void
zinit_membership_set_path (ZinitService *service, const char *path)
{
  if (g_strcmp0 (service->path, path) == 0)
    return;
  g_free (service->overridden);
  service->overridden = path == NULL ? g_steal_pointer (&service->path) : NULL;
  g_free (service->path);
  service->path = g_strdup (path);
  zinit_service_touch (service);
}

/* Both run already and go on; from now on only one of them would be started. */
static void
report_conflicts (const ZinitService *service)
{
  for (char **name = service->definition->conflicts; name != NULL && *name != NULL; name++) {
    const ZinitService *other = g_hash_table_lookup (service->supervisor->services, *name);

    if (other != NULL && zinit_state_is_active (other->status.state))
      g_message ("%s conflicts with %s now, and both run: they go on until one of them is stopped",
                 zinit_service_get_name (service), *name);
  }
}

void
zinit_membership_redefine (ZinitService *service, ZinitDefinition *definition, const char *path)
{
  gboolean status_changed = definition->status != service->definition->status;

  zinit_membership_set_path (service, path);
  if (zinit_state_is_active (service->status.state)) {
    g_autoptr (ZinitDefinition) live = zinit_definition_new_live (service->definition, definition);
    gboolean changes_live = !zinit_definition_equal (live, service->definition);

    zinit_registry_set_definitions (service, changes_live ? live : service->definition,
                                    zinit_definition_equal (live, definition) ? NULL : definition);
    if (changes_live) {
      report_conflicts (service);
      zinit_lifecycle_limit_timer (service);
      zinit_supervisor_enqueue (service->supervisor, service);
    }
    return;
  }
  if (status_changed)
    zinit_service_set_wanted (service, (ZinitWanted)definition->status);
  zinit_registry_set_definitions (service, definition, NULL);
  if (service->status.wanted == ZINIT_WANTED_STOP)
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  /* What failed under the old definition deserves a try under the new one. */
  else if (service->status.wanted == ZINIT_WANTED_START &&
           (status_changed || service->status.state == ZINIT_STATE_FAILED) &&
           service->status.next == ZINIT_NEXT_REST)
    zinit_service_set_next (service, ZINIT_NEXT_START);
  zinit_supervisor_enqueue (service->supervisor, service);
}

void
zinit_membership_remove (ZinitService *service)
{
  if (!zinit_state_is_active (service->status.state) && service->undying == NULL) {
    zinit_registry_remove (service);
    return;
  }
  if (!zinit_state_is_active (service->status.state))
    zinit_lifecycle_event (service, ZINIT_EVENT_STOP);
  zinit_service_set_next (service, ZINIT_NEXT_REMOVE);
  zinit_service_set_wanted (service, ZINIT_WANTED_STOP);
  zinit_supervisor_enqueue_dependents (service->supervisor, service);
  zinit_stop_one_in_order (service);
}

static gboolean
rename_files_aside (const ZinitService *service, GError **error)
{
  return (service->path == NULL || zinit_config_rename_aside (service->path, error)) &&
         (service->overridden == NULL || zinit_config_rename_aside (service->overridden, error));
}

gboolean
zinit_supervisor_remove (ZinitSupervisor *supervisor, ZinitService *service, gboolean stop, GError **error)
{
  if (!zinit_supervisor_is_open (supervisor, error))
    return FALSE;
  if (!stop && zinit_state_is_active (service->status.state)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING,
                 "%s is %s; stop it first, or have it stopped by the option \"stop\"",
                 zinit_service_get_name (service), zinit_state_to_string (service->status.state));
    return FALSE;
  }
  /* Also the file that an ephemeral definition has replaced, or the service would be back with the next
   * daemon. */
  if (!rename_files_aside (service, error))
    return FALSE;
  zinit_membership_remove (service);
  return TRUE;
}
