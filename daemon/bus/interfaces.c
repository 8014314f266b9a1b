/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the interface files that are compiled in. The standard interfaces, which GDBus shows only for
 * objects it knows one by one, are written down here. Each argument of a type that Qt does not know has the
 * name of one for it: without that, qdbusxml2cpp takes nothing of an object.
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
    "   <annotation name='org.qtproject.QtDBus.QtTypeName.Out0' value='QVariantMap'/>"
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
    "   <annotation name='org.qtproject.QtDBus.QtTypeName.Out1' value='QVariantMap'/>"
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
    "   <annotation name='org.qtproject.QtDBus.QtTypeName.Out0' value='ZinitObjectMap'/>"
    "  </method>"
    "  <signal name='InterfacesAdded'>"
    "   <arg name='object_path' type='o'/>"
    "   <arg name='interfaces_and_properties' type='a{sa{sv}}'/>"
    "   <annotation name='org.qtproject.QtDBus.QtTypeName.Out1' value='ZinitInterfaceMap'/>"
    "  </signal>"
    "  <signal name='InterfacesRemoved'>"
    "   <arg name='object_path' type='o'/>"
    "   <arg name='interfaces' type='as'/>"
    "  </signal>"
    " </interface>"
    " <interface name='org.freedesktop.DBus'>"
    "  <method name='Hello'><arg name='unique_name' type='s' direction='out'/></method>"
    "  <method name='AddMatch'><arg name='rule' type='s' direction='in'/></method>"
    "  <method name='RemoveMatch'><arg name='rule' type='s' direction='in'/></method>"
    "  <method name='GetNameOwner'>"
    "   <arg name='name' type='s' direction='in'/><arg name='unique_name' type='s' direction='out'/>"
    "  </method>"
    "  <method name='NameHasOwner'>"
    "   <arg name='name' type='s' direction='in'/><arg name='has_owner' type='b' direction='out'/>"
    "  </method>"
    "  <method name='ListNames'><arg name='names' type='as' direction='out'/></method>"
    "  <method name='ListActivatableNames'><arg name='names' type='as' direction='out'/></method>"
    "  <method name='StartServiceByName'>"
    "   <arg name='name' type='s' direction='in'/><arg name='flags' type='u' direction='in'/>"
    "   <arg name='result' type='u' direction='out'/>"
    "  </method>"
    "  <method name='GetId'><arg name='id' type='s' direction='out'/></method>"
    "  <method name='GetConnectionUnixUser'>"
    "   <arg name='name' type='s' direction='in'/><arg name='uid' type='u' direction='out'/>"
    "  </method>"
    "  <method name='GetConnectionUnixProcessID'>"
    "   <arg name='name' type='s' direction='in'/><arg name='pid' type='u' direction='out'/>"
    "  </method>"
    "  <method name='GetConnectionCredentials'>"
    "   <arg name='name' type='s' direction='in'/><arg name='credentials' type='a{sv}' direction='out'/>"
    "  </method>"
    "  <signal name='NameLost'><arg name='name' type='s'/></signal>"
    " </interface>"
    " <interface name='org.freedesktop.DBus.Monitoring'>"
    "  <method name='BecomeMonitor'>"
    "   <arg name='rules' type='as' direction='in'/><arg name='flags' type='u' direction='in'/>"
    "  </method>"
    " </interface>"
    "</node>";

/* A failure here is a broken build, not something a user did: g_error(). */
static GDBusInterfaceInfo *
parse_interface (const char *xml, const char *name)
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
parse_file (const char *name)
{
  g_autofree char *path = g_strconcat ("/org/zinit/interfaces/", name, ".xml", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      g_resource_lookup_data (zinit_bus_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, &error);

  if (bytes == NULL)
    g_error ("%s", error->message);
  return parse_interface (g_bytes_get_data (bytes, NULL), name); /* resources end in a NUL */
}

const ZinitInterfaces *
zinit_interfaces_get (void)
{
  static ZinitInterfaces interfaces;

  if (interfaces.manager == NULL) {
    interfaces.manager = parse_file ("org.zinit.Manager");
    interfaces.service = parse_file ("org.zinit.Service");
    interfaces.object_manager = parse_interface (standard_xml, "org.freedesktop.DBus.ObjectManager");
    interfaces.properties = parse_interface (standard_xml, "org.freedesktop.DBus.Properties");
    interfaces.introspectable = parse_interface (standard_xml, "org.freedesktop.DBus.Introspectable");
    interfaces.peer = parse_interface (standard_xml, "org.freedesktop.DBus.Peer");
    interfaces.driver = parse_interface (standard_xml, "org.freedesktop.DBus");
    interfaces.monitoring = parse_interface (standard_xml, "org.freedesktop.DBus.Monitoring");
  }
  return &interfaces;
}

GVariant *
zinit_interfaces_machine_id (GError **error)
{
  static const char *const paths[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *text = NULL;

    if (g_file_get_contents (paths[i], &text, NULL, NULL) && g_dbus_is_guid (g_strchomp (text)))
      return g_variant_new ("(s)", text);
  }
  g_set_error_literal (error, G_DBUS_ERROR, G_DBUS_ERROR_FILE_NOT_FOUND, "the machine has no machine-id");
  return NULL;
}
