/* SPDX-License-Identifier: Apache-2.0
 *
 * A service of the tests on a message bus: when the file PATH is there it owns NAME on the bus at ADDRESS.
 */
#include <gio/gio.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;

  if (argc != 4)
    return 112;
  while (access (argv[3], F_OK) < 0)
    g_usleep (2000);
  connection = g_dbus_connection_new_for_address_sync (
      argv[1], G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, &error);
  if (connection == NULL) {
    g_printerr ("name-owner: %s\n", error->message);
    return 111;
  }
  g_bus_own_name_on_connection (connection, argv[2], G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
  g_main_loop_run (loop);
  return 0;
}
