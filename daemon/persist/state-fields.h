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
  ZINIT_FIELD_U64,       /* guint64 */
  ZINIT_FIELD_I32,       /* gint32 */
  ZINIT_FIELD_BOOLEAN,   /* gboolean */
  ZINIT_FIELD_STRING,    /* char * */
  ZINIT_FIELD_STATE,     /* ZinitState */
  ZINIT_FIELD_CONFIG,    /* char *; left out when it is NULL */
  ZINIT_FIELD_OBJECTS,   /* GTree * of name → struct of @items */
  ZINIT_FIELD_LISTENERS, /* GTree * of name → GINT_TO_POINTER (gint32) */
} ZinitFieldType;

typedef struct _ZinitFieldTable ZinitFieldTable;

typedef struct {
  const char *name;
  ZinitFieldType type;
  gboolean needed;
  gsize offset;
  gsize offset_of_has; /* of the gboolean that tells whether there is a value; of an optional field other than
                          ZINIT_FIELD_CONFIG */
  const ZinitFieldTable *items;
} ZinitField;

struct _ZinitFieldTable {
  const ZinitField *fields;
  guint n_fields;              /* at most 32 */
  gpointer (*new_item) (void); /* of a table that describes the items of a map */
  GDestroyNotify free_item;
  gsize offset_of_extra; /* of a ZinitStateExtensions * in it; 0 = none */
};

extern const ZinitFieldTable zinit_saved_service_table;
extern const ZinitFieldTable zinit_saved_state_table;
extern const ZinitFieldTable zinit_saved_fds_table;

/* The fields that we add to the document itself; absent when they are NULL, 0 or FALSE. */
typedef enum { ZINIT_ORIGIN_TEXT, ZINIT_ORIGIN_NUMBER, ZINIT_ORIGIN_FLAG } ZinitOriginType;

typedef struct {
  const char *name; /* NULL = the end */
  ZinitOriginType type;
  gsize offset; /* of the char *, guint64 or gboolean in a ZinitSavedState */
} ZinitOriginField;

extern const ZinitOriginField zinit_origin_fields[];

#define ZINIT_FIELD_AT(type, object, offset) (*(type *)((char *)(object) + (offset)))

G_END_DECLS
