/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract as a client sees it: objects, interfaces, signatures, properties, errors and paths, on the bus
 * and on the private socket alike.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <sys/stat.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

/* "Name(in)out" of each method, "Name:type" of each property, "Name!types" of each signal. */
static const char *const manager_contract[] = { "ListServices()as",
                                                "GetService(s)o",
                                                "List(a{sv})a(sosssutttus)",
                                                "ListStats(a{sv})a(sttuu)",
                                                "StartServices(asa{sv})a(sbs)",
                                                "StopServices(asa{sv})a(sbs)",
                                                "RestartServices(asa{sv})a(sbs)",
                                                "ResetFailed(s)",
                                                "StartService(sa{sv})",
                                                "StopService(sa{sv})",
                                                "RestartService(sa{sv})",
                                                "KillService(sia{sv})",
                                                "StartAll(a{sv})as",
                                                "StopAll(a{sv})as",
                                                "RemoveAll(a{sv})as",
                                                "AddService(a{sa{sv}}a{sv})o",
                                                "RemoveService(sa{sv})",
                                                "Reload(a{sv})asasasa(ss)",
                                                "WhyBlocked(s)a(sss)",
                                                "GetLogs(sa{sv})a(tss)",
                                                "FollowLogs(asa{sv})h",
                                                "GetStats(s)a{sv}",
                                                "PrepareRestart(a{sv})ss",
                                                "Reexecute(a{sv})",
                                                "Shutdown(a{sv})",
                                                "SetLogLevel(s)",
                                                "Version:s",
                                                "InterfaceVersion:u",
                                                "Sequence:t",
                                                "ConfigDir:s",
                                                "RuntimeDir:s",
                                                "SocketPath:s",
                                                "BootTime:t",
                                                "State:s",
                                                "ServiceCount:u",
                                                "FailedCount:u",
                                                "LogLevel:s",
                                                "ConfigErrors:a(sss)",
                                                "ServiceStateChanged!sossa{sv}",
                                                "PrepareForRestart!b",
                                                "PrepareForShutdown!b",
                                                NULL };

static const char *const service_contract[] = { "Start(a{sv})",
                                                "Stop(a{sv})",
                                                "Restart(a{sv})",
                                                "Kill(ia{sv})",
                                                "ResetFailed()",
                                                "Remove(a{sv})",
                                                "GetConfig()a{sa{sv}}",
                                                "GetLogs(a{sv})a(tss)",
                                                "GetStats()a{sv}",
                                                "WhyBlocked()a(sss)",
                                                "Name:s",
                                                "Description:s",
                                                "Exec:s",
                                                "Class:s",
                                                "Oneshot:b",
                                                "Ephemeral:b",
                                                "WantedStatus:s",
                                                "State:s",
                                                "SubState:s",
                                                "WaitingOn:as",
                                                "FailureReason:a{sv}",
                                                "Pid:u",
                                                "LastExit:(si)",
                                                "RestartCount:u",
                                                "RestartDelay:t",
                                                "NextRestart:t",
                                                "StartedAt:t",
                                                "StateChangedAt:t",
                                                "Requires:as",
                                                "After:as",
                                                "Wants:as",
                                                "Conflicts:as",
                                                "RequiredBy:as",
                                                "Health:s",
                                                "StatusText:s",
                                                "NeedsRestart:b",
                                                "CanStart:b",
                                                "CanStop:b",
                                                NULL };

static char *
join_types (GDBusArgInfo **args)
{
  GString *text = g_string_new (NULL);

  for (; args && *args; args++)
    g_string_append (text, (*args)->signature);
  return g_string_free (text, FALSE);
}

