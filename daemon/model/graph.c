/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies as pure functions: whether a service may start, and where the cycles are. No service object is
 * seen here, only definitions and the caller's view of the others.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/graph.h"

#define MAX_CHAIN_NAMES 20 /* of a cycle that is shown */

static const char *const block_words[] = { "requires", "after", "conflicts" };

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
judge_requires (Judgement *judgement, char **names)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++) {
    if (!judgement->lookup (*names, &node, judgement->data)) {
      note (judgement->blockers, ZINIT_BLOCK_REQUIRES, *names, NULL);
      worsen (judgement, ZINIT_VERDICT_MISSING, *names);
    } else if (!node.is_satisfied) {
      note (judgement->blockers, ZINIT_BLOCK_REQUIRES, *names, &node);
      worsen (judgement, node.failed_for_good ? ZINIT_VERDICT_FAILED : ZINIT_VERDICT_MUST_WAIT, *names);
    }
  }
}

static void
judge_after (Judgement *judgement, char **names)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++)
    if (judgement->lookup (*names, &node, judgement->data) && node.is_on_its_way_up) {
      note (judgement->blockers, ZINIT_BLOCK_AFTER, *names, &node);
      worsen (judgement, ZINIT_VERDICT_MUST_WAIT, *names);
    }
}

static void
judge_conflicts (Judgement *judgement, const char *const *names, const char *const *noted_already)
{
  ZinitGraphNode node;

  for (; names != NULL && *names != NULL; names++)
    if ((noted_already == NULL || !g_strv_contains (noted_already, *names)) &&
        judgement->lookup (*names, &node, judgement->data) && node.is_occupied) {
      note (judgement->blockers, ZINIT_BLOCK_CONFLICTS, *names, &node);
      worsen (judgement, ZINIT_VERDICT_MUST_WAIT, *names);
    }
}

ZinitVerdict
zinit_graph_may_start (const ZinitDefinition *definition, const char *const *conflicting,
                       ZinitGraphLookup lookup, gpointer data, GPtrArray **ret_blockers,
                       const char **ret_name)
{
  Judgement judgement = { .lookup = lookup, .data = data };
  const char *const *own = (const char *const *)definition->conflicts;

  if (ret_blockers != NULL)
    judgement.blockers = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_blocker_free);

  judge_requires (&judgement, definition->requires);
  judge_after (&judgement, definition->after);
  judge_conflicts (&judgement, own, NULL);
  judge_conflicts (&judgement, conflicting, own);

  if (ret_blockers != NULL)
    *ret_blockers = judgement.blockers;
  if (ret_name != NULL)
    *ret_name = judgement.name;
  return judgement.verdict;
}

/* Tarjan's strongly connected components, with a stack of our own: a chain may be as long as there are
 * services. */
typedef struct {
  const ZinitDefinition *definition;
  guint n_requires;
  guint n_after;
  guint index; /* order of discovery, from 1; 0 = not seen */
  guint low;
  guint next; /* edge to look at next: requires, then after */
  gboolean on_stack;
  gboolean in_cycle;
  guint component; /* number of its component, from 1 */
  guint parent;    /* in the walk, +1; 0 = none */
} Vertex;

typedef struct {
  GArray *vertices;    /* Vertex */
  GHashTable *by_name; /* name → position + 1 */
  GArray *stack;       /* guint */
  guint last_index;
  guint last_component;
} Walk;

static const char *
edge_target (const Vertex *vertex, guint edge)
{
  if (edge < vertex->n_requires)
  return vertex->definition->requires[edge];
  if (edge < vertex->n_requires + vertex->n_after)
    return vertex->definition->after[edge - vertex->n_requires];
  return NULL;
}

static void
discover (Walk *walk, guint position, guint parent)
{
  Vertex *vertex = &g_array_index (walk->vertices, Vertex, position);

  vertex->index = vertex->low = ++walk->last_index;
  vertex->on_stack = TRUE;
  vertex->parent = parent;
  g_array_append_val (walk->stack, position);
}

static gboolean
needs_itself (const ZinitDefinition *definition)
{
  return (definition->requires != NULL &&
          g_strv_contains ((const char *const *)definition->requires, definition->name)) ||
         (definition->after != NULL &&
          g_strv_contains ((const char *const *)definition->after, definition->name));
}

