/* SPDX-License-Identifier: Apache-2.0
 *
 * The signals that one connection has not been sent yet. What changes while a receiver is slow is gathered an
 * object: the values are read when they are sent, and of the transitions of one service the newest
 * ZINIT_MAX_QUEUED_TRANSITIONS are kept, so that a bus that stands still costs bounded memory. The
 * connection decides when to send.
 */
#pragma once

#include <gio/gio.h>

#include "paths.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

typedef struct _ZinitOutbox ZinitOutbox;

ZinitOutbox *zinit_outbox_new (void);
void zinit_outbox_free (ZinitOutbox *outbox);
gboolean zinit_outbox_is_empty (const ZinitOutbox *outbox);

void zinit_outbox_service_added (ZinitOutbox *outbox, ZinitService *service);
/* Nothing of @service is asked after this. */
void zinit_outbox_service_removed (ZinitOutbox *outbox, ZinitService *service);
void zinit_outbox_service_changed (ZinitOutbox *outbox, ZinitService *service, guint changes);
/* @body: the arguments of ServiceStateChanged, shared between connections. */
void zinit_outbox_transition (ZinitOutbox *outbox, ZinitService *service, GVariant *body);
/* The receiver has been given Sequence in an answer and may keep it: at the next transition it hears, once,
 * that this is not valid any more. */
void zinit_outbox_sequence_given (ZinitOutbox *outbox);
/* Bits of ZinitManagerChanges and ZINIT_MANAGER_CHANGED_LOG_LEVEL. */
void zinit_outbox_manager_changed (ZinitOutbox *outbox, guint changes);
/* Any other signal of org.zinit.Manager. @member is static. */
void zinit_outbox_signal (ZinitOutbox *outbox, const char *member, GVariant *body);

typedef void (*ZinitOutboxFunc) (const char *path, const char *interface, const char *member, GVariant *body,
                                 gpointer data);
/* Gives at most @max_messages to @func, in order; a service's new values go before its transition. */
void zinit_outbox_drain (ZinitOutbox *outbox, ZinitSupervisor *supervisor, const ZinitPaths *paths,
                         guint max_messages, ZinitOutboxFunc func, gpointer data);

G_END_DECLS
