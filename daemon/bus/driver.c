/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls and signals of org.freedesktop.DBus, in one place.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/driver.h"

void
zinit_driver_call (GDBusConnection *connection, const char *method, GVariant *arguments,
                   const GVariantType *reply_type, GCancellable *cancellable, GAsyncReadyCallback func,
                   gpointer data)
{
  g_dbus_connection_call (connection, ZINIT_DRIVER_NAME, ZINIT_DRIVER_PATH, ZINIT_DRIVER_NAME, method,
                          arguments, reply_type, G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, cancellable, func,
                          data);
}

guint
zinit_driver_subscribe (GDBusConnection *connection, const char *member, const char *argument,
                        GDBusSignalCallback func, gpointer data)
{
  /* GDBus takes a sender only of connections that it has made itself. */
  return g_dbus_connection_signal_subscribe (connection, NULL, ZINIT_DRIVER_NAME, member, ZINIT_DRIVER_PATH,
                                             argument, G_DBUS_SIGNAL_FLAGS_NONE, func, data, NULL);
}

gboolean
zinit_driver_is_sender (const char *sender)
{
  return g_strcmp0 (sender, ZINIT_DRIVER_NAME) == 0;
}
