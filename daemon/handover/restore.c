/* SPDX-License-Identifier: Apache-2.0
 *
 * Compares the saved state with /proc: /proc is right about processes, the state about everything else.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/restore.h"

#include <errno.h>
#include <unistd.h>

#include "config/format.h"
#include "config/strict-json.h"
#include "handover/find.h"
#include "handover/process-identity.h"
#include "handover/snapshot.h"
#include "model/limits.h"
#include "model/schema.h"

#define FIRST_RETRY_USEC (100 * 1000)
#define LAST_RETRY_USEC (2 * G_USEC_PER_SEC)

struct _ZinitRestorer {
  ZinitSupervisor *supervisor;
  const ZinitHost *host;
  gpointer host_data;
  ZinitSavedLife *life;
  ZinitFinder finder;
  GPtrArray *leftovers;    /* ZinitLeftover */
  GHashTable *claimed;     /* pids that are a service's */
  GHashTable *restored;    /* names of services that the state knows, or that have a process */
  const GPtrArray *errors; /* of the load, ZinitConfigError; while it runs */
  GPtrArray *gone;         /* services with a process, and without their file */
  ZinitRoom room;
  GPtrArray *unwanted; /* services that were found running, and are to be stopped */
  guint n_adopted;
  ZinitTimer retry_timer;
  gint64 retry_usec;
};

static ZinitDefinition *
parse_text (const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  ZinitDefinition *definition = NULL;

  if (text == NULL)
    return NULL;
  node = zinit_strict_json_parse (text, strlen (text), &error);
  if (node != NULL)
    definition = zinit_definition_from_json (node, name, ZINIT_KEYS_LAX, &error);
  if (definition == NULL)
    g_warning ("%s: its saved definition cannot be used: %s", name, error->message);
  else if (!g_str_equal (definition->name, name)) {
    /* The key decides. */
    g_free (definition->name);
    definition->name = g_strdup (name);
  }
  return definition;
}

/* The one that it was started with. Transfer full. */
static ZinitDefinition *
parse_definition (const char *name, const ZinitSavedService *saved)
{
  return parse_text (name, saved->config == NULL && saved->extra != NULL ? saved->extra->definition
                                                                         : saved->config);
}

/* Since 1970. A start time has the grain of a clock tick. */
static gint64
started_at_usec (pid_t pid)
{
  guint64 ticks = zinit_identity_read_start_ticks (pid);
  guint64 age_ms = zinit_saved_life_now () - ticks * 1000 / (guint64)sysconf (_SC_CLK_TCK);

  return ticks == 0 ? g_get_real_time () : g_get_real_time () - (gint64)age_ms * 1000;
}

/* Its file was removed, alone; it is not just broken, and the other files are not gone too. */
static gboolean
is_removed (const ZinitRestorer *restorer, const char *name, const ZinitSavedService *saved)
{
  const char *path = saved->extra != NULL ? saved->extra->file : NULL;

  return !saved->ephemeral && !zinit_supervisor_keeps (restorer->supervisor, restorer->errors, name, path);
}

/* The file of a service that the folder does not name now; without our fields there is only the usual name.
 */
static char *
find_path (const ZinitRestorer *restorer, const char *name, const ZinitSavedService *saved)
{
  g_autofree char *file = g_strconcat (name, ".toml", NULL);

  if (saved->ephemeral)
    return NULL;
  if (saved->extra != NULL && saved->extra->file != NULL)
    return g_strdup (saved->extra->file);
  return g_build_filename (zinit_supervisor_get_config_dir (restorer->supervisor), file, NULL);
}

