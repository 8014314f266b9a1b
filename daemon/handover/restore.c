/* SPDX-License-Identifier: Apache-2.0
 *
 * The state file says what was; /proc says what is. Where they disagree, /proc is right about processes, and
 * the file about everything else.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/restore.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "config/format.h"
#include "config/strict-json.h"
#include "handover/proof.h"
#include "handover/room.h"
#include "handover/snapshot.h"
#include "handover/survivors.h"
#include "model/limits.h"
#include "model/schema.h"
#include "persist/state-file.h"

/* A start time has the grain of a clock tick. */
#define START_GRAIN_MS 20

typedef struct {
  ZinitSupervisor *supervisor;
  const char *instance;
  ZinitSavedState *state; /* NULL = none that may be used */
  ZinitInherited *inherited;
  const GPtrArray *errors; /* of the load, ZinitConfigError */
  gboolean is_stale;       /* it may only help to find survivors */
  GPtrArray *survivors;    /* ZinitSurvivor */
  GHashTable *adopted;     /* names of services whose process was found */
  GHashTable *pids;        /* of these processes */
  GPtrArray *gone;         /* services that live, and their files do not */
  ZinitRoom room;
} Restoration;

static ZinitDefinition *
parse_definition (const char *name, const ZinitSavedService *saved)
{
  const char *text = saved->config == NULL && saved->extra != NULL ? saved->extra->definition : saved->config;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  ZinitDefinition *definition = NULL;

  if (text == NULL)
    return NULL;
  node = zinit_strict_json_parse (text, strlen (text), &error);
  if (node != NULL)
    definition = zinit_definition_from_json (node, name, ZINIT_KEYS_LAX, &error);
  if (definition == NULL)
    g_warning ("%s: its saved definition is of no use: %s", name, error->message);
  else if (!g_str_equal (definition->name, name)) {
    /* The key decides. */
    g_free (definition->name);
    definition->name = g_strdup (name);
  }
  return definition;
}

static gboolean
has_ended (int pidfd)
{
  struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) == 1;
}

/* @pid has them, or somebody of its group has: a zombie has none any more. */
static void
open_outputs (Restoration *restoration, const char *name, const ZinitSavedService *saved, pid_t pid,
              ZinitAdoption *adoption)
{
  const guint64 inodes[ZINIT_N_STREAMS] = {
    [ZINIT_STREAM_STDOUT] = saved->extra != NULL ? saved->extra->stdout_inode : 0,
    [ZINIT_STREAM_STDERR] = saved->extra != NULL ? saved->extra->stderr_inode : 0,
  };

  if (zinit_inherited_take_pipes (restoration->inherited, name, adoption->outputs))
    return;
  zinit_room_enter (&restoration->room);
  zinit_survivor_open_outputs (pid, inodes, adoption->outputs);
  zinit_survivors_find_outputs (restoration->instance, name, adoption->pid, inodes, adoption->outputs);
  zinit_room_leave (&restoration->room);
}

static gboolean
open_saved_process (Restoration *restoration, const char *name, const ZinitSavedService *saved,
                    const char *exec, ZinitAdoption *ret_adoption)
{
  guint64 start_ticks = saved->extra != NULL ? saved->extra->pid_start_ticks : 0;
  gboolean main_ended = saved->extra != NULL && saved->extra->main_ended;

  if (!saved->has_pid || !zinit_state_is_active (saved->state))
    return FALSE;
  restoration->room.n_to_come--;
  /* One of the two would be stopped with the other. */
  if (g_hash_table_contains (restoration->pids, GUINT_TO_POINTER (saved->pid))) {
    g_warning ("%s: process %u is another service's already", name, saved->pid);
    return FALSE;
  }
  *ret_adoption = (ZinitAdoption){ .pid = (pid_t)saved->pid, .start_ticks = start_ticks };
  /* What this very process watched is known; what it started, and wrote down a moment ago, is proven by being
   * its child. */
  ret_adoption->pidfd = zinit_inherited_take_stranger (restoration->inherited, ret_adoption->pid);
  if (ret_adoption->pidfd < 0 && restoration->inherited->is_reexecuted && !restoration->is_stale &&
      !main_ended && saved->pid <= G_MAXINT32)
    ret_adoption->pidfd = zinit_proof_open_child (ret_adoption->pid);
  /* One that has ended may be there as a zombie, but has no executable to go by. */
  if (ret_adoption->pidfd < 0)
    ret_adoption->pidfd = zinit_proof_open (saved->pid, start_ticks, main_ended ? NULL : exec);
  if (ret_adoption->pidfd < 0)
    return FALSE;
  open_outputs (restoration, name, saved, ret_adoption->pid, ret_adoption);
  return TRUE;
}

