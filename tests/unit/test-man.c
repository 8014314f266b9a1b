/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds the manual pages against the source. zinit-service(5): each option of the schema table has its entry,
 * in order, in its section, with its type, range, default and line of help, and the page has no other; each
 * limit it names is the one in force. zinit(1) and zinitd(8): each command and each option has its entry.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "model/limits.h"
#include "model/schema.h"
#include "common/signals.h"

#include <string.h>

typedef struct {
  char **lines; /* of the page, without roff's escapes */
  gsize n_lines;
} Page;

static void
page_clear (Page *page)
{
  g_strfreev (page->lines);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Page, page_clear)

static char *
read_source (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
page_read (Page *page, const char *name)
{
  g_autofree char *text = read_source (name);
  g_autoptr (GString) plain = g_string_new (text);

  g_string_replace (plain, "\\-", "-", 0);
  g_string_replace (plain, "\\(aq", "'", 0);
  page->lines = g_strsplit (plain->str, "\n", -1);
  page->n_lines = g_strv_length (page->lines);
}

/* "a, b or c" of the words from @first on. */
static char *
describe_choices (const char *const *words, gsize first)
{
  GString *text = g_string_new (words[first]);

  for (gsize i = first + 1; words[i] != NULL; i++)
    g_string_append_printf (text, "%s%s", words[i + 1] == NULL ? " or " : ", ", words[i]);
  return g_string_free (text, FALSE);
}

/* What stands in parentheses after the key. */
static char *
describe_option (const ZinitOption *option)
{
  g_autofree char *choices = NULL;

  switch (option->type) {
  case ZINIT_TYPE_STRING:
    if (strcmp (option->key, "name") == 0)
      return g_strdup ("string, default: the file's name");
    if (option->flags & ZINIT_OPTION_NUMERIC)
      return g_strdup ("number or string, default: not set");
    return g_strdup (option->flags & ZINIT_OPTION_REQUIRED ? "string, required" : "string, default: not set");
  case ZINIT_TYPE_COMMAND:
    return g_strdup ("string or list of strings, required");
  case ZINIT_TYPE_BOOLEAN:
    return g_strdup_printf ("true or false, default: %s", option->default_number ? "true" : "false");
  case ZINIT_TYPE_NUMBER:
    return g_strdup_printf ("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "%s%s, default: %" G_GUINT64_FORMAT,
                            option->minimum, option->maximum, option->unit ? " " : "",
                            option->unit ? option->unit : "", option->default_number);
  case ZINIT_TYPE_SIGNED:
    return g_strdup_printf ("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", default: not set",
                            (gint64)option->minimum, (gint64)option->maximum);
  case ZINIT_TYPE_CHOICE:
    /* A default below the minimum is the value of a section that is not there. */
    choices = describe_choices (option->choices, option->minimum);
    if (option->default_number < option->minimum)
      return g_strdup_printf ("%s; required", choices);
    return g_strdup_printf ("%s; default: %s", choices, option->choices[option->default_number]);
  case ZINIT_TYPE_SIGNAL:
    return g_strdup_printf ("signal, default: %s", zinit_signal_to_string (option->default_number));
  case ZINIT_TYPE_LIST:
    return g_strdup_printf ("list of %s, default: none",
                            option->items != NULL ? option->items : "service names");
  case ZINIT_TYPE_STRINGS:
    return g_strdup_printf ("list of strings, default: %s",
                            option->flags & ZINIT_OPTION_EMPTY ? "not set" : "none");
  case ZINIT_TYPE_TABLE:
    return g_strdup ("table of strings, default: none");
  default:
    g_assert_not_reached ();
  }
}

/* The index of the first line from @from on that heads a section or an entry, or n_lines. */
static gsize
page_next_entry (const Page *page, gsize from)
{
  for (gsize i = MAX (from, 1); i < page->n_lines; i++)
    if (g_str_has_prefix (page->lines[i], ".SS ") || g_str_has_prefix (page->lines[i], ".SH ") ||
        strcmp (page->lines[i - 1], ".TP") == 0)
      return i;
  return page->n_lines;
}

static gsize
page_find (const Page *page, const char *line)
{
  gsize i = 0;

  while (i < page->n_lines && strcmp (page->lines[i], line) != 0)
    i++;
  g_assert_cmpstr (page->lines[i], ==, line);
  return i;
}

static void
test_options (void)
{
  g_auto (Page) page = { 0 };
  const char *section = "";
  gsize at;

  page_read (&page, "data/man/zinit-service.5");
  at = page_find (&page, ".SH OPTIONS") + 1;
  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    g_autofree char *description = describe_option (option);
    g_autofree char *entry = g_strdup_printf (".BR %s \" (%s)\"", option->key, description);
    g_autofree char *help = g_strdup_printf ("%s.", option->help);

    if (strcmp (option->section, section) != 0) {
      g_autofree char *heading = g_strdup_printf (".SS [%s]", option->section);

      at = page_next_entry (&page, at);
      g_assert_cmpstr (page.lines[at], ==, heading);
      section = option->section;
      at++;
    }
    at = page_next_entry (&page, at);
    g_assert_cmpstr (page.lines[at], ==, entry);
    g_assert_cmpstr (page.lines[at + 1], ==, help);
    at += 2;
  }
  at = page_next_entry (&page, at);
  g_assert_cmpstr (page.lines[at], ==, ".SH LIMITS");
}

