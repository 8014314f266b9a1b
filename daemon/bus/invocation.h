/* SPDX-License-Identifier: Apache-2.0
 *
 * One method call that has come in: what it says, and its answer. It is answered once, or dropped.
 */
#pragma once

#include "bus/internal.h"

G_BEGIN_DECLS

typedef struct {
  ZinitConnection *connection; /* its bus is NULL once it is closed */
  GDBusMessage *message;
  GVariant *arguments; /* a tuple; those of the message until zinit_invocation_fit_arguments() */
} ZinitInvocation;

/* Holds references. Transfer full. */
ZinitInvocation *zinit_invocation_new (ZinitConnection *connection, GDBusMessage *message);

/* Each may be NULL, except the member and the path. Borrowed. */
const char *zinit_invocation_get_sender (const ZinitInvocation *invocation);
const char *zinit_invocation_get_path (const ZinitInvocation *invocation);
const char *zinit_invocation_get_interface (const ZinitInvocation *invocation);
const char *zinit_invocation_get_member (const ZinitInvocation *invocation);

/* TRUE when the arguments are those that @method takes. An a{sv} at the end may be left out and is empty
 * then. FALSE with INVALID_ARGS. */
gboolean zinit_invocation_fit_arguments (ZinitInvocation *invocation, const GDBusMethodInfo *method,
                                         GError **error);

/* Each answers, unless the caller wants no answer or is gone, and frees @invocation. */
/* With @reply, a tuple (NULL = nothing; a floating one is taken over), or with LIMIT_EXCEEDED when it is
 * larger than the other side takes: a bus closes the connection that sends such a message. Gathered signals
 * are sent before it, so that no signal reports a change that a reply has shown already. */
void zinit_invocation_return (ZinitInvocation *invocation, GVariant *reply);
void zinit_invocation_return_error (ZinitInvocation *invocation, const GError *error);
/* The same with an error made here. */
void zinit_invocation_refuse (ZinitInvocation *invocation, GQuark domain, int code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* Without an answer. */
void zinit_invocation_drop (ZinitInvocation *invocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitInvocation, zinit_invocation_drop)

G_END_DECLS