/* As a reload would: the folder as it is now outweighs what was saved. */
static void
apply_new_definition (ZinitServiceRecord *record, const ZinitDefinition *old_definition,
                      const ZinitDefinition *definition)
{
  gboolean status_changed = definition->status != old_definition->status;

  if (zinit_definition_equal (old_definition, definition))
    return;
  if (status_changed)
    record->wanted = (ZinitWanted)definition->status;
  if (record->wanted != ZINIT_WANTED_START)
    record->deadline_usec = 0;
  else if (!zinit_state_is_active (record->state) &&
           (status_changed || record->state == ZINIT_STATE_FAILED)) {
    record->state = ZINIT_STATE_INACTIVE;
    record->next = ZINIT_NEXT_START;
    record->failure = (ZinitFailure){ 0 };
  }
}

/* The folder says what it said then. Most do, and reading the same again a thousand times takes time. */
static gboolean
is_unchanged (const ZinitService *service, const ZinitSavedService *saved)
{
  return service != NULL && saved->extra != NULL && saved->extra->definition_hash != 0 &&
         saved->extra->definition_hash == zinit_definition_hash (zinit_service_get_definition (service));
}

/* What cannot be restored is lost with the next state file, so it is reported. */
static void
warn_of_lost (const char *name, const ZinitSavedService *saved, const char *reason)
{
  g_autofree char *shown = zinit_schema_quote (name);

  if (saved->has_pid)
    g_warning ("the saved service %s is not restored: %s; process %u is left alone if it lives", shown,
               reason, saved->pid);
  else
    g_warning ("the saved service %s is not restored: %s", shown, reason);
}

static gboolean
can_be_restored (const char *name, const ZinitSavedService *saved, const ZinitDefinition *definition)
{
  g_autoptr (GError) error = NULL;

  if (!zinit_name_is_valid (name, &error)) {
    warn_of_lost (name, saved, error->message);
    return FALSE;
  }
  if (definition == NULL) {
    warn_of_lost (name, saved, "it has neither a file nor a saved definition that can be used");
    return FALSE;
  }
  if (!g_str_equal (name, saved->name))
    g_warning ("the saved service %s has another name, %s, in its fields; the first one counts", name,
               saved->name);
  return TRUE;
}

/* CLOCK_MONOTONIC. It is not known how much of the period is over, so all of it is still to come. */
static gint64
stable_usec (const ZinitService *service)
{
  guint64 period_ms = zinit_service_get_definition (service)->stability_period_ms;

  return g_get_monotonic_time () + (gint64)(MIN (period_ms, ZINIT_MAX_DELAY_MS) * 1000);
}

/* Corrects what the state cannot know. */
static void
correct_record (const ZinitSavedLife *life, const ZinitService *service, ZinitServiceRecord *record,
                ZinitFound found, pid_t pid, gboolean is_by_tags)
{
  if (life->is_old) {
    record->restart_count = 0;
    record->restart_delay_ms = 0;
  }
  if (found == ZINIT_FOUND_UNKNOWN) {
    record->unproven_pid = pid;
    if (!zinit_state_is_active (record->state))
      record->state = ZINIT_STATE_RUNNING;
    return;
  }
  if (is_by_tags && found == ZINIT_FOUND_MAIN) {
    record->failure = (ZinitFailure){ 0 };
    record->state = ZINIT_STATE_RUNNING;
    record->deadline_usec = stable_usec (service);
    record->main_ended = record->stop_pending = record->sigkill_sent = FALSE;
    record->stop_cause = ZINIT_STOP_CAUSE_NONE;
    record->next = record->next == ZINIT_NEXT_REMOVE ? ZINIT_NEXT_REMOVE : ZINIT_NEXT_REST;
    record->started_at_usec = record->state_changed_at_usec = 0;
  }
  if (is_by_tags && found == ZINIT_FOUND_REST && !zinit_state_is_active (record->state))
    record->state = ZINIT_STATE_RUNNING;
  if (found == ZINIT_FOUND_MAIN && record->started_at_usec == 0)
    record->started_at_usec = started_at_usec (pid);
  if (found == ZINIT_FOUND_MAIN && record->state_changed_at_usec == 0)
    record->state_changed_at_usec = record->started_at_usec;
}

