/* SPDX-License-Identifier: Apache-2.0
 *
 * How far two words are from each other, for programs that tell a person which word may have been meant.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ZINIT_MAX_DISTANCE_BYTES 64 /* a longer word is not one of ours, misspelt or not */

/* Levenshtein's distance in bytes, upper and lower case being one. G_MAXUINT when @a is longer than
 * ZINIT_MAX_DISTANCE_BYTES. */
guint zinit_edit_distance (const char *a, const char *b);

G_END_DECLS
