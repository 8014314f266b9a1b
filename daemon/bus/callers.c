/* SPDX-License-Identifier: Apache-2.0
 *
 * Callers by name, the newest last, with one match rule each for the end of the name. GDBus follows names
 * only on connections that it has made itself.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/callers.h"

#include <unistd.h>

#include "bus/driver.h"
#include "model/error.h"
#include "model/limits.h"

struct _ZinitCallers {
  ZinitConnection *connection; /* which owns it */
  const ZinitCallersEvents *events;
  GHashTable *by_name; /* ZinitCaller; of a bus */
  GQueue list;         /* ZinitCaller, the one that called last at the end */
  guint subscription;  /* NameOwnerChanged; of a bus */
};

static char *
make_rule (const char *name)
{
  return g_strdup_printf ("type='signal',sender='" ZINIT_DRIVER_NAME "',path='" ZINIT_DRIVER_PATH
                          "',interface='" ZINIT_DRIVER_NAME "',member='NameOwnerChanged',arg0='%s'",
                          name);
}

static void
call_match (ZinitCaller *caller, const char *method)
{
  GDBusConnection *connection = caller->callers->connection->connection;
  g_autofree char *rule = make_rule (caller->name);

  if (!g_dbus_connection_is_closed (connection))
    zinit_driver_call (connection, method, g_variant_new ("(s)", rule), NULL, NULL, NULL, NULL);
}

static void
caller_free (ZinitCaller *caller)
{
  ZinitCallers *callers = caller->callers;
  ZinitInvocation *invocation;

  if (caller->question != NULL)
    *caller->question = NULL;
  while ((invocation = g_queue_pop_head (&caller->held)) != NULL)
    zinit_invocation_drop (invocation);
  g_queue_unlink (&callers->list, &caller->link);
  if (caller->name != NULL) {
    call_match (caller, "RemoveMatch");
    g_hash_table_remove (callers->by_name, caller->name);
  }
  g_free (caller->name);
  g_free (caller);
}

static void
forget (ZinitCaller *caller)
{
  caller->callers->events->gone (caller);
  caller_free (caller);
}

/* The calls that were held are made; one of them may end the connection, and this with it. */
static void
release_held (ZinitCaller *caller)
{
  g_autoptr (ZinitConnection) connection = zinit_connection_ref (caller->callers->connection);
  const ZinitCallersEvents *events = caller->callers->events;
  ZinitInvocation *invocation;

  while (connection->bus != NULL && (invocation = g_queue_pop_head (&caller->held)) != NULL)
    events->known (invocation, caller);
  if (connection->bus != NULL && caller->is_gone)
    forget (caller);
}

static void
on_unix_user (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autofree ZinitCaller **question = data;
  ZinitCaller *caller = *question;
  guint32 uid;

  if (caller == NULL)
    return;
  caller->question = NULL;
  caller->is_known = TRUE;
  if (reply != NULL) {
    g_variant_get (reply, "(u)", &uid);
    caller->uid = (uid_t)uid;
  } else {
    g_debug ("the user of %s cannot be found out: %s", caller->name, error->message);
    caller->is_gone = TRUE;
    if (caller->callers->connection->is_own)
      caller->uid = geteuid ();
  }
  release_held (caller);
}

static void
on_owner_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                  const char *member, GVariant *parameters, gpointer data)
{
  ZinitCallers *self = data;
  const char *name, *new_owner;
  ZinitCaller *caller;

  if (!zinit_driver_is_sender (sender) || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sss)")))
    return;
  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &new_owner);
  caller = *new_owner == '\0' ? g_hash_table_lookup (self->by_name, name) : NULL;
  if (caller == NULL)
    return;
  caller->is_gone = TRUE;
  /* The answer to the question is on its way, and calls are held for it. */
  if (caller->is_known)
    forget (caller);
}

