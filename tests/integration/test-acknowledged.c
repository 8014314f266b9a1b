/* SPDX-License-Identifier: Apache-2.0
 *
 * A request that was answered outlives a kill -9 of the daemon that comes with the answer, however many there
 * are and however fast they come.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "outcome.h"
#include "survival.h"

enum { N_SERVICES = 30 };

static char *
name_of (guint i)
{
  return g_strdup_printf ("s%u", i);
}

/* All of them run. */
static void
start_many (Harness *h)
{
  g_autoptr (GHashTable) outcomes = NULL;

  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = name_of (i);

    harness_service (h, name, "wait", "[lifecycle]\nrestart_delay_ms = 5\n");
  }
  survival_start (h);
  outcomes = outcome_wait (h);
  g_assert_cmpuint (g_hash_table_size (outcomes), ==, N_SERVICES);
}

/* Every service was stopped by a request: it is wanted down, and it is. */
static void
check_all_stopped (Harness *h)
{
  g_autoptr (GHashTable) outcomes = outcome_wait (h);
  guint n_stopped = 0;

  g_assert_cmpuint (g_hash_table_size (outcomes), ==, N_SERVICES);
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = name_of (i);
    const Outcome *outcome = outcome_find (outcomes, name);

    n_stopped += g_str_equal (outcome->wanted, "stop") && outcome->pid == 0;
  }
  if (n_stopped != N_SERVICES)
    g_error ("%u of %u services that were stopped run again", N_SERVICES - n_stopped, N_SERVICES);
}

static void
test_stop (void)
{
  g_autoptr (Harness) h = harness_new ();

  start_many (h);
  for (guint i = 0; i < N_SERVICES; i++)
    g_variant_unref (client_ok (h->client, "StopService", "('s%u', {'wait': <true>})", i));
  survival_start_again (h);
  check_all_stopped (h);
}

static void
test_stop_all (void)
{
  g_autoptr (Harness) h = harness_new ();

  start_many (h);
  g_variant_unref (client_ok (h->client, "StopAll", "(" NO_OPTIONS ",)"));
  survival_start_again (h);
  check_all_stopped (h);
}

/* Also those that nobody waits for before the next request is sent. */
static void
test_stop_at_once (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 serials[N_SERVICES];

  start_many (h);
  for (guint i = 0; i < N_SERVICES; i++)
    serials[i] = client_send (h->client, "StopService", "('s%u', " NO_OPTIONS ")", i);
  for (guint i = 0; i < N_SERVICES; i++)
    g_object_unref (client_wait_reply (h->client, serials[i]));
  survival_start_again (h);
  check_all_stopped (h);
}

static void
add (Harness *h, guint i)
{
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'s%u'>, 'exec': <'%s wait'>}}, " NO_OPTIONS ")", i,
                              harness_child ()));
}

static void
test_ephemeral (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GHashTable) outcomes = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char **names = NULL;

  survival_start (h);
  for (guint i = 0; i < N_SERVICES; i++)
    add (h, i);
  survival_start_again (h);
  reply = client_ok (h->client, "ListServices", NULL);
  g_variant_get (reply, "(^a&s)", &names);
  if (g_strv_length (names) != N_SERVICES)
    g_error ("%u of %u services that were added are known", g_strv_length (names), N_SERVICES);
  outcomes = outcome_wait (h);
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = name_of (i);

    g_assert_cmpstr (outcome_find (outcomes, name)->state, ==, "running");
    g_free (client_fails (h->client, "ServiceExists", "AddService",
                          "({'service': {'name': <'%s'>, 'exec': <'true'>}}, " NO_OPTIONS ")", name));
  }
}

static void
replace_all (Harness *h, const char *word)
{
  for (guint i = 0; i < N_SERVICES; i++)
    g_variant_unref (client_ok (h->client, "AddService",
                                "({'service': {'name': <'s%u'>, 'exec': <'%s out %s wait'>}},"
                                " {'replace': <true>, 'persist': <%s>})",
                                i, harness_child (), word, i % 2 == 0 ? "true" : "false"));
}

/* The definition that a running service gets at its next start; the last one, if there were several. */
static void
test_replacement (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GHashTable) outcomes = NULL;
  guint n_lost = 0;

  start_many (h);
  replace_all (h, "newer");
  replace_all (h, "new");
  survival_start_again (h);
  for (guint i = 0; i < N_SERVICES; i++)
    g_variant_unref (client_ok (h->client, "RestartService", "('s%u', " NO_OPTIONS ")", i));
  outcomes = outcome_wait (h);
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = name_of (i);

    n_lost += strstr (outcome_find (outcomes, name)->exec, " out new ") == NULL;
  }
  if (n_lost > 0)
    g_error ("%u of %u services have their old definition again", n_lost, N_SERVICES);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/acknowledged/stop", test_stop);
  g_test_add_func ("/acknowledged/stop-all", test_stop_all);
  g_test_add_func ("/acknowledged/stop-at-once", test_stop_at_once);
  g_test_add_func ("/acknowledged/ephemeral", test_ephemeral);
  g_test_add_func ("/acknowledged/replacement", test_replacement);
  return g_test_run ();
}
