/* SPDX-License-Identifier: Apache-2.0
 *
 * What a supervised process of the tests tells of itself.
 */
#include "child-report.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void
fail (const char *what)
{
  fprintf (stderr, "child: %s: %s\n", what, strerror (errno));
  _exit (111);
}

static void
report_descriptors (FILE *file)
{
  DIR *directory = opendir ("/proc/self/fd");
  struct dirent *entry;

  while ((entry = readdir (directory)) != NULL) {
    int fd = atoi (entry->d_name);
    char name[64], target[PATH_MAX];
    ssize_t length;

    if (entry->d_name[0] == '.' || fd == dirfd (directory) || fd == fileno (file))
      continue;
    snprintf (name, sizeof name, "/proc/self/fd/%d", fd);
    length = readlink (name, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    fprintf (file, "fd %d %s\n", fd, target);
  }
  closedir (directory);
}

static void
report_signals (FILE *file)
{
  sigset_t mask;

  sigprocmask (SIG_BLOCK, NULL, &mask);
  for (int signo = 1; signo < 65; signo++) {
    struct sigaction action;

    if (sigismember (&mask, signo) == 1)
      fprintf (file, "blocked %d\n", signo);
    if (sigaction (signo, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
      fprintf (file, "disposition %d\n", signo);
  }
}

void
child_report (const char *path)
{
  char temporary[PATH_MAX], cwd[PATH_MAX];
  gid_t groups[64];
  int n_groups = getgroups (64, groups);
  struct rlimit limit;
  mode_t mask = umask (022);
  FILE *file;

  snprintf (temporary, sizeof temporary, "%s.new", path);
  file = fopen (temporary, "we");
  if (file == NULL)
    fail (temporary);
  getrlimit (RLIMIT_NOFILE, &limit);
  fprintf (file, "pid %d\nppid %d\nsid %d\npgrp %d\n", (int)getpid (), (int)getppid (), (int)getsid (0),
           (int)getpgrp ());
  fprintf (file, "uid %u %u\ngid %u %u\n", getuid (), geteuid (), getgid (), getegid ());
  for (int i = 0; i < n_groups; i++)
    fprintf (file, "group %u\n", groups[i]);
  fprintf (file, "cwd %s\numask %03o\nnofile %llu\nnice %d\n", getcwd (cwd, sizeof cwd), (unsigned)mask,
           (unsigned long long)limit.rlim_cur, getpriority (PRIO_PROCESS, 0));
  for (char **item = environ; *item; item++)
    fprintf (file, "env %s\n", *item);
  report_descriptors (file);
  report_signals (file);
  fclose (file);
  umask (mask);
  if (rename (temporary, path) < 0)
    fail (path);
}
