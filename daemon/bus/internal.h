/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: the bus as a whole, and one connection of it.
 */
#pragma once

#include "bus/bus.h"
#include "bus/inbox.h"
#include "bus/outbox.h"

G_BEGIN_DECLS

typedef struct _ZinitMessageBus ZinitMessageBus;
typedef struct _ZinitListener ZinitListener;
typedef struct _ZinitConnection ZinitConnection;
typedef struct _ZinitCallers ZinitCallers;
typedef struct _ZinitWaiters ZinitWaiters;

/* What happens on a connection, for all connections of a bus. */
typedef struct {
  /* A method call, in the order in which they came. @message is borrowed. */
  void (*called) (ZinitConnection *connection, GDBusMessage *message);
  /* It is being closed, by whichever side: what still has to do with it is to be forgotten. */
  void (*closing) (ZinitConnection *connection);
} ZinitConnectionEvents;

struct _ZinitBus {
  ZinitSupervisor *supervisor;
  const ZinitPaths *paths;
  const ZinitRuntimeFolder *folder; /* the run-time folder */
  ZinitHandover *handover;
  ZinitAutosave *autosave; /* NULL until zinit_bus_set_handover() */
  GSourceFunc leave;
  gpointer leave_data;
  const ZinitConnectionEvents *events;
  ZinitMessageBus *message_bus; /* NULL until zinit_bus_connect() */
  ZinitListener *listener;      /* NULL until zinit_bus_listen() */
  GPtrArray *connections;       /* ZinitConnection, those that are open */
  GPtrArray *all_connections;   /* the same, also those that get no signals */
  ZinitWaiters *waiters;        /* calls that wait for services */
  GQueue accepted;              /* ZinitCall: requests to be answered once they are durable */
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
  uid_t peer_uid;        /* of a peer */
  gboolean is_own;       /* a bus on which only root and this user can be */
  ZinitCallers *callers; /* NULL before the first call */
  ZinitInbox *inbox;
  gulong closed_id;
  void (*closed) (ZinitConnection *connection, gpointer data);
  gpointer closed_data;
  gboolean is_writing; /* a burst is not written yet: gather, do not send */
  guint hold_source;   /* not 0: the other side has to speak first, for a moment: gather, do not send */
  ZinitOutbox *outbox; /* NULL until it is opened */
  char *unique_name;   /* of a peer that has said Hello; else NULL */
  GHashTable *matches; /* of such a peer, its match rules: text → how many */
};

/* Takes over @connection; its calls go to the events of @bus, and nothing is sent yet. @peer_uid is
 * (uid_t) -1 on a message bus. @closed is called when the other side closes it, after the calls that came
 * before that, and not by zinit_connection_close(). */
ZinitConnection *zinit_connection_new (ZinitBus *bus, GDBusConnection *connection, uid_t peer_uid,
                                       void (*closed) (ZinitConnection *connection, gpointer data),
                                       gpointer closed_data);
/* From now on it gets signals. Before that nobody can listen, and nothing is gathered. */
void zinit_connection_open (ZinitConnection *connection);
/* Signals are gathered, but not sent before the other side has said something or a moment has passed: a
 * client of a message bus takes nothing before the answer to its Hello. */
void zinit_connection_hold (ZinitConnection *connection);
/* No signals any more; what was gathered is forgotten. */
void zinit_connection_mute (ZinitConnection *connection);
/* Closes it, drops calls that wait, and gives up the caller's reference. */
void zinit_connection_close (ZinitConnection *connection);
ZinitConnection *zinit_connection_ref (ZinitConnection *connection);
void zinit_connection_unref (ZinitConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitConnection, zinit_connection_unref)

/* Sends what has been gathered, unless an earlier burst is not written yet: then when it is. */
void zinit_connection_send (ZinitConnection *connection);
/* Sends all of it now: signals go before the answer to the call that caused them. */
void zinit_connection_send_all (ZinitConnection *connection);
/* At the end of a shutdown. The message bus gets one burst, not all: it would hold up the end for what the
 * loss of the name says by itself. */
void zinit_connection_send_last (ZinitConnection *connection);
/* One signal of the bus itself to a peer that has said Hello. */
void zinit_connection_send_driver_signal (ZinitConnection *connection, const char *member, GVariant *body);
/* The answer to a call, as it is but for its sender. */
void zinit_connection_send_reply (ZinitConnection *connection, GDBusMessage *reply);

/* @is_own: only this user (and root) can be on that bus. @greeted is as for zinit_bus_connect(). */
ZinitMessageBus *zinit_message_bus_new (ZinitBus *bus, const char *address, gboolean is_own,
                                        GSourceFunc greeted, gpointer data);
/* The objects are complete: asks for the name, now or once there is a connection. */
void zinit_message_bus_own_name (ZinitMessageBus *message_bus);
/* Its state is another one now. */
void zinit_message_bus_service_moved (ZinitMessageBus *message_bus, ZinitService *service);
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
const char *zinit_listener_get_guid (const ZinitListener *self);
int zinit_listener_get_fd (const ZinitListener *self); /* -1 when there is no socket, or no @self */
void zinit_listener_free (ZinitListener *listener);

G_END_DECLS
