/* SPDX-License-Identifier: Apache-2.0
 *
 * The process group that the leader of a tree leads: signalling it, and whether anything is left of it.
 * Numbers are used again, so each call here names the group in a way that cannot mean another one.
 */
#pragma once

#include "process/process.h"

G_BEGIN_DECLS

/* Whether this kernel signals a group by the pidfd of its leader (Linux 6.9). */
gboolean zinit_group_has_signals (void);

/* TRUE when nothing is left, not even a zombie: those of other parents stay as long as these like. Costs one
 * system call. */
gboolean zinit_group_is_gone (const ZinitProcess *process);

/* Signals all of the group in one step: what forks meanwhile gets it too. As zinit_process_signal(). */
gboolean zinit_group_signal (ZinitProcess *process, int signo, GError **error);

typedef void (*ZinitOrphanFunc) (pid_t pid, gpointer data);

/* Walks /proc: returns which of the groups @asked (pid_t → ZinitProcess) have a member that is no zombie.
 * NULL when it cannot be read. Unless @func is NULL it is called for every zombie among our children, which
 * it may reap; that costs several times as much. */
GHashTable *zinit_group_scan (GHashTable *asked, ZinitOrphanFunc func, gpointer data);

G_END_DECLS
