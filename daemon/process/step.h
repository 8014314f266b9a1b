/* SPDX-License-Identifier: Apache-2.0
 *
 * What the start of a process consists of, so that a failure can say where it was.
 */
#pragma once

#include "model/resource-limit.h"

G_BEGIN_DECLS

/* The first word of an error message. */
typedef enum {
  ZINIT_STEP_NONE,
  ZINIT_STEP_PIPE,
  ZINIT_STEP_USER,
  ZINIT_STEP_GROUP,
  ZINIT_STEP_CLONE,
  ZINIT_STEP_SESSION,
  ZINIT_STEP_STDIO,
  ZINIT_STEP_GROUPS,
  ZINIT_STEP_CHDIR,
  ZINIT_STEP_EXEC,
  ZINIT_STEP_DAEMON, /* the daemon has ended meanwhile */
  ZINIT_STEP_NICE,
  ZINIT_STEP_OOM_SCORE_ADJ,
  ZINIT_STEP_NO_NEW_PRIVS,
  ZINIT_STEP_CAPABILITIES,
  ZINIT_STEP_LIMIT, /* that of the first resource; the others follow */
  ZINIT_N_STEPS = ZINIT_STEP_LIMIT + ZINIT_N_RESOURCES
} ZinitStep;

typedef struct {
  ZinitStep step; /* ZINIT_STEP_NONE = exec has succeeded */
  int reason;     /* errno of the step */
} ZinitStepFailure;

G_END_DECLS
