/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a service's output when something is wrong with them: no space, links, damage, a folder that
 * went away.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "log-store.h"

static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* No space: what there was stays, what comes is in memory, and later all is kept again. Said once. */
static void
test_no_space (void)
{
  KeptLog daemon = kept_start ();
  g_autofree char *before = NULL, *after = NULL;
  gsize size;

  kept_say (&daemon, OUT, "first\n", SECOND);
  limit_files (6000);
  while (zinit_log_sync (daemon.log, NULL)) {
    g_free (before);
    before = kept_describe (daemon.log);
    kept_fill (&daemon, 1, "line");
    g_assert_cmpuint (zinit_log_get_total (daemon.log), <, 1000);
  }
  assert_survives (&daemon, before);
  g_assert_cmpuint (kept_n_warnings, ==, 1);
  kept_fill (&daemon, 50, "more");
  g_assert_null (zinit_log_reserve (daemon.log, OUT, 10, 2 * SECOND, &size));
  g_assert_cmpuint (kept_n_warnings, ==, 1);
  assert_survives (&daemon, before);

  limit_files (RLIM_INFINITY);
  kept_say (&daemon, OUT, "too early\n", 3 * SECOND);
  assert_survives (&daemon, before);
  kept_say (&daemon, OUT, "again\n", 60 * SECOND);
  after = kept_describe (daemon.log);
  g_assert_nonnull (strstr (after, "too early"));
  assert_survives (&daemon, after);
  g_assert_true (zinit_log_sync (daemon.log, NULL));
  kept_finish (&daemon);
}

/* As before, but somebody needs it now. */
static void
test_sync (void)
{
  KeptLog daemon = kept_start ();
  g_autoptr (GError) error = NULL;

  limit_files (0);
  kept_say (&daemon, OUT, "a\nb", SECOND);
  zinit_log_end (daemon.log);
  g_assert_false (zinit_log_sync (daemon.log, &error));
  g_assert_nonnull (strstr (error->message, "web"));
  limit_files (RLIM_INFINITY);
  g_assert_true (zinit_log_sync (daemon.log, NULL));
  assert_survives (&daemon, "1000000o[a]1000000o[b] 2 0");
  kept_finish (&daemon);
}

/* Nothing is followed or opened that is not a plain file of ours. */
static void
test_links (void)
{
  KeptLog daemon = kept_start ();
  g_autofree char *spool = kept_file (daemon.path, ZINIT_SPOOL_SUFFIX);
  g_autofree char *other = kept_file (daemon.path, ".other");
  g_autoptr (GBytes) bytes = g_bytes_new ("precious", 8), kept = NULL;

  g_assert_cmpint (g_mkdir (daemon.path, 0755), ==, 0);
  kept_write (daemon.path, ".other", bytes);
  g_assert_cmpint (symlink (other, spool), ==, 0);
  zinit_log_recover (daemon.log, TRUE);
  g_assert_cmpuint (kept_n_warnings, ==, 1);
  kept_say (&daemon, OUT, "a\n", SECOND);
  g_assert_true (zinit_log_sync (daemon.log, NULL));
  kept = kept_read (daemon.path, ".other");
  g_assert_true (g_bytes_equal (kept, bytes));

  zinit_log_discard (daemon.log);
  g_assert_cmpint (mkfifo (spool, 0600), ==, 0);
  zinit_log_recover (daemon.log, TRUE);
  g_assert_cmpuint (kept_n_warnings, ==, 2);
  kept_finish (&daemon);
}

static void
damage (const char *path, const char *suffix)
{
  g_autoptr (GBytes) whole = kept_read (path, suffix), bytes = NULL;
  gsize length = g_bytes_get_size (whole);
  guint8 *copy = g_memdup2 (g_bytes_get_data (whole, NULL), length);

  for (gint i = g_test_rand_int_range (0, 6); i > 0; i--) {
    /* Mostly where numbers are. */
    gsize at = (gsize)g_test_rand_int_range (0, g_test_rand_bit () ? 100 : (gint)length);

    copy[at] = g_test_rand_bit () ? 0xff : (guint8)g_test_rand_int ();
  }
  bytes = g_bytes_new (copy, g_test_rand_bit () ? length : (gsize)g_test_rand_int_range (0, (gint)length));
  kept_write (path, suffix, bytes);
  g_free (copy);
}

