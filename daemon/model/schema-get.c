/* SPDX-License-Identifier: Apache-2.0
 *
 * Values out of a definition, each by its row of the table, and their comparison; into it is schema-value.c.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/schema.h"
#include "common/signals.h"

#include <string.h>

gboolean
zinit_schema_get (const ZinitDefinition *definition, const ZinitOption *option, ZinitValue *ret_value)
{
  *ret_value = (ZinitValue){ 0 };
  if (definition->health_type == ZINIT_HEALTH_NONE && strcmp (option->section, "health") == 0)
    return FALSE;

  switch (option->type) {
  case ZINIT_TYPE_COMMAND:
    ret_value->strings =
        (const char *const *)G_STRUCT_MEMBER (char **, definition, option->offset + sizeof (char *));
    if (ret_value->strings != NULL) {
      ret_value->kind = ZINIT_VALUE_LIST;
      return TRUE;
    }
    G_GNUC_FALLTHROUGH;
  case ZINIT_TYPE_STRING:
    ret_value->kind = ZINIT_VALUE_STRING;
    ret_value->string = G_STRUCT_MEMBER (char *, definition, option->offset);
    return ret_value->string != NULL;
  case ZINIT_TYPE_BOOLEAN:
    ret_value->kind = ZINIT_VALUE_BOOLEAN;
    ret_value->boolean = G_STRUCT_MEMBER (gboolean, definition, option->offset);
    return TRUE;
  case ZINIT_TYPE_NUMBER:
    ret_value->kind = ZINIT_VALUE_INTEGER;
    ret_value->magnitude = G_STRUCT_MEMBER (guint64, definition, option->offset);
    return TRUE;
  case ZINIT_TYPE_SIGNED: {
    const ZinitSigned *field = &G_STRUCT_MEMBER (ZinitSigned, definition, option->offset);

    ret_value->kind = ZINIT_VALUE_INTEGER;
    ret_value->negative = field->number < 0;
    ret_value->magnitude = (guint64)ABS ((gint64)field->number);
    return field->is_given;
  }
  case ZINIT_TYPE_CHOICE:
    ret_value->kind = ZINIT_VALUE_STRING;
    ret_value->string = option->choices[G_STRUCT_MEMBER (int, definition, option->offset)];
    return TRUE;
  case ZINIT_TYPE_SIGNAL:
    ret_value->kind = ZINIT_VALUE_STRING;
    ret_value->string = zinit_signal_to_string (G_STRUCT_MEMBER (int, definition, option->offset));
    return TRUE;
  case ZINIT_TYPE_STRINGS:
    ret_value->kind = ZINIT_VALUE_LIST;
    ret_value->strings = (const char *const *)G_STRUCT_MEMBER (char **, definition, option->offset);
    return ret_value->strings != NULL;
  case ZINIT_TYPE_LIST:
  case ZINIT_TYPE_TABLE:
    ret_value->kind = option->type == ZINIT_TYPE_LIST ? ZINIT_VALUE_LIST : ZINIT_VALUE_TABLE;
    ret_value->strings = (const char *const *)G_STRUCT_MEMBER (char **, definition, option->offset);
    return ret_value->strings != NULL || (option->flags & ZINIT_OPTION_SPECIFIED) != 0;
  }
  g_return_val_if_reached (FALSE);
}

gboolean
zinit_schema_is_equal (const ZinitDefinition *a, const ZinitDefinition *b, const ZinitOption *option)
{
  ZinitValue value_a, value_b;
  gboolean has_a = zinit_schema_get (a, option, &value_a);
  gboolean has_b = zinit_schema_get (b, option, &value_b);

  if (!has_a || !has_b)
    return has_a == has_b;
  if (value_a.strings == NULL || value_b.strings == NULL) {
    return value_a.strings == value_b.strings && value_a.boolean == value_b.boolean &&
           value_a.negative == value_b.negative && value_a.magnitude == value_b.magnitude &&
           g_strcmp0 (value_a.string, value_b.string) == 0;
  }
  return g_strv_equal (value_a.strings, value_b.strings);
}
