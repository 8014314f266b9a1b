/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the service manager that started the daemon how it stands (the protocol of sd_notify(3)). The
 * readiness of zinit's own services is not its matter.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sends @state ("READY=1", "STOPPING=1", …) to $NOTIFY_SOCKET; nothing happens when there is none. Never
 * blocks. */
/* FALSE when the kernel lacked something: to be tried again. */
gboolean zinit_notify (const char *state);

G_END_DECLS
