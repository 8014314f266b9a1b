/* SPDX-License-Identifier: Apache-2.0
 *
 * What a child records of itself before it executes the program: its number and start time, appended to the
 * record of its start and written into its environment. For child.c alone; everything here runs in the
 * child, which may share the daemon's memory and makes plain system calls only.
 */
#pragma once

#include "process/child.h"
#include "process/in-child.h"

G_BEGIN_DECLS

/* Appends the record of the start and completes @plan's ZINIT_PID. A record that cannot be written is no
 * reason not to start: the daemon notices it by the length of the file. */
void zinit_child_record_start (const ZinitChildPlan *plan);
/* Appends that nothing was executed. */
void zinit_child_record_abort (const ZinitChildPlan *plan);

G_END_DECLS
