/* SPDX-License-Identifier: Apache-2.0
 *
 * How a definition is made of any format: each becomes a tree of JsonNodes with the places of its nodes, and
 * one builder makes the definition of it. Internal to this folder.
 */
#pragma once

#include "config/format.h"

G_BEGIN_DECLS

/* The definition that @root says, or NULL with at least one more problem; what is unknown, repeated, missing
 * or wrong is found here for every format. @places (may be NULL) are those of the nodes. With @has_holes a
 * null stands for a value that could not be read and of which @problems has something already. Transfer full.
 */
ZinitDefinition *zinit_build_definition (JsonNode *root, ZinitPlaces *places, gboolean has_holes,
                                         const char *default_name, ZinitKeyRule rule, GPtrArray *problems);

/* TOML 1.0 as an object of the same shape; @text is UTF-8 without NUL and need not end in one. A value that
 * cannot be read is a problem and becomes a null, so that the rest is checked all the same; NULL where the
 * rest cannot be read either. Transfer full. */
JsonNode *zinit_toml_parse (const char *text, gsize length, ZinitPlaces *places, GPtrArray *problems);

/* FALSE with a problem for keys with so many dots that freeing the tables they make could exhaust the stack.
 */
gboolean zinit_toml_check_keys (const char *text, gsize length, GPtrArray *problems);
/* Reports in plain words what toml++ refuses at @line and @column with @description, and takes it out of
 * @text, so that it can be parsed again: the value becomes false, and its line is added to @holes. FALSE when
 * the statement cannot be told from the rest. */
gboolean zinit_toml_mend (GString *text, guint line, guint column, const char *description, GHashTable *holes,
                          GPtrArray *problems);

G_END_DECLS
