/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of a hand-over as clients see it: the program accepts the state or the caller gets the error;
 * then PrepareForRestart, the answer, and the gap. The folder handover/ knows what is handed over.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/handover-methods.h"

static void
announce (ZinitBus *bus, gboolean is_coming)
{
  g_autoptr (GVariant) body = g_variant_ref_sink (g_variant_new ("(b)", is_coming));

  for (guint i = 0; i < bus->connections->len; i++)
    zinit_outbox_signal (((ZinitConnection *)bus->connections->pdata[i])->outbox, "PrepareForRestart", body);
  if (bus->connections->len > 0)
    zinit_bus_schedule (bus);
}

/* Clients that connect from now on are served by the next image. */
static void
prepare (ZinitBus *bus)
{
  zinit_listener_pause (bus->listener, TRUE);
  announce (bus, TRUE);
}

static gboolean
execute (gpointer data)
{
  ZinitBus *bus = data;
  g_autoptr (GError) error = NULL;

  zinit_handover_execute (bus->handover, zinit_listener_get_fd (bus->listener), &error);
  g_warning ("the daemon goes on as it was: %s", error->message);
  zinit_listener_pause (bus->listener, FALSE);
  announce (bus, FALSE);
  return G_SOURCE_REMOVE;
}

/* @data is the bus, or the call that asked. */
static void
on_checked (ZinitBus *bus, ZinitCall *call, const GError *error)
{
  gboolean has_caller = call != NULL && call->connection->bus != NULL;

  if (error != NULL)
    g_warning ("the daemon goes on as it was: %s", error->message);
  else
    prepare (bus);
  if (has_caller && error != NULL)
    zinit_call_return_error (call, error);
  else if (has_caller)
    zinit_call_return (call, NULL);
  else if (call != NULL)
    zinit_call_drop (call);
  if (error == NULL)
    zinit_bus_finish (bus, execute, bus);
}

typedef struct {
  ZinitBus *bus;
  ZinitCall *call; /* NULL = asked by a signal */
} Request;

static void
on_checked_request (const GError *error, gpointer data)
{
  g_autofree Request *request = data;

  on_checked (request->bus, request->call, error);
}

static gboolean
begin (ZinitBus *bus, ZinitCall *call, GError **error)
{
  Request *request = g_new0 (Request, 1);

  request->bus = bus;
  request->call = call;
  if (zinit_handover_check (bus->handover, on_checked_request, request, error))
    return TRUE;
  g_free (request);
  return FALSE;
}

void
zinit_bus_reexecute (ZinitBus *bus)
{
  g_autoptr (GError) error = NULL;

  if (!begin (bus, NULL, &error))
    g_warning ("the daemon goes on as it was: %s", error->message);
}

gboolean
zinit_bus_handle_reexecute (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  if (!begin (call->connection->bus, call, error))
    return FALSE;
  call->is_deferred = TRUE;
  return TRUE;
}

gboolean
zinit_bus_handle_prepare_restart (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                  GError **error)
{
  ZinitBus *bus = call->connection->bus;

  if (!zinit_handover_release (bus->handover, zinit_listener_get_fd (bus->listener), error))
    return FALSE;
  *ret_reply = g_variant_new ("(ss)", bus->paths->state, bus->paths->fds);
  announce (bus, TRUE);
  zinit_bus_finish (bus, bus->leave, bus->leave_data);
  return TRUE;
}
