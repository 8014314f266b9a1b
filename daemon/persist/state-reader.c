/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to document by the tables of the format: fields in any order, known ones once, unknown ones passed
 * over, maps with the last of equal names.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include <string.h>

#include "model/error.h"
#include "persist/decoder.h"
#include "persist/saved-config.h"
#include "persist/state-fields.h"

static const char *const state_words[] = { "inactive", "blocked", "starting", "running",
                                           "stopping", "exited",  "failed",   NULL };

static gboolean read_object (ZinitDecoder *decoder, const ZinitFieldTable *table, gpointer object);

/* Reads one item of a map into @map, in place of an earlier one of that name. */
static gboolean
read_item (ZinitDecoder *decoder, const ZinitField *field, GTree *map, const char *name)
{
  gpointer item;
  gint32 fd;

  if (field->type == ZINIT_FIELD_LISTENERS) {
    if (!zinit_decoder_signed32 (decoder, &fd))
      return FALSE;
    g_tree_replace (map, g_strdup (name), GINT_TO_POINTER (fd));
    return TRUE;
  }
  item = field->items->new_item ();
  if (!read_object (decoder, field->items, item)) {
    field->items->free_item (item);
    return FALSE;
  }
  g_tree_replace (map, g_strdup (name), item);
  return TRUE;
}

static gboolean
read_map (ZinitDecoder *decoder, const ZinitField *field, GTree *map)
{
  g_autofree char *name = NULL;

  if (!zinit_decoder_enter (decoder))
    return FALSE;
  while (zinit_decoder_next_entry (decoder, &name)) {
    if (!read_item (decoder, field, map, name))
      return FALSE;
  }
  return decoder->error == NULL;
}

static gboolean
read_value (ZinitDecoder *decoder, const ZinitField *field, gpointer object)
{
  gpointer place = (char *)object + field->offset;
  guint64 number;
  int index;

  switch (field->type) {
  case ZINIT_FIELD_U32:
    if (!zinit_decoder_unsigned (decoder, G_MAXUINT32, &number))
      return FALSE;
    *(guint32 *)place = (guint32)number;
    return TRUE;
  case ZINIT_FIELD_U64:
    return zinit_decoder_unsigned (decoder, G_MAXUINT64, place);
  case ZINIT_FIELD_I32:
    return zinit_decoder_signed32 (decoder, place);
  case ZINIT_FIELD_BOOLEAN:
    return zinit_decoder_boolean (decoder, place);
  case ZINIT_FIELD_STRING:
    return zinit_decoder_string (decoder, place);
  case ZINIT_FIELD_STATE:
    if (!zinit_decoder_word (decoder, state_words, &index))
      return FALSE;
    *(ZinitState *)place = (ZinitState)index;
    return TRUE;
  case ZINIT_FIELD_CONFIG:
    return zinit_saved_config_read (decoder, place);
  case ZINIT_FIELD_OBJECTS:
  case ZINIT_FIELD_LISTENERS:
    return read_map (decoder, field, *(GTree **)place);
  }
  return FALSE;
}

static gboolean
read_field (ZinitDecoder *decoder, const ZinitField *field, gpointer object)
{
  if (!field->needed && zinit_decoder_takes_null (decoder))
    return TRUE;
  if (!read_value (decoder, field, object))
    return FALSE;
  if (!field->needed && field->type != ZINIT_FIELD_CONFIG)
    ZINIT_FIELD_AT (gboolean, object, field->offset_of_has) = TRUE;
  return TRUE;
}

/* One of those beside the format's in the document itself; of another name nothing is taken. */
static void
take_origin (ZinitSavedState *state, const char *name, const char *text, gsize length, GError **error)
{
  static const char *const allowed[] = { "a string is allowed",
                                         "a number from 0 to 9223372036854775807 is allowed",
                                         "true and false are allowed" };
  const ZinitOriginField *field = zinit_origin_fields;
  g_autoptr (JsonNode) node = NULL;
  gpointer place;
  GType type;

  while (field->name != NULL && !g_str_equal (field->name, name))
    field++;
  node = field->name != NULL ? zinit_strict_json_parse (text, length, error) : NULL;
  if (node == NULL)
    return;
  place = (char *)state + field->offset;
  type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
  if (field->type == ZINIT_ORIGIN_TEXT && type == G_TYPE_STRING) {
    g_free (*(char **)place);
    *(char **)place = json_node_dup_string (node);
  } else if (field->type == ZINIT_ORIGIN_NUMBER && type == G_TYPE_INT64 && json_node_get_int (node) >= 0) {
    *(guint64 *)place = (guint64)json_node_get_int (node);
  } else if (field->type == ZINIT_ORIGIN_FLAG && type == G_TYPE_BOOLEAN) {
    *(gboolean *)place = json_node_get_boolean (node);
  } else {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, allowed[field->type]);
  }
}

/* A field of ours, as JSON text. What is wrong with it costs the field and nothing else. */
static void
take_extra (ZinitDecoder *decoder, const ZinitFieldTable *table, gpointer object, const char *name,
            const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;

  if (table->offset_of_extra != 0 && zinit_state_extensions_has_field (name)) {
    ZinitStateExtensions **extra = &ZINIT_FIELD_AT (ZinitStateExtensions *, object, table->offset_of_extra);

    if (*extra == NULL)
      *extra = zinit_state_extensions_new ();
    zinit_state_extensions_read (*extra, name, text, length, &error);
  } else if (table == &zinit_saved_state_table) {
    take_origin (object, name, text, length, &error);
  }
  if (error != NULL) {
    gsize place = zinit_decoder_go_to (decoder, name);
    g_autofree char *path = zinit_decoder_describe_place (decoder);

    g_warning ("%s is passed over: %s", path, error->message);
    zinit_decoder_leave (decoder, place);
  }
}

