/* SPDX-License-Identifier: Apache-2.0
 *
 * The objects of one connection, as two subtrees that cost nothing per service: /org/zinit with its child
 * Manager, and /org/zinit/service with a child for each service. GDBus answers Introspect from what is listed
 * here, and Peer by itself. Properties is answered here, because GDBus would give an empty list for a service
 * that is not there and has no error for a property that cannot be set.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/call.h"
#include "bus/interfaces.h"
#include "bus/object-manager.h"
#include "bus/properties.h"
#include "names.h"
#include "object-path.h"

/* What a path means. */
typedef struct {
  const char *interface; /* the one that is not standard */
  char *name;            /* of a service, also of one that is not there */
  ZinitService *service; /* NULL for the other two objects */
} Target;

static void
target_clear (Target *target)
{
  g_free (target->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Target, target_clear)

/* FALSE when there is no such object. */
static gboolean
find_target (const ZinitBus *bus, const char *path, Target *ret_target, GError **error)
{
  *ret_target = (Target){ .interface = ZINIT_SERVICE_INTERFACE };
  if (strcmp (path, ZINIT_ROOT_PATH) == 0) {
    ret_target->interface = ZINIT_OBJECT_MANAGER_INTERFACE;
    return TRUE;
  }
  if (strcmp (path, ZINIT_MANAGER_PATH) == 0) {
    ret_target->interface = ZINIT_MANAGER_INTERFACE;
    return TRUE;
  }
  ret_target->name = zinit_object_path_unescape (path + strlen (ZINIT_SERVICE_PREFIX "/"));
  if (ret_target->name != NULL)
    ret_target->service = zinit_supervisor_find (bus->supervisor, ret_target->name, NULL);
  if (ret_target->service != NULL)
    return TRUE;
  zinit_set_unknown_object (error, path);
  return FALSE;
}

static GVariant *
get_one (const ZinitBus *bus, const Target *target, const char *name)
{
  if (target->service != NULL)
    return zinit_service_property (target->service, name);
  if (strcmp (target->interface, ZINIT_MANAGER_INTERFACE) == 0)
    return zinit_manager_property (bus->supervisor, bus->paths, name);
  return NULL;
}

static GVariant *
get_all (const ZinitBus *bus, const Target *target)
{
  if (target->service != NULL)
    return zinit_service_properties (target->service, ZINIT_CHANGED_ALL);
  if (strcmp (target->interface, ZINIT_MANAGER_INTERFACE) == 0)
    return zinit_manager_properties (bus->supervisor, bus->paths, ZINIT_CHANGED_ALL);
  return g_variant_new ("a{sv}", NULL);
}

/* The standard interfaces are there and have no properties; "" means all interfaces. */
static gboolean
has_interface (const Target *target, const char *interface)
{
  static const char *const standard[] = { ZINIT_PROPERTIES_INTERFACE, "org.freedesktop.DBus.Introspectable",
                                          "org.freedesktop.DBus.Peer", "", NULL };

  return strcmp (interface, target->interface) == 0 || g_strv_contains (standard, interface);
}

static GVariant *
answer_properties_call (const ZinitBus *bus, const Target *target, const char *method, GVariant *parameters,
                        GError **error)
{
  const char *interface, *name = NULL;
  gboolean is_ours;
  GVariant *value;

  g_variant_get_child (parameters, 0, "&s", &interface);
  if (!has_interface (target, interface)) {
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE, "there is no interface %s", interface);
    return NULL;
  }
  is_ours = *interface == '\0' || strcmp (interface, target->interface) == 0;
  if (strcmp (method, "GetAll") == 0)
    return g_variant_new ("(@a{sv})", is_ours ? get_all (bus, target) : g_variant_new ("a{sv}", NULL));

  g_variant_get_child (parameters, 1, "&s", &name);
  value = is_ours ? get_one (bus, target, name) : NULL;
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

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  ZinitConnection *owner = data;
  g_auto (Target) target = { 0 };
  g_autoptr (GError) error = NULL;
  GVariant *reply;

  if (!find_target (owner->bus, path, &target, &error)) {
    g_dbus_method_invocation_return_gerror (invocation, error);
  } else if (strcmp (interface, ZINIT_PROPERTIES_INTERFACE) == 0) {
    reply = answer_properties_call (owner->bus, &target, method, parameters, &error);
    if (reply != NULL)
      zinit_connection_answer (owner, invocation, reply);
    else
      g_dbus_method_invocation_return_gerror (invocation, error);
  } else if (strcmp (interface, ZINIT_OBJECT_MANAGER_INTERFACE) == 0) {
    zinit_connection_answer (owner, invocation, zinit_managed_objects (owner->bus));
  } else {
    zinit_call_begin (owner, invocation, target.name);
  }
}

