/* SPDX-License-Identifier: Apache-2.0
 *
 * The private socket for a command that asks and goes: one call after another, without the threads and
 * wake-ups of GDBusConnection, which cost more than most commands do. Signals are passed over.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ZinitDirect ZinitDirect;

/* Connects to the socket at @path and says who we are. PERMISSION_DENIED of G_IO_ERROR when that is refused.
 * Each step takes @timeout_seconds at most. Transfer full. */
ZinitDirect *zinit_direct_new (const char *path, guint timeout_seconds, GError **error);
void zinit_direct_free (ZinitDirect *direct);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitDirect, zinit_direct_free)

/* As g_dbus_connection_call_sync(). @parameters may be NULL or floating. */
GVariant *zinit_direct_call (ZinitDirect *direct, const char *path, const char *interface, const char *method,
                             GVariant *parameters, const GVariantType *reply_type, GError **error);
/* The same for an answer of one @signature, whose body is read by zinit_wire_read_…(). Transfer full. */
GBytes *zinit_direct_call_raw (ZinitDirect *direct, const char *path, const char *interface,
                               const char *method, GVariant *parameters, const char *signature,
                               GError **error);

G_END_DECLS
