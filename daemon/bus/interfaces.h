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
} ZinitInterfaces;

/* Static; made at the first call, main thread only. */
const ZinitInterfaces *zinit_interfaces_get (void);

G_END_DECLS
