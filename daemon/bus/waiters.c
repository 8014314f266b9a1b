/* SPDX-License-Identifier: Apache-2.0
 *
 * A waiter has a target for each of its services; the targets of a service are found by it, so that a change
 * costs nothing to the others.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/waiters.h"

#include "bus/errors.h"
#include "model/error.h"
#include "model/limits.h"

typedef struct {
  GList link; /* in the queue of its service */
  ZinitWaiter *waiter;
  char *name;
  ZinitService *service; /* NULL once it is settled */
  ZinitWaiterKind kind;
  gboolean has_moved;  /* what is seen now is the outcome of the request, not what was before */
  GError *error;       /* once it is settled; NULL = well */
  const char *outcome; /* once it is settled well: the state, or that it was accepted. Static. */
} Target;

struct _ZinitWaiter {
  GList link; /* in ZinitWaiters.waiting or .settled */
  GList caller_link;
  ZinitWaiters *owner;
  GQueue *queue;       /* that it is in; NULL = none */
  ZinitCaller *caller; /* NULL once it is not counted any more */
  ZinitCall *call;
  GVariant *reply;
  gboolean is_list; /* the answer is the list of targets */
  GPtrArray *targets;
  guint n_open; /* targets that have not settled */
  guint timeout;
  guint timeout_ms;
};

struct _ZinitWaiters {
  ZinitBus *bus;
  GQueue waiting;
  GQueue settled;      /* to be answered after the signals are out */
  GHashTable *targets; /* ZinitService * → GQueue of Target; no empty one */
};

static void
move_to (ZinitWaiter *waiter, GQueue *queue)
{
  if (waiter->queue != NULL)
    g_queue_unlink (waiter->queue, &waiter->link);
  waiter->queue = queue;
  if (queue != NULL)
    g_queue_push_tail_link (queue, &waiter->link);
}

/* It is not looked for by its service any more. */
static void
unlink_target (Target *target)
{
  GHashTable *targets = target->waiter->owner->targets;
  GQueue *queue = g_hash_table_lookup (targets, target->service);

  g_queue_unlink (queue, &target->link);
  if (queue->length == 0)
    g_hash_table_remove (targets, target->service);
  target->service = NULL;
  target->waiter->n_open--;
}

static void
target_free (gpointer data)
{
  Target *target = data;

  if (target->service != NULL)
    unlink_target (target);
  g_clear_error (&target->error);
  g_free (target->name);
  g_free (target);
}

static void
leave_caller (ZinitWaiter *waiter)
{
  if (waiter->caller != NULL)
    g_queue_unlink (&waiter->caller->waiters, &waiter->caller_link);
  waiter->caller = NULL;
}

/* Gives up the call. */
static ZinitCall *
waiter_free (ZinitWaiter *waiter)
{
  ZinitCall *call = waiter->call;

  move_to (waiter, NULL);
  leave_caller (waiter);
  g_clear_handle_id (&waiter->timeout, g_source_remove);
  g_ptr_array_unref (waiter->targets);
  g_clear_pointer (&waiter->reply, g_variant_unref);
  g_free (waiter);
  return call;
}

static void
finish (ZinitWaiter *waiter)
{
  g_clear_handle_id (&waiter->timeout, g_source_remove);
  move_to (waiter, &waiter->owner->settled);
  zinit_bus_schedule (waiter->owner->bus);
}

/* Takes over @error. */
static void
settle (Target *target, GError *error)
{
  ZinitWaiter *waiter = target->waiter;

  target->outcome = zinit_state_to_string (zinit_service_get_status (target->service)->state);
  unlink_target (target);
  target->error = error;
  if (waiter->n_open == 0 && waiter->queue == &waiter->owner->waiting)
    finish (waiter);
}

static void
check_start (Target *target)
{
  GError *error = NULL;

  if (!target->has_moved || !zinit_service_start_is_settled (target->service))
    return;
  zinit_service_start_succeeded (target->service, &error);
  settle (target, error);
}

static void
check_stop (Target *target)
{
  GError *error = NULL;

  if (!zinit_service_stop_is_settled (target->service))
    return;
  zinit_service_stop_succeeded (target->service, &error);
  settle (target, error);
}

static void
check (Target *target)
{
  if (target->kind == ZINIT_WAITER_STOP)
    check_stop (target);
  else
    check_start (target);
}

ZinitWaiters *
zinit_waiters_new (ZinitBus *bus)
{
  ZinitWaiters *self = g_new0 (ZinitWaiters, 1);

  self->bus = bus;
  g_queue_init (&self->waiting);
  g_queue_init (&self->settled);
  self->targets = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_queue_free);
  return self;
}

