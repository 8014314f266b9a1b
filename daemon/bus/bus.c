/* SPDX-License-Identifier: Apache-2.0
 *
 * The bus as a whole: observes every change in the supervisor, adds it to each connection's outbox, and sends
 * at the end of the turn of the loop in which things happened.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/call.h"
#include "bus/dispatch.h"
#include "bus/errors.h"
#include "bus/internal.h"
#include "bus/properties.h"
#include "bus/transport.h"
#include "bus/waiters.h"
#include "loop/trim.h"
#include "object-path.h"

/* A receiver that does not take what it is sent holds up the end of the daemon no longer than this. */
#define FINISH_TIMEOUT_MS 2000

static gboolean
on_send (gpointer data)
{
  ZinitBus *bus = data;

  bus->send_source = 0;
  zinit_supervisor_flush (bus->supervisor);
  /* All that is sent from here on is durable: it stays true if the daemon dies in the next instruction. */
  if (bus->autosave != NULL && (bus->accepted.length > 0 || zinit_waiters_have_settled (bus->waiters)))
    zinit_autosave_commit (bus->autosave);
  else if (bus->autosave != NULL)
    zinit_autosave_commit_due (bus->autosave);
  for (guint i = 0; i < bus->connections->len; i++)
    zinit_connection_send (bus->connections->pdata[i]);
  zinit_call_answer_accepted (bus);
  zinit_waiters_answer (bus->waiters);
  return G_SOURCE_REMOVE;
}

void
zinit_bus_schedule (ZinitBus *bus)
{
  /* The urgent events of the loop (ends of processes, timers) go before, so what they change together is sent
   * together. */
  if (bus->send_source == 0)
    bus->send_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_send, bus, NULL);
}

static void
on_service_added (ZinitService *service, gpointer data)
{
  ZinitBus *bus = data;

  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_service_added (((ZinitConnection *)bus->connections->pdata[i])->outbox, service);
  if (bus->connections->len > 0)
    zinit_bus_schedule (bus);
}

static void
on_service_removed (ZinitService *service, gpointer data)
{
  ZinitBus *bus = data;

  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_service_removed (((ZinitConnection *)bus->connections->pdata[i])->outbox, service);
  zinit_waiters_service_removed (bus->waiters, service);
  if (bus->connections->len > 0)
    zinit_bus_schedule (bus);
}

static void
add_details (GVariantBuilder *details, const ZinitTransition *transition)
{
  const ZinitService *service = transition->service;
  const ZinitServiceStatus *status = zinit_service_get_status (service);

  g_variant_builder_add (details, "{sv}", "sequence", g_variant_new_uint64 (transition->sequence));
  g_variant_builder_add (details, "{sv}", "time_usec", g_variant_new_uint64 ((guint64)transition->time_usec));
  g_variant_builder_add (details, "{sv}", "sub_state",
                         g_variant_new_string (zinit_sub_state_to_string (status->sub_state)));
  if (status->pid != 0)
    g_variant_builder_add (details, "{sv}", "pid", g_variant_new_uint32 ((guint32)status->pid));
  if (transition->new_state == ZINIT_STATE_BLOCKED)
    g_variant_builder_add (details, "{sv}", "waiting_on",
                           zinit_bus_strings ((const char *const *)status->waiting_on));
  if (transition->new_state == ZINIT_STATE_FAILED) {
    const ZinitFailure *failure = &status->failure;
    g_autofree char *message = zinit_failure_describe (failure);

    g_variant_builder_add (details, "{sv}", "reason",
                           g_variant_new_string (zinit_failure_type_to_string (failure->type)));
    g_variant_builder_add (details, "{sv}", "message", zinit_bus_string (message));
  }
  if (transition->new_state == ZINIT_STATE_FAILED || transition->new_state == ZINIT_STATE_EXITED)
    g_variant_builder_add (details, "{sv}", "last_exit", zinit_service_property (service, "LastExit"));
}

