/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals, times and mistyped words.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/parse.h"

#include "common/edit-distance.h"
#include "common/signals.h"

#include <glib/gi18n.h>
#include <string.h>

gboolean
zinit_parse_signal (const char *text, int *ret_signal, GError **error)
{
  *ret_signal = zinit_signal_from_string (text);
  if (*ret_signal != 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("\"%s\" is not a signal; give a name such as TERM or SIGHUP, or a number from 1 to %d"),
               text, ZINIT_MAX_SIGNAL);
  return FALSE;
}

/* "10m" as µs. */
static gboolean
parse_age (const char *text, gint64 *ret_usec)
{
  gsize digits = strspn (text, "0123456789");
  if (digits == 0 || digits > 9 || text[digits] == '\0' || text[digits + 1] != '\0')
    return FALSE;
  gint64 unit_seconds = 0;
  switch (text[digits]) {
  case 's':
    unit_seconds = 1;
    break;
  case 'm':
    unit_seconds = 60;
    break;
  case 'h':
    unit_seconds = 3600;
    break;
  case 'd':
    unit_seconds = 86400;
    break;
  default:
    return FALSE;
  }
  *ret_usec = g_ascii_strtoll (text, NULL, 10) * unit_seconds * G_USEC_PER_SEC;
  return TRUE;
}

static GDateTime *
parse_date (const char *text)
{
  g_autoptr (GTimeZone) local = g_time_zone_new_local ();
  g_autofree char *iso = g_strdup (text);
  if (strlen (iso) > 10 && iso[10] == ' ')
    iso[10] = 'T';
  GDateTime *date = g_date_time_new_from_iso8601 (iso, local);
  if (date != NULL)
    return date;

  /* A date alone and a time without seconds are not ISO 8601 enough for GLib. */
  g_autofree char *completed = NULL;
  if (strlen (iso) == 10)
    completed = g_strconcat (iso, "T00:00:00", NULL);
  else if (strlen (iso) == 16)
    completed = g_strconcat (iso, ":00", NULL);
  return completed != NULL ? g_date_time_new_from_iso8601 (completed, local) : NULL;
}

gboolean
zinit_parse_since (const char *text, gint64 now_usec, gint64 *ret_usec, GError **error)
{
  gint64 age_usec = 0;
  if (parse_age (text, &age_usec)) {
    *ret_usec = MAX (now_usec - age_usec, 0);
    return TRUE;
  }
  guint64 seconds = 0;
  if (text[0] == '@' &&
      g_ascii_string_to_unsigned (text + 1, 10, 0, G_MAXINT64 / G_USEC_PER_SEC, &seconds, NULL)) {
    *ret_usec = (gint64)seconds * G_USEC_PER_SEC;
    return TRUE;
  }
  g_autoptr (GDateTime) date = parse_date (text);
  if (date != NULL && g_date_time_to_unix (date) >= 0) {
    *ret_usec = g_date_time_to_unix (date) * G_USEC_PER_SEC + g_date_time_get_microsecond (date);
    return TRUE;
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("\"%s\" is not a time; give an age such as 90s, 10m, 2h or 1d, a date as 2026-11-23 or "
                  "2026-11-23 14:05:09, or @SECONDS since 1970"),
               text);
  return FALSE;
}

gboolean
zinit_parse_timeout (const char *text, guint *ret_ms, GError **error)
{
  static const struct {
    const char *unit;
    guint ms;
  } units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "min", 60 * 1000 }, { "h", 60 * 60 * 1000 } };
  gsize digits = strspn (text, "0123456789.");
  char *end = NULL;
  double number = g_ascii_strtod (text, &end);
  for (gsize i = 0; digits > 0 && end == text + digits && i < G_N_ELEMENTS (units); i++)
    if (g_str_equal (end, units[i].unit) && number * units[i].ms <= G_MAXINT) {
      *ret_ms = (guint)(number * units[i].ms);
      return TRUE;
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("\"%s\" is not a time-out; give seconds, or a number with its unit: 500ms, 5s, 2min"),
               text);
  return FALSE;
}

const char *
zinit_parse_nearest (const char *word, const char *const *words)
{
  const char *nearest = NULL;
  /* A third of the letters may be wrong, and never all of them. */
  gsize best = MIN (strlen (word), 32) / 3 + 1;
  if (strlen (word) > 32)
    return NULL;
  for (; *words != NULL; words++) {
    gsize distance = zinit_edit_distance (word, *words);
    if (distance <= best && distance < strlen (*words) && (nearest == NULL || distance < best)) {
      nearest = *words;
      best = distance;
    }
  }
  return nearest;
}

gboolean
zinit_parse_state (const char *text, GError **error)
{
  /* States, then sub-states that are not states as well. */
  static const char *const words[] = { "inactive",  "blocked",      "starting",  "running", "stopping",
                                       "exited",    "failed",       "skipped",   "waiting", "pre-start",
                                       "unhealthy", "reloading",    "listening", "killing", "post-stop",
                                       "done",      "stop-command", "ended",     "stopped", "restarting",
                                       "held",      "given-up",     NULL };
  if (g_strv_contains (words, text))
    return TRUE;
  const char *nearest = zinit_parse_nearest (text, words);
  if (nearest != NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _ ("\"%s\" is not a state; did you mean \"%s\"?"), text, nearest);
  else
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        _ ("\"%s\" is not a state; states are inactive, blocked, starting, running, stopping, exited and "
           "failed, and zinit(1) lists their sub-states"),
        text);
  return FALSE;
}