void
zinit_waiters_free (ZinitWaiters *self)
{
  if (self == NULL)
    return;
  while (self->waiting.head != NULL)
    zinit_call_drop (waiter_free (self->waiting.head->data));
  while (self->settled.head != NULL)
    zinit_call_drop (waiter_free (self->settled.head->data));
  g_hash_table_unref (self->targets);
  g_free (self);
}

gboolean
zinit_waiters_has_room (const ZinitCall *call, GError **error)
{
  if (call->caller->waiters.length < ZINIT_MAX_WAITING_CALLS)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
               "%d calls of this client wait for services already; no more are allowed",
               ZINIT_MAX_WAITING_CALLS);
  return FALSE;
}

ZinitWaiter *
zinit_waiter_new (ZinitCall *call, GVariant *reply)
{
  ZinitWaiter *waiter = g_new0 (ZinitWaiter, 1);

  call->is_deferred = TRUE;
  waiter->link.data = waiter->caller_link.data = waiter;
  waiter->owner = call->connection->bus->waiters;
  waiter->call = call;
  waiter->caller = call->caller;
  g_queue_push_tail_link (&call->caller->waiters, &waiter->caller_link);
  waiter->reply = reply != NULL ? g_variant_ref_sink (reply) : NULL;
  waiter->targets = g_ptr_array_new_with_free_func (target_free);
  waiter->timeout_ms = call->options.timeout_ms;
  return waiter;
}

ZinitWaiter *
zinit_waiter_new_list (ZinitCall *call)
{
  ZinitWaiter *waiter = zinit_waiter_new (call, NULL);

  waiter->is_list = TRUE;
  return waiter;
}

static Target *
add_target (ZinitWaiter *waiter, const char *name)
{
  Target *target = g_new0 (Target, 1);

  target->link.data = target;
  target->waiter = waiter;
  target->name = g_strdup (name);
  g_ptr_array_add (waiter->targets, target);
  return target;
}

void
zinit_waiter_add (ZinitWaiter *waiter, ZinitService *service, ZinitWaiterKind kind, gboolean was_running)
{
  GHashTable *targets = waiter->owner->targets;
  GQueue *queue = g_hash_table_lookup (targets, service);
  Target *target = add_target (waiter, zinit_service_get_name (service));

  target->service = service;
  target->kind = kind;
  target->has_moved = kind != ZINIT_WAITER_RESTART || !was_running ||
                      zinit_service_get_status (service)->state != ZINIT_STATE_RUNNING;
  if (queue == NULL) {
    queue = g_queue_new ();
    g_hash_table_insert (targets, service, queue);
  }
  g_queue_push_tail_link (queue, &target->link);
  waiter->n_open++;
}

void
zinit_waiter_add_failed (ZinitWaiter *waiter, const char *name, const GError *error)
{
  add_target (waiter, name)->error = g_error_copy (error);
}

/* Where @target stands, for people. Transfer full. */
static char *
describe_standing (const Target *target)
{
  const ZinitServiceStatus *status = zinit_service_get_status (target->service);
  gboolean has_text = *status->text != '\0';

  return g_strdup_printf ("%s is %s%s%s%s", target->name, zinit_state_to_string (status->state),
                          has_text ? " (" : "", status->text, has_text ? ")" : "");
}

static gboolean
on_timeout (gpointer data)
{
  ZinitWaiter *waiter = data;

  waiter->timeout = 0;
  for (guint i = 0; i < waiter->targets->len; i++) {
    Target *target = waiter->targets->pdata[i];

    if (target->service != NULL) {
      g_autofree char *standing = describe_standing (target);

      settle (target, g_error_new (ZINIT_ERROR, ZINIT_ERROR_TIMED_OUT,
                                   "not settled within %u ms, and the request stays: %s", waiter->timeout_ms,
                                   standing));
    }
  }
  return G_SOURCE_REMOVE;
}

void
zinit_waiter_begin (ZinitWaiter *waiter, gboolean is_wait)
{
  for (guint i = 0; i < waiter->targets->len; i++) {
    Target *target = waiter->targets->pdata[i];

    if (target->service != NULL && !is_wait) {
      settle (target, NULL);
      target->outcome = "accepted";
    } else if (target->service != NULL) {
      check (target);
    }
  }
  if (waiter->n_open == 0) {
    finish (waiter);
    return;
  }
  move_to (waiter, &waiter->owner->waiting);
  if (waiter->timeout_ms > 0)
    waiter->timeout = g_timeout_add (waiter->timeout_ms, on_timeout, waiter);
}

