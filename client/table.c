/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/table.h"

#include "client/format.h"

#include <string.h>

#define GAP_COLUMNS 2
#define CHUNK_BYTES 4096

typedef struct {
  const char *text; /* in the table's chunk */
  ZinitStyle style;
} Cell;

struct _ZinitTable {
  const char *const *titles;
  gsize n_columns;
  GArray *cells;       /* Cell, row by row */
  GStringChunk *texts; /* thousands of small ones: a table of all services must be quick */
};

ZinitTable *
zinit_table_new (const char *const *titles)
{
  ZinitTable *table = g_new0 (ZinitTable, 1);
  table->titles = titles;
  table->n_columns = g_strv_length ((char **)titles);
  table->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  table->texts = g_string_chunk_new (CHUNK_BYTES);
  return table;
}

void
zinit_table_free (ZinitTable *table)
{
  g_array_unref (table->cells);
  g_string_chunk_free (table->texts);
  g_free (table);
}

void
zinit_table_add (ZinitTable *table, ZinitStyle style, const char *text)
{
  Cell cell = { .text = "-", .style = style };
  if (text != NULL && zinit_format_is_plain (text) && strchr (text, '\t') == NULL) {
    if (*text != '\0')
      cell.text = g_string_chunk_insert (table->texts, text);
  } else if (text != NULL) {
    g_autofree char *escaped = g_strdelimit (zinit_format_escape (text), "\t", ' ');
    cell.text = g_string_chunk_insert (table->texts, escaped);
  }
  g_array_append_val (table->cells, cell);
}

static void
append_padded (GString *text, const char *content, ZinitStyle style, gsize width, gboolean last)
{
  zinit_output_append_painted (text, style, content);
  if (last) {
    g_string_append_c (text, '\n');
    return;
  }
  for (gsize i = zinit_format_width (content); i < width + GAP_COLUMNS; i++)
    g_string_append_c (text, ' ');
}

static void
append_last (GString *text, const char *content, ZinitStyle style, gsize room)
{
  g_autofree char *cut = room > 0 ? zinit_format_cut (content, room, zinit_output_is_unicode ()) : NULL;
  append_padded (text, cut != NULL ? cut : content, style, 0, TRUE);
}

char *
zinit_table_to_text (const ZinitTable *table, gsize columns)
{
  g_autofree gsize *widths = g_new0 (gsize, table->n_columns);
  gsize before_last = 0;
  for (gsize i = 0; i < table->n_columns; i++)
    widths[i] = zinit_format_width (table->titles[i]);
  for (gsize i = 0; i < table->cells->len; i++) {
    gsize width = zinit_format_width (g_array_index (table->cells, Cell, i).text);
    widths[i % table->n_columns] = MAX (widths[i % table->n_columns], width);
  }
  for (gsize i = 0; i + 1 < table->n_columns; i++)
    before_last += widths[i] + GAP_COLUMNS;
  /* A terminal too narrow for the other columns wraps anyway: then the last one is not hurt as well. */
  gsize room = columns > before_last ? columns - before_last : 0;

  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < table->n_columns; i++)
    append_padded (text, table->titles[i], ZINIT_STYLE_STRONG, widths[i], i + 1 == table->n_columns);
  for (gsize i = 0; i < table->cells->len; i++) {
    const Cell *cell = &g_array_index (table->cells, Cell, i);
    gsize column = i % table->n_columns;
    if (column + 1 == table->n_columns)
      append_last (text, cell->text, cell->style, room);
    else
      append_padded (text, cell->text, cell->style, widths[column], FALSE);
  }
  return g_string_free (text, FALSE);
}

char *
zinit_table_to_tabs (const ZinitTable *table)
{
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < table->cells->len; i++) {
    gboolean last = (i + 1) % table->n_columns == 0;
    const Cell *cell = &g_array_index (table->cells, Cell, i);
    zinit_output_append_painted (text, cell->style, cell->text);
    g_string_append_c (text, last ? '\n' : '\t');
  }
  return g_string_free (text, FALSE);
}

void
zinit_table_print (const ZinitTable *table)
{
  g_autofree char *text = zinit_output_is_terminal () ? zinit_table_to_text (table, zinit_output_columns ())
                                                      : zinit_table_to_tabs (table);
  zinit_output_print ("%s", text);
}