/* The interface in the notation of the tables above. */
static GHashTable *
flatten (GDBusInterfaceInfo *info)
{
  GHashTable *set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (GDBusMethodInfo **method = info->methods; method && *method; method++) {
    g_autofree char *in = join_types ((*method)->in_args), *out = join_types ((*method)->out_args);

    g_hash_table_add (set, g_strdup_printf ("%s(%s)%s", (*method)->name, in, out));
  }
  for (GDBusPropertyInfo **property = info->properties; property && *property; property++) {
    g_assert_cmpint ((*property)->flags, ==, G_DBUS_PROPERTY_INFO_FLAGS_READABLE);
    g_hash_table_add (set, g_strdup_printf ("%s:%s", (*property)->name, (*property)->signature));
  }
  for (GDBusSignalInfo **signal = info->signals; signal && *signal; signal++) {
    g_autofree char *types = join_types ((*signal)->args);

    g_hash_table_add (set, g_strdup_printf ("%s!%s", (*signal)->name, types));
  }
  return set;
}

static GDBusNodeInfo *
introspect (TestClient *c, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (c, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, &error);
  GDBusNodeInfo *node;
  const char *xml;

  g_assert_no_error (error);
  g_variant_get (reply, "(&s)", &xml);
  node = g_dbus_node_info_new_for_xml (xml, &error);
  g_assert_no_error (error);
  return node;
}

static void
check_contract (TestClient *c, const char *path, const char *interface, const char *const *contract)
{
  g_autoptr (GDBusNodeInfo) node = introspect (c, path);
  GDBusInterfaceInfo *info = g_dbus_node_info_lookup_interface (node, interface);
  g_autoptr (GHashTable) set = NULL;

  g_assert_nonnull (info);
  set = flatten (info);
  for (; *contract; contract++) {
    if (!g_hash_table_contains (set, *contract))
      g_error ("%s of %s is missing or different", *contract, interface);
  }
}

static GVariant *
get_managed_objects (TestClient *c)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (c, ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, "GetManagedObjects", NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (g_variant_get_type_string (reply), ==, "(a{oa{sa{sv}}})");
  return g_variant_get_child_value (reply, 0);
}

static void
check_objects (TestClient *c)
{
  g_autoptr (GVariant) objects = get_managed_objects (c);
  g_autoptr (GVariant) interfaces = NULL, properties = NULL;
  const char *state;

  g_assert_cmpuint (g_variant_n_children (objects), ==, 4);
  interfaces = g_variant_lookup_value (objects, ZINIT_MANAGER_PATH, G_VARIANT_TYPE ("a{sa{sv}}"));
  g_assert_nonnull (interfaces);
  g_clear_pointer (&interfaces, g_variant_unref);
  interfaces = g_variant_lookup_value (objects, "/org/zinit/service/web_401", G_VARIANT_TYPE ("a{sa{sv}}"));
  g_assert_nonnull (interfaces);
  properties = g_variant_lookup_value (interfaces, ZINIT_SERVICE_INTERFACE, G_VARIANT_TYPE ("a{sv}"));
  g_assert_nonnull (properties);
  g_assert_true (g_variant_lookup (properties, "State", "&s", &state));
  g_assert_cmpstr (state, ==, "inactive");
  for (const char *const *item = service_contract; *item; item++) {
    g_auto (GStrv) words = g_strsplit (*item, ":", 2);
    g_autoptr (GVariant) value = NULL;

    if (words[1] == NULL)
      continue;
    value = g_variant_lookup_value (properties, words[0], NULL);
    if (value == NULL)
      g_error ("%s is missing in GetManagedObjects", words[0]);
    g_assert_cmpstr (g_variant_get_type_string (value), ==, words[1]);
  }
}

/* Names with every kind of byte, and what their paths must be. */
static void
write_services (Harness *h)
{
  harness_service (h, "web@1", "wait", "status = \"ignore\"\n");
  harness_service (h, "9-lives.a_b", "wait", "status = \"ignore\"\n");
  harness_service (h, "plain", "wait", "status = \"ignore\"\n");
}

