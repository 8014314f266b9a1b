/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process says of itself: the line on its readiness descriptor, and the messages on its NOTIFY_SOCKET,
 * of which only those of its own tree count. What follows from them is the owner's matter. Only this folder
 * includes it.
 */
#pragma once

#include "process/private.h"

G_BEGIN_DECLS

/* A service of this @definition has a NOTIFY_SOCKET. */
gboolean zinit_announce_is_by_socket (const ZinitDefinition *definition);
/* Binds the NOTIFY_SOCKET of the service @name, in the place of one that is there. *@ret_path (transfer full)
 * is where it is. -1 with @error (ZINIT_ERROR_SPAWN_FAILED). The caller owns the descriptor. */
int zinit_announce_bind (const ZinitProcesses *processes, const char *name, char **ret_path, GError **error);
/* Is to listen on @ready_fd and @notify_fd (-1 = none), which @process owns from now on, as it does
 * @notify_path (transfer full). */
void zinit_announce_begin (ZinitProcess *process, int ready_fd, int notify_fd, char *notify_path);
/* The same for a process that was started before, of which it is told in @adoption what there is. */
void zinit_announce_resume (ZinitProcess *process, const ZinitAdoption *adoption);
/* Watches what is not watched yet. FALSE when something cannot be watched now. */
gboolean zinit_announce_watch (ZinitProcess *process);
/* Gives all that was said until now. FALSE when @process was freed in a callback. */
gboolean zinit_announce_drain (ZinitProcess *process);
/* Nothing more is heard. With @is_over nothing of the process is left, and its NOTIFY_SOCKET goes. */
void zinit_announce_end (ZinitProcess *process, gboolean is_over);

G_END_DECLS