ZinitCallers *
zinit_callers_new (ZinitConnection *connection, const ZinitCallersEvents *events)
{
  ZinitCallers *self = g_new0 (ZinitCallers, 1);

  self->connection = connection;
  self->events = events;
  g_queue_init (&self->list);
  if (!connection->is_peer) {
    self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
    self->subscription =
        zinit_driver_subscribe (connection->connection, "NameOwnerChanged", NULL, on_owner_changed, self);
  }
  return self;
}

void
zinit_callers_free (ZinitCallers *self)
{
  if (self == NULL)
    return;
  if (self->subscription != 0)
    g_dbus_connection_signal_unsubscribe (self->connection->connection, self->subscription);
  while (self->list.head != NULL)
    caller_free (self->list.head->data);
  g_clear_pointer (&self->by_name, g_hash_table_unref);
  g_free (self);
}

static ZinitCaller *
caller_new (ZinitCallers *self, const char *name)
{
  ZinitCaller *caller = g_new0 (ZinitCaller, 1);

  caller->link.data = caller;
  caller->callers = self;
  caller->name = g_strdup (name);
  caller->uid = (uid_t)-1;
  g_queue_init (&caller->held);
  g_queue_init (&caller->waiters);
  g_queue_push_tail_link (&self->list, &caller->link);
  return caller;
}

/* The rule goes first: the bus either says that the name is gone, or will say when it goes. The call is never
 * cancelled, as GLib before 2.76 may then free it twice. */
static void
ask (ZinitCaller *caller)
{
  GDBusConnection *connection = caller->callers->connection->connection;

  caller->question = g_new (ZinitCaller *, 1);
  *caller->question = caller;
  call_match (caller, "AddMatch");
  zinit_driver_call (connection, "GetConnectionUnixUser", g_variant_new ("(s)", caller->name),
                     G_VARIANT_TYPE ("(u)"), NULL, on_unix_user, caller->question);
}

static gboolean
make_room (ZinitCallers *self, GError **error)
{
  if (self->list.length < ZINIT_MAX_CALLERS)
    return TRUE;
  for (GList *link = self->list.head; link != NULL; link = link->next) {
    ZinitCaller *caller = link->data;

    if (caller->held.length == 0 && caller->waiters.length == 0) {
      caller_free (caller);
      return TRUE;
    }
  }
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
               "%d clients of the bus wait for services already; no more are allowed", ZINIT_MAX_CALLERS);
  return FALSE;
}

/* The one at the other end of a private socket. */
static ZinitCaller *
find_peer (ZinitCallers *self)
{
  ZinitCaller *caller = g_queue_peek_head (&self->list);

  if (caller == NULL) {
    caller = caller_new (self, NULL);
    caller->uid = self->connection->peer_uid;
    caller->is_known = TRUE;
  }
  return caller;
}

ZinitCaller *
zinit_callers_find (ZinitCallers *self, const ZinitInvocation *invocation, GError **error)
{
  const char *name = zinit_invocation_get_sender (invocation);
  ZinitCaller *caller;

  if (self->connection->is_peer)
    return find_peer (self);
  if (name == NULL) {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_ACCESS_DENIED, "the message bus names no sender");
    return NULL;
  }
  caller = g_hash_table_lookup (self->by_name, name);
  if (caller != NULL) {
    g_queue_unlink (&self->list, &caller->link);
    g_queue_push_tail_link (&self->list, &caller->link);
    return caller;
  }
  if (!make_room (self, error))
    return NULL;
  caller = caller_new (self, name);
  g_hash_table_insert (self->by_name, caller->name, caller);
  ask (caller);
  return caller;
}

void
zinit_caller_hold (ZinitCaller *caller, ZinitInvocation *invocation)
{
  if (caller->held.length < ZINIT_MAX_HELD_CALLS)
    g_queue_push_tail (&caller->held, invocation);
  else
    zinit_invocation_refuse (
        invocation, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
        "%d calls wait until the bus has named the user of their sender; no more are allowed",
        ZINIT_MAX_HELD_CALLS);
}
