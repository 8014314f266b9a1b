/* SPDX-License-Identifier: Apache-2.0
 *
 * One service's processes: a first process that leads its own session and process group, everything in that
 * group, and two output pipes. Made, watched, signalled and reaped here. This layer does not know why a
 * process is started or stopped, or what its output means. Only this folder reaps children; nothing else in
 * the daemon may wait for one.
 */
#pragma once

#include <sys/types.h>

#include "loop/loop.h"
#include "model/definition.h"
#include "process/notify-message.h"

G_BEGIN_DECLS

/* What all processes share: the reaper of orphans, the spawn stack, the read buffer. One for a daemon. */
typedef struct _ZinitProcesses ZinitProcesses;
typedef struct _ZinitProcess ZinitProcess;

/* Makes this process the sub-reaper, blocks SIGCHLD and takes it by signalfd, and raises its soft
 * RLIMIT_NOFILE to the hard one. Call before any thread is started and before many descriptors are open: it
 * keeps three low ones for spawning. */
ZinitProcesses *zinit_processes_new (ZinitLoop *loop, GError **error);
/* All processes must have been freed. Sets the soft RLIMIT_NOFILE back and unblocks SIGCHLD. */
void zinit_processes_free (ZinitProcesses *processes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitProcesses, zinit_processes_free)

/* The soft RLIMIT_NOFILE that services get: the one that the daemon was started with, which a re-executed
 * daemon has to be given. */
guint64 zinit_processes_get_file_limit (const ZinitProcesses *processes);
void zinit_processes_set_file_limit (ZinitProcesses *processes, guint64 limit);
/* @fd is the daemon's lock (borrowed, a low number): a child has it open until its program is executed, so
 * that the next holder of the lock finds each child's record or no child. */
void zinit_processes_set_lock (ZinitProcesses *processes, int fd);

/* Where NOTIFY_SOCKETs are made: a run-time folder, its path and its descriptor, which keeps its number. Both
 * borrowed. Without it none can be made. */
void zinit_processes_set_folder (ZinitProcesses *processes, const char *path, int fd);

/* Called from the loop. Any of them may call any function here, also zinit_process_free() on the process. */
typedef struct {
  /* A line feed has come on its readiness descriptor: once, with @line before it (valid UTF-8). NULL: it was
   * closed without one, and the first process lives on. May be NULL. */
  void (*ready) (ZinitProcess *process, const char *line, gpointer data);
  /* It has sent @message (borrowed) to its NOTIFY_SOCKET. May be NULL. */
  void (*notified) (ZinitProcess *process, const ZinitNotifyMessage *message, gpointer data);
  /* The first process has ended. All output that was in the pipes, and all that it said of
   * itself, has been given before. */
  void (*main_ended) (ZinitProcess *process, const ZinitExit *exit, gpointer data);
  /* Nothing is left of its tree (rule G5). Always after main_ended, once. */
  void (*group_empty) (ZinitProcess *process, gpointer data);
  /* What main_ended did not know; ZINIT_EXIT_UNKNOWN: it will never be known. Before group_empty or after
   * it, once, for a process of which zinit_process_awaits_exit() is TRUE. May be NULL. */
  void (*exit_known) (ZinitProcess *process, const ZinitExit *exit, gpointer data);
  void (*output) (ZinitProcess *process, ZinitStream stream, const char *bytes, gsize length, gpointer data);
  /* There are @wanted bytes to be read: a place for at most *@ret_size of them, which output() gets next, or
   * nothing was read. Never for nothing. May be NULL or return NULL: they are read into a place of our own.
   * Must not free the process. */
  char *(*reserve) (ZinitProcess *process, ZinitStream stream, gsize wanted, gsize *ret_size, gpointer data);
} ZinitProcessEvents;

/* What the child itself appends to a file before it executes the program, so that the next daemon knows of
 * every program that may run: @started, its pid, a blank, its start ticks, @end. If the program was not
 * executed after all, the same with @aborted in place of @started follows. */
