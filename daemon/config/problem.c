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

GHashTable *
zinit_places_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

void
zinit_places_add (GHashTable *places, JsonNode *node, guint line, guint column)
{
  const ZinitPlace place = { line, column };

  g_hash_table_insert (places, node, g_memdup2 (&place, sizeof place));
}

ZinitPlace
zinit_places_get (GHashTable *places, JsonNode *node)
{
  const ZinitPlace *place = places != NULL && node != NULL ? g_hash_table_lookup (places, node) : NULL;

  return place != NULL ? *place : (ZinitPlace){ 0, 0 };
}
