/* SPDX-License-Identifier: Apache-2.0
 *
 * What the private socket has of a message bus, for clients that know no other kind of connection: they say
 * Hello, ask for the owner of org.zinit and for signals. There are two on such a bus, the daemon and the
 * client; a client that says no Hello is served as before, without names.
 */
#pragma once

#include "bus/invocation.h"

G_BEGIN_DECLS

/* TRUE when @invocation, of a peer, was for the bus or for a name that is not there: it is answered and
 * freed. FALSE: it is for the daemon. */
gboolean zinit_peer_bus_answer (ZinitInvocation *invocation);

G_END_DECLS