typedef struct {
  int fd;              /* opened with O_APPEND; a low number, as all up to it are copied for the child */
  const char *started; /* ZINIT_MAX_RECORD_BYTES with all the rest */
  const char *aborted;
  const char *end;
} ZinitStartRecord;

typedef struct {
  const ZinitDefinition *definition; /* what is FIXED of [service], and [limits], is used */
  const char *const *tags; /* "KEY=value" set in the child's environment after all others, and then ZINIT_PID,
                              which is its own pid; NULL = none of them */
  const char *const *variables; /* the same of this start, which do not tell the run; NULL = none */
  guint64 run;                  /* number of this start of the service */
  gboolean is_mute;             /* its standard output is /dev/null, not a pipe */
  gboolean uses_reserve;        /* the daemon's own: it may have the descriptors that services may not have */
  const ZinitStartRecord *record; /* NULL = none is written */
} ZinitSpawnRequest;

/* Starts a process: own session, stdin /dev/null, stdout and stderr pipes, no other descriptor, empty signal
 * mask, default dispositions, the soft RLIMIT_NOFILE that the daemon was started with. Returns once exec has
 * succeeded. A list of words or a plain line of them is executed directly, any other line by /bin/sh -c. Its
 * pipe ends are open for reading and writing, so that it gets no SIGPIPE when the daemon dies. For another
 * user than the daemon's the child is forked and given up when it has not come to exec in 3 s, since that
 * user could hold it. The child keeps the lock of zinit_processes_set_lock() until exec, and does not execute
 * the program if the daemon has ended meanwhile. On failure NULL and ZINIT_ERROR_SPAWN_FAILED, "STEP WHAT:
 * errno's text" (steps: pipe, user, group, clone, session, stdio, groups, chdir, exec, nice, oom_score_adj,
 * no_new_privs,
 * capabilities, limit), or "no descriptors left (limit N)". Transfer full. */
ZinitProcess *zinit_process_spawn (ZinitProcesses *processes, const ZinitSpawnRequest *request,
                                   const ZinitProcessEvents *events, gpointer data, GError **error);
/* A process that an earlier daemon started, or this one before it executed itself anew. */
typedef struct {
  pid_t pid;
  guint64 start_ticks;               /* 0 = not known */
  int pidfd;                         /* proven to be that process; taken over; -1 if main_ended */
  int outputs[ZINIT_N_STREAMS];      /* the daemon's ends of its pipes; taken over; -1 = none */
  gboolean main_ended;               /* it is gone, but not all of its group */
  const ZinitDefinition *definition; /* that it was started with; NULL = it has nothing to say of itself */
  gboolean is_starting;              /* it may still have to say that it is ready */
  /* What it says that on, as it was handed over; taken over; 0 = they are opened anew, and what was said
   * meanwhile is lost */
  int ready_fd, notify_fd;
  /* The tags of its whole group, as in a ZinitSpawnRequest; NULL = not known. Without a first process nothing
   * else tells which processes belong to it. */
  const char *const *tags;
} ZinitAdoption;

/* Adopts such a process as if it had been spawned here. If it is not our child, its end is noticed by its
 * pidfd, and how it ended may be known later, when its parent has reaped it, or never: the kernel tells it
 * from Linux 6.15 on. If its first process is gone there is no main_ended, only group_empty, when no process
 * with the tags is left in the group. What cannot be watched now is watched a moment later. Transfer full. */
ZinitProcess *zinit_process_adopt (ZinitProcesses *processes, const ZinitAdoption *adoption,
                                   const ZinitProcessEvents *events, gpointer data);
/* Stops watching and closes the descriptors. Kills nothing; a main process that ends later is reaped as an
 * orphan. */
void zinit_process_free (ZinitProcess *process);

pid_t zinit_process_get_pid (const ZinitProcess *process); /* of the first process; stays when it has ended */
/* When it started: field 22 of /proc/PID/stat, clock ticks since the boot. 0 when that cannot be known any
 * more. With the boot it makes the pid unique. */
