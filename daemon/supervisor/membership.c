/* SPDX-License-Identifier: Apache-2.0
 *
 * Services come and go: one by a call, or the whole folder by load and reload. A change is checked as a
 * whole for cycles before any of it is made. Files are read by config/.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include "loop/reserve.h"
#include "model/limits.h"

static gboolean
check_cycles (GPtrArray *definitions, GError **error)
{
  g_autoptr (GHashTable) names = zinit_graph_find_cycles (definitions);
  GHashTableIter iter;
  gpointer chain;

  g_hash_table_iter_init (&iter, names);
  if (!g_hash_table_iter_next (&iter, NULL, &chain))
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_CYCLIC_DEPENDENCY, "the dependencies go in a circle: %s",
               (const char *)chain);
  return FALSE;
}

/* What every service would use at its next start; without @skip. Transfer container. */
static GPtrArray *
list_definitions (ZinitSupervisor *supervisor, const ZinitService *skip)
{
  GPtrArray *definitions = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer service;

  g_hash_table_iter_init (&iter, supervisor->services);
  while (g_hash_table_iter_next (&iter, NULL, &service))
    if (service != skip)
      g_ptr_array_add (definitions, (gpointer)zinit_service_get_loaded_definition (service));
  return definitions;
}

static gboolean
check_addition (ZinitSupervisor *supervisor, ZinitService *existing, ZinitDefinition *definition,
                ZinitAddFlags flags, GError **error)
{
  g_autoptr (GPtrArray) definitions = NULL;

  if (!zinit_supervisor_is_open (supervisor, error))
    return FALSE;
  if (existing != NULL && (!(flags & ZINIT_ADD_REPLACE) || existing->remove_when_down)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SERVICE_EXISTS,
                 existing->remove_when_down ? "%s is being removed" : "there is a service \"%s\" already",
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
  definitions = list_definitions (supervisor, existing);
  g_ptr_array_add (definitions, definition);
  return check_cycles (definitions, error);
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
        !zinit_config_put_aside (service->path, error))
      return NULL;
    if (service != NULL && service->overridden != NULL && !g_str_equal (service->overridden, path) &&
        !zinit_config_put_aside (service->overridden, error))
      return NULL;
  }
  if (service != NULL) {
    zinit_registry_redefine (service, definition, path);
    return service;
  }
  service = zinit_registry_insert (supervisor, definition, path);
  if (service->wanted == ZINIT_WANTED_START)
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
  zinit_service_publish (service);
  return service;
}

static void
remove_in_order (ZinitService *service)
{
  if (!zinit_state_is_active (service->state)) {
    zinit_registry_remove (service);
    return;
  }
  service->remove_when_down = TRUE;
  service->changes |= ZINIT_CHANGED_ASKED;
  service->start_after = service->comes_back = FALSE;
  service->changes |= ZINIT_CHANGED_CAN_START;
  zinit_service_set_wanted (service, ZINIT_WANTED_STOP);
  zinit_stop_in_order (service);
}

static gboolean
put_files_aside (const ZinitService *service, GError **error)
{
  return (service->path == NULL || zinit_config_put_aside (service->path, error)) &&
         (service->overridden == NULL || zinit_config_put_aside (service->overridden, error));
}

gboolean
zinit_supervisor_remove (ZinitSupervisor *supervisor, ZinitService *service, gboolean stop, GError **error)
{
  if (!zinit_supervisor_is_open (supervisor, error))
    return FALSE;
  if (!stop && zinit_state_is_active (service->state)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING,
                 "%s is %s; stop it first, or have it stopped by the option \"stop\"",
                 zinit_service_get_name (service), zinit_state_to_string (service->state));
    return FALSE;
  }
  /* Also the file that an ephemeral definition has replaced, or the service would be back with the next
   * daemon. */
  if (!put_files_aside (service, error))
    return FALSE;
  remove_in_order (service);
  return TRUE;
}

void
zinit_reload_result_free (ZinitReloadResult *result)
{
  g_strfreev (result->added);
  g_strfreev (result->changed);
  g_strfreev (result->removed);
  g_ptr_array_unref (result->errors);
  g_free (result);
}

static void
add_error (GPtrArray *errors, const ZinitConfigEntry *entry, const char *what, const char *detail)
{
  ZinitConfigError *refused;

  if (errors->len >= ZINIT_MAX_CONFIG_ERRORS)
    return;
  refused = g_new0 (ZinitConfigError, 1);
  refused->path = g_strdup (entry->path);
  refused->name = g_strdup (entry->definition->name);
  refused->message = g_strdup_printf ("%s: %s%s", entry->path, what, detail);
  g_ptr_array_add (errors, refused);
}

