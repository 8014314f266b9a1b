/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions that could never start together: cycles of dependencies, with their chains, and services that
 * require what they conflict with. Pure, as graph.c; a chain may be as long as there are services, so nothing
 * here calls itself.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/graph.h"

#define MAX_CHAIN_NAMES 20 /* of a cycle that is shown */

/* A service waits for another one. */
typedef struct {
  guint target;
  guint next; /* edge of the same service, +1; 0 = none */
} Edge;

/* For Tarjan's strongly connected components. */
typedef struct {
  const ZinitDefinition *definition;
  guint first_edge; /* +1; 0 = none */
  guint last_edge;
  guint next_edge; /* to look at next, +1; 0 = none */
  guint index;     /* order of discovery, from 1; 0 = not seen */
  guint low;
  gboolean on_stack;
  gboolean in_cycle;
  gboolean is_left_out;
  guint component; /* number of its component, from 1 */
  guint parent;    /* in the walk, +1; 0 = none */
} Vertex;

typedef struct {
  GArray *vertices;    /* Vertex */
  GArray *edges;       /* Edge */
  GHashTable *by_name; /* name → position + 1 */
  GArray *stack;       /* guint */
  guint last_index;
  guint last_component;
} Walk;

static Vertex *
get_vertex (const Walk *walk, guint position)
{
  return &g_array_index (walk->vertices, Vertex, position);
}

static const Edge *
get_edge (const Walk *walk, guint number)
{
  return number != 0 ? &g_array_index (walk->edges, Edge, number - 1) : NULL;
}

/* +1; 0 = there is none. */
static guint
find_position (const Walk *walk, const char *name)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (walk->by_name, name));
}

static void
add_edge (Walk *walk, guint from, guint to)
{
  Vertex *vertex = get_vertex (walk, from);
  Edge edge = { .target = to };

  g_array_append_val (walk->edges, edge);
  if (vertex->last_edge != 0)
    g_array_index (walk->edges, Edge, vertex->last_edge - 1).next = walk->edges->len;
  else
    vertex->first_edge = walk->edges->len;
  vertex->last_edge = walk->edges->len;
}

static void
add_edges_to (Walk *walk, guint from, char **names)
{
  for (; names != NULL && *names != NULL; names++) {
    guint to = find_position (walk, *names);

    if (to != 0)
      add_edge (walk, from, to - 1);
  }
}

/* What the service at @to is `before` waits for it. */
static void
add_edges_before (Walk *walk, guint to)
{
  char **names = get_vertex (walk, to)->definition->before;

  for (; names != NULL && *names != NULL; names++) {
    guint from = find_position (walk, *names);

    if (from != 0)
      add_edge (walk, from - 1, to);
  }
}

static gboolean
has_edge (const Walk *walk, guint from, guint to)
{
  const Edge *edge = get_edge (walk, get_vertex (walk, from)->first_edge);

  while (edge != NULL && edge->target != to)
    edge = get_edge (walk, edge->next);
  return edge != NULL;
}

static void
discover (Walk *walk, guint position, guint parent)
{
  Vertex *vertex = get_vertex (walk, position);

  vertex->index = vertex->low = ++walk->last_index;
  vertex->next_edge = vertex->first_edge;
  vertex->on_stack = TRUE;
  vertex->parent = parent;
  g_array_append_val (walk->stack, position);
}

/* All edges of @position are seen: if it is the root of a component, take that off the stack. */
static void
complete (Walk *walk, guint position)
{
  Vertex *vertex = get_vertex (walk, position);
  guint size = 0, member;

  if (vertex->low != vertex->index)
    return;
  walk->last_component++;
  do {
    member = g_array_index (walk->stack, guint, walk->stack->len - 1);
    g_array_set_size (walk->stack, walk->stack->len - 1);
    get_vertex (walk, member)->on_stack = FALSE;
    size++;
    get_vertex (walk, member)->in_cycle = TRUE;
    get_vertex (walk, member)->component = walk->last_component;
  } while (member != position);
  if (size == 1)
    vertex->in_cycle = has_edge (walk, position, position);
}