/* What Introspect shows, and what calls GDBus lets through, for an object with @own. */
static GDBusInterfaceInfo **
list_interfaces (GDBusInterfaceInfo *own)
{
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();
  GDBusInterfaceInfo **list = g_new0 (GDBusInterfaceInfo *, 5);

  list[0] = g_dbus_interface_info_ref (own);
  list[1] = g_dbus_interface_info_ref (interfaces->properties);
  list[2] = g_dbus_interface_info_ref (interfaces->introspectable);
  list[3] = g_dbus_interface_info_ref (interfaces->peer);
  return list;
}

static const GDBusInterfaceVTable *
on_dispatch (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
             const char *node, gpointer *ret_data, gpointer data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();

  *ret_data = data;
  /* GDBus has its own answers for these. */
  if (strcmp (interface, interfaces->introspectable->name) == 0 ||
      strcmp (interface, interfaces->peer->name) == 0)
    return NULL;
  return &vtable;
}

static char **
on_enumerate_root (GDBusConnection *connection, const char *sender, const char *path, gpointer data)
{
  static const char *const children[] = { "Manager", NULL };

  return g_strdupv ((char **)children);
}

static GDBusInterfaceInfo **
on_introspect_root (GDBusConnection *connection, const char *sender, const char *path, const char *node,
                    gpointer data)
{
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();

  return list_interfaces (node == NULL ? interfaces->object_manager : interfaces->manager);
}

static char **
on_enumerate_services (GDBusConnection *connection, const char *sender, const char *path, gpointer data)
{
  const ZinitConnection *owner = data;
  g_autoptr (GPtrArray) services = zinit_supervisor_list (owner->bus->supervisor);
  char **elements = g_new0 (char *, services->len + 1);

  for (guint i = 0; i < services->len; i++)
    elements[i] = zinit_object_path_escape (zinit_service_get_name (services->pdata[i]));
  return elements;
}

/* Also for a service that is not there: its call then gets an error that says so. */
static GDBusInterfaceInfo **
on_introspect_services (GDBusConnection *connection, const char *sender, const char *path, const char *node,
                        gpointer data)
{
  return node != NULL ? list_interfaces (zinit_interfaces_get ()->service) : NULL;
}

static guint
register_subtree (GDBusConnection *connection, const char *path, const GDBusSubtreeVTable *vtable,
                  GDBusSubtreeFlags flags, ZinitConnection *owner)
{
  g_autoptr (GError) error = NULL;
  guint id = g_dbus_connection_register_subtree (connection, path, vtable, flags, owner, NULL, &error);

  /* It fails only when something is registered there already, on a connection that is new. */
  if (id == 0)
    g_error ("%s: %s", path, error->message);
  return id;
}

void
zinit_objects_register (ZinitConnection *owner)
{
  static const GDBusSubtreeVTable root = { on_enumerate_root, on_introspect_root, on_dispatch };
  static const GDBusSubtreeVTable services = { on_enumerate_services, on_introspect_services, on_dispatch };

  owner->root_id =
      register_subtree (owner->connection, ZINIT_ROOT_PATH, &root, G_DBUS_SUBTREE_FLAGS_NONE, owner);
  owner->services_id = register_subtree (owner->connection, ZINIT_SERVICE_PREFIX, &services,
                                         G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES, owner);
}

void
zinit_objects_unregister (ZinitConnection *owner)
{
  g_dbus_connection_unregister_subtree (owner->connection, owner->services_id);
  g_dbus_connection_unregister_subtree (owner->connection, owner->root_id);
}
