/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor on a fake host, with every transition written down, for tests of its behaviour.
 */
#pragma once

#include "fake-host.h"

G_BEGIN_DECLS

typedef struct {
  FakeHost host;
  ZinitSupervisor *supervisor;
  GString *transitions; /* "web:inactive>starting " … */
  guint n_shutdowns_done;
} Fixture;

void fixture_init (Fixture *fixture);
void fixture_clear (Fixture *fixture);
/* A test that gets one of its own: void FUNC (Fixture *fixture, gconstpointer data). */
void fixture_add_test (const char *path, void (*func) (Fixture *, gconstpointer));
/* @text is TOML; adds and fails the test when that is refused. Does not let the clock run. */
ZinitService *fixture_add (Fixture *fixture, const char *text);
ZinitService *fixture_get (Fixture *fixture, const char *name);
/* "running", …; the queue is settled first. */
const char *fixture_state (Fixture *fixture, const char *name);
void fixture_end (Fixture *fixture, const char *name, ZinitExitKind kind, gint32 value);
/* Compares with what was written down since the last call, and forgets it. */
void fixture_assert_transitions (Fixture *fixture, const char *expected);
void fixture_assert_acts (Fixture *fixture, const char *expected);

G_END_DECLS
