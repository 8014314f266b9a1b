/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers and bytes as text for people: width on a terminal, harmless text, durations, sizes, times. Pure; it
 * neither prints nor knows where the text goes.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Columns @text takes on a terminal: wide characters two, combining ones none. @text is valid UTF-8. */
gsize zinit_format_width (const char *text);
/* @text cut to @columns with "…" (or "..." when @unicode is FALSE) at its end if it is wider. Transfer full.
 */
char *zinit_format_cut (const char *text, gsize columns, gboolean unicode);
/* @text with everything that could steer a terminal made visible: control characters and bytes that are no
 * UTF-8 as \xNN, characters that turn the writing direction as \u{NNNN}. A tab stays. Transfer full. */
char *zinit_format_escape (const char *text);
/* ASCII that escaping leaves as it is, which nearly all text is. */
gboolean zinit_format_is_plain (const char *text);
/* The two largest units: "420ms", "12s", "3m 4s", "5h 2m", "12d 3h". Transfer full. */
char *zinit_format_duration (guint64 usec);
/* "512 B", "1.5 KiB", "3.0 GiB". Transfer full. */
char *zinit_format_bytes (guint64 bytes);
/* Local time of @usec since 1970, "2026-11-23 14:05:09", with @fraction also its milliseconds; "-" for 0.
 * Transfer full. */
char *zinit_format_time (gint64 usec, gboolean fraction);

G_END_DECLS
