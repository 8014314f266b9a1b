/* SPDX-License-Identifier: Apache-2.0
 *
 * Names on the message bus that make services ready (rule D3): who owns them, which process that is, and when
 * they are lost. What follows is the supervisor's matter.
 */
#pragma once

#include "bus/internal.h"

G_BEGIN_DECLS

typedef struct _ZinitNameWatch ZinitNameWatch;

/* Of a bus that has answered Hello; looks for the names of all services that are active. Borrows both.
 * Transfer full. */
ZinitNameWatch *zinit_name_watch_new (ZinitSupervisor *supervisor, GDBusConnection *connection);
/* Before the connection is closed. NULL is fine. */
void zinit_name_watch_free (ZinitNameWatch *self);
/* Its state is another one now. */
void zinit_name_watch_service_moved (ZinitNameWatch *self, ZinitService *service);

G_END_DECLS
