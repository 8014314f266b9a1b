/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of definitions against the services that there are: the first load, and reloads. What a changed
 * definition means for a service is in membership.c; files are read by config/.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include "loop/reserve.h"
#include "model/limits.h"

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
add_error (GPtrArray *errors, const ZinitConfigEntry *entry, const char *reason)
{
  ZinitConfigError *refused;

  if (errors->len >= ZINIT_MAX_CONFIG_ERRORS)
    return;
  refused = g_new0 (ZinitConfigError, 1);
  refused->path = g_strdup (entry->path);
  refused->name = g_strdup (entry->definition->name);
  refused->message = g_strdup_printf ("%s: %s", entry->path, reason);
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

static void
keep_errors (ZinitSupervisor *supervisor, GPtrArray *errors)
{
  gboolean is_same = errors->len == supervisor->config_errors->len;

  for (guint i = 0; i < errors->len && is_same; i++)
    is_same = g_str_equal (((const ZinitConfigError *)errors->pdata[i])->message,
                           ((const ZinitConfigError *)supervisor->config_errors->pdata[i])->message);
  g_ptr_array_unref (supervisor->config_errors);
  supervisor->config_errors = g_ptr_array_ref (errors);
  if (!is_same)
    zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_CONFIG_ERRORS);
}

static ZinitReloadResult *
finish_result (ZinitSupervisor *supervisor, GStrvBuilder *added, GStrvBuilder *changed, GStrvBuilder *removed,
               ZinitConfigSet *set)
{
  ZinitReloadResult *result = g_new0 (ZinitReloadResult, 1);

  result->added = g_strv_builder_end (added);
  result->changed = g_strv_builder_end (changed);
  result->removed = g_strv_builder_end (removed);
  result->errors = g_ptr_array_ref (set->errors);
  keep_errors (supervisor, set->errors);
  return result;
}

static void
insert_entry (ZinitSupervisor *supervisor, const ZinitConfigEntry *entry)
{
  ZinitService *service = zinit_registry_insert (supervisor, entry->definition, entry->path);

  if (service->status.wanted == ZINIT_WANTED_START) {
    zinit_service_set_next (service, ZINIT_NEXT_START);
    zinit_supervisor_enqueue (supervisor, service);
  }
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

static void
refuse_entry (ZinitSupervisor *supervisor, ZinitConfigSet *set, ZinitConfigEntry *entry, const char *reason)
{
  const ZinitService *service = g_hash_table_lookup (supervisor->services, entry->definition->name);

  add_error (set->errors, entry, reason);
  g_warning ("%s: %s", entry->path, reason);
  entry->is_refused = TRUE;
  entry->older = service != NULL
                     ? zinit_definition_ref ((ZinitDefinition *)zinit_service_get_next_definition (service))
                     : NULL;
}

/* One look at the graph that would be in force. TRUE when something was refused. */
static gboolean
refuse_impossible_once (ZinitSupervisor *supervisor, ZinitConfigSet *set, const GPtrArray *definitions)
{
  g_autoptr (GPtrArray) all = g_ptr_array_copy ((GPtrArray *)definitions, NULL, NULL);
  g_autoptr (GHashTable) reasons = NULL;
  gboolean is_any = FALSE;
  guint n_in_force;

  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];

    if (entry->is_refused && entry->older != NULL)
      g_ptr_array_add (all, entry->older);
  }
  n_in_force = all->len;
  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];

    if (!entry->is_refused)
      g_ptr_array_add (all, entry->definition);
  }
  reasons = zinit_graph_find_impossible (all, n_in_force);
  for (guint i = 0; i < set->entries->len; i++) {
    ZinitConfigEntry *entry = set->entries->pdata[i];
    const char *reason = g_hash_table_lookup (reasons, entry->definition->name);

    if (reason == NULL || entry->is_refused)
      continue;
    refuse_entry (supervisor, set, entry, reason);
    is_any = TRUE;
  }
  return is_any;
}

/* Refuses the entries that could never start in the graph that would be in force, until there is none; what
 * is there already goes on as it is. @definitions: of the services that the set does not name. */
static void
refuse_impossible (ZinitSupervisor *supervisor, ZinitConfigSet *set, const GPtrArray *definitions)
{
  for (guint i = 0; i < set->entries->len; i++) {
    ZinitConfigEntry *entry = set->entries->pdata[i];
    g_autoptr (GError) reason = NULL;

    if (!zinit_membership_check (supervisor, entry->definition, &reason))
      refuse_entry (supervisor, set, entry, reason->message);
  }
  while (refuse_impossible_once (supervisor, set, definitions))
    continue;
  for (guint i = set->entries->len; i-- > 0;)
    if (((ZinitConfigEntry *)set->entries->pdata[i])->is_refused)
      g_ptr_array_remove_index (set->entries, i);
}

