/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a service may start, as a pure function. No service object is seen here, only definitions and the
 * caller's view of the others. What can never start is found in graph-cycles.c.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/graph.h"

static const char *const block_words[] = { "requires", "binds_to", "after", "conflicts", "bound_by" };

const char *
zinit_block_kind_to_string (ZinitBlockKind kind)
{
  g_return_val_if_fail ((guint)kind < G_N_ELEMENTS (block_words), "unknown");

  return block_words[kind];
}

void
zinit_blocker_free (ZinitBlocker *blocker)
{
  g_free (blocker->service);
  g_free (blocker);
}

static void
note (GPtrArray *blockers, ZinitBlockKind kind, const char *name, const ZinitGraphNode *node)
{
  ZinitBlocker *blocker;

  if (blockers == NULL)
    return;
  blocker = g_new0 (ZinitBlocker, 1);
  blocker->kind = kind;
  blocker->service = g_strdup (name);
  blocker->is_known = node != NULL;
  blocker->state = node != NULL ? node->state : ZINIT_STATE_INACTIVE;
  g_ptr_array_add (blockers, blocker);
}

typedef struct {
  ZinitGraphLookup lookup;
  gpointer data;
  GPtrArray *blockers; /* NULL = not wanted */
  ZinitVerdict verdict;
  const char *name; /* that the verdict is about */
} Judgement;

/* The worst verdict stays, and of equal ones the first: an unknown name before a failed one before a wait. */
static void
worsen (Judgement *judgement, ZinitVerdict verdict, const char *name)
{
  static const guint8 rank[] = {
    [ZINIT_VERDICT_MAY_START] = 0,
    [ZINIT_VERDICT_MUST_WAIT] = 1,
    [ZINIT_VERDICT_FAILED] = 2,
    [ZINIT_VERDICT_MISSING] = 3,
  };

  if (rank[verdict] > rank[judgement->verdict]) {
    judgement->verdict = verdict;
    judgement->name = name;
  }
}

static void
judge_needed (Judgement *judgement, ZinitBlockKind kind, char **names)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++) {
    if (!judgement->lookup (*names, &node, judgement->data)) {
      note (judgement->blockers, kind, *names, NULL);
      worsen (judgement, ZINIT_VERDICT_MISSING, *names);
    } else if (!node.is_satisfied) {
      note (judgement->blockers, kind, *names, &node);
      worsen (judgement, node.failed_for_good ? ZINIT_VERDICT_FAILED : ZINIT_VERDICT_MUST_WAIT, *names);
    }
  }
}

/* The other one says it in its own list as well. */
static gboolean
is_noted (const char *const *noted_already, const char *name)
{
  return noted_already != NULL && g_strv_contains (noted_already, name);
}

static void
judge_after (Judgement *judgement, const char *const *names, const char *const *noted_already)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++)
    if (!is_noted (noted_already, *names) && judgement->lookup (*names, &node, judgement->data) &&
        node.is_on_its_way_up) {
      note (judgement->blockers, ZINIT_BLOCK_AFTER, *names, &node);
      worsen (judgement, ZINIT_VERDICT_MUST_WAIT, *names);
    }
}

static void
judge_conflicts (Judgement *judgement, const char *const *names, const char *const *noted_already)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++)
    if (!is_noted (noted_already, *names) && judgement->lookup (*names, &node, judgement->data) &&
        node.is_occupied) {
      note (judgement->blockers, ZINIT_BLOCK_CONFLICTS, *names, &node);
      worsen (judgement, ZINIT_VERDICT_MUST_WAIT, *names);
    }
}

static void
judge_ending (Judgement *judgement, const char *const *names)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++)
    if (judgement->lookup (*names, &node, judgement->data)) {
      note (judgement->blockers, ZINIT_BLOCK_BOUND_BY, *names, &node);
      worsen (judgement, ZINIT_VERDICT_MUST_WAIT, *names);
    }
}

ZinitVerdict
zinit_graph_may_start (const ZinitDefinition *definition, const ZinitGraphOthers *others,
                       ZinitGraphLookup lookup, gpointer data, GPtrArray **ret_blockers,
                       const char **ret_name)
{
  static const ZinitGraphOthers nobody = { NULL };
  Judgement judgement = { .lookup = lookup, .data = data };
  const char *const *after = (const char *const *)definition->after;
  const char *const *conflicts = (const char *const *)definition->conflicts;

  if (others == NULL)
    others = &nobody;
  if (ret_blockers != NULL)
    judgement.blockers = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_blocker_free);

  judge_needed (&judgement, ZINIT_BLOCK_REQUIRES, definition->requires);
  judge_needed (&judgement, ZINIT_BLOCK_BINDS_TO, definition->binds_to);
  judge_after (&judgement, after, NULL);
  judge_after (&judgement, others->preceding, after);
  judge_conflicts (&judgement, conflicts, NULL);
  judge_conflicts (&judgement, others->conflicting, conflicts);
  judge_ending (&judgement, others->ending);

  if (ret_blockers != NULL)
    *ret_blockers = judgement.blockers;
  if (ret_name != NULL)
    *ret_name = judgement.name;
  return judgement.verdict;
}
