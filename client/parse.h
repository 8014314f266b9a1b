/* SPDX-License-Identifier: Apache-2.0
 *
 * What people type, as numbers: signals, points in time; and which known word they may have meant. Pure.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* "TERM", "sigterm", "15" → 15; FALSE with a message when it is not a signal from 1 to 31. */
gboolean zinit_parse_signal (const char *text, int *ret_signal, GError **error);
/* "10m" (ago; s, m, h, d), "@SECONDS" since 1970, "2026-11-23", "2026-11-23 14:05[:09]" in local time, ISO
 * 8601 with a zone. In µs since 1970. */
gboolean zinit_parse_since (const char *text, gint64 now_usec, gint64 *ret_usec, GError **error);
/* Seconds, or with a unit: "5", "0.5", "500ms", "5s", "2min", "1h". */
gboolean zinit_parse_timeout (const char *text, guint *ret_ms, GError **error);
/* Whether @text is a word for a state or a sub-state; FALSE with a message. */
gboolean zinit_parse_state (const char *text, GError **error);
/* The word of @words that is nearest to @word by edit distance, NULL when none is near enough to be meant. */
const char *zinit_parse_nearest (const char *word, const char *const *words);

G_END_DECLS
