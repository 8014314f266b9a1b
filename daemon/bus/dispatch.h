/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a call from its connection to the object and method that it is for. Calls of one caller are
 * handled in the order in which they came, also while the bus is asked for its user. The standard interfaces
 * are answered here, because GDBus has objects where there are none and no error for a property that cannot
 * be set.
 */
#pragma once

#include "bus/callers.h"

G_BEGIN_DECLS

/* Handles @message, or holds it until the user of the caller is known. */
void zinit_dispatch (ZinitConnection *connection, GDBusMessage *message);
/* Handles a call whose caller is known, or one that everybody may make. Takes over @invocation. @caller is
 * borrowed for the call. */
void zinit_dispatch_known (ZinitInvocation *invocation, ZinitCaller *caller);

G_END_DECLS
