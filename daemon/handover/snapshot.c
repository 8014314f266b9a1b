/* SPDX-License-Identifier: Apache-2.0
 *
 * From a service to its saved form and back, field by field. Times are ms in the files and µs in the daemon.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/snapshot.h"

#include <string.h>

#include "config/format.h"
#include "config/json-writer.h"
#include "handover/process-identity.h"
#include "handover/saved-life.h"
#include "persist/saved-config.h"

#define USEC_PER_MSEC 1000

/* One service's part of the text. */
typedef struct {
  gboolean is_current;
  gboolean is_ephemeral;
  char *text; /* NULL = not printed yet */
  gsize length;
  ZinitDefinition *definition; /* in it, as definition_length bytes at definition_at */
  gsize definition_at;
  gsize definition_length;
} Part;

struct _ZinitSnapshot {
  ZinitSupervisor *supervisor;
  const ZinitPaths *paths;
  const ZinitRecordLog *records;
  char *boot_id;
  guint64 init_start_ticks; /* of process 1 */
  gboolean is_shutting_down;
  GHashTable *parts; /* name → Part */
  char *frame;
  GArray *document; /* struct iovec */
};

static void
part_free (gpointer data)
{
  Part *part = data;

  zinit_definition_unref (part->definition);
  g_free (part->text);
  g_free (part);
}

ZinitSnapshot *
zinit_snapshot_new (ZinitSupervisor *supervisor, const ZinitPaths *paths, const ZinitRecordLog *records)
{
  ZinitSnapshot *snapshot = g_new0 (ZinitSnapshot, 1);

  snapshot->supervisor = supervisor;
  snapshot->paths = paths;
  snapshot->records = records;
  snapshot->boot_id = zinit_identity_read_boot_id ();
  snapshot->init_start_ticks = zinit_identity_read_start_ticks (1);
  snapshot->parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, part_free);
  snapshot->document = g_array_new (FALSE, FALSE, sizeof (struct iovec));
  return snapshot;
}

void
zinit_snapshot_free (ZinitSnapshot *snapshot)
{
  g_array_unref (snapshot->document);
  g_hash_table_unref (snapshot->parts);
  g_free (snapshot->frame);
  g_free (snapshot->boot_id);
  g_free (snapshot);
}

void
zinit_snapshot_mark (ZinitSnapshot *snapshot, const char *name)
{
  Part *part = g_hash_table_lookup (snapshot->parts, name);

  if (part != NULL)
    part->is_current = FALSE;
}

void
zinit_snapshot_forget (ZinitSnapshot *snapshot, const char *name)
{
  g_hash_table_remove (snapshot->parts, name);
}

