/* SPDX-License-Identifier: Apache-2.0
 *
 * Start, stop and restart: asks, shows what happens, waits until the services have settled, says how it went.
 */
#pragma once

#include "client/model.h"

G_BEGIN_DECLS

typedef enum { ZINIT_REQUEST_START, ZINIT_REQUEST_STOP, ZINIT_REQUEST_RESTART } ZinitRequest;

typedef struct {
  ZinitRequest request;
  char **names;      /* borrowed */
  gboolean all;      /* every service of class user instead of @names */
  gboolean tree;     /* start, restart: also what it requires and wants */
  gboolean no_wait;  /* only ask */
  gboolean show;     /* every transition of the services concerned */
  gint64 timeout_ms; /* of the waiting; -1 = none */
} ZinitWaitRequest;

/* Returns the worst exit code. */
ZinitExitCode zinit_wait_run (ZinitClient *client, const ZinitWaitRequest *request);

G_END_DECLS
