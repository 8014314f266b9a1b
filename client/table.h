/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows and columns: aligned by display width for people, one tab between cells for programs.
 */
#pragma once

#include "client/output.h"

G_BEGIN_DECLS

typedef struct _ZinitTable ZinitTable;

/* @titles: a NULL-terminated list that must outlive the table; it gives the number of columns. Transfer full.
 */
ZinitTable *zinit_table_new (const char *const *titles);
void zinit_table_free (ZinitTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitTable, zinit_table_free)

/* Appends the next cell; rows fill from left to right. NULL or "" is shown as "-". Copies @text, with control
 * characters and tabs made visible: a cell is one line wherever it goes. */
void zinit_table_add (ZinitTable *table, ZinitStyle style, const char *text);
/* For people: titles, columns padded to the widest cell, the last one cut to @columns (0 = not). Transfer
 * full. */
char *zinit_table_to_text (const ZinitTable *table, gsize columns);
/* For programs: no titles, a tab between cells, nothing cut. Transfer full. */
char *zinit_table_to_tabs (const ZinitTable *table);
/* Whichever of them fits standard output. */
void zinit_table_print (const ZinitTable *table);

G_END_DECLS
