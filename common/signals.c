/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal names and numbers. The names are glibc's, which knows the numbers of this machine; the aliases that
 * people write beside them, and any other case, are ours.
 */
#define G_LOG_DOMAIN "zinit-common"

#include "common/signals.h"

#include <signal.h>

static const struct {
  const char *name;
  int signo;
} aliases[] = { { "IOT", SIGABRT }, { "CLD", SIGCHLD }, { "POLL", SIGIO }, { "UNUSED", SIGSYS } };

/* Without "SIG"; NULL when there is none. Static. */
static const char *
get_bare_name (int signo)
{
  if (signo < 1 || signo > ZINIT_MAX_SIGNAL)
    return NULL;
  /* glibc says POLL, where signal(7) says IO first. */
  return signo == SIGIO ? "IO" : sigabbrev_np (signo);
}

const char *
zinit_signal_to_string (int signo)
{
  const char *bare = get_bare_name (signo);
  g_autofree char *name = bare != NULL ? g_strconcat ("SIG", bare, NULL) : NULL;

  return g_intern_string (name);
}

int
zinit_signal_from_string (const char *text)
{
  g_autofree char *word = g_strstrip (g_strdup (text));
  const char *bare = g_ascii_strncasecmp (word, "SIG", 3) == 0 ? word + 3 : word;
  guint64 number;

  /* The number is looked for in the whole word: "SIG9" is not a signal. */
  if (g_ascii_string_to_unsigned (word, 10, 1, ZINIT_MAX_SIGNAL, &number, NULL))
    return (int)number;

  for (int signo = 1; signo <= ZINIT_MAX_SIGNAL; signo++) {
    const char *known = get_bare_name (signo);

    if (known != NULL && g_ascii_strcasecmp (bare, known) == 0)
      return signo;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (aliases); i++)
    if (g_ascii_strcasecmp (bare, aliases[i].name) == 0)
      return aliases[i].signo;
  return 0;
}
