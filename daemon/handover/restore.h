/* SPDX-License-Identifier: Apache-2.0
 *
 * What an earlier daemon of the same life left, restored: its services as they were saved, and the processes
 * that outlived it. Nothing that lives is started a second time, nothing that is not proven to be ours is
 * touched, and where the kernel cannot tell whether a process lives it is asked again.
 */
#pragma once

#include "handover/inherited.h"
#include "handover/saved-life.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

typedef struct _ZinitRestorer ZinitRestorer;

/* Walks /proc; NULL with @error when that cannot be read now: to be tried again. @life, @inherited,
 * @supervisor and @host_data must outlive it. Transfer full. */
ZinitRestorer *zinit_restorer_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                                   ZinitSavedLife *life, ZinitInherited *inherited, GError **error);
void zinit_restorer_free (ZinitRestorer *restorer); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitRestorer, zinit_restorer_free)

/* Adds the services that have no file. To be called before zinit_supervisor_load(), which reads the rest. */
void zinit_restorer_prepare (ZinitRestorer *restorer);
/* To be called once, after zinit_supervisor_load() and before the loop runs. What cannot be used is reported
 * in the log. Pipes are taken from what was inherited, else from /proc. @errors are those of the load: a file
 * that is broken is not one that was removed. From then on it asks again for the processes that are unknown,
 * until all are known. Returns how many processes were adopted. */
guint zinit_restorer_run (ZinitRestorer *restorer, const GPtrArray *errors);
/* Every process is known: there is nothing left to do for it. */
gboolean zinit_restorer_is_done (const ZinitRestorer *restorer);

G_END_DECLS
