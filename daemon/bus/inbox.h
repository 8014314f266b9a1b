/* SPDX-License-Identifier: Apache-2.0
 *
 * The method calls that come in on one connection, on their way from GDBus's thread to the main loop: in the
 * order in which they came, a few in each turn of the loop, so that one client does not hold up the others.
 * GDBus would answer some calls by itself, in another order and for objects that do not exist.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ZinitInbox ZinitInbox;

/* @message is borrowed. */
typedef void (*ZinitInboxFunc) (GDBusMessage *message, gpointer data);

/* Takes all method calls of @connection from now on; to be called before its messages are processed. More
 * than ZINIT_MAX_QUEUED_CALLS that wait for their turn are refused with LimitExceeded. Transfer full. */
ZinitInbox *zinit_inbox_new (GDBusConnection *connection, ZinitInboxFunc func, gpointer data);
/* Gives all that is there to the function now: the connection has ended, and what was sent before that
 * counts. May end with zinit_inbox_free() within the function. */
void zinit_inbox_empty (ZinitInbox *inbox);
/* What is still there is dropped; the function is not called any more. */
void zinit_inbox_free (ZinitInbox *inbox);

G_END_DECLS