ZinitReloadResult *
zinit_supervisor_load (ZinitSupervisor *supervisor)
{
  g_autoptr (ZinitConfigSet) set = read_folder (supervisor);
  g_autoptr (GPtrArray) definitions = zinit_membership_list_definitions (supervisor, NULL);
  g_autoptr (GStrvBuilder) added = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) none = g_strv_builder_new ();

  for (guint i = set->entries->len; i-- > 0;)
    if (override (supervisor, set->entries->pdata[i]))
      g_ptr_array_remove_index (set->entries, i);
  refuse_impossible (supervisor, set, definitions);
  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = set->entries->pdata[i];

    if (zinit_supervisor_count (supervisor) >= ZINIT_MAX_SERVICES) {
      add_error (set->errors, entry, "too many services");
    } else {
      insert_entry (supervisor, entry);
      g_strv_builder_add (added, entry->definition->name);
    }
  }
  check_descriptors (supervisor);
  zinit_on_failure_check_names (supervisor);
  zinit_supervisor_wake (supervisor);
  return finish_result (supervisor, added, none, none, set);
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
      g_ptr_array_add (definitions, (gpointer)zinit_service_get_next_definition (service));
    else
      g_ptr_array_add (vanished, service);
  }
  g_ptr_array_unref (services);
  return vanished;
}

/* Of a service that is there. */
static void
change_entry (ZinitService *service, ZinitConfigSet *set, const ZinitConfigEntry *entry,
              GStrvBuilder *changed)
{
  if (service->status.next == ZINIT_NEXT_REMOVE) {
    add_error (set->errors, entry, "is still being removed; reload again when it is gone");
  } else if (!zinit_definition_equal (entry->definition, zinit_service_get_next_definition (service)) ||
             service->path == NULL) {
    zinit_membership_redefine (service, entry->definition, entry->path);
    g_strv_builder_add (changed, entry->definition->name);
  } else {
    zinit_membership_set_path (service, entry->path);
  }
}

/* Of one that is not. */
static void
add_entry (ZinitSupervisor *supervisor, ZinitConfigSet *set, const ZinitConfigEntry *entry,
           GStrvBuilder *added)
{
  if (zinit_supervisor_count (supervisor) >= ZINIT_MAX_SERVICES) {
    add_error (set->errors, entry, "too many services");
    return;
  }
  insert_entry (supervisor, entry);
  g_strv_builder_add (added, entry->definition->name);
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

static GPtrArray *
plan_reload (ZinitSupervisor *supervisor, ZinitConfigSet *set, gboolean allow_empty, GError **error)
{
  g_autoptr (GHashTable) named = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) definitions = g_ptr_array_new ();
  gboolean is_empty = set->entries->len == 0 && set->errors->len == 0;
  GPtrArray *vanished;

  if (!check_folder (supervisor, is_empty, allow_empty, error))
    return NULL;
  for (guint i = 0; i < set->entries->len; i++)
    g_hash_table_add (named, ((ZinitConfigEntry *)set->entries->pdata[i])->definition->name);
  vanished = list_vanished (supervisor, set, is_empty && allow_empty, named, definitions);
  refuse_impossible (supervisor, set, definitions);
  return vanished;
}

/* Changes come first, then additions, then removals, so that what is held for a removed name learns of the
 * new ones before. */
ZinitReloadResult *
zinit_supervisor_reload (ZinitSupervisor *supervisor, gboolean allow_empty, GError **error)
{
  g_autoptr (ZinitConfigSet) set = NULL;
  g_autoptr (GPtrArray) vanished = NULL;
  g_autoptr (GPtrArray) added_entries = g_ptr_array_new ();
  g_autoptr (GStrvBuilder) added = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) changed = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) removed = g_strv_builder_new ();

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  set = read_folder (supervisor);
  vanished = plan_reload (supervisor, set, allow_empty, error);
  if (vanished == NULL)
    return NULL;
  for (guint i = 0; i < set->entries->len; i++) {
    ZinitConfigEntry *entry = set->entries->pdata[i];
    ZinitService *service = g_hash_table_lookup (supervisor->services, entry->definition->name);

    if (service != NULL)
      change_entry (service, set, entry, changed);
    else
      g_ptr_array_add (added_entries, entry);
  }
  for (guint i = 0; i < added_entries->len; i++)
    add_entry (supervisor, set, added_entries->pdata[i], added);
  for (guint i = 0; i < vanished->len; i++) {
    g_strv_builder_add (removed, zinit_service_get_name (vanished->pdata[i]));
    zinit_membership_remove (vanished->pdata[i]);
  }
  check_descriptors (supervisor);
  zinit_on_failure_check_names (supervisor);
  return finish_result (supervisor, added, changed, removed, set);
}
