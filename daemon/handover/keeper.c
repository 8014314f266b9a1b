/* SPDX-License-Identifier: Apache-2.0
 *
 * The observer that writes the state file. Its text is made by snapshot.c.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/keeper.h"

#include "handover/saved-life.h"
#include "persist/state-file.h"

#define GATHER_USEC (100 * 1000)    /* from a change to the file */
#define MAX_RECORDS_BYTES (1 << 20) /* more of them are not cheaper than the whole state */
#define RETRY_USEC G_USEC_PER_SEC
/* Other readers of the format refuse a file of more than 5 minutes, so it is kept younger. */
#define REFRESH_USEC (240 * G_USEC_PER_SEC)

struct _ZinitKeeper {
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
now_usec (ZinitKeeper *keeper)
{
  return keeper->host->monotonic_usec (keeper->host_data);
}

static void
arm (ZinitKeeper *keeper, gint64 delay_usec)
{
  gint64 due_usec = now_usec (keeper) + delay_usec;

  if (keeper->is_finished ||
      (zinit_timer_is_armed (&keeper->timer) && keeper->timer.deadline_usec <= due_usec))
    return;
  keeper->host->arm (keeper->host_data, &keeper->timer, due_usec, on_timer);
}

static void
save_now (ZinitKeeper *keeper)
{
  g_autoptr (GError) error = NULL;

  keeper->host->disarm (keeper->host_data, &keeper->timer);
  if (zinit_keeper_save (keeper, &error)) {
    if (keeper->has_failed)
      g_message ("the state can be written again");
    keeper->has_failed = FALSE;
    arm (keeper, REFRESH_USEC);
    return;
  }
  if (!keeper->has_failed)
    g_warning ("the state is not written, and it will be tried again: %s", error->message);
  keeper->has_failed = TRUE;
  arm (keeper, RETRY_USEC);
}

/* A turn of the loop that made something due has ended: it is recorded, and the whole state follows a moment
 * later. */
static void
on_timer (ZinitTimer *timer)
{
  ZinitKeeper *keeper = ZINIT_OWNER_OF (timer, ZinitKeeper, timer);

  if (keeper->is_due && !keeper->has_failed)
    zinit_keeper_commit (keeper);
  else
    save_now (keeper);
}

static void
gather (ZinitKeeper *keeper, gint64 delay_usec)
{
  keeper->is_current = FALSE;
  if (keeper->save_usec == 0)
    keeper->save_usec = now_usec (keeper) + GATHER_USEC;
  arm (keeper, delay_usec);
}

static void
note (ZinitKeeper *keeper, const char *name, gboolean is_due)
{
  g_hash_table_add (keeper->changed, g_strdup (name));
  keeper->is_due = keeper->is_due || is_due;
  gather (keeper, is_due ? 0 : GATHER_USEC);
}

/* A service without a file is on record nowhere else. */
static void
on_added (ZinitService *service, gpointer data)
{
  ZinitKeeper *keeper = data;
  const char *name = zinit_service_get_name (service);

  zinit_snapshot_mark (keeper->snapshot, name);
  g_hash_table_remove (keeper->removed, name);
  note (keeper, name, zinit_service_is_ephemeral (service));
}

static void
on_removed (ZinitService *service, gpointer data)
{
  ZinitKeeper *keeper = data;
  const char *name = zinit_service_get_name (service);

  zinit_snapshot_forget (keeper->snapshot, name);
  g_hash_table_remove (keeper->changed, name);
  g_hash_table_add (keeper->removed, g_strdup (name));
  keeper->is_due = TRUE;
  gather (keeper, 0);
}

/* A request, or the success of a oneshot, which must not run twice. */
static void
on_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  ZinitKeeper *keeper = data;
  const char *name = zinit_service_get_name (service);
  gboolean is_done = (changes & ZINIT_CHANGED_STATE) != 0 &&
                     zinit_service_get_definition (service)->oneshot &&
                     zinit_service_get_state (service) == ZINIT_STATE_EXITED;

  zinit_snapshot_mark (keeper->snapshot, name);
  note (keeper, name, is_done || (changes & ZINIT_CHANGED_REQUESTS) != 0);
}

/* What was requested is on record before the program that runs because of it, so that no program is without a
 * definition, and no request is half done. */
