/* SPDX-License-Identifier: Apache-2.0
 *
 * zinit on D-Bus: the same objects on a message bus and on the private socket, for as many connections as
 * there are. Objects hold no copy of state: a property read asks the service. Who may call what is decided in
 * one place in front of all methods (bus/authorize.h).
 */
#pragma once

#include <gio/gio.h>

#include "paths.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

typedef struct _ZinitBus ZinitBus;

/* Observes @supervisor, which must outlive it. @paths is borrowed for its life. Transfer full. */
ZinitBus *zinit_bus_new (ZinitSupervisor *supervisor, const ZinitPaths *paths, GError **error);
void zinit_bus_free (ZinitBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitBus, zinit_bus_free)

/* Goes to a message bus and owns the name there; when it is lost or not there yet, tries again for ever, with
 * back-off.
 * @address is a D-Bus address. Returns at once. */
void zinit_bus_connect (ZinitBus *bus, const char *address);
/* Makes the private socket at @paths->socket (mode 0600) and serves it; a stale one is replaced. */
gboolean zinit_bus_listen (ZinitBus *bus, GError **error);
/* Sends what has been gathered, then calls @done; for an orderly end. */
void zinit_bus_finish (ZinitBus *bus, GSourceFunc done, gpointer data);

G_END_DECLS