/* @in_force NULL: what the service was saved with is what it has now. */
static void
read_record (const ZinitRestorer *restorer, const ZinitSavedService *saved, const ZinitService *service,
             const ZinitDefinition *in_force, gboolean has_process, ZinitServiceRecord *ret_record)
{
  zinit_snapshot_read (saved, ret_record);
  /* It went down with all others, and that is no end to be judged. */
  if (restorer->life->state->shutting_down && !has_process)
    *ret_record = (ZinitServiceRecord){ .state = ZINIT_STATE_INACTIVE,
                                        .wanted = ret_record->wanted,
                                        .run = ret_record->run,
                                        .state_changed_at_usec = ret_record->state_changed_at_usec };
  if (saved->extra == NULL || saved->extra->wanted_status < 0)
    ret_record->wanted = zinit_service_get_status (service)->wanted;
  if (restorer->life->state->shutting_down && !has_process && ret_record->wanted == ZINIT_WANTED_START)
    ret_record->next = ZINIT_NEXT_START;
  if (!has_process && in_force != NULL)
    apply_new_definition (ret_record, in_force, zinit_service_get_definition (service));
}

/* The service that @saved is restored as. NULL when there is none, and nothing of it lives. */
static ZinitService *
ensure_service (ZinitRestorer *restorer, const char *name, const ZinitSavedService *saved,
                ZinitDefinition *in_force)
{
  ZinitService *service = zinit_supervisor_find (restorer->supervisor, name, NULL);
  g_autofree char *path = NULL;

  if (service != NULL)
    return service;
  path = find_path (restorer, name, saved);
  return zinit_supervisor_insert (restorer->supervisor, in_force, path);
}

static void
finish_one (ZinitRestorer *restorer, ZinitService *service, const ZinitServiceRecord *record,
            ZinitFound found, gboolean is_by_tags)
{
  g_hash_table_add (restorer->restored, g_strdup (zinit_service_get_name (service)));
  if (found == ZINIT_FOUND_MAIN || found == ZINIT_FOUND_REST)
    restorer->n_adopted++;
  /* It was found by its tags alone, and is wanted down. */
  if (is_by_tags && record->wanted == ZINIT_WANTED_STOP)
    g_ptr_array_add (restorer->unwanted, service);
}

static gboolean
restore_one (gpointer key, gpointer value, gpointer data)
{
  const char *name = key;
  const ZinitSavedService *saved = value;
  ZinitRestorer *restorer = data;
  ZinitService *service = zinit_supervisor_find (restorer->supervisor, name, NULL);
  g_autoptr (ZinitDefinition) in_force =
      is_unchanged (service, saved) ? NULL : parse_definition (name, saved);
  const ZinitDefinition *definition = service != NULL ? zinit_service_get_definition (service) : in_force;
  g_autoptr (ZinitDefinition) pending = NULL;
  ZinitServiceRecord record;
  ZinitAdoption adoption;
  gboolean is_gone, is_by_tags;
  ZinitFound found;

  if (!can_be_restored (name, saved, definition))
    return FALSE;
  found = zinit_find_process (&restorer->finder, name, saved, in_force != NULL ? in_force : definition,
                              &adoption, &is_by_tags);
  /* A file that is too old is used only for processes that it proves; a service that had a file and has none
   * now is forgotten when it has no process either. */
  is_gone = service == NULL && is_removed (restorer, name, saved);
  if (found == ZINIT_FOUND_NONE && (restorer->life->is_foreign || is_gone))
    return FALSE;
  service = ensure_service (restorer, name, saved, in_force);
  read_record (restorer, saved, service, in_force, found != ZINIT_FOUND_NONE, &record);
  if (saved->extra != NULL && saved->extra->pending_definition != NULL)
    record.pending = pending = parse_text (name, saved->extra->pending_definition);
  correct_record (restorer->life, service, &record, found,
                  found == ZINIT_FOUND_UNKNOWN && !is_by_tags ? (pid_t)saved->pid : adoption.pid, is_by_tags);
  zinit_service_restore (service, &record, in_force,
                         found == ZINIT_FOUND_MAIN || found == ZINIT_FOUND_REST ? &adoption : NULL);
  finish_one (restorer, service, &record, found, is_by_tags);
  if (is_gone)
    g_ptr_array_add (restorer->gone, service);
  return FALSE;
}

