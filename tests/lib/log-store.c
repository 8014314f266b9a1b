/* SPDX-License-Identifier: Apache-2.0
 *
 * A log with files in a folder of its own, as one daemon after another sees it. A daemon that is killed is
 * its files at that moment: they are copied to another folder, and the next daemon reads them there.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "log-store.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

guint kept_n_warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & G_LOG_LEVEL_MASK) > G_LOG_LEVEL_WARNING)
    return g_log_writer_default (level, fields, n_fields, data);
  /* A test that expects none looks at the count. */
  kept_n_warnings++;
  return G_LOG_WRITER_HANDLED;
}

char *
kept_make_path (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *top = g_dir_make_tmp ("zinit-store-XXXXXX", &error);

  g_assert_no_error (error);
  return g_build_filename (top, "logs", NULL);
}

static int
open_parent (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

KeptLog
kept_start_at (char *path, guint64 max_lines)
{
  int parent_fd = open_parent (path);
  KeptLog daemon = { path, parent_fd, zinit_log_folder_new (parent_fd, path), zinit_log_new (max_lines) };

  zinit_log_attach (daemon.log, daemon.folder, "web");
  zinit_log_recover (daemon.log, TRUE);
  return daemon;
}

KeptLog
kept_start (void)
{
  return kept_start_at (kept_make_path (), 100);
}

/* Only what a process has goes; the files stay. */
char *
kept_end (KeptLog *daemon)
{
  zinit_log_free (daemon->log);
  zinit_log_folder_free (daemon->folder);
  close (daemon->parent_fd);
  return daemon->path;
}

void
kept_finish (KeptLog *daemon)
{
  g_autofree char *path = NULL, *top = NULL;

  zinit_log_folder_clear (daemon->folder);
  path = kept_end (daemon);
  top = g_path_get_dirname (path);
  g_assert_cmpint (g_rmdir (top), ==, 0);
}

char *
kept_file (const char *path, const char *suffix)
{
  return g_strdup_printf ("%s/web%s", path, suffix);
}

gboolean
kept_has_file (const char *path, const char *suffix)
{
  g_autofree char *file = kept_file (path, suffix);

  return g_file_test (file, G_FILE_TEST_EXISTS);
}

GBytes *
kept_read (const char *path, const char *suffix)
{
  g_autofree char *file = kept_file (path, suffix);
  char *bytes = NULL;
  gsize length = 0;

  if (!g_file_get_contents (file, &bytes, &length, NULL))
    return NULL;
  return g_bytes_new_take (bytes, length);
}

void
kept_write (const char *path, const char *suffix, GBytes *bytes)
{
  g_autofree char *file = kept_file (path, suffix);
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *data;

  if (bytes == NULL)
    return;
  data = g_bytes_get_data (bytes, &length);
  g_file_set_contents (file, data != NULL ? data : "", (gssize)length, &error);
  g_assert_no_error (error);
}

/* The files as a kill at this moment leaves them. */
char *
kept_copy (const char *from)
{
  static const char *const suffixes[] = { ZINIT_RING_SUFFIX, ZINIT_SPOOL_SUFFIX };
  char *to = kept_make_path ();

  g_assert_cmpint (g_mkdir (to, 0700), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autoptr (GBytes) bytes = kept_read (from, suffixes[i]);

    kept_write (to, suffixes[i], bytes);
  }
  return to;
}

static gboolean
print_line (const ZinitLogLine *line, gpointer data)
{
  g_string_append_printf (data, "%" G_GINT64_FORMAT "%c[", line->time_usec, line->stream == OUT ? 'o' : 'e');
  for (gsize i = 0; i < line->length; i++)
    if (g_ascii_isprint (line->text[i]))
      g_string_append_c (data, line->text[i]);
    else
      g_string_append_printf (data, "\\%02x", (guchar)line->text[i]);
  g_string_append_c (data, ']');
  return TRUE;
}

/* All that anybody can know of a log. */
char *
kept_describe (const ZinitLog *log)
{
  const ZinitLogQuery all = { G_MAXUINT64, G_MAXSIZE, 0, 1u << OUT | 1u << ERR };
  GString *text = g_string_new (NULL);

  zinit_log_foreach (log, &all, print_line, text);
  g_string_append_printf (text, " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, zinit_log_get_total (log),
                          zinit_log_get_dropped (log));
  return g_string_free (text, FALSE);
}

/* What the next daemon finds after a kill at this moment. */
char *
kept_survive (const KeptLog *daemon, guint64 max_lines)
{
  KeptLog next = kept_start_at (kept_copy (daemon->path), max_lines);
  char *text = kept_describe (next.log);

  kept_finish (&next);
  return text;
}

void
kept_say (KeptLog *daemon, ZinitStream stream, const char *text, gint64 time_usec)
{
  zinit_log_append (daemon->log, stream, text, strlen (text), time_usec);
}

void
kept_fill (KeptLog *daemon, guint n_lines, const char *word)
{
  for (guint i = 0; i < n_lines; i++) {
    g_autofree char *line = g_strdup_printf ("%s %u %0100d\n", word, i, 0);

    kept_say (daemon, i % 3 == 0 ? ERR : OUT, line, i);
  }
}

static void
run_test (gconstpointer func)
{
  kept_n_warnings = 0;
  ((const KeptTest *)func)->func ();
}

int
kept_run (int *argc, char ***argv, const KeptTest *tests, guint n_tests)
{
  g_test_init (argc, argv, NULL);
  signal (SIGXFSZ, SIG_IGN);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  for (guint i = 0; i < n_tests; i++)
    g_test_add_data_func (tests[i].path, &tests[i], run_test);
  return g_test_run ();
}
