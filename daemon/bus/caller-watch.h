/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports that a caller on a message bus is gone.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ZinitCallerWatch ZinitCallerWatch;

/* @name: the caller's unique name. @func is called once, never from within this call, and may free the
 * watch. When the connection ends, it is not called. Transfer full. */
ZinitCallerWatch *zinit_caller_watch_new (GDBusConnection *connection, const char *name,
                                          void (*func) (gpointer data), gpointer data);
void zinit_caller_watch_free (ZinitCallerWatch *watch);

G_END_DECLS
