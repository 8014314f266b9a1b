/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the state file current: it observes the supervisor and writes what has changed, gathered for a
 * moment. A disk that is full or read-only is said once and tried again; supervision does not wait for it.
 */
#pragma once

#include "handover/snapshot.h"

G_BEGIN_DECLS

typedef struct _ZinitKeeper ZinitKeeper;

/* @supervisor, @loop and @paths must outlive it. What is there already is written after four minutes, changes
 * at once. Transfer full.
 */
ZinitKeeper *zinit_keeper_new (ZinitSupervisor *supervisor, ZinitLoop *loop, const ZinitPaths *paths);
/* Writes nothing more. */
void zinit_keeper_free (ZinitKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitKeeper, zinit_keeper_free)

/* Writes now, whether or not anything has changed. */
gboolean zinit_keeper_save (ZinitKeeper *keeper, GError **error);
/* The same, at the next turn of the loop, and until it succeeds. */
void zinit_keeper_save_soon (ZinitKeeper *keeper);
/* From now on there is nothing to keep: the files are removed, also those of logs, and no more
 * are written. */
void zinit_keeper_finish (ZinitKeeper *keeper);

G_END_DECLS
