/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold in a world of services at every moment, whatever happens to it. Each rule that is broken
 * ends the program with a message that names it and the service.
 */
#pragma once

#include "world.h"

G_BEGIN_DECLS

/* An observer of these checks the rules of single transitions: one writer, nothing starts that may not,
 * nothing is stopped before what needs it. */
extern const ZinitObserver world_check_observer;

/* After a step, when nothing is due any more: processes, states, deadlines, counts, and that the saved text
 * says what is. */
void world_check (World *world);

/* All that a restart of the daemon must not change, a line a service. Transfer full. */
char *world_describe (World *world);
/* Only what is saved before it is acknowledged: who is there, and what was asked for. Transfer full. */
char *world_describe_requests (World *world);
/* Fails unless both are equal; @what is for the message. */
void world_check_same (const char *before, const char *after, const char *what);
/* Fails unless each line of @before is one of @after. */
void world_check_kept (const char *before, const char *after, const char *what);
/* After a restoration: what the services are now was told by nobody. */
void world_check_restored (World *world);
/* FALSE when a definition would be lost that the daemon does not save yet. */
gboolean world_is_all_saved (World *world);

G_END_DECLS
