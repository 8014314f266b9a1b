/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of calls that wait, and the judgement when one is over.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/waiters.h"

#include "bus/caller-watch.h"
#include "model/error.h"
#include "model/limits.h"

typedef struct {
  GList link; /* in ZinitBus.waiting or .settled */
  GQueue *queue;
  ZinitCall *call;
  ZinitService *service; /* NULL once it is settled */
  ZinitWaiterKind kind;
  gboolean has_moved;      /* what is seen now is the outcome of the request, not what was before */
  GError *error;           /* the answer, once it is settled; NULL = well */
  ZinitCallerWatch *watch; /* NULL = none */
} Pending;

static void
move_to (Pending *pending, GQueue *queue)
{
  if (pending->queue != NULL)
    g_queue_unlink (pending->queue, &pending->link);
  pending->queue = queue;
  if (queue != NULL)
    g_queue_push_tail_link (queue, &pending->link);
}

static ZinitCall *
pending_free (Pending *pending)
{
  ZinitCall *call = pending->call;

  move_to (pending, NULL);
  zinit_caller_watch_free (pending->watch);
  g_clear_error (&pending->error);
  g_free (pending);
  return call;
}

/* Takes @error. */
static void
settle (ZinitBus *bus, Pending *pending, GError *error)
{
  pending->service = NULL;
  pending->error = error;
  move_to (pending, &bus->settled);
  zinit_bus_schedule (bus);
}

static void
judge_start (ZinitBus *bus, Pending *pending)
{
  GError *error = NULL;

  if (!pending->has_moved || !zinit_service_start_is_settled (pending->service))
    return;
  zinit_service_start_succeeded (pending->service, &error);
  settle (bus, pending, error);
}

static void
judge_stop (ZinitBus *bus, Pending *pending)
{
  ZinitState state = zinit_service_get_status (pending->service)->state;

  if (!zinit_state_is_active (state) && state != ZINIT_STATE_BLOCKED)
    settle (bus, pending, NULL);
  else if (state != ZINIT_STATE_STOPPING && zinit_service_get_status (pending->service)->wanted != ZINIT_WANTED_STOP)
    settle (bus, pending,
            g_error_new (ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s was started again before it was down",
                         zinit_service_get_name (pending->service)));
}

static void
judge (ZinitBus *bus, Pending *pending)
{
  if (pending->kind == ZINIT_WAITER_STOP)
    judge_stop (bus, pending);
  else
    judge_start (bus, pending);
}

gboolean
zinit_waiters_has_room (const ZinitBus *bus, GError **error)
{
  if (bus->waiting.length + bus->settled.length < ZINIT_MAX_PENDING_CALLS)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
               "%d calls wait for services already; no more are allowed", ZINIT_MAX_PENDING_CALLS);
  return FALSE;
}

static void
on_caller_gone (gpointer data)
{
  Pending *pending = data;

  zinit_call_drop (pending_free (pending));
}

void
zinit_waiters_add (ZinitCall *call, ZinitService *service, ZinitWaiterKind kind, gboolean was_running)
{
  ZinitBus *bus = call->connection->bus;
  Pending *pending = g_new0 (Pending, 1);

  call->is_deferred = TRUE;
  pending->link.data = pending;
  pending->call = call;
  pending->service = service;
  pending->kind = kind;
  pending->has_moved = kind != ZINIT_WAITER_RESTART || !was_running ||
                       zinit_service_get_status (service)->state != ZINIT_STATE_RUNNING;
  move_to (pending, &bus->waiting);
  judge (bus, pending);
  /* A client of the private socket is gone when its connection is. */
  if (!call->connection->is_peer && pending->service != NULL)
    pending->watch = zinit_caller_watch_new (call->connection->connection,
                                             g_dbus_method_invocation_get_sender (call->invocation),
                                             on_caller_gone, pending);
}

void
zinit_waiters_service_moved (ZinitBus *bus, ZinitService *service)
{
  for (GList *link = bus->waiting.head; link != NULL; link = link->next) {
    Pending *pending = link->data;

    if (pending->service == service)
      pending->has_moved = TRUE;
  }
}

void
zinit_waiters_service_changed (ZinitBus *bus, ZinitService *service)
{
  for (GList *link = bus->waiting.head, *next; link != NULL; link = next) {
    Pending *pending = link->data;

    next = link->next;
    if (pending->service == service)
      judge (bus, pending);
  }
}

void
zinit_waiters_service_removed (ZinitBus *bus, ZinitService *service)
{
  const char *name = zinit_service_get_name (service);

  for (GList *link = bus->waiting.head, *next; link != NULL; link = next) {
    Pending *pending = link->data;

    next = link->next;
    if (pending->service == service)
      settle (bus, pending,
              pending->kind == ZINIT_WAITER_STOP
                  ? NULL
                  : g_error_new (ZINIT_ERROR, ZINIT_ERROR_NO_SUCH_SERVICE, "%s was removed meanwhile", name));
  }
}

void
zinit_waiters_shutdown_begun (ZinitBus *bus)
{
  for (GList *link = bus->waiting.head, *next; link != NULL; link = next) {
    Pending *pending = link->data;

    next = link->next;
    if (pending->kind != ZINIT_WAITER_STOP)
      settle (bus, pending,
              g_error_new (ZINIT_ERROR, ZINIT_ERROR_SHUTTING_DOWN,
                           "%s will not start: the daemon is on its way out",
                           zinit_service_get_name (pending->service)));
  }
}

void
zinit_waiters_answer (ZinitBus *bus)
{
  while (bus->settled.head != NULL) {
    Pending *pending = bus->settled.head->data;
    g_autoptr (GError) error = g_steal_pointer (&pending->error);
    ZinitCall *call = pending_free (pending);

    if (error != NULL)
      zinit_call_return_error (call, error);
    else
      zinit_call_return (call, NULL);
  }
}

static void
drop_from (GQueue *queue, ZinitConnection *connection)
{
  for (GList *link = queue->head, *next; link != NULL; link = next) {
    Pending *pending = link->data;

    next = link->next;
    if (connection == NULL || pending->call->connection == connection)
      zinit_call_drop (pending_free (pending));
  }
}

void
zinit_waiters_drop (ZinitBus *bus, ZinitConnection *connection)
{
  drop_from (&bus->waiting, connection);
  drop_from (&bus->settled, connection);
}
