/* SPDX-License-Identifier: Apache-2.0
 *
 * The process that the tests have supervised. Its arguments are small orders that are carried out one after
 * another, so that a test says exactly what the process does: "out hello exit 3". Knows nothing of zinit.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "child-announce.h"
#include "child-report.h"

extern char **environ;

static char **arguments;
static char **all_arguments;
static int on_term_code;
static int on_term_delay_ms;
static const char *on_term_file;

static void
die (const char *what)
{
  fprintf (stderr, "child: %s: %s\n", what, strerror (errno));
  _exit (111);
}

static const char *
next (void)
{
  if (*arguments == NULL) {
    fprintf (stderr, "child: an argument is missing\n");
    _exit (112);
  }
  return *arguments++;
}

static long
next_number (void)
{
  return strtol (next (), NULL, 10);
}

static void
pause_ms (long ms)
{
  struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

  while (nanosleep (&left, &left) < 0 && errno == EINTR)
    ;
}

static void
write_all (int fd, const char *bytes, size_t length)
{
  while (length > 0) {
    ssize_t written = write (fd, bytes, length);

    if (written < 0 && errno != EINTR)
      die ("write");
    if (written > 0) {
      bytes += written;
      length -= (size_t)written;
    }
  }
}

/* One appended line "WORD SERVICE PID MONOTONIC_NS": whole lines, whoever else writes. */
static void
stamp (const char *path, const char *word)
{
  const char *service = getenv ("ZINIT_SERVICE");
  char line[512];
  struct timespec now;
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  int length;

  if (fd < 0)
    die (path);
  clock_gettime (CLOCK_MONOTONIC, &now);
  length = snprintf (line, sizeof line, "%s %s %d %lld%09ld\n", word, service ? service : "-", (int)getpid (),
                     (long long)now.tv_sec, now.tv_nsec);
  write_all (fd, line, (size_t)length);
  close (fd);
}

static void
on_term (int signo)
{
  if (on_term_file)
    stamp (on_term_file, "term");
  pause_ms (on_term_delay_ms);
  if (on_term_file)
    stamp (on_term_file, "end");
  _exit (on_term_code);
}

static void
handle_term (void)
{
  struct sigaction action = { .sa_handler = on_term };

  sigaction (SIGTERM, &action, NULL);
}

static void
ignore (int signo)
{
  struct sigaction action = { .sa_handler = SIG_IGN };

  sigaction (signo, &action, NULL);
}

static void
wait_for_ever (void)
{
  for (;;)
    pause ();
}

/* For who hides: the guard of a test that fails does not find it, but removes the folder of the run. */
static void
wait_while_there (const char *path)
{
  while (access (path, F_OK) == 0)
    pause_ms (100);
}

static void
wait_for_file (const char *path)
{
  while (access (path, F_OK) < 0)
    pause_ms (2);
}

static void
print_lines (void)
{
  long count = next_number ();
  const char *prefix = next ();

  for (long i = 1; i <= count; i++) {
    printf ("%s%ld\n", prefix, i);
    fflush (stdout);
  }
}

static void
print_long (long bytes)
{
  char block[1024];

  memset (block, 'x', sizeof block);
  for (; bytes > 0; bytes -= (long)sizeof block)
    write_all (1, block, bytes < (long)sizeof block ? (size_t)bytes : sizeof block);
  write_all (1, "\n", 1);
}

static void
print_all_bytes (void)
{
  char bytes[256];
  size_t length = 0;

  for (int c = 0; c < 256; c++) {
    if (c != '\n')
      bytes[length++] = (char)c;
  }
  bytes[length++] = '\n';
  write_all (1, bytes, length);
}

/* @count 0 = without end. */
static void
flood (long count)
{
  static const char line[] = "the quick brown fox jumps over the lazy dog\n";
  char block[(sizeof line - 1) * 64];

  for (int i = 0; i < 64; i++)
    memcpy (block + i * (sizeof line - 1), line, sizeof line - 1);
  if (count == 0) {
    for (;;)
      write_all (1, block, sizeof block);
  }
  for (; count > 64; count -= 64)
    write_all (1, block, sizeof block);
  write_all (1, block, (sizeof line - 1) * (size_t)count);
}

