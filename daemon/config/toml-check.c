/* SPDX-License-Identifier: Apache-2.0
 *
 * What a TOML text must be before toml++ may have it. toml++ limits how deep values nest, but not how many
 * parts a dotted key has, and frees the tables that such a key makes by recursion: a file of dots alone would
 * exhaust the stack.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "config/strict-json.h"

#include <string.h>

/* The deepest key that a definition has is service.env.NAME; what is unknown may be somewhat deeper and is
 * still named in a message of its own. */
#define MAX_KEY_PARTS 16

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

gboolean
zinit_toml_check_keys (const char *text, gsize length, GPtrArray *problems)
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
      if (++dots >= MAX_KEY_PARTS) {
        ZinitPlace place;

        zinit_text_position (text, (gsize)(c - text), &place.line, &place.column);
        zinit_problems_add (problems, place, "a key has too many parts; at most %d are allowed",
                            MAX_KEY_PARTS);
        return FALSE;
      }
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
