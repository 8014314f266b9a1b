/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies as tables: what one other service in each state means for a start, and cycles with their
 * chains.
 */
#include "model/graph.h"

typedef struct {
  const char *name;
  ZinitGraphNode node;
} Other;

/* A world of one service, "b". */
static gboolean
lookup (const char *name, ZinitGraphNode *ret_node, gpointer data)
{
  const Other *other = data;

  if (other->name == NULL || !g_str_equal (name, other->name))
    return FALSE;
  *ret_node = other->node;
  return TRUE;
}

static char **
list (const char *text)
{
  return text != NULL ? g_strsplit (text, " ", -1) : NULL;
}

static ZinitDefinition *
definition_new (const char *name, const char *requires, const char *after, const char *conflicts)
{
  ZinitDefinition *definition = zinit_definition_new ();

  definition->name = g_strdup (name);
  definition->requires = list (requires);
  definition->after = list (after);
  definition->conflicts = list (conflicts);
  return definition;
}

typedef struct {
  const char *requires, *after, *conflicts; /* of "a" */
  gboolean is_known;                        /* "b" */
  ZinitState state;
  gboolean is_satisfied, failed_for_good;
  ZinitVerdict verdict;
  const char *blockers; /* kinds */
} JudgeCase;

#define B TRUE
static const JudgeCase judgements[] = {
  { NULL, NULL, NULL, B, ZINIT_STATE_RUNNING, TRUE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { "b", NULL, NULL, FALSE, 0, FALSE, FALSE, ZINIT_VERDICT_MISSING, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_INACTIVE, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_BLOCKED, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_STARTING, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_RUNNING, TRUE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { "b", NULL, NULL, B, ZINIT_STATE_RUNNING, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_STOPPING, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_EXITED, TRUE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { "b", NULL, NULL, B, ZINIT_STATE_EXITED, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_FAILED, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires" },
  { "b", NULL, NULL, B, ZINIT_STATE_FAILED, FALSE, TRUE, ZINIT_VERDICT_FAILED, "requires" },
  { NULL, "b", NULL, FALSE, 0, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, "b", NULL, B, ZINIT_STATE_INACTIVE, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, "b", NULL, B, ZINIT_STATE_BLOCKED, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "after" },
  { NULL, "b", NULL, B, ZINIT_STATE_STARTING, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "after" },
  { NULL, "b", NULL, B, ZINIT_STATE_RUNNING, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, "b", NULL, B, ZINIT_STATE_STOPPING, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, "b", NULL, B, ZINIT_STATE_EXITED, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, "b", NULL, B, ZINIT_STATE_FAILED, FALSE, TRUE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, NULL, "b", FALSE, 0, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, NULL, "b", B, ZINIT_STATE_INACTIVE, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, NULL, "b", B, ZINIT_STATE_BLOCKED, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, NULL, "b", B, ZINIT_STATE_STARTING, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "conflicts" },
  { NULL, NULL, "b", B, ZINIT_STATE_RUNNING, TRUE, FALSE, ZINIT_VERDICT_MUST_WAIT, "conflicts" },
  { NULL, NULL, "b", B, ZINIT_STATE_STOPPING, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "conflicts" },
  { NULL, NULL, "b", B, ZINIT_STATE_EXITED, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  { NULL, NULL, "b", B, ZINIT_STATE_FAILED, FALSE, FALSE, ZINIT_VERDICT_MAY_START, "" },
  /* Both kinds at once, and the worse verdict wins whatever the order. */
  { "b", "b", NULL, B, ZINIT_STATE_BLOCKED, FALSE, FALSE, ZINIT_VERDICT_MUST_WAIT, "requires after" },
  { "b gone", NULL, NULL, B, ZINIT_STATE_FAILED, FALSE, TRUE, ZINIT_VERDICT_MISSING, "requires requires" },
  { "gone b", NULL, NULL, B, ZINIT_STATE_FAILED, FALSE, TRUE, ZINIT_VERDICT_MISSING, "requires requires" },
};

static char *
kinds_of (GPtrArray *blockers)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < blockers->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                            zinit_block_kind_to_string (((ZinitBlocker *)blockers->pdata[i])->kind));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_judge (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (judgements); i++) {
    const JudgeCase *expect = &judgements[i];
    g_autoptr (ZinitDefinition) a = definition_new ("a", expect->requires, expect->after, expect->conflicts);
    Other b = { expect->is_known ? "b" : NULL,
                { NULL, expect->state, expect->is_satisfied, expect->failed_for_good,
                  expect->state == ZINIT_STATE_BLOCKED || expect->state == ZINIT_STATE_STARTING,
                  zinit_state_is_active (expect->state) } };
    g_autoptr (GPtrArray) blockers = NULL;
    g_autofree char *kinds = NULL;
    const char *name = NULL;

    g_test_message ("case %u", i);
    g_assert_cmpint (zinit_graph_may_start (a, NULL, lookup, &b, &blockers, &name), ==, expect->verdict);
    kinds = kinds_of (blockers);
    g_assert_cmpstr (kinds, ==, expect->blockers);
    if (expect->verdict == ZINIT_VERDICT_MISSING)
      g_assert_cmpstr (name, ==, expect->is_known ? "gone" : "b");
    else if (expect->verdict == ZINIT_VERDICT_FAILED)
      g_assert_cmpstr (name, ==, "b");
    /* Without the list the verdict is the same. */
    g_assert_cmpint (zinit_graph_may_start (a, NULL, lookup, &b, NULL, NULL), ==, expect->verdict);
  }
}

static void
test_conflict_named_by_the_other (void)
{
  g_autoptr (ZinitDefinition) a = definition_new ("a", NULL, NULL, NULL);
  g_autoptr (ZinitDefinition) both = definition_new ("a", NULL, NULL, "b");
  const char *const naming[] = { "b", NULL };
  ZinitGraphOthers conflicting = { .conflicting = naming };
  Other b = { "b", { NULL, ZINIT_STATE_RUNNING, TRUE, FALSE, FALSE, TRUE } };
  g_autoptr (GPtrArray) blockers = NULL;
  g_autoptr (GPtrArray) blockers_of_both = NULL;

  g_assert_cmpint (zinit_graph_may_start (a, &conflicting, lookup, &b, &blockers, NULL), ==,
                   ZINIT_VERDICT_MUST_WAIT);
  g_assert_cmpuint (blockers->len, ==, 1);
  zinit_graph_may_start (both, &conflicting, lookup, &b, &blockers_of_both, NULL);
  g_assert_cmpuint (blockers_of_both->len, ==, 1);
}

/* As if it said `after` itself; once, where it does. */
static void
test_named_in_before (void)
{
  g_autoptr (ZinitDefinition) a = definition_new ("a", NULL, NULL, NULL);
  g_autoptr (ZinitDefinition) both = definition_new ("a", NULL, "b", NULL);
  const char *const naming[] = { "gone", "b", NULL };
  ZinitGraphOthers preceding = { .preceding = naming };
  Other b = { "b", { NULL, ZINIT_STATE_STARTING, FALSE, FALSE, TRUE, TRUE } };
  g_autoptr (GPtrArray) blockers = NULL;
  g_autoptr (GPtrArray) blockers_of_both = NULL;
  g_autofree char *kinds = NULL;

  g_assert_cmpint (zinit_graph_may_start (a, &preceding, lookup, &b, &blockers, NULL), ==,
                   ZINIT_VERDICT_MUST_WAIT);
  kinds = kinds_of (blockers);
  g_assert_cmpstr (kinds, ==, "after");
  zinit_graph_may_start (both, &preceding, lookup, &b, &blockers_of_both, NULL);
  g_assert_cmpuint (blockers_of_both->len, ==, 1);
  b.node.is_on_its_way_up = FALSE;
  g_assert_cmpint (zinit_graph_may_start (a, &preceding, lookup, &b, NULL, NULL), ==,
                   ZINIT_VERDICT_MAY_START);
}

typedef struct {
  const char *edges; /* "a:b c" = a requires b and c; "a>b" = a after b; "a<b" = a before b; services are
                        separated by commas */
  const char *names; /* in a cycle, sorted */
  const char *chain; /* NULL = none */
} CycleCase;

static const CycleCase cycles[] = {
  { "a:b,b:c,c:", "", NULL },
  { "a:a", "a", "a → a" },
  { "a>a", "a", "a → a" },
  { "a:b,b:a", "a b", "a → b → a" },
  { "a:b,b>a", "a b", "a → b → a" },
  { "a:b,b:c,c:b", "b c", "b → c → b" },
  { "a:b,b:c,c:a,d:a", "a b c", "a → b → c → a" },
  { "a:gone,b:gone a", "", NULL },
  { "a:b c,b:d,c:d,d:", "", NULL },
  { "a:b,b:a,c:d,d:c", "a b c d", "a → b → a" },
  { "a:b,b:a c,c:d,d:c", "a b c d", "a → b → a" },
};

static GPtrArray *
parse_edges (const char *text)
{
  GPtrArray *definitions = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_definition_unref);
  g_auto (GStrv) services = g_strsplit (text, ",", -1);

  for (guint i = 0; services[i] != NULL; i++) {
    gsize at = strcspn (services[i], ":><");
    char kind = services[i][at];
    const char *names = services[i] + at + 1;
    g_autofree char *name = g_strndup (services[i], at);

    names = *names != '\0' ? names : NULL;
    g_ptr_array_add (definitions,
                     definition_new (name, kind == ':' ? names : NULL, kind == '>' ? names : NULL, NULL));
    ((ZinitDefinition *)definitions->pdata[i])->before = kind == '<' ? list (names) : NULL;
  }
  return definitions;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
test_cycles (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cycles); i++) {
    g_autoptr (GPtrArray) definitions = parse_edges (cycles[i].edges);
    g_autoptr (GHashTable) names = zinit_graph_find_impossible (definitions, 0);
    g_autoptr (GList) sorted = g_list_sort (g_hash_table_get_keys (names), compare);
    g_autoptr (GString) text = g_string_new (NULL);

    for (GList *l = sorted; l != NULL; l = l->next)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", (char *)l->data);
    g_test_message ("%s", cycles[i].edges);
    g_assert_cmpstr (text->str, ==, cycles[i].names);
    for (GList *l = sorted; l != NULL; l = l->next) {
      const char *chain = g_hash_table_lookup (names, l->data);
      g_autofree char *member = g_strdup_printf ("%s →", (char *)l->data);

      /* Each is told of its own cycle. */
      g_assert_nonnull (strstr (chain, member));
    }
    if (sorted != NULL)
      g_assert_cmpstr (strstr (g_hash_table_lookup (names, sorted->data), ": ") + 2, ==, cycles[i].chain);
    else
      g_assert_null (cycles[i].chain);
  }
}

/* Only what says `before` is refused, unless it goes on whatever is found. */
static const struct {
  const char *edges;
  guint n_in_force; /* of the first ones */
  const char *names;
  const char *chain;
} closed[] = {
  { "a<b,b:", 0, "", NULL },
  { "a<gone,b:a", 0, "", NULL },
  { "a<a", 0, "a", "a → a" },
  { "a<b,b<a", 0, "a b", "b → a → b" },
  { "a<b,b:c,c:,d:a", 0, "", NULL },
  { "a:b,b<a", 0, "", NULL },
  { "b:a,a<b", 0, "", NULL },
  { "a<b,a2:", 0, "", NULL },
  { "a>b,b>c,c>a", 0, "a b c", "a → b → c → a" },
  { "b:c,c:d,d:b,a<b", 0, "b c d", "b → c → d → b" },
  { "a:b,b:c,c<d,d:e,e<a", 0, "", NULL },
  { "a>b,b<c,c<a", 0, "", NULL },
  { "c:b,b:a,a:,d<a c", 0, "", NULL },
  { "b<c,c<d,d<b,e>b", 0, "b c d", "c → b → d → c" },
  { "b<c,c<d,d<b", 1, "c d", "d → c → b → d" },
};

static char *
list_names (GHashTable *names)
{
  g_autoptr (GList) sorted = g_list_sort (g_hash_table_get_keys (names), compare);
  GString *text = g_string_new (NULL);

  for (GList *l = sorted; l != NULL; l = l->next)
    g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", (char *)l->data);
  return g_string_free (text, FALSE);
}

/* p is before x, and needs m, which needs x. */
static GPtrArray *
make_closed_cycle (void)
{
  GPtrArray *definitions = parse_edges ("x:,m:x,q:,p:m");

  ((ZinitDefinition *)definitions->pdata[3])->before = list ("q x");
  return definitions;
}

static void
test_closed_by_before (void)
{
  g_autoptr (GPtrArray) definitions = make_closed_cycle ();
  g_autoptr (GHashTable) reasons = zinit_graph_find_impossible (definitions, 0);
  g_autofree char *names = list_names (reasons);
  g_autoptr (GHashTable) all = zinit_graph_find_impossible (definitions, 4);
  g_autofree char *all_names = list_names (all);

  g_assert_cmpstr (names, ==, "p");
  g_assert_cmpstr (g_hash_table_lookup (reasons, "p"), ==,
                   "its dependencies.before closes a cycle: x → p → m → x");
  g_assert_cmpstr (all_names, ==, "m p x");
  g_assert_cmpstr (g_hash_table_lookup (all, "x"), ==, "the dependencies form a cycle: x → p → m → x");

  for (guint i = 0; i < G_N_ELEMENTS (closed); i++) {
    g_autoptr (GPtrArray) some = parse_edges (closed[i].edges);
    g_autoptr (GHashTable) found = zinit_graph_find_impossible (some, closed[i].n_in_force);
    g_autofree char *text = list_names (found);
    g_autofree char *first = g_strndup (text, strcspn (text, " "));

    g_test_message ("%s", closed[i].edges);
    g_assert_cmpstr (text, ==, closed[i].names);
    if (*text != '\0')
      g_assert_cmpstr (strstr (g_hash_table_lookup (found, first), ": ") + 2, ==, closed[i].chain);
  }
}

/* Whichever of the two names the other, and however far away it is. */
static void
test_requires_foe (void)
{
  g_autoptr (GPtrArray) definitions = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_definition_unref);
  g_autoptr (GHashTable) reasons = NULL;

  g_ptr_array_add (definitions, definition_new ("a", "b", NULL, "c"));
  g_ptr_array_add (definitions, definition_new ("b", "c gone", NULL, "gone"));
  g_ptr_array_add (definitions, definition_new ("c", NULL, NULL, "d"));
  g_ptr_array_add (definitions, definition_new ("d", "b", NULL, NULL));
  g_ptr_array_add (definitions, definition_new ("e", "b", NULL, "d"));
  reasons = zinit_graph_find_impossible (definitions, 0);
  g_assert_cmpuint (g_hash_table_size (reasons), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (reasons, "a"), ==, "it requires what it conflicts with: a → b → c");
  g_assert_cmpstr (g_hash_table_lookup (reasons, "d"), ==, "it requires what it conflicts with: d → b → c");
}

