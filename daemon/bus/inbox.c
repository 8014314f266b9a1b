/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter in GDBus's thread puts calls into a queue, and a source of the main loop takes them out.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/inbox.h"

#include "model/limits.h"
#include "names.h"

#define CALLS_PER_TURN 32

struct _ZinitInbox {
  gatomicrefcount refs; /* the owner's, the filter's, the source's */
  GDBusConnection *connection;
  guint filter;
  ZinitInboxFunc func; /* NULL once it is freed; main thread only */
  gpointer data;
  GMutex lock; /* for what follows */
  GQueue messages;
  gboolean is_scheduled;
  gboolean is_closed;
};

static void
inbox_unref (gpointer data)
{
  ZinitInbox *self = data;

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

static ZinitInbox *
inbox_ref (ZinitInbox *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static GDBusMessage *
pop_first (ZinitInbox *self)
{
  GDBusMessage *message;

  g_mutex_lock (&self->lock);
  message = g_queue_pop_head (&self->messages);
  if (message == NULL)
    self->is_scheduled = FALSE;
  g_mutex_unlock (&self->lock);
  return message;
}

static gboolean
on_turn (gpointer data)
{
  ZinitInbox *self = data;

  for (guint n = 0; n < CALLS_PER_TURN; n++) {
    g_autoptr (GDBusMessage) message = pop_first (self);

    if (message == NULL)
      return G_SOURCE_REMOVE;
    if (self->func != NULL)
      self->func (message, self->data);
  }
  return G_SOURCE_CONTINUE;
}

/* In GDBus's thread. */
static void
refuse (GDBusConnection *connection, GDBusMessage *message)
{
  g_autoptr (GDBusMessage) reply = NULL;

  if ((g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) != 0)
    return;
  reply = g_dbus_message_new_method_error (message, ZINIT_ERROR_PREFIX "LimitExceeded",
                                           "%d calls wait for their turn already; no more are allowed",
                                           ZINIT_MAX_QUEUED_CALLS);
  g_dbus_connection_send_message (connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* In GDBus's thread. */
static GDBusMessage *
filter (GDBusConnection *connection, GDBusMessage *message, gboolean is_incoming, gpointer data)
{
  ZinitInbox *self = data;
  gboolean is_full;

  if (!is_incoming || g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  g_mutex_lock (&self->lock);
  is_full = self->messages.length >= ZINIT_MAX_QUEUED_CALLS;
  if (!self->is_closed && !is_full) {
    g_queue_push_tail (&self->messages, g_steal_pointer (&message));
    if (!self->is_scheduled)
      g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, inbox_ref (self), inbox_unref);
    self->is_scheduled = TRUE;
  }
  g_mutex_unlock (&self->lock);
  if (message != NULL && is_full)
    refuse (connection, message);
  g_clear_object (&message);
  return NULL;
}

ZinitInbox *
zinit_inbox_new (GDBusConnection *connection, ZinitInboxFunc func, gpointer data)
{
  ZinitInbox *self = g_new0 (ZinitInbox, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_queue_init (&self->messages);
  self->connection = connection;
  self->func = func;
  self->data = data;
  self->filter = g_dbus_connection_add_filter (connection, filter, inbox_ref (self), inbox_unref);
  return self;
}

void
zinit_inbox_empty (ZinitInbox *self)
{
  g_autoptr (GDBusMessage) message = NULL;

  inbox_ref (self);
  while (self->func != NULL && (message = pop_first (self)) != NULL) {
    self->func (message, self->data);
    g_clear_object (&message);
  }
  inbox_unref (self);
}

void
zinit_inbox_free (ZinitInbox *self)
{
  self->func = NULL;
  g_dbus_connection_remove_filter (self->connection, self->filter);
  g_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  g_queue_clear_full (&self->messages, g_object_unref);
  g_mutex_unlock (&self->lock);
  inbox_unref (self);
}
