/* SPDX-License-Identifier: Apache-2.0
 *
 * From a service to its saved form and back, field by field. Times are ms in the files and µs in the daemon.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/snapshot.h"

#include "config/format.h"
#include "handover/proof.h"
#include "persist/saved-config.h"

#define USEC_PER_MSEC 1000

struct _ZinitSnapshotCache {
  char *boot_id;
  GHashTable *texts; /* name → char * */
};

ZinitSnapshotCache *
zinit_snapshot_cache_new (void)
{
  ZinitSnapshotCache *cache = g_new0 (ZinitSnapshotCache, 1);

  cache->boot_id = zinit_proof_read_boot_id ();
  cache->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return cache;
}

void
zinit_snapshot_cache_free (ZinitSnapshotCache *cache)
{
  g_hash_table_unref (cache->texts);
  g_free (cache->boot_id);
  g_free (cache);
}

static char *
print_definition (const ZinitDefinition *definition)
{
  g_autoptr (JsonNode) node = zinit_definition_to_json (definition);
  g_autoptr (GError) error = NULL;
  char *text = zinit_saved_config_from_json (node, &error);

  if (text == NULL)
    g_warning ("%s: its definition cannot be saved: %s", definition->name, error->message);
  return text;
}

void
zinit_snapshot_cache_drop (ZinitSnapshotCache *cache, const char *name)
{
  if (name != NULL)
    g_hash_table_remove (cache->texts, name);
  else
    g_hash_table_remove_all (cache->texts);
}

static guint64
to_msec (gint64 usec)
{
  return usec > 0 ? (guint64)usec / USEC_PER_MSEC : 0;
}

static gint64
to_usec (guint64 msec)
{
  return (gint64)MIN (msec, G_MAXINT64 / USEC_PER_MSEC) * USEC_PER_MSEC;
}

static ZinitSavedExtra *
make_extra (const ZinitServiceRecord *record)
{
  ZinitSavedExtra *extra = zinit_saved_extra_new ();

  extra->pid_start_ticks = record->start_ticks;
  extra->wanted_status = (int)record->wanted;
  zinit_failure_copy (&record->failure, &extra->failure);
  extra->clock = ZINIT_SAVED_CLOCK_MONOTONIC;
  extra->deadline_at = to_msec (record->deadline_usec);
  extra->exit_unknown = record->last_exit.kind == ZINIT_EXIT_UNKNOWN;
  extra->main_ended = record->main_ended;
  extra->stop_due = record->stop_due;
  extra->stop_asked = record->stop_asked;
  extra->start_timed_out = record->start_timed_out;
  extra->kill_needed = record->kill_needed;
  extra->start_after = record->start_after;
  extra->comes_back = record->comes_back;
  extra->remove_when_down = record->remove_when_down;
  return extra;
}

static ZinitSavedService *
save_service (const ZinitService *service)
{
  pid_t pid = zinit_service_get_pid (service);
  ZinitSavedService *saved = zinit_saved_service_new (zinit_service_get_name (service));
  ZinitServiceRecord record;

  zinit_service_get_record (service, &record);
  saved->state = record.state;
  saved->has_pid = pid != 0;
  saved->pid = (guint32)pid;
  saved->restart_count = record.restart_count;
  saved->current_restart_delay_ms = record.restart_delay_ms;
  saved->has_last_exit_code = record.last_exit.kind == ZINIT_EXIT_EXITED;
  saved->last_exit_code = saved->has_last_exit_code ? record.last_exit.value : 0;
  saved->has_last_exit_signal = record.last_exit.kind == ZINIT_EXIT_KILLED;
  saved->last_exit_signal = saved->has_last_exit_signal ? record.last_exit.value : 0;
  saved->has_started_at = record.started_at_usec != 0;
  saved->started_at = to_msec (record.started_at_usec);
  saved->last_state_change = to_msec (record.state_changed_at_usec);
  saved->ephemeral = zinit_service_is_ephemeral (service);
  /* Also of services that have a file: it may be gone or say something else when this is read. */
  saved->config = print_definition (zinit_service_get_definition (service));
  saved->extra = make_extra (&record);
  saved->extra->definition_hash = zinit_definition_hash (zinit_service_get_definition (service));
  return saved;
}

