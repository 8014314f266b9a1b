/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a definition value: made with the schema's defaults, copied, compared and freed row by row, so
 * that a new option needs no change here. And what a service may be called.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/definition.h"
#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"

#include <string.h>

const char *const zinit_health_words[] = { "none", "tcp", "http", "exec", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_health_words) == ZINIT_N_HEALTH + 1);

/* The list of a command stands behind its line. */
static char ***
argv_of (ZinitDefinition *definition, const ZinitOption *option)
{
  return &G_STRUCT_MEMBER (char **, definition, option->offset + sizeof (char *));
}
G_STATIC_ASSERT (G_STRUCT_OFFSET (ZinitDefinition, argv) ==
                 G_STRUCT_OFFSET (ZinitDefinition, exec) + sizeof (char *));

static gboolean
has_string (const ZinitOption *option)
{
  return option->type == ZINIT_TYPE_STRING || option->type == ZINIT_TYPE_COMMAND;
}

static gboolean
has_strings (const ZinitOption *option)
{
  return option->type == ZINIT_TYPE_LIST || option->type == ZINIT_TYPE_STRINGS ||
         option->type == ZINIT_TYPE_TABLE;
}

ZinitDefinition *
zinit_definition_new (void)
{
  ZinitDefinition *definition = g_new0 (ZinitDefinition, 1);

  g_atomic_ref_count_init (&definition->ref_count);
  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];

    switch (option->type) {
    case ZINIT_TYPE_BOOLEAN:
    case ZINIT_TYPE_CHOICE:
    case ZINIT_TYPE_SIGNAL:
      G_STRUCT_MEMBER (int, definition, option->offset) = (int)option->default_number;
      break;
    case ZINIT_TYPE_NUMBER:
      G_STRUCT_MEMBER (guint64, definition, option->offset) = option->default_number;
      break;
    case ZINIT_TYPE_STRING:
    case ZINIT_TYPE_COMMAND:
    case ZINIT_TYPE_SIGNED:
    case ZINIT_TYPE_LIST:
    case ZINIT_TYPE_STRINGS:
    case ZINIT_TYPE_TABLE:
      break;
    }
  }
  return definition;
}

ZinitDefinition *
zinit_definition_copy (const ZinitDefinition *definition)
{
  ZinitDefinition *copy = g_memdup2 (definition, sizeof *definition);

  g_atomic_ref_count_init (&copy->ref_count);
  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];

    if (option->type == ZINIT_TYPE_COMMAND)
      *argv_of (copy, option) = g_strdupv (*argv_of (copy, option));
    if (has_string (option)) {
      char **field = &G_STRUCT_MEMBER (char *, copy, option->offset);

      *field = g_strdup (*field);
    } else if (has_strings (option)) {
      char ***field = &G_STRUCT_MEMBER (char **, copy, option->offset);

      *field = g_strdupv (*field);
    }
  }
  return copy;
}

/* @to is cleared of its own value. */
static void
copy_value (const ZinitDefinition *from, ZinitDefinition *to, const ZinitOption *option)
{
  gconstpointer source = G_STRUCT_MEMBER_P (from, option->offset);
  gpointer target = G_STRUCT_MEMBER_P (to, option->offset);

  switch (option->type) {
  case ZINIT_TYPE_COMMAND:
    g_strfreev (*argv_of (to, option));
    *argv_of (to, option) = g_strdupv (*argv_of ((ZinitDefinition *)from, option));
    G_GNUC_FALLTHROUGH;
  case ZINIT_TYPE_STRING:
    g_free (*(char **)target);
    *(char **)target = g_strdup (*(char *const *)source);
    break;
  case ZINIT_TYPE_LIST:
  case ZINIT_TYPE_STRINGS:
  case ZINIT_TYPE_TABLE:
    g_strfreev (*(char ***)target);
    *(char ***)target = g_strdupv (*(char **const *)source);
    break;
  case ZINIT_TYPE_NUMBER:
    *(guint64 *)target = *(const guint64 *)source;
    break;
  case ZINIT_TYPE_SIGNED:
    *(ZinitSigned *)target = *(const ZinitSigned *)source;
    break;
  case ZINIT_TYPE_BOOLEAN:
  case ZINIT_TYPE_CHOICE:
  case ZINIT_TYPE_SIGNAL:
    *(int *)target = *(const int *)source;
    break;
  }
}

