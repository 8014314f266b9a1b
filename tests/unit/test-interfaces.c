/* SPDX-License-Identifier: Apache-2.0
 *
 * The interface files as other programs read them: every argument whose type Qt does not know has the name of
 * a type for it, without which qdbusxml2cpp takes none of the file.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <gio/gio.h>
#include <string.h>

#include "bus/interfaces.h"

#define QT_TYPE "org.qtproject.QtDBus.QtTypeName"

static GDBusInterfaceInfo *
read_interface (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".xml", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "dbus-interfaces", file, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusNodeInfo) node = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, &error));
  node = g_dbus_node_info_new_for_xml (text, &error);
  g_assert_no_error (error);
  return g_dbus_interface_info_ref (g_dbus_node_info_lookup_interface (node, name));
}

/* Basic types, and lists of strings. */
static gboolean
is_known_to_qt (const char *signature)
{
  return strlen (signature) == 1 || strcmp (signature, "as") == 0;
}

static void
check_arguments (const char *name, GDBusAnnotationInfo **annotations, GDBusArgInfo **arguments,
                 const char *direction)
{
  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++) {
    g_autofree char *key = g_strdup_printf ("%s.%s%u", QT_TYPE, direction, i);
    const char *value = g_dbus_annotation_info_lookup (annotations, key);

    g_test_message ("%s, argument %s", name, arguments[i]->name);
    g_assert_true (is_known_to_qt (arguments[i]->signature) == (value == NULL));
    if (strcmp (arguments[i]->signature, "a{sv}") == 0)
      g_assert_cmpstr (value, ==, "QVariantMap");
  }
}

static void
check_interface (const GDBusInterfaceInfo *info)
{
  for (GDBusMethodInfo **method = info->methods; method != NULL && *method != NULL; method++) {
    check_arguments ((*method)->name, (*method)->annotations, (*method)->in_args, "In");
    check_arguments ((*method)->name, (*method)->annotations, (*method)->out_args, "Out");
  }
  for (GDBusSignalInfo **signal = info->signals; signal != NULL && *signal != NULL; signal++)
    check_arguments ((*signal)->name, (*signal)->annotations, (*signal)->args, "Out");
  for (GDBusPropertyInfo **property = info->properties; property != NULL && *property != NULL; property++) {
    const char *value = g_dbus_annotation_info_lookup ((*property)->annotations, QT_TYPE);

    g_test_message ("%s", (*property)->name);
    g_assert_true (is_known_to_qt ((*property)->signature) == (value == NULL));
  }
}

static void
check_file (const char *name)
{
  GDBusInterfaceInfo *info = read_interface (name);

  check_interface (info);
  g_dbus_interface_info_unref (info);
}

static void
test_qt_types (void)
{
  check_file ("org.zinit.Manager");
  check_file ("org.zinit.Service");
}

/* Introspection of an object shows them beside its own interface, and that as a whole is read or refused. */
static void
test_standard_qt_types (void)
{
  const ZinitInterfaces *interfaces = zinit_interfaces_get ();

  check_interface (interfaces->properties);
  check_interface (interfaces->introspectable);
  check_interface (interfaces->peer);
  check_interface (interfaces->object_manager);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/interfaces/qt-types", test_qt_types);
  g_test_add_func ("/interfaces/standard-qt-types", test_standard_qt_types);
  return g_test_run ();
}
