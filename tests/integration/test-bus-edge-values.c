/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls every method that introspection shows with edge values of its signature, and with arguments of other
 * types. The daemon answers each one, with a name of its own for each error, and lives on.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "harness.h"
#include "names.h"
#include "processes.h"

/* Edge values in text form by type; "%l" is replaced by 70,000 letters. */
typedef struct {
  const char *type;
  const char *values[24];
} EdgeValues;

static const EdgeValues edge_values[] = {
  { "s",
    { "'web'", "''", "'nobody'", "'../../etc/passwd'", "'a/b'", "'web@'", "'ünï'", "'%%s%%n'", "'a b'",
      "'\\n'", "'-'", "'.'", "'l%l'", NULL } },
  { "i", { "0", "1", "-1", "31", "32", "64", "65", "2147483647", "-2147483648", NULL } },
  { "as", { "@as []", "['web']", "['']", "['web', 'web']", "['nobody', 'web']", "['l%l']", NULL } },
  { "a{sv}",
    { "@a{sv} {}",
      "{'': <''>}",
      "{'nothing': <1>}",
      "{'wait': <false>}",
      "{'wait': <1>}",
      "{'tree': <true>}",
      "{'whom': <'main'>}",
      "{'whom': <''>}",
      "{'lines': <uint32 0>}",
      "{'lines': <uint32 4294967295>}",
      "{'lines': <-1>}",
      "{'since': <uint64 18446744073709551615>}",
      "{'stream': <'stderr'>}",
      "{'stream': <'%l'>}",
      "{'persist': <'x'>}",
      "{'stop': <true>}",
      "{'l%l': <true>}",
      "{'wait': <<<<true>>>>}",
      "{'lines': <uint32 1>, 'since': <uint64 0>, 'stream': <'stdout'>}",
      NULL } },
  { "a{sa{sv}}",
    { "@a{sa{sv}} {}", "{'service': @a{sv} {}}", "{'': {'': <''>}}",
      "{'service': {'name': <1>, 'exec': <'true'>}}", "{'service': {'name': <'x'>, 'exec': <''>}}",
      "{'service': {'name': <'a/b'>, 'exec': <'true'>}}", "{'service': {'name': <'n%l'>, 'exec': <'true'>}}",
      "{'service': {'name': <'x'>, 'exec': <'true %l'>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>, 'env': <{'A=B': 'c', '': 'd'}>}}",
      "{'service': {'name': <'web'>, 'exec': <'true'>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>}, 'dependencies': {'requires': <['x']>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycle': {'restart_delay_ms': <int64 -1>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycle': {'restart_delay_ms': <0.5>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycle': {'stop_signal': <uint64 "
      "18446744073709551615>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>}, 'logging': {'buffer_lines': <uint64 "
      "18446744073709551615>}}",
      "{'service': {'name': <'x'>, 'exec': <'true'>}, 'health': {'type': <'tcp'>}}",
      "{'service': {'name': <'x'>, 'exec': <<<'true'>>>}}", NULL } },
};

/* Ends the daemon when its arguments are good. */
static gboolean
ends_the_daemon (const char *method)
{
  static const char *const methods[] = { "Shutdown", "Reexecute", "PrepareRestart", NULL };

  return g_strv_contains (methods, method);
}

static GVariant *
make_value (const char *type, const char *template)
{
  static char *letters;
  g_auto (GStrv) parts = g_strsplit (template, "%l", -1);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *value;

  if (letters == NULL)
    letters = g_strnfill (70000, 'x');
  text = g_strjoinv (letters, parts);
  value = g_variant_parse (G_VARIANT_TYPE (type), text, NULL, NULL, &error);
  if (value == NULL)
    g_error ("%s as %s: %s", template, type, error->message);
  return value;
}

static const char *const *
values_of (const char *type)
{
  for (gsize i = 0; i < G_N_ELEMENTS (edge_values); i++) {
    if (g_str_equal (edge_values[i].type, type))
      return edge_values[i].values;
  }
  g_error ("the test has no edge values of type %s", type);
}

static void
check_answer (TestClient *c, const char *path, const char *interface, const char *method, GVariant *arguments)
{
  g_autoptr (GVariant) kept = g_variant_ref_sink (arguments);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = client_call_on (c, path, interface, method, kept, &error);
  g_autofree char *name = NULL;

  if (reply)
    return;
  name = g_dbus_error_get_remote_error (error);
  if (name == NULL || strstr (name, "Unmapped") || strstr (name, "NoReply") ||
      !(g_str_has_prefix (name, ZINIT_ERROR_PREFIX) ||
        g_str_has_prefix (name, "org.freedesktop.DBus.Error."))) {
    g_autofree char *shown = g_variant_print (kept, TRUE);

    client_fail (c, "%s (%.300s) gave %s", method, shown, error->message);
  }
}

/* Something to act on, whatever the call before did. One that is being removed is gone soon. */
static void
restore (Harness *h)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *text = g_strdup_printf (
        "({'service': {'name': <'web'>, 'exec': <'%s wait'>, 'status': <'ignore'>}}, {'replace': <true>})",
        harness_child ());
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply =
        client_call_on (h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "AddService",
                        g_variant_parse (NULL, text, NULL, NULL, NULL), &error);

    if (reply)
      return;
    if (strstr (error->message, "being removed") == NULL || g_get_monotonic_time () > deadline)
      client_fail (h->client, "AddService: %s", error->message);
    g_usleep (1000);
  }
}

