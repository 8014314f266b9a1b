/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds the section WHAT IS PROMISED of zinitd(8) against the sources of the tests: each promise is one
 * sentence and names the tests that attack it, and each named test exists. That those tests pass is not
 * checked here.
 *
 * A promise is an entry `.IP \(bu 2`, its sentence, and lines `.I NAME...` with the names of test cases. The
 * sources have a case when one string in them is its whole name, or the form of its name: parts of the form
 * that are `%s`, and the last part of a form that ends with a slash, stand for other strings of the same file
 * ("/upgrade/" and "replaced" make /upgrade/replaced). A part `*` of a name stands for every case that there
 * is: it is used where a test makes the parts from a table of another file, or where all of them matter.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include <glib/gstdio.h>

#define PAGE "data/man/zinitd.8"
#define SECTION ".SH WHAT IS PROMISED"
#define PROMISE ".IP \\(bu 2"
#define MIN_PROMISES 30

/* A source of the tests, by the strings in it. */
typedef struct {
  GHashTable *strings;
  GPtrArray *forms; /* those of them that begin with a slash, split at slashes: char ** */
} Source;

typedef struct {
  GString *sentence;
  GPtrArray *names; /* of test cases */
} Promise;

static void
source_free (gpointer data)
{
  Source *source = data;

  g_hash_table_unref (source->strings);
  g_ptr_array_unref (source->forms);
  g_free (source);
}

static void
promise_free (gpointer data)
{
  Promise *promise = data;

  g_string_free (promise->sentence, TRUE);
  g_ptr_array_unref (promise->names);
  g_free (promise);
}

static char *
read_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static Source *
source_read (const char *path)
{
  Source *source = g_new0 (Source, 1);
  g_autofree char *text = read_file (path);
  g_autoptr (GRegex) regex = g_regex_new ("\"([^\"\\s]+)\"", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  source->strings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  source->forms = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    char *string = g_match_info_fetch (match, 1);

    if (string[0] == '/')
      g_ptr_array_add (source->forms, g_strsplit (string, "/", -1));
    g_hash_table_add (source->strings, string);
  }
  return source;
}

/* All of C below the folder. */
static void
read_sources (const char *folder, GPtrArray *sources)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      read_sources (path, sources);
    else if (g_str_has_suffix (name, ".c"))
      g_ptr_array_add (sources, source_read (path));
  }
}

static gboolean
part_fits (const Source *source, const char *form, gboolean is_last, const char *part)
{
  gboolean is_open = g_str_equal (form, "%s") || (is_last && *form == '\0');

  if (g_str_equal (part, "*"))
    return is_open || is_last;
  return is_open ? g_hash_table_contains (source->strings, part) : g_str_equal (form, part);
}

static gboolean
form_fits (const Source *source, char **form, char **name)
{
  guint n_parts = g_strv_length (form);

  if (g_strv_length (name) != n_parts)
    return FALSE;
  for (guint i = 0; i < n_parts; i++)
    if (!part_fits (source, form[i], i + 1 == n_parts, name[i]))
      return FALSE;
  return TRUE;
}

static gboolean
case_exists (const GPtrArray *sources, const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);

  for (guint i = 0; i < sources->len; i++) {
    const Source *source = sources->pdata[i];

    for (guint j = 0; j < source->forms->len; j++)
      if (form_fits (source, source->forms->pdata[j], parts))
        return TRUE;
  }
  return FALSE;
}

static void
add_names (Promise *promise, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  for (guint i = 0; words[i] != NULL; i++)
    g_ptr_array_add (promise->names, g_strdup (words[i]));
}