/* All edges of @position are seen: if it is the root of a component, take that off the stack. */
static void
complete (Walk *walk, guint position)
{
  Vertex *vertex = &g_array_index (walk->vertices, Vertex, position);
  guint size = 0, member;

  if (vertex->low != vertex->index)
    return;
  walk->last_component++;
  do {
    member = g_array_index (walk->stack, guint, walk->stack->len - 1);
    g_array_set_size (walk->stack, walk->stack->len - 1);
    g_array_index (walk->vertices, Vertex, member).on_stack = FALSE;
    size++;
    g_array_index (walk->vertices, Vertex, member).in_cycle = TRUE;
    g_array_index (walk->vertices, Vertex, member).component = walk->last_component;
  } while (member != position);
  if (size == 1)
    vertex->in_cycle = needs_itself (vertex->definition);
}

static void
walk_from (Walk *walk, guint start)
{
  guint position = start;

  discover (walk, start, 0);
  for (;;) {
    Vertex *vertex = &g_array_index (walk->vertices, Vertex, position);
    const char *name = edge_target (vertex, vertex->next++);

    if (name != NULL) {
      guint target = GPOINTER_TO_UINT (g_hash_table_lookup (walk->by_name, name));
      Vertex *other;

      if (target == 0)
        continue;
      other = &g_array_index (walk->vertices, Vertex, target - 1);
      if (other->index == 0) {
        discover (walk, target - 1, position + 1);
        position = target - 1;
      } else if (other->on_stack) {
        vertex->low = MIN (vertex->low, other->index);
      }
      continue;
    }
    complete (walk, position);
    if (vertex->parent == 0)
      return;
    position = vertex->parent - 1;
    g_array_index (walk->vertices, Vertex, position).low =
        MIN (g_array_index (walk->vertices, Vertex, position).low, vertex->low);
  }
}

/* The next service of the same component that @vertex needs. */
static const Vertex *
follow (Walk *walk, const Vertex *vertex)
{
  const char *name;

  for (guint edge = 0; (name = edge_target (vertex, edge)) != NULL; edge++) {
    guint target = GPOINTER_TO_UINT (g_hash_table_lookup (walk->by_name, name));
    const Vertex *other = target != 0 ? &g_array_index (walk->vertices, Vertex, target - 1) : NULL;

    if (other != NULL && other->component == vertex->component)
      return other;
  }
  g_assert_not_reached ();
}

/* "a → b → c" of an array of ZinitDefinition; a long one is shortened in the middle. Transfer full. */
static char *
describe_chain (const GPtrArray *path)
{
  g_autoptr (GString) chain = g_string_new (NULL);
  guint n_shown = path->len - 1; /* before the last one */

  for (guint i = 0; i < n_shown; i++) {
    if (n_shown > MAX_CHAIN_NAMES && i == MAX_CHAIN_NAMES / 2) {
      g_string_append_printf (chain, "… (%u more) → ", n_shown - MAX_CHAIN_NAMES);
      i = n_shown - MAX_CHAIN_NAMES / 2;
    }
    g_string_append_printf (chain, "%s → ", ((const ZinitDefinition *)path->pdata[i])->name);
  }
  g_string_append (chain, ((const ZinitDefinition *)path->pdata[n_shown])->name);
  return g_string_free (g_steal_pointer (&chain), FALSE);
}

/* One cycle of the component of @start in words: every member has an edge within it, so following them meets
 * itself. */
static char *
describe_cycle (Walk *walk, const Vertex *start)
{
  g_autoptr (GPtrArray) path = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autofree char *chain = NULL;
  const Vertex *vertex = start;
  guint first;

  while (g_hash_table_add (seen, (gpointer)vertex)) {
    g_ptr_array_add (path, (gpointer)vertex->definition);
    vertex = follow (walk, vertex);
  }
  g_ptr_array_find (path, vertex->definition, &first);
  if (first > 0)
    g_ptr_array_remove_range (path, 0, first);
  g_ptr_array_add (path, (gpointer)vertex->definition);
  chain = describe_chain (path);
  return g_strconcat ("the dependencies form a cycle: ", chain, NULL);
}

