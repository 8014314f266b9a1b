/* SPDX-License-Identifier: Apache-2.0
 *
 * Values on their way out that most services have alike. They are made once and shared, because a frontend
 * that asks for thousands of services would have them all made again: half the time and most of the memory of
 * the call. A shared value is not floating; that tells it from one made for the occasion. Each is for a
 * container to take.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An `s`, shared; @text is static. */
GVariant *zinit_value_word (const char *text);
/* A `b`, shared. */
GVariant *zinit_value_boolean (gboolean value);
/* A `t`; 0 is shared. */
GVariant *zinit_value_number (guint64 value);
/* A `u`; 0 is shared. */
GVariant *zinit_value_small_number (guint32 value);
/* An `as`; the empty one, which NULL is too, is shared. */
GVariant *zinit_value_names (const char *const *list);

G_END_DECLS