static void
check_all (TestClient *c)
{
  g_autoptr (GVariant) first = NULL, second = NULL;
  g_autofree char *shown = NULL, *other = NULL;

  check_contract (c, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, manager_contract);
  check_contract (c, "/org/zinit/service/plain", ZINIT_SERVICE_INTERFACE, service_contract);
  check_objects (c);
  first = client_ok (c, "GetService", "('web@1',)");
  shown = g_variant_print (first, FALSE);
  g_assert_cmpstr (shown, ==, "('/org/zinit/service/web_401',)");
  second = client_ok (c, "GetService", "('9-lives.a_b',)");
  other = g_variant_print (second, FALSE);
  g_assert_cmpstr (other, ==, "('/org/zinit/service/_39_2dlives_2ea_5fb',)");
  assert_property (c, "9-lives.a_b", "Name", "9-lives.a_b");
}

static void
test_contract_on_bus (void)
{
  g_autoptr (Harness) h = harness_new ();

  write_services (h);
  harness_start (h);
  check_all (h->client);
}

/* The same objects, and it is ours alone. */
static void
test_contract_on_socket (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (TestClient) peer = NULL;
  struct stat status;

  write_services (h);
  harness_start (h);
  g_assert_cmpint (stat (h->socket, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  assert_property (h->client, NULL, "SocketPath", h->socket);
  peer = client_new_for_socket (h->socket);
  check_all (peer);
  g_variant_unref (client_ok (peer, "StartService", "('plain', {'wait': <true>})"));
  assert_property (h->client, "plain", "State", "running");
  assert_chain (peer, "plain", "inactive starting running");
}

static void
test_no_bus (void)
{
  static const char *const options[] = { "--no-bus", NULL };
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (TestClient) bus = NULL;
  g_autoptr (GVariant) reply = NULL;
  gboolean has_owner = TRUE;

  write_services (h);
  harness_start_with (h, options);
  check_all (h->client);
  bus = client_new_for_bus (h->bus_address);
  reply = g_dbus_connection_call_sync (
      bus->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "NameHasOwner", g_variant_new ("(s)", ZINIT_BUS_NAME), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  g_variant_get (reply, "(b)", &has_owner);
  g_assert_false (has_owner);
}

static void
test_manager_properties (void)
{
  g_autoptr (Harness) h = harness_new ();

  write_services (h);
  harness_start (h);
  assert_property (h->client, NULL, "ConfigDir", h->config_dir);
  assert_property (h->client, NULL, "RuntimeDir", h->runtime_dir);
  assert_property (h->client, NULL, "InterfaceVersion", "2");
  assert_property (h->client, NULL, "ServiceCount", "3");
  g_variant_unref (client_ok (h->client, "SetLogLevel", "('debug',)"));
  assert_property (h->client, NULL, "LogLevel", "debug");
  g_free (client_fails (h->client, "org.freedesktop.DBus.Error.InvalidArgs", "SetLogLevel", "('loud',)"));
}

/* A method on an object that must fail with a name of the freedesktop or zinit errors. */
static void
check_refused (TestClient *c, const char *path, const char *interface, const char *method,
               GVariant *arguments, const char *error_name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = client_call_on (c, path, interface, method, arguments, &error);
  g_autofree char *actual = NULL;

  g_assert_null (reply);
  actual = g_dbus_error_get_remote_error (error);
  g_test_message ("%s %s: %s", path, method, error->message);
  g_assert_cmpstr (actual, ==, error_name);
}

static void
test_refusals (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *unknown = NULL, *option = NULL, *type = NULL;
  TestClient *c;

  write_services (h);
  harness_start (h);
  c = h->client;
  check_refused (c, "/org/zinit/service/plain", ZINIT_PROPERTIES_INTERFACE, "Set",
                 g_variant_new ("(ssv)", ZINIT_SERVICE_INTERFACE, "State", g_variant_new_string ("running")),
                 "org.freedesktop.DBus.Error.PropertyReadOnly");
  check_refused (c, ZINIT_MANAGER_PATH, ZINIT_PROPERTIES_INTERFACE, "Set",
                 g_variant_new ("(ssv)", ZINIT_MANAGER_INTERFACE, "LogLevel", g_variant_new_string ("debug")),
                 "org.freedesktop.DBus.Error.PropertyReadOnly");
  check_refused (c, "/org/zinit/service/plain", ZINIT_PROPERTIES_INTERFACE, "Get",
                 g_variant_new ("(ss)", ZINIT_SERVICE_INTERFACE, "Nothing"),
                 "org.freedesktop.DBus.Error.UnknownProperty");
  check_refused (c, "/org/zinit/service/plain", ZINIT_SERVICE_INTERFACE, "Nothing", NULL,
                 "org.freedesktop.DBus.Error.UnknownMethod");
  check_refused (c, "/org/zinit/service/nobody", ZINIT_SERVICE_INTERFACE, "Start",
                 g_variant_new_parsed ("(@a{sv} {},)"), "org.freedesktop.DBus.Error.UnknownObject");
  /* Not what the escaping writes: upper-case digits, a letter that needs none. */
  check_refused (c, "/org/zinit/service/_39_2Dlives_2ea_5fb", ZINIT_SERVICE_INTERFACE, "GetConfig", NULL,
                 "org.freedesktop.DBus.Error.UnknownObject");
  check_refused (c, "/org/zinit/service/_70lain", ZINIT_SERVICE_INTERFACE, "GetConfig", NULL,
                 "org.freedesktop.DBus.Error.UnknownObject");
  check_refused (c, "/org/zinit/service/plain", ZINIT_SERVICE_INTERFACE, "Start", g_variant_new ("(s)", "x"),
                 "org.freedesktop.DBus.Error.InvalidArgs");
  check_refused (c, "/org/zinit/service/nobody", "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
                 "org.freedesktop.DBus.Error.UnknownObject");
  check_refused (c, "/org/zinit/nothing", "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
                 "org.freedesktop.DBus.Error.UnknownObject");
  check_refused (c, "/org/zinit/service/plain/x", "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
                 "org.freedesktop.DBus.Error.UnknownObject");
  check_refused (c, "/org/zinit/service/plain", "org.example.None", "Start", NULL,
                 "org.freedesktop.DBus.Error.UnknownInterface");
  unknown = client_fails (c, "NoSuchService", "StartService", "('plian', " NO_OPTIONS ")");
  g_assert_nonnull (strstr (unknown, "plian"));
  option = client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "StartService",
                         "('plain', {'wiat': <true>})");
  g_assert_nonnull (strstr (option, "wait"));
  type = client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "StartService",
                       "('plain', {'wait': <'yes'>})");
  assert_property (c, "plain", "State", "inactive");
  /* The option of another method is unknown here. */
  g_free (client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "StopService",
                        "('plain', {'tree': <true>})"));
}

