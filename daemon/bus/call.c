/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of one call from the wire to its handler and back.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/call.h"

#include "names.h"

static void
call_free (ZinitCall *call)
{
  zinit_connection_unref (call->connection);
  zinit_call_options_clear (&call->options);
  g_free (call->service_name);
  g_free (call);
}

void
zinit_call_drop (ZinitCall *call)
{
  zinit_invocation_drop (call->invocation);
  call_free (call);
}

void
zinit_call_return (ZinitCall *call, GVariant *reply)
{
  zinit_invocation_return (call->invocation, reply);
  call_free (call);
}

void
zinit_call_return_error (ZinitCall *call, const GError *error)
{
  zinit_invocation_return_error (call->invocation, error);
  call_free (call);
}

GVariant *
zinit_call_get_argument (const ZinitCall *call, guint index)
{
  gboolean has_name = call->method->takes_service && !call->on_object;

  return g_variant_get_child_value (call->invocation->arguments, index + (has_name ? 1 : 0));
}

void
zinit_set_unknown_object (GError **error, const char *path)
{
  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, "there is no %s %s",
               g_str_has_prefix (path, ZINIT_SERVICE_PREFIX "/") ? "service at" : "object", path);
}

/* Options are the last argument of the methods that have any. */
static gboolean
read_options (ZinitCall *call, GError **error)
{
  GVariant *parameters = call->invocation->arguments;
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
    zinit_set_unknown_object (error, zinit_invocation_get_path (call->invocation));
  }
  return service;
}

static gboolean
handle (ZinitCall *call, GVariant **ret_reply, GError **error)
{
  ZinitService *service = NULL;

  if (!zinit_authorize (call->caller, call->method->access, zinit_invocation_get_member (call->invocation),
                        error))
    return FALSE;
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
    if (call->connection != connection)
      continue;
    g_queue_unlink (&bus->accepted, link);
    g_clear_pointer (&call->reply, g_variant_unref);
    zinit_call_drop (call);
  }
}

static const ZinitMethod *
find_row (const ZinitMethod *table, const char *name, gboolean on_object)
{
  for (; table->handle != NULL; table++)
    if (g_strcmp0 (on_object ? table->object_name : table->name, name) == 0)
      return table;
  return NULL;
}

static const ZinitMethod *
find_method (const char *name, gboolean on_object)
{
  const ZinitMethod *method = find_row (zinit_service_methods, name, on_object);

  return method == NULL && !on_object ? find_row (zinit_manager_methods, name, FALSE) : method;
}

gboolean
zinit_call_needs_caller (const ZinitInvocation *invocation)
{
  const char *name = zinit_invocation_get_member (invocation);
  const ZinitMethod *of_object = find_method (name, TRUE), *of_manager = find_method (name, FALSE);

  return (of_object != NULL && of_object->access != ZINIT_ACCESS_PUBLIC) ||
         (of_manager != NULL && of_manager->access != ZINIT_ACCESS_PUBLIC);
}

void
zinit_call_begin (ZinitInvocation *invocation, ZinitCaller *caller, const char *service_name)
{
  gboolean on_object = service_name != NULL;
  const ZinitMethod *method = find_method (zinit_invocation_get_member (invocation), on_object);
  g_autoptr (GError) error = NULL;
  GVariant *reply = NULL;
  ZinitCall *call;

  if (method == NULL) {
    zinit_invocation_refuse (invocation, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD, "there is no method %s",
                             zinit_invocation_get_member (invocation));
    return;
  }
  call = g_new0 (ZinitCall, 1);
  call->connection = zinit_connection_ref (invocation->connection);
  call->invocation = invocation;
  call->method = method;
  call->caller = caller;
  call->on_object = on_object;
  call->is_privileged = zinit_authorize_uid (caller->uid);
  if (on_object)
    call->service_name = g_strdup (service_name);
  else if (method->takes_service)
    g_variant_get_child (invocation->arguments, 0, "s", &call->service_name);

  if (!handle (call, &reply, &error))
    zinit_call_return_error (call, error);
  else if (call->is_deferred)
    call->caller = NULL;
  else if (method->access == ZINIT_ACCESS_REQUEST)
    accept_request (call, reply);
  else
    zinit_call_return (call, reply);
}
