/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the daemon's own messages go: the journal if stderr is connected to it, else stderr, a line each. It
 * never blocks the loop on a reader that does not read. The output of services is not its matter.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Installs it for the whole process, once. The level is model/log-level.h's. */
void zinit_log_writer_install (void);

G_END_DECLS
