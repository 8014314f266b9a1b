/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of call options and its one reader.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/options.h"

#include "model/error.h"
#include "model/limits.h"
#include "model/state.h"

static const char *const whom_words[] = { "main", "all", NULL };
G_STATIC_ASSERT (ZINIT_WHOM_MAIN == 0 && ZINIT_WHOM_ALL == 1);

typedef struct {
  ZinitCallOption bit;
  const char *name;
  const char *type;  /* D-Bus signature: b, u, t, s or as */
  const char *words; /* for messages: what a string may be; NULL = anything of the type */
  gsize offset;      /* of the value in ZinitCallOptions */
} Option;

#define VALUE(field) G_STRUCT_OFFSET (ZinitCallOptions, field)

static const Option table[] = {
  { ZINIT_CALL_WAIT, "wait", "b", NULL, VALUE (wait) },
  { ZINIT_CALL_TREE, "tree", "b", NULL, VALUE (tree) },
  { ZINIT_CALL_WHOM, "whom", "s", "“main” or “all”", VALUE (whom) },
  { ZINIT_CALL_PERSIST, "persist", "b", NULL, VALUE (persist) },
  { ZINIT_CALL_REPLACE, "replace", "b", NULL, VALUE (replace) },
  { ZINIT_CALL_STOP, "stop", "b", NULL, VALUE (stop) },
  { ZINIT_CALL_LINES, "lines", "u", NULL, VALUE (lines) },
  { ZINIT_CALL_SINCE, "since", "t", NULL, VALUE (since_usec) },
  { ZINIT_CALL_STREAM, "stream", "s", "“stdout” or “stderr”", VALUE (stream) },
  { ZINIT_CALL_ALLOW_EMPTY, "allow_empty", "b", NULL, VALUE (allow_empty) },
  { ZINIT_CALL_TIMEOUT, "timeout_ms", "u", NULL, VALUE (timeout_ms) },
  { ZINIT_CALL_NAMES, "names", "as", NULL, VALUE (names) },
  { ZINIT_CALL_STATES, "states", "as", NULL, VALUE (states) },
  { ZINIT_CALL_SUB_STATES, "sub_states", "as", NULL, VALUE (sub_states) },
  { ZINIT_CALL_CLASS, "class", "s", "“user” or “system”", VALUE (service_class) },
};

static const Option *
find_option (const char *name, guint allowed)
{
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if ((table[i].bit & allowed) != 0 && strcmp (table[i].name, name) == 0)
      return &table[i];
  return NULL;
}

static char *
describe_allowed (guint allowed)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    if ((table[i].bit & allowed) != 0)
      g_string_append_printf (text, "%s%s (%s)", text->len > 0 ? ", " : "", table[i].name, table[i].type);
  }
  if (text->len == 0)
    g_string_append (text, "none");
  return g_string_free (text, FALSE);
}

/* A word becomes its index in the list of its option. */
static int
find_word (const Option *option, const char *word)
{
  const char *const *words = option->bit == ZINIT_CALL_WHOM    ? whom_words
                             : option->bit == ZINIT_CALL_CLASS ? zinit_class_words
                                                               : zinit_stream_words;

  for (int i = 0; words[i] != NULL; i++)
    if (strcmp (words[i], word) == 0)
      return i;
  return -1;
}

/* FALSE when @value is not an integer, or less than 0 or more than @max. */
static gboolean
read_number (GVariant *value, guint64 max, guint64 *ret_number)
{
  gint64 number = 0;

  switch (g_variant_classify (value)) {
  case G_VARIANT_CLASS_BYTE:
    number = g_variant_get_byte (value);
    break;
  case G_VARIANT_CLASS_UINT16:
    number = g_variant_get_uint16 (value);
    break;
  case G_VARIANT_CLASS_UINT32:
    number = g_variant_get_uint32 (value);
    break;
  case G_VARIANT_CLASS_INT16:
    number = g_variant_get_int16 (value);
    break;
  case G_VARIANT_CLASS_INT32:
    number = g_variant_get_int32 (value);
    break;
  case G_VARIANT_CLASS_INT64:
    number = g_variant_get_int64 (value);
    break;
  case G_VARIANT_CLASS_UINT64:
    *ret_number = g_variant_get_uint64 (value);
    return *ret_number <= max;
  default:
    return FALSE;
  }
  *ret_number = (guint64)number;
  return number >= 0 && *ret_number <= max;
}

