/* SPDX-License-Identifier: Apache-2.0
 *
 * Items of lists of exit codes: what they mean, and what is refused.
 */
#include "model/exit-codes.h"

#include <signal.h>
#include <string.h>

#include "model/error.h"

#define EXITED(code) (&(const ZinitExit){ ZINIT_EXIT_EXITED, code })
#define KILLED(signo) (&(const ZinitExit){ ZINIT_EXIT_KILLED, signo })

static void
test_meaning (void)
{
  static const char *const items[] = { "3", "64-78", "143", "SIGTERM", "hup", "255-255", NULL };
  static const gint32 codes[] = { 3, 64, 70, 78, 143, 255 };
  static const gint32 others[] = { 0, 2, 4, 63, 79, 142, 144, 254, -1, SIGTERM, SIGHUP };

  for (guint i = 0; items[i] != NULL; i++)
    g_assert_true (zinit_exit_codes_check (items[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_assert_true (zinit_exit_codes_contain (items, EXITED (codes[i])));
    g_assert_false (zinit_exit_codes_contain (items, KILLED (codes[i])));
  }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (zinit_exit_codes_contain (items, EXITED (others[i])));
  g_assert_true (zinit_exit_codes_contain (items, KILLED (SIGTERM)));
  g_assert_true (zinit_exit_codes_contain (items, KILLED (SIGHUP)));
  g_assert_false (zinit_exit_codes_contain (items, KILLED (SIGKILL)));
}

static void
test_nothing (void)
{
  static const char *const all[] = { "0-255", NULL };

  g_assert_false (zinit_exit_codes_contain (NULL, EXITED (0)));
  g_assert_false (zinit_exit_codes_contain (all + 1, EXITED (0)));
  /* How it ended is not known, or it has not. */
  g_assert_false (zinit_exit_codes_contain (all, &(const ZinitExit){ ZINIT_EXIT_UNKNOWN, -1 }));
  g_assert_false (zinit_exit_codes_contain (all, &(const ZinitExit){ ZINIT_EXIT_NONE, 0 }));
}

static void
test_refused (void)
{
  static const char *const items[] = {
    "",    " ",       "256",   "-1",     "+1",    "1.5",   "0x10",
    "1-",  "-5",      "5-4",   "1-256",  "1-2-3", "1 - 2", "1,2",
    "SIG", "SIGNOPE", "SIG64", "SIGRT3", "12a",   "3 ",    "99999999999999999999"
  };

  for (guint i = 0; i < G_N_ELEMENTS (items); i++) {
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", items[i]);
    g_assert_false (zinit_exit_codes_check (items[i], &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
    g_assert_nonnull (strstr (error->message, "from 0 to 255"));
    g_assert_nonnull (strstr (error->message, "SIGTERM"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exit-codes/meaning", test_meaning);
  g_test_add_func ("/exit-codes/nothing", test_nothing);
  g_test_add_func ("/exit-codes/refused", test_refused);
  return g_test_run ();
}
