/* SPDX-License-Identifier: Apache-2.0
 *
 * Values into a definition, each by its row of the table; out of it is schema-get.c. Every message about a
 * single value is made here: what was given, and what is allowed.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/schema-private.h"
#include "model/error.h"
#include "model/limits.h"
#include "common/signals.h"

#include <string.h>

#define MAX_QUOTED_CHARS 64

char *
zinit_schema_quote (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, strnlen (text, MAX_QUOTED_CHARS * 6));
  GString *quoted = g_string_new ("\"");
  const char *c = valid;

  for (guint n = 0; *c != '\0' && n < MAX_QUOTED_CHARS; n++, c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);

    g_string_append_unichar (quoted, g_unichar_iscntrl (character) ? 0xfffd : character);
  }
  return g_string_free (g_string_append (quoted, *c == '\0' ? "\"" : "…\""), FALSE);
}

/* "a string", with the article, for "X was given" and "X is wanted". */
static const char *
given_type (const ZinitValue *value)
{
  switch (value->kind) {
  case ZINIT_VALUE_STRING:
    return "a string";
  case ZINIT_VALUE_BOOLEAN:
    return value->boolean ? "true" : "false";
  case ZINIT_VALUE_INTEGER:
    return "a number";
  case ZINIT_VALUE_LIST:
    return "a list";
  case ZINIT_VALUE_TABLE:
    return "a table";
  case ZINIT_VALUE_OTHER:
    break;
  }
  return value->type_name;
}

/* What @option takes, or one part of it. Transfer full. */
static char *
wanted (const ZinitOption *option, gboolean part)
{
  switch (option->type) {
  case ZINIT_TYPE_STRING:
    return g_strdup (option->flags & ZINIT_OPTION_NUMERIC ? "a whole number or a string" : "a string");
  case ZINIT_TYPE_COMMAND:
    return g_strdup (part ? "a string" : "a string or a list of strings");
  case ZINIT_TYPE_BOOLEAN:
    return g_strdup ("true or false");
  case ZINIT_TYPE_NUMBER:
    return g_strdup_printf ("a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "%s%s",
                            option->minimum, option->maximum, option->unit != NULL ? " " : "",
                            option->unit != NULL ? option->unit : "");
  case ZINIT_TYPE_SIGNED:
    return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                            (gint64)option->minimum, (gint64)option->maximum);
  case ZINIT_TYPE_CHOICE: {
    g_autofree char *words = g_strjoinv ("\", \"", (char **)option->choices + option->minimum);

    return g_strdup_printf ("one of \"%s\"", words);
  }
  case ZINIT_TYPE_SIGNAL:
    return g_strdup ("a signal's name such as \"SIGTERM\" or its number from 1 to 31");
  case ZINIT_TYPE_LIST:
    if (option->items != NULL)
      return part ? g_strdup_printf ("an %s", option->item) : g_strdup_printf ("a list of %s", option->items);
    return g_strdup (part ? "a service's name as a string" : "a list of service names");
  case ZINIT_TYPE_STRINGS:
    return g_strdup (part ? "a string" : "a list of strings");
  case ZINIT_TYPE_TABLE:
    return g_strdup (part ? "a string" : "a table of strings");
  }
  g_return_val_if_reached (g_strdup (""));
}

char *
zinit_schema_describe_wanted (const ZinitOption *option)
{
  return wanted (option, FALSE);
}

/* "section.key: WHAT; Y is wanted". Returns FALSE, so that a caller can return it. */
static gboolean G_GNUC_PRINTF (3, 4)
    refuse (GError **error, const ZinitOption *option, const char *format, ...)
{
  g_autofree char *allowed = wanted (option, FALSE);
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "%s.%s: %s; %s is wanted", option->section,
               option->key, what, allowed);
  return FALSE;
}

static gboolean
refuse_type (GError **error, const ZinitOption *option, const ZinitValue *value)
{
  return refuse (error, option, "%s was given", given_type (value));
}

/* The same for one part of a list or table. */
static gboolean
refuse_part (GError **error, const ZinitOption *option, const ZinitValue *value)
{
  g_autofree char *allowed = wanted (option, TRUE);

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "%s.%s: %s: %s was given; %s is wanted",
               option->section, option->key, value->bad_part, value->type_name, allowed);
  return FALSE;
}

