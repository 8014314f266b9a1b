/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal names and numbers by one table in the order of the numbers. glibc has such a table too, but knows
 * neither the aliases that people write nor any other case.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/signals.h"

#include <string.h>

#define ZINIT_MAX_SIGNAL 31

static const char *const signal_names[ZINIT_MAX_SIGNAL + 1] = {
  NULL,        "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
  "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
  "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
  "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
};

static const struct {
  const char *name;
  int signo;
} signal_aliases[] = { { "IOT", 6 }, { "CLD", 17 }, { "POLL", 29 }, { "UNUSED", 31 } };

const char *
zinit_signal_to_string (int signo)
{
  return signo >= 1 && signo <= ZINIT_MAX_SIGNAL ? signal_names[signo] : NULL;
}

int
zinit_signal_from_string (const char *text)
{
  g_autofree char *word = g_strstrip (g_strdup (text));
  const char *bare = g_ascii_strncasecmp (word, "SIG", 3) == 0 ? word + 3 : word;
  guint64 number;

  /* The number is looked for in the whole word: "SIG9" is no signal. */
  if (g_ascii_string_to_unsigned (word, 10, 1, ZINIT_MAX_SIGNAL, &number, NULL))
    return (int)number;

  for (int signo = 1; signo <= ZINIT_MAX_SIGNAL; signo++)
    if (g_ascii_strcasecmp (bare, signal_names[signo] + 3) == 0)
      return signo;
  for (gsize i = 0; i < G_N_ELEMENTS (signal_aliases); i++)
    if (g_ascii_strcasecmp (bare, signal_aliases[i].name) == 0)
      return signal_aliases[i].signo;
  return 0;
}
