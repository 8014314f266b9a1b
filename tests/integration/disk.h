/* SPDX-License-Identifier: Apache-2.0
 *
 * A run-time folder that is a small file system of its own, which can be filled and made read-only: real
 * ones, in a mount namespace that only the test and its children see.
 */
#pragma once

#include "harness.h"

G_BEGIN_DECLS

/* Before the first thread: call it first in main(). Root is enough; somebody else needs a kernel that lets
 * him make a user namespace, in which he is root. */
void disk_enter_namespace (void);
/* FALSE when there is none; the test is skipped then. */
gboolean disk_is_there (void);

/* A harness with such a folder. Transfer full. */
Harness *disk_new (void);
/* Neither a byte nor a file more goes on it. What the daemon removes itself makes room again. */
void disk_fill (Harness *harness);
void disk_make_room (Harness *harness);
void disk_set_read_only (Harness *harness, gboolean is_read_only);

G_END_DECLS
