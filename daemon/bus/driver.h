/* SPDX-License-Identifier: Apache-2.0
 *
 * The message bus itself, org.freedesktop.DBus, as seen by a client of it.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define ZINIT_DRIVER_NAME "org.freedesktop.DBus"
#define ZINIT_DRIVER_PATH "/org/freedesktop/DBus"
/* The daemon's own name to clients of the private socket that have said Hello. */
#define ZINIT_PEER_OWN_NAME ":1.0"

/* A call of @method without a time-out: the bus answers or the connection ends. @func NULL: no answer is
 * wanted. Ends with g_dbus_connection_call_finish(). */
void zinit_driver_call (GDBusConnection *connection, const char *method, GVariant *arguments,
                        const GVariantType *reply_type, GCancellable *cancellable, GAsyncReadyCallback func,
                        gpointer data);

/* Signals @member whose first argument is @argument, until g_dbus_connection_signal_unsubscribe(). Sends no
 * match rule: some signals come without one, others need AddMatch. The caller checks the sender of each. */
guint zinit_driver_subscribe (GDBusConnection *connection, const char *member, const char *argument,
                              GDBusSignalCallback func, gpointer data);
/* TRUE when a signal is from the bus. */
gboolean zinit_driver_is_sender (const char *sender);

G_END_DECLS
