/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard output and standard error, and what their readers can show.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/output.h"

#include "client/format.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static gboolean use_color;

gboolean
zinit_output_set_color (const char *color)
{
  if (g_str_equal (color, "always"))
    use_color = TRUE;
  else if (g_str_equal (color, "never"))
    use_color = FALSE;
  else if (g_str_equal (color, "auto")) {
    const char *no_color = g_getenv ("NO_COLOR");
    use_color = zinit_output_is_terminal () && (no_color == NULL || *no_color == '\0') &&
                g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  } else
    return FALSE;
  return TRUE;
}

gboolean
zinit_output_is_terminal (void)
{
  static int answer = -1;
  if (answer < 0)
    answer = isatty (STDOUT_FILENO) == 1;
  return answer;
}

gsize
zinit_output_columns (void)
{
  struct winsize size;
  if (!zinit_output_is_terminal () || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

gboolean
zinit_output_is_unicode (void)
{
  return g_get_charset (NULL);
}

const char *
zinit_output_arrow (void)
{
  return zinit_output_is_unicode () ? "→" : "->";
}

void
zinit_output_append_painted (GString *string, ZinitStyle style, const char *text)
{
  static const char *const codes[] = {
    [ZINIT_STYLE_GOOD] = "32", [ZINIT_STYLE_BAD] = "31;1", [ZINIT_STYLE_BUSY] = "33",
    [ZINIT_STYLE_DIM] = "2",   [ZINIT_STYLE_STRONG] = "1",
  };
  if (!use_color || style == ZINIT_STYLE_PLAIN)
    g_string_append (string, text);
  else
    g_string_append_printf (string, "\033[%sm%s\033[0m", codes[style], text);
}

char *
zinit_output_paint (ZinitStyle style, const char *text)
{
  GString *string = g_string_new (NULL);
  zinit_output_append_painted (string, style, text);
  return g_string_free (string, FALSE);
}

char *
zinit_output_safe (const char *text)
{
  return zinit_output_is_terminal () ? zinit_format_escape (text) : g_strdup (text);
}

ZinitStyle
zinit_output_state_style (const char *state)
{
  static const struct {
    const char *state;
    ZinitStyle style;
  } styles[] = {
    { "running", ZINIT_STYLE_GOOD },  { "failed", ZINIT_STYLE_BAD },   { "starting", ZINIT_STYLE_BUSY },
    { "stopping", ZINIT_STYLE_BUSY }, { "blocked", ZINIT_STYLE_BUSY }, { "inactive", ZINIT_STYLE_DIM },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (styles); i++)
    if (g_str_equal (state, styles[i].state))
      return styles[i].style;
  return ZINIT_STYLE_PLAIN;
}

void
zinit_output_print (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  /* g_print() converts, but flushes each time. */
  if (zinit_output_is_terminal () && !zinit_output_is_unicode ())
    g_print ("%s", text);
  else
    fputs (text, stdout);
}

void
zinit_output_print_line (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *safe = zinit_output_safe (text);
  zinit_output_print ("%s\n", safe);
}

static void
print_to_stderr (const char *prefix, const char *format, va_list arguments)
{
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  fflush (stdout);
  if (isatty (STDERR_FILENO) == 1) {
    g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
    for (gsize i = 0; lines[i] != NULL; i++) {
      g_autofree char *safe = zinit_format_escape (lines[i]);
      g_printerr ("%s%s\n", i == 0 ? prefix : "  ", safe);
    }
  } else
    fprintf (stderr, "%s%s\n", prefix, text);
}

void
zinit_output_print_error (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  print_to_stderr ("zinit: ", format, arguments);
  va_end (arguments);
}

void
zinit_output_print_detail (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  print_to_stderr ("", format, arguments);
  va_end (arguments);
}

gboolean
zinit_output_flush (void)
{
  errno = 0;
  return fflush (stdout) == 0 && ferror (stdout) == 0;
}
