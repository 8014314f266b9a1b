/* SPDX-License-Identifier: Apache-2.0
 *
 * zinitd is killed before each of its system calls, in each step of the life that script.c has, from the
 * start to the shutdown. Afterwards the next daemon has everything: nothing is lost, nothing runs twice, what
 * was acknowledged holds. The short part takes every place once, with --long every call. How one is repeated:
 * attack.h.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "attack.h"

static gboolean is_long;
/* The places seen are those of all cases together. */
static Attack *attack;

static void
test_step (gconstpointer data)
{
  g_autofree char *options = g_strdup_printf ("--kill --step %u", GPOINTER_TO_UINT (data));
  g_autofree char *unseen = g_strconcat (options, " --unseen", NULL);

  attack->n_lives = attack->n_failed = 0;
  if (is_long)
    attack_all_calls (attack, options);
  else
    attack_unseen (attack, unseen);
  g_test_message ("%u lives, %u of them went wrong", attack->n_lives, attack->n_failed);
}

/* Without an attack all holds as well, or nothing here means anything. */
static void
test_unharmed (void)
{
  g_assert_false (attack_once (attack, ""));
  g_test_message ("%lu calls", attack->control->n_calls);
}

int
main (int argc, char **argv)
{
  gboolean has_start = TRUE; /* it has a row of its own in meson.build */
  int result;

  attack_reap_orphans ();
  for (int i = 1; i < argc; i++) {
    is_long = is_long || strcmp (argv[i], "--long") == 0;
    has_start = has_start && strcmp (argv[i], "--without-start") != 0;
  }
  harness_init (&argc, &argv);
  g_test_add_func ("/kill-calls/unharmed", test_unharmed);
  for (guint i = 0; i < life_n_steps (); i++) {
    g_autofree char *path = g_strconcat ("/kill-calls/", life_step_name (i), NULL);

    if (has_start || !g_str_equal (life_step_name (i), "start"))
      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_step);
  }
  attack_add_by_hand ("/kill-calls");
  attack = attack_new ();
  result = g_test_run ();
  attack_free (attack);
  return result;
}
