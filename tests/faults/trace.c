/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop around waitpid(2) and what is done at each stop. Knows no option's name and no file.
 */
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "place.h"

enum { MAX_THREADS = 64 };

/* A thread between the beginning and the end of a call that is attacked. */
typedef struct {
  pid_t tid; /* 0 = free */
  int error; /* what the call answers; 0 = killed after it */
} Attacked;

typedef struct {
  pid_t pid;
  const TraceOptions *options;
  FaultControl *control;
  PlaceMap *map; /* NULL = the program has not been executed yet */
  Attacked attacked[MAX_THREADS];
  unsigned left;      /* calls that are to fail still */
  long kind;          /* of call that fails, with options->same */
  bool is_over;       /* nothing more is counted, so nothing need stop */
  uint64_t last_seen; /* place of the last call, for the list */
} Tracer;

static void
set_register (pid_t tid, size_t offset, long value)
{
  ptrace (PTRACE_POKEUSER, tid, offset, value);
}

/* The call is not made. */
static void
skip_call (pid_t tid)
{
  set_register (tid, offsetof (struct user_regs_struct, orig_rax), -1);
}

static void
set_result (pid_t tid, long value)
{
  set_register (tid, offsetof (struct user_regs_struct, rax), value);
}

static Attacked *
find_attacked (Tracer *tracer, pid_t tid)
{
  for (int i = 0; i < MAX_THREADS; i++)
    if (tracer->attacked[i].tid == tid)
      return &tracer->attacked[i];
  return NULL;
}

static void
mark_attacked (Tracer *tracer, pid_t tid, int error)
{
  Attacked *attacked = find_attacked (tracer, 0);

  if (attacked != NULL)
    *attacked = (Attacked){ tid, error };
}

/* True the first time. One place counts once for each error, whatever the step. */
static bool
note_seen (Tracer *tracer, const FaultCall *call)
{
  FaultControl *control = tracer->control;
  uint64_t place = tracer->options->by_call ? (uint64_t)call->call << 1 | call->is_main : call->place;
  uint64_t key = place ^ (uint64_t)tracer->options->error << 48;
  uint64_t slot = key % FAULT_SEEN_SLOTS;

  key += key == 0;
  while (control->seen[slot] != 0 && control->seen[slot] != key)
    slot = (slot + 1) % FAULT_SEEN_SLOTS;
  if (control->seen[slot] == key || control->n_seen >= FAULT_SEEN_SLOTS / 2)
    return false;
  control->seen[slot] = key;
  control->n_seen++;
  return true;
}

/* Those that do not return, or whose result has no room for an error. */
static bool
may_answer (long call)
{
  return call != SYS_exit && call != SYS_exit_group && call != SYS_rt_sigreturn &&
         call != SYS_restart_syscall;
}

/* Whether the kernel may answer this very call with the error. */
static bool
may_fail (const Tracer *tracer, long call, const uint64_t *arguments)
{
  char path[64], target[8];

  if (!calls_may_fail (call, tracer->options->error, arguments))
    return false;
  if (!calls_fails_on_files (call, tracer->options->error))
    return true;
  snprintf (path, sizeof path, "/proc/%d/fd/%d", (int)tracer->pid, (int)arguments[0]);
  return readlink (path, target, sizeof target) > 0 && target[0] == '/';
}

static bool
is_chosen (Tracer *tracer, const FaultCall *call, const uint64_t *arguments)
{
  const TraceOptions *options = tracer->options;

  if (options->action == TRACE_COUNT || tracer->control->n_hits > 0 ||
      (options->at != 0 && call->number != options->at) ||
      (options->nth != 0 && call->in_step != options->nth) ||
      (options->place != 0 && call->place != options->place) ||
      (options->call >= 0 && call->call != options->call) ||
      (options->step >= 0 && call->step != options->step))
    return false;
  if (options->action == TRACE_FAIL &&
      !(options->unseen ? may_fail (tracer, call->call, arguments) : may_answer (call->call)))
    return false;
  return !options->unseen || note_seen (tracer, call);
}

static bool
fails_too (const Tracer *tracer, long call, const uint64_t *arguments)
{
  return tracer->left > 0 && (!tracer->options->same || call == tracer->kind) &&
         may_fail (tracer, call, arguments);
}

/* A descriptor is closed whatever close(2) says: the call is made and its result replaced. */
static void
fail_call (Tracer *tracer, pid_t tid, long call)
{
  tracer->left--;
  tracer->is_over = tracer->left == 0;
  if (call != SYS_close)
    skip_call (tid);
  mark_attacked (tracer, tid, tracer->options->error);
}

static void
hit (Tracer *tracer, pid_t tid, const FaultCall *call)
{
  tracer->control->hit = *call;
  tracer->control->n_hits = 1;
  switch (tracer->options->action) {
  case TRACE_KILL_BEFORE:
    kill (tracer->pid, SIGKILL);
    break;
  case TRACE_KILL_AFTER:
    mark_attacked (tracer, tid, 0);
    break;
  default:
    tracer->left = tracer->options->length;
    tracer->kind = call->call;
    fail_call (tracer, tid, call->call);
  }
}

static void
list_call (Tracer *tracer, const FaultCall *call)
{
  const char *name = calls_name (call->call);

  fprintf (tracer->options->list, "%lu step %u %s%d %s %016lx %s", call->number, call->step,
           call->is_main ? "" : "thread ", (int)call->tid, name != NULL ? name : "?", call->place,
           call->place == tracer->last_seen ? "again" : "new");
  for (int i = 0; i < FAULT_MAX_FRAMES && call->frames[i] != 0; i++)
    fprintf (tracer->options->list, " %lx", call->frames[i]);
  fputc ('\n', tracer->options->list);
  fflush (tracer->options->list);
  tracer->last_seen = call->place;
}