/* What holds for each string, alone or in a container. */
static gboolean
check_text (const ZinitOption *option, const char *text, GError **error)
{
  gsize length = strlen (text);

  if (length > ZINIT_MAX_STRING_BYTES)
    return refuse (error, option, "%" G_GSIZE_FORMAT " bytes were given; at most %d are allowed", length,
                   ZINIT_MAX_STRING_BYTES);
  if (!g_utf8_validate (text, length, NULL))
    return refuse (error, option, "the text is not UTF-8");
  return TRUE;
}

static gboolean
is_blank (const char *text)
{
  return text[strspn (text, " \t\r\n\v\f")] == '\0';
}

/* As one text of @option; the message has no key before it. */
static gboolean
check_one (const ZinitOption *option, const char *text, GError **error)
{
  if (is_blank (text)) {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, "it is empty; a text is wanted");
    return FALSE;
  }
  return option->check == NULL || option->check (text, error);
}

static gboolean
set_string (ZinitDefinition *definition, const ZinitOption *option, const char *text, GError **error)
{
  char **field = &G_STRUCT_MEMBER (char *, definition, option->offset);

  if (!check_text (option, text, error))
    return FALSE;
  if (is_blank (text))
    return refuse (error, option, "it is empty");
  if (option->check != NULL && !option->check (text, error)) {
    g_prefix_error (error, "%s.%s: ", option->section, option->key);
    return FALSE;
  }
  g_free (*field);
  *field = g_strdup (text);
  return TRUE;
}

/* A number's digits may stand for it where texts are wanted. */
static gboolean
set_digits (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  g_autofree char *text =
      g_strdup_printf ("%s%" G_GUINT64_FORMAT, value->negative ? "-" : "", value->magnitude);

  return set_string (definition, option, text, error);
}

static gboolean
set_signed (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  gint64 magnitude = (gint64)MIN (value->magnitude, G_MAXINT64);
  gint64 number = value->negative ? -magnitude : magnitude;

  if (number < (gint64)option->minimum || number > (gint64)option->maximum)
    return refuse (error, option, "%s%" G_GUINT64_FORMAT " was given", value->negative ? "-" : "",
                   value->magnitude);
  G_STRUCT_MEMBER (ZinitSigned, definition, option->offset) = (ZinitSigned){ TRUE, (gint32)number };
  return TRUE;
}

static gboolean
set_number (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  gboolean is_negative = value->negative && value->magnitude != 0;

  if (is_negative || value->magnitude < option->minimum || value->magnitude > option->maximum)
    return refuse (error, option, "%s%" G_GUINT64_FORMAT " was given", is_negative ? "-" : "",
                   value->magnitude);
  G_STRUCT_MEMBER (guint64, definition, option->offset) = value->magnitude;
  return TRUE;
}

static gboolean
set_choice (ZinitDefinition *definition, const ZinitOption *option, const char *text, GError **error)
{
  g_autofree char *shown = NULL;

  for (guint64 i = option->minimum; option->choices[i] != NULL; i++) {
    if (strcmp (text, option->choices[i]) == 0) {
      G_STRUCT_MEMBER (int, definition, option->offset) = (int)i;
      return TRUE;
    }
  }
  shown = zinit_schema_quote (text);
  return refuse (error, option, "%s was given", shown);
}

static gboolean
set_signal (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *shown = NULL;
  int signo;

  if (value->kind == ZINIT_VALUE_STRING)
    text = g_strdup (value->string);
  else
    text = g_strdup_printf ("%s%" G_GUINT64_FORMAT, value->negative ? "-" : "", value->magnitude);

  signo = zinit_signal_from_string (text);
  if (signo == 0) {
    shown = zinit_schema_quote (text);
    return refuse (error, option, "%s is not a signal", shown);
  }
  G_STRUCT_MEMBER (int, definition, option->offset) = signo;
  return TRUE;
}

