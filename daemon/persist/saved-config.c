/* SPDX-License-Identifier: Apache-2.0
 *
 * The definition inside state.json: checked field by field as the format's first reader does, and written
 * again in the format's order. What zinit's own schema knows beyond the format stays, behind the format's
 * fields.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/saved-config.h"

#include <string.h>

#include "config/format.h"
#include "config/json-writer.h"
#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"

#define CONFIG_LEVEL 3 /* levels of a state document around `config` */

/* What the format has in an object, in its order: of a definition the first option of each section, of a
 * section its options. */
typedef struct {
  const char *section; /* NULL = the definition as a whole */
  const ZinitOption *options[ZINIT_MAX_OPTIONS];
  guint n;
} Rows;

static gboolean
is_in_format (const char *section)
{
  for (gsize i = 0; i < zinit_n_options; i++)
    if ((zinit_options[i].flags & ZINIT_OPTION_SPECIFIED) && strcmp (zinit_options[i].section, section) == 0)
      return TRUE;
  return strcmp (section, "health") == 0;
}

static void
list_rows (Rows *rows, const char *section)
{
  rows->section = section;
  rows->n = 0;
  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    gboolean is_first = i == 0 || strcmp (option->section, option[-1].section) != 0;

    if (section == NULL ? is_first && is_in_format (option->section)
                        : (option->flags & ZINIT_OPTION_SPECIFIED) && strcmp (option->section, section) == 0)
      rows->options[rows->n++] = option;
  }
}

static const char *
name_of (const Rows *rows, guint index)
{
  return rows->section != NULL ? rows->options[index]->key : rows->options[index]->section;
}

/* Appends one member to the object that @out ends with. */
static void
write_member (GString *out, const char *name, const char *text, gsize length, guint level)
{
  zinit_json_write_next_name (out, name, level);
  g_string_append_len (out, text, (gssize)length);
}

/* Appends the members of @map, name → text. */
static void
write_members (GString *out, GTree *map, guint level)
{
  for (GTreeNode *node = g_tree_node_first (map); node != NULL; node = g_tree_node_next (node))
    write_member (out, g_tree_node_key (node), g_tree_node_value (node), strlen (g_tree_node_value (node)),
                  level);
}

/* Reads a string and appends it. */
static gboolean
read_text (ZinitDecoder *decoder, GString *out)
{
  const char *text = zinit_decoder_borrow_string (decoder);

  if (text != NULL)
    zinit_json_write_string (out, text);
  return text != NULL;
}

static gboolean
read_texts (ZinitDecoder *decoder, GString *out, guint level)
{
  if (zinit_json_reader_peek (decoder->reader) != ZINIT_JSON_ARRAY)
    return zinit_decoder_refuse_kind (decoder, "a list of strings is allowed");
  zinit_json_reader_enter (decoder->reader);
  g_string_append_c (out, '[');
  while (zinit_json_reader_next (decoder->reader)) {
    zinit_json_write_next (out, level + 1);
    if (!read_text (decoder, out))
      return FALSE;
  }
  if (zinit_json_reader_get_error (decoder->reader) != NULL)
    return zinit_decoder_refuse_text (decoder);
  zinit_json_write_end (out, ']', level);
  return TRUE;
}

static gboolean
read_variables (ZinitDecoder *decoder, GString *out, guint level)
{
  g_autoptr (GTree) variables = zinit_saved_map_new (g_free);
  g_autofree char *name = NULL;

  if (!zinit_decoder_enter (decoder))
    return FALSE;
  while (zinit_decoder_next_entry (decoder, &name)) {
    g_autoptr (GString) text = g_string_new (NULL);

    if (!read_text (decoder, text))
      return FALSE;
    g_tree_replace (variables, g_strdup (name), g_string_free (g_steal_pointer (&text), FALSE));
  }
  if (decoder->error != NULL)
    return FALSE;
  g_string_append_c (out, '{');
  write_members (out, variables, level + 1);
  zinit_json_write_end (out, '}', level);
  return TRUE;
}

/* Reads the members of a health check by name. The format's first reader would take an unknown one
 * twice; which are known to it is not known here. */
