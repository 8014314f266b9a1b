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

typedef struct _ZinitAutosave ZinitAutosave;

/* @supervisor, @host_data, @paths, @folder, where the files are, and @records must outlive it; of @host clock
 * and timers are used. What is there already is written after four minutes, changes at once. Transfer full.
 */
ZinitAutosave *zinit_autosave_new (ZinitSupervisor *supervisor, const ZinitHost *host, gpointer host_data,
                                   const ZinitPaths *paths, const ZinitRuntimeFolder *folder,
                                   ZinitRecordLog *records);
/* Writes nothing more. */
void zinit_autosave_free (ZinitAutosave *autosave);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitAutosave, zinit_autosave_free)

/* Makes durable all that has changed until now: the next daemon would know it, should this one die now. To
 * be called before a request is answered, once for all of a turn of the loop. Where nothing can be written
 * things go on without, which is reported once. */
void zinit_autosave_commit (ZinitAutosave *autosave);
/* The same, but only for what nobody may be told before: requests, and ends. */
void zinit_autosave_commit_due (ZinitAutosave *autosave);

/* Writes now, whether or not anything has changed. */
gboolean zinit_autosave_save (ZinitAutosave *autosave, GError **error);
/* Writes now, unless nothing has changed since that was done last. */
gboolean zinit_autosave_save_changes (ZinitAutosave *autosave, GError **error);
/* Writes at the next turn of the loop, and until it succeeds. */
void zinit_autosave_save_soon (ZinitAutosave *autosave);

G_END_DECLS
