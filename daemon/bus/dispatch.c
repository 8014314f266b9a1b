/* SPDX-License-Identifier: Apache-2.0
 *
 * From a path to an object, from an interface and a name to what answers.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/dispatch.h"

#include "bus/call.h"
#include "bus/interfaces.h"
#include "bus/introspect.h"
#include "bus/object-manager.h"
#include "bus/peer-bus.h"
#include "bus/properties.h"
#include "names.h"

static GVariant *
get_one (const ZinitBus *bus, const ZinitObject *object, const char *name)
{
  if (object->kind == ZINIT_OBJECT_SERVICE)
    return zinit_service_property (object->service, name);
  if (object->kind == ZINIT_OBJECT_MANAGER)
    return zinit_manager_property (bus->supervisor, bus->paths, name);
  return NULL;
}

static GVariant *
get_all (const ZinitBus *bus, const ZinitObject *object)
{
  if (object->kind == ZINIT_OBJECT_SERVICE)
    return zinit_service_properties (object->service, ZINIT_CHANGED_ALL);
  if (object->kind == ZINIT_OBJECT_MANAGER)
    return zinit_manager_properties (bus->supervisor, bus->paths, ZINIT_CHANGED_ALL);
  return g_variant_new ("a{sv}", NULL);
}

static gboolean
is_own_interface (const ZinitObject *object, const char *interface)
{
  return object->interface != NULL && strcmp (interface, object->interface->name) == 0;
}

/* The standard interfaces are there and have no properties; "" means all interfaces. */
static gboolean
has_interface (const ZinitObject *object, const char *interface)
{
  static const char *const standard[] = { ZINIT_PROPERTIES_INTERFACE, "org.freedesktop.DBus.Introspectable",
                                          "org.freedesktop.DBus.Peer", "", NULL };

  return is_own_interface (object, interface) || g_strv_contains (standard, interface);
}

static GVariant *
answer_properties_call (const ZinitBus *bus, const ZinitObject *object, const char *method,
                        GVariant *parameters, GError **error)
{
  const char *interface, *name = NULL;
  gboolean is_ours;
  GVariant *value;

  g_variant_get_child (parameters, 0, "&s", &interface);
  if (!has_interface (object, interface)) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE, "there is no interface %s", interface);
    return NULL;
  }
  is_ours = *interface == '\0' || is_own_interface (object, interface);
  if (strcmp (method, "GetAll") == 0)
    return g_variant_new ("(@a{sv})", is_ours ? get_all (bus, object) : g_variant_new ("a{sv}", NULL));

  g_variant_get_child (parameters, 1, "&s", &name);
  value = is_ours ? get_one (bus, object, name) : NULL;
  if (value == NULL) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY, "there is no property %s.%s", interface,
                 name);
    return NULL;
  }
  if (strcmp (method, "Get") == 0)
    return g_variant_new ("(v)", value);

  g_variant_unref (g_variant_ref_sink (value));
  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_PROPERTY_READ_ONLY,
               "%s.%s is read-only, as all properties are", interface, name);
  return NULL;
}

/* The interface in which the method is to be looked for. A call may leave its name out. */
static const GDBusInterfaceInfo *
find_interface (const ZinitObject *object, const char *name, const char *member)
{
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();
  const GDBusInterfaceInfo *const candidates[] = { object->interface, interfaces->properties,
                                                   interfaces->introspectable, interfaces->peer };

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++) {
    GDBusInterfaceInfo *candidate = (GDBusInterfaceInfo *)candidates[i];

    if (candidate == NULL)
      continue;
    if (name != NULL ? strcmp (candidate->name, name) == 0
                     : g_dbus_interface_info_lookup_method (candidate, member) != NULL)
      return candidate;
  }
  return NULL;
}

/* The caller may keep a property that it was given. */
static void
note_given (const ZinitInvocation *invocation, const ZinitObject *object)
{
  ZinitOutbox *outbox = invocation->connection->outbox;
  const char *name = "Sequence";

  if (strcmp (zinit_invocation_get_member (invocation), "Get") == 0)
    g_variant_get_child (invocation->arguments, 1, "&s", &name);
  if (outbox != NULL && object->kind != ZINIT_OBJECT_SERVICE && strcmp (name, "Sequence") == 0)
    zinit_outbox_sequence_given (outbox);
}

