/* SPDX-License-Identifier: Apache-2.0
 *
 * What an earlier daemon of the same run-time folder left, taken up again: its state file, and the processes
 * that outlived it. Nothing that lives is started a second time, nothing that is not proven to be ours is
 * touched.
 */
#pragma once

#include "handover/inherited.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

/* @folder is the run-time folder. To be called after zinit_supervisor_load() and before the loop runs. What
 * cannot be used is said in the log; a state file that is refused is put aside as NAME.refused. Pipes are
 * taken from @inherited, else from /proc. @errors are those of the load: a file that is broken is not one
 * that was removed. Returns how many processes were adopted. */
guint zinit_restore (ZinitSupervisor *supervisor, const ZinitRuntimeFolder *folder, ZinitInherited *inherited,
                     const GPtrArray *errors);

G_END_DECLS
