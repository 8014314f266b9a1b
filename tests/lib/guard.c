/* SPDX-License-Identifier: Apache-2.0
 *
 * Cleans up behind one test, however that ended: waits until the other end of its standard input is closed,
 * then kills every process that carries the test's mark in its environment and removes the test's folder.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "processes.h"

static int
remove_one (const char *path, const struct stat *status, int type, struct FTW *walk)
{
  return type == FTW_DP ? rmdir (path) : unlink (path);
}

static void
kill_all (const char *mark)
{
  for (;;) {
    g_autoptr (GArray) pids = processes_with_mark (mark);
    guint killed = 0;

    for (guint i = 0; i < pids->len; i++) {
      pid_t pid = g_array_index (pids, pid_t, i);

      if (pid != getpid ()) {
        kill (pid, SIGKILL);
        processes_wait_end (pid, 1);
        killed++;
      }
    }
    if (killed == 0)
      return;
  }
}

int
main (int argc, char **argv)
{
  g_autofree char *mark = NULL, *run = NULL;
  char byte;

  if (argc != 2) {
    fprintf (stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  setsid ();
  while (read (STDIN_FILENO, &byte, 1) > 0)
    ;
  mark = g_strconcat ("ZINIT_TEST_DIR=", argv[1], NULL);
  run = g_build_filename (argv[1], "run", NULL);
  kill_all (mark);
  /* Some tests mount file systems there, in a mount namespace that is ours too. */
  while (umount2 (run, MNT_DETACH) == 0)
    ;
  if (g_getenv ("ZINIT_TEST_KEEP") == NULL)
    nftw (argv[1], remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return 0;
}
