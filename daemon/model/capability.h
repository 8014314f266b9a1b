/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of capabilities, capabilities(7).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The number of @name, "CAP_NET_BIND_SERVICE" in upper or lower case, or -1. */
int zinit_capability_from_string (const char *name);
/* NULL when @number has no name here. Static. */
const char *zinit_capability_to_string (int number);
/* A bit for each of @names, which are known. */
guint64 zinit_capability_set (const char *const *names);

G_END_DECLS