/* Puts @items in the place of the field's own; an empty list becomes NULL. */
static void
take_items (ZinitDefinition *definition, const ZinitOption *option, GPtrArray *items)
{
  char ***field = &G_STRUCT_MEMBER (char **, definition, option->offset);

  g_strfreev (*field);
  *field = NULL;
  if (items->len == 0)
    return;
  *field = g_new (char *, items->len + 1);
  for (guint i = 0; i < items->len; i++)
    (*field)[i] = g_strdup (items->pdata[i]);
  (*field)[items->len] = NULL;
}

static gboolean
set_list (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new (); /* borrowed */
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  ZinitTextCheck check = option->check != NULL ? option->check : zinit_name_is_valid;

  for (guint i = 0; value->strings != NULL && value->strings[i] != NULL; i++) {
    if (i == ZINIT_MAX_LIST_ITEMS)
      return refuse (error, option, "more than %d items were given", ZINIT_MAX_LIST_ITEMS);
    if (!check (value->strings[i], error)) {
      g_prefix_error (error, "%s.%s: item %u: ", option->section, option->key, i + 1);
      return FALSE;
    }
    if (g_hash_table_add (seen, (gpointer)value->strings[i]))
      g_ptr_array_add (items, (gpointer)value->strings[i]);
  }
  take_items (definition, option, items);
  return TRUE;
}

/* By the bytes of what stands before '='. */
static int
compare_keys (gconstpointer a, gconstpointer b)
{
  const char *text_a = *(const char *const *)a;
  const char *text_b = *(const char *const *)b;
  gsize length_a = strcspn (text_a, "=");
  gsize length_b = strcspn (text_b, "=");
  int order = memcmp (text_a, text_b, MIN (length_a, length_b));

  return order != 0 ? order : (length_a > length_b) - (length_a < length_b);
}

static gboolean
set_strings (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new (); /* borrowed */

  for (guint i = 0; value->strings != NULL && value->strings[i] != NULL; i++) {
    if (i == option->maximum)
      return refuse (error, option, "more than %" G_GUINT64_FORMAT " items were given", option->maximum);
    if (!check_text (option, value->strings[i], error))
      return FALSE;
    if (!check_one (option, value->strings[i], error)) {
      g_prefix_error (error, "%s.%s: item %u: ", option->section, option->key, i + 1);
      return FALSE;
    }
    g_ptr_array_add (items, (gpointer)value->strings[i]);
  }
  take_items (definition, option, items);
  if (items->len == 0 && (option->flags & ZINIT_OPTION_EMPTY) != 0)
    G_STRUCT_MEMBER (char **, definition, option->offset) = g_new0 (char *, 1);
  return TRUE;
}

