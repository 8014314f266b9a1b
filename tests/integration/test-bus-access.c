/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may do what: another user reads on the bus, changes nothing, sees no secret, and is not let in on the
 * private socket. Needs root, to become that other user.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "names.h"

#define NOBODY 65534

/* What this program does as the other user: one call; prints its reply or the name of the error. */
static int
call_as_nobody (char **arguments)
{
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean is_bus = g_str_equal (arguments[1], "bus");

  if (setgroups (0, NULL) < 0 || setresgid (NOBODY, NOBODY, NOBODY) < 0 ||
      setresuid (NOBODY, NOBODY, NOBODY) < 0)
    return 1;
  connection = g_dbus_connection_new_for_address_sync (
      arguments[0],
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
          (is_bus ? G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION : G_DBUS_CONNECTION_FLAGS_NONE),
      NULL, NULL, &error);
  if (connection == NULL) {
    printf ("not let in\n");
    return 0;
  }
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  reply = g_dbus_connection_call_sync (connection, is_bus ? ZINIT_BUS_NAME : NULL, arguments[2], arguments[3],
                                       arguments[4], g_variant_new_parsed (arguments[5]), NULL,
                                       G_DBUS_CALL_FLAGS_NONE, 20000, NULL, &error);
  if (reply) {
    text = g_variant_print (reply, FALSE);
    printf ("%s\n", text);
  } else if (g_dbus_error_is_remote_error (error)) {
    text = g_dbus_error_get_remote_error (error);
    printf ("%s\n", text);
  } else {
    printf ("not let in\n");
  }
  return 0;
}

/* The line that it prints. Transfer full. */
static char *
ask (Harness *h, gboolean on_bus, const char *path, const char *interface, const char *method,
     const char *arguments)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *socket_address = g_strconcat ("unix:path=", h->socket, NULL);
  const char *argv[] = { self,
                         "--as-nobody",
                         on_bus ? h->bus_address : socket_address,
                         on_bus ? "bus" : "peer",
                         path,
                         interface,
                         method,
                         arguments,
                         NULL };
  g_autoptr (GError) error = NULL;
  char *output = NULL;
  int status;

  g_assert_nonnull (self);
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  return g_strchomp (output);
}

static char *
ask_manager (Harness *h, const char *method, const char *arguments)
{
  return ask (h, TRUE, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method, arguments);
}

static gboolean
needs_root (void)
{
  if (geteuid () == 0)
    return FALSE;
  g_test_skip ("needs root to become another user");
  return TRUE;
}

static Harness *
start (void)
{
  Harness *h = harness_new ();

  harness_service (h, "web", "out secret-output wait", "[service.env]\nTOKEN = \"secret-token\"\n");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  return h;
}