/* The methods of a service's own object do what those of the Manager do. */
static void
test_service_object (void)
{
  g_autoptr (Harness) h = harness_new ();
  static const char path[] = "/org/zinit/service/web_401";
  g_autoptr (GVariant) config = NULL, stats = NULL, why = NULL;
  g_autofree char *shown = NULL;
  GError *error = NULL;
  TestClient *c;

  write_services (h);
  harness_start (h);
  c = h->client;
#define CALL(method, text)                                                                                   \
  client_call_on (c, path, ZINIT_SERVICE_INTERFACE, method, text ? g_variant_new_parsed (text) : NULL, &error)
  g_variant_unref (CALL ("Start", "({'wait': <true>},)"));
  assert_property (c, "web@1", "State", "running");
  stats = CALL ("GetStats", NULL);
  g_assert_cmpstr (g_variant_get_type_string (stats), ==, "(a{sv})");
  shown = g_variant_print (stats, FALSE);
  g_assert_nonnull (strstr (shown, "test-child"));
  why = CALL ("WhyBlocked", NULL);
  g_assert_cmpstr (g_variant_get_type_string (why), ==, "(a(sss))");
  config = CALL ("GetConfig", NULL);
  g_assert_cmpstr (g_variant_get_type_string (config), ==, "(a{sa{sv}})");
  g_variant_unref (CALL ("Restart", "({'wait': <true>},)"));
  assert_property (c, "web@1", "State", "running");
  g_variant_unref (CALL ("Kill", "(9, @a{sv} {})"));
  client_wait_property (c, "web@1", "LastExit", "('killed', 9)");
  client_wait_state (c, "web@1", "running");
  g_variant_unref (CALL ("Stop", "({'wait': <true>},)"));
  assert_property (c, "web@1", "State", "exited");
  client_set_mark (c);
  g_variant_unref (CALL ("Remove", "(@a{sv} {},)"));
#undef CALL
  g_assert_cmpuint (client_count_signals (c, ZINIT_ROOT_PATH, "InterfacesRemoved"), ==, 1);
  check_refused (c, path, ZINIT_SERVICE_INTERFACE, "GetConfig", NULL,
                 "org.freedesktop.DBus.Error.UnknownObject");
}

