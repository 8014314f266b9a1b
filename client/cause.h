/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a service is not up: the chain of services from it down to those that are at the root of it, and what
 * would help.
 */
#pragma once

#include "client/model.h"

G_BEGIN_DECLS

typedef struct {
  char *service;
  char *kind;  /* how the link above depends on it: "requires", "after", "conflicts", …; NULL = the first */
  guint depth; /* 0 = the first */
  ZinitServiceInfo *info; /* NULL = there is no such service */
  gboolean is_root;       /* nothing below it holds it */
} ZinitCause;

/* From service @name down, each service once, depth first; only the first when it is up. Transfer full. */
GPtrArray *zinit_cause_find (ZinitClient *client, const char *name, GError **error);
/* The first root, as a rule the culprit. Borrowed. */
const ZinitCause *zinit_cause_get_root (GPtrArray *causes);
/* "failed: exited with code 3; given up after 2 restarts, 5s ago", "stopped, 5s ago": its state in words; of
 * a name that no service has, what may be behind it, or "". Transfer full. */
char *zinit_cause_describe (ZinitClient *client, const ZinitCause *cause);
/* Commands to type, the likeliest first; none where waiting is all that helps. Transfer full. */
char **zinit_cause_get_help (GPtrArray *causes);
/* "requires db, which is failed": how @cause holds the one above it. @text: what zinit_cause_describe() says
 * of it, NULL for its state alone. Transfer full. */
char *zinit_cause_describe_link (const ZinitCause *cause, const char *text);
/* It ended by itself: then its output is of interest. */
gboolean zinit_cause_has_failed (const ZinitCause *cause);

G_END_DECLS