static gboolean
read_health (ZinitDecoder *decoder, GString *out, guint level)
{
  g_autoptr (GTree) members = zinit_saved_map_new (g_free);
  const char *const *health_words = zinit_health_words + ZINIT_HEALTH_TCP;
  g_autofree char *name = NULL;

  if (zinit_decoder_takes_null (decoder)) {
    g_string_append (out, "null");
    return TRUE;
  }
  if (!zinit_decoder_enter (decoder))
    return FALSE;
  while (zinit_decoder_next_entry (decoder, &name)) {
    g_autoptr (GString) text = g_string_new (NULL);
    int index;

    if (g_tree_lookup (members, name) != NULL)
      return zinit_decoder_refuse (decoder, "given twice; it is allowed once");
    if (g_str_equal (name, "type")) {
      if (!zinit_decoder_word (decoder, health_words, &index))
        return FALSE;
      zinit_json_write_string (text, health_words[index]);
    } else if (!zinit_json_copy_value (decoder->reader, text, level + 1)) {
      return zinit_decoder_refuse_text (decoder);
    }
    g_tree_replace (members, g_strdup (name), g_string_free (g_steal_pointer (&text), FALSE));
  }
  if (decoder->error != NULL)
    return FALSE;
  if (g_tree_lookup (members, "type") == NULL)
    return zinit_decoder_refuse_missing (decoder, "type");
  g_string_append_c (out, '{');
  write_members (out, members, level + 1);
  zinit_json_write_end (out, '}', level);
  return TRUE;
}

static gboolean
read_number (ZinitDecoder *decoder, guint64 maximum, GString *out)
{
  guint64 number;

  if (!zinit_decoder_unsigned (decoder, maximum, &number))
    return FALSE;
  zinit_json_write_number (out, FALSE, number);
  return TRUE;
}

static gboolean
read_value (ZinitDecoder *decoder, const ZinitOption *option, GString *out, guint level)
{
  gboolean truth;
  int index;

  switch (option->type) {
  case ZINIT_TYPE_STRING:
    if (!(option->flags & ZINIT_OPTION_REQUIRED) && zinit_decoder_takes_null (decoder)) {
      g_string_append (out, "null");
      return TRUE;
    }
    return read_text (decoder, out);
  case ZINIT_TYPE_COMMAND:
  case ZINIT_TYPE_SIGNAL:
    return read_text (decoder, out);
  case ZINIT_TYPE_BOOLEAN:
    if (!zinit_decoder_boolean (decoder, &truth))
      return FALSE;
    g_string_append (out, truth ? "true" : "false");
    return TRUE;
  case ZINIT_TYPE_CHOICE:
    if (!zinit_decoder_word (decoder, option->choices, &index))
      return FALSE;
    zinit_json_write_string (out, option->choices[index]);
    return TRUE;
  case ZINIT_TYPE_NUMBER:
    return read_number (decoder, option->maximum == G_MAXUINT32 ? G_MAXUINT32 : G_MAXUINT64, out);
  case ZINIT_TYPE_SIGNED: /* the format has none */
    break;
  case ZINIT_TYPE_LIST:
  case ZINIT_TYPE_STRINGS:
    return read_texts (decoder, out, level);
  case ZINIT_TYPE_TABLE:
    return read_variables (decoder, out, level);
  }
  return FALSE;
}

static gboolean
is_own_key (const char *section, const char *name)
{
  return zinit_schema_find (section, name) != NULL ||
         (strcmp (section, "service") == 0 && strcmp (name, ZINIT_SAVED_ARGV) == 0);
}

/* Passes over a member that the format does not know, or keeps it in @extras if it is one of zinit's own.
 * What is wrong with such a one costs it alone. */
static gboolean
read_unknown (ZinitDecoder *decoder, const char *section, GTree **extras, guint level)
{
  gsize name_length, length;
  const char *text;
  g_autofree char *name = g_strdup (zinit_json_reader_key (decoder->reader, &name_length));
  g_autoptr (ZinitJsonReader) inner = NULL;
  g_autoptr (GString) copy = NULL;

  if (!zinit_json_reader_skip (decoder->reader, &text, &length)) {
    zinit_decoder_go_to (decoder, name);
    return zinit_decoder_refuse_text (decoder);
  }
  if (decoder->extras != ZINIT_EXTRAS_READ || name_length != strlen (name))
    return TRUE;
  if (section != NULL ? !is_own_key (section, name) : !zinit_schema_has_section (name))
    return TRUE;
  inner = zinit_json_reader_new (text, length, ZINIT_MAX_JSON_DEPTH);
  copy = g_string_new (NULL);
  if (*extras == NULL)
    *extras = zinit_saved_map_new (g_free);
  if (zinit_json_copy_value (inner, copy, level)) {
    g_tree_replace (*extras, g_steal_pointer (&name), g_string_free (g_steal_pointer (&copy), FALSE));
  } else {
    gsize place = zinit_decoder_go_to (decoder, name);

    zinit_decoder_refuse (decoder, "%s", zinit_json_reader_get_error (inner)->message);
    zinit_decoder_forgive (decoder);
    zinit_decoder_leave (decoder, place);
  }
  return TRUE;
}

