/* SPDX-License-Identifier: Apache-2.0
 *
 * Saving and restoring as the daemon does it, without a file and without /proc; see world.h.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "world.h"

#include <string.h>

#include "config/format.h"
#include "config/strict-json.h"

static void
on_added (ZinitService *service, gpointer data)
{
  World *world = data;

  zinit_snapshot_mark (world->snapshot, zinit_service_get_name (service));
  world->is_due |= zinit_service_get_status (service)->is_ephemeral;
}

static void
on_removed (ZinitService *service, gpointer data)
{
  World *world = data;

  zinit_snapshot_forget (world->snapshot, zinit_service_get_name (service));
  world->is_due = TRUE;
}

/* What the daemon saves before it answers: requests, and that a work is done. */
static void
on_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  World *world = data;
  gboolean is_done = (changes & ZINIT_CHANGED_STATE) != 0 &&
                     zinit_service_get_definition (service)->oneshot &&
                     zinit_service_get_status (service)->state == ZINIT_STATE_EXITED;

  zinit_snapshot_mark (world->snapshot, zinit_service_get_name (service));
  world->is_due |= is_done || (changes & (ZINIT_CHANGED_WANTED_STATUS | ZINIT_CHANGED_ASKED)) != 0;
}

static void
on_shutdown_begun (gpointer data)
{
  World *world = data;

  zinit_snapshot_mark_shutdown (world->snapshot);
  world->is_due = world->is_shutting_down = TRUE;
}

static void
on_shutdown_done (gpointer data)
{
  ((World *)data)->is_down = TRUE;
}

static const ZinitObserver own_observer = {
  .service_added = on_added,
  .service_removed = on_removed,
  .service_changed = on_changed,
  .shutdown_begun = on_shutdown_begun,
  .shutdown_done = on_shutdown_done,
};

static void
start_supervisor (World *world)
{
  world->supervisor = zinit_supervisor_new (&fake_host, &world->host, world->paths.config_dir);
  world->snapshot = zinit_snapshot_new (world->supervisor, &world->paths, world->records);
  world->is_shutting_down = world->is_down = FALSE;
  world->sequence = 0;
}

static void
observe (World *world)
{
  zinit_supervisor_add_observer (world->supervisor, &own_observer, world);
  if (world->observer != NULL)
    zinit_supervisor_add_observer (world->supervisor, world->observer, world);
}

void
world_init (World *world, const char *config_dir, const ZinitObserver *observer)
{
  *world = (World){ .observer = observer };
  fake_host_init (&world->host);
  world->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  world->bonds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  world->paths.config_dir = (char *)config_dir;
  world->paths.socket = (char *)"/run/zinit.sock";
  world->records = zinit_record_log_new (NULL, "");
  start_supervisor (world);
  observe (world);
  world_commit (world, TRUE);
}

void
world_clear (World *world)
{
  if (world->supervisor != NULL)
    world_crash (world);
  g_free (world->saved);
  zinit_record_log_free (world->records);
  g_hash_table_unref (world->told);
  g_hash_table_unref (world->bonds);
  fake_host_clear (&world->host);
}

char *
world_save (World *world)
{
  const GArray *parts = zinit_snapshot_print (world->snapshot);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < parts->len; i++) {
    const struct iovec *part = &g_array_index (parts, struct iovec, i);

    g_string_append_len (text, part->iov_base, (gssize)part->iov_len);
  }
  return g_string_free (text, FALSE);
}

void
world_commit (World *world, gboolean is_all)
{
  /* Once a shutdown has begun its course is not followed. */
  if (!world->is_due && (!is_all || world->is_shutting_down))
    return;
  world->is_due = FALSE;
  g_free (world->saved);
  world->saved = world_save (world);
}

void
world_crash (World *world)
{
  g_clear_pointer (&world->snapshot, zinit_snapshot_free);
  g_clear_pointer (&world->supervisor, zinit_supervisor_free);
  /* What the dead daemon had armed. */
  g_ptr_array_set_size (world->host.timers, 0);
}

ZinitSavedState *
world_parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  ZinitSavedState *state = zinit_saved_state_parse (text, strlen (text), ZINIT_EXTRAS_READ, &error);

  g_assert_no_error (error);
  return state;
}

gboolean
world_saves_pending (void)
{
  return TRUE;
}

/* From here on as restore.c does it. */

static ZinitDefinition *
parse_definition (const ZinitSavedService *saved, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = zinit_strict_json_parse (text, strlen (text), &error);
  ZinitDefinition *definition;

  g_assert_no_error (error);
  definition = zinit_definition_from_json (node, saved->name, ZINIT_KEYS_LAX, &error);
  g_assert_no_error (error);
  return definition;
}

static const FakeProcess *
find_process (const World *world, const char *name, pid_t pid)
{
  for (guint i = world->host.processes->len; i-- > 0;) {
    const FakeProcess *process = world->host.processes->pdata[i];

    if ((process->has_main || process->has_others) && g_str_equal (process->name, name) &&
        (pid == 0 || process->pid == pid))
      return process;
  }
  return NULL;
}

static ZinitAdoption
make_adoption (const FakeProcess *process)
{
  return (ZinitAdoption){ .pid = process->pid,
                          .start_ticks = process->start_ticks,
                          .pidfd = -1,
                          .outputs = { -1, -1 },
                          .main_ended = !process->has_main };
}

