/* SPDX-License-Identifier: Apache-2.0
 *
 * Syntax errors of TOML in words for people: in which key, what is missing, how it is written. The statement
 * is taken out of the text then, so that the rest of the file is checked as well.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"

#include <string.h>

#include "model/schema.h"

#define MAX_ERRORS 20      /* of syntax in one file; each costs a parse */
#define MAX_SHOWN_BYTES 60 /* of a value in a message */
#define BLANKS " \t\r"

/* One line of a text. */
typedef struct {
  const char *begin;
  const char *end;   /* its line feed, or the end of the text */
  const char *key;   /* NULL = it does not begin with one */
  const char *after; /* the key: "=" or what stands in its place */
  const char *value; /* behind "="; NULL = there is none */
} Line;

static Line
read_line (const char *begin)
{
  Line line = { .begin = begin, .end = begin + strcspn (begin, "\n") };
  const char *c = begin + strspn (begin, BLANKS);

  line.after = c;
  while (g_ascii_isalnum (*line.after) || (*line.after != '\0' && strchr ("_-.\"'", *line.after) != NULL))
    line.after++;
  if (line.after > c && *c != '.')
    line.key = c;
  line.after += strspn (line.after, BLANKS);
  if (line.key != NULL && *line.after == '=')
    line.value = line.after + 1 + strspn (line.after + 1, BLANKS);
  return line;
}

/* What surrounds the error: its line, the section, and the key that the line belongs to. */
typedef struct {
  Line line;
  Line statement; /* the same, or an earlier line that began a list */
  const char *section;
  gsize section_length;
} Context;

static Context
find_context (const char *text, guint line_number)
{
  Context context = { .section = "" };
  const char *at = text;

  for (guint i = 1;; i++) {
    const char *first = at + strspn (at, BLANKS);

    context.line = read_line (at);
    if (*first == '[' && i < line_number) {
      first += strspn (first, "[ \t");
      context.section = first;
      context.section_length = strcspn (first, "] \t\r\n");
      context.statement = (Line){ NULL };
    } else if (context.line.key != NULL && context.line.value != NULL) {
      context.statement = context.line;
    }
    if (i == line_number || *context.line.end == '\0')
      return context;
    at = context.line.end + 1;
  }
}

/* "section.key: ", as far as it is known. Transfer full. */
static char *
describe_key (const Context *context, const Line *line)
{
  g_autofree char *section = g_strndup (context->section, context->section_length);
  g_autofree char *key =
      line->key != NULL ? g_strchomp (g_strndup (line->key, (gsize)(line->after - line->key))) : NULL;

  if (key == NULL)
    return *section != '\0' ? g_strdup_printf ("[%s]: ", section) : g_strdup ("");
  return g_strdup_printf ("%s%s%s: ", section, *section != '\0' ? "." : "", key);
}

/* The option that the line gives or means; NULL when there is none. */
static const ZinitOption *
find_option (const Context *context, const Line *line)
{
  g_autofree char *section = g_strndup (context->section, context->section_length);
  g_autofree char *key = g_strchomp (g_strndup (line->key, (gsize)(line->after - line->key)));
  const char *meant = zinit_schema_has_section (section) ? section : zinit_schema_nearest (NULL, section);
  const ZinitOption *option = meant != NULL ? zinit_schema_find (meant, key) : NULL;

  return option != NULL || meant == NULL ? option : zinit_schema_find_meant (meant, key);
}

/* The end of the string that begins at @quote; NULL when there is none before @end. */
static const char *
find_closing_quote (const char *quote, const char *end)
{
  for (const char *c = quote + 1; c < end; c++) {
    if (*c == *quote)
      return c;
    if (*c == '\\' && *quote == '"')
      c++;
  }
  return NULL;
}