static void
walk_from (Walk *walk, guint start)
{
  guint position = start;

  discover (walk, start, 0);
  for (;;) {
    Vertex *vertex = get_vertex (walk, position);
    const Edge *edge = get_edge (walk, vertex->next_edge);

    if (edge != NULL) {
      Vertex *other = get_vertex (walk, edge->target);

      vertex->next_edge = edge->next;
      if (other->is_left_out)
        continue;
      if (other->index == 0) {
        discover (walk, edge->target, position + 1);
        position = edge->target;
      } else if (other->on_stack) {
        vertex->low = MIN (vertex->low, other->index);
      }
      continue;
    }
    complete (walk, position);
    if (vertex->parent == 0)
      return;
    position = vertex->parent - 1;
    get_vertex (walk, position)->low = MIN (get_vertex (walk, position)->low, vertex->low);
  }
}

/* Finds the components of all that is not left out. */
static void
walk_all (Walk *walk)
{
  walk->last_index = walk->last_component = 0;
  for (guint i = 0; i < walk->vertices->len; i++) {
    get_vertex (walk, i)->index = 0;
    get_vertex (walk, i)->in_cycle = FALSE;
    get_vertex (walk, i)->component = 0;
  }
  for (guint i = 0; i < walk->vertices->len; i++)
    if (get_vertex (walk, i)->index == 0 && !get_vertex (walk, i)->is_left_out)
      walk_from (walk, i);
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
describe_cycle (Walk *walk, guint start)
{
  g_autoptr (GPtrArray) path = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autofree char *chain = NULL;
  const Vertex *vertex = get_vertex (walk, start);
  guint first;

  while (g_hash_table_add (seen, (gpointer)vertex)) {
    const Edge *edge = get_edge (walk, vertex->first_edge);

    g_ptr_array_add (path, (gpointer)vertex->definition);
    while (get_vertex (walk, edge->target)->component != vertex->component)
      edge = get_edge (walk, edge->next);
    vertex = get_vertex (walk, edge->target);
  }
  g_ptr_array_find (path, vertex->definition, &first);
  if (first > 0)
    g_ptr_array_remove_range (path, 0, first);
  g_ptr_array_add (path, (gpointer)vertex->definition);
  chain = describe_chain (path);
  return g_strconcat ("the dependencies form a cycle: ", chain, NULL);
}

/* Cycles of all edges that there are: each member has the same reason. */
static void
add_cycles (Walk *walk, GHashTable *reasons)
{
  g_autoptr (GHashTable) chains = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  for (guint i = 0; i < walk->vertices->len; i++) {
    Vertex *vertex = get_vertex (walk, i);
    gpointer component = GUINT_TO_POINTER (vertex->component);

    if (!vertex->in_cycle)
      continue;
    if (!g_hash_table_contains (chains, component))
      g_hash_table_insert (chains, component, describe_cycle (walk, i));
    g_hash_table_insert (reasons, vertex->definition->name,
                         g_strdup (g_hash_table_lookup (chains, component)));
  }
}

/* The way from the service at @start, which is `before` the one at @end, to that: within a component there is
 * one. */
static char *
describe_closing (Walk *walk, guint start, guint end)
{
  g_autoptr (GHashTable) parents = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) path = g_ptr_array_new ();
  g_autoptr (GArray) queue = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree char *chain = NULL;

  g_hash_table_insert (parents, GUINT_TO_POINTER (start), NULL);
  g_array_append_val (queue, start);
  for (guint i = 0; !g_hash_table_contains (parents, GUINT_TO_POINTER (end)) && i < queue->len; i++) {
    guint at = g_array_index (queue, guint, i);

    for (const Edge *edge = get_edge (walk, get_vertex (walk, at)->first_edge); edge != NULL;
         edge = get_edge (walk, edge->next)) {
      if (get_vertex (walk, edge->target)->component != get_vertex (walk, at)->component ||
          g_hash_table_contains (parents, GUINT_TO_POINTER (edge->target)))
        continue;
      g_hash_table_insert (parents, GUINT_TO_POINTER (edge->target), GUINT_TO_POINTER (at + 1));
      g_array_append_val (queue, edge->target);
    }
  }
  for (guint at = end + 1; at != 0;
       at = GPOINTER_TO_UINT (g_hash_table_lookup (parents, GUINT_TO_POINTER (at - 1))))
    g_ptr_array_insert (path, 0, (gpointer)get_vertex (walk, at - 1)->definition);
  g_ptr_array_insert (path, 0, (gpointer)get_vertex (walk, end)->definition);
  chain = describe_chain (path);
  return g_strconcat ("its dependencies.before closes a cycle: ", chain, NULL);
}

