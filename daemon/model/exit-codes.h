/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of ends of a process, as a definition words them (rule E1): exit codes, ranges of them and signals.
 */
#pragma once

#include "model/state.h"

G_BEGIN_DECLS

#define ZINIT_MAX_EXIT_CODE 255

/* TRUE when @item is a code from 0 to ZINIT_MAX_EXIT_CODE ("143"), a range of them ("64-78") or the name of a
 * signal ("SIGTERM"); else @error is ZINIT_ERROR_INVALID_CONFIG and says what is allowed. */
gboolean zinit_exit_codes_check (const char *item, GError **error);
/* TRUE when one of @items, which all were checked (NULL = none), means @exit. A signal is the end by that
 * signal itself, and not the code that a shell makes of it. An unknown end is never meant. */
gboolean zinit_exit_codes_contain (const char *const *items, const ZinitExit *exit);

G_END_DECLS
