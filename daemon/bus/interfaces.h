/* SPDX-License-Identifier: Apache-2.0
 *
 * The interfaces of the dbus-interfaces folder as GDBus wants them, parsed once.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  GDBusInterfaceInfo *manager;
  GDBusInterfaceInfo *service;
  GDBusInterfaceInfo *object_manager;
  GDBusInterfaceInfo *properties;
  GDBusInterfaceInfo *introspectable;
  GDBusInterfaceInfo *peer;
  GDBusInterfaceInfo *driver;     /* what the private socket has of org.freedesktop.DBus */
  GDBusInterfaceInfo *monitoring; /* the same of its monitoring */
} ZinitInterfaces;

/* Static; made at the first call, main thread only. */
const ZinitInterfaces *zinit_interfaces_get (void);

/* The answer to org.freedesktop.DBus.Peer.GetMachineId: (s), floating; NULL with an error when the machine
 * has no id. */
GVariant *zinit_interfaces_machine_id (GError **error);

G_END_DECLS