static gint64
started_at_ms (pid_t pid)
{
  struct timespec now;
  gint64 since_boot_ms;

  clock_gettime (CLOCK_BOOTTIME, &now);
  since_boot_ms = (gint64)(zinit_proof_read_start_ticks (pid) * 1000 / (guint64)sysconf (_SC_CLK_TCK));
  return g_get_real_time () / 1000 - ((gint64)now.tv_sec * 1000 + now.tv_nsec / 1000000 - since_boot_ms);
}

/* What the file missed because the daemon died before it was written. What it should have known, and does not
 * call a service's first process, is something that the service itself has put in a session of its own. */
static gboolean
was_missed (const Restoration *restoration, const ZinitSurvivor *survivor)
{
  return restoration->state == NULL || restoration->is_stale ||
         started_at_ms (survivor->member) + START_GRAIN_MS >=
             (gint64)MIN (restoration->state->saved_at, (guint64)G_MAXINT64);
}

/* Of the service, and not the one that the file knows. */
static gboolean
has_missed_process (const Restoration *restoration, const char *name, const ZinitSavedService *saved)
{
  for (guint i = 0; i < restoration->survivors->len; i++) {
    const ZinitSurvivor *survivor = restoration->survivors->pdata[i];

    if (g_str_equal (survivor->service, name) && survivor->pid != (pid_t)saved->pid &&
        was_missed (restoration, survivor))
      return TRUE;
  }
  return FALSE;
}

static void
close_adoption (ZinitAdoption *adoption)
{
  close (adoption->pidfd);
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    if (adoption->outputs[stream] >= 0)
      close (adoption->outputs[stream]);
}

/* Its first process is gone, but not all of its group: what follows is what a running daemon does then. As
 * long as one of them lives, the kernel gives the group's number to nobody else. */
static gboolean
open_saved_group (Restoration *restoration, const char *name, const ZinitSavedService *saved,
                  ZinitAdoption *ret_adoption)
{
  pid_t member;

  if (!saved->has_pid || saved->pid > G_MAXINT32 || !zinit_state_is_active (saved->state) ||
      has_missed_process (restoration, name, saved))
    return FALSE;
  member = zinit_survivors_find_member (restoration->instance, name, (pid_t)saved->pid);
  if (member == 0)
    return FALSE;
  g_message ("%s: its first process is gone, others of its group are not", name);
  *ret_adoption = (ZinitAdoption){ .pid = (pid_t)saved->pid,
                                   .start_ticks = saved->extra != NULL ? saved->extra->pid_start_ticks : 0,
                                   .pidfd = -1,
                                   .main_ended = TRUE };
  open_outputs (restoration, name, saved, member, ret_adoption);
  return TRUE;
}

/* Its file was removed: not one that is broken, nor all of them at once. */
static gboolean
is_removed (const Restoration *restoration, const char *name, const ZinitSavedService *saved)
{
  const char *path = saved->extra != NULL ? saved->extra->file : NULL;

  return !saved->ephemeral &&
         !zinit_supervisor_keeps (restoration->supervisor, restoration->errors, name, path);
}

/* The file of a service that the folder does not name now; without our fields there is only the usual name.
 */
static char *
find_path (const Restoration *restoration, const char *name, const ZinitSavedService *saved)
{
  g_autofree char *file = g_strconcat (name, ".toml", NULL);

  if (saved->ephemeral)
    return NULL;
  if (saved->extra != NULL && saved->extra->file != NULL)
    return g_strdup (saved->extra->file);
  return g_build_filename (zinit_supervisor_get_config_dir (restoration->supervisor), file, NULL);
}

/* As a reload would: what was said of it before does not outweigh what the folder says now. */
static void
heed_new_definition (ZinitServiceRecord *record, const ZinitDefinition *old_definition,
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

/* What cannot be taken up is lost with the next state file, so it has to be said. */
static void
warn_of_lost (const char *name, const ZinitSavedService *saved, const char *reason)
{
  g_autofree char *shown = zinit_schema_quote (name);

  if (saved->has_pid)
    g_warning ("the saved service %s is not taken up: %s; process %u is left alone if it lives", shown,
               reason, saved->pid);
  else
    g_warning ("the saved service %s is not taken up: %s", shown, reason);
}

static gboolean
can_be_taken_up (const char *name, const ZinitSavedService *saved, const ZinitDefinition *definition)
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
    g_warning ("the saved service %s calls itself %s; what it is saved as counts", name, saved->name);
  return TRUE;
}

static gboolean
find_process (Restoration *restoration, const char *name, const ZinitSavedService *saved, const char *exec,
              ZinitAdoption *ret_adoption)
{
  if (open_saved_process (restoration, name, saved, exec, ret_adoption)) {
    if (!has_ended (ret_adoption->pidfd) || !has_missed_process (restoration, name, saved))
      return TRUE;
    /* It ended and was started anew, and nobody has reaped the first one yet. */
    close_adoption (ret_adoption);
  }
  return open_saved_group (restoration, name, saved, ret_adoption);
}

