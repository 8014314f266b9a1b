/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment of a child, put together from layers of "KEY=value", of which a later one wins. The caller
 * chooses the layers.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @environ without what was meant for the daemon alone: its notification socket, activation sockets,
 * watchdog, spool stream and invocation. NULL-terminated; borrowed strings in an array that is the
 * caller's. */
const char **zinit_environment_inherit (char *const *environment);

/* What of @environment is no secret of its user and tells where a process is: PATH, LANG and TZ, which one of
 * another user gets too, and with @is_own also HOME, USER, LOGNAME, SHELL, XDG_RUNTIME_DIR and the address of
 * the session bus. The same in all else. */
const char **zinit_environment_inherit_clean (char *const *environment, gboolean is_own);

/* Sorts @entries, which own their strings, by key bytewise; of those with the same key the last one stays. */
void zinit_environment_sort (GPtrArray *entries);

/* The layers one after the other, without entries whose key a later layer sets as well. Any layer may be
 * NULL.
 * @sorted is sorted by key bytewise (as a definition's), the others have a few entries at most but the first.
 * NULL-terminated; borrowed strings in an array that is the caller's. */
const char **zinit_environment_merge (const char *const *base, const char *const *user,
                                      const char *const *sorted, const char *const *tags);

/* The value of @key, or NULL. Borrowed. */
const char *zinit_environment_get (const char *const *environment, const char *key);

G_END_DECLS