/* @words as a shell would need them to give them back. Transfer full. */
static char *
quote_words (const char *const *words)
{
  GString *line = g_string_new (NULL);

  for (; *words != NULL; words++) {
    gsize n_safe = strspn (*words, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+:,./-");
    g_autofree char *quoted = **words == '\0' || (*words)[n_safe] != '\0' ? g_shell_quote (*words) : NULL;

    g_string_append_printf (line, "%s%s", line->len > 0 ? " " : "", quoted != NULL ? quoted : *words);
  }
  return g_string_free (line, FALSE);
}

/* A list. Its words may be empty, but for the program. */
static gboolean
set_words (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  char **line_field = &G_STRUCT_MEMBER (char *, definition, option->offset);
  char ***field = &G_STRUCT_MEMBER (char **, definition, option->offset + sizeof (char *));
  g_autofree char *line = NULL;
  guint n = 0;

  for (; value->strings != NULL && value->strings[n] != NULL; n++) {
    if (n == ZINIT_MAX_ARGUMENTS)
      return refuse (error, option, "more than %d items were given", ZINIT_MAX_ARGUMENTS);
    if (!check_text (option, value->strings[n], error))
      return FALSE;
  }
  if (n == 0 || is_blank (value->strings[0]))
    return refuse (error, option, n == 0 ? "it is empty" : "its first item, the program, is empty");
  line = quote_words (value->strings);
  if (strlen (line) > ZINIT_MAX_STRING_BYTES)
    return refuse (error, option, "its items have %" G_GSIZE_FORMAT " bytes, quoted; at most %d are allowed",
                   strlen (line), ZINIT_MAX_STRING_BYTES);
  g_free (*line_field);
  g_strfreev (*field);
  *line_field = g_steal_pointer (&line);
  *field = g_strdupv ((char **)value->strings);
  return TRUE;
}

static gboolean
set_command (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  if (value->kind == ZINIT_VALUE_LIST)
    return set_words (definition, option, value, error);
  if (!set_string (definition, option, value->string, error))
    return FALSE;
  g_clear_pointer (&G_STRUCT_MEMBER (char **, definition, option->offset + sizeof (char *)), g_strfreev);
  return TRUE;
}

static gboolean
set_table (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new (); /* borrowed */

  for (guint i = 0; value->strings != NULL && value->strings[i] != NULL; i++) {
    if (i == ZINIT_MAX_ENV_ITEMS)
      return refuse (error, option, "more than %d variables were given", ZINIT_MAX_ENV_ITEMS);
    if (value->strings[i][0] == '=')
      return refuse (error, option, "a variable has an empty name");
    if (!check_text (option, value->strings[i], error))
      return FALSE;
    g_ptr_array_add (items, (gpointer)value->strings[i]);
  }
  g_ptr_array_sort (items, compare_keys);
  for (guint i = 1; i < items->len; i++) {
    if (compare_keys (&items->pdata[i - 1], &items->pdata[i]) == 0) {
      const char *text = items->pdata[i];
      g_autofree char *name = g_strndup (text, strcspn (text, "="));
      g_autofree char *shown = zinit_schema_quote (name);

      return refuse (error, option, "%s is given twice", shown);
    }
  }
  take_items (definition, option, items);
  return TRUE;
}

gboolean
zinit_schema_set (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value,
                  GError **error)
{
  static const ZinitValueKind kinds[] = {
    [ZINIT_TYPE_STRING] = ZINIT_VALUE_STRING,   [ZINIT_TYPE_COMMAND] = ZINIT_VALUE_STRING,
    [ZINIT_TYPE_BOOLEAN] = ZINIT_VALUE_BOOLEAN, [ZINIT_TYPE_NUMBER] = ZINIT_VALUE_INTEGER,
    [ZINIT_TYPE_SIGNED] = ZINIT_VALUE_INTEGER,  [ZINIT_TYPE_CHOICE] = ZINIT_VALUE_STRING,
    [ZINIT_TYPE_SIGNAL] = ZINIT_VALUE_STRING,   [ZINIT_TYPE_LIST] = ZINIT_VALUE_LIST,
    [ZINIT_TYPE_STRINGS] = ZINIT_VALUE_LIST,    [ZINIT_TYPE_TABLE] = ZINIT_VALUE_TABLE,
  };

  if (value->kind == ZINIT_VALUE_INTEGER && (option->flags & ZINIT_OPTION_NUMERIC) != 0)
    return set_digits (definition, option, value, error);
  if (value->kind != kinds[option->type] &&
      !(option->type == ZINIT_TYPE_SIGNAL && value->kind == ZINIT_VALUE_INTEGER) &&
      !(option->type == ZINIT_TYPE_COMMAND && value->kind == ZINIT_VALUE_LIST))
    return refuse_type (error, option, value);
  if (value->bad_part != NULL)
    return refuse_part (error, option, value);

  switch (option->type) {
  case ZINIT_TYPE_STRING:
    return set_string (definition, option, value->string, error);
  case ZINIT_TYPE_COMMAND:
    return set_command (definition, option, value, error);
  case ZINIT_TYPE_BOOLEAN:
    G_STRUCT_MEMBER (gboolean, definition, option->offset) = value->boolean != FALSE;
    return TRUE;
  case ZINIT_TYPE_NUMBER:
    return set_number (definition, option, value, error);
  case ZINIT_TYPE_SIGNED:
    return set_signed (definition, option, value, error);
  case ZINIT_TYPE_CHOICE:
    return set_choice (definition, option, value->string, error);
  case ZINIT_TYPE_SIGNAL:
    return set_signal (definition, option, value, error);
  case ZINIT_TYPE_LIST:
    return set_list (definition, option, value, error);
  case ZINIT_TYPE_STRINGS:
    return set_strings (definition, option, value, error);
  case ZINIT_TYPE_TABLE:
    return set_table (definition, option, value, error);
  }
  g_return_val_if_reached (FALSE);
}
