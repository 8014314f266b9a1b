/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of zinitd fail: with each error that the kernel may give, in each step of the life that
 * script.c has. The daemon goes on, and when the errors are over it answers and all is as it was asked for.
 * Where GLib gives up instead, the next daemon has everything. The short part takes each call once for each
 * error, with
 * --long each place, once with one failure and once with many. How one is repeated: attack.h.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "attack.h"

static const char *const errors[] = { "ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "EIO", "EAGAIN", "EINTR" };

static gboolean is_long;
static Attack *attack;

/* Of the steps the start comes last: there an error may also mean that it does not start, which says less. */
static void
attack_steps (const char *error, const char *more)
{
  for (guint i = 1; i <= life_n_steps (); i++) {
    g_autofree char *options = g_strdup_printf ("--fail %s --step %u %s", error, i % life_n_steps (), more);

    attack_unseen (attack, options);
  }
}

static void
test_error (gconstpointer data)
{
  attack->n_lives = attack->n_failed = 0;
  if (is_long) {
    attack_steps (data, "--unseen");
    memset (attack->control->seen, 0, sizeof attack->control->seen);
    attack->control->n_seen = 0;
    attack_steps (data, "--unseen --count 50");
  } else {
    attack_steps (data, "--unseen-call --count 5");
  }
  g_test_message ("%u lives, %u of them went wrong", attack->n_lives, attack->n_failed);
}

int
main (int argc, char **argv)
{
  int result;

  attack_reap_orphans ();
  for (int i = 1; i < argc; i++)
    is_long = is_long || strcmp (argv[i], "--long") == 0;
  harness_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++) {
    g_autofree char *path = g_strconcat ("/fail-calls/", errors[i], NULL);

    g_test_add_data_func (path, errors[i], test_error);
  }
  attack_add_by_hand ("/fail-calls");
  attack = attack_new ();
  result = g_test_run ();
  attack_free (attack);
  return result;
}
