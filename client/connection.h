/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to the daemon: its private socket, or a message bus. Knows whether the daemon is still there.
 */
#pragma once

#include <gio/gio.h>

#include "paths.h"

G_BEGIN_DECLS

#define ZINIT_CONNECTION_ERROR (zinit_connection_error_quark ())

typedef enum {
  ZINIT_CONNECTION_ERROR_NO_DAEMON,   /* nothing answers; the message says where and how to start one */
  ZINIT_CONNECTION_ERROR_NOT_ALLOWED, /* it is there, and not for this user */
} ZinitConnectionError;

GQuark zinit_connection_error_quark (void);

typedef struct {
  ZinitScope scope;
  gboolean is_explicit; /* @scope was asked for: no variable of the environment is looked at */
  char *socket;         /* NULL = the scope's */
  char *address;        /* of a message bus; NULL = the private socket */
} ZinitConnectionOptions;

typedef struct _ZinitConnection ZinitConnection;

/* Goes to the private socket, or for options.address to that bus. A system daemon whose socket may not be
 * opened is asked over the system bus. Waits 25 s at most. Transfer full. */
ZinitConnection *zinit_connection_new (const ZinitConnectionOptions *options, GError **error);
void zinit_connection_free (ZinitConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitConnection, zinit_connection_free)

/* Calls a method and waits for the answer. @parameters may be NULL or floating. */
GVariant *zinit_connection_call (ZinitConnection *connection, const char *path, const char *interface,
                                 const char *method, GVariant *parameters, const char *reply_type,
                                 GError **error);
/* A method of the manager whose answer is of one type @signature. NULL without @error on a message bus.
 * Transfer full. */
GBytes *zinit_connection_call_raw (ZinitConnection *connection, const char *method, GVariant *parameters,
                                   const char *signature, GError **error);
/* What is below needs this first: a connection that hears signals, and has calls open side by side. */
gboolean zinit_connection_open_bus (ZinitConnection *connection, GError **error);
GDBusConnection *zinit_connection_get_bus (ZinitConnection *connection);
/* Where calls go: the daemon's unique name on a message bus, NULL on the private socket. */
const char *zinit_connection_get_destination (ZinitConnection *connection);
/* Signals of the manager. */
void zinit_connection_subscribe (ZinitConnection *connection, const char *signal_name,
                                 GDBusSignalCallback callback, gpointer data);
/* PropertiesChanged of all services; the path is below ZINIT_SERVICE_PREFIX. */
void zinit_connection_subscribe_properties (ZinitConnection *connection, GDBusSignalCallback callback,
                                            gpointer data);
/* @callback is run once, with the connection and @data, when the daemon or the bus goes away; NULL for none.
 */
void zinit_connection_on_gone (ZinitConnection *connection, GFunc callback, gpointer data);

G_END_DECLS
