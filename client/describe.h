/* SPDX-License-Identifier: Apache-2.0
 *
 * A service's condition in words for people. All results are transfer full.
 */
#pragma once

#include "client/model.h"

G_BEGIN_DECLS

/* "exited with code 3", "killed by SIGKILL (9)", "needs db, which failed", …; "" when @reason (a{sv}, or
 * NULL) is empty. */
char *zinit_describe_failure (GVariant *reason);
/* LastExit: "exited with code 3", "killed by SIGTERM (15)", "ended, nobody knows how"; "" for none or NULL.
 */
char *zinit_describe_exit (GVariant *last_exit);
/* "SIGTERM (15)". */
char *zinit_describe_signal (int signal_number);
/* "running (pid 12)", "failed: exited with code 3, given up after 2 restarts", "blocked: waits for db,
 * cache", "done", "stopped". */
char *zinit_describe_state (const ZinitServiceInfo *info);
/* Its last stop ended in SIGKILL. */
gboolean zinit_describe_is_killed (const ZinitServiceInfo *info);

G_END_DECLS