/* Whatever is in the files: read without harm, and what comes then is kept. */
static void
test_damage (void)
{
  KeptLog daemon = kept_start ();
  g_autofree char *first = NULL;

  kept_fill (&daemon, 30, "old");
  daemon = kept_start_at (kept_end (&daemon), 100);
  kept_fill (&daemon, 30, "new");
  first = kept_end (&daemon);
  for (guint i = 0; i < 300; i++) {
    char *path = kept_copy (first);
    g_autofree char *live = NULL;

    damage (path, ZINIT_SPOOL_SUFFIX);
    damage (path, ZINIT_RING_SUFFIX);
    daemon = kept_start_at (path, 100);
    kept_say (&daemon, OUT, "still here\n", SECOND);
    g_assert_true (zinit_log_sync (daemon.log, NULL));
    live = kept_describe (daemon.log);
    g_assert_nonnull (strstr (live, "still here"));
    kept_finish (&daemon);
  }
  daemon = kept_start_at (g_steal_pointer (&first), 100);
  kept_finish (&daemon);
}

/* Somebody removes the folder: it is made anew. */
static void
test_folder_removed (void)
{
  KeptLog daemon = kept_start ();

  kept_say (&daemon, OUT, "a\n", SECOND);
  zinit_log_folder_clear (daemon.folder);
  kept_fill (&daemon, 2000, "b");
  kept_say (&daemon, OUT, "c\n", 60 * SECOND);
  {
    g_autofree char *live = kept_describe (daemon.log);

    assert_survives (&daemon, live);
  }
  kept_finish (&daemon);
}

/* An error is no answer: what is there and cannot be read now is not without lines. */
static void
test_unreadable_now (void)
{
  KeptLog daemon = kept_start ();
  g_autoptr (ZinitLog) next = zinit_log_new (10);
  g_autoptr (GHashTable) names = NULL;
  struct rlimit limit, none;

  kept_say (&daemon, OUT, "a\n", SECOND);
  zinit_log_folder_close (daemon.folder);
  zinit_log_attach (next, daemon.folder, "web");
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  none = (struct rlimit){ 0, limit.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  names = zinit_log_folder_list (daemon.folder);
  g_assert_null (names);
  g_assert_cmpint (errno, ==, EMFILE);
  g_assert_false (zinit_log_recover (next, FALSE));
  g_assert_cmpint (errno, ==, EMFILE);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpuint (kept_n_warnings, ==, 0);
  g_assert_cmpuint (zinit_log_get_total (next), ==, 0);

  names = zinit_log_folder_list (daemon.folder);
  g_assert_true (g_hash_table_contains (names, "web"));
  g_assert_true (zinit_log_recover (next, FALSE));
  g_assert_cmpuint (zinit_log_get_total (next), ==, 1);
  kept_finish (&daemon);
}

static void
test_list (void)
{
  KeptLog daemon = kept_start ();
  g_autoptr (ZinitLog) other = zinit_log_new (10);
  g_autoptr (GHashTable) names = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new ("x", 1);

  zinit_log_attach (other, daemon.folder, "a.b@c.ring");
  zinit_log_append (other, OUT, "x", 1, 1);
  kept_say (&daemon, OUT, "y", 1);
  kept_write (daemon.path, ".tmp", bytes);
  names = zinit_log_folder_list (daemon.folder);
  g_assert_cmpuint (g_hash_table_size (names), ==, 2);
  g_assert_true (g_hash_table_contains (names, "web"));
  g_assert_true (g_hash_table_contains (names, "a.b@c.ring"));
  g_assert_false (kept_has_file (daemon.path, ".tmp"));
  kept_finish (&daemon);
}

int
main (int argc, char **argv)
{
  static const KeptTest tests[] = {
    { "/spool/no-space", test_no_space },
    { "/spool/sync", test_sync },
    { "/spool/links", test_links },
    { "/spool/damage", test_damage },
    { "/spool/folder-removed", test_folder_removed },
    { "/spool/unreadable-now", test_unreadable_now },
    { "/spool/list", test_list },
  };

  return kept_run (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