/* Lines "0", "1", … to @fd, each in two pieces, until the file is there; then the line "end". @usec 0 = as
 * fast as they are taken. */
static void
count_until (void)
{
  int fd = (int)next_number ();
  long usec = next_number ();
  const char *path = next ();
  const struct timespec interval = { usec / 1000000, usec % 1000000 * 1000 };
  char text[32];

  for (long number = 0; number % 16 != 0 || access (path, F_OK) < 0; number++) {
    int length = snprintf (text, sizeof text, "%ld\n", number);

    write_all (fd, text, (size_t)length / 2);
    if (usec > 0)
      nanosleep (&interval, NULL);
    write_all (fd, text + length / 2, (size_t)(length - length / 2));
  }
  write_all (fd, "end\n", 4);
}

/* A process of the same group that only SIGKILL ends. */
static void
fork_stubborn (void)
{
  if (fork () == 0) {
    ignore (SIGTERM);
    ignore (SIGINT);
    ignore (SIGHUP);
    wait_for_ever ();
  }
}

/* Another one carries out the orders up to "--", of the same group or in a session of its own; this one goes
 * on after them. */
static void
fork_other (int has_session)
{
  if (fork () != 0)
    while (strcmp (next (), "--") != 0)
      continue;
  else if (has_session)
    setsid ();
}

/* A process whose parent is gone and that ends by itself: somebody has to reap it. */
static void
fork_orphan (void)
{
  const char *pid_path = next ();
  long ms = next_number ();
  pid_t pid = fork ();

  if (pid == 0) {
    pid_t orphan = fork ();

    if (orphan == 0) {
      pause_ms (ms);
      _exit (0);
    }
    FILE *file = fopen (pid_path, "we");
    fprintf (file, "%d\n", (int)orphan);
    fclose (file);
    _exit (0);
  }
}

static void
hear (int signo)
{
}

/* A child that hears SIGTERM before it executes its program, as a shell's does with the shell's handler; it
 * executes that only when its parent is gone and looks were taken. The file gets its number. */
static void
fork_late (void)
{
  const char *path = next ();
  struct sigaction action = { .sa_handler = hear };
  pid_t parent = getpid ();
  char line[32];
  int fd;

  if (fork () != 0)
    return;
  sigaction (SIGTERM, &action, NULL);
  snprintf (line, sizeof line, "%d\n", (int)getpid ());
  fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  write_all (fd, line, strlen (line));
  close (fd);
  while (getppid () == parent)
    pause_ms (2);
  pause_ms (200);
  execlp ("sleep", "sleep", "1000", NULL);
  _exit (127);
}

/* Exits with @code at its first @count runs; the file counts them. */
static void
exit_first (void)
{
  long count = next_number (), code = next_number ();
  const char *path = next ();
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat status;

  if (fd < 0)
    die (path);
  write_all (fd, ".", 1);
  fstat (fd, &status);
  close (fd);
  if (status.st_size <= count)
    _exit ((int)code);
}

static void
die_by (long signo)
{
  struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
  raise ((int)signo);
  pause_ms (10000);
}

/* Over its arguments and environment, as setproctitle does: nothing of them is left for who looks in /proc.
 */
static void
overwrite_title (char **argv)
{
  char *begin = argv[0], *end = begin;

  for (char **item = argv; *item != NULL; item++)
    end = *item + strlen (*item) + 1;
  for (char **item = environ; *item != NULL; item++)
    end = *item + strlen (*item) + 1;
  for (char **item = arguments; *item != NULL; item++)
    *item = strdup (*item);
  environ = NULL;
  memset (begin, 0, (size_t)(end - begin));
  memcpy (begin, "hidden", strlen ("hidden"));
}

/* It and all its children do nothing but make more of them, as far as they are let. */
static void
fork_bomb (void)
{
  for (;;)
    if (fork () < 0)
      pause_ms (1);
}

