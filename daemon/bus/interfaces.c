/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the interface files that are compiled in. The standard interfaces, which GDBus shows only for
 * objects it knows one by one, are written down here.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/interfaces.h"

#include "bus-resources.h"

static const char standard_xml[] =
    "<node>"
    " <interface name='org.freedesktop.DBus.Properties'>"
    "  <method name='Get'>"
    "   <arg name='interface_name' type='s' direction='in'/>"
    "   <arg name='property_name' type='s' direction='in'/>"
    "   <arg name='value' type='v' direction='out'/>"
    "  </method>"
    "  <method name='GetAll'>"
    "   <arg name='interface_name' type='s' direction='in'/>"
    "   <arg name='properties' type='a{sv}' direction='out'/>"
    "  </method>"
    "  <method name='Set'>"
    "   <arg name='interface_name' type='s' direction='in'/>"
    "   <arg name='property_name' type='s' direction='in'/>"
    "   <arg name='value' type='v' direction='in'/>"
    "  </method>"
    "  <signal name='PropertiesChanged'>"
    "   <arg name='interface_name' type='s'/>"
    "   <arg name='changed_properties' type='a{sv}'/>"
    "   <arg name='invalidated_properties' type='as'/>"
    "  </signal>"
    " </interface>"
    " <interface name='org.freedesktop.DBus.Introspectable'>"
    "  <method name='Introspect'><arg name='xml_data' type='s' direction='out'/></method>"
    " </interface>"
    " <interface name='org.freedesktop.DBus.Peer'>"
    "  <method name='Ping'/>"
    "  <method name='GetMachineId'><arg name='machine_uuid' type='s' direction='out'/></method>"
    " </interface>"
    " <interface name='org.freedesktop.DBus.ObjectManager'>"
    "  <method name='GetManagedObjects'>"
    "   <arg name='objects' type='a{oa{sa{sv}}}' direction='out'/>"
    "  </method>"
    "  <signal name='InterfacesAdded'>"
    "   <arg name='object_path' type='o'/>"
    "   <arg name='interfaces_and_properties' type='a{sa{sv}}'/>"
    "  </signal>"
    "  <signal name='InterfacesRemoved'>"
    "   <arg name='object_path' type='o'/>"
    "   <arg name='interfaces' type='as'/>"
    "  </signal>"
    " </interface>"
    "</node>";

/* A failure here is a broken build, not something a user did: g_error(). */
static GDBusInterfaceInfo *
take_interface (const char *xml, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, &error);
  GDBusInterfaceInfo *info = node != NULL ? g_dbus_node_info_lookup_interface (node, name) : NULL;

  if (info == NULL)
    g_error ("%s: %s", name, error != NULL ? error->message : "not described");
  g_dbus_interface_info_cache_build (info);
  return g_dbus_interface_info_ref (info);
}

static GDBusInterfaceInfo *
take_file (const char *name)
{
  g_autofree char *path = g_strconcat ("/org/zinit/interfaces/", name, ".xml", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      g_resource_lookup_data (zinit_bus_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, &error);

  if (bytes == NULL)
    g_error ("%s", error->message);
  return take_interface (g_bytes_get_data (bytes, NULL), name); /* resources end in a NUL */
}

const ZinitInterfaces *
zinit_interfaces_get (void)
{
  static ZinitInterfaces interfaces;

  if (interfaces.manager == NULL) {
    interfaces.manager = take_file ("org.zinit.Manager");
    interfaces.service = take_file ("org.zinit.Service");
    interfaces.object_manager = take_interface (standard_xml, "org.freedesktop.DBus.ObjectManager");
    interfaces.properties = take_interface (standard_xml, "org.freedesktop.DBus.Properties");
    interfaces.introspectable = take_interface (standard_xml, "org.freedesktop.DBus.Introspectable");
    interfaces.peer = take_interface (standard_xml, "org.freedesktop.DBus.Peer");
  }
  return &interfaces;
}
