/* SPDX-License-Identifier: Apache-2.0
 *
 * A daemon that dies without a word and one that comes after it, for the tests of what outlives them. All of
 * it on the private socket: the bus has nothing to do with it.
 */
#pragma once

#include "harness.h"

G_BEGIN_DECLS

void survival_start (Harness *harness);
/* SIGKILL; returns when nothing is left of the daemon. */
void survival_crash (Harness *harness);
void survival_start_again (Harness *harness); /* crash and start */

/* Path of a file in the run-time folder. Transfer full. */
char *survival_path (Harness *harness, const char *name);
/* Waits until the state file says "@field": @text of @service. */
void survival_wait_saved (Harness *harness, const char *service, const char *field, const char *text);
/* Whether it is there now. */
gboolean survival_has_saved (Harness *harness, const char *service, const char *field);
/* Replaces @from, which must be there, in the state file. The daemon must not run. */
void survival_edit_state (Harness *harness, const char *from, const char *to);
/* As if the wall clock had been @ms behind when the state file was written. */
void survival_age_state (Harness *harness, gint64 ms);
/* As if the state file had been written @ms earlier, which must be after the boot. */
void survival_age_state_by_boottime (Harness *harness, gint64 ms);
/* How often the daemons of this run have written @text to their log. */
guint survival_count_said (Harness *harness, const char *text);
/* Waits until it is that often, at least. */
void survival_wait_said (Harness *harness, const char *text, guint times);

/* No service has more than one process; @ret_count (or NULL) is how many have one. */
void survival_check_at_most_once_each (Harness *harness, guint *ret_count);
/* Exactly @count services, each with one process. */
void survival_check_once_each (Harness *harness, guint count);

G_END_DECLS
