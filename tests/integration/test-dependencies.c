/* SPDX-License-Identifier: Apache-2.0
 *
 * Services that depend on each other: order of start and stop, gates, conflicts, cycles, and why one waits.
 * What follows when a dependency fails is in test-dependency-failures.c.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "harness.h"
#include "processes.h"

#define BY_HAND "status = \"ignore\"\n"

/* Orders for a oneshot that exits 0 once the test says so. Transfer full. */
static char *
gate (Harness *h, const char *name, int code)
{
  g_autofree char *path = harness_path (h, name);

  return g_strdup_printf ("until %s exit %d", path, code);
}

static void
open_gate (Harness *h, const char *name)
{
  g_autofree char *path = harness_path (h, name);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

static char *
why (TestClient *c, const char *service)
{
  g_autoptr (GVariant) reply = client_ok (c, "WhyBlocked", "('%s',)", service);

  g_assert_cmpstr (g_variant_get_type_string (reply), ==, "(a(sss))");
  return g_variant_print (reply, FALSE);
}

#define assert_why(client, service, text)                                                                    \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *why_ = why (client, service);                                                           \
    g_assert_cmpstr (why_, ==, text);                                                                        \
  }                                                                                                          \
  G_STMT_END

static void
test_requires (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *orders = gate (h, "go", 0);
  TestClient *c;

  harness_service (h, "setup", orders, "oneshot = true\n");
  harness_service (h, "db", "wait", "[dependencies]\nrequires = [\"setup\"]\n");
  harness_service (h, "app", "wait", "[dependencies]\nrequires = [\"db\"]\nafter = [\"db\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "setup", "running");
  /* A oneshot that runs still does not satisfy. */
  client_wait_state (c, "db", "blocked");
  assert_property (c, "db", "WaitingOn", "['setup']");
  client_wait_state (c, "app", "blocked");
  assert_property (c, "app", "WaitingOn", "['db']");
  assert_why (c, "db", "([('requires', 'setup', 'running')],)");
  assert_why (c, "app", "([('requires', 'db', 'blocked'), ('after', 'db', 'blocked')],)");
  client_set_mark (c);
  open_gate (h, "go");
  client_wait_state (c, "app", "running");
  assert_chain (c, "db", "blocked starting running");
  assert_chain (c, "app", "blocked starting running");
  g_assert_cmpuint (client_position (c, "setup", "exited"), <, client_position (c, "db", "starting"));
  g_assert_cmpuint (client_position (c, "db", "running"), <, client_position (c, "app", "starting"));
  assert_property (c, "app", "WaitingOn", "[]");
  assert_why (c, "app", "([],)");
  assert_property (c, "setup", "RequiredBy", "['db']");
  assert_property (c, "db", "RequiredBy", "['app']");
  client_check_sequence (c);
}

static void
test_after (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *orders = gate (h, "go", 0);
  TestClient *c;

  harness_service (h, "gate", orders, "oneshot = true\n");
  /* Attempted, though it failed at once. */
  harness_service (h, "bad", "exit 9",
                   "[dependencies]\nrequires = [\"gate\"]\n[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "second", "wait", "[dependencies]\nafter = [\"bad\"]\n");
  harness_service (h, "unknown", "wait", "[dependencies]\nafter = [\"nobody\"]\n");
  harness_service (h, "idle", "wait", BY_HAND);
  harness_service (h, "third", "wait", "[dependencies]\nafter = [\"idle\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "unknown", "running");
  client_wait_state (c, "second", "blocked");
  assert_property (c, "second", "WaitingOn", "['bad']");
  /* What nobody starts keeps nothing waiting. */
  client_wait_state (c, "third", "running");
  client_set_mark (c);
  open_gate (h, "go");
  client_wait_state (c, "second", "running");
  g_assert_cmpuint (client_position (c, "bad", "starting"), <, client_position (c, "second", "starting"));
  client_wait_state (c, "bad", "failed");
}

static void
test_wants (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "extra", "wait", BY_HAND);
  harness_service (h, "needed", "wait", BY_HAND);
  harness_service (h, "deep", "wait", BY_HAND);
  harness_service (h, "app", "wait",
                   BY_HAND "[dependencies]\nwants = [\"extra\", \"nobody\"]\nrequires = [\"needed\"]\n");
  harness_service (h, "needed", "wait", BY_HAND "[dependencies]\nrequires = [\"deep\"]\n");
  harness_start (h);
  c = h->client;
  /* Start of one service starts that service only. */
  g_variant_unref (client_ok (c, "StartService", "('app', " NO_OPTIONS ")"));
  client_wait_state (c, "app", "blocked");
  assert_property (c, "needed", "State", "inactive");
  assert_property (c, "extra", "State", "inactive");
  g_variant_unref (client_ok (c, "StopService", "('app', {'wait': <true>})"));
  assert_property (c, "app", "State", "inactive");
  /* With its tree also what it requires and wants, all the way down. */
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StartService", "('app', {'tree': <true>, 'wait': <true>})"));
  client_wait_state (c, "app", "running");
  assert_property (c, "needed", "State", "running");
  assert_property (c, "deep", "State", "running");
  client_wait_state (c, "extra", "running");
  g_assert_cmpuint (client_position (c, "deep", "running"), <, client_position (c, "needed", "starting"));
  g_assert_cmpuint (client_position (c, "needed", "running"), <, client_position (c, "app", "starting"));
}

/* Never both at a time, whichever of the two names the other. */
static void
test_conflicts (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "a", "wait", BY_HAND);
  harness_service (h, "b", "wait", BY_HAND "[dependencies]\nconflicts = [\"a\"]\n");
  harness_start (h);
  c = h->client;
  for (int i = 0; i < 2; i++) {
    const char *first = i == 0 ? "a" : "b", *second = i == 0 ? "b" : "a";
    g_autofree char *expected = g_strdup_printf ("([('conflicts', '%s', 'running')],)", first);

    g_variant_unref (client_ok (c, "StartService", "('%s', {'wait': <true>})", first));
    g_variant_unref (client_ok (c, "StartService", "('%s', " NO_OPTIONS ")", second));
    client_wait_state (c, second, "blocked");
    assert_why (c, second, expected);
    assert_property (c, first, "State", "running");
    client_set_mark (c);
    g_variant_unref (client_ok (c, "StopService", "('%s', " NO_OPTIONS ")", first));
    client_wait_state (c, second, "running");
    g_assert_cmpuint (client_position (c, first, "exited"), <, client_position (c, second, "starting"));
    g_variant_unref (client_ok (c, "StopService", "('%s', {'wait': <true>})", second));
  }
}

/* Stop first stops those that require it, never what it requires; they come back when it does. */
static void
test_stop_cascade (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "base", "wait", "");
  harness_service (h, "db", "on-term 0 50 wait", "[dependencies]\nrequires = [\"base\"]\n");
  harness_service (h, "app", "on-term 0 50 wait", "[dependencies]\nrequires = [\"db\"]\n");
  harness_service (h, "other", "wait", "[dependencies]\nafter = [\"db\"]\nwants = [\"db\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "app", "running");
  client_wait_state (c, "other", "running");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StopService", "('db', {'wait': <true>})"));
  g_assert_cmpuint (client_position (c, "app", "exited"), <, client_position (c, "db", "stopping"));
  assert_property (c, "base", "State", "running");
  assert_property (c, "other", "State", "running");
  assert_property (c, "db", "WantedStatus", "stop");
  assert_property (c, "app", "WantedStatus", "start");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StartService", "('db', " NO_OPTIONS ")"));
  client_wait_state (c, "app", "running");
  g_assert_cmpuint (client_position (c, "db", "running"), <, client_position (c, "app", "starting"));
}

static void
test_restart_cascade (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;
  guint32 app, base;

  harness_service (h, "base", "wait", "");
  harness_service (h, "db", "on-term 0 30 wait", "[dependencies]\nrequires = [\"base\"]\n");
  harness_service (h, "app", "on-term 0 30 wait", "[dependencies]\nrequires = [\"db\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "app", "running");
  app = client_get_pid (c, "app");
  base = client_get_pid (c, "base");
  client_set_mark (c);
  g_variant_unref (client_ok (c, "RestartService", "('db', {'wait': <true>})"));
  client_wait_state (c, "app", "running");
  g_assert_cmpuint (client_get_pid (c, "app"), !=, app);
  g_assert_cmpuint (client_get_pid (c, "base"), ==, base);
  g_assert_cmpuint (client_position (c, "app", "exited"), <, client_position (c, "db", "stopping"));
  g_assert_cmpuint (client_position (c, "db", "exited"), <, client_position (c, "db", "starting"));
  g_assert_cmpuint (client_position (c, "db", "running"), <, client_position (c, "app", "starting"));
  assert_property (c, "app", "RestartCount", "0");
}

/* On load only the services in a cycle are refused, and the message shows the chain. */
static void
test_cycle_on_load (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) names = NULL, errors = NULL;
  g_autofree char *shown = NULL, *log = NULL;

  harness_service (h, "a", "wait", "[dependencies]\nrequires = [\"b\"]\n");
  harness_service (h, "b", "wait", "[dependencies]\nafter = [\"c\"]\n");
  harness_service (h, "c", "wait", "[dependencies]\nrequires = [\"a\"]\n");
  harness_service (h, "self", "wait", "[dependencies]\nrequires = [\"self\"]\n");
  harness_service (h, "good", "wait", "");
  harness_service (h, "leaf", "wait", "[dependencies]\nafter = [\"a\"]\n");
  harness_start (h);
  client_wait_state (h->client, "good", "running");
  client_wait_state (h->client, "leaf", "running");
  names = client_ok (h->client, "ListServices", NULL);
  shown = g_variant_print (names, FALSE);
  g_assert_cmpstr (shown, ==, "(['good', 'leaf'],)");
  g_assert_true (g_file_get_contents (h->log_path, &log, NULL, NULL));
  g_assert_nonnull (strstr (log, "→"));
}

static void
test_cycle_on_add (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;
  TestClient *c;

  harness_service (h, "a", "wait", "[dependencies]\nafter = [\"b\"]\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "a", "running");
  message = client_fails (c, "CyclicDependency", "AddService",
                          "({'service': {'name': <'b'>, 'exec': <'sleep 100'>}, 'dependencies': {'requires': "
                          "<['a']>}}, " NO_OPTIONS ")");
  g_assert_true (strstr (message, "a → b → a") || strstr (message, "b → a → b"));
  g_free (client_fails (c, "NoSuchService", "GetService", "('b',)"));
  assert_property (c, "a", "State", "running");
}

/* Bulk calls act on services of class user. */
static void
test_bulk (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) stopped = NULL, started = NULL, removed = NULL, left = NULL;
  g_autofree char *a = NULL, *b = NULL, *d = NULL, *e = NULL;
  TestClient *c;

  harness_service (h, "one", "wait", "");
  harness_service (h, "two", "wait", "[dependencies]\nrequires = [\"one\"]\n");
  harness_service (h, "sys", "wait", "class = \"system\"\n");
  harness_service (h, "off", "wait", "status = \"stop\"\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "two", "running");
  client_wait_state (c, "sys", "running");
  stopped = client_ok (c, "StopAll", "(" NO_OPTIONS ",)");
  a = g_variant_print (stopped, FALSE);
  g_assert_cmpstr (a, ==, "(['one', 'two'],)");
  client_wait_state (c, "one", "exited");
  assert_property (c, "two", "State", "exited");
  assert_property (c, "sys", "State", "running");
  started = client_ok (c, "StartAll", "(" NO_OPTIONS ",)");
  b = g_variant_print (started, FALSE);
  client_wait_state (c, "one", "running");
  client_wait_state (c, "two", "running");
  g_assert_nonnull (strstr (b, "'one'"));
  g_assert_nonnull (strstr (b, "'two'"));
  g_assert_null (strstr (b, "'sys'"));
  removed = client_ok (c, "RemoveAll", "(" NO_OPTIONS ",)");
  d = g_variant_print (removed, FALSE);
  g_assert_cmpstr (d, ==, "(['off', 'one', 'two'],)");
  client_wait_property (c, NULL, "ServiceCount", "1");
  left = client_ok (c, "ListServices", NULL);
  e = g_variant_print (left, FALSE);
  g_assert_cmpstr (e, ==, "(['sys'],)");
  assert_property (c, "sys", "State", "running");
}

/* Forty services in a chain and forty that need the last: nobody before what it needs. */
static void
test_many (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *stamps = harness_path (h, "stamps");
  g_autofree char *orders = g_strdup_printf ("stamp %s wait", stamps);
  g_autoptr (GHashTable) begun = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = NULL;

  for (int i = 0; i < 80; i++) {
    g_autofree char *name = g_strdup_printf ("s%02d", i);
    g_autofree char *more =
        i == 0 ? g_strdup ("")
               : g_strdup_printf ("[dependencies]\nrequires = [\"s%02d\"]\n", i < 40 ? i - 1 : 39);

    harness_service (h, name, orders, more);
  }
  harness_start (h);
  for (int i = 40; i < 80; i++) {
    g_autofree char *name = g_strdup_printf ("s%02d", i);

    client_wait_state (h->client, name, "running");
  }
  lines = harness_wait_lines (h, "stamps", 80);
  g_assert_cmpuint (g_strv_length (lines), ==, 80);
  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);

    g_assert_true (g_hash_table_add (begun, g_strdup (words[1])));
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/dependencies/requires", test_requires);
  g_test_add_func ("/dependencies/after", test_after);
  g_test_add_func ("/rules/B5/wants", test_wants);
  g_test_add_func ("/dependencies/conflicts", test_conflicts);
  g_test_add_func ("/dependencies/stop-cascade", test_stop_cascade);
  g_test_add_func ("/dependencies/restart-cascade", test_restart_cascade);
  g_test_add_func ("/rules/B7/load", test_cycle_on_load);
  g_test_add_func ("/rules/B7/add", test_cycle_on_add);
  g_test_add_func ("/dependencies/bulk", test_bulk);
  g_test_add_func ("/dependencies/many", test_many);
  return g_test_run ();
}