/* The row of the member that is next, or how many there are. */
static guint
find_row (ZinitDecoder *decoder, const Rows *rows)
{
  gsize length;
  const char *name = zinit_json_reader_key (decoder->reader, &length);
  guint i = 0;

  while (i < rows->n &&
         (strlen (name_of (rows, i)) != length || memcmp (name_of (rows, i), name, length) != 0))
    i++;
  return i;
}

/* The members of an object as they were found: their values one after the other, and where each row's is. */
typedef struct {
  GString *text;
  gsize begins[ZINIT_MAX_OPTIONS];
  gsize ends[ZINIT_MAX_OPTIONS]; /* 0 = not found */
  GTree *extras;                 /* what is zinit's own, name → text; made when there is one */
} Members;

static gboolean read_section (ZinitDecoder *decoder, const char *section, GString *out, guint level);

static gboolean
read_member (ZinitDecoder *decoder, const Rows *rows, guint index, GString *out, guint level)
{
  const ZinitOption *option = rows->options[index];

  if (rows->section != NULL)
    return read_value (decoder, option, out, level);
  if (strcmp (option->section, "health") == 0)
    return read_health (decoder, out, level);
  return read_section (decoder, option->section, out, level);
}

/* Reads the members of @rows from the object that is entered. */
static gboolean
read_members (ZinitDecoder *decoder, const Rows *rows, Members *members, guint level)
{
  while (zinit_json_reader_next (decoder->reader)) {
    guint i = find_row (decoder, rows);
    gsize place;

    if (i == rows->n) {
      if (!read_unknown (decoder, rows->section, &members->extras, level))
        return FALSE;
      continue;
    }
    place = zinit_decoder_go_to (decoder, name_of (rows, i));
    if (members->ends[i] != 0)
      return zinit_decoder_refuse (decoder, "given twice; it is allowed once");
    members->begins[i] = members->text->len;
    if (!read_member (decoder, rows, i, members->text, level))
      return FALSE;
    members->ends[i] = members->text->len;
    zinit_decoder_leave (decoder, place);
  }
  if (zinit_json_reader_get_error (decoder->reader) != NULL)
    return zinit_decoder_refuse_text (decoder);
  /* A section is needed when its first option is. */
  for (guint i = 0; i < rows->n; i++)
    if ((rows->options[i]->flags & ZINIT_OPTION_REQUIRED) && members->ends[i] == 0)
      return zinit_decoder_refuse_missing (decoder, name_of (rows, i));
  return TRUE;
}

/* Reads the object of @section, NULL for the definition as a whole, and appends it. */
static gboolean
read_section (ZinitDecoder *decoder, const char *section, GString *out, guint level)
{
  Members members = { .text = g_string_new (NULL) };
  gboolean is_good;
  Rows rows;

  list_rows (&rows, section);
  is_good = zinit_decoder_enter (decoder) && read_members (decoder, &rows, &members, level + 1);
  if (is_good) {
    g_string_append_c (out, '{');
    for (guint i = 0; i < rows.n; i++) {
      if (members.ends[i] != 0)
        write_member (out, name_of (&rows, i), members.text->str + members.begins[i],
                      members.ends[i] - members.begins[i], level + 1);
    }
    if (members.extras != NULL)
      write_members (out, members.extras, level + 1);
    zinit_json_write_end (out, '}', level);
  }
  g_clear_pointer (&members.extras, g_tree_unref);
  g_string_free (members.text, TRUE);
  return is_good;
}

gboolean
zinit_saved_config_read (ZinitDecoder *decoder, char **ret_text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (!read_section (decoder, NULL, out, CONFIG_LEVEL))
    return FALSE;
  g_free (*ret_text);
  *ret_text = g_string_free (g_steal_pointer (&out), FALSE);
  return TRUE;
}

char *
zinit_saved_config_from_json (JsonNode *node, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *config = NULL;
  ZinitDecoder decoder;

  zinit_json_write_node (text, node, 0);
  zinit_decoder_init (&decoder, text->str, text->len, ZINIT_EXTRAS_READ);
  zinit_saved_config_read (&decoder, &config);
  if (!zinit_decoder_finish (&decoder, error))
    return NULL;
  return g_steal_pointer (&config);
}
