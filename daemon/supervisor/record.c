/* SPDX-License-Identifier: Apache-2.0
 *
 * A service as a value, and back. The only other place that writes a service's state: here it was written
 * before, by an earlier daemon.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/record.h"

#include <errno.h>

#include "model/error.h"
#include "model/limits.h"
#include "supervisor/internal.h"

/* For kept output, of all services together. */
#define READ_RETRY_USEC (20 * 1000)
#define MAX_READ_TRIES 150

void
zinit_service_get_record (const ZinitService *service, ZinitServiceRecord *ret_record)
{
  const ZinitSupervisor *supervisor = service->supervisor;
  const ZinitServiceStatus *status = &service->status;

  *ret_record = (ZinitServiceRecord){
    .state = status->state,
    .wanted = status->wanted,
    .failure = status->failure,
    .last_exit = status->last_exit,
    .restart_count = service->backoff.count,
    .restart_delay_ms = service->backoff.delay_ms,
    .run = service->run,
    .start_ticks = service->process != NULL
                       ? supervisor->host->get_start_ticks (supervisor->host_data, service->process)
                       : service->unproven_ticks,
    .started_at_usec = status->started_at_usec,
    .state_changed_at_usec = status->state_changed_at_usec,
    .deadline_usec = zinit_timer_is_armed (&service->timer) ? service->timer.deadline_usec : 0,
    .next = status->next,
    .stop_cause = service->stop_cause,
    .sigkill_sent = service->is_late,
    .stop_pending = service->stop_pending,
    .main_ended = service->main_ended,
    .comes_back = status->state == ZINIT_STATE_BLOCKED && service->comes_back,
    .said = service->said,
    .started_for = service->started_for,
    .failures = service->failures,
    .pending = service->path == NULL ? service->pending_definition : NULL,
  };
  for (ZinitStream stream = 0; service->process != NULL && stream < ZINIT_N_STREAMS; stream++)
    ret_record->output_inodes[stream] =
        supervisor->host->get_output_inode (supervisor->host_data, service->process, stream);
}

ZinitProcess *
zinit_service_get_process (const ZinitService *service)
{
  return service->process;
}

static void
copy_record (ZinitService *service, const ZinitServiceRecord *record)
{
  ZinitServiceStatus *status = &service->status;

  status->wanted = record->wanted;
  zinit_failure_copy (&record->failure, &status->failure);
  status->last_exit = record->last_exit;
  status->started_at_usec = record->started_at_usec;
  status->state_changed_at_usec = record->state_changed_at_usec;
  status->next = record->next;
  service->backoff.count = record->restart_count;
  service->backoff.delay_ms = MAX (1, record->restart_delay_ms);
  service->run = MAX (service->run, record->run);
  service->stop_cause = record->stop_cause;
  service->comes_back = record->comes_back;
  g_free (service->said);
  service->said = g_strdup (record->said);
  service->is_late = record->sigkill_sent;
  g_free (service->started_for);
  service->started_for = g_strdup (record->started_for);
  g_free (service->failures);
  service->failures = g_strdup (record->failures);
  /* For how long it has not died is not known. */
  service->sigkill_usec =
      record->sigkill_sent ? service->supervisor->host->monotonic_usec (service->supervisor->host_data) : 0;
}

static void
count_state (ZinitService *service, int by)
{
  ZinitSupervisor *supervisor = service->supervisor;

  supervisor->n_active += zinit_state_is_active (service->status.state) ? by : 0;
  supervisor->n_stopping += service->status.state == ZINIT_STATE_STOPPING ? by : 0;
  supervisor->n_failed += service->status.state == ZINIT_STATE_FAILED ? by : 0;
}

static void
restore_state (ZinitService *service, ZinitState state)
{
  count_state (service, -1);
  service->status.state = state;
  count_state (service, 1);
}

/* Its saved state may already have been applied when its living process is found. */
static void
drop_old_state (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;

  supervisor->host->disarm (supervisor->host_data, &service->timer);
  service->status.next_restart_usec = 0;
  service->main_ended = FALSE;
  service->unproven_pid = 0;
  service->unproven_ticks = 0;
  zinit_service_set_stop_pending (service, FALSE);
}

