/* SPDX-License-Identifier: Apache-2.0
 *
 * The private socket for clients that know only message buses: they say Hello, ask for the owner of the name
 * and for signals, and are served as on a bus, where no bus runs.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

#define DRIVER "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

static Harness *
start (void)
{
  static const char *const options[] = { "--no-bus", NULL };
  Harness *h = harness_new ();

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_service (h, "db", "wait", "status = \"ignore\"\n");
  harness_start_with (h, options);
  return h;
}

static char *
get_address (Harness *h)
{
  return g_strconcat ("unix:path=", h->socket, NULL);
}

static GVariant *
call_driver (TestClient *c, const char *method, GVariant *arguments, GError **error)
{
  return g_dbus_connection_call_sync (c->connection, DRIVER, DRIVER_PATH, DRIVER, method, arguments, NULL,
                                      G_DBUS_CALL_FLAGS_NONE, 20000, NULL, error);
}

static char *
ask_driver (TestClient *c, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = call_driver (c, method, arguments, &error);

  return reply != NULL ? g_variant_print (reply, FALSE) : g_dbus_error_get_remote_error (error);
}

#define assert_driver(client, method, arguments, expected)                                                   \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *actual_ = ask_driver (client, method, arguments);                                       \
    g_assert_cmpstr (actual_, ==, expected);                                                                 \
  }                                                                                                          \
  G_STMT_END

/* What GDBus does with a bus: Hello, match rules, the owner of the name, senders of signals. */
static void
test_hello (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *address = get_address (h);
  g_autoptr (TestClient) c = client_new_for_bus (address), other = client_new_for_bus (address);
  const char *name = g_dbus_connection_get_unique_name (c->connection);
  g_autoptr (GPtrArray) messages = NULL;
  guint n_signals = 0;

  g_assert_cmpstr (name, !=, g_dbus_connection_get_unique_name (other->connection));
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StartService", "('web', {'wait': <true>})"));
  assert_property (c, "web", "State", "running");
  assert_chain (c, "web", "inactive starting running");
  messages = client_record (c);
  for (guint i = 0; i < messages->len; i++) {
    GDBusMessage *message = messages->pdata[i];

    g_assert_cmpstr (g_dbus_message_get_sender (message), ==, ":1.0");
    n_signals += g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_SIGNAL ? 1 : 0;
  }
  g_assert_cmpuint (n_signals, >, 0);
  /* One without a name is served as ever, and hears signals that name no sender. */
  client_wait_state (h->client, "web", "running");
  assert_chain (h->client, "web", "inactive starting running");
}

/* What the bus says of itself is there: no method that is described is unknown. */
static void
check_described (TestClient *c)
{
  g_autoptr (GVariant) reply =
      client_call_on (c, DRIVER_PATH, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL);
  g_autoptr (GDBusNodeInfo) node = NULL;
  const char *xml;

  g_variant_get (reply, "(&s)", &xml);
  node = g_dbus_node_info_new_for_xml (xml, NULL);
  for (GDBusInterfaceInfo **info = node->interfaces; *info != NULL; info++) {
    for (GDBusMethodInfo **method = (*info)->methods; *method != NULL; method++) {
      g_autoptr (GError) error = NULL;
      /* Of no method's type, so that none is carried out. */
      g_autoptr (GVariant) none =
          client_call_on (c, DRIVER_PATH, (*info)->name, (*method)->name, g_variant_new ("(d)", 0.0), &error);
      g_autofree char *name = g_dbus_error_get_remote_error (error);

      g_test_message ("%s.%s", (*info)->name, (*method)->name);
      g_assert_null (none);
      g_assert_cmpstr (name, ==, "org.freedesktop.DBus.Error.InvalidArgs");
    }
  }
}