/* Clients without a word for an empty a{sv}, as dbus-send and qdbus are, leave it out. */
static void
test_options_left_out (void)
{
  g_autoptr (Harness) h = harness_new ();
  static const char path[] = "/org/zinit/service/plain";
  static const char *const methods[] = { "Start", "Restart", "Stop" };
  TestClient *c;

  write_services (h);
  harness_start (h);
  c = h->client;
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply = client_call_on (c, path, ZINIT_SERVICE_INTERFACE, methods[i], NULL, &error);

    g_assert_no_error (error);
    client_wait_state (c, "plain", i < 2 ? "running" : "exited");
  }
  g_variant_unref (client_ok (c, "StartService", "('plain',)"));
  client_wait_state (c, "plain", "running");
  g_variant_unref (client_ok (c, "StopAll", NULL));
  client_wait_state (c, "plain", "exited");
  check_refused (c, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "StartService", NULL,
                 "org.freedesktop.DBus.Error.InvalidArgs");
}

/* Each node has the ones below it, and the standard interfaces. */
static void
test_tree (void)
{
  static const struct {
    const char *path;
    const char *children;
  } nodes[] = { { "/", "org" },
                { "/org", "zinit" },
                { "/org/zinit", "Manager service" },
                { "/org/zinit/Manager", "" },
                { "/org/zinit/service", "_39_2dlives_2ea_5fb plain web_401" },
                { "/org/zinit/service/plain", "" } };
  static const char *const standard[] = { ZINIT_PROPERTIES_INTERFACE, "org.freedesktop.DBus.Introspectable",
                                          "org.freedesktop.DBus.Peer" };
  g_autoptr (Harness) h = harness_new ();

  write_services (h);
  harness_start (h);
  for (gsize i = 0; i < G_N_ELEMENTS (nodes); i++) {
    g_autoptr (GDBusNodeInfo) node = introspect (h->client, nodes[i].path);
    g_autoptr (GString) children = g_string_new (NULL);

    for (GDBusNodeInfo **child = node->nodes; child && *child; child++)
      g_string_append_printf (children, "%s%s", children->len > 0 ? " " : "", (*child)->path);
    g_assert_cmpstr (children->str, ==, nodes[i].children);
    for (gsize j = 0; j < G_N_ELEMENTS (standard); j++)
      g_assert_nonnull (g_dbus_node_info_lookup_interface (node, standard[j]));
  }
  g_variant_unref (
      client_call_on (h->client, ZINIT_MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL));
  g_variant_unref (client_call_on (h->client, ZINIT_MANAGER_PATH, "org.freedesktop.DBus.Peer", "GetMachineId",
                                   NULL, NULL));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus/contract-on-bus", test_contract_on_bus);
  g_test_add_func ("/bus/contract-on-socket", test_contract_on_socket);
  g_test_add_func ("/bus/no-bus", test_no_bus);
  g_test_add_func ("/bus/manager-properties", test_manager_properties);
  g_test_add_func ("/bus/options-left-out", test_options_left_out);
  g_test_add_func ("/bus/tree", test_tree);
  g_test_add_func ("/bus/refusals", test_refusals);
  g_test_add_func ("/bus/service-object", test_service_object);
  return g_test_run ();
}