static GHashTable *
find_cycles (GPtrArray *definitions)
{
  g_autoptr (GArray) vertices = g_array_sized_new (FALSE, TRUE, sizeof (Vertex), definitions->len);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) chains = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint));
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  Walk walk = { .vertices = vertices, .by_name = by_name, .stack = stack };

  for (guint i = 0; i < definitions->len; i++) {
    const ZinitDefinition *definition = definitions->pdata[i];
    Vertex vertex = {
      .definition = definition,
      .n_requires = definition->requires != NULL ? g_strv_length (definition->requires) : 0,
      .n_after = definition->after != NULL ? g_strv_length (definition->after) : 0,
    };

    g_array_append_val (vertices, vertex);
    g_hash_table_insert (by_name, vertex.definition->name, GUINT_TO_POINTER (i + 1));
  }
  for (guint i = 0; i < vertices->len; i++)
    if (g_array_index (vertices, Vertex, i).index == 0)
      walk_from (&walk, i);
  for (guint i = 0; i < vertices->len; i++) {
    const Vertex *vertex = &g_array_index (vertices, Vertex, i);
    gpointer component = GUINT_TO_POINTER (vertex->component);

    if (!vertex->in_cycle)
      continue;
    if (!g_hash_table_contains (chains, component))
      g_hash_table_insert (chains, component, describe_cycle (&walk, vertex));
    g_hash_table_insert (names, vertex->definition->name, g_strdup (g_hash_table_lookup (chains, component)));
  }
  return names;
}

typedef struct {
  GHashTable *by_name; /* name → ZinitDefinition */
  GHashTable *foes;    /* name → GPtrArray of names: in conflict with it, whichever names the other */
} Conflicts;

static void
add_foe (GHashTable *foes, const char *name, const char *foe)
{
  GPtrArray *names = g_hash_table_lookup (foes, name);

  if (names == NULL) {
    names = g_ptr_array_new ();
    g_hash_table_insert (foes, (gpointer)name, names);
  }
  g_ptr_array_add (names, (gpointer)foe);
}

static void
note_conflicts (Conflicts *conflicts, const ZinitDefinition *definition)
{
  g_hash_table_insert (conflicts->by_name, definition->name, (gpointer)definition);
  for (char **name = definition->conflicts; name != NULL && *name != NULL; name++) {
    add_foe (conflicts->foes, definition->name, *name);
    add_foe (conflicts->foes, *name, definition->name);
  }
}

/* From the first one to @last, through @parents. Transfer full. */
static char *
describe_way (GHashTable *parents, const ZinitDefinition *last)
{
  g_autoptr (GPtrArray) path = g_ptr_array_new ();
  g_autofree char *chain = NULL;

  for (const ZinitDefinition *at = last; at != NULL; at = g_hash_table_lookup (parents, at))
    g_ptr_array_insert (path, 0, (gpointer)at);
  chain = describe_chain (path);
  return g_strconcat ("it requires what it conflicts with: ", chain, NULL);
}

/* NULL = it requires none, all the way. Transfer full. */
static char *
find_required_foe (const Conflicts *conflicts, const ZinitDefinition *definition, const GPtrArray *foes)
{
  g_autoptr (GHashTable) parents = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) queue = g_ptr_array_new ();

  g_hash_table_insert (parents, (gpointer)definition, NULL);
  g_ptr_array_add (queue, (gpointer)definition);
  for (guint i = 0; i < queue->len; i++) {
    const ZinitDefinition *at = queue->pdata[i];

    for (char **name = at->requires; name != NULL && *name != NULL; name++) {
      ZinitDefinition *required = g_hash_table_lookup (conflicts->by_name, *name);

      if (required == NULL || g_hash_table_contains (parents, required))
        continue;
      g_hash_table_insert (parents, required, (gpointer)at);
      if (g_ptr_array_find_with_equal_func ((GPtrArray *)foes, *name, g_str_equal, NULL))
        return describe_way (parents, required);
      g_ptr_array_add (queue, required);
    }
  }
  return NULL;
}

GHashTable *
zinit_graph_find_impossible (GPtrArray *definitions)
{
  GHashTable *reasons = find_cycles (definitions);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) foes =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  Conflicts conflicts = { by_name, foes };

  for (guint i = 0; i < definitions->len; i++)
    note_conflicts (&conflicts, definitions->pdata[i]);
  for (guint i = 0; i < definitions->len && g_hash_table_size (foes) > 0; i++) {
    const ZinitDefinition *definition = definitions->pdata[i];
    const GPtrArray *its = g_hash_table_lookup (foes, definition->name);
    char *reason =
        its != NULL && definition->requires != NULL && !g_hash_table_contains (reasons, definition->name)
            ? find_required_foe (&conflicts, definition, its)
            : NULL;

    if (reason != NULL)
      g_hash_table_insert (reasons, definition->name, reason);
  }
  return reasons;
}
