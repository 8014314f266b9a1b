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
  item = g_malloc0 (field->items->item_size);
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
read_object_text (ZinitDecoder *decoder, char **ret_text)
{
  const char *text;
  gsize length;

  if (zinit_json_reader_peek (decoder->reader) != ZINIT_JSON_OBJECT)
    return zinit_decoder_refuse_kind (decoder, "an object is allowed");
  if (!zinit_json_reader_skip (decoder->reader, &text, &length))
    return zinit_decoder_refuse_text (decoder);
  g_free (*ret_text);
  *ret_text = g_strndup (text, length);
  return TRUE;
}

/* The value of a member if it is of @type, or NULL. */
static JsonNode *
look_up (JsonObject *object, const char *name, GType type)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type ? node
                                                                                                 : NULL;
}

/* The type says which other member counts, and may come after that member. */
static gboolean
read_failure (ZinitDecoder *decoder, ZinitFailure *failure)
{
  ZinitFailure read = { ZINIT_FAILURE_NONE };
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) error = NULL;
  const char *name;
  gboolean is_text;
  JsonNode *member;

  if (!read_object_text (decoder, &text))
    return FALSE;
  root = zinit_strict_json_parse (text, strlen (text), &error);
  if (root == NULL)
    return zinit_decoder_refuse (decoder, "%s", error->message);
  member = look_up (json_node_get_object (root), "type", G_TYPE_STRING);
  if (member == NULL || !zinit_failure_type_from_string (json_node_get_string (member), &read.type))
    return zinit_decoder_refuse (decoder, "no known type of failure");
  name = zinit_failure_field_name (read.type);
  is_text = zinit_failure_field_is_text (read.type);
  if (name != NULL) {
    member = look_up (json_node_get_object (root), name, is_text ? G_TYPE_STRING : G_TYPE_INT64);
    if (member == NULL || (!is_text && json_node_get_int (member) != (gint32)json_node_get_int (member)))
      return zinit_decoder_refuse (decoder, "\"%s\" is missing or wrong; %s is allowed", name,
                                   is_text ? "a string" : "a number of 32 bits");
    if (is_text)
      read.text = json_node_dup_string (member);
    else
      read.number = (gint32)json_node_get_int (member);
  }
  zinit_failure_clear (failure);
  *failure = read;
  return TRUE;
}

static gboolean
read_value (ZinitDecoder *decoder, const ZinitField *field, gpointer object)
{
  gpointer place = (char *)object + field->offset;
  guint64 number;

  switch (field->type) {
  case ZINIT_FIELD_U32:
    if (!zinit_decoder_unsigned (decoder, G_MAXUINT32, &number))
      return FALSE;
    *(guint32 *)place = (guint32)number;
    return TRUE;
  case ZINIT_FIELD_U63:
    return zinit_decoder_unsigned (decoder, G_MAXINT64, place);
  case ZINIT_FIELD_U64:
    return zinit_decoder_unsigned (decoder, G_MAXUINT64, place);
  case ZINIT_FIELD_I32:
    return zinit_decoder_signed32 (decoder, place);
  case ZINIT_FIELD_BOOLEAN:
    return zinit_decoder_boolean (decoder, place);
  case ZINIT_FIELD_STRING:
    return zinit_decoder_string (decoder, place);
  case ZINIT_FIELD_WORD:
    return zinit_decoder_word (decoder, field->words, place);
  case ZINIT_FIELD_CONFIG:
    return zinit_saved_config_read (decoder, place);
  case ZINIT_FIELD_OBJECT:
    return read_object_text (decoder, place);
  case ZINIT_FIELD_FAILURE:
    return read_failure (decoder, place);
  case ZINIT_FIELD_OBJECTS:
  case ZINIT_FIELD_LISTENERS:
    return read_map (decoder, field, *(GTree **)place);
  }
  return FALSE;
}

/* The value is skipped first, as by any other reader: only what they refuse is refused. What else is wrong
 * with it costs the field alone. */
static gboolean
read_own_field (ZinitDecoder *decoder, const ZinitFieldTable *table, const ZinitField *field, gpointer object)
{
  const char *text;
  gsize length;

  if (!zinit_json_reader_skip (decoder->reader, &text, &length))
    return zinit_decoder_refuse_text (decoder);
  if (decoder->extras == ZINIT_EXTRAS_SKIP)
    return TRUE;
  if (table->offset_of_extra != 0) {
    ZinitStateExtensions **extra = &ZINIT_FIELD_AT (ZinitStateExtensions *, object, table->offset_of_extra);

    if (*extra == NULL)
      *extra = zinit_state_extensions_new ();
    object = *extra;
  }
  zinit_json_reader_go_to (decoder->reader, text);
  if (!read_value (decoder, field, object))
    zinit_decoder_forgive (decoder);
  zinit_json_reader_go_to (decoder->reader, text + length);
  return TRUE;
}

static gboolean
read_field (ZinitDecoder *decoder, const ZinitFieldTable *table, const ZinitField *field, gpointer object)
{
  if (field->rule == ZINIT_FIELD_OWN)
    return read_own_field (decoder, table, field, object);
  if (field->rule != ZINIT_FIELD_NEEDED && zinit_decoder_takes_null (decoder))
    return TRUE;
  if (!read_value (decoder, field, object))
    return FALSE;
  if (field->rule == ZINIT_FIELD_NULLABLE)
    ZINIT_FIELD_AT (gboolean, object, field->offset_of_has) = TRUE;
  return TRUE;
}

static gboolean
skip_unknown (ZinitDecoder *decoder)
{
  gsize length;
  g_autofree char *name = g_strdup (zinit_json_reader_key (decoder->reader, &length));

  if (zinit_json_reader_skip (decoder->reader, NULL, NULL))
    return TRUE;
  zinit_decoder_go_to (decoder, name);
  return zinit_decoder_refuse_text (decoder);
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
  guint64 seen = 0; /* a bit a row */
  guint expected = 0;

  if (!zinit_decoder_enter (decoder))
    return FALSE;
  while (zinit_json_reader_next (decoder->reader)) {
    const ZinitField *field = find_field (decoder, table, expected);
    guint64 bit = field != NULL ? G_GUINT64_CONSTANT (1) << (field - table->fields) : 0;
    gsize place;

    if (field == NULL) {
      if (!skip_unknown (decoder))
        return FALSE;
      continue;
    }
    place = zinit_decoder_go_to (decoder, field->name);
    if ((seen & bit) != 0 && field->rule != ZINIT_FIELD_OWN)
      return zinit_decoder_refuse (decoder, "given twice; it is allowed once");
    if (!read_field (decoder, table, field, object))
      return FALSE;
    zinit_decoder_leave (decoder, place);
    seen |= bit;
    expected = (guint)(field - table->fields) + 1;
  }
  if (zinit_json_reader_get_error (decoder->reader) != NULL)
    return zinit_decoder_refuse_text (decoder);
  for (guint i = 0; i < table->n_fields; i++) {
    if (table->fields[i].rule == ZINIT_FIELD_NEEDED && (seen & G_GUINT64_CONSTANT (1) << i) == 0)
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
