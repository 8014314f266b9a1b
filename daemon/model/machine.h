/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a service as two tables: what to do for each event in each state, and which changes of state
 * there are. Pure: it decides, the supervisor does. Every event is legal in every state.
 */
#pragma once

#include "model/definition.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_EVENT_START, /* it is to be up */
  ZINIT_EVENT_STOP,  /* it is to be down */
  ZINIT_EVENT_DEPENDENCY_CHANGED,
  ZINIT_EVENT_RESTART_DUE, /* the back-off is over */
  ZINIT_EVENT_START_TIMEOUT,
  ZINIT_EVENT_READY,
  ZINIT_EVENT_NOT_READY,   /* it has given to understand that it will not be */
  ZINIT_EVENT_WATCHDOG,    /* it does not say any more that it is well */
  ZINIT_EVENT_MAIN_ENDED,  /* the first process ended; the rest of its group may live on */
  ZINIT_EVENT_GROUP_EMPTY, /* nothing of it is left */
  ZINIT_EVENT_STOP_TIMEOUT,
  ZINIT_EVENT_RESET, /* its failure is to be forgotten */
  ZINIT_N_EVENTS
} ZinitEvent;

typedef enum {
  ZINIT_ACTION_IGNORE,         /* nothing to do */
  ZINIT_ACTION_EVALUATE,       /* ask the graph: start, wait or fail */
  ZINIT_ACTION_EVALUATE_HELD,  /* the same, but only if it is held by a dependency, not at rest */
  ZINIT_ACTION_BLOCK_EVALUATE, /* pass through blocked, then ask the graph */
  ZINIT_ACTION_CANCEL,         /* give up waiting: blocked becomes inactive, a pending restart is forgotten */
  ZINIT_ACTION_BEGIN_STOP,     /* stop signal, clock started */
  ZINIT_ACTION_BECOME_RUNNING, /* it is up */
  ZINIT_ACTION_FAIL_START,     /* as a stop, because the start took too long */
  ZINIT_ACTION_GIVE_UP_START,  /* the same, because it will not be ready */
  ZINIT_ACTION_FAIL_WATCHDOG,  /* the same, because its watchdog says so */
  ZINIT_ACTION_CLEAN_UP,       /* the same, because the main process left others behind */
  ZINIT_ACTION_CHANGE_CAUSE,   /* the stop under way is one that was asked for */
  ZINIT_ACTION_KILL,           /* SIGKILL to everything left */
  ZINIT_ACTION_KILL_REST,   /* the same, where the main process has ended and the rest has not to be asked */
  ZINIT_ACTION_START_AFTER, /* remember to start again once it has stopped */
  ZINIT_ACTION_FINISH,      /* it is over: decide between exited and failed, and on a restart */
  ZINIT_ACTION_CLEAR,       /* failed becomes inactive */
  ZINIT_N_ACTIONS
} ZinitAction;

/* Why a service is stopping. */
typedef enum {
  ZINIT_STOP_CAUSE_NONE,
  ZINIT_STOP_CAUSE_REQUESTED,
  ZINIT_STOP_CAUSE_DEPENDENCY,    /* something that it requires is stopped */
  ZINIT_STOP_CAUSE_START_TIMEOUT, /* it took too long to start */
  ZINIT_STOP_CAUSE_LEFTOVERS,     /* its main process has ended and left others behind */
  ZINIT_STOP_CAUSE_NOT_READY,     /* it closed its readiness descriptor without a line */
  ZINIT_STOP_CAUSE_WATCHDOG,      /* it did not say any more that it is well */
  ZINIT_N_STOP_CAUSES
} ZinitStopCause;

/* "none", "requested", … in enum order; NULL-terminated. */
extern const char *const zinit_stop_cause_words[];

ZinitAction zinit_machine_action (ZinitState state, ZinitEvent event);
/* TRUE when a service may pass from @from to @to. */
gboolean zinit_machine_may_change (ZinitState from, ZinitState to);

/* What is known when the last process of a service is gone. */
typedef struct {
  ZinitExit exit; /* of its main process */
  ZinitStopCause stop_cause;
  gboolean sigkill_sent;
} ZinitEnding;

typedef struct {
  ZinitState state;       /* exited or failed */
  ZinitFailure failure;   /* text is never set */
  gboolean wants_restart; /* by policy; back-off and its limit are still to be asked */
} ZinitOutcome;

/* @exit counts as code 0 (rule E1). */
gboolean zinit_machine_is_success (const ZinitDefinition *definition, const ZinitExit *exit);
/* @failure is an end of its process that is not retried (rule E1). */
gboolean zinit_machine_is_permanent (const ZinitDefinition *definition, const ZinitFailure *failure);
ZinitOutcome zinit_machine_outcome (const ZinitDefinition *definition, const ZinitEnding *ending);
/* May a service that never got a process (spawn error) be tried again by policy? */
gboolean zinit_machine_retries_spawn (const ZinitDefinition *definition);

G_END_DECLS
