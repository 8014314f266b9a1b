/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share and nobody outside may see: the two structs, and who calls whom.
 * process.c makes, signals and frees; output.c reads pipes; reaper.c notices ends; tree.c is all that belongs
 * to a process, strays.c what left it; pending-exits.c looks again at what the kernel does not tell.
 */
#pragma once

#include "process/process.h"
#include "process/spawn.h"

G_BEGIN_DECLS

#define ZINIT_OUTPUT_BUFFER_BYTES (64 * 1024)

/* One pipe of a process, the daemon's end. */
typedef struct {
  ZinitWatch watch;
  int fd;             /* -1 = at its end */
  guint period_bytes; /* read since period_usec */
  gint64 period_usec; /* CLOCK_MONOTONIC */
} ZinitOutput;

/* A descriptor on which a process says something of itself, the daemon's end. */
typedef struct {
  ZinitWatch watch;
  int fd; /* -1 = none */
} ZinitChannel;

/* A process that belongs to a tree, or to none, and that neither its main process nor its leader is: it came
 * to this daemon when its parent ended, or it was found by its tags. */
typedef struct {
  pid_t pid;
  guint64 start_ticks; /* since the boot */
  ZinitProcess *owner; /* NULL = nobody's */
  int pidfd;           /* -1 = our child: until it is reaped, its number is its own */
  gboolean has_heard;  /* the signal of this stop, and does with it what it likes */
} ZinitStray;

/* A stop that is going on (rule F3). */
typedef struct {
  int signo;             /* 0 = none is going on */
  guint64 ticks;         /* when the signal was sent, clock ticks since the boot */
  GHashTable *signalled; /* pid → start ticks of those outside the group that have got it; NULL = none */
  gboolean has_settled;  /* two looks have agreed */
  gboolean is_listed;
  GList link; /* in ZinitProcesses.stops */
} ZinitStop;

struct _ZinitProcess {
  ZinitProcesses *processes;
  ZinitProcessEvents events;
  gpointer data;
  pid_t pid;
  int pidfd;             /* -1 = there are none here: its end is noticed by SIGCHLD; or it was gone before */
  guint64 start_ticks;   /* clock ticks since the boot; 0 = not asked for yet */
  pid_t leader;          /* of the session and the group: the first main process */
  int leader_fd;         /* its pidfd when it is not the main process any more; else -1 */
  gboolean has_main;     /* its end has not been told */
  gboolean has_group;    /* nor has that of its tree */
  ZinitExit end;         /* of the main process, as far as is known */
  gboolean is_non_child; /* adopted, and not our child */
  gboolean is_adopted;   /* by a daemon that is not its parent: what loses its parent does not come here */
  char **tags;           /* "KEY=value", that the whole tree was given; NULL = not known */
  char *service;         /* as its tags say; NULL = they do not */
  guint64 run;           /* the same; 0 = they do not */
  uid_t uid;             /* that it was started with */
  gboolean has_uid;
  guint64 execution_ticks; /* under which it is in ZinitProcesses.executions; 0 = it is not */
  gboolean is_unheard;     /* the end of the main process is not watched for, which is tried again */
  gboolean is_held;    /* the leader has ended and is left a zombie, so that its group's number stays ours */
  gboolean is_listed;  /* among the pending exits */
  gboolean has_waited; /* and has been looked at there */
  gboolean is_freed;   /* the struct waits for n_calls to become 0 */
  guint n_calls;       /* how deep we are in its owner's callbacks */
  guint n_absent;      /* scans in a row that found nothing alive of its group */
  GList pending_exit;  /* its link there */
  GPtrArray *strays;   /* ZinitStray, borrowed; NULL = none */
  ZinitStop stop;
  ZinitWatch main_watch;
  ZinitTimer resume_timer;
  ZinitOutput outputs[ZINIT_N_STREAMS];

  /* announce.c */
  ZinitChannel ready;
  GString *ready_line; /* what has come on it; NULL = nothing */
  ZinitTimer closed_timer;
  ZinitChannel notify;
  char *notify_path; /* NULL = none */
  gboolean has_warned;
};

struct _ZinitProcesses {
  ZinitLoop *loop;
  ZinitSpawner spawner;
  int folder_fd;      /* the run-time folder, borrowed; -1 = none */
  const char *folder; /* its path, borrowed; NULL = none */
  /* pid_t → ZinitProcess, for main processes and leaders, as long as the number is certainly its own */
  GHashTable *by_pid;
  GHashTable *by_run; /* a set of ZinitProcess by service and run */
  char *buffer;       /* ZINIT_OUTPUT_BUFFER_BYTES, for one read at a time */
  /* The kernel signals a group by a pidfd of its leader (Linux 6.9), also when that has been reaped. Else
   * leaders are held until their group is empty. */
  gboolean has_group_signals;

