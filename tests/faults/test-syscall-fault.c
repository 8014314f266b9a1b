/* SPDX-License-Identifier: Apache-2.0
 *
 * The tool does what it says: it counts the calls of one process alone, hits the chosen one, and harms no
 * child. What it attacks here is victim.c, whose mark is getppid(2).
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "fault-control.h"

/* Runs @what of the victim under the tool with @options; returns its wait status. Output is what it wrote. */
static int
run (const char *options, const char *what, char **ret_output)
{
  g_autofree char *line = g_strdup_printf ("%s %s -- %s %s", g_getenv ("ZINIT_SYSCALL_FAULT"), options,
                                           g_getenv ("ZINIT_FAULT_VICTIM"), what);
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_command_line_sync (line, &output, NULL, &status, &error);
  g_assert_no_error (error);
  if (ret_output != NULL)
    *ret_output = g_steal_pointer (&output);
  return status;
}

/* The lines about the calls of one name. Transfer full. */
static GPtrArray *
list_calls (const char *what, const char *name)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = NULL;
  g_autofree char *options = NULL;
  g_autofree char *text = NULL;
  g_autofree char *word = g_strdup_printf (" %s ", name);
  g_auto (GStrv) all = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("zinit-list-XXXXXX", &path, &error);

  g_assert_no_error (error);
  close (fd);
  options = g_strdup_printf ("--list %s", path);
  run (options, what, NULL);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_unlink (path);
  all = g_strsplit (text, "\n", -1);
  for (char **line = all; *line != NULL; line++)
    if (strstr (*line, word) != NULL)
      g_ptr_array_add (lines, g_strdup (*line));
  return lines;
}

static guint64
get_number (GPtrArray *lines, guint index)
{
  g_assert_cmpuint (index, <, lines->len);
  return g_ascii_strtoull (lines->pdata[index], NULL, 10);
}

static void
assert_killed (int status)
{
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static void
test_counts (void)
{
  g_autoptr (GPtrArray) marks = list_calls ("marks", "getppid");

  g_assert_cmpuint (marks->len, ==, 3);
  g_assert_cmpuint (get_number (marks, 0), <, get_number (marks, 1));
}

/* A byte is written after each mark. */
static void
test_kills (void)
{
  g_autoptr (GPtrArray) marks = list_calls ("marks", "write");

  for (guint i = 0; i < 3; i++) {
    g_autofree char *before = g_strdup_printf ("--at %" G_GUINT64_FORMAT, get_number (marks, i));
    g_autofree char *after = g_strdup_printf ("%s --kill-after", before);
    g_autofree char *output = NULL, *output_after = NULL;

    assert_killed (run (before, "marks", &output));
    g_assert_cmpuint (strlen (output), ==, i);
    assert_killed (run (after, "marks", &output_after));
    g_assert_cmpuint (strlen (output_after), ==, i + 1);
  }
}

static void
test_fails (void)
{
  g_autofree char *once = NULL, *thrice = NULL, *output = NULL, *output_thrice = NULL;
  g_autoptr (GPtrArray) opens = list_calls ("opens", "openat");
  guint64 second = get_number (opens, opens->len - 4);

  once = g_strdup_printf ("--fail EMFILE --at %" G_GUINT64_FORMAT, second);
  g_assert_cmpint (run (once, "opens", &output), ==, 0);
  g_assert_cmpstr (output, ==, "ok EMFILE ok ok ok \n");
  thrice = g_strdup_printf ("%s --count 3 --same", once);
  g_assert_cmpint (run (thrice, "opens", &output_thrice), ==, 0);
  g_assert_cmpstr (output_thrice, ==, "ok EMFILE EMFILE EMFILE ok \n");
}

static void
test_closes (void)
{
  g_autoptr (GPtrArray) closes = list_calls ("close", "close");
  g_autofree char *options = NULL;

  options = g_strdup_printf ("--fail EIO --at %" G_GUINT64_FORMAT, get_number (closes, closes->len - 1));
  g_assert_cmpint (run (options, "close", NULL), ==, 0);
}

static void
test_threads (void)
{
  g_autoptr (GPtrArray) marks = list_calls ("thread", "getppid");

  g_assert_cmpuint (marks->len, ==, 1);
  g_assert_nonnull (strstr (marks->pdata[0], " thread "));
  /* Not by number: two threads take turns as they like. */
  assert_killed (run ("--call getppid --unseen", "thread", NULL));
  g_assert_cmpint (WEXITSTATUS (run ("", "thread", NULL)), ==, 5);
}

/* Their calls are not counted, and they end as they would. */
static void
test_children (void)
{
  g_autoptr (GPtrArray) marks = list_calls ("children", "getppid");

  g_assert_cmpuint (marks->len, ==, 0);
  g_assert_cmpint (run ("", "children", NULL), ==, 0);
  g_assert_cmpint (run ("--call getppid --unseen", "children", NULL), ==, 0);
}

/* It is the same process, so the numbers go on. */
static void
test_execution (void)
{
  g_autoptr (GPtrArray) marks = list_calls ("exec", "getppid");
  g_autofree char *options = NULL;
  g_autofree char *output = NULL;

  g_assert_cmpuint (marks->len, ==, 4);
  options = g_strdup_printf ("--at %" G_GUINT64_FORMAT, get_number (marks, 2));
  assert_killed (run (options, "exec", &output));
  g_assert_cmpstr (output, ==, "x");
}

static const char *
make_control (char **ret_path, int *ret_fd)
{
  g_autoptr (GError) error = NULL;

  *ret_fd = g_file_open_tmp ("zinit-control-XXXXXX", ret_path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ftruncate (*ret_fd, sizeof (FaultControl)), ==, 0);
  return *ret_path;
}

/* The three marks of the loop are one place, each run has the same places, and the block tells of the hit. */
static void
test_places (void)
{
  g_autofree char *path = NULL;
  g_autofree char *options = NULL, *options_fail = NULL;
  g_autofree FaultControl *control = g_new0 (FaultControl, 1);
  int fd;

  options = g_strdup_printf ("--control %s --unseen --call getppid", make_control (&path, &fd));
  assert_killed (run (options, "marks", NULL));
  g_assert_cmpint (pread (fd, control, sizeof *control, 0), ==, sizeof *control);
  g_assert_cmpuint (control->n_hits, ==, 1);
  g_assert_cmpuint (control->hit.number, ==, control->n_calls);
  g_assert_cmpuint (control->hit.is_main, ==, 1);
  g_assert_cmpuint (control->n_seen, ==, 1);
  control->n_hits = 0;
  g_assert_cmpint (pwrite (fd, control, sizeof *control, 0), ==, sizeof *control);
  g_assert_cmpint (run (options, "marks", NULL), ==, 0);
  /* With another attack it is another place. */
  options_fail = g_strdup_printf ("%s --fail EIO", options);
  g_assert_cmpint (run (options_fail, "marks", NULL), ==, 0);
  g_assert_cmpint (pread (fd, control, sizeof *control, 0), ==, sizeof *control);
  g_assert_cmpuint (control->n_hits, ==, 0);
  close (fd);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/syscall-fault/counts", test_counts);
  g_test_add_func ("/syscall-fault/kills", test_kills);
  g_test_add_func ("/syscall-fault/fails", test_fails);
  g_test_add_func ("/syscall-fault/closes", test_closes);
  g_test_add_func ("/syscall-fault/threads", test_threads);
  g_test_add_func ("/syscall-fault/children", test_children);
  g_test_add_func ("/syscall-fault/execution", test_execution);
  g_test_add_func ("/syscall-fault/places", test_places);
  return g_test_run ();
}