static void
test_driver (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *address = get_address (h), *long_rule = g_strnfill (2000, 'x');
  g_autoptr (TestClient) c = client_new_for_bus (address);
  g_autofree char *own = g_strdup_printf ("('%s',)", g_dbus_connection_get_unique_name (c->connection));
  g_autofree char *all = g_strdup_printf ("(['org.freedesktop.DBus', 'org.zinit', ':1.0', '%s'],)",
                                          g_dbus_connection_get_unique_name (c->connection));

  assert_driver (c, "Hello", NULL, "org.freedesktop.DBus.Error.Failed");
  assert_driver (c, "GetNameOwner", g_variant_new ("(s)", "org.zinit"), "(':1.0',)");
  assert_driver (c, "GetNameOwner", g_variant_new ("(s)", ":1.0"), "(':1.0',)");
  assert_driver (c, "GetNameOwner", g_variant_new ("(s)", DRIVER), "('" DRIVER "',)");
  assert_driver (c, "GetNameOwner", g_variant_new ("(s)", g_dbus_connection_get_unique_name (c->connection)),
                 own);
  assert_driver (c, "GetNameOwner", g_variant_new ("(s)", "org.example"),
                 "org.freedesktop.DBus.Error.NameHasNoOwner");
  assert_driver (c, "NameHasOwner", g_variant_new ("(s)", "org.zinit"), "(true,)");
  assert_driver (c, "NameHasOwner", g_variant_new ("(s)", "org.example"), "(false,)");
  assert_driver (c, "ListNames", NULL, all);
  assert_driver (c, "StartServiceByName", g_variant_new ("(su)", "org.zinit", 0), "(2,)");
  assert_driver (c, "RemoveMatch", g_variant_new ("(s)", "type='signal'"),
                 "org.freedesktop.DBus.Error.MatchRuleNotFound");
  assert_driver (c, "AddMatch", g_variant_new ("(s)", long_rule),
                 "org.freedesktop.DBus.Error.LimitsExceeded");
  assert_driver (c, "AddMatch", g_variant_new ("(i)", 1), "org.freedesktop.DBus.Error.InvalidArgs");
  assert_driver (c, "RequestName", g_variant_new ("(su)", "org.example", 0),
                 "org.freedesktop.DBus.Error.UnknownMethod");
  c->destination = DRIVER;
  check_described (c);
  /* Nobody else is there. */
  c->destination = "org.example";
  g_free (client_fails (c, "org.freedesktop.DBus.Error.ServiceUnknown", "ListServices", NULL));
  c->destination = ":1.0";
  g_variant_unref (client_ok (c, "ListServices", NULL));
}

/* Signals come to a client that has asked for some, as long as it wants any. */
static void
test_matches (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *address = get_address (h);
  g_autoptr (TestClient) c = client_new_for_bus (address);
  static const char *const rules[] = { "type='signal',path_namespace='" ZINIT_ROOT_PATH "'",
                                       "type='signal',sender='org.freedesktop.DBus',"
                                       "member='NameOwnerChanged',arg0='" ZINIT_BUS_NAME "'" };

  assert_driver (c, "AddMatch", g_variant_new ("(s)", rules[0]), "()");
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    assert_driver (c, "RemoveMatch", g_variant_new ("(s)", rules[i]), "()");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StartService", "('web', {'wait': <true>})"));
  assert_chain (c, "web", "inactive starting running");
  assert_driver (c, "RemoveMatch", g_variant_new ("(s)", rules[0]), "()");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StopService", "('web', {'wait': <true>})"));
  assert_chain (c, "web", "");
}

static void
on_changed (GDBusProxy *proxy, GVariant *changed, GStrv invalidated, gpointer data)
{
  g_autoptr (GVariant) state = g_dbus_proxy_get_cached_property (proxy, "State");

  if (state != NULL && strcmp (g_variant_get_string (state, NULL), "running") == 0)
    g_main_loop_quit (data);
}

