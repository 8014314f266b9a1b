/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit tree`: draws what services depend on. A service that was drawn already is only named again, so that
 * a graph of any shape, loops of wishes included, has an end.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/json.h"
#include "client/model.h"
#include "client/output.h"
#include "client/service-names.h"

#include <glib/gi18n.h>

typedef struct {
  GPtrArray *services;
  GHashTable *drawn; /* names whose dependencies were drawn */
  GString *prefix;   /* line art before the next node */
  const char *branch, *last, *down, *space;
} Tree;

typedef struct {
  const char *name;
  const char *kind; /* NULL = requires, the usual one */
} Edge;

static void
append_edges (GArray *edges, const char **names, const char *kind)
{
  for (; names != NULL && *names != NULL; names++) {
    gboolean known = FALSE;
    for (gsize i = 0; i < edges->len && !known; i++)
      known = g_str_equal (g_array_index (edges, Edge, i).name, *names);
    Edge edge = { *names, kind };
    if (!known)
      g_array_append_val (edges, edge);
  }
}

/* Each dependency once, under the strongest of its kinds. */
static GArray *
collect_edges (const ZinitServiceInfo *info)
{
  GArray *edges = g_array_new (FALSE, FALSE, sizeof (Edge));
  append_edges (edges, info->requires, NULL);
  append_edges (edges, info->wants, _ ("wanted"));
  append_edges (edges, info->after, _ ("only after"));
  return edges;
}

static void
print_node (const ZinitServiceInfo *info, const char *name, const char *kind, gboolean again)
{
  g_autofree char *safe_name = zinit_output_safe (name);
  g_autofree char *strong = zinit_output_paint (ZINIT_STYLE_STRONG, safe_name);
  const char *state = info != NULL ? info->state : _ ("unknown");
  g_autofree char *painted =
      zinit_output_paint (info != NULL ? zinit_output_state_style (state) : ZINIT_STYLE_BAD, state);
  g_autofree char *note = kind != NULL ? g_strdup_printf (" [%s]", kind) : g_strdup ("");
  zinit_output_print ("%s (%s)%s%s\n", strong, painted, note, again ? _ (" (see above)") : "");
}

static void draw (Tree *tree, const char *name, const char *kind);

static void
draw_edges (Tree *tree, GArray *edges)
{
  gsize length = tree->prefix->len;
  for (gsize i = 0; i < edges->len; i++) {
    const Edge *edge = &g_array_index (edges, Edge, i);
    gboolean last = i + 1 == edges->len;
    zinit_output_print ("%s%s", tree->prefix->str, last ? tree->last : tree->branch);
    g_string_append (tree->prefix, last ? tree->space : tree->down);
    draw (tree, edge->name, edge->kind);
    g_string_truncate (tree->prefix, length);
  }
}

static void
draw (Tree *tree, const char *name, const char *kind)
{
  const ZinitServiceInfo *info = zinit_model_find (tree->services, name);
  g_autoptr (GArray) edges = info != NULL ? collect_edges (info) : NULL;
  gboolean has_edges = edges != NULL && edges->len > 0;
  gboolean again = has_edges && g_hash_table_contains (tree->drawn, name);

  print_node (info, name, kind, again);
  if (info != NULL)
    g_hash_table_add (tree->drawn, (gpointer)info->name);
  if (has_edges && !again)
    draw_edges (tree, edges);
}

/* Those that nothing depends on; then what is left: services of a loop that nothing outside leads to. */
static void
draw_all (Tree *tree)
{
  g_autoptr (GHashTable) wanted = g_hash_table_new (g_str_hash, g_str_equal);
  for (gsize i = 0; i < tree->services->len; i++) {
    g_autoptr (GArray) edges = collect_edges (g_ptr_array_index (tree->services, i));
    for (gsize j = 0; j < edges->len; j++)
      g_hash_table_add (wanted, (gpointer)g_array_index (edges, Edge, j).name);
  }
  for (gsize i = 0; i < tree->services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (tree->services, i);
    if (!g_hash_table_contains (wanted, info->name))
      draw (tree, info->name, NULL);
  }
  for (gsize i = 0; i < tree->services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (tree->services, i);
    if (!g_hash_table_contains (tree->drawn, info->name))
      draw (tree, info->name, NULL);
  }
}

static void
append_json_node (GString *json, const ZinitServiceInfo *info)
{
  const struct {
    const char *key;
    const char **names;
  } lists[] = { { "requires", info->requires },
                { "after", info->after },
                { "wants", info->wants },
                { "conflicts", info->conflicts } };
  zinit_json_next (json);
  g_string_append (json, "\n{");
  zinit_json_key (json, "name");
  zinit_json_string (json, info->name);
  zinit_json_key (json, "state");
  zinit_json_string (json, info->state);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++) {
    zinit_json_key (json, lists[i].key);
    zinit_json_strv (json, lists[i].names);
  }
  g_string_append_c (json, '}');
}

static void
mark_reachable (GPtrArray *services, const char *name, GHashTable *marked)
{
  const ZinitServiceInfo *info = zinit_model_find (services, name);
  if (info == NULL || !g_hash_table_add (marked, (gpointer)info->name))
    return;
  g_autoptr (GArray) edges = collect_edges (info);
  for (gsize i = 0; i < edges->len; i++)
    mark_reachable (services, g_array_index (edges, Edge, i).name, marked);
}

/* The whole graph, or what can be reached from @name. */
static void
print_json (GPtrArray *services, const char *name)
{
  g_autoptr (GHashTable) marked = g_hash_table_new (g_str_hash, g_str_equal);
  if (name != NULL)
    mark_reachable (services, name, marked);
  GString *json = g_string_new ("[");
  for (gsize i = 0; i < services->len; i++) {
    const ZinitServiceInfo *info = g_ptr_array_index (services, i);
    if (name == NULL || g_hash_table_contains (marked, info->name))
      append_json_node (json, info);
  }
  g_string_append (json, services->len > 0 ? "\n]" : "]");
  zinit_json_print (json);
}

static void
print_tree (GPtrArray *services, const char *name)
{
  gboolean unicode = zinit_output_is_unicode ();
  Tree tree = {
    .services = services,
    .drawn = g_hash_table_new (g_str_hash, g_str_equal),
    .prefix = g_string_new (NULL),
    .branch = unicode ? "├─ " : "|- ",
    .last = unicode ? "└─ " : "`- ",
    .down = unicode ? "│  " : "|  ",
    .space = "   ",
  };
  if (name != NULL)
    draw (&tree, name, NULL);
  else
    draw_all (&tree);
  g_hash_table_unref (tree.drawn);
  g_string_free (tree.prefix, TRUE);
}

ZinitExitCode
zinit_command_tree (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) names = zinit_command_parse (client, NULL, 0, 1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) services = zinit_model_fetch (client, &error);
  if (services == NULL)
    return zinit_command_fail (error);
  if (names[0] != NULL && zinit_model_find (services, names[0]) == NULL) {
    /* The daemon knows how to say it, and which name is near. */
    g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (client, names[0], &error);
    if (info == NULL)
      return zinit_names_fail (client, names[0], error);
  }
  if (client->json)
    print_json (services, names[0]);
  else
    print_tree (services, names[0]);
  return ZINIT_EXIT_DONE;
}