/* Of the section, in order. Transfer full. */
static GPtrArray *
read_promises (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", PAGE, NULL);
  g_autofree char *text = read_file (path);
  g_autoptr (GString) plain = g_string_new (text);
  g_auto (GStrv) lines = NULL;
  GPtrArray *promises = g_ptr_array_new_with_free_func (promise_free);
  Promise *promise = NULL;
  guint i = 0;

  g_string_replace (plain, "\\-", "-", 0);
  lines = g_strsplit (plain->str, "\n", -1);
  while (lines[i] != NULL && !g_str_equal (lines[i], SECTION))
    i++;
  g_assert_cmpstr (lines[i], ==, SECTION);
  for (i++; lines[i] != NULL && !g_str_has_prefix (lines[i], ".SH "); i++) {
    if (g_str_equal (lines[i], PROMISE)) {
      promise = g_new0 (Promise, 1);
      promise->sentence = g_string_new (NULL);
      promise->names = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (promises, promise);
    } else if (promise != NULL && g_str_has_prefix (lines[i], ".I /")) {
      add_names (promise, lines[i] + strlen (".I "));
    } else if (promise != NULL && promise->names->len > 0) {
      promise = NULL;
    } else if (promise != NULL && !g_str_equal (lines[i], ".br")) {
      g_string_append_printf (promise->sentence, "%s ", lines[i]);
    }
  }
  return promises;
}

static void
test_have_tests (void)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, ".", NULL);
  g_autoptr (GPtrArray) sources = g_ptr_array_new_with_free_func (source_free);
  g_autoptr (GPtrArray) promises = read_promises ();

  read_sources (folder, sources);
  g_assert_cmpuint (promises->len, >=, MIN_PROMISES);
  for (guint i = 0; i < promises->len; i++) {
    const Promise *promise = promises->pdata[i];

    g_test_message ("%s", promise->sentence->str);
    g_assert_cmpuint (promise->names->len, >, 0);
    for (guint j = 0; j < promise->names->len; j++)
      if (!case_exists (sources, promise->names->pdata[j])) {
        g_test_message ("no test is called %s", (const char *)promise->names->pdata[j]);
        g_test_fail ();
      }
  }
}

static void
test_are_sentences (void)
{
  g_autoptr (GPtrArray) promises = read_promises ();

  for (guint i = 0; i < promises->len; i++) {
    const char *sentence = ((const Promise *)promises->pdata[i])->sentence->str;

    g_test_message ("%s", sentence);
    g_assert_true (g_str_has_suffix (sentence, ". "));
    g_assert_true (strstr (sentence, ". ") == sentence + strlen (sentence) - strlen (". "));
  }
}

/* What the rule at the top takes and what it does not. */
static void
test_rule (void)
{
  static const struct {
    const char *name;
    gboolean exists;
  } names[] = {
    { "/promises/rule", TRUE },
    { "/promises/*", TRUE },
    { "/promises/rules", FALSE },
    { "/promises", FALSE },
    { "/promises/rule/", FALSE },
    { "/*", FALSE },
    { "/*/rule", FALSE },
    { "/made-of/first", TRUE },
    { "/made-of/third", FALSE },
    { "/made-of/two/first/second", TRUE },
    { "/made-of/two/*/second", TRUE },
    { "/made-of/two/third/second", FALSE },
  };
  g_autofree char *folder = g_dir_make_tmp ("zinit-promises-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "rule.c", NULL);
  g_autoptr (GPtrArray) sources = g_ptr_array_new_with_free_func (source_free);

  g_assert_true (g_file_set_contents (file,
                                      "add (\"/promises/rule\"); ADD (\"/made-of/\", \"first\");\n"
                                      "g_strdup_printf (\"/made-of/two/%s/%s\", \"first\", \"second\");",
                                      -1, NULL));
  read_sources (folder, sources);
  g_assert_cmpuint (sources->len, ==, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_test_message ("%s", names[i].name);
    g_assert_cmpint (case_exists (sources, names[i].name), ==, names[i].exists);
  }
  g_unlink (file);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/promises/rule", test_rule);
  g_test_add_func ("/promises/are-sentences", test_are_sentences);
  g_test_add_func ("/promises/have-tests", test_have_tests);
  return g_test_run ();
}
