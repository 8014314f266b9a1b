/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's services as the documents that outlive the daemon, and one of them back as a record. It
 * reads and writes no file.
 */
#pragma once

#include "paths.h"
#include "persist/state-format.h"
#include "supervisor/record.h"

G_BEGIN_DECLS

/* What is costly and changes rarely: definitions as text. One for the daemon's
 * life. */
typedef struct _ZinitSnapshotCache ZinitSnapshotCache;

ZinitSnapshotCache *zinit_snapshot_cache_new (void);
void zinit_snapshot_cache_free (ZinitSnapshotCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSnapshotCache, zinit_snapshot_cache_free)

/* All services as they are now. The texts of definitions stay the cache's: to be freed by
 * zinit_snapshot_free(), before the cache is used again. */
ZinitSavedState *zinit_snapshot_take (ZinitSupervisor *supervisor, const ZinitPaths *paths,
                                      ZinitSnapshotCache *cache);
void zinit_snapshot_free (ZinitSavedState *state);
/* The other way: what @saved says of a service. Numbers out of range are brought into it. The failure's text
 * is borrowed from
 * @saved. */
void zinit_snapshot_read (const ZinitSavedService *saved, ZinitServiceRecord *ret_record);

G_END_DECLS
