/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a program and attacks it at one of its system calls: of its own threads, not of its children, and also
 * after it has executed itself anew. The program has the process number that this one had; who traces it is
 * no relative of it. Without --at, --nth, --place or --unseen nothing is attacked.
 *
 *   syscall-fault [OPTION…] -- PROGRAM [ARGUMENT…]
 *     --list FILE        a line for each call: number, step, thread, name, place, return addresses
 *     --control FILE     the block of fault-control.h, which must be there and long enough
 *     --at N             the N-th call; the numbers go on in the block
 *     --nth N            the N-th call of a step
 *     --place HEX        the first call at this place, as the list names it
 *     --unseen           the first call at a place that the block does not have yet, for this error
 *     --unseen-call      the same, and all places of one call are one
 *     --call NAME        of these only calls of this name
 *     --step N           of these only in this step, as the block says
 *     --kill             SIGKILL before the call (the default)
 *     --kill-after       SIGKILL after it
 *     --fail ERRNO       the call is not made and answers with this error, as ENOMEM
 *     --count K          with --fail: K calls fail, from the first one on, if the kernel may answer them so
 *     --same             with --count: only calls of the name that the first one has
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "trace.h"

extern char **environ;

static void __attribute__ ((noreturn)) die (const char *what, const char *name)
{
  fprintf (stderr, "syscall-fault: %s%s%s\n", what, name != NULL ? " " : "", name != NULL ? name : "");
  _exit (125);
}

static FaultControl *
map_control (const char *path)
{
  int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC) : -1;
  void *block;

  if (path != NULL && fd < 0)
    die ("cannot open", path);
  block = mmap (NULL, sizeof (FaultControl), PROT_READ | PROT_WRITE,
                fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);
  if (block == MAP_FAILED)
    die ("cannot map", path != NULL ? path : "memory");
  if (fd >= 0)
    close (fd);
  return block;
}

static uint64_t
parse_number (const char *text, int base)
{
  char *end;
  uint64_t number;

  errno = 0;
  number = strtoull (text, &end, base);
  if (errno != 0 || *end != '\0' || end == text)
    die ("not a number:", text);
  return number;
}

static void
parse_option (TraceOptions *options, const char *name, const char *value, FaultControl **control)
{
  if (strcmp (name, "list") == 0) {
    options->list = fopen (value, "ae");
    if (options->list == NULL)
      die ("cannot open", value);
  } else if (strcmp (name, "control") == 0) {
    *control = map_control (value);
  } else if (strcmp (name, "at") == 0) {
    options->at = parse_number (value, 10);
  } else if (strcmp (name, "nth") == 0) {
    options->nth = parse_number (value, 10);
  } else if (strcmp (name, "place") == 0) {
    options->place = parse_number (value, 16);
  } else if (strcmp (name, "unseen") == 0) {
    options->unseen = true;
  } else if (strcmp (name, "unseen-call") == 0) {
    options->unseen = options->by_call = true;
  } else if (strcmp (name, "call") == 0) {
    options->call = calls_number (value);
    if (options->call < 0)
      die ("no system call has the name", value);
  } else if (strcmp (name, "step") == 0) {
    options->step = (int64_t)parse_number (value, 10);
  } else if (strcmp (name, "kill") == 0) {
    options->action = TRACE_KILL_BEFORE;
  } else if (strcmp (name, "kill-after") == 0) {
    options->action = TRACE_KILL_AFTER;
  } else if (strcmp (name, "fail") == 0) {
    options->action = TRACE_FAIL;
    options->error = calls_errno (value);
    if (options->error == 0)
      die ("not one of the errors:", value);
  } else if (strcmp (name, "count") == 0) {
    options->length = (unsigned)parse_number (value, 10);
  } else if (strcmp (name, "same") == 0) {
    options->same = true;
  }
}

static char **
parse (int argc, char **argv, TraceOptions *options, FaultControl **control)
{
  static const struct option known[] = {
    { "list", required_argument, NULL, 0 },
    { "control", required_argument, NULL, 0 },
    { "at", required_argument, NULL, 0 },
    { "place", required_argument, NULL, 0 },
    { "nth", required_argument, NULL, 0 },
    { "unseen", no_argument, NULL, 0 },
    { "unseen-call", no_argument, NULL, 0 },
    { "call", required_argument, NULL, 0 },
    { "step", required_argument, NULL, 0 },
    { "kill", no_argument, NULL, 0 },
    { "kill-after", no_argument, NULL, 0 },
    { "fail", required_argument, NULL, 0 },
    { "count", required_argument, NULL, 0 },
    { "same", no_argument, NULL, 0 },
    { 0 },
  };
  int index, found;

  *options = (TraceOptions){ .action = TRACE_KILL_BEFORE, .length = 1, .call = -1, .step = -1 };
  while ((found = getopt_long (argc, argv, "+", known, &index)) != -1) {
    if (found != 0)
      die ("an option is wrong", NULL);
    parse_option (options, known[index].name, optarg, control);
  }
  if (optind == argc)
    die ("no program is given", NULL);
  if (options->at == 0 && options->nth == 0 && options->place == 0 && !options->unseen)
    options->action = TRACE_COUNT;
  if (*control == NULL)
    *control = map_control (NULL);
  return argv + optind;
}

/* The daemon looks for its services by their environment; this is not one. */
static void
forget_environment (void)
{
  for (char **item = environ; *item != NULL; item++)
    memset (*item, 0, strlen (*item));
}

static void __attribute__ ((noreturn))
trace (pid_t pid, const TraceOptions *options, FaultControl *control, int ready_fd)
{
  bool is_traced;

  setsid ();
  forget_environment ();
  is_traced = trace_run (pid, options, control, ready_fd);
  _exit (is_traced ? 0 : 1);
}

/* The tracer must not be a child of the program, which would reap it. */
static void
start_tracer (const TraceOptions *options, FaultControl *control)
{
  pid_t pid = getpid (), child;
  int ready[2];
  char byte;

  if (pipe2 (ready, O_CLOEXEC) != 0)
    die ("cannot make a pipe", NULL);
  prctl (PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  child = fork ();
  if (child < 0)
    die ("cannot fork", NULL);
  if (child == 0) {
    close (ready[0]);
    if (fork () == 0)
      trace (pid, options, control, ready[1]);
    _exit (0);
  }
  close (ready[1]);
  while (waitpid (child, NULL, 0) < 0 && errno == EINTR)
    continue;
  if (read (ready[0], &byte, 1) != 1)
    die ("cannot trace this process", NULL);
  close (ready[0]);
}

int
main (int argc, char **argv)
{
  FaultControl *control = NULL;
  TraceOptions options;
  char **program = parse (argc, argv, &options, &control);

  start_tracer (&options, control);
  execvp (program[0], program);
  die ("cannot execute", program[0]);
}
