/* SPDX-License-Identifier: Apache-2.0
 *
 * The observer that writes the state file. Its text is made by snapshot.c.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/autosave.h"

#include "handover/saved-life.h"
#include "persist/state-file.h"

#define GATHER_USEC (100 * 1000)    /* from a change to the file */
#define MAX_RECORDS_BYTES (1 << 20) /* more of them are not cheaper than the whole state */
#define RETRY_USEC G_USEC_PER_SEC
/* Other readers of the format refuse a file of more than 5 minutes, so it is kept younger. */
#define REFRESH_USEC (240 * G_USEC_PER_SEC)

struct _ZinitAutosave {
  ZinitSupervisor *supervisor;
  const ZinitHost *host;
  gpointer host_data;
  const ZinitRuntimeFolder *folder;
  ZinitRecordLog *records;
  ZinitSnapshot *snapshot;
  ZinitTimer timer;
  GHashTable *changed; /* names of services that neither the file nor the records know as they are */
  GHashTable *removed; /* names of services that one of them still knows */
  gboolean is_due;     /* something among them cannot be learned from processes */
  gint64 save_usec; /* when the file is written at the latest, however much is recorded; 0 = it is current */
  gboolean is_current; /* the file says what is */
  gboolean has_failed; /* and this was reported */
  gboolean is_finished;
};

static void on_timer (ZinitTimer *timer);

static gint64
now_usec (ZinitAutosave *autosave)
{
  return autosave->host->monotonic_usec (autosave->host_data);
}

static void
arm (ZinitAutosave *autosave, gint64 delay_usec)
{
  gint64 due_usec = now_usec (autosave) + delay_usec;

  if (autosave->is_finished ||
      (zinit_timer_is_armed (&autosave->timer) && autosave->timer.deadline_usec <= due_usec))
    return;
  autosave->host->arm (autosave->host_data, &autosave->timer, due_usec, on_timer);
}

static void
save_now (ZinitAutosave *autosave)
{
  g_autoptr (GError) error = NULL;

  autosave->host->disarm (autosave->host_data, &autosave->timer);
  if (zinit_autosave_save (autosave, &error)) {
    if (autosave->has_failed)
      g_message ("the state can be written again");
    autosave->has_failed = FALSE;
    arm (autosave, REFRESH_USEC);
    return;
  }
  if (!autosave->has_failed)
    g_warning ("the state is not written, and it will be tried again: %s", error->message);
  autosave->has_failed = TRUE;
  arm (autosave, RETRY_USEC);
}

/* A turn of the loop that made something due has ended: it is recorded, and the whole state follows a moment
 * later. */
static void
on_timer (ZinitTimer *timer)
{
  ZinitAutosave *autosave = ZINIT_OWNER_OF (timer, ZinitAutosave, timer);

  if (autosave->is_due && !autosave->has_failed)
    zinit_autosave_commit (autosave);
  else
    save_now (autosave);
}

static void
gather (ZinitAutosave *autosave, gint64 delay_usec)
{
  autosave->is_current = FALSE;
  if (autosave->save_usec == 0)
    autosave->save_usec = now_usec (autosave) + GATHER_USEC;
  arm (autosave, delay_usec);
}

static void
note (ZinitAutosave *autosave, const char *name, gboolean is_due)
{
  g_hash_table_add (autosave->changed, g_strdup (name));
  autosave->is_due = autosave->is_due || is_due;
  gather (autosave, is_due ? 0 : GATHER_USEC);
}

/* A service without a file is on record nowhere else. */
static void
on_added (ZinitService *service, gpointer data)
{
  ZinitAutosave *autosave = data;
  const char *name = zinit_service_get_name (service);

  zinit_snapshot_mark (autosave->snapshot, name);
  g_hash_table_remove (autosave->removed, name);
  note (autosave, name, zinit_service_get_status (service)->is_ephemeral);
}

static void
on_removed (ZinitService *service, gpointer data)
{
  ZinitAutosave *autosave = data;
  const char *name = zinit_service_get_name (service);

  zinit_snapshot_forget (autosave->snapshot, name);
  g_hash_table_remove (autosave->changed, name);
  g_hash_table_add (autosave->removed, g_strdup (name));
  autosave->is_due = TRUE;
  gather (autosave, 0);
}

/* It has ended, and was not stopped on request: how it ended decides what follows, a restart or that a
 * oneshot is done, and cannot be found out again. */
static gboolean
has_ended (const ZinitService *service, ZinitChanges changes)
{
  const ZinitServiceStatus *status = zinit_service_get_status (service);

  return (changes & ZINIT_CHANGED_STATE) != 0 && status->wanted != ZINIT_WANTED_STOP &&
         (status->state == ZINIT_STATE_EXITED || status->state == ZINIT_STATE_FAILED);
}

static void
on_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  ZinitAutosave *autosave = data;
  const char *name = zinit_service_get_name (service);

  zinit_snapshot_mark (autosave->snapshot, name);
  note (autosave, name, has_ended (service, changes) || (changes & ZINIT_CHANGED_REQUESTS) != 0);
}