/* A method of the standard interfaces. */
static void
answer_standard_call (ZinitInvocation *invocation, const ZinitObject *object,
                      const GDBusInterfaceInfo *interface)
{
  const ZinitBus *bus = invocation->connection->bus;
  const char *member = zinit_invocation_get_member (invocation);
  g_autoptr (GError) error = NULL;
  GVariant *reply = NULL;

  if (strcmp (interface->name, ZINIT_PROPERTIES_INTERFACE) == 0)
    reply = answer_properties_call (bus, object, member, invocation->arguments, &error);
  else if (strcmp (interface->name, ZINIT_OBJECT_MANAGER_INTERFACE) == 0)
    reply = zinit_managed_objects (bus);
  else if (strcmp (member, "Introspect") == 0)
    reply = g_variant_new ("(@s)", g_variant_new_take_string (zinit_object_introspect (
                                       bus, zinit_invocation_get_path (invocation), object)));
  else if (strcmp (member, "GetMachineId") == 0)
    reply = zinit_interfaces_machine_id (&error);

  if (error != NULL) {
    zinit_invocation_return_error (invocation, error);
    return;
  }
  if (strcmp (interface->name, ZINIT_PROPERTIES_INTERFACE) == 0 ||
      strcmp (interface->name, ZINIT_OBJECT_MANAGER_INTERFACE) == 0)
    note_given (invocation, object);
  zinit_invocation_return (invocation, reply);
}

static gboolean
is_peer_call (const ZinitInvocation *invocation)
{
  return g_strcmp0 (zinit_invocation_get_interface (invocation), "org.freedesktop.DBus.Peer") == 0;
}

static gboolean
find_method (ZinitInvocation *invocation, const ZinitObject *object, const GDBusInterfaceInfo **ret_interface,
             GError **error)
{
  const char *name = zinit_invocation_get_interface (invocation);
  const char *member = zinit_invocation_get_member (invocation);
  const GDBusInterfaceInfo *interface = find_interface (object, name, member);
  const GDBusMethodInfo *method;

  *ret_interface = interface;
  /* The path of a Ping does not matter, says the specification. */
  if (object->kind == ZINIT_OBJECT_NONE && !is_peer_call (invocation)) {
    zinit_set_unknown_object (error, zinit_invocation_get_path (invocation));
    return FALSE;
  }
  if (interface == NULL && name != NULL) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE, "there is no interface %s at %s", name,
                 zinit_invocation_get_path (invocation));
    return FALSE;
  }
  method = interface != NULL ? g_dbus_interface_info_lookup_method ((GDBusInterfaceInfo *)interface, member)
                             : NULL;
  if (method == NULL) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD, "there is no method %s", member);
    return FALSE;
  }
  return zinit_invocation_fit_arguments (invocation, method, error);
}

void
zinit_dispatch_known (ZinitInvocation *invocation, ZinitCaller *caller)
{
  const ZinitBus *bus = invocation->connection->bus;
  ZinitObject object = zinit_object_find (bus, zinit_invocation_get_path (invocation));
  const GDBusInterfaceInfo *interface;
  g_autoptr (GError) error = NULL;

  if (!find_method (invocation, &object, &interface, &error))
    zinit_invocation_return_error (invocation, error);
  else if (object.kind == ZINIT_OBJECT_SERVICE && is_own_interface (&object, interface->name))
    zinit_call_begin (invocation, caller, zinit_service_get_name (object.service));
  else if (object.kind == ZINIT_OBJECT_MANAGER && is_own_interface (&object, interface->name))
    zinit_call_begin (invocation, caller, NULL);
  else
    answer_standard_call (invocation, &object, interface);
}

void
zinit_dispatch (ZinitConnection *connection, GDBusMessage *message)
{
  ZinitInvocation *invocation = zinit_invocation_new (connection, message);
  g_autoptr (GError) error = NULL;
  ZinitCaller *caller;

  if (connection->is_peer && zinit_peer_bus_answer (invocation))
    return;
  caller = zinit_callers_find (connection->callers, invocation, &error);
  if (caller == NULL)
    zinit_invocation_return_error (invocation, error);
  else if (!caller->is_known && (caller->held.length > 0 || zinit_call_needs_caller (invocation)))
    zinit_caller_hold (caller, invocation);
  else
    zinit_dispatch_known (invocation, caller);
}
