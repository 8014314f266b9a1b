/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls with the option `wait`: kept until the services that they are about have settled, until their
 * `timeout_ms` is over, or until their caller is gone. At most ZINIT_MAX_WAITING_CALLS of one client.
 */
#pragma once

#include "bus/call.h"

G_BEGIN_DECLS

typedef struct _ZinitWaiter ZinitWaiter;

typedef enum { ZINIT_WAITER_START, ZINIT_WAITER_STOP, ZINIT_WAITER_RESTART } ZinitWaiterKind;

ZinitWaiters *zinit_waiters_new (ZinitBus *bus);
/* Drops all calls. */
void zinit_waiters_free (ZinitWaiters *waiters);

/* FALSE and LIMIT_EXCEEDED when the caller of @call has too many that wait. Ask before the request is made.
 */
gboolean zinit_waiters_has_room (const ZinitCall *call, GError **error);

/* Keeps @call, whose request has been accepted, and answers it with @reply (NULL = nothing; a floating one is
 * taken over) when all is well with its services, which are added now; else with the error of the first one.
 * Ends with zinit_waiter_begin(). */
ZinitWaiter *zinit_waiter_new (ZinitCall *call, GVariant *reply);
/* The same for a call that is answered with a(sbs): each service, whether all is well, and what happened. */
ZinitWaiter *zinit_waiter_new_list (ZinitCall *call);
/* @was_running: it was when the request was made, and a restart is not over before it has left that. */
void zinit_waiter_add (ZinitWaiter *waiter, ZinitService *service, ZinitWaiterKind kind,
                       gboolean was_running);
/* What was refused, of a service or of a name that none has. */
void zinit_waiter_add_failed (ZinitWaiter *waiter, const char *name, const GError *error);
/* Waits, unless all has settled already or @is_wait is FALSE. */
void zinit_waiter_begin (ZinitWaiter *waiter, gboolean is_wait);

/* What happened meanwhile. */
void zinit_waiters_service_moved (ZinitWaiters *waiters, ZinitService *service);
void zinit_waiters_service_changed (ZinitWaiters *waiters, ZinitService *service);
void zinit_waiters_service_removed (ZinitWaiters *waiters, ZinitService *service);
void zinit_waiters_shutdown_begun (ZinitWaiters *waiters);

/* Some have settled and are to be answered. */
gboolean zinit_waiters_have_settled (const ZinitWaiters *waiters);
/* Answers what has settled; after the signals about it. */
void zinit_waiters_answer (ZinitWaiters *waiters);
/* Drops the calls of @caller, which is gone. */
void zinit_waiters_drop_caller (ZinitCaller *caller);
/* Drops the calls of @connection. */
void zinit_waiters_drop_connection (ZinitWaiters *waiters, ZinitConnection *connection);

G_END_DECLS
