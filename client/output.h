/* SPDX-License-Identifier: Apache-2.0
 *
 * Where text goes: standard output and standard error, whether they are terminals, colour or not. Text that
 * comes from a service passes zinit_output_safe() or zinit_output_print_error() before a person sees it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ZINIT_STYLE_PLAIN,
  ZINIT_STYLE_GOOD,
  ZINIT_STYLE_BAD,
  ZINIT_STYLE_BUSY,
  ZINIT_STYLE_DIM,
  ZINIT_STYLE_STRONG,
} ZinitStyle;

/* @color is "auto", "always" or "never"; FALSE when it is none of them. "auto" is colour on a terminal,
 * unless NO_COLOR is set (https://no-color.org) or TERM is "dumb". */
gboolean zinit_output_set_color (const char *color);
/* Whether standard output is a terminal. */
gboolean zinit_output_is_terminal (void);
/* Columns of the terminal, 0 when standard output is none or it does not say. */
gsize zinit_output_columns (void);
/* Whether the locale's text can show line art and arrows. */
gboolean zinit_output_is_unicode (void);
/* "→" or "->". Static. */
const char *zinit_output_arrow (void);

/* @text (UTF-8) in colours, if there are colours. Transfer full. */
char *zinit_output_paint (ZinitStyle style, const char *text);
/* The same, appended to @string. */
void zinit_output_append_painted (GString *string, ZinitStyle style, const char *text);
/* zinit_format_escape() on a terminal, unchanged elsewhere. Transfer full. */
char *zinit_output_safe (const char *text);
/* The style a state is shown in. */
ZinitStyle zinit_output_state_style (const char *state);

/* To standard output, converted to the locale's encoding on a terminal, raw elsewhere. */
void zinit_output_print (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* A line of text that may come from a service, to standard output. */
void zinit_output_print_line (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* One line to standard error: "zinit: " and the message, control characters made visible on a terminal. */
void zinit_output_print_error (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* The same without "zinit: ", for what follows such a line. */
void zinit_output_print_detail (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* FALSE when something printed could not be written; errno says why. */
gboolean zinit_output_flush (void);

G_END_DECLS