/* @in_force NULL: what the service was saved with is what it has now. */
static void
read_record (const Restoration *restoration, const ZinitSavedService *saved, const ZinitService *service,
             const ZinitDefinition *in_force, gboolean has_process, ZinitServiceRecord *ret_record)
{
  zinit_snapshot_read (saved, ret_record);
  /* It went down with all others, and that is no end to be judged. */
  if (restoration->state->shutting_down && !has_process)
    *ret_record = (ZinitServiceRecord){ .state = ZINIT_STATE_INACTIVE,
                                        .wanted = ret_record->wanted,
                                        .state_changed_at_usec = ret_record->state_changed_at_usec };
  if (saved->extra == NULL || saved->extra->wanted_status < 0)
    ret_record->wanted = zinit_service_get_wanted (service);
  if (!has_process && in_force != NULL)
    heed_new_definition (ret_record, in_force, zinit_service_get_definition (service));
}

static gboolean
restore_one (gpointer key, gpointer value, gpointer data)
{
  const char *name = key;
  const ZinitSavedService *saved = value;
  Restoration *restoration = data;
  ZinitService *service = zinit_supervisor_find (restoration->supervisor, name, NULL);
  g_autoptr (ZinitDefinition) in_force =
      is_unchanged (service, saved) ? NULL : parse_definition (name, saved);
  const ZinitDefinition *definition = service != NULL ? zinit_service_get_definition (service) : in_force;
  ZinitServiceRecord record;
  ZinitAdoption adoption;
  gboolean has_process, is_gone;

  if (!can_be_taken_up (name, saved, definition))
    return FALSE;
  has_process = find_process (restoration, name, saved, in_force != NULL ? in_force->exec : definition->exec,
                              &adoption);
  /* A file too old to be believed still names what it can prove; and a service without a file and without a
   * process is no more, unless it never had one. */
  is_gone = service == NULL && is_removed (restoration, name, saved);
  if (!has_process && (restoration->is_stale || is_gone))
    return FALSE;
  if (service == NULL) {
    g_autofree char *path = find_path (restoration, name, saved);

    service = zinit_supervisor_insert (restoration->supervisor, in_force, path);
  }
  read_record (restoration, saved, service, in_force, has_process, &record);
  zinit_service_restore (service, &record, in_force, has_process ? &adoption : NULL);
  if (has_process) {
    g_hash_table_add (restoration->adopted, (gpointer)zinit_service_get_name (service));
    g_hash_table_add (restoration->pids, GUINT_TO_POINTER (saved->pid));
  }
  if (is_gone)
    g_ptr_array_add (restoration->gone, service);
  return FALSE;
}

/* CLOCK_MONOTONIC. It is not known how much of the period is over, so all of it is still to come. */
static gint64
stable_usec (const ZinitService *service)
{
  guint64 period_ms = zinit_service_get_definition (service)->stability_period_ms;

  return g_get_monotonic_time () + (gint64)(MIN (period_ms, ZINIT_MAX_DELAY_MS) * 1000);
}

/* Of its first process, or of what that has left behind. */
static gboolean
open_survivor (Restoration *restoration, const ZinitSurvivor *survivor, ZinitAdoption *ret_adoption)
{
  static const guint64 any[ZINIT_N_STREAMS] = { 0 };

  *ret_adoption = (ZinitAdoption){ .pid = survivor->pid, .pidfd = -1 };
  ret_adoption->main_ended = survivor->member != survivor->pid;
  if (!ret_adoption->main_ended)
    ret_adoption->pidfd = zinit_survivor_open (survivor, restoration->instance);
  if (ret_adoption->pidfd < 0 && !ret_adoption->main_ended)
    return FALSE;
  zinit_room_enter (&restoration->room);
  zinit_survivor_open_outputs (survivor->member, any, ret_adoption->outputs);
  zinit_room_leave (&restoration->room);
  return TRUE;
}

static void
adopt_survivor (Restoration *restoration, const ZinitSurvivor *survivor)
{
  ZinitService *service = zinit_supervisor_find (restoration->supervisor, survivor->service, NULL);
  gint64 started_usec = started_at_ms (survivor->member) * 1000;
  ZinitServiceRecord known, record;
  ZinitAdoption adoption;

  if (g_hash_table_contains (restoration->adopted, survivor->service) || !was_missed (restoration, survivor))
    return;
  if (service == NULL) {
    g_warning ("process %d says that it belongs to the service %s, which nobody knows; it is left alone",
               survivor->member, survivor->service);
    return;
  }
  if (!open_survivor (restoration, survivor, &adoption))
    return;
  zinit_service_get_record (service, &known);
  record = (ZinitServiceRecord){ .state = ZINIT_STATE_RUNNING,
                                 .wanted = ZINIT_WANTED_START,
                                 .last_exit = known.last_exit,
                                 .restart_count = known.restart_count,
                                 .restart_delay_ms = known.restart_delay_ms,
                                 .deadline_usec = stable_usec (service),
                                 .started_at_usec = started_usec,
                                 .state_changed_at_usec = started_usec };
  zinit_service_restore (service, &record, NULL, &adoption);
  g_hash_table_add (restoration->adopted, (gpointer)zinit_service_get_name (service));
}