static const char *
look_up (ZinitSnapshotCache *cache, const ZinitService *service)
{
  const char *name = zinit_service_get_name (service);
  char *text = g_hash_table_lookup (cache->texts, name);

  if (text == NULL) {
    g_autoptr (ZinitSavedService) saved = save_service (service);

    text = zinit_saved_service_print (saved);
    g_hash_table_insert (cache->texts, g_strdup (name), text);
  }
  return text;
}

ZinitSavedState *
zinit_snapshot_take (ZinitSupervisor *supervisor, const ZinitPaths *paths, ZinitSnapshotCache *cache)
{
  ZinitSavedState *state = zinit_saved_state_new ();
  g_autoptr (GPtrArray) services = zinit_supervisor_list (supervisor);

  state->saved_at = to_msec (g_get_real_time ());
  state->boot_time = to_msec (zinit_supervisor_get_boot_time (supervisor));
  g_free (state->config_dir);
  g_free (state->socket_path);
  state->config_dir = g_strdup (paths->config_dir);
  state->socket_path = g_strdup (paths->socket);
  state->boot_id = g_strdup (cache->boot_id);
  for (guint i = 0; i < services->len; i++) {
    const char *name = zinit_service_get_name (services->pdata[i]);
    ZinitSavedService *saved = zinit_saved_service_new (name);

    saved->printed = look_up (cache, services->pdata[i]);
    g_tree_insert (state->services, g_strdup (name), saved);
  }
  return state;
}

static ZinitExit
read_exit (const ZinitSavedService *saved)
{
  if (saved->has_last_exit_signal)
    return (ZinitExit){ ZINIT_EXIT_KILLED, saved->last_exit_signal };
  if (saved->has_last_exit_code)
    return (ZinitExit){ ZINIT_EXIT_EXITED, saved->last_exit_code };
  if (saved->extra != NULL && saved->extra->exit_unknown)
    return (ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 };
  return (ZinitExit){ ZINIT_EXIT_NONE, 0 };
}

static void
read_extra (const ZinitSavedExtra *extra, ZinitServiceRecord *record)
{
  if (extra->wanted_status >= 0)
    record->wanted = (ZinitWanted)extra->wanted_status;
  if (record->state == ZINIT_STATE_FAILED && extra->failure.type != ZINIT_FAILURE_NONE)
    record->failure = extra->failure;
  /* The other clocks are in the format for others to use; ours is the one that stands still with the machine.
   */
  if (extra->clock == ZINIT_SAVED_CLOCK_MONOTONIC)
    record->deadline_usec = to_usec (extra->deadline_at);
  record->main_ended = extra->main_ended;
  record->stop_due = extra->stop_due;
  record->stop_asked = extra->stop_asked;
  record->start_timed_out = extra->start_timed_out;
  record->kill_needed = extra->kill_needed;
  record->start_after = extra->start_after;
  record->comes_back = extra->comes_back;
  record->remove_when_down = extra->remove_when_down;
}

void
zinit_snapshot_read (const ZinitSavedService *saved, ZinitServiceRecord *ret_record)
{
  gboolean has_process = saved->has_pid;

  *ret_record = (ZinitServiceRecord){
    .state = zinit_saved_state_restored (saved->state, has_process),
    .wanted = ZINIT_WANTED_START,
    .last_exit = read_exit (saved),
    .restart_count = saved->restart_count,
    .restart_delay_ms = saved->current_restart_delay_ms,
    .started_at_usec = saved->has_started_at ? to_usec (saved->started_at) : 0,
    .state_changed_at_usec = to_usec (saved->last_state_change),
    /* Whoever wrote this without our fields: a stop is one that was asked for. */
    .stop_asked = saved->state == ZINIT_STATE_STOPPING,
  };
  /* The code that is saved with it is of an earlier life. */
  if (ret_record->state == ZINIT_STATE_EXITED && saved->state != ZINIT_STATE_EXITED)
    ret_record->last_exit = (ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 };
  if (ret_record->state == ZINIT_STATE_FAILED)
    ret_record->failure =
        (ZinitFailure){ .type = ZINIT_FAILURE_SPAWN_ERROR, .text = (char *)"restored from failed state" };
  if (saved->extra != NULL)
    read_extra (saved->extra, ret_record);
}
