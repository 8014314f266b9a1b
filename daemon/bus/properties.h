/* SPDX-License-Identifier: Apache-2.0
 *
 * The properties of both interfaces: tables of name and question. No value is kept here.
 */
#pragma once

#include <gio/gio.h>

#include "bus/bus.h"

G_BEGIN_DECLS

/* One property of a service, or NULL when @name is none. Floating or shared: for a container to take, or for
 * g_variant_ref_sink(). */
GVariant *zinit_service_property (const ZinitService *service, const char *name);
/* The properties that belong to @changes, or all of them with ZINIT_CHANGED_ALL: a{sv}, floating. */
GVariant *zinit_service_properties (const ZinitService *service, guint changes);
#define ZINIT_CHANGED_ALL G_MAXUINT

/* The property Health. Static. */
const char *zinit_service_health_word (const ZinitService *service);

/* In the same way of the manager. A third bit for what the supervisor does not know. */
#define ZINIT_MANAGER_CHANGED_LOG_LEVEL (1 << 8)
GVariant *zinit_manager_property (ZinitSupervisor *supervisor, const ZinitPaths *paths, const char *name);
GVariant *zinit_manager_properties (ZinitSupervisor *supervisor, const ZinitPaths *paths, guint changes);

G_END_DECLS