/* A stack that grew with the chain would overflow here. */
static void
test_long_chain (void)
{
  enum { N = 20000 };
  g_autoptr (GPtrArray) definitions = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_definition_unref);
  g_autoptr (GHashTable) none = NULL;
  g_autoptr (GHashTable) all = NULL;

  for (guint i = 0; i < N; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);
    g_autofree char *next = g_strdup_printf ("s%u", i + 1);

    g_ptr_array_add (definitions, definition_new (name, next, NULL, NULL));
  }
  none = zinit_graph_find_impossible (definitions, 0);
  g_assert_cmpuint (g_hash_table_size (none), ==, 0);
  g_free (((ZinitDefinition *)definitions->pdata[N - 1])->requires[0]);
  ((ZinitDefinition *)definitions->pdata[N - 1])->requires[0] = g_strdup ("s0");
  all = zinit_graph_find_impossible (definitions, 0);
  g_assert_cmpuint (g_hash_table_size (all), ==, N);
  g_assert_cmpuint (strlen (g_hash_table_lookup (all, "s0")), <, 500);
  g_assert_nonnull (strstr (g_hash_table_lookup (all, "s0"), "… (19980 more) →"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/judge", test_judge);
  g_test_add_func ("/graph/conflict-named-by-the-other", test_conflict_named_by_the_other);
  g_test_add_func ("/graph/named-in-before", test_named_in_before);
  g_test_add_func ("/graph/cycles", test_cycles);
  g_test_add_func ("/graph/closed-by-before", test_closed_by_before);
  g_test_add_func ("/graph/requires-foe", test_requires_foe);
  g_test_add_func ("/graph/long-chain", test_long_chain);
  return g_test_run ();
}
