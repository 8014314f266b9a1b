/* SPDX-License-Identifier: Apache-2.0
 *
 * Many services in one call: lists, statistics, requests for several and for all, and waiting for them.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "harness.h"
#include "names.h"

#define IGNORE "status = \"ignore\"\n"

static char *
call_text (TestClient *c, const char *method, const char *arguments)
{
  g_autoptr (GVariant) reply = client_ok (c, method, "%s", arguments);

  return g_variant_print (reply, FALSE);
}

#define assert_reply(client, method, arguments, expected)                                                    \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *actual_ = call_text (client, method, arguments);                                        \
    g_assert_cmpstr (actual_, ==, expected);                                                                 \
  }                                                                                                          \
  G_STMT_END

/* Name, state and sub-state of each row. */
static char *
list (TestClient *c, const char *options)
{
  g_autoptr (GVariant) reply = client_ok (c, "List", "(%s,)", options);
  g_autoptr (GVariant) rows = g_variant_get_child_value (reply, 0);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < g_variant_n_children (rows); i++) {
    const char *name, *path, *state, *sub_state, *health, *status;
    g_autofree char *expected = NULL;
    guint64 changed, started, next;
    guint32 pid, restarts;

    g_variant_get_child (rows, i, "(&s&o&s&s&sutttu&s)", &name, &path, &state, &sub_state, &health, &pid,
                         &changed, &started, &next, &restarts, &status);
    expected = client_service_path (name);
    g_assert_cmpstr (path, ==, expected);
    g_string_append_printf (text, "%s%s:%s:%s", i > 0 ? " " : "", name, state, sub_state);
  }
  return g_string_free (text, FALSE);
}

#define assert_list(client, options, expected)                                                               \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *actual_ = list (client, options);                                                       \
    g_assert_cmpstr (actual_, ==, expected);                                                                 \
  }                                                                                                          \
  G_STMT_END

static Harness *
start (void)
{
  Harness *h = harness_new ();

  harness_service (h, "web@1", "wait", IGNORE);
  harness_service (h, "db", "wait", IGNORE);
  harness_service (h, "base", "wait", IGNORE "class = \"system\"\n");
  harness_start (h);
  g_variant_unref (client_ok (h->client, "StartService", "('db', {'wait': <true>})"));
  return h;
}

static void
test_list (void)
{
  g_autoptr (Harness) h = start ();
  TestClient *c = h->client;
  g_autofree char *message = NULL;

  assert_list (c, NO_OPTIONS, "base:inactive:inactive db:running:running web@1:inactive:inactive");
  assert_list (c, "{'class': <'user'>}", "db:running:running web@1:inactive:inactive");
  assert_list (c, "{'states': <['running', 'failed']>}", "db:running:running");
  assert_list (c, "{'sub_states': <['inactive']>, 'class': <'system'>}", "base:inactive:inactive");
  assert_list (c, "{'names': <['web@1', 'nobody', 'base', 'web@1']>}",
               "base:inactive:inactive web@1:inactive:inactive");
  assert_list (c, "{'names': <@as []>}", "");
  message = client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "List", "({'states': <['up']>},)");
  g_assert_cmpstr (
      message, ==,
      "option “states” has “up”; allowed are inactive, blocked, starting, running, stopping, exited, failed");
  g_free (client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "List", "({'names': <'db'>},)"));
}

/* A row has what the properties say. */
static void
test_list_is_right (void)
{
  g_autoptr (Harness) h = start ();
  TestClient *c = h->client;
  g_autoptr (GVariant) reply = client_ok (c, "List", "({'names': <['db']>},)"), rows = NULL, row = NULL;
  static const char *const properties[] = { "Name",        NULL,           "State",          "SubState",
                                            "Health",      "Pid",          "StateChangedAt", "StartedAt",
                                            "NextRestart", "RestartCount", "StatusText" };

  rows = g_variant_get_child_value (reply, 0);
  row = g_variant_get_child_value (rows, 0);
  g_assert_cmpuint (g_variant_n_children (row), ==, G_N_ELEMENTS (properties));
  for (gsize i = 0; i < G_N_ELEMENTS (properties); i++) {
    g_autoptr (GVariant) value = g_variant_get_child_value (row, i), expected = NULL;

    if (properties[i] == NULL)
      continue;
    expected = client_get (c, "db", properties[i]);
    g_assert_true (g_variant_equal (value, expected));
  }
}

static void
test_stats (void)
{
  g_autoptr (Harness) h = start ();
  g_autoptr (GVariant) reply = client_ok (h->client, "ListStats", NULL), rows = NULL;
  const char *name;
  guint64 cpu, memory;
  guint32 processes, restarts;

  rows = g_variant_get_child_value (reply, 0);
  g_assert_cmpuint (g_variant_n_children (rows), ==, 3);
  /* Of a young process the kernel may count no memory yet. */
  g_variant_get_child (rows, 1, "(&sttuu)", &name, &cpu, &memory, &processes, &restarts);
  g_assert_cmpstr (name, ==, "db");
  g_assert_cmpuint (processes, ==, 1);
  assert_reply (h->client, "ListStats", "({'names': <['base', 'nobody']>},)", "([('base', 0, 0, 0, 0)],)");
}

