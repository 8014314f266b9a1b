/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share and nobody outside may see: the two structs, and who calls whom.
 * process.c makes, signals and frees; output.c reads pipes; reaper.c notices ends.
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

struct _ZinitProcess {
  ZinitProcesses *processes;
  ZinitProcessEvents events;
  gpointer data;
  pid_t pid;
  int pidfd;            /* -1 = there are none here: its end is noticed by SIGCHLD; or it was gone before */
  guint64 start_ticks;  /* clock ticks since the boot; 0 = not asked for yet */
  gboolean has_main;    /* its end has not been told */
  gboolean has_group;   /* nor has that of its group */
  ZinitExit end;        /* of the first process, as far as is known */
  gboolean is_stranger; /* adopted, and not our child */
  char **tags;          /* of an adopted one: "KEY=value" that its group was given */
  gboolean is_unheard;  /* the end of the first process is not watched for, which is tried again */
  gboolean is_held;     /* has ended and is left a zombie, so that the group's number stays ours */
  gboolean is_listed;   /* in the list of what lingers */
  gboolean has_waited;  /* and has been looked at there */
  gboolean is_freed;    /* the struct waits for n_calls to become 0 */
  guint n_calls;        /* how deep we are in its owner's callbacks */
  guint n_absent;       /* surveys in a row that found nothing alive of its group */
  GList lingering;      /* its link there */
  ZinitWatch main_watch;
  ZinitTimer resume_timer;
  ZinitOutput outputs[ZINIT_N_STREAMS];
};

struct _ZinitProcesses {
  ZinitLoop *loop;
  ZinitSpawner spawner;
  GHashTable *by_pid; /* pid_t → ZinitProcess, as long as the number is certainly its own */
  char *buffer;       /* ZINIT_OUTPUT_BUFFER_BYTES, for one read at a time */
  /* The kernel signals a group by a pidfd of its leader (Linux 6.9), also when that has been reaped. Else
   * leaders are held until their group is empty. */
  gboolean has_group_signals;

  int signal_fd; /* for SIGCHLD */
  gboolean has_blocked;
  ZinitWatch signal_watch;
  ZinitTimer sweep_timer;
  gint64 sweep_usec; /* when the last sweep was, CLOCK_MONOTONIC */
  GQueue lingering; /* processes to look at again: the main one cannot be reaped yet, or the group lives on */
  ZinitTimer linger_timer;
  gint64 linger_delay_usec;
  gint64 next_look_usec; /* not into /proc before; CLOCK_MONOTONIC */
  guint n_lingers;       /* ticks of that timer */
};

/* process.c */
/* Around a callback: leave returns FALSE when @process was freed in between and must not be touched. */
void zinit_process_enter (ZinitProcess *process);
gboolean zinit_process_leave (ZinitProcess *process);

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
/* Waits for the end of the first process, by its pidfd. FALSE with errno. */
gboolean zinit_reaper_watch (ZinitProcess *process);
/* The first process has ended; what is left of the group is looked at until it is empty. */
void zinit_reaper_linger (ZinitProcess *process);
/* @process will not be asked for again: what is left of its main process is nobody's. */
void zinit_reaper_forget (ZinitProcess *process);

G_END_DECLS
