/* SPDX-License-Identifier: Apache-2.0
 *
 * Levenshtein's distance, with one row on the stack.
 */
#define G_LOG_DOMAIN "zinit-common"

#include "common/edit-distance.h"

#include <string.h>

guint
zinit_edit_distance (const char *a, const char *b)
{
  gsize length_a = strlen (a);
  guint row[ZINIT_MAX_DISTANCE_BYTES + 1];

  if (length_a > ZINIT_MAX_DISTANCE_BYTES)
    return G_MAXUINT;
  for (gsize i = 0; i <= length_a; i++)
    row[i] = i;
  for (gsize j = 0; b[j] != '\0'; j++) {
    guint diagonal = row[0]++;

    for (gsize i = 0; i < length_a; i++) {
      guint replaced = diagonal + (g_ascii_tolower (a[i]) != g_ascii_tolower (b[j]));

      diagonal = row[i + 1];
      row[i + 1] = MIN (replaced, 1 + MIN (row[i], diagonal));
    }
  }
  return row[length_a];
}