static void
on_transition (const ZinitTransition *transition, gpointer data)
{
  ZinitBus *bus = data;
  const char *name = zinit_service_get_name (transition->service);
  g_autoptr (GVariant) body = NULL;
  g_autofree char *path = NULL;
  GVariantBuilder details;

  zinit_waiters_service_moved (bus->waiters, transition->service);
  if (bus->message_bus != NULL)
    zinit_message_bus_service_moved (bus->message_bus, transition->service);
  if (bus->connections->len == 0)
    return;

  path = zinit_object_path_for_service (name);
  g_variant_builder_init (&details, G_VARIANT_TYPE_VARDICT);
  add_details (&details, transition);
  body = g_variant_ref_sink (g_variant_new ("(sossa{sv})", name, path,
                                            zinit_state_to_string (transition->old_state),
                                            zinit_state_to_string (transition->new_state), &details));
  /* Thousands may wait; in one piece of memory each takes a quarter of what its parts do. */
  g_variant_get_data (body);
  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_transition (((ZinitConnection *)bus->connections->pdata[i])->outbox, transition->service,
                             body);
  zinit_bus_schedule (bus);
}

static void
on_service_changed (ZinitService *service, ZinitChanges changes, gpointer data)
{
  ZinitBus *bus = data;

  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_service_changed (((ZinitConnection *)bus->connections->pdata[i])->outbox, service, changes);
  zinit_waiters_service_changed (bus->waiters, service);
  if (bus->connections->len > 0)
    zinit_bus_schedule (bus);
}

static void
on_manager_changed (ZinitManagerChanges changes, gpointer data)
{
  /* The signals of all first starts go out now, and need much memory for a moment. */
  if ((changes & ZINIT_MANAGER_CHANGED_STATE) != 0)
    zinit_trim_soon ();
  zinit_bus_manager_changed (data, changes);
}

static void
on_shutdown_begun (gpointer data)
{
  ZinitBus *bus = data;
  g_autoptr (GVariant) body = g_variant_ref_sink (g_variant_new ("(b)", TRUE));

  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_signal (((ZinitConnection *)bus->connections->pdata[i])->outbox, "PrepareForShutdown", body);
  zinit_waiters_shutdown_begun (bus->waiters);
  if (bus->connections->len > 0)
    zinit_bus_schedule (bus);
}

static const ZinitObserver observer = {
  .service_added = on_service_added,
  .service_removed = on_service_removed,
  .transition = on_transition,
  .service_changed = on_service_changed,
  .manager_changed = on_manager_changed,
  .shutdown_begun = on_shutdown_begun,
};

void
zinit_bus_manager_changed (ZinitBus *bus, guint changes)
{
  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_manager_changed (((ZinitConnection *)bus->connections->pdata[i])->outbox, changes);
  if (bus->connections->len > 0)
    zinit_bus_schedule (bus);
}

static const ZinitCallersEvents callers_events = { .known = zinit_dispatch_known,
                                                   .gone = zinit_waiters_drop_caller };

static void
on_called (ZinitConnection *connection, GDBusMessage *message)
{
  if (connection->callers == NULL)
    connection->callers = zinit_callers_new (connection, &callers_events);
  zinit_dispatch (connection, message);
}

static void
on_closing (ZinitConnection *connection)
{
  zinit_waiters_drop_connection (connection->bus->waiters, connection);
  zinit_call_drop_accepted (connection->bus, connection);
  g_clear_pointer (&connection->callers, zinit_callers_free);
}

static const ZinitConnectionEvents connection_events = { .called = on_called, .closing = on_closing };

ZinitBus *
zinit_bus_new (ZinitSupervisor *supervisor, const ZinitPaths *paths, const ZinitRuntimeFolder *folder,
               GError **error)
{
  ZinitBus *bus = g_new0 (ZinitBus, 1);

  bus->supervisor = supervisor;
  bus->paths = paths;
  bus->folder = folder;
  bus->connections = g_ptr_array_new ();
  bus->all_connections = g_ptr_array_new ();
  bus->events = &connection_events;
  bus->waiters = zinit_waiters_new (bus);
  g_queue_init (&bus->accepted);
  zinit_supervisor_add_observer (supervisor, &observer, bus);
  /* Before services can take what it needs. If it fails now, it is tried again, and logged, where it is
   * needed.
   */
  zinit_transport_prepare (NULL);
  return bus;
}

