/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the state file current: it observes the supervisor and writes what has changed, gathered for a
 * moment; what a reply will say is written to the record log first. A disk that is full or read-only is
 * reported once and tried again; supervision does not wait for it. Once a shutdown has begun there is
 * nothing to keep: the files are removed, also those of logs.
 */
#pragma once

#include "handover/snapshot.h"
#include "persist/runtime-folder.h"

G_BEGIN_DECLS

typedef struct _ZinitKeeper ZinitKeeper;

/* @supervisor, @host_data, @paths, @folder, where the files are, and @records must outlive it; of @host clock
 * and timers are used. What is there already is written after four minutes, changes at once. Transfer full.
 */
ZinitKeeper *zinit_keeper_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                               const ZinitPaths *paths, const ZinitRuntimeFolder *folder,
                               ZinitRecordLog *records);
/* Writes nothing more. */
void zinit_keeper_free (ZinitKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitKeeper, zinit_keeper_free)

/* Makes durable all that has changed until now: the next daemon would know it, should this one die now. To
 * be called before a request is answered, once for all of a turn of the loop. Where nothing can be written
 * things go on without, which is reported once. */
void zinit_keeper_commit (ZinitKeeper *keeper);

/* Writes now, whether or not anything has changed. */
gboolean zinit_keeper_save (ZinitKeeper *keeper, GError **error);
/* Writes now, unless nothing has changed since that was done last. */
gboolean zinit_keeper_save_changes (ZinitKeeper *keeper, GError **error);
/* Writes at the next turn of the loop, and until it succeeds. */
void zinit_keeper_save_soon (ZinitKeeper *keeper);

G_END_DECLS
