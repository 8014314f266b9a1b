/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for people out of numbers and foreign bytes.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/format.h"

#include <string.h>

static gsize
character_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

gsize
zinit_format_width (const char *text)
{
  gsize width = 0;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    width += character_width (g_utf8_get_char (at));
  return width;
}

char *
zinit_format_cut (const char *text, gsize columns, gboolean unicode)
{
  const char *mark = unicode ? "…" : "...";
  gsize mark_width = unicode ? 1 : 3;
  if (zinit_format_width (text) <= columns)
    return g_strdup (text);
  if (columns <= mark_width)
    return g_strndup ("...", unicode ? MIN (columns, 1) : columns);

  gsize width = 0;
  const char *at = text;
  while (width + character_width (g_utf8_get_char (at)) + mark_width <= columns) {
    width += character_width (g_utf8_get_char (at));
    at = g_utf8_next_char (at);
  }
  g_autofree char *kept = g_strndup (text, at - text);
  return g_strconcat (kept, mark, NULL);
}

/* Embeddings, overrides and isolates: they make text read other than it is. */
static gboolean
turns_direction (gunichar c)
{
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f;
}

gboolean
zinit_format_is_plain (const char *text)
{
  while ((*text >= 0x20 && *text < 0x7f) || *text == '\t')
    text++;
  return *text == '\0';
}

char *
zinit_format_escape (const char *text)
{
  if (zinit_format_is_plain (text))
    return g_strdup (text);
  GString *safe = g_string_sized_new (strlen (text) + 1);
  for (const char *at = text; *at != '\0';) {
    gunichar c = g_utf8_get_char_validated (at, -1);
    if (c == (gunichar)-1 || c == (gunichar)-2) {
      g_string_append_printf (safe, "\\x%02x", (guchar)*at++);
      continue;
    }
    if (c != '\t' && g_unichar_iscntrl (c))
      g_string_append_printf (safe, "\\x%02x", c);
    else if (turns_direction (c) || c == 0x2028 || c == 0x2029)
      g_string_append_printf (safe, "\\u{%04x}", c);
    else
      g_string_append_unichar (safe, c);
    at = g_utf8_next_char (at);
  }
  return g_string_free (safe, FALSE);
}

char *
zinit_format_duration (guint64 usec)
{
  guint64 seconds = usec / G_USEC_PER_SEC;
  if (seconds == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "ms", usec / 1000);
  if (seconds < 60)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "s", seconds);
  if (seconds < 3600)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "m %" G_GUINT64_FORMAT "s", seconds / 60, seconds % 60);
  if (seconds < 86400)
    return g_strdup_printf ("%" G_GUINT64_FORMAT "h %" G_GUINT64_FORMAT "m", seconds / 3600,
                            seconds % 3600 / 60);
  return g_strdup_printf ("%" G_GUINT64_FORMAT "d %" G_GUINT64_FORMAT "h", seconds / 86400,
                          seconds % 86400 / 3600);
}

char *
zinit_format_bytes (guint64 bytes)
{
  static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
  if (bytes < 1024)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);

  double value = (double)bytes / 1024;
  gsize unit = 0;
  /* What would be printed as 1024.0 is one of the next unit. */
  for (; value >= 1023.95 && unit + 1 < G_N_ELEMENTS (units); unit++)
    value /= 1024;
  return g_strdup_printf ("%.1f %s", value, units[unit]);
}

char *
zinit_format_time (gint64 usec, gboolean fraction)
{
  if (usec <= 0)
    return g_strdup ("-");
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (usec / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  if (local == NULL)
    return g_strdup ("-");
  g_autofree char *text = g_date_time_format (local, "%Y-%m-%d %H:%M:%S");
  if (!fraction)
    return g_steal_pointer (&text);
  return g_strdup_printf ("%s.%03d", text, (int)(usec % G_USEC_PER_SEC / 1000));
}
