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

G_END_DECLS
