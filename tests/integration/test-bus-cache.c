/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that fetched everything once and follows the signals knows at any later time what a fresh one is
 * told: no change is without its signal, and no signal is without a change.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "harness.h"
#include "names.h"

/* "PATH Property" → GVariant */
typedef GHashTable Cache;

static void
store (Cache *cache, const char *path, const char *property, GVariant *value)
{
  g_hash_table_replace (cache, g_strconcat (path, " ", property, NULL), g_variant_ref (value));
}

static gboolean
store_all (Cache *cache, const char *path, GVariant *properties)
{
  GVariantIter iter;
  const char *property;
  GVariant *value;
  gboolean is_different = FALSE;

  g_variant_iter_init (&iter, properties);
  while (g_variant_iter_next (&iter, "{&sv}", &property, &value)) {
    g_autofree char *key = g_strconcat (path, " ", property, NULL);
    GVariant *old = g_hash_table_lookup (cache, key);

    is_different |= old == NULL || !g_variant_equal (old, value);
    store (cache, path, property, value);
    g_variant_unref (value);
  }
  return is_different;
}

static void
store_object (Cache *cache, const char *path, GVariant *interfaces)
{
  GVariantIter iter;
  const char *interface;
  GVariant *properties;

  g_variant_iter_init (&iter, interfaces);
  while (g_variant_iter_next (&iter, "{&s@a{sv}}", &interface, &properties)) {
    store_all (cache, path, properties);
    g_variant_unref (properties);
  }
}

static gboolean
is_of_object (gpointer key, gpointer value, gpointer path)
{
  g_autofree char *start = g_strconcat (path, " ", NULL);

  return g_str_has_prefix (key, start);
}

static Cache *
fetch (TestClient *c)
{
  Cache *cache = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (c, ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, "GetManagedObjects", NULL, &error);
  g_autoptr (GVariant) objects = NULL;
  GVariantIter iter;
  const char *path;
  GVariant *interfaces;

  g_assert_no_error (error);
  objects = g_variant_get_child_value (reply, 0);
  g_variant_iter_init (&iter, objects);
  while (g_variant_iter_next (&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
    store_object (cache, path, interfaces);
    g_variant_unref (interfaces);
  }
  return cache;
}

static void
follow (Cache *cache, GDBusMessage *message)
{
  const char *member = g_dbus_message_get_member (message);
  GVariant *body = g_dbus_message_get_body (message);
  g_autoptr (GVariant) content = NULL;
  const char *path, *interface;

  if (g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_SIGNAL)
    return;
  if (g_str_equal (member, "InterfacesAdded")) {
    g_variant_get (body, "(&o@a{sa{sv}})", &path, &content);
    store_object (cache, path, content);
  } else if (g_str_equal (member, "InterfacesRemoved")) {
    g_variant_get (body, "(&o@as)", &path, NULL);
    g_assert_cmpuint (g_hash_table_foreach_remove (cache, is_of_object, (gpointer)path), >, 0);
  } else if (g_str_equal (member, "PropertiesChanged")) {
    g_autoptr (GVariant) invalidated = NULL;

    g_variant_get (body, "(&s@a{sv}@as)", &interface, &content, &invalidated);
    if (g_variant_n_children (invalidated) > 0) {
      const char *const *names = g_variant_get_strv (invalidated, NULL);

      g_assert_cmpstr (g_dbus_message_get_path (message), ==, ZINIT_MANAGER_PATH);
      g_assert_cmpstr (names[0], ==, "Sequence");
      g_free ((gpointer)names);
      if (g_variant_n_children (content) == 0)
        return;
    }
    if (!store_all (cache, g_dbus_message_get_path (message), content)) {
      g_autofree char *shown = g_variant_print (content, FALSE);

      g_error ("a signal without a change: %s %s", g_dbus_message_get_path (message), shown);
    }
  }
}

static void
check_same (TestClient *c, Cache *cache)
{
  g_autoptr (GPtrArray) messages = client_record (c);
  g_autoptr (GHashTable) fresh = NULL;
  GHashTableIter iter;
  gpointer key, value;

  for (guint i = 0; i < messages->len; i++)
    follow (cache, g_ptr_array_index (messages, i));
  client_set_mark (c);
  fresh = fetch (c);
  g_hash_table_iter_init (&iter, fresh);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    GVariant *followed = g_hash_table_lookup (cache, key);

    /* The one property that is invalidated, and not sent. */
    if (g_str_equal (key, ZINIT_MANAGER_PATH " Sequence"))
      continue;
    if (followed == NULL || !g_variant_equal (followed, value)) {
      g_autofree char *a = followed ? g_variant_print (followed, FALSE) : g_strdup ("nothing");
      g_autofree char *b = g_variant_print (value, FALSE);

      g_error ("%s is %s, and by the signals %s", (char *)key, b, a);
    }
  }
  g_assert_cmpuint (g_hash_table_size (cache), ==, g_hash_table_size (fresh));
}

