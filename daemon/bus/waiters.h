/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls with the option `wait`: kept until their service has settled, then answered. At most
 * ZINIT_MAX_PENDING_CALLS; a caller that is gone is forgotten.
 */
#pragma once

#include "bus/call.h"

G_BEGIN_DECLS

typedef enum { ZINIT_WAITER_START, ZINIT_WAITER_STOP, ZINIT_WAITER_RESTART } ZinitWaiterKind;

/* FALSE and ZINIT_ERROR_LIMIT_EXCEEDED when no more can wait. Ask before the request is made. */
gboolean zinit_waiters_has_room (const ZinitBus *bus, GError **error);
/* Keeps @call, whose request has been accepted, until @service has settled; maybe it has already.
 * @was_running: it was when the request was made, and a restart is not over before it has left that. */
void zinit_waiters_add (ZinitCall *call, ZinitService *service, ZinitWaiterKind kind, gboolean was_running);

/* What happened meanwhile. */
void zinit_waiters_service_moved (ZinitBus *bus, ZinitService *service);
void zinit_waiters_service_changed (ZinitBus *bus, ZinitService *service);
void zinit_waiters_service_removed (ZinitBus *bus, ZinitService *service);
void zinit_waiters_shutdown_begun (ZinitBus *bus);

/* Answers what has settled; after the signals that tell of it. */
void zinit_waiters_answer (ZinitBus *bus);
/* Forgets the calls of @connection, or all with NULL. */
void zinit_waiters_drop (ZinitBus *bus, ZinitConnection *connection);

G_END_DECLS