gboolean
zinit_supervisor_read_ahead (ZinitSupervisor *supervisor, gboolean is_last_try, GError **error)
{
  g_autoptr (ZinitConfigSet) set = zinit_config_read_folder (supervisor->config_dir);

  g_clear_pointer (&supervisor->read_ahead, zinit_config_set_free);
  if (set->reason != 0 && !is_last_try) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s cannot be read: %s", supervisor->config_dir,
                 g_strerror (set->reason));
    return FALSE;
  }
  supervisor->read_ahead = g_steal_pointer (&set);
  return TRUE;
}

static ZinitConfigSet *
read_folder (ZinitSupervisor *supervisor)
{
  ZinitConfigSet *set = g_steal_pointer (&supervisor->read_ahead);

  if (set == NULL)
    set = zinit_config_read_folder (supervisor->config_dir);
  supervisor->folder_is_empty = set->is_empty;
  for (guint i = 0; i < set->errors->len; i++)
    g_warning ("%s", ((ZinitConfigError *)set->errors->pdata[i])->message);
  return set;
}

static ZinitReloadResult *
finish_result (GStrvBuilder *added, GStrvBuilder *changed, GStrvBuilder *removed, ZinitConfigSet *set)
{
  ZinitReloadResult *result = g_new0 (ZinitReloadResult, 1);

  result->added = g_strv_builder_end (added);
  result->changed = g_strv_builder_end (changed);
  result->removed = g_strv_builder_end (removed);
  result->errors = g_ptr_array_ref (set->errors);
  return result;
}

static void
insert_entry (ZinitSupervisor *supervisor, const ZinitConfigEntry *entry)
{
  ZinitService *service = zinit_registry_insert (supervisor, entry->definition, entry->path);

  if (service->wanted == ZINIT_WANTED_START) {
    service->start_queued = TRUE;
    zinit_supervisor_enqueue (supervisor, service);
  }
  zinit_service_publish (service);
}

/* Some will not start when all run at one time: reported before they fail. */
static void
check_descriptors (ZinitSupervisor *supervisor)
{
  guint64 limit = zinit_descriptor_limit ();
  guint count = zinit_supervisor_count (supervisor);
  guint64 needed = (guint64)count * ZINIT_SERVICE_DESCRIPTORS + ZINIT_RESERVED_DESCRIPTORS;

  if (needed > limit)
    g_warning ("%u services need up to %" G_GUINT64_FORMAT " descriptors, and the limit is %" G_GUINT64_FORMAT
               " (RLIMIT_NOFILE): some of them may not start",
               count, needed, limit);
}

/* A service that was restored before the folder was read has replaced what the file says. */
static gboolean
override (ZinitSupervisor *supervisor, const ZinitConfigEntry *entry)
{
  ZinitService *service = g_hash_table_lookup (supervisor->services, entry->definition->name);

  if (service == NULL)
    return FALSE;
  g_free (service->overridden);
  service->overridden = g_strdup (entry->path);
  return TRUE;
}

ZinitReloadResult *
zinit_supervisor_load (ZinitSupervisor *supervisor)
{
  g_autoptr (ZinitConfigSet) set = read_folder (supervisor);
  g_autoptr (GPtrArray) definitions = list_definitions (supervisor, NULL);
  g_autoptr (GStrvBuilder) added = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) none = g_strv_builder_new ();
  g_autoptr (GHashTable) cyclic = NULL;

  for (guint i = 0; i < set->entries->len; i++)
    if (!override (supervisor, set->entries->pdata[i]))
      g_ptr_array_add (definitions, ((ZinitConfigEntry *)set->entries->pdata[i])->definition);
  cyclic = zinit_graph_find_cycles (definitions);

  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];
    const char *chain = g_hash_table_lookup (cyclic, entry->definition->name);

    if (g_hash_table_contains (supervisor->services, entry->definition->name))
      continue;
    if (chain != NULL) {
      add_error (set->errors, entry, "the dependencies go in a circle: ", chain);
      g_warning ("%s: the dependencies go in a circle: %s", entry->path, chain);
    } else if (zinit_supervisor_count (supervisor) >= ZINIT_MAX_SERVICES) {
      add_error (set->errors, entry, "too many services", "");
    } else {
      insert_entry (supervisor, entry);
      g_strv_builder_add (added, entry->definition->name);
    }
  }
  check_descriptors (supervisor);
  zinit_supervisor_wake (supervisor);
  return finish_result (added, none, none, set);
}

