/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies with real children: a service that is placed before another one, and services that go down
 * with the one to which they bind, also when the daemon is killed meanwhile.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <sys/prctl.h>

#include "survival.h"

static void
create (Harness *h, const char *name)
{
  g_autofree char *path = harness_path (h, name);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

/* The service ends, whatever it is told, once the test says so. */
static void
write_stubborn (Harness *h, const char *name, const char *gate, const char *more)
{
  g_autofree char *path = harness_path (h, gate);
  g_autofree char *orders = g_strdup_printf ("ignore 15 out deaf until %s exit 0", path);

  harness_service (h, name, orders, more);
}

static void
test_before (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *c;

  harness_service (h, "app", "wait", "");
  write_stubborn (h, "prepare", "go", "oneshot = true\n[dependencies]\nbefore = [\"app\", \"nobody\"]\n");
  survival_start (h);
  c = h->client;
  client_wait_state (c, "prepare", "running");
  client_wait_state (c, "app", "blocked");
  assert_property (c, "app", "WaitingOn", "['prepare']");
  /* The next daemon reads it from what was saved. */
  survival_wait_saved (h, "app", "state", "\"blocked\"");
  survival_start_again (h);
  c = h->client;
  assert_property (c, "app", "State", "blocked");
  create (h, "go");
  client_wait_state (c, "app", "running");
  assert_property (c, "prepare", "State", "exited");
}

static void
write_bound (Harness *h)
{
  harness_service (h, "db", "wait", "[lifecycle]\nrestart_delay_ms = 1\n");
  harness_service (h, "alone", "wait", "[dependencies]\nrequires = [\"db\"]\n");
  write_stubborn (h, "app", "app-ends",
                  "[dependencies]\nbinds_to = [\"db\"]\n[lifecycle]\nstop_timeout_ms = 60000\n");
  harness_service (h, "top", "wait", "[dependencies]\nrequires = [\"app\"]\n");
}

/* All are up, and app is deaf to its stop signal. */
static void
wait_up (Harness *h)
{
  client_wait_state (h->client, "top", "running");
  client_wait_state (h->client, "alone", "running");
  client_wait_log_lines (h->client, "app", 1);
}

/* db is killed, and top is down already; app lives still. */
static void
crash_db (Harness *h)
{
  TestClient *c = h->client;

  wait_up (h);
  client_set_mark (c);
  kill ((pid_t)client_get_pid (c, "db"), SIGKILL);
  client_wait_state (c, "app", "stopping");
  client_wait_state (c, "db", "blocked");
}

static void
test_binds_to (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) why = NULL;
  g_autofree char *text = NULL;
  TestClient *c;
  guint32 alone;

  write_bound (h);
  survival_start (h);
  c = h->client;
  client_wait_state (c, "alone", "running");
  alone = client_get_pid (c, "alone");
  crash_db (h);
  why = client_ok (c, "WhyBlocked", "('db',)");
  text = g_variant_print (why, FALSE);
  g_assert_cmpstr (text, ==, "([('bound_by', 'app', 'stopping')],)");
  create (h, "app-ends");
  client_wait_transition (c, "top", "starting", "running");
  g_assert_cmpuint (client_position (c, "top", "stopping"), <, client_position (c, "app", "stopping"));
  g_assert_cmpuint (client_position (c, "app", "exited"), <, client_position (c, "db", "starting"));
  g_assert_cmpuint (client_position (c, "db", "running"), <, client_position (c, "app", "starting"));
  g_assert_cmpuint (client_get_pid (c, "alone"), ==, alone);
  client_check_sequence (c);
}

/* The daemon is killed while db waits: the next one goes on with that. */
static void
test_binds_to_survives (void)
{
  g_autoptr (Harness) h = harness_new ();

  write_bound (h);
  survival_start (h);
  crash_db (h);
  survival_wait_saved (h, "app", "state", "\"stopping\"");
  survival_wait_saved (h, "db", "state", "\"blocked\"");
  survival_start_again (h);
  assert_property (h->client, "db", "State", "blocked");
  assert_property (h->client, "app", "State", "stopping");
  create (h, "app-ends");
  client_wait_state (h->client, "top", "running");
  assert_property (h->client, "db", "State", "running");
}

/* db dies while there is no daemon: what binds to it is stopped by the next one. */
static void
test_binds_to_unseen (void)
{
  g_autoptr (Harness) h = harness_new ();
  pid_t db;

  write_bound (h);
  survival_start (h);
  wait_up (h);
  survival_wait_saved (h, "top", "state", "\"running\"");
  db = (pid_t)client_get_pid (h->client, "db");
  survival_crash (h);
  kill (db, SIGKILL);
  survival_start (h);
  client_wait_state (h->client, "app", "stopping");
  client_wait_state (h->client, "db", "blocked");
  create (h, "app-ends");
  client_wait_state (h->client, "top", "running");
  assert_property (h->client, "db", "State", "running");
}

int
main (int argc, char **argv)
{
  /* What a killed daemon leaves is reaped here, and when the test says so. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  harness_init (&argc, &argv);
  g_test_add_func ("/rules/B4/real", test_before);
  g_test_add_func ("/rules/C3/real", test_binds_to);
  g_test_add_func ("/rules/C3/survives", test_binds_to_survives);
  g_test_add_func ("/rules/C3/unseen", test_binds_to_unseen);
  return g_test_run ();
}
