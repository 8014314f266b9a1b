/* SPDX-License-Identifier: Apache-2.0
 *
 * What the next daemon finds of a service's output when this one is killed, at each moment that makes a
 * difference.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "log-store.h"
#include "logs/spool-format.h"

static void
test_nothing (void)
{
  KeptLog daemon = kept_start ();

  zinit_log_end (daemon.log);
  g_assert_true (zinit_log_sync (daemon.log, NULL));
  g_assert_false (g_file_test (daemon.path, G_FILE_TEST_EXISTS));
  kept_finish (&daemon);
}

static void
test_output (void)
{
  KeptLog daemon = kept_start ();

  kept_say (&daemon, OUT, "one\ntwo\nhalf", 1);
  assert_survives (&daemon, "1o[one]1o[two]1o[half] 2 0");
  kept_say (&daemon, ERR, "bad", 2);
  kept_say (&daemon, OUT, " done\n", 3);
  assert_survives (&daemon, "1o[one]1o[two]1o[half done]2e[bad] 3 0");
  kept_finish (&daemon);
  g_assert_cmpuint (kept_n_warnings, ==, 0);
}

static void
test_modes (void)
{
  KeptLog daemon = kept_start ();
  g_autofree char *ring = kept_file (daemon.path, ZINIT_RING_SUFFIX);
  g_autofree char *spool = kept_file (daemon.path, ZINIT_SPOOL_SUFFIX);
  GStatBuf info;

  kept_say (&daemon, OUT, "secret\n", 1);
  g_assert_cmpint (g_stat (daemon.path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0700);
  g_assert_cmpint (g_stat (ring, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
  g_assert_cmpint (g_stat (spool, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
  zinit_log_discard (daemon.log);
  g_assert_false (kept_has_file (daemon.path, ZINIT_RING_SUFFIX));
  g_assert_false (kept_has_file (daemon.path, ZINIT_SPOOL_SUFFIX));
  kept_finish (&daemon);
}

/* Before the read, after it, after the commit. */
static void
test_pending (void)
{
  static const char text[] = "b\0b\nrest\0";
  KeptLog daemon = kept_start ();
  gsize size = 0;
  char *room;

  kept_say (&daemon, OUT, "a\n", 1);
  room = zinit_log_reserve (daemon.log, ERR, sizeof text, 2, &size);
  g_assert_cmpuint (size, ==, sizeof text);
  assert_survives (&daemon, "1o[a] 1 0");
  memcpy (room, text, sizeof text);
  assert_survives (&daemon, "1o[a]2e[b\\00b]2e[rest\\00\\00] 2 0");
  zinit_log_append (daemon.log, ERR, room, sizeof text, 3);
  assert_survives (&daemon, "1o[a]3e[b\\00b]3e[rest\\00\\00] 2 0");
  assert_log (daemon.log, "1o[a]3e[b\\00b]3e[rest\\00\\00] 2 0");
  kept_finish (&daemon);
}

/* A pipe that gives less than it said, and one that gives nothing after all. */
static void
test_short_read (void)
{
  KeptLog daemon = kept_start ();
  gsize size;
  char *room = zinit_log_reserve (daemon.log, OUT, 1000, 1, &size);

  memcpy (room, "ab", 2);
  assert_survives (&daemon, "1o[ab] 0 0");
  zinit_log_append (daemon.log, OUT, room, 2, 1);
  assert_survives (&daemon, "1o[ab] 0 0");
  zinit_log_reserve (daemon.log, OUT, 3000, 2, &size);
  assert_survives (&daemon, "1o[ab] 0 0");
  room = zinit_log_reserve (daemon.log, ERR, 5000, 3, &size);
  assert_survives (&daemon, "1o[ab] 0 0");
  memcpy (room, "c", 1);
  kept_say (&daemon, ERR, "d\n", 4);
  assert_survives (&daemon, "4e[d]1o[ab] 1 0");
  kept_finish (&daemon);
}

/* An unfinished line that was ended stays so, and what comes later is not joined to it. */
static void
test_end (void)
{
  KeptLog daemon = kept_start (), next;

  kept_say (&daemon, OUT, "half", 1);
  zinit_log_end (daemon.log);
  assert_survives (&daemon, "1o[half] 1 0");
  kept_say (&daemon, OUT, "new", 2);
  assert_survives (&daemon, "1o[half]2o[new] 1 0");
  /* The next daemon finds out that the writer is gone, and dies before anything is said. */
  next = kept_start_at (kept_copy (daemon.path), 100);
  zinit_log_end (next.log);
  assert_survives (&next, "1o[half]2o[new] 2 0");
  kept_finish (&next);
  kept_finish (&daemon);
}

static guint64
read_generation (const char *path)
{
  g_autoptr (GBytes) bytes = kept_read (path, ZINIT_RING_SUFFIX);
  ZinitRingHead head;

  g_assert_cmpuint (g_bytes_get_size (bytes), >=, sizeof head);
  memcpy (&head, g_bytes_get_data (bytes, NULL), sizeof head);
  return head.generation;
}

