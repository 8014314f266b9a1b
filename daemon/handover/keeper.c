/* SPDX-License-Identifier: Apache-2.0
 *
 * The observer that writes the state file. What is in it is snapshot.c's matter.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/keeper.h"

#include "loop/trim.h"
#include "persist/state-file.h"

#define GATHER_USEC (100 * 1000)   /* from a change to the file */
#define WISH_REST_USEC (50 * 1000) /* between two files that do not wait for that */
#define RETRY_USEC G_USEC_PER_SEC
/* A file of more than 5 minutes is refused, and with it what no process can tell: it is kept younger. */
#define REFRESH_USEC (240 * G_USEC_PER_SEC)

struct _ZinitKeeper {
  ZinitSupervisor *supervisor;
  ZinitLoop *loop;
  const ZinitPaths *paths;
  ZinitSnapshotCache *cache;
  ZinitTimer timer;
  gint64 wish_usec;    /* when the last file for a wish was asked for, CLOCK_MONOTONIC */
  gboolean has_failed; /* and said so */
  gboolean is_finished;
};

static void on_timer (ZinitTimer *timer);

static void
arm (ZinitKeeper *keeper, gint64 delay_usec)
{
  gint64 due_usec = g_get_monotonic_time () + delay_usec;

  if (keeper->is_finished ||
      (zinit_timer_is_armed (&keeper->timer) && keeper->timer.deadline_usec <= due_usec))
    return;
  zinit_loop_arm (keeper->loop, &keeper->timer, due_usec, on_timer);
}

static void
on_timer (ZinitTimer *timer)
{
  ZinitKeeper *keeper = ZINIT_OWNER_OF (timer, ZinitKeeper, timer);
  g_autoptr (GError) error = NULL;

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
on_service (ZinitService *service, gpointer data)
{
  ZinitKeeper *keeper = data;

  zinit_snapshot_cache_drop (keeper->cache, zinit_service_get_name (service));
  arm (keeper, GATHER_USEC);
}

/* What somebody wants of a service cannot be found out from its processes afterwards. */
static void
on_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  ZinitKeeper *keeper = data;
  gint64 now_usec = g_get_monotonic_time ();

  zinit_snapshot_cache_drop (keeper->cache, zinit_service_get_name (service));
  if ((changes & ZINIT_CHANGED_WANTED_STATUS) != 0 && !keeper->has_failed &&
      now_usec - keeper->wish_usec >= WISH_REST_USEC) {
    keeper->wish_usec = now_usec;
    arm (keeper, 0);
  } else {
    arm (keeper, GATHER_USEC);
  }
}

/* Who starts after a shutdown, however far that came, starts afresh. */
static void
on_shutdown_begun (gpointer data)
{
  zinit_keeper_finish (data);
}

static const ZinitObserver observer = {
  .shutdown_begun = on_shutdown_begun,
  .service_added = on_service,
  .service_removed = on_service,
  .service_changed = on_changed,
};

ZinitKeeper *
zinit_keeper_new (ZinitSupervisor *supervisor, ZinitLoop *loop, const ZinitPaths *paths)
{
  ZinitKeeper *keeper = g_new0 (ZinitKeeper, 1);

  keeper->supervisor = supervisor;
  keeper->loop = loop;
  keeper->paths = paths;
  keeper->cache = zinit_snapshot_cache_new ();
  zinit_supervisor_add_observer (supervisor, &observer, keeper);
  arm (keeper, REFRESH_USEC);
  return keeper;
}

void
zinit_keeper_free (ZinitKeeper *keeper)
{
  zinit_supervisor_remove_observer (keeper->supervisor, &observer, keeper);
  zinit_loop_disarm (keeper->loop, &keeper->timer);
  zinit_snapshot_cache_free (keeper->cache);
  g_free (keeper);
}

gboolean
zinit_keeper_save (ZinitKeeper *keeper, GError **error)
{
  g_autoptr (ZinitSavedState) state = zinit_snapshot_take (keeper->supervisor, keeper->paths, keeper->cache);
  gboolean is_saved = zinit_saved_state_save (state, keeper->paths->state, error);

  zinit_trim_soon ();
  return is_saved;
}

void
zinit_keeper_save_soon (ZinitKeeper *keeper)
{
  arm (keeper, 0);
}

void
zinit_keeper_finish (ZinitKeeper *keeper)
{
  keeper->is_finished = TRUE;
  zinit_loop_disarm (keeper->loop, &keeper->timer);
  zinit_saved_files_remove (keeper->paths->state, keeper->paths->fds);
  zinit_supervisor_forget_logs (keeper->supervisor);
}