static gboolean
set_type_error (const Option *option, GVariant *value, GError **error)
{
  g_autofree char *shown = g_variant_is_container (value) ? g_strdup ("") : g_variant_print (value, FALSE);

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS,
               "option “%s” is %.32s%sof type %s; allowed is %s", option->name, shown,
               *shown != '\0' ? " " : "", g_variant_get_type_string (value),
               *option->type == 'u'   ? "an integer from 0 to 4294967295"
               : *option->type == 't' ? "an integer from 0 to 18446744073709551615"
                                      : option->type);
  return FALSE;
}

static gboolean
set_number (ZinitCallOptions *options, const Option *option, GVariant *value, GError **error)
{
  void *field = (char *)options + option->offset;
  gboolean is_long = *option->type == 't';
  guint64 number;

  if (!read_number (value, is_long ? G_MAXUINT64 : G_MAXUINT32, &number))
    return set_type_error (option, value, error);
  if (is_long)
    *(guint64 *)field = number;
  else
    *(guint32 *)field = (guint32)number;
  options->given |= option->bit;
  return TRUE;
}

static gboolean
set_list (ZinitCallOptions *options, const Option *option, GVariant *value, GError **error)
{
  gsize n_items = g_variant_n_children (value);

  if (n_items > ZINIT_MAX_SERVICES) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
                 "option “%s” has %" G_GSIZE_FORMAT " items; at most %d are allowed", option->name, n_items,
                 ZINIT_MAX_SERVICES);
    return FALSE;
  }
  *(char ***)((char *)options + option->offset) = g_variant_dup_strv (value, NULL);
  options->given |= option->bit;
  return TRUE;
}

void
zinit_call_options_clear (ZinitCallOptions *options)
{
  g_clear_pointer (&options->names, g_strfreev);
  g_clear_pointer (&options->states, g_strfreev);
  g_clear_pointer (&options->sub_states, g_strfreev);
}

static gboolean
set_option (ZinitCallOptions *options, const Option *option, GVariant *value, GError **error)
{
  void *field = (char *)options + option->offset;

  if (*option->type == 'u' || *option->type == 't')
    return set_number (options, option, value, error);
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE (option->type)))
    return set_type_error (option, value, error);
  if (*option->type == 'a')
    return set_list (options, option, value, error);
  if (*option->type == 'b') {
    *(gboolean *)field = g_variant_get_boolean (value);
  } else {
    int index = find_word (option, g_variant_get_string (value, NULL));

    if (index < 0) {
      g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS, "option “%s” is “%.32s”; allowed is %s",
                   option->name, g_variant_get_string (value, NULL), option->words);
      return FALSE;
    }
    *(int *)field = index;
  }
  options->given |= option->bit;
  return TRUE;
}

gboolean
zinit_call_options_parse (GVariant *dictionary, guint allowed, ZinitCallOptions *ret_options, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *item;

  *ret_options = (ZinitCallOptions){ .whom = ZINIT_WHOM_ALL };
  g_variant_iter_init (&iter, dictionary);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &item)) {
    g_autoptr (GVariant) value = item;
    const Option *option = find_option (name, allowed);

    if (option == NULL) {
      g_autofree char *all = describe_allowed (allowed);

      g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS, "unknown option “%.64s”; allowed: %s", name,
                   all);
      return FALSE;
    }
    if ((ret_options->given & option->bit) != 0) {
      g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS, "option “%s” is given twice", name);
      return FALSE;
    }
    if (!set_option (ret_options, option, value, error))
      return FALSE;
  }
  return TRUE;
}
