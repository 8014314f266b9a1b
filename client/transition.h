/* SPDX-License-Identifier: Apache-2.0
 *
 * One change of a service's state, as the signal ServiceStateChanged tells it, and its line for people.
 */
#pragma once

#include "client/describe.h"

G_BEGIN_DECLS

typedef struct {
  const char *name;
  const char *old_state;
  const char *new_state;
  const char *sub_state; /* "" = not told */
  GVariant *details;     /* a{sv}, owned */
  guint64 sequence;      /* 0 = not told */
  guint64 time_usec;     /* since 1970; when it was received if it was not told */
  GVariant *parameters;  /* what the strings belong to */
} ZinitTransitionInfo;

/* FALSE when @parameters are not those of the signal. Clear @transition afterwards. */
gboolean zinit_transition_read (ZinitTransitionInfo *transition, GVariant *parameters);
void zinit_transition_clear (ZinitTransitionInfo *transition);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitTransitionInfo, zinit_transition_clear)

/* "web: starting → running (pid 12)", "web: starting → failed, given-up: exited with code 3", coloured and
 * safe. Transfer full. */
char *zinit_transition_to_line (const ZinitTransitionInfo *transition);
/* {"service": …}; appended. */
void zinit_transition_to_json (const ZinitTransitionInfo *transition, GString *json);

G_END_DECLS
