/* SPDX-License-Identifier: Apache-2.0
 *
 * What a TOML text must be before toml++ may have it. toml++ limits how deep values nest, but not how many
 * parts a dotted key has, and frees the tables that such a key makes by recursion: a file of dots alone would
 * exhaust the stack.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "config/strict-json.h"
#include "model/error.h"

#include <string.h>

/* The deepest key that a definition has is service.env.NAME; what is unknown may be somewhat deeper and is
 * still named in a message of its own. */
#define MAX_KEY_PARTS 16

static gboolean
refuse_at (const char *text, const char *place, const char *what, GError **error)
{
  guint line, column;

  zinit_text_position (text, place - text, &line, &column);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "%u:%u: %s", line, column, what);
  return FALSE;
}

/* The first byte after the string that begins at @c, or the end of its line or of the text if it has no end.
 */
static const char *
skip_string (const char *c, const char *end)
{
  char quote = *c;
  gboolean is_long = end - c >= 3 && c[1] == quote && c[2] == quote;

  for (c += is_long ? 3 : 1; c < end; c++) {
    if (*c == '\\' && quote == '"') {
      c++;
    } else if (*c == quote && !is_long) {
      return c + 1;
    } else if (*c == quote && end - c >= 3 && c[1] == quote && c[2] == quote) {
      /* One or two quotes may stand before the three that end it. */
      for (c += 3; c < end && *c == quote; c++)
        ;
      return c;
    } else if (*c == '\n' && !is_long) {
      return c;
    }
  }
  return end;
}

static gboolean
check_keys (const char *text, gsize length, GError **error)
{
  const char *end = text + length;
  const char *c = text;
  guint dots = 0;

  while (c < end) {
    switch (*c) {
    case '"':
    case '\'':
      c = skip_string (c, end);
      continue;
    case '#': {
      const char *newline = memchr (c, '\n', end - c);

      c = newline != NULL ? newline : end;
      continue;
    }
    case '.':
      if (++dots >= MAX_KEY_PARTS)
        return refuse_at (
            text, c, "a key has too many parts; at most " G_STRINGIFY (MAX_KEY_PARTS) " are allowed", error);
      break;
    case '\n':
    case '=':
    case ',':
    case '[':
    case ']':
    case '{':
    case '}':
      dots = 0;
      break;
    default:
      break;
    }
    c++;
  }
  return TRUE;
}

gboolean
zinit_toml_check (const char *text, gsize length, GError **error)
{
  const char *invalid;

  if (!zinit_build_check_size (length, error))
    return FALSE;
  if (length == 0) /* @text may be NULL then */
    return TRUE;
  if (!g_utf8_validate_len (text, length, &invalid))
    return refuse_at (text, invalid,
                      *invalid == '\0' ? "a NUL byte; only text is allowed"
                                       : "the text is not UTF-8; only UTF-8 is allowed",
                      error);
  return check_keys (text, length, error);
}