/* What was requested is on record before the program that runs because of it, so that no program is without a
 * definition, and no request is half done. */
static void
on_starting (ZinitService *service, gpointer data)
{
  ZinitAutosave *autosave = data;

  if (!autosave->is_due && !zinit_service_has_requests (service))
    return;
  zinit_snapshot_mark (autosave->snapshot, zinit_service_get_name (service));
  note (autosave, zinit_service_get_name (service), TRUE);
  zinit_autosave_commit (autosave);
}

/* The stops of a shutdown are not saved: a daemon that comes after a shutdown that was cut short starts all
 * that is wanted, and has to know only what is not wanted. */
static void
on_shutdown_begun (gpointer data)
{
  ZinitAutosave *autosave = data;

  zinit_snapshot_mark_shutdown (autosave->snapshot);
  save_now (autosave);
  autosave->is_finished = TRUE;
  autosave->host->disarm (autosave->host_data, &autosave->timer);
}

/* A daemon that starts after a completed shutdown begins a new life. It has the last output of the services
 * that there are then (rule K4). */
static void
on_shutdown_done (gpointer data)
{
  ZinitAutosave *autosave = data;

  zinit_saved_life_end (autosave->folder);
}

static const ZinitObserver observer = {
  .shutdown_begun = on_shutdown_begun,
  .shutdown_done = on_shutdown_done,
  .service_added = on_added,
  .service_removed = on_removed,
  .service_changed = on_changed,
  .starting = on_starting,
};

ZinitAutosave *
zinit_autosave_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                    const ZinitPaths *paths, const ZinitRuntimeFolder *folder, ZinitRecordLog *records)
{
  ZinitAutosave *autosave = g_new0 (ZinitAutosave, 1);

  autosave->supervisor = supervisor;
  autosave->host = host;
  autosave->host_data = host_data;
  autosave->folder = folder;
  autosave->records = records;
  autosave->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  autosave->removed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  autosave->snapshot = zinit_snapshot_new (supervisor, paths, records);
  zinit_supervisor_add_observer (supervisor, &observer, autosave);
  arm (autosave, GATHER_USEC);
  return autosave;
}

void
zinit_autosave_free (ZinitAutosave *autosave)
{
  zinit_supervisor_remove_observer (autosave->supervisor, &observer, autosave);
  autosave->host->disarm (autosave->host_data, &autosave->timer);
  zinit_snapshot_free (autosave->snapshot);
  g_hash_table_unref (autosave->changed);
  g_hash_table_unref (autosave->removed);
  g_free (autosave);
}

static void
forget_changes (ZinitAutosave *autosave)
{
  g_hash_table_remove_all (autosave->changed);
  g_hash_table_remove_all (autosave->removed);
  autosave->is_due = FALSE;
}

gboolean
zinit_autosave_save (ZinitAutosave *autosave, GError **error)
{
  const GArray *document = zinit_snapshot_print (autosave->snapshot);

  autosave->is_current =
      zinit_saved_state_save (autosave->folder, ZINIT_STATE_FILE,
                              (const struct iovec *)(gpointer)document->data, document->len, error);
  if (!autosave->is_current)
    return FALSE;
  zinit_record_log_cut (autosave->records);
  forget_changes (autosave);
  autosave->save_usec = 0;
  return TRUE;
}

static void
add_records (ZinitAutosave *autosave)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, autosave->removed);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    zinit_record_log_add_removal (autosave->records, name);
  g_hash_table_iter_init (&iter, autosave->changed);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    const ZinitService *service = zinit_supervisor_find (autosave->supervisor, name, NULL);
    gsize length;
    const char *text =
        service != NULL ? zinit_snapshot_print_one (autosave->snapshot, service, &length) : NULL;

    if (text != NULL)
      zinit_record_log_add_service (autosave->records, text, length);
  }
}

void
zinit_autosave_commit (ZinitAutosave *autosave)
{
  g_autoptr (GError) error = NULL;

  if (autosave->is_finished ||
      (g_hash_table_size (autosave->changed) == 0 && g_hash_table_size (autosave->removed) == 0))
    return;
  add_records (autosave);
  if (!zinit_record_log_commit (autosave->records, &error)) {
    save_now (autosave);
    return;
  }
  forget_changes (autosave);
  if (zinit_record_log_get_size (autosave->records) > MAX_RECORDS_BYTES) {
    save_now (autosave);
    return;
  }
  autosave->host->disarm (autosave->host_data, &autosave->timer);
  arm (autosave, MAX (0, autosave->save_usec - now_usec (autosave)));
}

void
zinit_autosave_commit_due (ZinitAutosave *autosave)
{
  if (autosave->is_due && !autosave->has_failed)
    zinit_autosave_commit (autosave);
}

gboolean
zinit_autosave_save_changes (ZinitAutosave *autosave, GError **error)
{
  return autosave->is_current || zinit_autosave_save (autosave, error);
}

void
zinit_autosave_save_soon (ZinitAutosave *autosave)
{
  gather (autosave, 0);
}