  /* reaper.c */
  int signal_fd; /* for SIGCHLD */
  gboolean has_blocked;
  ZinitWatch signal_watch;
  ZinitTimer reap_timer;
  gint64 reaped_usec; /* when all were reaped last, CLOCK_MONOTONIC */

  /* pending-exits.c */
  GQueue
      pending_exits; /* processes to look at again: the main one cannot be reaped yet, or the tree lives on */
  ZinitTimer pending_exit_timer;
  gint64 pending_exit_delay_usec;
  gint64 next_scan_usec; /* no scan of /proc before; CLOCK_MONOTONIC */
  guint n_looks;         /* ticks of that timer */

  /* strays.c */
  GHashTable *strays;      /* pid_t → ZinitStray, owned */
  guint64 strays_turn;     /* of the loop, when our children were read last */
  guint64 scan_turn;       /* the same of the scan for tags */
  gint64 next_tags_usec;   /* no such scan before, where it can wait; CLOCK_MONOTONIC */
  GPtrArray *touched;      /* ZinitProcess of which a stray was reaped just now */
  gint64 next_strays_usec; /* they are not read before, where that can wait; CLOCK_MONOTONIC */
  GArray *executions;      /* Execution, by time */
  guint64 forgotten_ticks; /* executions up to then are not in there any more */

  /* tree.c */
  GQueue stops;
  ZinitTimer stop_timer;
  gint64 stop_delay_usec;
};

/* process.c */
/* Around a callback: leave returns FALSE when @process was freed in between and must not be touched. */
void zinit_process_enter (ZinitProcess *process);
gboolean zinit_process_leave (ZinitProcess *process);
/* Those of "KEY=value" @tags that tell the run. */
void zinit_process_set_tags (ZinitProcess *process, const char *const *tags);
/* All that a process begins with, for a spawned and an adopted one. */
ZinitProcess *zinit_process_new (ZinitProcesses *processes, pid_t pid, int pidfd,
                                 const ZinitProcessEvents *events, gpointer data);

/* output.c */
void zinit_output_close (ZinitProcess *process, ZinitStream stream);
/* Gives what is in the pipes now. FALSE when @process was freed in a callback. */
gboolean zinit_output_drain (ZinitProcess *process);
/* Waits for output, and for the end of the first process. It runs already: what cannot be waited for now is
 * tried again. */
void zinit_output_watch_all (ZinitProcess *process);
void zinit_output_resume (ZinitTimer *timer);

/* reaper.c */
gboolean zinit_reaper_init (ZinitProcesses *processes, GError **error);
void zinit_reaper_clear (ZinitProcesses *processes);
void zinit_reaper_main_readable (ZinitWatch *watch, guint32 events);
/* Waits for the end of the main process, by its pidfd. FALSE with errno. */
gboolean zinit_reaper_watch (ZinitProcess *process);
/* All that have ended are reaped soon. */
void zinit_reaper_wake (ZinitProcesses *processes);
/* Reaps our child @pid, whose number is its own until then: nothing else reaps. */
void zinit_reaper_reap (pid_t pid);
/* Reports the end of a main process that is our child. FALSE when it has not ended, or a debugger has it
 * still; TRUE also when @process was freed in the callback. */
gboolean zinit_reaper_try_end (ZinitProcess *process);
/* A child of ours has ended that is no main process: reaps it, after it was judged whose it is. */
void zinit_reaper_reap_other (ZinitProcesses *processes, pid_t pid);
/* Reports that the main process has ended. FALSE when @process was freed in the callback. */
gboolean zinit_reaper_report_end (ZinitProcess *process);
/* @process will not be asked for again: what is left of its main process is nobody's. */
void zinit_reaper_forget (ZinitProcess *process);

/* pending-exits.c */
/* The main process has ended, and its parent has not reaped it, or something is left of its tree: looked at
 * again until all is told. */
void zinit_pending_exit_add (ZinitProcess *process);
void zinit_pending_exit_remove (ZinitProcess *process);
void zinit_pending_exits_clear (ZinitProcesses *processes);
/* From @began_usec until now /proc was scanned: the next scan has to wait for a multiple of that. */
void zinit_pending_exits_back_off (ZinitProcesses *processes, gint64 began_usec);

G_END_DECLS