static void
on_term_do (void)
{
  on_term_code = (int)next_number ();
  on_term_delay_ms = (int)next_number ();
  handle_term ();
}

static void
print (int fd, const char *end)
{
  const char *text = next ();

  write_all (fd, text, strlen (text));
  write_all (fd, end, strlen (end));
}

/* The orders that say something of this process. FALSE when @order is none of them. */
static int
carry_out_announcement (const char *order)
{
  if (strcmp (order, "report") == 0) {
    child_report (next ());
  } else if (strcmp (order, "notify") == 0) {
    child_notify (next ());
  } else if (strcmp (order, "barrier") == 0) {
    child_notify_barrier ();
  } else if (strcmp (order, "write-fd") == 0) {
    print (child_find_descriptor (next ()), "\n");
  } else if (strcmp (order, "long-fd") == 0) {
    int fd = child_find_descriptor (next ());

    for (;;)
      write_all (fd, "no end ", 7);
  } else if (strcmp (order, "close-fd") == 0) {
    close (child_find_descriptor (next ()));
  } else {
    return 0;
  }
  return 1;
}

/* The orders that make other processes, or hide this one. */
static void
carry_out_rare (const char *order)
{
  if (strcmp (order, "stubborn") == 0) {
    fork_stubborn ();
  } else if (strcmp (order, "fork") == 0) {
    fork_other (0);
  } else if (strcmp (order, "fork-session") == 0) {
    fork_other (1);
  } else if (strcmp (order, "fork-late") == 0) {
    fork_late ();
  } else if (strcmp (order, "hide-title") == 0) {
    overwrite_title (all_arguments);
  } else if (strcmp (order, "hide-memory") == 0) {
    prctl (PR_SET_DUMPABLE, 0);
  } else if (strcmp (order, "bomb") == 0) {
    fork_bomb ();
  } else if (strcmp (order, "--") == 0) {
    exit (0);
  } else if (strcmp (order, "orphan") == 0) {
    fork_orphan ();
  } else if (strcmp (order, "exit-first") == 0) {
    exit_first ();
  } else if (!carry_out_announcement (order)) {
    fprintf (stderr, "child: unknown order %s\n", order);
    exit (113);
  }
}

static void
carry_out (const char *order)
{
  if (strcmp (order, "exit") == 0) {
    exit ((int)next_number ());
  } else if (strcmp (order, "die") == 0) {
    die_by (next_number ());
  } else if (strcmp (order, "out") == 0) {
    print (1, "\n");
  } else if (strcmp (order, "err") == 0) {
    print (2, "\n");
  } else if (strcmp (order, "partial") == 0) {
    print (1, "");
  } else if (strcmp (order, "lines") == 0) {
    print_lines ();
  } else if (strcmp (order, "long") == 0) {
    print_long (next_number ());
  } else if (strcmp (order, "bytes") == 0) {
    print_all_bytes ();
  } else if (strcmp (order, "flood") == 0) {
    flood (next_number ());
  } else if (strcmp (order, "count-until") == 0) {
    count_until ();
  } else if (strcmp (order, "ignore") == 0) {
    ignore ((int)next_number ());
  } else if (strcmp (order, "on-term") == 0) {
    on_term_do ();
  } else if (strcmp (order, "term-stamp") == 0) {
    on_term_file = next ();
    handle_term ();
  } else if (strcmp (order, "stamp") == 0) {
    stamp (next (), "start");
  } else if (strcmp (order, "sleep") == 0) {
    pause_ms (next_number ());
  } else if (strcmp (order, "until") == 0) {
    wait_for_file (next ());
  } else if (strcmp (order, "while") == 0) {
    wait_while_there (next ());
  } else if (strcmp (order, "wait") == 0) {
    wait_for_ever ();
  } else {
    carry_out_rare (order);
  }
}

int
main (int argc, char **argv)
{
  all_arguments = argv;
  arguments = argv + 1;
  while (*arguments)
    carry_out (next ());
  return 0;
}