static void
on_starting (ZinitService *service, gpointer data)
{
  ZinitKeeper *keeper = data;

  if (!keeper->is_due && !zinit_service_has_requests (service))
    return;
  zinit_snapshot_mark (keeper->snapshot, zinit_service_get_name (service));
  note (keeper, zinit_service_get_name (service), TRUE);
  zinit_keeper_commit (keeper);
}

/* The stops of a shutdown are not saved: a daemon that comes after a shutdown that was cut short starts all
 * that is wanted, and has to know only what is not wanted. */
static void
on_shutdown_begun (gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_snapshot_mark_shutdown (keeper->snapshot);
  save_now (keeper);
  keeper->is_finished = TRUE;
  keeper->host->disarm (keeper->host_data, &keeper->timer);
}

/* A daemon that starts after a completed shutdown begins a new life. */
static void
on_shutdown_done (gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_saved_life_end (keeper->folder);
  zinit_supervisor_forget_logs (keeper->supervisor);
}

static const ZinitObserver observer = {
  .shutdown_begun = on_shutdown_begun,
  .shutdown_done = on_shutdown_done,
  .service_added = on_added,
  .service_removed = on_removed,
  .service_changed = on_changed,
  .starting = on_starting,
};

ZinitKeeper *
zinit_keeper_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                  const ZinitPaths *paths, const ZinitRuntimeFolder *folder, ZinitRecordLog *records)
{
  ZinitKeeper *keeper = g_new0 (ZinitKeeper, 1);

  keeper->supervisor = supervisor;
  keeper->host = host;
  keeper->host_data = host_data;
  keeper->folder = folder;
  keeper->records = records;
  keeper->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  keeper->removed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  keeper->snapshot = zinit_snapshot_new (supervisor, paths, records);
  zinit_supervisor_add_observer (supervisor, &observer, keeper);
  arm (keeper, GATHER_USEC);
  return keeper;
}

void
zinit_keeper_free (ZinitKeeper *keeper)
{
  zinit_supervisor_remove_observer (keeper->supervisor, &observer, keeper);
  keeper->host->disarm (keeper->host_data, &keeper->timer);
  zinit_snapshot_free (keeper->snapshot);
  g_hash_table_unref (keeper->changed);
  g_hash_table_unref (keeper->removed);
  g_free (keeper);
}

static void
forget_changes (ZinitKeeper *keeper)
{
  g_hash_table_remove_all (keeper->changed);
  g_hash_table_remove_all (keeper->removed);
  keeper->is_due = FALSE;
}

gboolean
zinit_keeper_save (ZinitKeeper *keeper, GError **error)
{
  const GArray *document = zinit_snapshot_print (keeper->snapshot);

  keeper->is_current = zinit_saved_state_save (
      keeper->folder, ZINIT_STATE_FILE, (const struct iovec *)(gpointer)document->data, document->len, error);
  if (!keeper->is_current)
    return FALSE;
  zinit_record_log_cut (keeper->records);
  forget_changes (keeper);
  keeper->save_usec = 0;
  return TRUE;
}

static void
add_records (ZinitKeeper *keeper)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, keeper->removed);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    zinit_record_log_add_removal (keeper->records, name);
  g_hash_table_iter_init (&iter, keeper->changed);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    const ZinitService *service = zinit_supervisor_find (keeper->supervisor, name, NULL);
    gsize length;
    const char *text = service != NULL ? zinit_snapshot_print_one (keeper->snapshot, service, &length) : NULL;

    if (text != NULL)
      zinit_record_log_add_service (keeper->records, text, length);
  }
}

void
zinit_keeper_commit (ZinitKeeper *keeper)
{
  g_autoptr (GError) error = NULL;

  if (keeper->is_finished ||
      (g_hash_table_size (keeper->changed) == 0 && g_hash_table_size (keeper->removed) == 0))
    return;
  add_records (keeper);
  if (!zinit_record_log_commit (keeper->records, &error)) {
    save_now (keeper);
    return;
  }
  forget_changes (keeper);
  if (zinit_record_log_get_size (keeper->records) > MAX_RECORDS_BYTES) {
    save_now (keeper);
    return;
  }
  keeper->host->disarm (keeper->host_data, &keeper->timer);
  arm (keeper, MAX (0, keeper->save_usec - now_usec (keeper)));
}

gboolean
zinit_keeper_save_changes (ZinitKeeper *keeper, GError **error)
{
  return keeper->is_current || zinit_keeper_save (keeper, error);
}

void
zinit_keeper_save_soon (ZinitKeeper *keeper)
{
  gather (keeper, 0);
}
