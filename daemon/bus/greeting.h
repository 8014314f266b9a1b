/* SPDX-License-Identifier: Apache-2.0
 *
 * A handshake over a socket, in the main loop, with a time-out. Not one byte of what follows it is read.
 */
#pragma once

#include "bus/handshake.h"

G_BEGIN_DECLS

typedef struct _ZinitGreeting ZinitGreeting;

/* Once, and never from within zinit_greeting_new(): the greeting is over and is to be freed, which may be
 * done in here. @error is NULL when messages follow. */
typedef void (*ZinitGreetingFunc) (const GError *error, gpointer data);

/* @fd is a non-blocking socket, borrowed until the greeting is freed. @uid and @guid as in
 * zinit_handshake_init(). Transfer full. */
ZinitGreeting *zinit_greeting_new (int fd, ZinitHandshakeRole role, uid_t uid, const char *guid,
                                   ZinitGreetingFunc func, gpointer data);
/* Also before it is over. */
void zinit_greeting_free (ZinitGreeting *greeting);

G_END_DECLS
