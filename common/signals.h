/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal names and numbers, as people write them: in definitions and on the command line. Real-time signals
 * are not among them.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ZINIT_MAX_SIGNAL 31 /* the last that is not a real-time signal */

/* "TERM", "sigterm", " SIGTERM ", "15" → 15; aliases IOT, POLL, CLD, UNUSED as in signal(7). Returns 0 when
 * @text is not a signal from 1 to ZINIT_MAX_SIGNAL. */
int zinit_signal_from_string (const char *text);
/* 15 → "SIGTERM"; NULL when @signo is not from 1 to ZINIT_MAX_SIGNAL. Static. */
const char *zinit_signal_to_string (int signo);

G_END_DECLS
