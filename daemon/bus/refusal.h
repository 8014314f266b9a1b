/* SPDX-License-Identifier: Apache-2.0
 *
 * Refuses a client for which there is no room: its first call is answered with
 * org.zinit.Error.LimitExceeded, and then its connection is closed. Needs nothing but its socket.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZinitRefusal ZinitRefusal;

/* @fd is a non-blocking socket whose handshake is over; taken over. @reason is the message for the client.
 * @done is called once, not from within this call, when the client has its answer, has gone or lets too much
 * time pass; the refusal is to be freed then, which may be done in there. Transfer full. */
ZinitRefusal *zinit_refusal_new (int fd, const char *reason, GFunc done, gpointer data);
/* Closes the socket. */
void zinit_refusal_free (ZinitRefusal *refusal);

G_END_DECLS