/* Cycles that the `before` of candidates closes: only they have a reason, as the others could start without
 * them. */
static void
add_closed_cycles (Walk *walk, guint n_in_force, GHashTable *reasons)
{
  for (guint i = n_in_force; i < walk->vertices->len; i++) {
    const Vertex *vertex = get_vertex (walk, i);

    for (char **name = vertex->definition->before; vertex->in_cycle && name != NULL && *name != NULL;
         name++) {
      guint other = find_position (walk, *name);

      if (other == 0 || get_vertex (walk, other - 1)->component != vertex->component)
        continue;
      g_hash_table_insert (reasons, vertex->definition->name, describe_closing (walk, i, other - 1));
      break;
    }
  }
}

static void
add_vertices (Walk *walk, const GPtrArray *definitions)
{
  for (guint i = 0; i < definitions->len; i++) {
    Vertex vertex = { .definition = definitions->pdata[i] };

    g_array_append_val (walk->vertices, vertex);
    g_hash_table_insert (walk->by_name, vertex.definition->name, GUINT_TO_POINTER (i + 1));
  }
}

static GHashTable *
find_cycles (const GPtrArray *definitions, guint n_in_force)
{
  g_autoptr (GArray) vertices = g_array_sized_new (FALSE, TRUE, sizeof (Vertex), definitions->len);
  g_autoptr (GArray) edges = g_array_new (FALSE, FALSE, sizeof (Edge));
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint));
  GHashTable *reasons = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  Walk walk = { .vertices = vertices, .edges = edges, .by_name = by_name, .stack = stack };
  gboolean is_any_before = FALSE;

  add_vertices (&walk, definitions);
  for (guint i = 0; i < vertices->len; i++) {
    const ZinitDefinition *definition = get_vertex (&walk, i)->definition;

    add_edges_to (&walk, i, definition->requires);
    add_edges_to (&walk, i, definition->binds_to);
    add_edges_to (&walk, i, definition->after);
    if (i < n_in_force)
      add_edges_before (&walk, i);
    else
      is_any_before = is_any_before || definition->before != NULL;
  }
  walk_all (&walk);
  add_cycles (&walk, reasons);
  if (!is_any_before)
    return reasons;
  for (guint i = 0; i < vertices->len; i++) {
    get_vertex (&walk, i)->is_left_out = get_vertex (&walk, i)->in_cycle;
    if (i >= n_in_force)
      add_edges_before (&walk, i);
  }
  walk_all (&walk);
  add_closed_cycles (&walk, n_in_force, reasons);
  return reasons;
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
    ZinitNeedIter iter = { 0 };
    const char *name;

    while ((name = zinit_definition_next_need (at, &iter)) != NULL) {
      ZinitDefinition *required = g_hash_table_lookup (conflicts->by_name, name);

      if (required == NULL || g_hash_table_contains (parents, required))
        continue;
      g_hash_table_insert (parents, required, (gpointer)at);
      if (g_ptr_array_find_with_equal_func ((GPtrArray *)foes, name, g_str_equal, NULL))
        return describe_way (parents, required);
      g_ptr_array_add (queue, required);
    }
  }
  return NULL;
}

GHashTable *
zinit_graph_find_impossible (const GPtrArray *definitions, guint n_in_force)
{
  GHashTable *reasons = find_cycles (definitions, n_in_force);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) foes =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  Conflicts conflicts = { by_name, foes };

  for (guint i = 0; i < definitions->len; i++)
    note_conflicts (&conflicts, definitions->pdata[i]);
  for (guint i = 0; i < definitions->len && g_hash_table_size (foes) > 0; i++) {
    const ZinitDefinition *definition = definitions->pdata[i];
    const GPtrArray *its = g_hash_table_lookup (foes, definition->name);
    char *reason = its != NULL && !g_hash_table_contains (reasons, definition->name)
                       ? find_required_foe (&conflicts, definition, its)
                       : NULL;

    if (reason != NULL)
      g_hash_table_insert (reasons, definition->name, reason);
  }
  return reasons;
}