static void
do_calls (TestClient *c)
{
  g_variant_unref (client_ok (c, "StartService", "('web', " NO_OPTIONS ")"));
  client_wait_state (c, "web", "blocked");
  g_variant_unref (client_ok (c, "StartService", "('db', {'wait': <true>})"));
  client_wait_state (c, "web", "running");
  g_variant_unref (client_ok (c, "KillService", "('db', 9, " NO_OPTIONS ")"));
  client_wait_property (c, "db", "RestartCount", "1");
  client_wait_state (c, "db", "running");
  /* Counted anew once it is stable. */
  client_wait_property (c, "db", "RestartCount", "0");
  g_variant_unref (client_ok (c, "RestartService", "('db', {'wait': <true>})"));
  client_wait_state (c, "web", "running");
  g_free (client_fails (c, "SpawnFailed", "StartService", "('none', {'wait': <true>})"));
  g_variant_unref (client_ok (c, "StartService", "('once', {'wait': <true>})"));
  g_variant_unref (client_ok (c, "StopService", "('db', {'wait': <true>})"));
  g_variant_unref (client_ok (c, "SetLogLevel", "('debug',)"));
}

static void
do_definitions (Harness *h)
{
  TestClient *c = h->client;

  g_variant_unref (client_ok (c, "AddService",
                              "({'service': {'name': <'extra'>, 'exec': <'sleep 1000'>},"
                              " 'dependencies': {'requires': <['once', 'db']>}}, " NO_OPTIONS ")"));
  client_wait_state (c, "extra", "blocked");
  g_variant_unref (client_ok (
      c, "AddService", "({'service': {'name': <'extra'>, 'exec': <'sleep 2000'>}}, {'replace': <true>})"));
  client_wait_state (c, "extra", "running");
  g_variant_unref (client_ok (
      c, "AddService", "({'service': {'name': <'extra'>, 'exec': <'sleep 2000'>}}, {'replace': <true>})"));
  harness_service (h, "db", "wait", "status = \"ignore\"\n[dependencies]\nwants = [\"once\"]\n");
  harness_service (h, "fresh", "wait", "[dependencies]\nrequires = [\"nobody\"]\n");
  harness_remove (h, "none.toml");
  g_free (harness_reload (h));
  client_wait_state (c, "fresh", "failed");
  g_variant_unref (client_ok (c, "RemoveService", "('extra', {'stop': <true>})"));
  client_wait_property (c, NULL, "ServiceCount", "4");
}

static void
test_follow (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GHashTable) cache = NULL;
  TestClient *c;

  harness_service (h, "db", "wait",
                   "status = \"ignore\"\n[lifecycle]\nrestart_delay_ms = 20\nstability_period_ms = 50\n");
  harness_service (h, "web", "wait", "status = \"ignore\"\n[dependencies]\nrequires = [\"db\"]\n");
  harness_service (h, "once", "exit 0", "status = \"ignore\"\noneshot = true\n");
  harness_write (
      h, "none.toml",
      "[service]\nexec = \"/nonexistent/program\"\nstatus = \"ignore\"\n[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  c = h->client;
  client_wait_property (c, NULL, "State", "running");
  client_set_mark (c);
  cache = fetch (c);
  check_same (c, cache);
  do_calls (c);
  check_same (c, cache);
  do_definitions (h);
  check_same (c, cache);
}

/* A proxy of GLib keeps what it has read until it hears of a change, also Sequence. */
static void
test_sequence (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GDBusProxy) proxy = NULL;
  g_autoptr (GError) error = NULL;
  TestClient *c;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  c = h->client;
  client_wait_property (c, NULL, "State", "running");
  proxy = g_dbus_proxy_new_sync (c->connection, G_DBUS_PROXY_FLAGS_NONE, NULL, ZINIT_BUS_NAME,
                                 ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 2; i++) {
    g_autoptr (GVariant) before = g_dbus_proxy_get_cached_property (proxy, "Sequence"), after = NULL,
                         read = NULL;

    g_assert_nonnull (before);
    client_set_mark (c);
    g_variant_unref (client_ok (c, i % 2 ? "StopService" : "StartService", "('web', {'wait': <true>})"));
    /* Some transitions, and one signal of this. */
    g_assert_cmpuint (client_count_signals (c, ZINIT_MANAGER_PATH, "PropertiesChanged"), ==, 1);
    while (g_main_context_iteration (NULL, FALSE))
      ;
    after = g_dbus_proxy_get_cached_property (proxy, "Sequence");
    g_assert_null (after);
    read = client_get (c, NULL, "Sequence");
    g_dbus_proxy_set_cached_property (proxy, "Sequence", read);
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-cache/follow", test_follow);
  g_test_add_func ("/bus-cache/sequence", test_sequence);
  return g_test_run ();
}
