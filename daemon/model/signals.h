/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal names and numbers, as people write them. Linux 1-31, as signal(7) lists them for x86 and ARM.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "TERM", "sigterm", " SIGTERM ", "15" → 15; aliases IOT, POLL, CLD, UNUSED as in signal(7). Returns 0 when
 * @text names no signal from 1 to 31. */
int zinit_signal_from_string (const char *text);
/* 15 → "SIGTERM"; NULL when @signo is not from 1 to 31. Static. */
const char *zinit_signal_to_string (int signo);

G_END_DECLS
