/* SPDX-License-Identifier: Apache-2.0
 *
 * The format as tables: which fields an object has, in writing order, of what type, and where they are in the
 * structs of state-format.h. Reader and writer walk the same rows. For the files of this folder alone.
 */
#pragma once

#include "persist/state-format.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_FIELD_U32,       /* guint32 */
  ZINIT_FIELD_U63,       /* guint64 of at most G_MAXINT64 */
  ZINIT_FIELD_U64,       /* guint64 */
  ZINIT_FIELD_I32,       /* gint32 */
  ZINIT_FIELD_BOOLEAN,   /* gboolean */
  ZINIT_FIELD_STRING,    /* char * */
  ZINIT_FIELD_WORD,      /* int, the index in @words; -1 = none */
  ZINIT_FIELD_CONFIG,    /* char *, as zinit_saved_config_read() makes it */
  ZINIT_FIELD_OBJECT,    /* char *, the text of any object */
  ZINIT_FIELD_FAILURE,   /* ZinitFailure */
  ZINIT_FIELD_OBJECTS,   /* GTree * of name → struct of @items */
  ZINIT_FIELD_LISTENERS, /* GTree * of name → GINT_TO_POINTER (gint32) */
} ZinitFieldType;

typedef enum {
  ZINIT_FIELD_NEEDED,
  ZINIT_FIELD_NULLABLE, /* may be missing or null; without a value null is written */
  ZINIT_FIELD_OPTIONAL, /* may be missing or null; without a value it is left out */
  /* An addition of ours, which other readers skip; left out when it is NULL, 0, FALSE, -1 or no failure. It
   * must not cost the document: a malformed one is passed over, of equal names the last good one counts. */
  ZINIT_FIELD_OWN,
} ZinitFieldRule;

#define ZINIT_MAX_FIELDS 64 /* of a table, so that a set of them fits in a guint64 */

typedef struct _ZinitFieldTable ZinitFieldTable;

typedef struct {
  const char *name;
  ZinitFieldType type;
  ZinitFieldRule rule;
  gsize offset;        /* in the struct; of an own field in the table's extra struct, if it has one */
  gsize offset_of_has; /* nullable: of the gboolean that tells whether there is a value */
  gboolean is_split;   /* the text is used in pieces, which meet where the value begins */
  const char *const *words;
  const ZinitFieldTable *items;
} ZinitField;

struct _ZinitFieldTable {
  const ZinitField *fields;
  guint n_fields;
  gsize item_size; /* of the struct, for a table that describes the items of a map */
  GDestroyNotify free_item;
  gsize offset_of_extra; /* of a ZinitStateExtensions * in it; 0 = none */
};

extern const ZinitFieldTable zinit_saved_service_table;
extern const ZinitFieldTable zinit_saved_state_table;
extern const ZinitFieldTable zinit_saved_fds_table;

#define ZINIT_FIELD_AT(type, object, offset) (*(type *)((char *)(object) + (offset)))

G_END_DECLS