/* Calls @func for each target of @service; it may settle that one. */
static void
for_targets (ZinitWaiters *self, ZinitService *service, void (*func) (Target *target))
{
  GQueue *queue = g_hash_table_lookup (self->targets, service);

  for (GList *link = queue != NULL ? queue->head : NULL, *next; link != NULL; link = next) {
    next = link->next;
    func (link->data);
  }
}

static void
note_move (Target *target)
{
  target->has_moved = TRUE;
}

void
zinit_waiters_service_moved (ZinitWaiters *self, ZinitService *service)
{
  for_targets (self, service, note_move);
}

void
zinit_waiters_service_changed (ZinitWaiters *self, ZinitService *service)
{
  for_targets (self, service, check);
}

static void
settle_removed (Target *target)
{
  settle (target, target->kind == ZINIT_WAITER_STOP ? NULL
                                                    : g_error_new (ZINIT_ERROR, ZINIT_ERROR_NO_SUCH_SERVICE,
                                                                   "%s was removed meanwhile", target->name));
}

void
zinit_waiters_service_removed (ZinitWaiters *self, ZinitService *service)
{
  for_targets (self, service, settle_removed);
}

void
zinit_waiters_shutdown_begun (ZinitWaiters *self)
{
  for (GList *link = self->waiting.head, *next; link != NULL; link = next) {
    ZinitWaiter *waiter = link->data;

    next = link->next;
    for (guint i = 0; i < waiter->targets->len; i++) {
      Target *target = waiter->targets->pdata[i];

      if (target->service != NULL && target->kind != ZINIT_WAITER_STOP)
        settle (target, g_error_new (ZINIT_ERROR, ZINIT_ERROR_SHUTTING_DOWN,
                                     "%s will not start: the daemon is shutting down", target->name));
    }
  }
}

static GVariant *
make_list (const ZinitWaiter *waiter)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sbs)"));
  for (guint i = 0; i < waiter->targets->len; i++) {
    const Target *target = waiter->targets->pdata[i];

    g_variant_builder_add (
        &builder, "(@sb@s)", zinit_bus_string (target->name), target->error == NULL,
        zinit_bus_string (target->error != NULL ? target->error->message : target->outcome));
  }
  return g_variant_new ("(a(sbs))", &builder);
}

/* The first error, and how many more there are. NULL = all is well. Transfer full. */
static GError *
make_error (const ZinitWaiter *waiter)
{
  const GError *first = NULL;
  guint n = 0;

  for (guint i = 0; i < waiter->targets->len; i++) {
    const Target *target = waiter->targets->pdata[i];

    n += target->error != NULL ? 1 : 0;
    if (first == NULL)
      first = target->error;
  }
  if (n <= 1)
    return first != NULL ? g_error_copy (first) : NULL;
  return g_error_new (first->domain, first->code, "%s (and %u more of %u services)", first->message, n - 1,
                      waiter->targets->len);
}

static void
answer (ZinitWaiter *waiter)
{
  g_autoptr (GError) error = waiter->is_list ? NULL : make_error (waiter);
  g_autoptr (GVariant) reply = NULL;
  ZinitCall *call;

  if (waiter->is_list)
    reply = g_variant_ref_sink (make_list (waiter));
  else
    reply = g_steal_pointer (&waiter->reply);
  call = waiter_free (waiter);
  if (error != NULL)
    zinit_call_return_error (call, error);
  else
    zinit_call_return (call, reply);
}

gboolean
zinit_waiters_have_settled (const ZinitWaiters *self)
{
  return self->settled.length > 0;
}

void
zinit_waiters_answer (ZinitWaiters *self)
{
  while (self->settled.head != NULL)
    answer (self->settled.head->data);
}

void
zinit_waiters_drop_caller (ZinitCaller *caller)
{
  while (caller->waiters.head != NULL)
    zinit_call_drop (waiter_free (caller->waiters.head->data));
}

static void
drop_from (GQueue *queue, ZinitConnection *connection)
{
  for (GList *link = queue->head, *next; link != NULL; link = next) {
    ZinitWaiter *waiter = link->data;

    next = link->next;
    if (waiter->call->connection == connection)
      zinit_call_drop (waiter_free (waiter));
  }
}

void
zinit_waiters_drop_connection (ZinitWaiters *self, ZinitConnection *connection)
{
  drop_from (&self->waiting, connection);
  drop_from (&self->settled, connection);
}
