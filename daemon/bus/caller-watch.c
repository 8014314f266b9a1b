/* SPDX-License-Identifier: Apache-2.0
 *
 * A match rule for the end of the name, and then the question whether it is there still: one of the two
 * tells. GDBus does this only for connections that it has made itself.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/caller-watch.h"

#include "bus/driver.h"

struct _ZinitCallerWatch {
  GDBusConnection *connection;
  char *name;
  char *rule;
  guint subscription;
  GCancellable *cancellable; /* of the question */
  void (*func) (gpointer data);
  gpointer data;
};

static void
on_owner_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                  const char *member, GVariant *parameters, gpointer data)
{
  ZinitCallerWatch *self = data;
  const char *new_owner;

  if (!zinit_driver_is_sender (sender) || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sss)")))
    return;
  g_variant_get_child (parameters, 2, "&s", &new_owner);
  if (*new_owner == '\0')
    self->func (self->data);
}

static void
on_has_owner (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  ZinitCallerWatch *self = data;
  gboolean has_owner = TRUE;

  /* Freed, or the connection has ended. */
  if (reply == NULL)
    return;
  g_clear_object (&self->cancellable);
  g_variant_get (reply, "(b)", &has_owner);
  if (!has_owner)
    self->func (self->data);
}

ZinitCallerWatch *
zinit_caller_watch_new (GDBusConnection *connection, const char *name, void (*func) (gpointer data),
                        gpointer data)
{
  ZinitCallerWatch *self = g_new0 (ZinitCallerWatch, 1);

  self->connection = g_object_ref (connection);
  self->name = g_strdup (name);
  self->rule = g_strdup_printf ("type='signal',sender='" ZINIT_DRIVER_NAME "',path='" ZINIT_DRIVER_PATH
                                "',interface='" ZINIT_DRIVER_NAME "',member='NameOwnerChanged',arg0='%s'",
                                name);
  self->cancellable = g_cancellable_new ();
  self->func = func;
  self->data = data;
  self->subscription = zinit_driver_subscribe (connection, "NameOwnerChanged", name, on_owner_changed, self);
  zinit_driver_call (connection, "AddMatch", g_variant_new ("(s)", self->rule), NULL, NULL, NULL, NULL);
  zinit_driver_call (connection, "NameHasOwner", g_variant_new ("(s)", name), G_VARIANT_TYPE ("(b)"),
                     self->cancellable, on_has_owner, self);
  return self;
}

void
zinit_caller_watch_free (ZinitCallerWatch *self)
{
  if (self == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  if (!g_dbus_connection_is_closed (self->connection))
    zinit_driver_call (self->connection, "RemoveMatch", g_variant_new ("(s)", self->rule), NULL, NULL, NULL,
                       NULL);
  g_object_unref (self->connection);
  g_free (self->rule);
  g_free (self->name);
  g_free (self);
}
