/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel under the tests can do. They ask for the feature, never for a version.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether the pidfd of a process says how it ended after its parent has reaped it (Linux 6.15). Makes a child
 * once. */
gboolean kernel_tells_exits (void);

G_END_DECLS
