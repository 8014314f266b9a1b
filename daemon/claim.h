/* SPDX-License-Identifier: Apache-2.0
 *
 * What a daemon must have before it may supervise: descriptors for its main loop, and the run-time folder to
 * itself. Where they can be had in a moment it waits for them, since services lose less by that than by its
 * end, after which a service manager soon gives up. Nothing else runs yet, so it may block.
 */
#pragma once

#include "handover/inherited.h"
#include "persist/lock.h"

G_BEGIN_DECLS

/* Returns when there are enough free descriptors for the main loop. */
void zinit_claim_descriptors (void);
/* Opens @folder and takes its lock: a lock that was inherited outlives the execution and is used as it is.
 * Results as zinit_lock_take(), but for ZINIT_LOCK_UNWRITABLE, which is waited for. */
ZinitLockResult zinit_claim_folder (ZinitRuntimeFolder *folder, ZinitInherited *inherited, int *ret_fd,
                                    GError **error);

G_END_DECLS
