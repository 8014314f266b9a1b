/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies between services, by name, as pure functions over a view that the caller gives: who may start,
 * what it waits for, who has to stop before whom, and where the cycles are. Knows neither processes nor the
 * supervisor; a name that the view does not know is simply unknown.
 */
#pragma once

#include "model/definition.h"

G_BEGIN_DECLS

/* What the graph sees of a service. */
typedef struct {
  const ZinitDefinition *definition;
  ZinitState state;
  gboolean is_satisfied;     /* up: running, or a oneshot that is done */
  gboolean failed_for_good;  /* failed, and nothing will start it again by itself */
  gboolean is_on_its_way_up; /* it is to be started, and not stuck */
  gboolean is_occupied;      /* its processes are there, or will be again: a conflict counts */
} ZinitGraphNode;

/* Fills @ret_node and returns TRUE, or FALSE when @name is unknown. */
typedef gboolean (*ZinitGraphLookup) (const char *name, ZinitGraphNode *ret_node, gpointer data);

typedef enum {
  ZINIT_BLOCK_REQUIRES,
  ZINIT_BLOCK_BINDS_TO,
  ZINIT_BLOCK_AFTER,
  ZINIT_BLOCK_CONFLICTS,
  ZINIT_BLOCK_BOUND_BY, /* it goes down still with this one, to which it binds */
} ZinitBlockKind;

typedef struct {
  ZinitBlockKind kind;
  char *service; /* owned */
  gboolean is_known;
  ZinitState state; /* of that service, if known */
} ZinitBlocker;

const char *zinit_block_kind_to_string (ZinitBlockKind kind); /* "requires", "binds_to", … */
void zinit_blocker_free (ZinitBlocker *blocker);

typedef enum {
  ZINIT_VERDICT_MAY_START,
  ZINIT_VERDICT_MUST_WAIT,
  ZINIT_VERDICT_MISSING, /* ret_name = the unknown service that is required */
  ZINIT_VERDICT_FAILED,  /* ret_name = the required service that failed for good */
} ZinitVerdict;

/* Names of others that the definition of a service does not say; each list may be NULL. */
typedef struct {
  const char *const *conflicting; /* they name it in their `conflicts` */
  const char *const *preceding;   /* they name it in their `before` */
  const char *const *ending;      /* they went down with it, and are not down yet */
} ZinitGraphOthers;

/* May the service with @definition start now? @others names it in lists of their own (NULL = nobody does).
 * @ret_blockers, if not NULL, gets every reason to wait as a new array of ZinitBlocker (transfer full, maybe
 * empty; also the missing and the failed one). @ret_name is borrowed from @definition or @others. */
ZinitVerdict zinit_graph_may_start (const ZinitDefinition *definition, const ZinitGraphOthers *others,
                                    ZinitGraphLookup lookup, gpointer data, GPtrArray **ret_blockers,
                                    const char **ret_name);

/* Looks for those among @definitions (ZinitDefinition*; unknown names have no edges) that could never start:
 * they are in a cycle of requires, binds_to, after and before, or require, all the way, what they conflict
 * with. The first @n_in_force of them go on whatever is found, the others are candidates in any order: where
 * only the `before` of candidates closes a cycle, they alone are impossible, and the rest of it is not.
 * Returns name (borrowed from the definition) → the reason with the chain, "… cycle: a → b → a" (char *,
 * owned by the table; a long chain is shortened in the middle). Empty when there is none. No recursion;
 * linear in edges, but for each service in a conflict, and each that closes a cycle, once more. Transfer
 * full. */
GHashTable *zinit_graph_find_impossible (const GPtrArray *definitions, guint n_in_force);

G_END_DECLS