/* The quote in @from … @end that begins a string without an end in its line, or NULL. */
static const char *
find_open_quote (const char *from, const char *end)
{
  for (const char *c = from; c < end && *c != '#'; c++) {
    const char *quote = c;

    if (*c != '"' && *c != '\'')
      continue;
    if (end - c >= 3 && c[1] == *c && c[2] == *c)
      return NULL;
    c = find_closing_quote (quote, end);
    if (c == NULL)
      return quote;
  }
  return NULL;
}

/* TRUE when the line goes on with a list or a long text that an earlier one began. */
static gboolean
is_continued (const Context *context)
{
  const char *value = context->statement.value;
  g_autofree char *first = NULL;

  if (value == NULL || context->statement.begin == context->line.begin)
    return FALSE;
  first = g_strchomp (g_strndup (value, (gsize)(context->statement.end - value)));
  return (*first == '[' && !g_str_has_suffix (first, "]")) ||
         (g_str_has_prefix (first, "\"\"\"") && strstr (first + 3, "\"\"\"") == NULL) ||
         (g_str_has_prefix (first, "'''") && strstr (first + 3, "'''") == NULL);
}

/* The word or words from @from on, as a person sees them. Transfer full. */
static char *
copy_words (const char *from, const char *end)
{
  const char *comment = memchr (from, '#', (gsize)(end - from));
  return g_strchomp (g_strndup (from, (gsize)((comment != NULL ? comment : end) - from)));
}

/* A text that stands there without quotes, or a number that is not one. Transfer full; NULL if it is neither.
 */
static char *
explain_word (const Context *context, const char *from, const char *error_at)
{
  const Line *line = &context->statement;
  const ZinitOption *option = find_option (context, line);
  g_autofree char *words = copy_words (from, context->line.end);
  g_autofree char *typed = g_strchomp (g_strndup (line->key, (gsize)(line->after - line->key)));
  g_autofree char *wanted = option != NULL ? zinit_schema_describe_wanted (option) : NULL;
  const char *key = option != NULL ? option->key : typed;

  if (*words == '\0' || strchr ("\"'[{", *words) != NULL || strcmp (words, "true") == 0 ||
      strcmp (words, "false") == 0)
    return NULL;
  /* A number that is one is refused for something else. */
  if ((g_ascii_isdigit (*words) || *words == '-' || *words == '+') && error_at <= from)
    return NULL;
  if (option != NULL && (option->type == ZINIT_TYPE_NUMBER || option->type == ZINIT_TYPE_SIGNED ||
                         option->type == ZINIT_TYPE_BOOLEAN))
    return g_strdup_printf ("%.*s was given; %s is wanted", MAX_SHOWN_BYTES, words, wanted);
  if (strpbrk (words, "\"\\") != NULL || strlen (words) > MAX_SHOWN_BYTES)
    return g_strdup_printf ("the text is not in quotes; write %s = '…'", key);
  if (option != NULL && (option->type == ZINIT_TYPE_LIST || option->type == ZINIT_TYPE_STRINGS))
    return g_strdup_printf ("the text is neither in quotes nor in a list; write %s = [\"%s\"]", key, words);
  return g_strdup_printf ("the text is not in quotes; write %s = \"%s\"", key, words);
}

/* The same inside of a list; toml++ may have read the first part of the word as a number. */
static char *
explain_item (const char *begin, const char *error_at, const char **ret_at)
{
  g_autofree char *word = NULL;

  while (error_at > begin && strchr (",[ \t\r\n", error_at[-1]) == NULL)
    error_at--;
  word = g_strndup (error_at, strcspn (error_at, ",]# \t\r\n"));
  if (*word == '\0' || strchr ("\"'[{}", *word) != NULL || strlen (word) > MAX_SHOWN_BYTES)
    return NULL;
  *ret_at = error_at;
  return g_strdup_printf ("a text in the list is not in quotes; write \"%s\"", word);
}

