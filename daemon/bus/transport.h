/* SPDX-License-Identifier: Apache-2.0
 *
 * GDBus without what it makes on the way: its threads ("gdbus", and "gmain" of GTask) and their wake-ups are
 * made once, at the start, and connections are opened over sockets whose handshake is over. GLib ends the
 * process when it gets no thread or no descriptor for a wake-up, so neither may be needed later.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Makes what all connections share, unless it is there. After the signal mask is set, which threads inherit.
 * ZINIT_ERROR_FAILED: there is too little of something; to be tried again. */
gboolean zinit_transport_prepare (GError **error);

/* A connection over @fd, a non-blocking socket whose handshake is over; taken over, also on failure. To be
 * called when zinit_transport_prepare() has succeeded. Messages wait until
 * g_dbus_connection_start_message_processing(); "closed" is not emitted before the next turn of the loop.
 * Transfer full. */
GDBusConnection *zinit_transport_open (int fd, GError **error);

/* Calls @func, once, when all that was sent on @connection before has been given to the kernel or is lost
 * with the connection. Not from within this call. g_dbus_connection_flush() would take a thread for it. */
void zinit_transport_when_written (GDBusConnection *connection, GSourceFunc func, gpointer data);

G_END_DECLS
