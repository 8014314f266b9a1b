/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree by name: two objects, and one for each service. Nothing is registered for a service.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/introspect.h"

#include "bus/interfaces.h"
#include "names.h"
#include "object-path.h"

static const char head[] =
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
    " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
    "<node>\n";

/* Paths without an interface of ours, and the one child that each has; NULL = the services. */
static const struct {
  const char *path;
  const char *child;
} parents[] = {
  { "/", "org" },
  { "/org", "zinit" },
  { ZINIT_SERVICE_PREFIX, NULL },
};

static ZinitService *
find_service (const ZinitBus *bus, const char *path)
{
  static const char prefix[] = ZINIT_SERVICE_PREFIX "/";
  g_autofree char *name =
      g_str_has_prefix (path, prefix) ? zinit_object_path_unescape (path + strlen (prefix)) : NULL;

  return name != NULL ? zinit_supervisor_find (bus->supervisor, name, NULL) : NULL;
}

ZinitObject
zinit_object_find (const ZinitBus *bus, const char *path)
{
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();
  ZinitService *service = find_service (bus, path);

  if (service != NULL)
    return (ZinitObject){ ZINIT_OBJECT_SERVICE, interfaces->service, service };
  if (strcmp (path, ZINIT_MANAGER_PATH) == 0)
    return (ZinitObject){ ZINIT_OBJECT_MANAGER, interfaces->manager, NULL };
  if (strcmp (path, ZINIT_ROOT_PATH) == 0)
    return (ZinitObject){ ZINIT_OBJECT_ROOT, interfaces->object_manager, NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (parents); i++)
    if (strcmp (path, parents[i].path) == 0)
      return (ZinitObject){ ZINIT_OBJECT_PARENT, NULL, NULL };
  return (ZinitObject){ ZINIT_OBJECT_NONE, NULL, NULL };
}

static void
add_interfaces (GString *xml, const GDBusInterfaceInfo *const *interfaces)
{
  for (; *interfaces != NULL; interfaces++)
    g_dbus_interface_info_generate_xml ((GDBusInterfaceInfo *)*interfaces, 2, xml);
}

static void
add_child (GString *xml, const char *element)
{
  g_string_append_printf (xml, "  <node name=\"%s\"/>\n", element);
}

static void
add_services (GString *xml, const ZinitBus *bus)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (bus->supervisor);

  for (guint i = 0; i < services->len; i++) {
    g_autofree char *element = zinit_object_path_escape (zinit_service_get_name (services->pdata[i]));

    add_child (xml, element);
  }
}

char *
zinit_object_introspect (const ZinitBus *bus, const char *path, const ZinitObject *object)
{
  const ZinitInterfaces *all = zinit_interfaces_get ();
  const GDBusInterfaceInfo *const interfaces[] = { all->properties, all->introspectable, all->peer,
                                                   object->interface, NULL };
  GString *xml = g_string_new (head);

  add_interfaces (xml, interfaces);
  if (object->kind == ZINIT_OBJECT_ROOT) {
    add_child (xml, "Manager");
    add_child (xml, "service");
  }
  for (gsize i = 0; i < G_N_ELEMENTS (parents); i++) {
    if (strcmp (path, parents[i].path) != 0)
      continue;
    if (parents[i].child != NULL)
      add_child (xml, parents[i].child);
    else
      add_services (xml, bus);
  }
  return g_string_free (g_string_append (xml, "</node>\n"), FALSE);
}

char *
zinit_introspection_new (const GDBusInterfaceInfo *const *interfaces)
{
  GString *xml = g_string_new (head);

  add_interfaces (xml, interfaces);
  return g_string_free (g_string_append (xml, "</node>\n"), FALSE);
}