static bool
needs_place (const TraceOptions *options)
{
  return options->unseen || options->place != 0 || options->list != NULL;
}

static void
count_call (FaultControl *control, FaultCall *call)
{
  call->number = ++control->n_calls;
  call->step = control->step;
  if (control->counted_step != call->step)
    control->n_step_calls = 0;
  control->counted_step = call->step;
  call->in_step = ++control->n_step_calls;
}

static void
on_entry (Tracer *tracer, pid_t tid, const struct __ptrace_syscall_info *info)
{
  FaultCall call = { .call = (int32_t)info->entry.nr, .tid = tid, .is_main = tid == tracer->pid };
  const TraceOptions *options = tracer->options;

  if (tracer->control->stop != 0)
    tracer->is_over = true;
  if (tracer->map == NULL || tracer->is_over)
    return;
  count_call (tracer->control, &call);
  if (needs_place (options) || options->at == call.number || options->nth == call.in_step)
    place_find (tracer->map, info->stack_pointer, &call);
  if (options->list != NULL)
    list_call (tracer, &call);
  if (is_chosen (tracer, &call, info->entry.args))
    hit (tracer, tid, &call);
  else if (fails_too (tracer, call.call, info->entry.args))
    fail_call (tracer, tid, call.call);
}

static void
on_exit_of_call (Tracer *tracer, pid_t tid)
{
  Attacked *attacked = find_attacked (tracer, tid);

  if (attacked == NULL)
    return;
  if (attacked->error != 0)
    set_result (tid, -attacked->error);
  else
    kill (tracer->pid, SIGKILL);
  attacked->tid = 0;
}

static void
on_call (Tracer *tracer, pid_t tid)
{
  struct __ptrace_syscall_info info;

  if (ptrace (PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0)
    return;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
    on_entry (tracer, tid, &info);
  else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
    on_exit_of_call (tracer, tid);
}

/* The first thread has the process's number afterwards, whichever of them has called. */
static void
on_exec (Tracer *tracer)
{
  place_map_free (tracer->map);
  tracer->map = place_map_new (tracer->pid);
}

/* The signal that the thread goes on with, or -1 when it must stay stopped. */
static int
handle_stop (Tracer *tracer, pid_t tid, int status)
{
  int signo = WSTOPSIG (status);

  switch (status >> 16) {
  case PTRACE_EVENT_STOP:
    return signo == SIGTRAP ? 0 : -1;
  case PTRACE_EVENT_EXEC:
    on_exec (tracer);
    return 0;
  case 0:
    if (signo != (SIGTRAP | 0x80))
      return signo;
    on_call (tracer, tid);
    return 0;
  default:
    return 0;
  }
}

/* Calls of other steps are not attacked, so the process runs at its own speed then. */
static bool
is_asleep (const Tracer *tracer)
{
  return tracer->options->step >= 0 && tracer->control->step != tracer->options->step &&
         tracer->options->list == NULL;
}

/* A thread that runs at its own speed has to stop once before its calls can be seen. */
static void
note_step (Tracer *tracer)
{
  char path[64];
  const struct dirent *entry;
  DIR *tasks;

  if (tracer->control->noted_step == tracer->control->step)
    return;
  snprintf (path, sizeof path, "/proc/%d/task", (int)tracer->pid);
  tasks = is_asleep (tracer) || tracer->is_over ? NULL : opendir (path);
  while (tasks != NULL && (entry = readdir (tasks)) != NULL)
    if (entry->d_name[0] != '.')
      ptrace (PTRACE_INTERRUPT, atoi (entry->d_name), 0, 0);
  if (tasks != NULL)
    closedir (tasks);
  tracer->control->noted_step = tracer->control->step;
}

static void
go_on (Tracer *tracer, pid_t tid, int signo)
{
  /* An attacked call has an end to stop at. */
  bool stops = (!tracer->is_over && !is_asleep (tracer)) || find_attacked (tracer, tid) != NULL;

  if (signo < 0)
    ptrace (PTRACE_LISTEN, tid, 0, 0);
  else
    ptrace (stops ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0, (long)signo);
}

static bool
attach (pid_t pid, int ready_fd)
{
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
  int status;

  return ptrace (PTRACE_SEIZE, pid, 0, options) == 0 && ptrace (PTRACE_INTERRUPT, pid, 0, 0) == 0 &&
         waitpid (pid, &status, __WALL) == pid && WIFSTOPPED (status) && write (ready_fd, "", 1) == 1 &&
         ptrace (PTRACE_SYSCALL, pid, 0, 0) == 0;
}

/* It only ends the wait. */
static void
on_wake_up (int signo)
{
}

bool
trace_run (pid_t pid, const TraceOptions *options, FaultControl *control, int ready_fd)
{
  struct sigaction wakes_up = { .sa_handler = on_wake_up };
  Tracer tracer = { .pid = pid, .options = options, .control = control };
  int status;
  pid_t tid;

  sigaction (SIGUSR1, &wakes_up, NULL);
  control->tracer = getpid ();
  control->noted_step = control->step;
  if (!attach (pid, ready_fd))
    return false;
  while ((tid = waitpid (-1, &status, __WALL)) > 0 || errno == EINTR) {
    if (tid > 0 && WIFSTOPPED (status))
      go_on (&tracer, tid, handle_stop (&tracer, tid, status));
    note_step (&tracer);
  }
  place_map_free (tracer.map);
  control->tracer = 0;
  return true;
}
