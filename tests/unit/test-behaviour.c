/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds zinit-behaviour(7) against the sources of the tests: each rule of the page has a test case whose name
 * carries its number (/rules/B3/…). That it passes is not checked here.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include <glib.h>

#define PAGE "data/man/zinit-behaviour.7"
#define MIN_RULES 30

static char *
read_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* All of C below the folder, one after the other. */
static void
append_sources (const char *folder, GString *all)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autofree char *text = NULL;

    if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
      append_sources (path, all);
    } else if (g_str_has_suffix (name, ".c")) {
      text = read_file (path);
      g_string_append (all, text);
    }
  }
}

static void
test_rules_have_tests (void)
{
  g_autofree char *root = g_build_filename (g_test_get_dir (G_TEST_DIST), "..", NULL);
  g_autofree char *page_path = g_build_filename (root, PAGE, NULL);
  g_autofree char *page = read_file (page_path);
  g_autoptr (GString) sources = g_string_new (NULL);
  g_autoptr (GRegex) regex = g_regex_new ("^\\.B ([A-M][0-9]+)$", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint n = 0;

  append_sources (g_test_get_dir (G_TEST_DIST), sources);
  for (g_regex_match (regex, page, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    g_autofree char *number = g_match_info_fetch (match, 1);
    g_autofree char *name = g_strdup_printf ("\"/rules/%s/", number);

    n++;
    if (strstr (sources->str, name) == NULL)
      g_test_fail_printf ("rule %s has no test", number);
  }
  g_assert_cmpuint (n, >=, MIN_RULES);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/behaviour/rules-have-tests", test_rules_have_tests);
  return g_test_run ();
}
