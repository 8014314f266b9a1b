/* SPDX-License-Identifier: Apache-2.0
 *
 * The clients whose calls come in on one connection: the one at the other end of the private socket, or those
 * of a message bus. A bus is asked once which user a client is, when its first call comes, and the answer
 * holds until its name goes. Until it is there, calls wait in their order.
 */
#pragma once

#include "bus/invocation.h"

G_BEGIN_DECLS

typedef struct _ZinitCaller ZinitCaller;

struct _ZinitCaller {
  GList link; /* in the list of its ZinitCallers */
  ZinitCallers *callers;
  char *name;             /* on the bus; NULL on the private socket */
  gboolean is_known;      /* the bus has answered */
  gboolean is_gone;       /* its name is; freed with the bus's answer */
  uid_t uid;              /* (uid_t) -1 = cannot be found out */
  ZinitCaller **question; /* what the bus's answer will find; NULL = nothing is asked */
  GQueue held;            /* ZinitInvocation, until it is known */
  GQueue waiters;         /* of waiters.c */
};

typedef struct {
  /* The user of the caller is known, for which this call was held. Takes over @invocation. */
  void (*known) (ZinitInvocation *invocation, ZinitCaller *caller);
  /* The caller is gone, and is freed after this. */
  void (*gone) (ZinitCaller *caller);
} ZinitCallersEvents;

/* Of @connection, which owns it. On a bus that only root and this user can reach, a caller that has gone
 * before the bus could say who it is was one of them. Transfer full. */
ZinitCallers *zinit_callers_new (ZinitConnection *connection, const ZinitCallersEvents *events);
/* Drops what is held; reports no caller as gone. */
void zinit_callers_free (ZinitCallers *callers);

/* The caller of @invocation. A bus is asked for its user, if that is not known. At most
 * ZINIT_MAX_CALLERS are remembered; the one that has not called for longest and waits for nothing is
 * forgotten. NULL with LIMIT_EXCEEDED when all wait for something. Borrowed, for the moment. */
ZinitCaller *zinit_callers_find (ZinitCallers *callers, const ZinitInvocation *invocation, GError **error);
/* Keeps @invocation until the user of @caller is known, or refuses it when too many are kept. Takes it over.
 */
void zinit_caller_hold (ZinitCaller *caller, ZinitInvocation *invocation);

G_END_DECLS