/* Passes over a field that the format does not know. */
static gboolean
skip_field (ZinitDecoder *decoder, const ZinitFieldTable *table, gpointer object)
{
  gsize name_length, length;
  const char *text;
  g_autofree char *name = g_strdup (zinit_json_reader_key (decoder->reader, &name_length));

  if (!zinit_json_reader_skip (decoder->reader, &text, &length)) {
    zinit_decoder_go_to (decoder, name);
    return zinit_decoder_refuse_text (decoder);
  }
  if (decoder->extras == ZINIT_EXTRAS_READ && name_length == strlen (name))
    take_extra (decoder, table, object, name, text, length);
  return TRUE;
}

/* The row of the field that zinit_json_reader_next() has found, or NULL. Writers keep the tables' order, so
 * @expected is nearly always the one. */
static const ZinitField *
find_field (ZinitDecoder *decoder, const ZinitFieldTable *table, guint expected)
{
  gsize length;
  const char *name = zinit_json_reader_key (decoder->reader, &length);

  for (guint i = 0; i < table->n_fields; i++) {
    const ZinitField *field = &table->fields[(expected + i) % table->n_fields];

    if (strlen (field->name) == length && memcmp (field->name, name, length) == 0)
      return field;
  }
  return NULL;
}

static gboolean
read_object (ZinitDecoder *decoder, const ZinitFieldTable *table, gpointer object)
{
  guint32 seen = 0; /* a bit a row */
  guint expected = 0;

  if (!zinit_decoder_enter (decoder))
    return FALSE;
  while (zinit_json_reader_next (decoder->reader)) {
    const ZinitField *field = find_field (decoder, table, expected);
    guint32 bit = field != NULL ? 1u << (field - table->fields) : 0;
    gsize place;

    if (field == NULL) {
      if (!skip_field (decoder, table, object))
        return FALSE;
      continue;
    }
    place = zinit_decoder_go_to (decoder, field->name);
    if ((seen & bit) != 0)
      return zinit_decoder_refuse (decoder, "given twice; it is allowed once");
    if (!read_field (decoder, field, object))
      return FALSE;
    zinit_decoder_leave (decoder, place);
    seen |= bit;
    expected = (guint)(field - table->fields) + 1;
  }
  if (zinit_json_reader_get_error (decoder->reader) != NULL)
    return zinit_decoder_refuse_text (decoder);
  for (guint i = 0; i < table->n_fields; i++) {
    if (table->fields[i].needed && (seen & 1u << i) == 0)
      return zinit_decoder_refuse_missing (decoder, table->fields[i].name);
  }
  return TRUE;
}

static gboolean
read_document (const char *text, gsize length, ZinitExtras extras, const ZinitFieldTable *table,
               gpointer document, GError **error)
{
  ZinitDecoder decoder;

  zinit_decoder_init (&decoder, text, length, extras);
  if (read_object (&decoder, table, document) && !zinit_json_reader_end (decoder.reader))
    zinit_decoder_refuse_text (&decoder);
  return zinit_decoder_finish (&decoder, error);
}

ZinitSavedState *
zinit_saved_state_parse (const char *text, gsize length, ZinitExtras extras, GError **error)
{
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();

  if (!read_document (text, length, extras, &zinit_saved_state_table, state, error))
    return NULL;
  return g_steal_pointer (&state);
}

/* Empties @from. */
static void
move_services (GTree *from, GTree *to)
{
  GTreeNode *node;

  while ((node = g_tree_node_first (from)) != NULL) {
    char *name = g_tree_node_key (node);
    ZinitSavedService *service = g_tree_node_value (node);

    g_tree_steal (from, name);
    g_tree_replace (to, name, service);
  }
}

gboolean
zinit_saved_state_merge (ZinitSavedState *state, const char *text, gsize length, GError **error)
{
  g_autoptr (GTree) merged = zinit_saved_map_new ((GDestroyNotify)zinit_saved_service_free);
  const ZinitField *services = NULL;
  ZinitDecoder decoder;

  for (guint i = 0; i < zinit_saved_state_table.n_fields; i++)
    if (zinit_saved_state_table.fields[i].type == ZINIT_FIELD_OBJECTS)
      services = &zinit_saved_state_table.fields[i];
  zinit_decoder_init (&decoder, text, length, ZINIT_EXTRAS_READ);
  if (read_map (&decoder, services, merged) && !zinit_json_reader_end (decoder.reader))
    zinit_decoder_refuse_text (&decoder);
  if (!zinit_decoder_finish (&decoder, error))
    return FALSE;
  move_services (merged, state->services);
  return TRUE;
}

ZinitSavedFds *
zinit_saved_fds_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_new ();

  if (!read_document (text, length, ZINIT_EXTRAS_SKIP, &zinit_saved_fds_table, fds, error))
    return NULL;
  return g_steal_pointer (&fds);
}
