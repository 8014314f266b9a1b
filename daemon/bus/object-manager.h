/* SPDX-License-Identifier: Apache-2.0
 *
 * What org.freedesktop.DBus.ObjectManager of /org/zinit answers.
 */
#pragma once

#include "bus/internal.h"

G_BEGIN_DECLS

/* The manager and all services with all their properties: (a{oa{sa{sv}}}), floating. */
GVariant *zinit_managed_objects (const ZinitBus *bus);

G_END_DECLS