static void
call_with_edge_values (Harness *h, const char *path, const char *interface, GDBusMethodInfo *method)
{
  guint n_args = 0;

  while (method->in_args && method->in_args[n_args])
    n_args++;
  /* Each argument through all of its values, the others at their first. */
  for (guint turn = 0; turn < MAX (n_args, 1); turn++) {
    const char *const *values = n_args ? values_of (method->in_args[turn]->signature) : NULL;

    do {
      GVariant *arguments[8];

      restore (h);
      g_assert_cmpuint (n_args, <, 8);
      for (guint i = 0; i < n_args; i++) {
        const char *type = method->in_args[i]->signature;

        arguments[i] = make_value (type, i == turn ? *values : values_of (type)[0]);
      }
      if (!ends_the_daemon (method->name) || !g_str_equal (*values, "@a{sv} {}"))
        check_answer (h->client, path, interface, method->name, g_variant_new_tuple (arguments, n_args));
      else
        g_variant_unref (g_variant_ref_sink (arguments[0]));
    } while (values && *++values);
  }
}

/* Arguments that do not match the signature never reach a method. */
static void
call_with_other_types (Harness *h, const char *path, const char *interface, GDBusMethodInfo *method)
{
  static const char *const others[] = { "()", "(1.5,)", "('x', 'y', 'z', 'w')", "(@aas [],)", "(<<'x'>>,)" };
  g_autofree char *expected = NULL;
  GString *types = g_string_new ("(");

  for (guint i = 0; method->in_args && method->in_args[i]; i++)
    g_string_append (types, method->in_args[i]->signature);
  expected = g_string_free (g_string_append_c (types, ')'), FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GVariant) arguments = g_variant_ref_sink (g_variant_parse (NULL, others[i], NULL, NULL, NULL));
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply = NULL;

    if (g_str_equal (g_variant_get_type_string (arguments), expected))
      continue;
    /* Options may be left out. */
    if (g_str_equal (others[i], "()") && g_str_equal (expected, "(a{sv})"))
      continue;
    reply = client_call_on (h->client, path, interface, method->name, arguments, &error);
    if (!g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS))
      client_fail (h->client, "%s with %s: %s", method->name, others[i],
                   error ? error->message : "succeeded");
  }
}

static void
call_all (Harness *h, const char *path, const char *interface)
{
  g_autoptr (GVariant) reply =
      client_call_on (h->client, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL);
  g_autoptr (GDBusNodeInfo) node = NULL;
  GDBusInterfaceInfo *info;
  const char *xml;

  g_assert_nonnull (reply);
  g_variant_get (reply, "(&s)", &xml);
  node = g_dbus_node_info_new_for_xml (xml, NULL);
  info = g_dbus_node_info_lookup_interface (node, interface);
  g_assert_nonnull (info);
  for (GDBusMethodInfo **method = info->methods; *method; method++) {
    call_with_edge_values (h, path, interface, *method);
    call_with_other_types (h, path, interface, *method);
  }
}

static void
run (Harness *h)
{
  g_autoptr (GVariant) names = NULL;
  pid_t pid = h->daemon_pid;

  call_all (h, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE);
  call_all (h, ZINIT_SERVICE_PREFIX "/web", ZINIT_SERVICE_INTERFACE);
  g_assert_true (processes_is_alive (pid));
  names = client_ok (h->client, "ListServices", NULL);
}

static void
test_on_bus (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_start (h);
  restore (h);
  run (h);
}

static void
test_on_socket (void)
{
  static const char *const options[] = { "--no-bus", NULL };
  g_autoptr (Harness) h = harness_new ();

  harness_start_with (h, options);
  restore (h);
  run (h);
}

/* Paths and interfaces that are not there. */
static void
test_paths (void)
{
  static const char *const paths[] = { "/",
                                       "/org",
                                       "/org/zinit",
                                       "/org/zinit/Manager/x",
                                       "/org/zinit/service",
                                       "/org/zinit/service/_",
                                       "/org/zinit/service/_zz",
                                       "/org/zinit/service/web_2",
                                       "/org/zinit/service/web/x" };
  static const char *const interfaces[] = { ZINIT_MANAGER_INTERFACE,
                                            ZINIT_SERVICE_INTERFACE,
                                            ZINIT_PROPERTIES_INTERFACE,
                                            ZINIT_OBJECT_MANAGER_INTERFACE,
                                            "org.freedesktop.DBus.Introspectable",
                                            "org.example.None" };
  g_autoptr (Harness) h = harness_new ();

  harness_start (h);
  restore (h);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    for (gsize j = 0; j < G_N_ELEMENTS (interfaces); j++) {
      check_answer (h->client, paths[i], interfaces[j], "GetAll",
                    g_variant_new ("(s)", ZINIT_SERVICE_INTERFACE));
      check_answer (h->client, paths[i], interfaces[j], "Get",
                    g_variant_new ("(ss)", interfaces[j], "State"));
      check_answer (h->client, paths[i], interfaces[j], "Introspect", g_variant_new ("()"));
      check_answer (h->client, paths[i], interfaces[j], "GetManagedObjects", g_variant_new ("()"));
    }
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-edge-values/on-bus", test_on_bus);
  g_test_add_func ("/bus-edge-values/on-socket", test_on_socket);
  g_test_add_func ("/bus-edge-values/paths", test_paths);
  return g_test_run ();
}
