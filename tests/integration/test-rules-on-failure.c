/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule E4 with real services: what is started for a failure, what it is told, and that no failure is lost
 * when the daemon is replaced while it waits.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>

#include "survival.h"

/* Writes what it was told to "told", and ends when there is a file of the name of the failed service. */
static void
add_alert (Harness *h)
{
  harness_write (h, "alert.toml",
                 "[service]\nexec = \"echo $ZINIT_FAILED_SERVICE $ZINIT_FAILED_REASON >>told; "
                 "while ! [ -e go-$ZINIT_FAILED_SERVICE ]; do sleep 0.01; done\"\n"
                 "dir = \"%s\"\nstatus = \"ignore\"\noneshot = true\n[lifecycle]\nrestart = \"never\"\n",
                 h->directory);
}

static void
add_failing (Harness *h, const char *name)
{
  harness_service (h, name, "wait",
                   "[lifecycle]\nrestart = \"never\"\non_failure = [\"alert\", \"nobody\"]\n");
}

static void
fail (Harness *h, const char *name)
{
  client_wait_state (h->client, name, "running");
  kill ((pid_t)client_get_pid (h->client, name), SIGKILL);
  client_wait_state (h->client, name, "failed");
}

static void
let_go (Harness *h, const char *name)
{
  g_autofree char *file = g_strconcat ("go-", name, NULL);
  g_autofree char *path = harness_path (h, file);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

static void
assert_told (Harness *h, guint count, const char *expected)
{
  g_auto (GStrv) lines = harness_wait_lines (h, "told", count);

  g_assert_cmpstr (lines[count - 1], ==, expected);
}

static void
test_replaced (gconstpointer data)
{
  gboolean is_reexecuted = GPOINTER_TO_INT (data);
  g_autoptr (Harness) h = harness_new ();

  add_alert (h);
  add_failing (h, "db");
  add_failing (h, "web");
  add_failing (h, "app");
  survival_start (h);
  survival_wait_said (h, "on_failure names nobody, which does not exist", 3);
  fail (h, "db");
  assert_told (h, 1, "db signal");
  fail (h, "web");
  survival_wait_saved (h, "alert", "failures", "\"web=signal\"");
  if (is_reexecuted)
    harness_reexecute (h);
  else
    survival_start_again (h);
  assert_property (h->client, "alert", "State", "running");
  fail (h, "app");
  let_go (h, "db");
  assert_told (h, 2, "web signal");
  let_go (h, "web");
  assert_told (h, 3, "app signal");
  let_go (h, "app");
  client_wait_property (h->client, "alert", "SubState", "done");
}

/* Its own end is perhaps not known then, and it is run for the other failure all the same. */
static void
test_ended_unseen (void)
{
  g_autoptr (Harness) h = harness_new ();
  pid_t pid;

  add_alert (h);
  add_failing (h, "db");
  add_failing (h, "web");
  survival_start (h);
  fail (h, "db");
  assert_told (h, 1, "db signal");
  fail (h, "web");
  survival_wait_saved (h, "alert", "failures", "\"web=signal\"");
  pid = (pid_t)client_get_pid (h->client, "alert");
  survival_crash (h);
  kill (-pid, SIGKILL);
  survival_start (h);
  assert_told (h, 2, "web signal");
  let_go (h, "web");
  client_wait_property (h->client, "alert", "SubState", "done");
}

/* A start on request is for no failure. */
static void
test_by_hand (void)
{
  g_autoptr (Harness) h = harness_new ();

  add_alert (h);
  add_failing (h, "db");
  survival_start (h);
  fail (h, "db");
  assert_told (h, 1, "db signal");
  let_go (h, "db");
  client_wait_property (h->client, "alert", "SubState", "done");
  let_go (h, "");
  g_variant_unref (client_ok (h->client, "RestartService", "('alert', {'wait': <true>})"));
  assert_told (h, 2, "");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/rules/E4/real-next-daemon", GINT_TO_POINTER (FALSE), test_replaced);
  g_test_add_data_func ("/rules/E4/real-reexecute", GINT_TO_POINTER (TRUE), test_replaced);
  g_test_add_func ("/rules/E4/real-ended-unseen", test_ended_unseen);
  g_test_add_func ("/rules/E4/real-by-hand", test_by_hand);
  return g_test_run ();
}