static void
test_several (void)
{
  g_autoptr (Harness) h = start ();
  TestClient *c = h->client;
  g_autofree char *mixed = NULL;

  assert_reply (c, "StopServices", "(['db', 'db'], {'wait': <true>})", "([('db', true, 'exited')],)");
  assert_reply (c, "StartServices", "(['db', 'web@1'], {'wait': <true>, 'timeout_ms': <20000>})",
                "([('db', true, 'running'), ('web@1', true, 'running')],)");
  assert_reply (c, "RestartServices", "(['db', 'web@1'], {'wait': <true>})",
                "([('db', true, 'running'), ('web@1', true, 'running')],)");
  mixed = call_text (c, "StopServices", "(['db', 'nobody'], " NO_OPTIONS ")");
  g_assert_nonnull (strstr (mixed, "('db', true, 'accepted')"));
  g_assert_nonnull (strstr (mixed, "('nobody', false, 'there is no service"));
  assert_reply (c, "StartServices", "(@as [],)", "([],)");
}

/* Each has its own outcome, also when the time is over. */
static void
test_several_fail (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *outcome = NULL;
  TestClient *c;

  harness_write (h, "none.toml",
                 "[service]\nexec = \"/nonexistent/program\"\n" IGNORE "[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "slow", "wait", IGNORE "oneshot = true\n");
  harness_service (h, "after", "wait", IGNORE "[dependencies]\nrequires = [\"slow\"]\n");
  harness_service (h, "web", "wait", IGNORE);
  harness_start (h);
  c = h->client;
  outcome = call_text (c, "StartServices",
                       "(['none', 'slow', 'after', 'web'], {'wait': <true>, 'timeout_ms': <500>})");
  g_test_message ("%s", outcome);
  g_assert_nonnull (strstr (outcome, "('none', false, "));
  g_assert_nonnull (strstr (outcome, "/nonexistent/program"));
  g_assert_nonnull (strstr (outcome, "('after', false, 'not settled within 500 ms"));
  g_assert_nonnull (strstr (outcome, "('web', true, 'running')"));
}

static void
test_all (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;
  TestClient *c;

  harness_service (h, "a", "wait", "");
  harness_service (h, "b", "wait", "");
  harness_service (h, "stubborn", "ignore 15 out ready wait", IGNORE);
  harness_start (h);
  c = h->client;
  client_wait_state (c, "a", "running");
  client_wait_state (c, "b", "running");
  assert_reply (c, "StopAll", "({'wait': <true>},)", "(['a', 'b'],)");
  assert_property (c, "a", "State", "exited");
  assert_reply (c, "StartAll", "({'wait': <true>, 'timeout_ms': <20000>},)", "(['a', 'b'],)");
  assert_property (c, "b", "State", "running");
  g_variant_unref (client_ok (c, "StartService", "('stubborn', {'wait': <true>})"));
  client_wait_log_lines (c, "stubborn", 1);
  message = client_fails (c, "TimedOut", "StopAll", "({'wait': <true>, 'timeout_ms': <200>},)");
  g_assert_nonnull (strstr (message, "stubborn is stopping"));
  g_variant_unref (client_ok (c, "KillService", "('stubborn', 9)"));
}

static void
test_reset_failed (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "web", "exit 3", IGNORE "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  c = h->client;
  g_variant_unref (client_ok (c, "StartService", "('web',)"));
  client_wait_state (c, "web", "failed");
  assert_property (c, NULL, "FailedCount", "1");
  g_variant_unref (client_ok (c, "ResetFailed", "('web',)"));
  assert_property (c, "web", "State", "inactive");
  assert_property (c, "web", "SubState", "inactive");
  assert_property (c, NULL, "FailedCount", "0");
  g_free (client_fails (c, "NoSuchService", "ResetFailed", "('nobody',)"));
}

/* What the folder has and is refused can be seen at any time, and a change of it is told. */
static void
test_config_errors (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) errors = NULL;
  const char *path, *service, *message;
  TestClient *c;

  harness_write (h, "bad.toml", "[service]\nexec = 1\n");
  harness_start (h);
  c = h->client;
  errors = client_get (c, NULL, "ConfigErrors");
  g_assert_cmpstr (g_variant_get_type_string (errors), ==, "a(sss)");
  g_assert_cmpuint (g_variant_n_children (errors), ==, 1);
  g_variant_get_child (errors, 0, "(&s&s&s)", &path, &service, &message);
  g_assert_true (g_str_has_suffix (path, "/bad.toml"));
  g_assert_cmpstr (service, ==, "bad");
  g_assert_nonnull (strstr (message, "service.exec"));
  client_set_mark (c);
  harness_remove (h, "bad.toml");
  g_variant_unref (client_ok (c, "Reload", "({'allow_empty': <true>},)"));
  g_assert_cmpuint (client_count_signals (c, ZINIT_MANAGER_PATH, "PropertiesChanged"), ==, 1);
  assert_property (c, NULL, "ConfigErrors", "[]");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-bulk/list", test_list);
  g_test_add_func ("/bus-bulk/list-is-right", test_list_is_right);
  g_test_add_func ("/bus-bulk/stats", test_stats);
  g_test_add_func ("/bus-bulk/several", test_several);
  g_test_add_func ("/bus-bulk/several-fail", test_several_fail);
  g_test_add_func ("/bus-bulk/all", test_all);
  g_test_add_func ("/bus-bulk/reset-failed", test_reset_failed);
  g_test_add_func ("/bus-bulk/config-errors", test_config_errors);
  return g_test_run ();
}