gboolean
zinit_supervisor_keeps (ZinitSupervisor *supervisor, const GPtrArray *errors, const char *name,
                        const char *path)
{
  if (supervisor->folder_is_empty)
    return TRUE;
  /* There may be more broken files than errors. */
  if (errors->len >= ZINIT_MAX_CONFIG_ERRORS && path != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  for (guint i = 0; i < errors->len; i++) {
    const ZinitConfigError *refused = errors->pdata[i];

    if ((path != NULL && g_strcmp0 (refused->path, path) == 0) ||
        g_strcmp0 (refused->path, supervisor->config_dir) == 0 || g_strcmp0 (refused->name, name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Which services stay although the set does not name them: services of no file, and those whose file is
 * broken. @is_emptied: there is no file, and that is what was asked for. */
static GPtrArray *
list_vanished (ZinitSupervisor *supervisor, ZinitConfigSet *set, gboolean is_emptied, GHashTable *named,
               GPtrArray *definitions)
{
  GPtrArray *services = zinit_supervisor_list (supervisor);
  GPtrArray *vanished = g_ptr_array_new ();

  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];

    if (g_hash_table_contains (named, zinit_service_get_name (service)))
      continue;
    if (service->path == NULL ||
        (!is_emptied &&
         zinit_supervisor_keeps (supervisor, set->errors, zinit_service_get_name (service), service->path)))
      g_ptr_array_add (definitions, (gpointer)zinit_service_get_loaded_definition (service));
    else
      g_ptr_array_add (vanished, service);
  }
  g_ptr_array_unref (services);
  return vanished;
}

static void
apply_entry (ZinitSupervisor *supervisor, ZinitConfigSet *set, const ZinitConfigEntry *entry,
             GStrvBuilder *added, GStrvBuilder *changed)
{
  const char *name = entry->definition->name;
  ZinitService *service = g_hash_table_lookup (supervisor->services, name);

  if (service == NULL && zinit_supervisor_count (supervisor) >= ZINIT_MAX_SERVICES) {
    add_error (set->errors, entry, "too many services", "");
  } else if (service == NULL) {
    insert_entry (supervisor, entry);
    g_strv_builder_add (added, name);
  } else if (service->remove_when_down) {
    add_error (set->errors, entry, "is still being removed; reload again when it is gone", "");
  } else if (!zinit_definition_equal (entry->definition, zinit_service_get_loaded_definition (service)) ||
             service->path == NULL) {
    zinit_registry_redefine (service, entry->definition, entry->path);
    g_strv_builder_add (changed, name);
  } else if (!g_str_equal (service->path, entry->path)) {
    g_free (service->path);
    service->path = g_strdup (entry->path);
  }
}

static gboolean
has_files (ZinitSupervisor *supervisor)
{
  for (guint i = 0; i < supervisor->by_name->len; i++)
    if (((ZinitService *)supervisor->by_name->pdata[i])->path != NULL)
      return TRUE;
  return FALSE;
}

/* A folder that has gone as a whole is a mishap (something is not mounted), not a request to remove every
 * service; so is an empty one, unless it is said. */
static gboolean
check_folder (ZinitSupervisor *supervisor, gboolean is_empty, gboolean allow_empty, GError **error)
{
  if (zinit_supervisor_count (supervisor) == 0 || !is_empty)
    return TRUE;
  if (!g_file_test (supervisor->config_dir, G_FILE_TEST_EXISTS))
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: there is no such folder; nothing is changed",
                 supervisor->config_dir);
  else if (!allow_empty && has_files (supervisor))
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                 "%s: the folder has no definition file; nothing is changed. To remove all services that had "
                 "one, use “zinit reload --allow-empty” (option allow_empty of the method Reload)",
                 supervisor->config_dir);
  else
    return TRUE;
  return FALSE;
}

ZinitReloadResult *
zinit_supervisor_reload (ZinitSupervisor *supervisor, gboolean allow_empty, GError **error)
{
  g_autoptr (ZinitConfigSet) set = NULL;
  g_autoptr (GPtrArray) definitions = g_ptr_array_new ();
  g_autoptr (GPtrArray) vanished = NULL;
  g_autoptr (GHashTable) named = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GStrvBuilder) added = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) changed = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) removed = g_strv_builder_new ();
  gboolean is_empty;

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  set = read_folder (supervisor);
  is_empty = set->entries->len == 0 && set->errors->len == 0;
  if (!check_folder (supervisor, is_empty, allow_empty, error))
    return NULL;
  for (guint i = 0; i < set->entries->len; i++) {
    ZinitDefinition *definition = ((ZinitConfigEntry *)set->entries->pdata[i])->definition;

    g_hash_table_add (named, definition->name);
    g_ptr_array_add (definitions, definition);
  }
  vanished = list_vanished (supervisor, set, is_empty && allow_empty, named, definitions);
  if (!check_cycles (definitions, error))
    return NULL;

  for (guint i = 0; i < vanished->len; i++) {
    g_strv_builder_add (removed, zinit_service_get_name (vanished->pdata[i]));
    remove_in_order (vanished->pdata[i]);
  }
  for (guint i = 0; i < set->entries->len; i++)
    apply_entry (supervisor, set, set->entries->pdata[i], added, changed);
  check_descriptors (supervisor);
  return finish_result (added, changed, removed, set);
}