/* A proxy as frontends use it: it watches the name and keeps properties by signals. */
static void
test_proxy (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *address = get_address (h);
  g_autoptr (TestClient) c = client_new_for_bus (address);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusProxy) proxy =
      g_dbus_proxy_new_sync (c->connection, G_DBUS_PROXY_FLAGS_NONE, NULL, ZINIT_BUS_NAME,
                             "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE, NULL, &error);
  g_autofree char *owner = NULL;

  g_assert_no_error (error);
  owner = g_dbus_proxy_get_name_owner (proxy);
  g_assert_cmpstr (owner, ==, ":1.0");
  g_signal_connect (proxy, "g-properties-changed", G_CALLBACK (on_changed), loop);
  g_dbus_proxy_call (proxy, "Start", NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  g_main_loop_run (loop);
}

/* The output of a program. */
static char *
run (const char *format, ...)
{
  g_autofree char *line = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL, *errors = NULL;
  va_list list;
  int status;

  va_start (list, format);
  line = g_strdup_vprintf (format, list);
  va_end (list);
  g_spawn_command_line_sync (line, &output, &errors, &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("%s: %s", line, errors);
  g_free (errors);
  return output;
}

static gboolean
has_program (const char *name)
{
  g_autofree char *path = g_find_program_in_path (name);

  if (path == NULL)
    g_test_skip_printf ("%s is not installed", name);
  return path != NULL;
}

static void
test_busctl (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *tree = NULL, *list = NULL, *started = NULL, *state = NULL, *status = NULL;

  if (!has_program ("busctl"))
    return;
  tree = run ("busctl --address=unix:path=%s --list tree org.zinit", h->socket);
  g_assert_nonnull (strstr (tree, "/org/zinit/service/web\n"));
  list =
      run ("busctl --address=unix:path=%s call org.zinit /org/zinit/Manager org.zinit.Manager ListServices",
           h->socket);
  g_assert_cmpstr (list, ==, "as 2 \"db\" \"web\"\n");
  started =
      run ("busctl --address=unix:path=%s call org.zinit /org/zinit/service/web org.zinit.Service Start "
           "a{sv} 1 wait b true",
           h->socket);
  state = run ("busctl --address=unix:path=%s get-property org.zinit /org/zinit/service/web "
               "org.zinit.Service State",
               h->socket);
  g_assert_cmpstr (state, ==, "s \"running\"\n");
  status = run ("busctl --address=unix:path=%s status org.zinit", h->socket);
  g_assert_nonnull (strstr (status, "PID="));
}

/* The answer to a call that ends this image gets out, also to a client that wants no signals. */
static void
test_last_answer (void)
{
  g_autoptr (Harness) h = start ();

  if (!has_program ("busctl"))
    return;
  for (int i = 0; i < 10; i++) {
    g_autofree char *output =
        run ("busctl --address=unix:path=%s call org.zinit /org/zinit/Manager org.zinit.Manager Reexecute",
             h->socket);

    g_assert_cmpstr (output, ==, "");
    g_clear_pointer (&h->client, client_free);
    h->client = client_new_for_socket (h->socket);
    g_variant_unref (client_ok (h->client, "ListServices", NULL));
  }
}

static void
test_gdbus (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *list = NULL, *xml = NULL;

  if (!has_program ("gdbus"))
    return;
  list = run ("gdbus call --address unix:path=%s --dest org.zinit --object-path /org/zinit/Manager --method "
              "org.zinit.Manager.ListServices",
              h->socket);
  g_assert_cmpstr (list, ==, "(['db', 'web'],)\n");
  xml = run ("gdbus introspect --address unix:path=%s --dest org.zinit --object-path /org/zinit --recurse",
             h->socket);
  g_assert_nonnull (strstr (xml, "node /org/zinit/service/web {"));
}

/* Until @path has @text. */
static void
wait_for_text (const char *path, const char *text)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *content = NULL;

    if (g_file_get_contents (path, &content, NULL, NULL) && strstr (content, text) != NULL)
      return;
    if (g_get_monotonic_time () > deadline)
      g_error ("%s has no %s: %s", path, text, content);
    g_usleep (1000);
  }
}

/* A monitor is shown the signals. */
static void
test_busctl_monitor (void)
{
  g_autoptr (Harness) h = start ();
  g_autofree char *path = harness_path (h, "monitor"), *line = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) monitor = NULL;

  if (!has_program ("busctl"))
    return;
  line = g_strdup_printf ("exec busctl --address=unix:path=%s monitor >%s 2>&1", h->socket, path);
  monitor = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, "/bin/sh", "-c", line, NULL);
  g_assert_no_error (error);
  wait_for_text (path, "Monitoring bus message stream");
  g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
  wait_for_text (path, "Member=ServiceStateChanged");
  g_subprocess_force_exit (monitor);
  g_subprocess_wait (monitor, NULL, NULL);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-socket/hello", test_hello);
  g_test_add_func ("/bus-socket/driver", test_driver);
  g_test_add_func ("/bus-socket/matches", test_matches);
  g_test_add_func ("/bus-socket/proxy", test_proxy);
  g_test_add_func ("/bus-socket/busctl", test_busctl);
  g_test_add_func ("/bus-socket/last-answer", test_last_answer);
  g_test_add_func ("/bus-socket/gdbus", test_gdbus);
  g_test_add_func ("/bus-socket/busctl-monitor", test_busctl_monitor);
  return g_test_run ();
}
