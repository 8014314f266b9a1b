/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of a process (rule G5): all that belongs to one run, and what can be done to it as a whole. What
 * holds it together is known here alone: the session and group of its first main process, what descends from
 * one of them, and what left them and can still be told apart (strays.h). A control group, where there is
 * one, will take the place of all three behind the same functions. Only this folder includes it.
 */
#pragma once

#include "process/private.h"
#include "process/procfs.h"

G_BEGIN_DECLS

/* @pid is a process of the tree: by its ancestors, its session, its group or, with @may_have_tags, the tags
 * of the run. */
gboolean zinit_tree_has_member (ZinitProcess *process, pid_t pid, gboolean may_have_tags);

/* As zinit_process_signal() with ZINIT_WHOM_ALL: once to each that is there now. */
gboolean zinit_tree_signal (ZinitProcess *process, int signo, GError **error);
/* As zinit_process_stop(). */
gboolean zinit_tree_stop (ZinitProcess *process, int signo, GError **error);

typedef void (*ZinitMemberFunc) (ZinitProcess *process, const ZinitProcEntry *entry, gpointer data);
/* Calls @func for each living process of the tree, which must neither free @process nor change the tree.
 * Costs as much as the tree has processes; of a process that is not our child also a walk over the numbers of
 * all processes, of which no file is opened. */
void zinit_tree_foreach_member (ZinitProcess *process, ZinitMemberFunc func, gpointer data);

/* Reports the end of the tree if nothing is left of it, and returns TRUE: @process may be freed then. FALSE
 * when something lives or it is not known. The main process must have ended. */
gboolean zinit_tree_try_finish (ZinitProcess *process);
/* The same when it is known already that nothing of the group lives. */
gboolean zinit_tree_try_finish_without_group (ZinitProcess *process);

/* @stray has become one of @process: a stop that is going on is for it too, as it has lost its parent. @entry
 * is what /proc says of it. */
void zinit_tree_add_stray (ZinitProcess *process, const ZinitProcEntry *entry);
/* @process is freed: its leader is reaped if it is held, nothing is told. */
void zinit_tree_forget (ZinitProcess *process);
/* The number is given up by whichever of the tree's maps has it for @process. */
void zinit_tree_give_up_number (ZinitProcess *process, pid_t pid);

G_END_DECLS
