/* SPDX-License-Identifier: Apache-2.0
 *
 * What is different about a process that is not our child, for reaper.c. Only this folder includes it.
 */
#pragma once

#include "process/private.h"

G_BEGIN_DECLS

/* How the first process of @process, which has ended, ended as far as the kernel tells: it does so from
 * Linux 6.15 on, once its parent has reaped it. */
ZinitExit zinit_adopted_get_exit (const ZinitProcess *process);
/* Nothing of the group lives. Walks /proc: somebody else's zombies stay in a group as long as he likes. */
gboolean zinit_adopted_is_gone (const ZinitProcess *process);

G_END_DECLS
