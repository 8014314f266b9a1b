/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: the bus as a whole, and one connection of it.
 */
#pragma once

#include "bus/bus.h"
#include "bus/outbox.h"

G_BEGIN_DECLS

typedef struct _ZinitMessageBus ZinitMessageBus;
typedef struct _ZinitListener ZinitListener;
typedef struct _ZinitConnection ZinitConnection;

struct _ZinitBus {
  ZinitSupervisor *supervisor;
  const ZinitPaths *paths;
  const ZinitRuntimeFolder *folder; /* the run-time folder */
  ZinitHandover *handover;
  ZinitAutosave *autosave; /* NULL until zinit_bus_set_handover() */
  GSourceFunc leave;
  gpointer leave_data;
  ZinitMessageBus *message_bus; /* NULL until zinit_bus_connect() */
  ZinitListener *listener;      /* NULL until zinit_bus_listen() */
  GPtrArray *connections;       /* ZinitConnection, those that are open */
  GQueue waiting;               /* ZinitWaiter: calls that wait for a service */
  GQueue accepted;              /* ZinitCall: requests to be answered once they are durable */
  GQueue settled;               /* ZinitWaiter: to be answered after the signals are out */
  guint send_source;            /* 0 = nothing to send */
};

/* Anything gathered is sent, and what has settled answered, at the end of this turn of the loop. */
void zinit_bus_schedule (ZinitBus *bus);
/* Properties of the manager have changed: bits of ZinitManagerChanges and ZINIT_MANAGER_CHANGED_LOG_LEVEL. */
void zinit_bus_manager_changed (ZinitBus *bus, guint changes);

/* A connection to a message bus, or to a client of the private socket. Everything that may outlive it (an
 * answer to come, a call on its way) holds a reference and finds bus == NULL. */
struct _ZinitConnection {
  ZinitBus *bus; /* NULL once it is closed */
  GDBusConnection *connection;
  gboolean is_peer;
  uid_t peer_uid;             /* of a peer */
  guint root_id, services_id; /* registrations */
  gulong closed_id;
  void (*closed) (ZinitConnection *connection, gpointer data);
  gpointer closed_data;
  gboolean is_writing; /* a burst is not written yet: gather, do not send */
  ZinitOutbox *outbox; /* NULL until it is opened */
};

/* Takes over @connection and makes the objects known on it; nothing is sent yet. @peer_uid is (uid_t) -1 on a
 * message bus. @closed is called when the other side closes it, not by zinit_connection_close(). */
ZinitConnection *zinit_connection_new (ZinitBus *bus, GDBusConnection *connection, uid_t peer_uid,
                                       void (*closed) (ZinitConnection *connection, gpointer data),
                                       gpointer closed_data);
/* From now on it gets signals. Before that nobody can listen, and nothing is gathered. */
void zinit_connection_open (ZinitConnection *connection);
/* No signals any more; what was gathered is forgotten. */
void zinit_connection_mute (ZinitConnection *connection);
/* Takes the objects away, drops calls that wait, closes, and gives up the caller's reference. */
void zinit_connection_close (ZinitConnection *connection);
ZinitConnection *zinit_connection_ref (ZinitConnection *connection);
void zinit_connection_unref (ZinitConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitConnection, zinit_connection_unref)

/* Sends what has been gathered, unless an earlier burst is not written yet: then when it is. */
void zinit_connection_send (ZinitConnection *connection);
/* Sends all of it now: signals go before the answer to the call that caused them. */
void zinit_connection_send_all (ZinitConnection *connection);

/* Answers with @reply (NULL = nothing), or with ZINIT_ERROR_LIMIT_EXCEEDED when it is larger than the other
 * side takes: a bus closes the connection that sends such a message. Gathered signals are sent before it, so
 * that no signal reports a change that a reply has shown already. Takes over @invocation. */
void zinit_connection_answer (ZinitConnection *connection, GDBusMethodInvocation *invocation,
                              GVariant *reply);

/* Makes the objects known on @connection. */
void zinit_objects_register (ZinitConnection *connection);
void zinit_objects_unregister (ZinitConnection *connection);

ZinitMessageBus *zinit_message_bus_new (ZinitBus *bus, const char *address);
void zinit_message_bus_free (ZinitMessageBus *message_bus);
/* @inherited_fd is the socket at @path, listening already and taken over, or -1. A @path in the run-time
 * folder @folder is looked up by its descriptor. A socket that cannot be made is reported once and tried
 * again; @error is a path that is too long. */
ZinitListener *zinit_listener_new (ZinitBus *bus, const ZinitRuntimeFolder *folder, const char *path,
                                   int inherited_fd, GError **error);
/* Makes the socket anew if its file is no longer there. */
void zinit_listener_renew (ZinitListener *self);
/* New clients wait in the backlog, or are served again. */
void zinit_listener_pause (ZinitListener *self, gboolean is_paused);
int zinit_listener_get_fd (const ZinitListener *self); /* -1 when there is no socket, or no @self */
void zinit_listener_free (ZinitListener *listener);

G_END_DECLS