guint64 zinit_process_get_start_ticks (ZinitProcess *process);
/* The daemon's end of a pipe; -1 when it is at its end. Stays the process's. */
int zinit_process_get_output (const ZinitProcess *process, ZinitStream stream);
/* The daemon's ends of what it says on that it is ready; -1 = none. Stay the process's. */
int zinit_process_get_ready_fd (const ZinitProcess *process);
int zinit_process_get_notify_fd (const ZinitProcess *process);
/* The pidfd of a first process that lives and is not our child: how it ends is known by it alone. Else -1.
 * Stays the process's. */
int zinit_process_get_non_child (const ZinitProcess *process);
gboolean zinit_process_has_main (const ZinitProcess *process); /* the first process has not ended */
/* It has ended, it is not known how, and exit_known will be called once its parent has reaped it, which may
 * be never. */
gboolean zinit_process_awaits_exit (const ZinitProcess *process);

typedef enum { ZINIT_WHOM_MAIN, ZINIT_WHOM_ALL } ZinitWhom;

/* Signals the main process or its whole tree, never anything else, also when numbers were used again
 * meanwhile; each once, as it is now. Returns FALSE when there is nothing left to signal (no error) or, with
 * @error set, when the kernel refused. */
gboolean zinit_process_signal (ZinitProcess *process, int signo, ZinitWhom whom, GError **error);

/* Of the main process alone: sends it @signo, and SIGCONT after any but SIGKILL. Else stops the whole tree:
 * sends @signo, and SIGCONT after any but SIGKILL, to all that is there, looks through it again until two
 * looks agree, and until group_empty to each of its processes that loses its parent. SIGKILL is sent again
 * and again, at most 100 ms apart. Another call begins anew with its signal. Results as
 * zinit_process_signal(); what left the group is signalled in the next turn of the loop. */
gboolean zinit_process_stop (ZinitProcess *process, int signo, ZinitWhom whom, GError **error);

/* The oldest living process of the tree by start time, then by number. FALSE when there is none. For a main
 * process that went to the background (rule G6): the caller records what it got, and when that is durable
 * calls zinit_process_adopt_main(). */
gboolean zinit_process_find_oldest (ZinitProcess *process, pid_t *ret_pid, guint64 *ret_start_ticks);
/* When @pid started. FALSE when it is no living process of the tree. */
gboolean zinit_process_find_member (ZinitProcess *process, pid_t pid, guint64 *ret_start_ticks);
/* @pid, which began at @start_ticks (clock ticks since the boot) and must be of the tree, becomes the main
 * process in the place of the one that has ended; call it between main_ended and group_empty, also from
 * main_ended. All of the tree stays in it, output is read on, and main_ended is called again at its end.
 * FALSE with ZINIT_ERROR_FAILED when it has ended meanwhile or cannot be watched: then nothing has changed,
 * and another may be tried. */
gboolean zinit_process_adopt_main (ZinitProcess *process, pid_t pid, guint64 start_ticks, GError **error);

typedef struct {
  guint64 cpu_usec;     /* user and system time of the tree's processes that live */
  guint64 memory_bytes; /* resident, summed; shared pages are counted for each */
  GArray *processes;    /* ZinitProcessInfo, sorted by pid */
} ZinitProcessStats;

typedef struct {
  pid_t pid;
  char name[16]; /* comm, NUL-terminated, not necessarily UTF-8 */
} ZinitProcessInfo;

/* Of all that lives of the tree of @process now: its session and group, what descends from them, and what
 * left them and came to this daemon. Costs as many reads of /proc as there are such processes, and one of our
 * children at most every 16 times as long as that takes: one that has lost its parent in the last
 * milliseconds may be missing. Of a process that an earlier daemon started, what left its session and has
 * lost its parent is not counted. Clear with zinit_process_stats_clear(). */
void zinit_process_read_stats (ZinitProcess *process, ZinitProcessStats *ret_stats);
/* The same for @n_processes, of which NULL ones are given as nothing. @ret_stats has as many. */
void zinit_processes_read_stats (ZinitProcess *const *processes, guint n_processes,
                                 ZinitProcessStats *ret_stats);
void zinit_process_stats_clear (ZinitProcessStats *stats);

G_END_DECLS