static void
adopt (ZinitService *service, const ZinitAdoption *adoption, ZinitState state)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_auto (GStrv) tags = zinit_service_make_tags (service);
  ZinitAdoption tagged = *adoption;

  tagged.tags = (const char *const *)tags;
  tagged.definition = service->definition;
  tagged.is_starting = state == ZINIT_STATE_STARTING;
  service->is_ready_unheard = adoption->ready_fd <= 0 && adoption->notify_fd <= 0;
  service->process = supervisor->host->adopt (supervisor->host_data, &tagged, &zinit_process_events, service);
}

/* The main process has ended unseen, unless its end is known from before. */
static void
note_unseen_end (ZinitService *service, gboolean is_end_known)
{
  if (!is_end_known)
    service->status.last_exit = (ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 };
  service->main_ended = service->process != NULL;
}

static void
restore_process (ZinitService *service, const ZinitServiceRecord *record, const ZinitAdoption *adoption)
{
  ZinitState state = record->state;

  if (state == ZINIT_STATE_STARTING && zinit_readiness_describe_missing (service) == NULL)
    state = ZINIT_STATE_RUNNING;
  if (adoption != NULL)
    adopt (service, adoption, state);
  restore_state (service, state);
  zinit_service_set_stop_pending (service, record->stop_pending);
  if (adoption == NULL && record->unproven_pid != 0) {
    service->unproven_pid = record->unproven_pid;
    service->unproven_ticks = record->start_ticks;
    service->main_ended = record->main_ended;
  } else if (service->process == NULL || adoption->main_ended) {
    note_unseen_end (service, record->main_ended);
  }
}

pid_t
zinit_service_get_unproven_pid (const ZinitService *service)
{
  return service->unproven_pid;
}

void
zinit_service_set_unproven (ZinitService *service, const char *reason)
{
  if (g_strcmp0 (service->unproven_reason, reason) == 0)
    return;
  g_message ("%s: it is not known whether process %d lives, which is asked again: %s",
             zinit_service_get_name (service), service->unproven_pid, reason);
  g_free (service->unproven_reason);
  service->unproven_reason = g_strdup (reason);
  zinit_service_touch (service);
}

void
zinit_service_resolve (ZinitService *service, const ZinitAdoption *adoption)
{
  gboolean main_ended = service->main_ended;

  service->unproven_pid = 0;
  service->unproven_ticks = 0;
  g_clear_pointer (&service->unproven_reason, g_free);
  if (adoption != NULL)
    adopt (service, adoption, service->status.state);
  if (service->process == NULL || adoption->main_ended)
    note_unseen_end (service, main_ended);
  /* A stop that was requested meanwhile. */
  if (service->status.state == ZINIT_STATE_STOPPING)
    zinit_killing_begin (service);
  zinit_service_touch (service);
  zinit_supervisor_enqueue (service->supervisor, service);
}

static void
restore_deadline (ZinitService *service, gint64 deadline_usec)
{
  ZinitSupervisor *supervisor = service->supervisor;
  gint64 now_usec = supervisor->host->monotonic_usec (supervisor->host_data);
  guint64 timeout_ms = MIN (service->definition->stop_timeout_ms, ZINIT_MAX_DELAY_MS);

  /* Another program wrote this, without our fields: every stop needs a time-out. */
  if (deadline_usec == 0 && service->status.state == ZINIT_STATE_STOPPING)
    deadline_usec = now_usec + (gint64)(timeout_ms * 1000);
  if (deadline_usec == 0 && service->status.state == ZINIT_STATE_STARTING) {
    zinit_readiness_begin (service);
    return;
  }
  if (deadline_usec == 0 || service->status.state == ZINIT_STATE_INACTIVE ||
      service->status.state == ZINIT_STATE_BLOCKED)
    return;
  /* A file may say anything; sums with it have to stay in range. */
  deadline_usec = MIN (deadline_usec, now_usec + (gint64)(ZINIT_MAX_DELAY_MS * 1000));
  zinit_lifecycle_arm_at (service, deadline_usec);
  if (!zinit_state_is_active (service->status.state))
    service->status.next_restart_usec =
        supervisor->host->realtime_usec (supervisor->host_data) + MAX (0, deadline_usec - now_usec);
}

static void
restore_pending (ZinitService *service, ZinitDefinition *pending)
{
  if (!zinit_state_is_active (service->status.state))
    zinit_registry_set_definitions (service, pending, NULL);
  else
    zinit_registry_set_definitions (service, service->definition,
                                    zinit_definition_equal (pending, service->definition) ? NULL : pending);
}

