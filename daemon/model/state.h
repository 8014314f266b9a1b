/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary of a service's life: its states, why it failed, how its process ended, and what is wanted of
 * it. Pure values and their spellings; who changes them is the supervisor.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ZINIT_STATE_INACTIVE, /* never started, or stopped before it had a process */
  ZINIT_STATE_BLOCKED,  /* wants to start and waits for others */
  ZINIT_STATE_STARTING, /* has a process that is not ready */
  ZINIT_STATE_RUNNING,  /* up */
  ZINIT_STATE_STOPPING, /* its processes were told to end, or what its first process left behind is cleared */
  ZINIT_STATE_EXITED,   /* ended well, or because it was told to */
  ZINIT_STATE_FAILED,   /* ended badly or could not start; ZinitFailure says why */
  ZINIT_N_STATES
} ZinitState;

/* The lower-case words of the bus and of state.json; NULL-terminated, in enum order. */
extern const char *const zinit_state_words[];
/* One of them; never NULL. */
const char *zinit_state_to_string (ZinitState state);
/* starting, running or stopping: there are processes. */
gboolean zinit_state_is_active (ZinitState state);

/* Where exactly a service stands; follows from its state and what is intended with it (rule A3). */
typedef enum {
  ZINIT_SUB_STATE_INACTIVE,   /* never started */
  ZINIT_SUB_STATE_WAITING,    /* blocked */
  ZINIT_SUB_STATE_STARTING,   /* executed, not ready */
  ZINIT_SUB_STATE_RUNNING,    /* up; a oneshot: at work */
  ZINIT_SUB_STATE_STOPPING,   /* has got its stop signal */
  ZINIT_SUB_STATE_KILLING,    /* has got SIGKILL */
  ZINIT_SUB_STATE_DONE,       /* a oneshot that succeeded: up */
  ZINIT_SUB_STATE_ENDED,      /* by itself, and stays down */
  ZINIT_SUB_STATE_STOPPED,    /* on request */
  ZINIT_SUB_STATE_RESTARTING, /* backing off */
  ZINIT_SUB_STATE_HELD,       /* down with what it requires; comes back with it */
  ZINIT_SUB_STATE_GIVEN_UP,   /* its retries are used up */
  ZINIT_SUB_STATE_FAILED,
  ZINIT_N_SUB_STATES
} ZinitSubState;

/* "inactive", "given-up", … as on the bus. */
const char *zinit_sub_state_to_string (ZinitSubState sub_state);

typedef enum {
  ZINIT_FAILURE_NONE,
  ZINIT_FAILURE_EXIT_CODE, /* number = code */
  ZINIT_FAILURE_SIGNAL,    /* number = signal */
  ZINIT_FAILURE_START_TIMEOUT,
  ZINIT_FAILURE_STOP_TIMEOUT,
  ZINIT_FAILURE_HEALTH_CHECK_FAILED, /* number = attempts */
  ZINIT_FAILURE_DEPENDENCY_FAILED,   /* text = service */
  ZINIT_FAILURE_SPAWN_ERROR,         /* text = message */
  ZINIT_FAILURE_MISSING_DEPENDENCY,  /* text = dependency */
  ZINIT_FAILURE_NOT_READY,           /* text = message */
  ZINIT_FAILURE_WATCHDOG,
  ZINIT_N_FAILURES
} ZinitFailureType;

typedef struct {
  ZinitFailureType type;
  gint32 number; /* meaning by type, 0 if unused */
  char *text;    /* meaning by type, owned, NULL if unused */
} ZinitFailure;

/* "exit_code", "signal", … as on the bus and in state.json; "none" for ZINIT_FAILURE_NONE. */
const char *zinit_failure_type_to_string (ZinitFailureType type);
gboolean zinit_failure_type_from_string (const char *text, ZinitFailureType *ret_type);
/* The name of the field beside "type" ("code", "signal", "attempts", "service", "message", "dependency"), or
 * NULL when the type has none. */
const char *zinit_failure_field_name (ZinitFailureType type);
/* TRUE when that field is text, FALSE when it is a number or there is none. */
gboolean zinit_failure_field_is_text (ZinitFailureType type);
void zinit_failure_clear (ZinitFailure *failure);
void zinit_failure_copy (const ZinitFailure *from, ZinitFailure *to); /* clears @to first */
gboolean zinit_failure_equal (const ZinitFailure *a, const ZinitFailure *b);
/* For people, untranslated: "exited with code 3", "killed by SIGKILL (9)", "missing dependency redis", …;
 * "" for none. Transfer full. */
char *zinit_failure_describe (const ZinitFailure *failure);

typedef enum {
  ZINIT_EXIT_NONE,    /* has not ended yet */
  ZINIT_EXIT_EXITED,  /* value = exit code */
  ZINIT_EXIT_KILLED,  /* value = signal */
  ZINIT_EXIT_UNKNOWN, /* ended, but the kernel did not tell how (a process that was not our child) */
} ZinitExitKind;

/* How a service's first process ended. */
typedef struct {
  ZinitExitKind kind;
  gint32 value;
} ZinitExit;

/* "none", "exited", "killed"; an unknown end is "exited" with code -1 on the bus. */
const char *zinit_exit_kind_to_string (ZinitExitKind kind);

typedef enum {
  ZINIT_WANTED_START,  /* kept up */
  ZINIT_WANTED_STOP,   /* kept down */
  ZINIT_WANTED_IGNORE, /* left to hand */
  ZINIT_N_WANTED
} ZinitWanted;

typedef enum { ZINIT_CLASS_USER, ZINIT_CLASS_SYSTEM, ZINIT_N_CLASSES } ZinitClass;

typedef enum {
  ZINIT_RESTART_ALWAYS,
  ZINIT_RESTART_ON_FAILURE,
  ZINIT_RESTART_NEVER,
  ZINIT_N_RESTARTS
} ZinitRestart;

/* What a stop is for (rule F2). */
typedef enum {
  ZINIT_KILL_MODE_TREE,  /* all of the service */
  ZINIT_KILL_MODE_MIXED, /* its main process, and with that one's end SIGKILL for the rest */
  ZINIT_KILL_MODE_MAIN,  /* its main process alone: what it leaves is nobody's */
  ZINIT_N_KILL_MODES
} ZinitKillMode;

typedef enum { ZINIT_STREAM_STDOUT, ZINIT_STREAM_STDERR, ZINIT_N_STREAMS } ZinitStream;

/* Words as in a definition ("start", "user", "on-failure", "stdout"); NULL-terminated, in enum order. */
extern const char *const zinit_wanted_words[];
extern const char *const zinit_class_words[];
extern const char *const zinit_restart_words[];
extern const char *const zinit_kill_mode_words[];
extern const char *const zinit_stream_words[];

G_END_DECLS
