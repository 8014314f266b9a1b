/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of tests of the rules on a fixture, each of which fails the test when it is refused.
 */
#pragma once

#include "fake-fixture.h"

G_BEGIN_DECLS

/* The queue is settled first. */
void steps_assert_sub_state (Fixture *fixture, const char *name, const char *expected);
/* The status text of @name has @part. */
void steps_assert_text (Fixture *fixture, const char *name, const char *part);
void steps_start (Fixture *fixture, const char *name, gboolean tree);
void steps_stop (Fixture *fixture, const char *name);
void steps_restart (Fixture *fixture, const char *name);
/* Its process ends with code 0. */
void steps_end_well (Fixture *fixture, const char *name);
/* What a waiting start of @name is answered: "" = well, NULL = nothing yet. Transfer full. */
char *steps_answer (Fixture *fixture, const char *name);
void steps_assert_answer (Fixture *fixture, const char *name, const char *part);
/* @text is TOML; its addition is refused as a cycle, and the message has @part. */
void steps_assert_cyclic (Fixture *fixture, const char *text, const char *part);
/* Messages are no failure; what is critical is. To be called first. */
void steps_init (void);

G_END_DECLS
