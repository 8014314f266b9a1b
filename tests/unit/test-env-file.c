/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of variables: what their lines mean, what is refused of them, and who wins.
 */
#include "model/error.h"
#include "model/limits.h"
#include "process/env-file.h"
#include "process/environment.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* The variables of @text between bars. */
static void
assert_parsed (const char *text, const char *expected)
{
  g_autoptr (GPtrArray) variables = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *problem = NULL;
  g_autofree char *joined = NULL;
  guint line;

  g_assert_true (zinit_env_file_parse (text, strlen (text), variables, &line, &problem));
  g_ptr_array_add (variables, NULL);
  joined = g_strjoinv ("|", (char **)variables->pdata);
  g_assert_cmpstr (joined, ==, expected);
}

static void
assert_wrong (const char *text, gsize length, guint expected_line, const char *part)
{
  g_autoptr (GPtrArray) variables = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *problem = NULL;
  guint line;

  g_assert_false (zinit_env_file_parse (text, length, variables, &line, &problem));
  g_test_message ("%u: %s", line, problem);
  g_assert_cmpuint (line, ==, expected_line);
  g_assert_nonnull (strstr (problem, part));
  g_assert_null (strstr (problem, "secret"));
}

static void
test_lines (void)
{
  assert_parsed ("", "");
  assert_parsed ("\n\n# A=1\n  # B=2\n\t\n", "");
  assert_parsed ("A=1\nB=two words\nC=", "A=1|B=two words|C=");
  assert_parsed ("  A=1\n\tB=2", "A=1|B=2");
}

static void
test_values (void)
{
  assert_parsed ("A= x \t\r\nB=  ", "A=x|B=");
  assert_parsed ("A=' x '\nB=\" y \"\nC=''\nD=\"\"", "A= x |B= y |C=|D=");
  assert_parsed ("A=\"it's\"\nB='say \"x\"'", "A=it's|B=say \"x\"");
  /* Nothing is expanded, and only the first '=' is one. */
  assert_parsed ("A=$HOME \\n `x` %s #1\nB=a=b\nC=\"\\\"", "A=$HOME \\n `x` %s #1|B=a=b|C=\\");
  assert_parsed ("A=a\"b\"c", "A=a\"b\"c");
  assert_parsed ("A=\xff", "A=\xff");
}

static void
test_wrong (void)
{
  assert_wrong ("A=1\n\nsecret", 11, 3, "there is no '='");
  assert_wrong ("=secret", 7, 1, "\"\" is not a name");
  assert_wrong ("# x\nexport A=secret", 19, 2, "\"export A\" is not a name");
  assert_wrong ("A =secret", 9, 1, "\"A \" is not a name");
  assert_wrong ("A='secret\n'", 11, 1, "the quotes are not closed");
  assert_wrong ("A=\"secret\" x", 12, 1, "behind the closing quote");
  assert_wrong ("A=1\nB=sec\0ret", 13, 2, "a NUL byte");
}

static void
test_sort (void)
{
  static const char *const given[] = { "B=1", "A=1", "AB=1", "A=2", "B=2", "A=3", "C=" };
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *joined = NULL;

  zinit_environment_sort (entries);
  g_assert_cmpuint (entries->len, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    g_ptr_array_add (entries, g_strdup (given[i]));
  zinit_environment_sort (entries);
  g_ptr_array_add (entries, NULL);
  joined = g_strjoinv (" ", (char **)entries->pdata);
  g_assert_cmpstr (joined, ==, "A=3 AB=1 B=2 C=");
}

typedef struct {
  char *folder;
  char *first;
  char *second;
} Files;

static void
set_up (Files *files, gconstpointer unused)
{
  files->folder = g_dir_make_tmp ("zinit-env-XXXXXX", NULL);
  files->first = g_build_filename (files->folder, "first", NULL);
  files->second = g_build_filename (files->folder, "second", NULL);
}

static void
tear_down (Files *files, gconstpointer unused)
{
  g_remove (files->first);
  g_remove (files->second);
  g_assert_cmpint (g_rmdir (files->folder), ==, 0);
  g_free (files->folder);
  g_free (files->first);
  g_free (files->second);
}

static void
write_text (const char *path, const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* A later file wins over an earlier one, and env over all. */
static void
test_order (Files *files, gconstpointer unused)
{
  static const char *const env[] = { "B=env", "E=env", NULL };
  g_autofree char *optional = g_strconcat ("-", files->second, NULL);
  const char *const paths[] = { files->first, optional, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) without = NULL;
  g_autoptr (GPtrArray) with = NULL;
  g_autofree char *without_text = NULL;
  g_autofree char *with_text = NULL;

  write_text (files->first, "C=first\nB=first\nA=first\nA=again\n");
  without = zinit_env_files_read (paths, NULL, &error);
  g_assert_no_error (error);
  without_text = g_strjoinv (" ", (char **)without->pdata);
  g_assert_cmpstr (without_text, ==, "A=again B=first C=first");
  write_text (files->second, "C=second\nB=second");
  with = zinit_env_files_read (paths, env, &error);
  g_assert_no_error (error);
  with_text = g_strjoinv (" ", (char **)with->pdata);
  g_assert_cmpstr (with_text, ==, "A=again B=env C=second E=env");
}

static void
assert_refused (const char *path, const char *ending)
{
  const char *const paths[] = { path, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strdup_printf ("env_file %s%s", path, ending);

  g_assert_null (zinit_env_files_read (paths, NULL, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_refused (Files *files, gconstpointer unused)
{
  g_autofree char *longest = g_strnfill (ZINIT_MAX_ENV_FILE_BYTES, '\n');
  g_autofree char *too_long = g_strnfill (ZINIT_MAX_ENV_FILE_BYTES + 1, '\n');
  const char *const paths[] = { files->first, NULL };
  g_autoptr (GPtrArray) none = NULL;

  assert_refused (files->first, ": No such file or directory");
  assert_refused (files->folder, ": it is not a regular file; no other is read");
  write_text (files->first, too_long);
  assert_refused (files->first, ": it has more than 262144 bytes; no more are allowed");
  write_text (files->first, longest);
  none = zinit_env_files_read (paths, NULL, NULL);
  g_assert_cmpuint (none->len, ==, 1);
  write_text (files->first, "A=1\nB\n");
  assert_refused (files->first, ":2: there is no '='; KEY=VALUE, a comment after # or nothing is wanted");
  /* Nobody writes to it: opening it must not wait. */
  g_assert_cmpint (mkfifo (files->second, 0600), ==, 0);
  assert_refused (files->second, ": it is not a regular file; no other is read");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/env-file/lines", test_lines);
  g_test_add_func ("/env-file/values", test_values);
  g_test_add_func ("/env-file/wrong", test_wrong);
  g_test_add_func ("/env-file/sort", test_sort);
  g_test_add ("/env-file/order", Files, NULL, set_up, test_order, tear_down);
  g_test_add ("/env-file/refused", Files, NULL, set_up, test_refused, tear_down);
  return g_test_run ();
}
