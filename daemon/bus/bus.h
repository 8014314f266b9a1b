/* SPDX-License-Identifier: Apache-2.0
 *
 * zinit on D-Bus: the same objects on a message bus and on the private socket, for as many connections as
 * there are. Objects hold no copy of state: a property read asks the service. Which caller may call what is
 * decided in one place in front of all methods (bus/authorize.h).
 */
#pragma once

#include <gio/gio.h>

#include "handover/handover.h"
#include "paths.h"
#include "persist/runtime-folder.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

typedef struct _ZinitBus ZinitBus;

/* Observes @supervisor, which must outlive it. @paths and @folder, the run-time folder, are borrowed for its
 * life. Transfer full. */
ZinitBus *zinit_bus_new (ZinitSupervisor *supervisor, const ZinitPaths *paths,
                         const ZinitRuntimeFolder *folder, GError **error);
void zinit_bus_free (ZinitBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitBus, zinit_bus_free)

/* Goes to a message bus; when it is lost or not there yet, tries again without end, with back-off. @address
 * is a D-Bus address; @is_own: only root and the daemon's own user can be on that bus. Returns at once;
 * @greeted is called once, later: the bus has answered or cannot be reached, or has had a second. */
void zinit_bus_connect (ZinitBus *bus, const char *address, gboolean is_own, GSourceFunc greeted,
                        gpointer data);
/* The objects are complete: owns the name on the bus from now on. */
void zinit_bus_own_name (ZinitBus *bus);
/* @handover is what Reexecute and PrepareRestart use, @autosave makes requests durable before they are
 * answered; @leave ends the daemon without stopping a service. */
void zinit_bus_set_handover (ZinitBus *bus, ZinitHandover *handover, ZinitAutosave *autosave,
                             GSourceFunc leave, gpointer data);
/* As the method of that name does, for a signal. */
void zinit_bus_reexecute (ZinitBus *bus);
/* Makes the private socket at @paths->socket (mode 0600) and serves it; a stale one is replaced. Or serves
 * @inherited_fd, which is that socket already (taken over; -1 = none). One that cannot be made now, as on a
 * full or read-only disk, is reported once and tried again, and is not an error. */
gboolean zinit_bus_listen (ZinitBus *bus, int inherited_fd, GError **error);
/* While it is paused, clients of the private socket wait in its backlog. */
void zinit_bus_pause (ZinitBus *bus, gboolean is_paused);
/* The folder of the socket may have been removed: makes it anew if so. */
void zinit_bus_listen_again (ZinitBus *bus);
/* Sends what has been gathered, then calls @done; for an orderly end. */
void zinit_bus_finish (ZinitBus *bus, GSourceFunc done, gpointer data);

G_END_DECLS
