/* SPDX-License-Identifier: Apache-2.0
 *
 * The items of success_exit_codes and permanent_exit_codes, which are checked where definitions are read and
 * asked for when a process has ended.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/exit-codes.h"

#include <string.h>

#include "common/signals.h"
#include "model/error.h"
#include "model/schema.h"

typedef struct {
  ZinitExitKind kind;
  gint32 first, last; /* both included */
} Ends;

static gboolean
parse_code (const char *text, gint32 *ret_code)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, 0, ZINIT_MAX_EXIT_CODE, &number, NULL))
    return FALSE;
  *ret_code = (gint32)number;
  return TRUE;
}

static gboolean
parse (const char *item, Ends *ret_ends)
{
  const char *dash = strchr (item, '-');
  g_autofree char *first = g_strndup (item, dash != NULL ? (gsize)(dash - item) : strlen (item));

  if (g_ascii_isdigit (*item)) {
    ret_ends->kind = ZINIT_EXIT_EXITED;
    return parse_code (first, &ret_ends->first) &&
           parse_code (dash != NULL ? dash + 1 : first, &ret_ends->last) && ret_ends->first <= ret_ends->last;
  }
  ret_ends->kind = ZINIT_EXIT_KILLED;
  ret_ends->first = ret_ends->last = zinit_signal_from_string (item);
  return ret_ends->first != 0;
}

gboolean
zinit_exit_codes_check (const char *item, GError **error)
{
  g_autofree char *shown = NULL;
  Ends ends;

  if (parse (item, &ends))
    return TRUE;
  shown = zinit_schema_quote (item);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
               "%s is not an exit code; a number from 0 to %d, a range such as \"64-78\" or a signal's name "
               "such as \"SIGTERM\" is wanted",
               shown, ZINIT_MAX_EXIT_CODE);
  return FALSE;
}

gboolean
zinit_exit_codes_contain (const char *const *items, const ZinitExit *exit)
{
  for (; items != NULL && *items != NULL; items++) {
    Ends ends;

    if (parse (*items, &ends) && ends.kind == exit->kind && exit->value >= ends.first &&
        exit->value <= ends.last)
      return TRUE;
  }
  return FALSE;
}
