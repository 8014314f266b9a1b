/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that was needed for a moment goes back to the system when things have calmed down.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* To be called after work that has used much memory for a moment. Trims the heap (malloc_trim(3)) a second
 * later, once for all calls until then. */
void zinit_trim_soon (void);

G_END_DECLS
