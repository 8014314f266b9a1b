/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal names and numbers: there and back, the spellings that people use, and what is not a signal.
 */
#include "common/signals.h"

#include <signal.h>
#include <string.h>

static void
test_all_numbers (void)
{
  for (int signo = 1; signo <= 31; signo++) {
    const char *name = zinit_signal_to_string (signo);
    g_autofree char *number = g_strdup_printf ("%d", signo);
    g_autofree char *lower = g_ascii_strdown (name + 3, -1);

    g_assert_true (g_str_has_prefix (name, "SIG"));
    g_assert_cmpint (zinit_signal_from_string (name), ==, signo);
    g_assert_cmpint (zinit_signal_from_string (name + 3), ==, signo);
    g_assert_cmpint (zinit_signal_from_string (lower), ==, signo);
    g_assert_cmpint (zinit_signal_from_string (number), ==, signo);
  }
  g_assert_cmpstr (zinit_signal_to_string (SIGTERM), ==, "SIGTERM");
  /* glibc's own name is POLL; what is saved says IO. */
  g_assert_cmpstr (zinit_signal_to_string (SIGIO), ==, "SIGIO");
  g_assert_true (zinit_signal_to_string (SIGHUP) == zinit_signal_to_string (SIGHUP));
  g_assert_null (zinit_signal_to_string (0));
  g_assert_null (zinit_signal_to_string (32));
  g_assert_null (zinit_signal_to_string (-1));
}

static void
test_spellings (void)
{
  static const struct {
    const char *text;
    int signo;
  } rows[] = {
    { "TERM", SIGTERM },
    { "sigterm", SIGTERM },
    { " SigTerm \n", SIGTERM },
    { "15", SIGTERM },
    { " 9 ", SIGKILL },
    { "IOT", SIGABRT },
    { "SIGPOLL", SIGIO },
    { "io", SIGIO },
    { "CLD", SIGCHLD },
    { "unused", SIGSYS },
    { "STKFLT", 16 },
    { "PWR", SIGPWR },
    { "iot", SIGABRT },
    { "SIGCLD", SIGCHLD },
    { "", 0 },
    { " ", 0 },
    { "SIG", 0 },
    { "SIGSIGTERM", 0 },
    { "0", 0 },
    { "32", 0 },
    { "-15", 0 },
    { "15x", 0 },
    { "99999999999999999999", 0 },
    { "SIG15", 0 },
    { "TER", 0 },
    { "SIG TERM", 0 },
    { "RTMIN", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %u", i);
    g_assert_cmpint (zinit_signal_from_string (rows[i].text), ==, rows[i].signo);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signals/all-numbers", test_all_numbers);
  g_test_add_func ("/signals/spellings", test_spellings);
  return g_test_run ();
}