/* As a reload would. */
static void
apply_new_definition (ZinitServiceRecord *record, const ZinitDefinition *old_definition,
                      const ZinitDefinition *definition)
{
  gboolean status_changed = definition->status != old_definition->status;

  if (zinit_definition_equal (old_definition, definition))
    return;
  if (status_changed)
    record->wanted = (ZinitWanted)definition->status;
  if (record->wanted != ZINIT_WANTED_START) {
    record->deadline_usec = 0;
  } else if (!zinit_state_is_active (record->state) &&
             (status_changed || record->state == ZINIT_STATE_FAILED)) {
    record->state = ZINIT_STATE_INACTIVE;
    record->failure = (ZinitFailure){ 0 };
  }
}

/* Returns the service if its file is gone. */
static ZinitService *
restore_one (World *world, const char *name, const ZinitSavedService *saved, gboolean was_shutting_down)
{
  ZinitService *service = zinit_supervisor_find (world->supervisor, name, NULL);
  g_autoptr (ZinitDefinition) in_force =
      parse_definition (saved, saved->config != NULL ? saved->config : saved->extra->definition);
  g_autoptr (ZinitDefinition) pending = NULL;
  const FakeProcess *process = saved->has_pid && zinit_state_is_active (saved->state)
                                   ? find_process (world, name, (pid_t)saved->pid)
                                   : NULL;
  gboolean is_gone = service == NULL && !saved->ephemeral;
  ZinitServiceRecord record;

  if (process == NULL && is_gone)
    return NULL;
  if (service == NULL)
    service =
        zinit_supervisor_insert (world->supervisor, in_force, saved->ephemeral ? NULL : saved->extra->file);
  zinit_snapshot_read (saved, &record);
  if (saved->extra->pending_definition != NULL)
    record.pending = pending = parse_definition (saved, saved->extra->pending_definition);
  if (process == NULL && was_shutting_down)
    record = (ZinitServiceRecord){ .state = ZINIT_STATE_INACTIVE,
                                   .wanted = record.wanted,
                                   .next = record.wanted == ZINIT_WANTED_START ? ZINIT_NEXT_START
                                                                               : ZINIT_NEXT_REST,
                                   .run = record.run,
                                   .state_changed_at_usec = record.state_changed_at_usec };
  if (process == NULL)
    apply_new_definition (&record, in_force, zinit_service_get_definition (service));
  if (process != NULL) {
    ZinitAdoption adoption = make_adoption (process);

    zinit_service_restore (service, &record, in_force, &adoption);
  } else {
    zinit_service_restore (service, &record, in_force, NULL);
  }
  return is_gone ? service : NULL;
}

/* What was started and is not in the text: it is taken up, and what nobody knows is ended. */
static void
adopt_unsaved (World *world)
{
  for (guint i = 0; i < world->host.processes->len; i++) {
    FakeProcess *process = world->host.processes->pdata[i];
    ZinitService *service = zinit_supervisor_find (world->supervisor, process->name, NULL);
    ZinitServiceRecord record = { .state = ZINIT_STATE_RUNNING,
                                  .wanted = ZINIT_WANTED_START,
                                  .started_at_usec = world->host.now_usec,
                                  .state_changed_at_usec = world->host.now_usec };
    ZinitAdoption adoption;

    /* Those that were taken up stand behind the others by now. */
    if (!process->is_released || (!process->has_main && !process->has_others))
      continue;
    if (service == NULL || zinit_service_get_status (service)->pid != 0) {
      process->has_main = process->has_others = FALSE;
      continue;
    }
    adoption = make_adoption (process);
    /* What was up beside it may have gone unsaved as well. */
    g_hash_table_remove_all (world->bonds);
    record.restart_delay_ms = zinit_service_get_status (service)->restart_delay_ms;
    record.restart_count = zinit_service_get_status (service)->restart_count;
    record.last_exit = zinit_service_get_status (service)->last_exit;
    zinit_service_restore (service, &record, NULL, &adoption);
  }
}

typedef struct {
  World *world;
  gboolean was_shutting_down;
  GPtrArray *gone;
} Restoration;

static gboolean
restore_each (gpointer name, gpointer saved, gpointer data)
{
  Restoration *restoration = data;
  ZinitService *gone = restore_one (restoration->world, name, saved, restoration->was_shutting_down);

  if (gone != NULL)
    g_ptr_array_add (restoration->gone, gone);
  return FALSE;
}

static gboolean
insert_ephemeral (gpointer name, gpointer value, gpointer data)
{
  const ZinitSavedService *saved = value;
  g_autoptr (ZinitDefinition) definition = saved->ephemeral ? parse_definition (saved, saved->config) : NULL;

  if (definition != NULL)
    zinit_supervisor_insert (((World *)data)->supervisor, definition, NULL);
  return FALSE;
}

void
world_restore (World *world, const char *text)
{
  g_autoptr (ZinitSavedState) state = world_parse (text);
  g_autoptr (GPtrArray) gone = g_ptr_array_new ();
  Restoration restoration = { world, state->shutting_down, gone };

  /* A life that was being ended goes on anew. */
  if (state->shutting_down)
    g_hash_table_remove_all (world->bonds);
  start_supervisor (world);
  g_tree_foreach (state->services, insert_ephemeral, world);
  zinit_reload_result_free (zinit_supervisor_load (world->supervisor));
  g_tree_foreach (state->services, restore_each, &restoration);
  adopt_unsaved (world);
  for (guint i = 0; i < gone->len; i++)
    zinit_service_dismiss (gone->pdata[i]);
  observe (world);
  world->is_due = TRUE;
}