static void
test_reads (void)
{
  g_autoptr (Harness) h = NULL;
  g_autofree char *list = NULL, *objects = NULL, *stats = NULL, *config = NULL, *why = NULL, *own = NULL;
  g_autoptr (GVariant) reply = NULL;

  if (needs_root ())
    return;
  h = start ();
  list = ask_manager (h, "ListServices", "()");
  g_assert_cmpstr (list, ==, "(['web'],)");
  why = ask_manager (h, "WhyBlocked", "('web',)");
  g_assert_cmpstr (why, ==, "([],)");
  stats = ask_manager (h, "GetStats", "('web',)");
  g_assert_nonnull (strstr (stats, "memory_bytes"));
  objects = ask (h, TRUE, ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, "GetManagedObjects", "()");
  g_assert_nonnull (strstr (objects, "'running'"));
  g_assert_null (strstr (objects, "secret-token"));
  config = ask (h, TRUE, "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE, "GetConfig", "()");
  g_assert_nonnull (strstr (config, "secret-output"));
  g_assert_null (strstr (config, "secret-token"));
  /* The daemon's own user sees it. */
  reply =
      client_call_on (h->client, "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE, "GetConfig", NULL, NULL);
  own = g_variant_print (reply, FALSE);
  g_assert_nonnull (strstr (own, "secret-token"));
}

/* What is refused here is what introspection says to be privileged, and nothing else. */
static void
check_annotations (TestClient *c, const char *path, const char *interface, const char *const calls[][2],
                   gsize n_calls)
{
  g_autoptr (GVariant) reply =
      client_call_on (c, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL);
  g_autoptr (GDBusNodeInfo) node = NULL;
  GDBusInterfaceInfo *info;
  const char *xml;

  g_variant_get (reply, "(&s)", &xml);
  node = g_dbus_node_info_new_for_xml (xml, NULL);
  info = g_dbus_node_info_lookup_interface (node, interface);
  for (GDBusMethodInfo **method = info->methods; *method != NULL; method++) {
    const char *value = g_dbus_annotation_info_lookup ((*method)->annotations, "org.zinit.Privileged");
    gboolean is_listed = FALSE;

    for (gsize i = 0; i < n_calls; i++)
      is_listed |= g_str_equal (calls[i][0], (*method)->name);
    g_test_message ("%s", (*method)->name);
    g_assert_cmpstr (value, ==, is_listed ? "true" : NULL);
  }
}

static void
test_changes_are_refused (void)
{
  static const char *const manager_calls[][2] = {
    { "StartService", "('web', @a{sv} {})" },
    { "StopService", "('web', @a{sv} {})" },
    { "RestartService", "('web', @a{sv} {})" },
    { "KillService", "('web', 9, @a{sv} {})" },
    { "StartServices", "(['web'], @a{sv} {})" },
    { "StopServices", "(['web'], @a{sv} {})" },
    { "RestartServices", "(['web'], @a{sv} {})" },
    { "ResetFailed", "('web',)" },
    { "StartAll", "(@a{sv} {},)" },
    { "StopAll", "(@a{sv} {},)" },
    { "RemoveAll", "(@a{sv} {},)" },
    { "RemoveService", "('web', {'stop': <true>})" },
    { "AddService", "({'service': {'name': <'x'>, 'exec': <'true'>}}, @a{sv} {})" },
    { "Reload", "(@a{sv} {},)" },
    { "GetLogs", "('web', @a{sv} {})" },
    { "FollowLogs", "(@as [], @a{sv} {})" },
    { "PrepareRestart", "(@a{sv} {},)" },
    { "Reexecute", "(@a{sv} {},)" },
    { "Shutdown", "(@a{sv} {},)" },
    { "SetLogLevel", "('debug',)" },
  };
  static const char *const service_calls[][2] = {
    { "Start", "(@a{sv} {},)" },   { "Stop", "(@a{sv} {},)" },   { "Restart", "(@a{sv} {},)" },
    { "ResetFailed", "()" },       { "Kill", "(9, @a{sv} {})" }, { "Remove", "(@a{sv} {},)" },
    { "GetLogs", "(@a{sv} {},)" },
  };
  g_autoptr (Harness) h = NULL;
  guint32 pid;

  if (needs_root ())
    return;
  h = start ();
  pid = client_get_pid (h->client, "web");
  check_annotations (h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, manager_calls,
                     G_N_ELEMENTS (manager_calls));
  check_annotations (h->client, "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE, service_calls,
                     G_N_ELEMENTS (service_calls));
  for (gsize i = 0; i < G_N_ELEMENTS (manager_calls); i++) {
    g_autofree char *answer = ask_manager (h, manager_calls[i][0], manager_calls[i][1]);

    g_test_message ("%s", manager_calls[i][0]);
    g_assert_cmpstr (answer, ==, "org.freedesktop.DBus.Error.AccessDenied");
  }
  for (gsize i = 0; i < G_N_ELEMENTS (service_calls); i++) {
    g_autofree char *answer = ask (h, TRUE, "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE,
                                   service_calls[i][0], service_calls[i][1]);

    g_test_message ("%s", service_calls[i][0]);
    g_assert_cmpstr (answer, ==, "org.freedesktop.DBus.Error.AccessDenied");
  }
  g_assert_cmpuint (client_get_pid (h->client, "web"), ==, pid);
  assert_property (h->client, NULL, "ServiceCount", "1");
}

/* Not even when the file would let him: the daemon looks at who is there. */
static void
test_socket_is_private (void)
{
  g_autoptr (Harness) h = NULL;
  g_autofree char *first = NULL, *second = NULL, *own = NULL;
  g_autoptr (TestClient) peer = NULL;

  if (needs_root ())
    return;
  h = start ();
  first = ask (h, FALSE, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "ListServices", "()");
  g_assert_cmpstr (first, ==, "not let in");
  g_assert_cmpint (chmod (h->runtime_dir, 0755), ==, 0);
  g_assert_cmpint (chmod (h->socket, 0777), ==, 0);
  second = ask (h, FALSE, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "ListServices", "()");
  g_assert_cmpstr (second, ==, "not let in");
  peer = client_new_for_socket (h->socket);
  assert_property (peer, "web", "State", "running");
}

int
main (int argc, char **argv)
{
  if (argc == 8 && g_str_equal (argv[1], "--as-nobody"))
    return call_as_nobody (argv + 2);
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-access/reads", test_reads);
  g_test_add_func ("/bus-access/changes-are-refused", test_changes_are_refused);
  g_test_add_func ("/bus-access/socket-is-private", test_socket_is_private);
  return g_test_run ();
}