void
zinit_snapshot_mark_shutdown (ZinitSnapshot *snapshot)
{
  snapshot->is_shutting_down = TRUE;
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

static ZinitStateExtensions *
make_extra (const ZinitServiceRecord *record)
{
  ZinitStateExtensions *extra = zinit_state_extensions_new ();

  extra->run = record->run;
  extra->pid_start_ticks = record->start_ticks;
  extra->stdout_inode = record->output_inodes[ZINIT_STREAM_STDOUT];
  extra->stderr_inode = record->output_inodes[ZINIT_STREAM_STDERR];
  extra->wanted_status = (int)record->wanted;
  zinit_failure_copy (&record->failure, &extra->failure);
  extra->clock = ZINIT_SAVED_CLOCK_MONOTONIC;
  extra->started_at_usec = (guint64)MAX (record->started_at_usec, 0);
  extra->deadline_at = to_msec (record->deadline_usec);
  extra->exit_unknown = record->last_exit.kind == ZINIT_EXIT_UNKNOWN;
  extra->main_ended = record->main_ended;
  extra->keeps_place = record->comes_back;
  extra->stop_due = record->stop_pending;
  extra->stop_asked =
      record->stop_cause == ZINIT_STOP_CAUSE_REQUESTED || record->stop_cause == ZINIT_STOP_CAUSE_DEPENDENCY;
  extra->start_timed_out = record->stop_cause == ZINIT_STOP_CAUSE_START_TIMEOUT;
  if (record->stop_cause > ZINIT_STOP_CAUSE_LEFTOVERS)
    extra->stop_cause = (int)record->stop_cause;
  extra->kill_needed = record->sigkill_sent;
  extra->start_after = record->next == ZINIT_NEXT_START;
  extra->comes_back = record->next == ZINIT_NEXT_START_WITH_DEPENDENCY;
  extra->remove_when_down = record->next == ZINIT_NEXT_REMOVE;
  extra->started_for = g_strdup (record->started_for);
  extra->failures = g_strdup (record->failures);
  return extra;
}

/* Transfer full; NULL after a warning. */
static char *
print_definition (const ZinitDefinition *definition, gboolean is_ephemeral)
{
  g_autoptr (JsonNode) node =
      is_ephemeral ? zinit_definition_to_saved_json (definition) : zinit_definition_to_json (definition);
  g_autoptr (GError) error = NULL;
  char *text;

  if (!is_ephemeral) {
    GString *own = g_string_new (NULL);

    zinit_json_write_node (own, node, ZINIT_JSON_ONE_LINE);
    return g_string_free (own, FALSE);
  }
  text = zinit_saved_config_from_json (node, &error);
  if (text == NULL)
    g_warning ("%s: its definition cannot be saved: %s", definition->name, error->message);
  return text;
}

/* Everything but its definition. */
static ZinitSavedService *
save_service (const ZinitService *service)
{
  pid_t pid = zinit_service_get_status (service)->pid;
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
  saved->ephemeral = zinit_service_get_status (service)->is_ephemeral;
  saved->extra = make_extra (&record);
  saved->extra->file = g_strdup (zinit_service_get_path (service));
  saved->extra->said = g_strdup (record.said);
  if (record.pending != NULL)
    saved->extra->pending_definition = print_definition (record.pending, FALSE);
  saved->extra->definition_hash = zinit_definition_hash (zinit_service_get_definition (service));
  return saved;
}

/* Also of services that have a file: it may be gone or say something else when this is read. */
static void
add_definition (const Part *part, const ZinitService *service, ZinitSavedService *saved)
{
  const ZinitDefinition *definition = zinit_service_get_definition (service);
  char *text = part->definition == definition && part->definition_length > 0
                   ? g_strndup (part->text + part->definition_at, part->definition_length)
                   : print_definition (definition, saved->ephemeral);

  if (saved->ephemeral)
    saved->config = text;
  else
    saved->extra->definition = text;
}

static void
print_part (Part *part, const ZinitService *service)
{
  g_autoptr (ZinitSavedService) saved = save_service (service);
  const char *text;

  /* A field of the format must have the format's form. */
  if (part->is_ephemeral != saved->ephemeral)
    g_clear_pointer (&part->definition, zinit_definition_unref);
  add_definition (part, service, saved);
  text = saved->ephemeral ? saved->config : saved->extra->definition;
  part->definition_length = text != NULL ? strlen (text) : 0;
  zinit_definition_unref (part->definition);
  part->definition = zinit_definition_ref ((ZinitDefinition *)zinit_service_get_definition (service));
  part->is_ephemeral = saved->ephemeral;
  g_free (part->text);
  part->text = zinit_saved_service_print (saved, &part->length, &part->definition_at);
  part->is_current = TRUE;
}

static const Part *
look_up (ZinitSnapshot *snapshot, const ZinitService *service)
{
  const char *name = zinit_service_get_name (service);
  Part *part = g_hash_table_lookup (snapshot->parts, name);

  if (part == NULL) {
    part = g_new0 (Part, 1);
    g_hash_table_insert (snapshot->parts, g_strdup (name), part);
  }
  if (!part->is_current)
    print_part (part, service);
  return part;
}

static void
add (ZinitSnapshot *snapshot, const char *text, gsize length)
{
  struct iovec part = { (void *)text, length };

  g_array_append_val (snapshot->document, part);
}

static void
print_frame (ZinitSnapshot *snapshot, gsize *ret_length, gsize *ret_end_at)
{
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();

  state->saved_at = to_msec (g_get_real_time ());
  state->boot_time = to_msec (zinit_supervisor_get_boot_time (snapshot->supervisor));
  g_free (state->config_dir);
  g_free (state->socket_path);
  state->config_dir = g_strdup (snapshot->paths->config_dir);
  state->socket_path = g_strdup (snapshot->paths->socket);
  /* There may have been no descriptor for it. */
  if (snapshot->boot_id == NULL)
    snapshot->boot_id = zinit_identity_read_boot_id ();
  state->boot_id = g_strdup (snapshot->boot_id);
  state->init_start_ticks = snapshot->init_start_ticks;
  state->instance = g_strdup (zinit_supervisor_get_instance (snapshot->supervisor));
  state->saved_boottime = zinit_saved_life_now ();
  state->record_sequence = zinit_record_log_get_sequence (snapshot->records);
  state->shutting_down = snapshot->is_shutting_down;
  g_free (snapshot->frame);
  snapshot->frame = zinit_saved_state_print_frame (state, ret_length, ret_end_at);
}

const GArray *
zinit_snapshot_print (ZinitSnapshot *snapshot)
{
  static const char line[] = "\n  ";
  g_autoptr (GPtrArray) services = zinit_supervisor_list (snapshot->supervisor);
  gsize length, end_at;

  print_frame (snapshot, &length, &end_at);
  g_array_set_size (snapshot->document, 0);
  add (snapshot, snapshot->frame, end_at);
  for (guint i = 0; i < services->len; i++) {
    const Part *part = look_up (snapshot, services->pdata[i]);
    gsize comma = i == 0 ? 1 : 0;

    add (snapshot, part->text + comma, part->length - comma);
  }
  if (services->len > 0)
    add (snapshot, line, strlen (line));
  add (snapshot, snapshot->frame + end_at, length - end_at);
  return snapshot->document;
}

const char *
zinit_snapshot_print_one (ZinitSnapshot *snapshot, const ZinitService *service, gsize *ret_length)
{
  const Part *part = look_up (snapshot, service);

  *ret_length = part->length;
  return part->text;
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

static ZinitStopCause
read_stop_cause (const ZinitStateExtensions *extra, ZinitState state)
{
  if (extra->start_timed_out)
    return ZINIT_STOP_CAUSE_START_TIMEOUT;
  if (extra->stop_cause > 0)
    return (ZinitStopCause)extra->stop_cause;
  if (extra->stop_asked)
    return extra->comes_back ? ZINIT_STOP_CAUSE_DEPENDENCY : ZINIT_STOP_CAUSE_REQUESTED;
  return state == ZINIT_STATE_STOPPING ? ZINIT_STOP_CAUSE_LEFTOVERS : ZINIT_STOP_CAUSE_NONE;
}

static void
read_extra (const ZinitStateExtensions *extra, ZinitServiceRecord *record)
{
  if (extra->wanted_status >= 0)
    record->wanted = (ZinitWanted)extra->wanted_status;
  if (record->state == ZINIT_STATE_FAILED && extra->failure.type != ZINIT_FAILURE_NONE)
    record->failure = extra->failure;
  /* The other clocks are in the format for others to use; ours is the one that stands still with the machine.
   */
  if (extra->clock == ZINIT_SAVED_CLOCK_MONOTONIC)
    record->deadline_usec = to_usec (extra->deadline_at);
  /* The format has milliseconds, and decides where both are there. */
  if (to_msec ((gint64)MIN (extra->started_at_usec, (guint64)G_MAXINT64)) ==
          to_msec (record->started_at_usec) &&
      record->started_at_usec != 0)
    record->started_at_usec = (gint64)extra->started_at_usec;
  record->run = extra->run;
  record->said = extra->said;
  record->start_ticks = extra->pid_start_ticks;
  record->main_ended = extra->main_ended;
  record->comes_back = extra->keeps_place;
  record->stop_pending = extra->stop_due;
  record->sigkill_sent = extra->kill_needed;
  record->next = extra->remove_when_down ? ZINIT_NEXT_REMOVE
                 : extra->start_after    ? ZINIT_NEXT_START
                 : extra->comes_back     ? ZINIT_NEXT_START_WITH_DEPENDENCY
                                         : ZINIT_NEXT_REST;
  record->stop_cause = read_stop_cause (extra, record->state);
  record->started_for = extra->started_for;
  record->failures = extra->failures;
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
    /* Another program wrote this, without our fields: a stop counts as requested. */
    .stop_cause = saved->state == ZINIT_STATE_STOPPING ? ZINIT_STOP_CAUSE_REQUESTED : ZINIT_STOP_CAUSE_NONE,
  };
  /* The code that is saved with it is of an earlier life. */
  if (ret_record->state == ZINIT_STATE_EXITED && saved->state != ZINIT_STATE_EXITED)
    ret_record->last_exit = (ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 };
  if (ret_record->state == ZINIT_STATE_FAILED)
    ret_record->failure =
        (ZinitFailure){ .type = ZINIT_FAILURE_SPAWN_ERROR, .text = (char *)"restored from failed state" };
  if (saved->extra != NULL)
    read_extra (saved->extra, ret_record);
  /* The earlier daemon ended before it could start the service. */
  if (ret_record->state == ZINIT_STATE_INACTIVE && ret_record->wanted == ZINIT_WANTED_START &&
      ret_record->next == ZINIT_NEXT_REST && ret_record->run == 0)
    ret_record->next = ZINIT_NEXT_START;
}