static void
test_limits (void)
{
  static const struct {
    guint64 limit;
    const char *unit;
    const char *text; /* how the line after the number begins */
  } limits[] = {
    { ZINIT_MAX_SERVICES, "services", "known" },
    { ZINIT_MAX_NAME_BYTES, "bytes", "in the name" },
    { ZINIT_MAX_DESCRIPTION_BYTES, "bytes", "in the description" },
    { ZINIT_MAX_DEFINITION_BYTES, "bytes", "in one definition" },
    { ZINIT_MAX_STRING_BYTES, "bytes", "in one string" },
    { ZINIT_MAX_LIST_ITEMS, "names", "in one list" },
    { ZINIT_MAX_WAITING_FAILURES, "failures", "for which one service" },
    { ZINIT_MAX_ARGUMENTS, "words", "in a command" },
    { ZINIT_MAX_ENV_ITEMS, "variables", "in the environment" },
    { ZINIT_MAX_ENV_FILES, "files", "of variables" },
    { ZINIT_MAX_ENV_FILE_BYTES, "bytes", "in one of these files" },
    { ZINIT_MAX_GROUPS, "groups", "in one definition" },
    { ZINIT_MAX_CAPABILITIES, "capabilities", "in one definition" },
    { ZINIT_MAX_JSON_DEPTH, "levels", "of containers" },
    { ZINIT_MAX_LINE_BYTES, "bytes", "in one line" },
    { ZINIT_MAX_LOG_BYTES, "bytes", "of output kept" },
    { ZINIT_MAX_LOG_REPLY_BYTES, "bytes", "of output in one answer" },
  };
  g_auto (Page) page = { 0 };
  gsize at;

  page_read (&page, "data/man/zinit-service.5");
  at = page_find (&page, ".SH LIMITS") + 1;
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++) {
    g_autofree char *entry =
        g_strdup_printf (".BR %" G_GUINT64_FORMAT " \" %s\"", limits[i].limit, limits[i].unit);

    at = page_next_entry (&page, at);
    g_assert_cmpstr (page.lines[at], ==, entry);
    g_assert_true (g_str_has_prefix (page.lines[at + 1], limits[i].text));
    at++;
  }
  g_assert_cmpstr (page.lines[page_next_entry (&page, at)], ==, ".SH EXAMPLE");
}

/* @word is the first, or among the first, that an entry of the page is about. */
static gboolean
page_has_entry (const Page *page, const char *word)
{
  g_autofree char *pattern = g_strdup_printf ("^\\.B[IR]? \"?(.*[ ,\"|])?%s([ ,\"|].*)?$", word);

  for (gsize i = 1; i < page->n_lines; i++)
    if (strcmp (page->lines[i - 1], ".TP") == 0 && g_regex_match_simple (pattern, page->lines[i], 0, 0))
      return TRUE;
  return FALSE;
}

/* Each first group of @pattern in the file @source has its entry on the page @name, after @prefix. */
static void
check_entries (const char *source, const char *pattern, const char *name, const char *prefix, guint at_least)
{
  g_auto (Page) page = { 0 };
  g_autofree char *text = read_source (source);
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint n = 0;

  page_read (&page, name);
  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    g_autofree char *word = g_match_info_fetch (match, 1);
    g_autofree char *entry = g_strconcat (prefix, word, NULL);

    n++;
    g_test_message ("%s: %s", name, entry);
    g_assert_true (page_has_entry (&page, entry));
  }
  g_assert_cmpuint (n, >=, at_least);
}

static void
test_commands (void)
{
  check_entries ("client/main.c", "^  \\{ \"([a-z-]+)\", (?:NULL|\"[a-z]+\"), ", "data/man/zinit.1", "", 18);
}

/* The options of the client's commands are where the commands are. */
static void
test_client_options (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "client", NULL);
  g_autofree char *page = read_source ("data/man/zinit.1");
  g_autoptr (GRegex) regex = g_regex_new ("\\{ \"([a-z-]+)\", (?:0|'.'), 0, G_OPTION_ARG", 0, 0, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *source = g_strconcat ("client/", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr (GMatchInfo) match = NULL;

    if (!g_str_has_suffix (name, ".c"))
      continue;
    text = read_source (source);
    for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
         g_match_info_next (match, NULL)) {
      g_autofree char *word = g_match_info_fetch (match, 1);
      g_auto (GStrv) parts = g_strsplit (word, "-", -1);
      g_autofree char *escaped = g_strjoinv ("\\-", parts);
      g_autofree char *option = g_strconcat ("\\-\\-", escaped, NULL);

      n++;
      g_test_message ("zinit.1: --%s of %s", word, source);
      g_assert_nonnull (strstr (page, option));
    }
  }
  g_assert_cmpuint (n, >=, 18);
}

static void
test_daemon_options (void)
{
  check_entries ("daemon/options.c", "\\{ \"([a-z-]+)\", (?:0|'.'), ", "data/man/zinitd.8", "--", 13);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/man/options", test_options);
  g_test_add_func ("/man/limits", test_limits);
  g_test_add_func ("/man/commands", test_commands);
  g_test_add_func ("/man/client-options", test_client_options);
  g_test_add_func ("/man/daemon-options", test_daemon_options);
  return g_test_run ();
}
