/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of one call from the wire to its handler and back.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/call.h"

#include "bus/errors.h"
#include "model/error.h"

/* GDBus has no way to let an invocation go unanswered but this. */
void
zinit_call_drop (ZinitCall *call)
{
  g_clear_object (&call->invocation);
  g_clear_pointer (&call->connection, zinit_connection_unref);
  g_free (call->service_name);
  g_free (call);
}

void
zinit_call_return (ZinitCall *call, GVariant *reply)
{
  zinit_connection_answer (call->connection, g_steal_pointer (&call->invocation), reply);
  zinit_call_drop (call);
}

void
zinit_call_return_error (ZinitCall *call, const GError *error)
{
  zinit_connection_send_all (call->connection);
  zinit_bus_return_error (g_steal_pointer (&call->invocation), error);
  zinit_call_drop (call);
}

GVariant *
zinit_call_get_argument (const ZinitCall *call, guint index)
{
  gboolean has_name = call->method->takes_service && !call->on_object;

  return g_variant_get_child_value (g_dbus_method_invocation_get_parameters (call->invocation),
                                    index + (has_name ? 1 : 0));
}

void
zinit_set_unknown_object (GError **error, const char *path)
{
  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, "there is no service at %s", path);
}

/* Options are the last argument of the methods that have any. */
static gboolean
read_options (ZinitCall *call, GError **error)
{
  GVariant *parameters = g_dbus_method_invocation_get_parameters (call->invocation);
  gsize n_arguments = g_variant_n_children (parameters);
  g_autoptr (GVariant) last =
      n_arguments > 0 ? g_variant_get_child_value (parameters, n_arguments - 1) : NULL;

  if (last == NULL || !g_variant_is_of_type (last, G_VARIANT_TYPE_VARDICT))
    return TRUE;
  return zinit_call_options_parse (last, call->method->options, &call->options, error);
}

static ZinitService *
find_service (ZinitCall *call, GError **error)
{
  ZinitSupervisor *supervisor = call->connection->bus->supervisor;
  ZinitService *service = zinit_supervisor_find (supervisor, call->service_name, error);

  if (service == NULL && call->on_object) {
    g_clear_error (error);
    zinit_set_unknown_object (error, g_dbus_method_invocation_get_object_path (call->invocation));
  }
  return service;
}

static gboolean
handle (ZinitCall *call, GVariant **ret_reply, GError **error)
{
  ZinitService *service = NULL;

  if (call->method->access >= ZINIT_ACCESS_PRIVILEGED && !call->is_privileged) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_ACCESS_DENIED,
                 "%s is for root and the user of the daemon alone",
                 g_dbus_method_invocation_get_method_name (call->invocation));
    return FALSE;
  }
  if (!read_options (call, error))
    return FALSE;
  if (call->service_name != NULL) {
    service = find_service (call, error);
    if (service == NULL)
      return FALSE;
  }
  return call->method->handle (call, service, ret_reply, error);
}

/* It is answered when all requests of this turn of the loop are durable, which takes one write for all. */
static void
accept_request (ZinitCall *call, GVariant *reply)
{
  call->reply = reply != NULL ? g_variant_ref_sink (reply) : NULL;
  call->link.data = call;
  g_queue_push_tail_link (&call->connection->bus->accepted, &call->link);
  zinit_bus_schedule (call->connection->bus);
}

void
zinit_call_answer_accepted (ZinitBus *bus)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&bus->accepted)) != NULL) {
    ZinitCall *call = link->data;
    g_autoptr (GVariant) reply = g_steal_pointer (&call->reply);

    zinit_call_return (call, reply);
  }
}

void
zinit_call_drop_accepted (ZinitBus *bus, ZinitConnection *connection)
{
  for (GList *link = bus->accepted.head, *next; link != NULL; link = next) {
    ZinitCall *call = link->data;

    next = link->next;
    if (connection != NULL && call->connection != connection)
      continue;
    g_queue_unlink (&bus->accepted, link);
    g_clear_pointer (&call->reply, g_variant_unref);
    zinit_call_drop (call);
  }
}

static void
on_authorized (gboolean is_privileged, gpointer data)
{
  ZinitCall *call = data;
  g_autoptr (GError) error = NULL;
  GVariant *reply = NULL;

  /* The connection may have ended while the bus was asked. */
  if (call->connection->bus == NULL) {
    zinit_call_drop (call);
    return;
  }
  call->is_privileged = is_privileged;
  if (!handle (call, &reply, &error))
    zinit_call_return_error (call, error);
  else if (call->method->access == ZINIT_ACCESS_REQUEST && !call->is_deferred)
    accept_request (call, reply);
  else if (!call->is_deferred)
    zinit_call_return (call, reply);
}

static const ZinitMethod *
find_method (const ZinitMethod *table, const char *name, gboolean on_object)
{
  for (; table->handle != NULL; table++)
    if (g_strcmp0 (on_object ? table->object_name : table->name, name) == 0)
      return table;
  return NULL;
}

void
zinit_call_begin (ZinitConnection *connection, GDBusMethodInvocation *invocation, const char *service_name)
{
  const char *name = g_dbus_method_invocation_get_method_name (invocation);
  gboolean on_object = service_name != NULL;
  const ZinitMethod *method = find_method (zinit_service_methods, name, on_object);
  ZinitCall *call;

  if (method == NULL && !on_object)
    method = find_method (zinit_manager_methods, name, FALSE);
  if (method == NULL) {
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD,
                                           "there is no method %s", name);
    return;
  }

  call = g_new0 (ZinitCall, 1);
  call->connection = zinit_connection_ref (connection);
  call->invocation = invocation;
  call->method = method;
  call->on_object = on_object;
  if (on_object)
    call->service_name = g_strdup (service_name);
  else if (method->takes_service)
    g_variant_get_child (g_dbus_method_invocation_get_parameters (invocation), 0, "s", &call->service_name);

  if (method->access == ZINIT_ACCESS_PUBLIC)
    on_authorized (FALSE, call);
  else
    zinit_authorize (connection, g_dbus_method_invocation_get_sender (invocation), on_authorized, call);
}
