/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of problems, and the places of a tree's nodes.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/problem.h"

#include "model/error.h"

static void
problem_free (gpointer data)
{
  ZinitProblem *problem = data;

  g_free (problem->message);
  g_free (problem);
}

GPtrArray *
zinit_problems_new (void)
{
  return g_ptr_array_new_with_free_func (problem_free);
}

void
zinit_problems_add (GPtrArray *problems, ZinitPlace place, const char *format, ...)
{
  ZinitProblem *problem = g_new (ZinitProblem, 1);
  va_list arguments;

  va_start (arguments, format);
  problem->place = place;
  problem->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_ptr_array_add (problems, problem);
}

static int
compare_problems (gconstpointer a, gconstpointer b)
{
  const ZinitPlace left = (*(const ZinitProblem *const *)a)->place;
  const ZinitPlace right = (*(const ZinitProblem *const *)b)->place;

  /* Line 0 becomes the largest. */
  if (left.line != right.line)
    return left.line - 1 < right.line - 1 ? -1 : 1;
  return (left.column > right.column) - (left.column < right.column);
}

void
zinit_problems_sort (GPtrArray *problems)
{
  g_ptr_array_sort (problems, compare_problems);
}

void
zinit_problems_to_error (const GPtrArray *problems, GError **error)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < problems->len; i++) {
    const ZinitProblem *problem = problems->pdata[i];

    g_string_append (text, i > 0 ? "\n" : "");
    if (problem->place.line > 0)
      g_string_append_printf (text, "%u:%u: ", problem->place.line, problem->place.column);
    g_string_append (text, problem->message);
  }
  g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, text->str);
  g_string_free (text, TRUE);
}

typedef struct {
  JsonNode *node;
  ZinitPlace place;
} Entry;

void
zinit_places_init (ZinitPlaces *places)
{
  places->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  places->is_sorted = FALSE;
}

void
zinit_places_clear (ZinitPlaces *places)
{
  g_clear_pointer (&places->entries, g_array_unref);
}

void
zinit_places_add (ZinitPlaces *places, JsonNode *node, guint line, guint column)
{
  const Entry entry = { node, { line, column } };

  g_array_append_val (places->entries, entry);
  places->is_sorted = FALSE;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const JsonNode *left = ((const Entry *)a)->node;
  const JsonNode *right = ((const Entry *)b)->node;

  return (left > right) - (left < right);
}

ZinitPlace
zinit_places_get (ZinitPlaces *places, JsonNode *node)
{
  const Entry wanted = { node, { 0, 0 } };
  guint index;

  if (places == NULL || node == NULL)
    return wanted.place;
  if (!places->is_sorted)
    g_array_sort (places->entries, compare_entries);
  places->is_sorted = TRUE;
  if (!g_array_binary_search (places->entries, &wanted, compare_entries, &index))
    return wanted.place;
  return g_array_index (places->entries, Entry, index).place;
}
