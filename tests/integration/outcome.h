/* SPDX-License-Identifier: Apache-2.0
 *
 * What is true of all services of a run once nothing is under way any more: what the daemon says of them, and
 * what the processes say themselves.
 */
#pragma once

#include "harness.h"

G_BEGIN_DECLS

typedef struct {
  char *wanted; /* the properties' text */
  char *state;
  char *exec;
  guint32 pid;
  gboolean needs_restart;
  gboolean can_start;
} Outcome;

/* Waits until each service that is wanted runs, each that is not is down, and each that is being removed is
 * gone; then until each that runs has one process, and nothing else has one. Fails the test when a service
 * has two at any time, or when it does not come to that in time. Name → Outcome; transfer full. */
GHashTable *outcome_wait (Harness *harness);
/* The same, but when it does not come to that: NULL, and @ret_wrong is what is wrong (transfer full). */
GHashTable *outcome_try_wait (Harness *harness, char **ret_wrong);
/* NULL = there is no such service. Borrowed. */
const Outcome *outcome_find (GHashTable *outcomes, const char *service);

G_END_DECLS