void
zinit_service_restore (ZinitService *service, const ZinitServiceRecord *record, ZinitDefinition *in_force,
                       const ZinitAdoption *adoption)
{
  gboolean has_process = adoption != NULL || record->unproven_pid != 0;

  if (has_process && in_force != NULL && !zinit_definition_equal (in_force, service->definition)) {
    g_autoptr (ZinitDefinition) from_folder = zinit_definition_ref (service->definition);

    zinit_registry_set_definitions (service, in_force, from_folder);
  }
  drop_old_state (service);
  copy_record (service, record);
  if (zinit_state_is_active (record->state)) {
    restore_process (service, record, adoption);
  } else {
    restore_state (service, record->state);
    /* A oneshot that is done goes down in its turn as well. */
    zinit_service_set_stop_pending (service, record->stop_pending && record->state == ZINIT_STATE_EXITED);
  }
  restore_deadline (service, record->deadline_usec);
  zinit_watchdog_arm (service);
  if (record->pending != NULL)
    restore_pending (service, record->pending);
  zinit_service_forget_changes (service);
  zinit_outlook_update (service);
  zinit_supervisor_enqueue (service->supervisor, service);
}

ZinitService *
zinit_supervisor_insert (ZinitSupervisor *supervisor, ZinitDefinition *definition, const char *path)
{
  return zinit_registry_insert (supervisor, definition, path);
}

void
zinit_service_dismiss (ZinitService *service)
{
  zinit_service_set_next (service, ZINIT_NEXT_REMOVE);
  zinit_service_set_wanted (service, ZINIT_WANTED_STOP);
  zinit_stop_one_in_order (service);
  zinit_supervisor_enqueue (service->supervisor, service);
}

/* Nothing runs yet, so this may wait; and it must, as the first new line would take the place of what is not
 * read. FALSE when there is no more time. */
static gboolean
wait_to_try_again (guint *n_tries)
{
  if (++*n_tries >= MAX_READ_TRIES)
    return FALSE;
  g_usleep (READ_RETRY_USEC);
  return TRUE;
}

static GHashTable *
list_logs (ZinitSupervisor *supervisor, guint *n_tries)
{
  GHashTable *names;

  while ((names = zinit_log_folder_list (supervisor->log_folder)) == NULL)
    if (!zinit_error_is_transient (errno) || !wait_to_try_again (n_tries))
      break;
  if (names == NULL)
    g_warning ("kept output is not used: its folder cannot be read: %s", g_strerror (errno));
  return names;
}

void
zinit_supervisor_recover_logs (ZinitSupervisor *supervisor)
{
  g_autoptr (GHashTable) names = NULL;
  GHashTableIter iter;
  gpointer name;
  guint n_tries = 0;

  if (supervisor->log_folder != NULL)
    names = list_logs (supervisor, &n_tries);
  if (names == NULL)
    return;
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    ZinitService *service = g_hash_table_lookup (supervisor->services, name);

    if (service != NULL) {
      while (!zinit_log_recover (service->log, n_tries + 1 >= MAX_READ_TRIES))
        wait_to_try_again (&n_tries);
    } else {
      zinit_log_folder_remove (supervisor->log_folder, name, ZINIT_SPOOL_SUFFIX);
      zinit_log_folder_remove (supervisor->log_folder, name, ZINIT_RING_SUFFIX);
    }
  }
}

gboolean
zinit_supervisor_sync_logs (ZinitSupervisor *supervisor, GError **error)
{
  GHashTableIter iter;
  gpointer service;

  g_hash_table_iter_init (&iter, supervisor->services);
  while (g_hash_table_iter_next (&iter, NULL, &service))
    if (!zinit_log_sync (((ZinitService *)service)->log, error)) {
      g_prefix_error (error, "the output of %s cannot be kept: ", zinit_service_get_name (service));
      return FALSE;
    }
  return TRUE;
}

void
zinit_supervisor_renew_logs (ZinitSupervisor *supervisor)
{
  GHashTableIter iter;
  gpointer service;

  if (supervisor->log_folder == NULL)
    return;
  zinit_log_folder_close (supervisor->log_folder);
  g_hash_table_iter_init (&iter, supervisor->services);
  while (g_hash_table_iter_next (&iter, NULL, &service))
    zinit_log_renew (((ZinitService *)service)->log, zinit_service_get_name (service));
}

void
zinit_supervisor_forget_logs (ZinitSupervisor *supervisor)
{
  if (supervisor->log_folder != NULL)
    zinit_log_folder_clear (supervisor->log_folder);
}