/* Each step from one generation to the next: only the ring is new; the journal is empty and has the old
 * number. */
static void
test_generations (void)
{
  KeptLog daemon = kept_start ();
  g_autoptr (GBytes) old_ring = NULL, old_journal = NULL;
  g_autofree char *before = NULL, *mixed = NULL;
  guint64 generation;
  ZinitSpoolHead head;

  kept_say (&daemon, OUT, "first\nun", 1);
  generation = read_generation (daemon.path);
  while (read_generation (daemon.path) == generation) {
    g_clear_pointer (&old_journal, g_bytes_unref);
    old_journal = kept_read (daemon.path, ZINIT_SPOOL_SUFFIX);
    g_free (before);
    before = kept_describe (daemon.log);
    kept_fill (&daemon, 1, "line");
  }
  /* The line that made it came after it. */
  kept_write (daemon.path, ZINIT_SPOOL_SUFFIX, old_journal);
  assert_survives (&daemon, before);
  memcpy (&head, g_bytes_get_data (old_journal, NULL), sizeof head);
  g_assert_cmpuint (head.generation, ==, generation);
  head.end = sizeof head;
  mixed = g_memdup2 (g_bytes_get_data (old_journal, NULL), g_bytes_get_size (old_journal));
  memcpy (mixed, &head, sizeof head);
  old_ring = g_bytes_new (mixed, g_bytes_get_size (old_journal));
  kept_write (daemon.path, ZINIT_SPOOL_SUFFIX, old_ring);
  assert_survives (&daemon, before);
  kept_finish (&daemon);
  g_assert_cmpuint (kept_n_warnings, ==, 0);
}

/* A journal that was about to be made: no bytes yet, or none written. */
static void
test_empty_journal (void)
{
  KeptLog daemon = kept_start ();
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autofree char *zeros = g_malloc0 (4096);
  g_autoptr (GBytes) blank = g_bytes_new (zeros, 4096);
  char *path;

  kept_say (&daemon, OUT, "a\nb", 1);
  daemon = kept_start_at (kept_end (&daemon), 100);
  kept_say (&daemon, OUT, "c\n", 2);
  path = kept_end (&daemon);
  kept_write (path, ZINIT_SPOOL_SUFFIX, empty);
  daemon = kept_start_at (path, 100);
  assert_log (daemon.log, "1o[a]1o[b] 1 0");
  kept_write (path, ZINIT_SPOOL_SUFFIX, blank);
  assert_survives (&daemon, "1o[a]1o[b] 1 0");
  kept_finish (&daemon);
  g_assert_cmpuint (kept_n_warnings, ==, 0);
}

static void
random_step (KeptLog *daemon, gint64 now)
{
  ZinitStream stream = g_test_rand_bit () ? OUT : ERR;
  gsize length = (gsize)(g_test_rand_int_range (0, 20) == 0 ? g_test_rand_int_range (0, 70000)
                                                            : g_test_rand_int_range (0, 300));
  g_autofree char *text = g_malloc (length + 1);
  gsize size;
  char *room;

  for (gsize i = 0; i < length; i++)
    text[i] = g_test_rand_int_range (0, 40) == 0 ? '\n' : (char)g_test_rand_int_range (0, 255);
  switch (g_test_rand_int_range (0, 4)) {
  case 0:
    zinit_log_end (daemon->log);
    break;
  case 1:
    zinit_log_append (daemon->log, stream, text, length, now);
    break;
  default:
    room = zinit_log_reserve (daemon->log, stream, length, now, &size);
    g_assert_nonnull (room);
    memcpy (room, text, size);
    if (size > 0)
      zinit_log_append (daemon->log, stream, room, size, now);
  }
}

/* Killed after each step; sometimes the next daemon goes on from there. */
static void
test_random (void)
{
  for (guint round = 0; round < 4; round++) {
    guint64 max_lines = (guint64)g_test_rand_int_range (0, 400);
    KeptLog daemon = kept_start_at (kept_make_path (), max_lines);

    for (gint64 i = 1; i < 150; i++) {
      g_autofree char *live = NULL, *survived = NULL;

      random_step (&daemon, i);
      live = kept_describe (daemon.log);
      survived = kept_survive (&daemon, max_lines);
      g_assert_cmpstr (survived, ==, live);
      if (g_test_rand_int_range (0, 20) == 0)
        daemon = kept_start_at (kept_end (&daemon), max_lines);
    }
    kept_finish (&daemon);
  }
  g_assert_cmpuint (kept_n_warnings, ==, 0);
}

int
main (int argc, char **argv)
{
  static const KeptTest tests[] = {
    { "/spool/nothing", test_nothing },
    { "/spool/output", test_output },
    { "/spool/modes", test_modes },
    { "/spool/pending", test_pending },
    { "/spool/short-read", test_short_read },
    { "/spool/end", test_end },
    { "/spool/generations", test_generations },
    { "/spool/empty-journal", test_empty_journal },
    { "/spool/random", test_random },
  };

  return kept_run (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