/* A machine has another boot, a container that was started anew another first process. */
static gboolean
is_of_this_boot (const ZinitSavedState *state)
{
  g_autofree char *boot_id = zinit_proof_read_boot_id ();
  guint64 init_start_ticks = zinit_proof_read_start_ticks (1);

  return (state->boot_id == NULL || g_strcmp0 (state->boot_id, boot_id) == 0) &&
         (state->init_start_ticks == 0 || init_start_ticks == 0 ||
          state->init_start_ticks == init_start_ticks);
}

/* The one before it, of a moment earlier, names what no process can tell. */
static void
load_old (Restoration *restoration, const ZinitPaths *paths, guint64 now_ms)
{
  g_autofree char *old = g_strconcat (paths->state, ".old", NULL);

  if (zinit_saved_state_load (old, now_ms, ZINIT_EXTRAS_READ, &restoration->state, NULL) == ZINIT_LOAD_GOOD)
    g_message ("%s, the one before it, is used", old);
  else
    g_clear_pointer (&restoration->state, zinit_saved_state_free);
}

/* FALSE when there is nothing to go by and nothing to look for. */
static gboolean
load (Restoration *restoration, const ZinitPaths *paths)
{
  g_autoptr (GError) error = NULL;
  guint64 now_ms = (guint64)MAX (g_get_real_time (), 0) / 1000;
  ZinitLoadResult result =
      zinit_saved_state_load (paths->state, now_ms, ZINIT_EXTRAS_READ, &restoration->state, &error);

  if (result == ZINIT_LOAD_REFUSED || result == ZINIT_LOAD_STALE) {
    g_warning ("the saved state is not used: %s", error->message);
    if (!zinit_saved_file_put_aside (paths->state, NULL))
      g_warning ("%s cannot be put aside", paths->state);
  }
  restoration->is_stale = result == ZINIT_LOAD_STALE;
  if (result == ZINIT_LOAD_REFUSED)
    load_old (restoration, paths, now_ms);
  if (restoration->state == NULL || is_of_this_boot (restoration->state))
    return TRUE;
  g_message ("the saved state is from before this machine or container was started; nothing of it can live");
  g_clear_pointer (&restoration->state, zinit_saved_state_free);
  return FALSE;
}

guint
zinit_restore (ZinitSupervisor *supervisor, const ZinitPaths *paths, ZinitInherited *inherited,
               const GPtrArray *errors)
{
  Restoration restoration = { .supervisor = supervisor,
                              .instance = zinit_supervisor_get_instance (supervisor),
                              .inherited = inherited,
                              .errors = errors,
                              .adopted = g_hash_table_new (g_str_hash, g_str_equal),
                              .pids = g_hash_table_new (NULL, NULL),
                              .survivors = g_ptr_array_new (),
                              .gone = g_ptr_array_new () };
  guint n_adopted;

  if (load (&restoration, paths)) {
    /* What this process itself wrote a moment ago misses nothing. */
    if (!inherited->is_reexecuted || restoration.state == NULL) {
      g_ptr_array_unref (restoration.survivors);
      restoration.survivors = zinit_survivors_find (restoration.instance);
    }
    if (restoration.state != NULL) {
      zinit_room_add_saved (&restoration.room, restoration.state->services);
      g_tree_foreach (restoration.state->services, restore_one, &restoration);
    }
    for (guint i = 0; i < restoration.survivors->len; i++)
      adopt_survivor (&restoration, restoration.survivors->pdata[i]);
    zinit_room_report (&restoration.room);
    zinit_supervisor_recover_logs (supervisor);
  } else {
    zinit_supervisor_forget_logs (supervisor);
  }
  /* The numbers in it mean nothing from now on. The state file is written anew in a moment. */
  zinit_saved_file_remove (paths->fds);
  /* In order, which only those know that have been taken up as well. */
  for (guint i = 0; i < restoration.gone->len; i++)
    zinit_service_dismiss (restoration.gone->pdata[i]);
  g_ptr_array_unref (restoration.gone);
  g_ptr_array_unref (restoration.survivors);
  n_adopted = g_hash_table_size (restoration.adopted);
  g_hash_table_unref (restoration.adopted);
  g_hash_table_unref (restoration.pids);
  if (restoration.state != NULL)
    zinit_saved_state_free (restoration.state);
  return n_adopted;
}
