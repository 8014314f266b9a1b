/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptors that the daemon keeps for itself: the highest ones below its limit (RLIMIT_NOFILE). The
 * kernel gives the lowest free one, so code that may not use the highest numbers cannot take the last free
 * ones.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many descriptors this process may have in all. */
guint64 zinit_descriptor_limit (void);
/* Raises it as far as is allowed; returns what it was. */
guint64 zinit_descriptor_limit_raise (void);

/* From now on opening anything fails with EMFILE when only the reserve is left and, below it, @n_more.
 * Threads too, so nothing else should be done before zinit_reserve_unlock(), which must follow. Keeps errno.
 */
void zinit_reserve_lock (guint n_more);
void zinit_reserve_unlock (void);

/* FALSE with errno set when fewer than @count can be opened now. */
gboolean zinit_descriptors_are_left (guint count);

/* TRUE when @fd, which was opened a moment ago, is one of the last, which are for the daemon's own work: what
 * it is for should not be done. */
gboolean zinit_reserve_is_core (int fd);

G_END_DECLS
