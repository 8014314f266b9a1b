/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared values, kept for the daemon's life.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/values.h"

#include "bus/errors.h"

GVariant *
zinit_value_word (const char *text)
{
  static GHashTable *words; /* by address */
  GVariant *value;

  if (words == NULL)
    words = g_hash_table_new (NULL, NULL);
  value = g_hash_table_lookup (words, text);
  if (value == NULL) {
    value = g_variant_ref_sink (g_variant_new_string (text));
    g_hash_table_insert (words, (gpointer)text, value);
  }
  return value;
}

GVariant *
zinit_value_boolean (gboolean value)
{
  static GVariant *values[2];
  GVariant **shared = &values[value ? 1 : 0];

  if (*shared == NULL)
    *shared = g_variant_ref_sink (g_variant_new_boolean (value));
  return *shared;
}

GVariant *
zinit_value_number (guint64 value)
{
  static GVariant *zero;

  if (value != 0)
    return g_variant_new_uint64 (value);
  if (zero == NULL)
    zero = g_variant_ref_sink (g_variant_new_uint64 (0));
  return zero;
}

GVariant *
zinit_value_small_number (guint32 value)
{
  static GVariant *zero;

  if (value != 0)
    return g_variant_new_uint32 (value);
  if (zero == NULL)
    zero = g_variant_ref_sink (g_variant_new_uint32 (0));
  return zero;
}

GVariant *
zinit_value_names (const char *const *list)
{
  static GVariant *none;

  if (list != NULL && *list != NULL)
    return zinit_bus_strings (list);
  if (none == NULL)
    none = g_variant_ref_sink (zinit_bus_strings (NULL));
  return none;
}
