/* SPDX-License-Identifier: Apache-2.0
 *
 * How much the daemon says of itself: one level for the whole process, named by a word. The log writer asks
 * it, the bus shows and sets it. The output of services is not its matter.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "error", "warning", "message" (the level at first), "info", "debug"; from least to most. NULL-terminated.
 */
extern const char *const zinit_log_level_words[];

/* The word of the level in force. Static. */
const char *zinit_log_level_get (void);
/* FALSE and ZINIT_ERROR_INVALID_ARGS when @level is none of the words; the level stays. */
gboolean zinit_log_level_set (const char *level, GError **error);
/* Is a message of this level to be written? Critical ones count as warnings; recursion and fatal flags are
 * ignored. */
gboolean zinit_log_level_allows (GLogLevelFlags level);

G_END_DECLS
