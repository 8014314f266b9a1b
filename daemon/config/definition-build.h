/* SPDX-License-Identifier: Apache-2.0
 *
 * How a definition is put together from any format: the format hands over its sections and values, one after
 * the other, and what is unknown, repeated, missing or wrong is judged here, the same for all. Internal to
 * this folder.
 */
#pragma once

#include "config/format.h"
#include "model/schema.h"

G_BEGIN_DECLS

/* A value of a format on its way to the schema, with what it is made of. A format that finds a list or a
 * table adds its parts; anything else it writes into @value. */
typedef struct {
  ZinitValue value;
  GPtrArray *strings; /* owned; what value.strings points to */
  char *label;        /* owned; what value.bad_part points to */
  char *bad_part; /* owned, the same for zinit_toml_locate(): a variable's name, or an item's place from 1 */
  char *bad_name; /* owned; the first variable with a name that cannot be one */
} ZinitBuildValue;

void zinit_build_value_clear (ZinitBuildValue *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitBuildValue, zinit_build_value_clear)

/* @kind is ZINIT_VALUE_LIST or ZINIT_VALUE_TABLE. */
void zinit_build_value_begin (ZinitBuildValue *value, ZinitValueKind kind);
/* @key is NULL in a list. @text is copied; NULL when the part is no string, but what @type_name (static)
 * says.
 */
void zinit_build_value_add (ZinitBuildValue *value, const char *key, const char *text, const char *type_name);
void zinit_build_value_end (ZinitBuildValue *value);

typedef struct {
  ZinitDefinition *definition; /* owned */
  ZinitKeyRule rule;
  guint64 given; /* one bit for each row of the schema */
  char *path[4]; /* owned; of what the error is about, as zinit_toml_locate() takes it */
} ZinitBuild;

void zinit_build_begin (ZinitBuild *build, ZinitKeyRule rule);
void zinit_build_clear (ZinitBuild *build);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitBuild, zinit_build_clear)

/* To be called before the keys of a section. @type_name (static) is what stands in its place, or NULL if it
 * is a table. @ret_skip: it is none of ours and its keys are to be passed over. */
gboolean zinit_build_section (ZinitBuild *build, const char *section, const char *type_name,
                              gboolean *ret_skip, GError **error);
gboolean zinit_build_add (ZinitBuild *build, const char *section, const char *key,
                          const ZinitBuildValue *value, GError **error);
/* The finished definition; transfer full. */
ZinitDefinition *zinit_build_end (ZinitBuild *build, const char *default_name, GError **error);

/* zinit_definition_from_json() that leaves the path of an error in @build, which the caller has begun. */
ZinitDefinition *zinit_build_from_json (ZinitBuild *build, JsonNode *node, const char *default_name,
                                        GError **error);

/* What a text of either format must be before it is parsed: not over ZINIT_MAX_DEFINITION_BYTES. */
gboolean zinit_build_check_size (gsize length, GError **error);
/* What toml++ leaves to its caller: UTF-8, no NUL, and keys with so few dots that freeing the tables they
 * make cannot exhaust the stack. Errors are "LINE:COLUMN: what". */
gboolean zinit_toml_check (const char *text, gsize length, GError **error);

/* Where in a TOML text the key stands, or the item, that @path names (NULL-terminated: section, key, and a
 * variable or the place of an item, from 1); if it is not there, the last part of @path that is. Both count
 * from 1, columns in characters. FALSE when there is none or @text does not parse. It parses again, so it is
 * for messages of errors. */
gboolean zinit_toml_locate (const char *text, gsize length, const char *const *path, guint *ret_line,
                            guint *ret_column);
/* The same for JSON, of the value. */
gboolean zinit_json_locate (const char *text, gsize length, const char *const *path, guint *ret_line,
                            guint *ret_column);

G_END_DECLS
