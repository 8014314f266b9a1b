/* SPDX-License-Identifier: Apache-2.0
 *
 * The logs of all services in a file without a name, which only the next image of this process reads.
 */
#pragma once

#include "supervisor/record.h"

G_BEGIN_DECLS

/* Returns the descriptor (close-on-exec, transfer full), or -1 with @error set. */
int zinit_saved_logs_write (ZinitSupervisor *supervisor, GError **error);
/* Fills the logs of the services that are there; a file of another form is passed over with a warning. @fd
 * stays the caller's. */
void zinit_saved_logs_read (ZinitSupervisor *supervisor, int fd);

G_END_DECLS