/* What is wrong in plain words; *@ret_at is where. Transfer full; NULL if toml++ says it best. */
static char *
explain (const Context *context, const char *error_at, const char **ret_at)
{
  const Line *line = &context->line;
  gboolean is_inside = is_continued (context);
  const char *from = line->value != NULL && !is_inside ? line->value : line->begin;
  const char *quote = find_open_quote (from, line->end);
  const char *end;

  *ret_at = error_at;
  if (is_inside && *context->statement.value != '[')
    return g_strdup_printf ("the closing %.3s of the text is missing", context->statement.value);
  if (line->value == NULL && !is_inside) {
    if (line->key == NULL || line->after >= line->end || error_at < line->after || *line->key == '"')
      return NULL;
    return g_strdup ("the '=' after the key is missing; KEY = VALUE is wanted");
  }
  if (quote != NULL) {
    *ret_at = quote;
    return g_strdup_printf ("the closing quote %c of the text is missing", *quote);
  }
  if (is_inside || (*from == '[' && error_at > from))
    return explain_item (line->begin, error_at, ret_at);
  *ret_at = from;
  if (from >= line->end || *from == '#')
    return g_strdup ("the value after '=' is missing");
  if (*from != '"' && *from != '\'')
    return explain_word (context, from, error_at);
  end = find_closing_quote (from, line->end);
  if (end == NULL || error_at <= end || end == from + 1)
    return NULL;
  *ret_at = error_at;
  return g_strdup_printf ("something follows the closing quote; a text with %c in it is written in %s", *from,
                          *from == '"' ? "single quotes, or with \\\" for each" : "double quotes");
}

/* Takes the statement out of @text, or its whole line if that was not enough. FALSE if it has more lines than
 * this one. */
static gboolean
take_out (GString *text, const Context *context, guint line_number, GHashTable *holes)
{
  const Line *line = &context->line;
  gssize begin = line->begin - text->str;
  gssize length = line->end - line->begin;
  g_autofree char *last = NULL;
  g_autofree char *statement = NULL;

  if (line->key == NULL || is_continued (context))
    return FALSE;
  if (line->value != NULL) {
    last = copy_words (line->value, line->end);
    if (g_str_has_prefix (last, "\"\"\"") || g_str_has_prefix (last, "'''") ||
        (*last == '[' && !g_str_has_suffix (last, "]")) || (*last == '{' && !g_str_has_suffix (last, "}")))
      return FALSE;
  }
  if (g_hash_table_add (holes, GUINT_TO_POINTER (line_number))) {
    statement = g_strndup (line->begin, (gsize)(line->after - line->begin));
    g_string_erase (text, begin, length);
    g_string_insert (text, begin, "= false");
    g_string_insert (text, begin, statement);
  } else {
    g_string_erase (text, begin, length);
  }
  return TRUE;
}

gboolean
zinit_toml_mend (GString *text, guint line, guint column, const char *description, GHashTable *holes,
                 GPtrArray *problems)
{
  Context context = find_context (text->str, line);
  const char *error_at = g_utf8_offset_to_pointer (
      context.line.begin,
      MIN ((glong)column - 1, g_utf8_strlen (context.line.begin, context.line.end - context.line.begin)));
  const Line *named =
      context.line.key != NULL && !is_continued (&context) ? &context.line : &context.statement;
  g_autofree char *key = describe_key (&context, named);
  const char *at = error_at;
  g_autofree char *reason = named->key != NULL ? explain (&context, error_at, &at) : NULL;
  ZinitPlace place = { line, column };

  if (reason != NULL)
    place.column = (guint)g_utf8_strlen (context.line.begin, at - context.line.begin) + 1;
  /* In a line with a hole it is what was reported before. */
  if (!g_hash_table_contains (holes, GUINT_TO_POINTER (line)))
    zinit_problems_add (problems, place, "%s%s", key, reason != NULL ? reason : description);
  return problems->len < MAX_ERRORS && take_out (text, &context, line, holes);
}