ZinitDefinition *
zinit_definition_new_live (const ZinitDefinition *running, const ZinitDefinition *changed)
{
  ZinitDefinition *live = zinit_definition_copy (changed);

  for (gsize i = 0; i < zinit_n_options; i++)
    if ((zinit_options[i].flags & ZINIT_OPTION_FIXED) != 0)
      copy_value (running, live, &zinit_options[i]);
  return live;
}

ZinitDefinition *
zinit_definition_ref (ZinitDefinition *definition)
{
  g_atomic_ref_count_inc (&definition->ref_count);
  return definition;
}

void
zinit_definition_unref (ZinitDefinition *definition)
{
  if (definition == NULL || !g_atomic_ref_count_dec (&definition->ref_count))
    return;

  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];

    if (option->type == ZINIT_TYPE_COMMAND)
      g_strfreev (*argv_of (definition, option));
    if (has_string (option))
      g_free (G_STRUCT_MEMBER (char *, definition, option->offset));
    else if (has_strings (option))
      g_strfreev (G_STRUCT_MEMBER (char **, definition, option->offset));
  }
  g_free (definition);
}

/* FNV-1a. The NUL at the end of each string keeps neighbours apart. */
static guint64
hash_bytes (guint64 hash, const void *bytes, gsize length)
{
  for (const guint8 *at = bytes; length > 0; at++, length--)
    hash = (hash ^ *at) * G_GUINT64_CONSTANT (1099511628211);
  return hash;
}

static guint64
hash_string (guint64 hash, const char *string)
{
  return hash_bytes (hash, string, strlen (string) + 1);
}

guint64
zinit_definition_hash (const ZinitDefinition *definition)
{
  guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);
  ZinitValue value;

  for (gsize i = 0; i < zinit_n_options; i++) {
    if (!zinit_schema_get (definition, &zinit_options[i], &value))
      continue;
    hash = hash_bytes (hash, &i, sizeof i);
    hash = hash_bytes (hash, &value.kind, sizeof value.kind);
    hash = hash_bytes (hash, &value.boolean, sizeof value.boolean);
    hash = hash_bytes (hash, &value.negative, sizeof value.negative);
    hash = hash_bytes (hash, &value.magnitude, sizeof value.magnitude);
    if (value.string != NULL)
      hash = hash_string (hash, value.string);
    for (const char *const *string = value.strings; string != NULL && *string != NULL; string++)
      hash = hash_string (hash, *string);
  }
  return MAX (1, hash & G_MAXINT64);
}

gboolean
zinit_definition_equal (const ZinitDefinition *a, const ZinitDefinition *b)
{
  for (gsize i = 0; i < zinit_n_options; i++)
    if (!zinit_schema_is_equal (a, b, &zinit_options[i]))
      return FALSE;
  return TRUE;
}

const char *
zinit_definition_next_need (const ZinitDefinition *definition, ZinitNeedIter *iter)
{
  char *const *const lists[] = { definition->requires, definition->binds_to };

  for (; iter->list < G_N_ELEMENTS (lists); iter->list++, iter->index = 0)
    if (lists[iter->list] != NULL && lists[iter->list][iter->index] != NULL)
      return lists[iter->list][iter->index++];
  return NULL;
}

gboolean
zinit_definition_needs (const ZinitDefinition *definition, const char *name)
{
  ZinitNeedIter iter = { 0 };
  const char *need;

  while ((need = zinit_definition_next_need (definition, &iter)) != NULL)
    if (strcmp (need, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_name_byte (guchar byte, gboolean is_inside)
{
  return g_ascii_isalnum (byte) || byte == '_' || byte == '-' || (is_inside && (byte == '.' || byte == '@'));
}

gboolean
zinit_name_is_valid (const char *name, GError **error)
{
  gsize length = strlen (name);

  if (length == 0 || length > ZINIT_MAX_NAME_BYTES) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
                 "a service's name has 1 to %d bytes, this one has %" G_GSIZE_FORMAT, ZINIT_MAX_NAME_BYTES,
                 length);
    return FALSE;
  }
  for (gsize i = 0; i < length; i++) {
    guchar byte = (guchar)name[i];
    g_autofree char *shown = NULL;

    if (is_name_byte (byte, i > 0 && i < length - 1))
      continue;
    shown = g_ascii_isprint (byte) ? g_strdup_printf ("'%c'", byte) : g_strdup_printf ("0x%02x", byte);
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
                 "byte %" G_GSIZE_FORMAT " of the service name is %s; allowed are A-Z a-z 0-9 _ -, and . @ "
                 "but not first or last",
                 i + 1, shown);
    return FALSE;
  }
  return TRUE;
}
