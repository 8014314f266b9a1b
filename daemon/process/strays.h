/* SPDX-License-Identifier: Apache-2.0
 *
 * Strays: processes that left the session and group of the tree that they belong to. As sub-reaper this
 * daemon gets those whose parent has ended; each is judged once, while it lives, by rule G5. Of what an
 * earlier daemon started nothing comes here, there only tags tell. Only this folder includes it.
 */
#pragma once

#include "process/tree.h"

G_BEGIN_DECLS

void zinit_strays_init (ZinitProcesses *processes);
void zinit_strays_clear (ZinitProcesses *processes);

/* Judges those of our children that are new, by one read of their numbers, once a turn of the loop. What has
 * ended before the turn began has given its children to us. If it @may_wait, it is not done more often than
 * after 16 times what it takes (0.3 ms with 1000 children), 5 ms at most. FALSE when it was not done, or the
 * kernel did not tell. */
gboolean zinit_strays_find (ZinitProcesses *processes, gboolean may_wait);
/* Walks /proc for processes with the tags of one of the trees that an earlier daemon has left. @may_wait:
 * only if the last scan has been long ago enough. FALSE when it was not done, or the kernel did not tell. */
gboolean zinit_strays_scan (ZinitProcesses *processes, gboolean may_wait);
/* Walks /proc and calls @func for each living process that belongs to a tree, and not to its group: one walk
 * for all trees. Plain members of a group are not read. */
void zinit_strays_walk (ZinitProcesses *processes, ZinitMemberFunc func, gpointer data);

/* Those of @process that are not our children, and have ended, are dropped. */
void zinit_strays_drop_dead (ZinitProcess *process);
/* Our child @pid is about to be reaped. Returns whose it was, NULL = nobody's. */
ZinitProcess *zinit_strays_drop (ZinitProcesses *processes, pid_t pid);
/* @process takes no part any more: its strays are nobody's. */
void zinit_strays_forget (ZinitProcess *process);
/* A run was executed at @ticks, clock ticks since the boot. */
void zinit_strays_add_execution (ZinitProcess *process, guint64 ticks);
/* @process is freed. */
void zinit_strays_remove_execution (ZinitProcess *process);
/* A child whose process was freed while it lived: it is nobody's, of which nothing has to be said. */
void zinit_strays_disown (ZinitProcesses *processes, pid_t pid);

G_END_DECLS
