/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody damages the files of a service's output while they are written: the daemon lives, it has every
 * line, and as soon as it notices a new file has them all.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log-store.h"
#include "logs/log-folder.h"

#define LINE 100 /* bytes that kept_fill() writes in a line, about */

/* What is at the path of the file afterwards. */
static void
damage (const char *path, const char *suffix, const char *how)
{
  g_autofree char *file = kept_file (path, suffix);
  g_autofree char *other = g_strconcat (file, ".other", NULL);
  int result = 0;

  if (g_ascii_isdigit (*how))
    result = truncate (file, atoi (how));
  else if (g_str_equal (how, "random"))
    g_assert_true (g_file_set_contents (file, "\x01\xff\x7f random", -1, NULL));
  else
    result = g_unlink (file);
  if (g_str_equal (how, "link"))
    result = symlink ("/etc/hostname", file);
  else if (g_str_equal (how, "folder"))
    result = g_mkdir (file, 0700);
  else if (g_str_equal (how, "fifo"))
    result = mkfifo (file, 0600);
  g_assert_cmpint (result, ==, 0);
}

static void
assert_has_all (KeptLog *daemon)
{
  g_autofree char *has = kept_describe (daemon->log);
  g_autofree char *survives = kept_survive (daemon, 100);

  g_assert_cmpstr (survives, ==, has);
}

/* A page that is gone is noticed when it is touched. */
static void
test_cut (void)
{
  static const char *const sizes[] = { "0", "1", "40", "4096", "8192" };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    KeptLog daemon = kept_start ();

    kept_fill (&daemon, 150, "before"); /* some pages */
    for (guint times = 0; times < 3; times++) {
      damage (daemon.path, ".journal", sizes[i]);
      kept_fill (&daemon, 1 + 30 * times, "after");
      /* What the daemon has not touched is noticed at the next growth. */
      if (atoi (sizes[i]) < 40)
        assert_has_all (&daemon);
      kept_fill (&daemon, 60, "more");
      assert_has_all (&daemon);
    }
    kept_finish (&daemon);
  }
  g_assert_cmpuint (kept_n_warnings, ==, 0);
}

/* Between the reservation and the commit: what was read then is lost perhaps, and nothing else. */
static void
test_cut_while_reserved (void)
{
  KeptLog daemon = kept_start ();
  gsize size;
  char *room;

  kept_say (&daemon, OUT, "before\n", 1);
  room = zinit_log_reserve (daemon.log, OUT, 10, 2, &size);
  g_assert_nonnull (room);
  damage (daemon.path, ".journal", "0");
  memcpy (room, "here\n", 5);
  zinit_log_append (daemon.log, OUT, room, 5, 2);
  kept_say (&daemon, OUT, "after\n", 3);
  assert_log (daemon.log, "1o[before]2o[here]3o[after] 3 0");
  assert_survives (&daemon, "1o[before]2o[here]3o[after] 3 0");

  /* The kernel reads nothing into a page that is gone, and says so. */
  room = zinit_log_reserve (daemon.log, OUT, 10, 4, &size);
  damage (daemon.path, ".journal", "0");
  {
    int fds[2];

    g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
    g_assert_cmpint (write (fds[1], "kept\n", 5), ==, 5);
    g_assert_cmpint (read (fds[0], room, 5), ==, -1);
    g_assert_cmpint (errno, ==, EFAULT);
    close (fds[0]);
    close (fds[1]);
  }
  kept_say (&daemon, OUT, "kept\n", 4);
  assert_survives (&daemon, "1o[before]2o[here]3o[after]4o[kept] 4 0");
  kept_finish (&daemon);
}

/* The end of a process without a line feed. */
static void
test_cut_at_end (void)
{
  KeptLog daemon = kept_start ();

  kept_say (&daemon, OUT, "half", 1);
  damage (daemon.path, ".journal", "0");
  zinit_log_end (daemon.log);
  assert_log (daemon.log, "1o[half] 1 0");
  assert_survives (&daemon, "1o[half] 1 0");
  kept_finish (&daemon);
}

/* At the latest when the next ring is written there are good files again. */
static void
test_replaced (void)
{
  static const char *const suffixes[] = { ".journal", ".ring" };
  static const char *const kinds[] = { "random", "remove", "link", "folder", "fifo" };

  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (kinds); j++) {
      KeptLog daemon = kept_start ();

      kept_fill (&daemon, 150, "before");
      damage (daemon.path, suffixes[i], kinds[j]);
      kept_fill (&daemon, 64 * 1024 / LINE + 100, "after");
      assert_has_all (&daemon);
      kept_finish (&daemon);
    }
}

/* The same for what an earlier daemon left. */
static void
test_found (void)
{
  static const char *const suffixes[] = { ".journal", ".ring" };
  static const char *const kinds[] = { "0", "40", "random", "remove", "link", "folder", "fifo" };

  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (kinds); j++) {
      KeptLog daemon = kept_start ();
      char *path;

      kept_fill (&daemon, 150, "before");
      path = kept_end (&daemon);
      damage (path, suffixes[i], kinds[j]);
      daemon = kept_start_at (path, 100);
      kept_fill (&daemon, 150, "after");
      assert_has_all (&daemon);
      kept_finish (&daemon);
    }
}

/* What is no page of ours ends the process as ever. */
static void
test_other_fault (void)
{
  const struct rlimit no_core = { 0, 0 };
  KeptLog daemon = kept_start ();
  int status;
  pid_t pid;

  kept_say (&daemon, OUT, "before\n", 1);
  pid = fork ();
  if (pid == 0) {
    setrlimit (RLIMIT_CORE, &no_core);
    raise (SIGBUS);
    _exit (0);
  }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGBUS);
  kept_finish (&daemon);
}

int
main (int argc, char **argv)
{
  static const KeptTest tests[] = {
    { "/spool-damage/cut", test_cut },
    { "/spool-damage/cut-while-reserved", test_cut_while_reserved },
    { "/spool-damage/cut-at-end", test_cut_at_end },
    { "/spool-damage/replaced", test_replaced },
    { "/spool-damage/found", test_found },
    { "/spool-damage/other-fault", test_other_fault },
  };

  return kept_run (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