/* A service that the state does not know, but a process has its tags. */
static void
restore_tagged (ZinitRestorer *restorer, const ZinitLeftover *leftover)
{
  ZinitService *service = zinit_supervisor_find (restorer->supervisor, leftover->service, NULL);
  ZinitServiceRecord record;
  ZinitAdoption adoption;
  gboolean is_by_tags;
  ZinitFound found;

  if (g_hash_table_contains (restorer->restored, leftover->service))
    return;
  if (service == NULL) {
    g_warning ("process %d has the tags of a service %s, which does not exist; it is left alone",
               leftover->pid, leftover->service);
    return;
  }
  found = zinit_find_process (&restorer->finder, leftover->service, NULL,
                              zinit_service_get_definition (service), &adoption, &is_by_tags);
  if (found == ZINIT_FOUND_NONE)
    return;
  zinit_service_get_record (service, &record);
  record.run = leftover->run;
  correct_record (restorer->life, service, &record, found, adoption.pid, TRUE);
  record.start_ticks = adoption.start_ticks;
  zinit_service_restore (service, &record, NULL, found == ZINIT_FOUND_UNKNOWN ? NULL : &adoption);
  finish_one (restorer, service, &record, found, TRUE);
}

gboolean
zinit_restorer_is_done (const ZinitRestorer *restorer)
{
  return !zinit_timer_is_armed (&restorer->retry_timer);
}

static void on_retry (ZinitTimer *timer);

static void
retry_later (ZinitRestorer *restorer)
{
  restorer->host->arm (restorer->host_data, &restorer->retry_timer,
                       restorer->host->monotonic_usec (restorer->host_data) + restorer->retry_usec, on_retry);
  restorer->retry_usec = MIN (restorer->retry_usec * 2, LAST_RETRY_USEC);
}

/* FALSE when it is still unknown. */
static gboolean
ask_again (ZinitRestorer *restorer, ZinitService *service)
{
  const char *name = zinit_service_get_name (service);
  const ZinitSavedService *saved = g_tree_lookup (restorer->life->state->services, name);
  ZinitAdoption adoption;
  gboolean is_by_tags;
  ZinitFound found;

  found = zinit_find_process (&restorer->finder, name, saved, zinit_service_get_definition (service),
                              &adoption, &is_by_tags);
  if (found == ZINIT_FOUND_UNKNOWN) {
    zinit_service_set_unproven (service, g_strerror (errno));
    return FALSE;
  }
  zinit_service_resolve (service, found == ZINIT_FOUND_NONE ? NULL : &adoption);
  return TRUE;
}

static void
ask_for_all (ZinitRestorer *restorer)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (restorer->supervisor);
  gboolean is_known = TRUE;

  for (guint i = 0; i < services->len; i++)
    if (zinit_service_get_unproven_pid (services->pdata[i]) != 0)
      is_known = ask_again (restorer, services->pdata[i]) && is_known;
  if (!is_known)
    retry_later (restorer);
}

static void
on_retry (ZinitTimer *timer)
{
  ZinitRestorer *restorer = ZINIT_OWNER_OF (timer, ZinitRestorer, retry_timer);
  g_autoptr (GPtrArray) leftovers = zinit_leftovers_find (restorer->life->instance, NULL);

  if (leftovers == NULL) {
    retry_later (restorer);
    return;
  }
  g_ptr_array_unref (restorer->leftovers);
  restorer->leftovers = g_steal_pointer (&leftovers);
  restorer->finder.leftovers = restorer->leftovers;
  restorer->finder.inherited = NULL;
  restorer->finder.is_own_state = FALSE;
  ask_for_all (restorer);
}

