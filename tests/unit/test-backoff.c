/* SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of back-off: doubling, cap, limit, reset.
 */
#include "model/backoff.h"

static ZinitDefinition *
definition_new (guint64 first_ms, guint64 cap_ms, guint64 max_restarts)
{
  ZinitDefinition *definition = zinit_definition_new ();

  definition->restart_delay_ms = first_ms;
  definition->restart_delay_max_ms = cap_ms;
  definition->max_restarts = max_restarts;
  return definition;
}

static void
test_doubles_to_the_cap (void)
{
  g_autoptr (ZinitDefinition) definition = definition_new (100, 700, 0);
  static const guint64 expected_ms[] = { 100, 200, 400, 700, 700, 700 };
  ZinitBackoff backoff;

  zinit_backoff_reset (&backoff, definition);
  for (guint i = 0; i < G_N_ELEMENTS (expected_ms); i++) {
    g_assert_cmpuint (backoff.count, ==, i);
    g_assert_cmpuint (zinit_backoff_get_delay_ms (&backoff, definition), ==, expected_ms[i]);
    zinit_backoff_advance (&backoff, definition);
  }
  zinit_backoff_reset (&backoff, definition);
  g_assert_cmpuint (backoff.count, ==, 0);
  g_assert_cmpuint (zinit_backoff_get_delay_ms (&backoff, definition), ==, 100);
}

static void
test_never_overflows (void)
{
  g_autoptr (ZinitDefinition) definition = definition_new (G_MAXUINT64 - 1, G_MAXUINT64, 0);
  ZinitBackoff backoff;

  zinit_backoff_reset (&backoff, definition);
  zinit_backoff_advance (&backoff, definition);
  g_assert_cmpuint (zinit_backoff_get_delay_ms (&backoff, definition), ==, G_MAXUINT64);
  backoff.count = G_MAXUINT32;
  zinit_backoff_advance (&backoff, definition);
  g_assert_cmpuint (backoff.count, ==, G_MAXUINT32);
}

static void
test_a_lower_cap_counts_at_once (void)
{
  g_autoptr (ZinitDefinition) definition = definition_new (1000, 60000, 0);
  ZinitBackoff backoff = { .count = 4, .delay_ms = 16000 };

  definition->restart_delay_max_ms = 2000;
  g_assert_cmpuint (zinit_backoff_get_delay_ms (&backoff, definition), ==, 2000);
  backoff.delay_ms = 0;
  g_assert_cmpuint (zinit_backoff_get_delay_ms (&backoff, definition), ==, 1);
}

static void
test_limit (void)
{
  g_autoptr (ZinitDefinition) definition = definition_new (1, 1, 2);
  g_autoptr (ZinitDefinition) unlimited = definition_new (1, 1, 0);
  ZinitBackoff backoff;

  zinit_backoff_reset (&backoff, definition);
  g_assert_false (zinit_backoff_is_exhausted (&backoff, definition));
  zinit_backoff_advance (&backoff, definition);
  g_assert_false (zinit_backoff_is_exhausted (&backoff, definition));
  zinit_backoff_advance (&backoff, definition);
  g_assert_true (zinit_backoff_is_exhausted (&backoff, definition));
  g_assert_false (zinit_backoff_is_exhausted (&backoff, unlimited));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backoff/doubles-to-the-cap", test_doubles_to_the_cap);
  g_test_add_func ("/backoff/never-overflows", test_never_overflows);
  g_test_add_func ("/backoff/a-lower-cap-counts-at-once", test_a_lower_cap_counts_at_once);
  g_test_add_func ("/backoff/limit", test_limit);
  return g_test_run ();
}
