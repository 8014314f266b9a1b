/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving the services to the next daemon: to another image of the same process (re-execution), or to a new
 * process after this one has left them running. Until the last step nothing is changed that the old daemon
 * could not go on with.
 */
#pragma once

#include "persist/runtime-lock.h"
#include "handover/autosave.h"

G_BEGIN_DECLS

typedef struct _ZinitHandover ZinitHandover;

/* All but @argv must outlive it. @program is the file to execute, looked at when it is time. Transfer full.
 */
ZinitHandover *zinit_handover_new (ZinitSupervisor *supervisor, ZinitProcesses *processes,
                                   ZinitAutosave *autosave, ZinitRuntimeLock *lock, const ZinitPaths *paths,
                                   const ZinitRuntimeFolder *folder, const char *program, char **argv);
void zinit_handover_free (ZinitHandover *handover);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitHandover, zinit_handover_free)

/* @error NULL: the program accepts the state. */
typedef void (*ZinitHandoverFunc) (const GError *error, gpointer data);

/* Writes the state and has the program check it (`--check-state`), without blocking the loop; then calls
 * @done, once. FALSE with @error, and @done is not called, when it cannot be tried: one is under way, the
 * daemon is shutting down, the state cannot be written. */
gboolean zinit_handover_check (ZinitHandover *handover, ZinitHandoverFunc done, gpointer data,
                               GError **error);
/* Becomes the program, with everything that is open: pipes, @listener_fd, the lock. Returns only on
 * failure, and then everything is as before. */
gboolean zinit_handover_execute (ZinitHandover *handover, int listener_fd, GError **error);
/* For a daemon that is about to end without stopping a service: writes the state, the map of descriptors and
 * output that is in memory alone for the last time. */
gboolean zinit_handover_release (ZinitHandover *handover, int listener_fd, GError **error);
/* After that, and after clients had their answers: what has happened meanwhile is written as well. */
gboolean zinit_handover_leave (ZinitHandover *handover, GError **error);

G_END_DECLS
