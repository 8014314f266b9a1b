/* SPDX-License-Identifier: Apache-2.0
 *
 * What is true after an attack, held against the books of the life: the files that the processes have written
 * themselves, the kernel's list of processes, and what the daemon says.
 */
#pragma once

#include "life.h"

G_BEGIN_DECLS

/* The next daemon runs, or the attacked one still does. Waits until all is as it must be, tries what was
 * replaced, and shuts down. Each thing that is wrong is added to @wrong as a line. */
void truth_check (Life *life, GString *wrong);
/* After an orderly end: nothing is left. */
void truth_check_nothing_left (Life *life, GString *wrong);

G_END_DECLS
