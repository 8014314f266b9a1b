/* SPDX-License-Identifier: Apache-2.0
 *
 * The least that anybody can do to start COUNT processes: one posix_spawn each, with two pipes for their
 * output. At SIGTERM it ends them and reaps them. With "restart" in place of a count it keeps one process up.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t
start (const char *program, const char *file, long index)
{
  char number[24];
  char *argv[] = { (char *)program, (char *)file, number, NULL };
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int out[2], err[2];
  sigset_t none;
  pid_t pid;

  snprintf (number, sizeof number, "%ld", index);
  if (pipe2 (out, O_CLOEXEC) < 0 || pipe2 (err, O_CLOEXEC) < 0)
    _exit (1);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addopen (&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2 (&actions, out[1], 1);
  posix_spawn_file_actions_adddup2 (&actions, err[1], 2);
  posix_spawnattr_init (&attributes);
  sigemptyset (&none);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  if (posix_spawn (&pid, program, &actions, &attributes, argv, environ) != 0)
    _exit (1);
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);
  close (out[1]);
  close (err[1]);
  return pid;
}

/* The pipes of the ones before are left to the limit on descriptors: there are few restarts. */
static void
keep_up (const char *program, const char *file)
{
  for (pid_t pid = start (program, file, 0);; pid = start (program, file, 0)) {
    printf ("%d\n", (int)pid);
    fflush (stdout);
    if (waitpid (pid, NULL, 0) != pid)
      _exit (1);
  }
}

int
main (int argc, char **argv)
{
  struct rlimit limit;
  sigset_t wanted;
  pid_t *pids;
  long count;
  int signo;

  if (argc != 4)
    return 2;
  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  if (strcmp (argv[3], "restart") == 0)
    keep_up (argv[1], argv[2]);

  sigemptyset (&wanted);
  sigaddset (&wanted, SIGTERM);
  sigprocmask (SIG_BLOCK, &wanted, NULL);
  count = atol (argv[3]);
  pids = calloc ((size_t)count, sizeof *pids);
  for (long i = 0; i < count; i++)
    pids[i] = start (argv[1], argv[2], i);
  sigwait (&wanted, &signo);
  for (long i = 0; i < count; i++)
    kill (pids[i], SIGTERM);
  for (long i = 0; i < count; i++) {
    if (waitpid (pids[i], NULL, 0) != pids[i])
      return 1;
  }
  free (pids);
  return 0;
}
