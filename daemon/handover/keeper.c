/* SPDX-License-Identifier: Apache-2.0
 *
 * The observer that writes the state file. What is in it is snapshot.c's matter.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/keeper.h"

#include "persist/state-file.h"

#define GATHER_USEC (100 * 1000) /* from a change to the file */
#define MAX_WISHES 10            /* that are not gathered, if they come all at once; then one in that time */
#define RETRY_USEC G_USEC_PER_SEC
/* A file of more than 5 minutes is refused, and with it what no process can tell: it is kept younger. */
#define REFRESH_USEC (240 * G_USEC_PER_SEC)

struct _ZinitKeeper {
  ZinitSupervisor *supervisor;
  const ZinitHost *host;
  gpointer host_data;
  const ZinitRuntimeFolder *folder;
  ZinitSnapshot *snapshot;
  ZinitTimer timer;
  gint64 wishes_usec;  /* until when the files of wishes count, CLOCK_MONOTONIC */
  gboolean is_current; /* the file says what is */
  gboolean has_failed; /* and said so */
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

static void
on_timer (ZinitTimer *timer)
{
  save_now (ZINIT_OWNER_OF (timer, ZinitKeeper, timer));
}

static void
gather (ZinitKeeper *keeper, gint64 delay_usec)
{
  keeper->is_current = FALSE;
  arm (keeper, delay_usec);
}

/* FALSE when there have been too many lately, so that a script with a thousand of them is no load. */
static gboolean
may_save_wish (ZinitKeeper *keeper)
{
  gint64 now = now_usec (keeper), counted_usec = MAX (keeper->wishes_usec, now) + GATHER_USEC;

  if (keeper->has_failed || keeper->is_finished || counted_usec - now > MAX_WISHES * GATHER_USEC)
    return FALSE;
  keeper->wishes_usec = counted_usec;
  return TRUE;
}

/* What nobody could find out from processes afterwards is in the file before anybody is told of it: what was
 * asked for, and that a work is done that is not to be done twice. */
static void
note (ZinitKeeper *keeper, gboolean is_all_there_is)
{
  gather (keeper, GATHER_USEC);
  if (is_all_there_is && may_save_wish (keeper))
    save_now (keeper);
}

/* One without a file is nowhere else. */
static void
on_added (ZinitService *service, gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_snapshot_mark (keeper->snapshot, zinit_service_get_name (service));
  note (keeper, zinit_service_is_ephemeral (service));
}

static void
on_removed (ZinitService *service, gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_snapshot_forget (keeper->snapshot, zinit_service_get_name (service));
  note (keeper, TRUE);
}

static void
on_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  ZinitKeeper *keeper = data;
  gboolean is_done = (changes & ZINIT_CHANGED_STATE) != 0 &&
                     zinit_service_get_definition (service)->oneshot &&
                     zinit_service_get_state (service) == ZINIT_STATE_EXITED;

  zinit_snapshot_mark (keeper->snapshot, zinit_service_get_name (service));
  note (keeper, is_done || (changes & (ZINIT_CHANGED_WANTED_STATUS | ZINIT_CHANGED_ASKED)) != 0);
}

/* What is on its way down is not followed: who comes after a shutdown that was cut short starts all that is
 * wanted, and has to know only what is not. */
static void
on_shutdown_begun (gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_snapshot_mark_shutdown (keeper->snapshot);
  save_now (keeper);
  keeper->is_finished = TRUE;
  keeper->host->disarm (keeper->host_data, &keeper->timer);
}

/* Who starts after a shutdown that came to its end starts afresh. */
static void
on_shutdown_done (gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_saved_file_remove (keeper->folder, ZINIT_STATE_FILE);
  zinit_saved_file_remove (keeper->folder, ZINIT_FDS_FILE);
  zinit_supervisor_forget_logs (keeper->supervisor);
}

static const ZinitObserver observer = {
  .shutdown_begun = on_shutdown_begun,
  .shutdown_done = on_shutdown_done,
  .service_added = on_added,
  .service_removed = on_removed,
  .service_changed = on_changed,
};

ZinitKeeper *
zinit_keeper_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                  const ZinitPaths *paths, const ZinitRuntimeFolder *folder)
{
  ZinitKeeper *keeper = g_new0 (ZinitKeeper, 1);

  keeper->supervisor = supervisor;
  keeper->host = host;
  keeper->host_data = host_data;
  keeper->folder = folder;
  keeper->snapshot = zinit_snapshot_new (supervisor, paths);
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
  g_free (keeper);
}

gboolean
zinit_keeper_save (ZinitKeeper *keeper, GError **error)
{
  const GArray *document = zinit_snapshot_print (keeper->snapshot);

  keeper->is_current = zinit_saved_state_save (
      keeper->folder, ZINIT_STATE_FILE, (const struct iovec *)(gpointer)document->data, document->len, error);
  return keeper->is_current;
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