ZinitRestorer *
zinit_restorer_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                    ZinitSavedLife *life, ZinitInherited *inherited, GError **error)
{
  /* A state that this very process wrote a moment ago is complete. */
  gboolean is_own_state = inherited->is_reexecuted && life->state != NULL && !life->is_foreign;
  g_autoptr (GPtrArray) leftovers = is_own_state || !life->goes_on || life->is_new
                                        ? g_ptr_array_new ()
                                        : zinit_leftovers_find (life->instance, error);
  ZinitRestorer *restorer;

  if (leftovers == NULL)
    return NULL;
  restorer = g_new0 (ZinitRestorer, 1);
  restorer->supervisor = supervisor;
  restorer->host = host;
  restorer->host_data = host_data;
  restorer->life = life;
  restorer->leftovers = g_steal_pointer (&leftovers);
  restorer->claimed = g_hash_table_new (NULL, NULL);
  restorer->restored = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  restorer->gone = g_ptr_array_new ();
  restorer->unwanted = g_ptr_array_new ();
  restorer->retry_usec = FIRST_RETRY_USEC;
  restorer->finder = (ZinitFinder){ .instance = life->instance,
                                    .leftovers = restorer->leftovers,
                                    .inherited = inherited,
                                    .claimed = restorer->claimed,
                                    .room = &restorer->room,
                                    .is_own_state = is_own_state };
  return restorer;
}

void
zinit_restorer_free (ZinitRestorer *restorer)
{
  if (restorer == NULL)
    return;
  restorer->host->disarm (restorer->host_data, &restorer->retry_timer);
  g_ptr_array_unref (restorer->unwanted);
  g_ptr_array_unref (restorer->gone);
  g_hash_table_unref (restorer->restored);
  g_hash_table_unref (restorer->claimed);
  g_ptr_array_unref (restorer->leftovers);
  g_free (restorer);
}

/* In order, so all services must have been restored before. */
static void
stop_unwanted (ZinitRestorer *restorer)
{
  for (guint i = 0; i < restorer->gone->len; i++)
    zinit_service_dismiss (restorer->gone->pdata[i]);
  for (guint i = 0; i < restorer->unwanted->len; i++)
    zinit_supervisor_stop (restorer->supervisor, restorer->unwanted->pdata[i], NULL);
}

static gboolean
insert_ephemeral (gpointer key, gpointer value, gpointer data)
{
  const ZinitSavedService *saved = value;
  ZinitRestorer *restorer = data;
  g_autoptr (ZinitDefinition) definition = saved->ephemeral ? parse_definition (key, saved) : NULL;

  if (definition != NULL && zinit_name_is_valid (key, NULL) && !restorer->life->is_foreign)
    zinit_supervisor_insert (restorer->supervisor, definition, NULL);
  return FALSE;
}

void
zinit_restorer_prepare (ZinitRestorer *restorer)
{
  if (restorer->life->goes_on)
    g_tree_foreach (restorer->life->state->services, insert_ephemeral, restorer);
}

guint
zinit_restorer_run (ZinitRestorer *restorer, const GPtrArray *errors)
{
  restorer->errors = errors;
  if (restorer->life->goes_on) {
    zinit_room_add_saved (&restorer->room, restorer->life->state->services);
    g_tree_foreach (restorer->life->state->services, restore_one, restorer);
    for (guint i = 0; i < restorer->leftovers->len; i++)
      restore_tagged (restorer, restorer->leftovers->pdata[i]);
    zinit_room_report (&restorer->room);
  }
  /* A new life within a boot has the last output of the one before it (rule K4). */
  if (restorer->life->goes_on)
    zinit_supervisor_recover_logs (restorer->supervisor);
  else
    zinit_supervisor_forget_logs (restorer->supervisor);
  stop_unwanted (restorer);
  restorer->finder.inherited = NULL;
  restorer->errors = NULL;
  ask_for_all (restorer);
  return restorer->n_adopted;
}
