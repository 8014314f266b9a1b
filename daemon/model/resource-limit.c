/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a resource limit, which is checked where definitions are read and parsed again for each start.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/resource-limit.h"

#include <string.h>

#include "model/error.h"
#include "model/schema.h"

#define INFINITY_WORD "infinity"

const char *const zinit_resource_words[] = { "nofile", "nproc", "core", "fsize", "memlock", "as", "stack" };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_resource_words) == ZINIT_N_RESOURCES);

const int zinit_resource_numbers[] = { RLIMIT_NOFILE,  RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_FSIZE,
                                       RLIMIT_MEMLOCK, RLIMIT_AS,    RLIMIT_STACK };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_resource_numbers) == ZINIT_N_RESOURCES);

static gboolean
parse_side (const char *text, rlim_t *ret_limit)
{
  guint64 number;

  if (strcmp (text, INFINITY_WORD) == 0) {
    *ret_limit = RLIM_INFINITY;
    return TRUE;
  }
  /* The kernel would take the highest number for "infinity". */
  if (!g_ascii_string_to_unsigned (text, 10, 0, (guint64)RLIM_INFINITY - 1, &number, NULL))
    return FALSE;
  *ret_limit = (rlim_t)number;
  return TRUE;
}

gboolean
zinit_resource_limit_parse (const char *text, struct rlimit *ret_limit, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *soft = colon != NULL ? g_strndup (text, (gsize)(colon - text)) : g_strdup (text);
  g_autofree char *shown = NULL;

  if (parse_side (soft, &ret_limit->rlim_cur) &&
      parse_side (colon != NULL ? colon + 1 : text, &ret_limit->rlim_max) &&
      ret_limit->rlim_cur <= ret_limit->rlim_max)
    return TRUE;
  shown = zinit_schema_quote (text);
  g_set_error (
      error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
      "%s is not a limit; a whole number, \"infinity\" or \"SOFT:HARD\" of these two is wanted, with "
      "SOFT not above HARD",
      shown);
  return FALSE;
}
