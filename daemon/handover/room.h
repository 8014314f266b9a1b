/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors while processes are adopted. Watching a process is more important than reading its output:
 * pipes are opened only while there is a descriptor left for each process that is still to come.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint n_to_come; /* processes that are still to be adopted, at most */
  guint n_short;   /* how often something was opened and nothing was left then */
} ZinitRoom;

/* @services: name → ZinitSavedService. Each of their processes is to come; the caller counts down. */
void zinit_room_add_saved (ZinitRoom *room, GTree *services);
/* Around the opening of the pipes of one process. */
void zinit_room_enter (const ZinitRoom *room);
void zinit_room_leave (ZinitRoom *room);
/* Warns when there were too few. */
void zinit_room_report (const ZinitRoom *room);

G_END_DECLS