void
zinit_bus_free (ZinitBus *bus)
{
  if (bus == NULL)
    return;
  zinit_supervisor_remove_observer (bus->supervisor, &observer, bus);
  zinit_message_bus_free (bus->message_bus);
  zinit_listener_free (bus->listener);
  zinit_waiters_free (bus->waiters);
  g_clear_handle_id (&bus->send_source, g_source_remove);
  g_ptr_array_unref (bus->connections);
  g_ptr_array_unref (bus->all_connections);
  g_free (bus);
}

void
zinit_bus_connect (ZinitBus *bus, const char *address, gboolean is_own, GSourceFunc greeted, gpointer data)
{
  g_return_if_fail (bus->message_bus == NULL);

  bus->message_bus = zinit_message_bus_new (bus, address, is_own, greeted, data);
}

void
zinit_bus_own_name (ZinitBus *bus)
{
  if (bus->message_bus != NULL)
    zinit_message_bus_own_name (bus->message_bus);
}

void
zinit_bus_set_handover (ZinitBus *bus, ZinitHandover *handover, ZinitAutosave *autosave, GSourceFunc leave,
                        gpointer data)
{
  bus->autosave = autosave;
  bus->handover = handover;
  bus->leave = leave;
  bus->leave_data = data;
}

gboolean
zinit_bus_listen (ZinitBus *bus, int inherited_fd, GError **error)
{
  g_return_val_if_fail (bus->listener == NULL, FALSE);

  bus->listener = zinit_listener_new (bus, bus->folder, bus->paths->socket, inherited_fd, error);
  return bus->listener != NULL;
}

void
zinit_bus_pause (ZinitBus *bus, gboolean is_paused)
{
  zinit_listener_pause (bus->listener, is_paused);
}

void
zinit_bus_listen_again (ZinitBus *bus)
{
  zinit_listener_renew (bus->listener);
}

/* The end of the daemon: how many connections still have something to write. */
typedef struct {
  ZinitBus *bus; /* valid until done has been called */
  guint n_open;
  guint timeout;
  GSourceFunc done;
  gpointer data;
  grefcount refs;
} Finish;

static void
finish_done (Finish *finish)
{
  g_clear_handle_id (&finish->timeout, g_source_remove);
  if (finish->done != NULL)
    finish->done (finish->data);
  finish->done = NULL;
}

static void
finish_unref (Finish *finish)
{
  if (g_ref_count_dec (&finish->refs))
    g_free (finish);
}

static gboolean
on_last_written (gpointer data)
{
  Finish *finish = data;

  if (--finish->n_open == 0)
    finish_done (finish);
  finish_unref (finish);
  return G_SOURCE_REMOVE;
}

static gboolean
on_finish_timeout (gpointer data)
{
  Finish *finish = data;

  finish->timeout = 0;
  finish_done (finish);
  return G_SOURCE_REMOVE;
}

static gboolean
on_finish (gpointer data)
{
  Finish *finish = data;
  GPtrArray *connections = finish->bus->all_connections;

  if (finish->bus->autosave != NULL)
    zinit_autosave_commit (finish->bus->autosave);
  zinit_call_answer_accepted (finish->bus);
  zinit_waiters_answer (finish->bus->waiters);
  finish->n_open = connections->len;
  for (guint i = 0; i < connections->len; i++) {
    ZinitConnection *connection = connections->pdata[i];

    if (!zinit_supervisor_is_open (finish->bus->supervisor, NULL))
      zinit_connection_send_last (connection);
    else
      zinit_connection_send_all (connection);
    g_ref_count_inc (&finish->refs);
    zinit_transport_when_written (connection->connection, on_last_written, finish);
  }
  g_ref_count_inc (&finish->refs);
  finish->timeout = g_timeout_add_full (G_PRIORITY_DEFAULT, finish->n_open > 0 ? FINISH_TIMEOUT_MS : 0,
                                        on_finish_timeout, finish, (GDestroyNotify)finish_unref);
  return G_SOURCE_REMOVE;
}

void
zinit_bus_finish (ZinitBus *bus, GSourceFunc done, gpointer data)
{
  Finish *finish = g_new0 (Finish, 1);

  finish->bus = bus;
  finish->done = done;
  finish->data = data;
  g_ref_count_init (&finish->refs);
  /* Not in here: this may be within the very call that ends the daemon, and its answer must get out too. */
  g_idle_add_full (G_PRIORITY_DEFAULT, on_finish, finish, (GDestroyNotify)finish_unref);
}
