/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the tool attack: a program whose calls are known. It makes getppid(2) its mark, as
 * nothing else calls that, and says by its exit code what it has met.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long
mark (void)
{
  return syscall (SYS_getppid);
}

static void *
in_thread (void *data)
{
  mark ();
  return NULL;
}

static int
in_vfork (void *data)
{
  mark ();
  mark ();
  syscall (SYS_exit_group, 7);
  return 0;
}

/* Children that must go on unharmed, in each way to make one. */
static int
run_children (void)
{
  static char stack[65536];
  int status;
  pid_t pid = fork ();

  if (pid == 0) {
    mark ();
    mark ();
    _exit (7);
  }
  if (waitpid (pid, &status, 0) != pid || !WIFEXITED (status) || WEXITSTATUS (status) != 7)
    return 1;
  pid = clone (in_vfork, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
  if (waitpid (pid, &status, 0) != pid || !WIFEXITED (status) || WEXITSTATUS (status) != 7)
    return 2;
  return 0;
}

/* Says of each call whether it succeeds or what error it gives. */
static int
run_opens (int count)
{
  for (int i = 0; i < count; i++) {
    int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

    printf ("%s ", fd >= 0 ? "ok" : strerrorname_np (errno));
    if (fd >= 0)
      close (fd);
  }
  printf ("\n");
  return 0;
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  pthread_t thread;

  if (strcmp (what, "marks") == 0) {
    for (int i = 0; i < 3; i++) {
      mark ();
      if (write (1, "x", 1) != 1)
        return 1;
    }
  } else if (strcmp (what, "thread") == 0) {
    pthread_create (&thread, NULL, in_thread, NULL);
    pthread_join (thread, NULL);
    return 5;
  } else if (strcmp (what, "children") == 0) {
    return run_children ();
  } else if (strcmp (what, "exec") == 0) {
    mark ();
    execl ("/proc/self/exe", argv[0], "marks", NULL);
    return 1;
  } else if (strcmp (what, "opens") == 0) {
    return run_opens (5);
  } else if (strcmp (what, "close") == 0) {
    int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

    /* An error, and closed all the same. */
    return close (fd) != 0 && errno == EIO && close (fd) != 0 && errno == EBADF ? 0 : 1;
  }
  return 0;
}
