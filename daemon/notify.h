/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports the daemon's state to the service manager that started it (the protocol of sd_notify(3)). It has
 * nothing to do with the readiness of zinit's own services.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sends @state ("READY=1", "STOPPING=1", …) to $NOTIFY_SOCKET; nothing happens when there is none. Never
 * blocks. */
/* FALSE when the kernel lacked something: to be tried again. */
gboolean zinit_notify (const char *state);

G_END_DECLS
