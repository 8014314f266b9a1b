/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: the two structs and the functions of each file. Only this folder
 * includes it; unit tests of the supervisor go through its public functions and a host of their own.
 */
#pragma once

#include "model/backoff.h"
#include "model/machine.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

/* A turn of the loop handles so many, then lets D-Bus in: a start takes about 0.1 ms. */
#define ZINIT_SERVICES_PER_TURN 32

/* What is saved of a service and shown to nobody. */
typedef struct {
  ZinitStopCause stop_cause;
  gint64 deadline_usec; /* of its timer; 0 = not armed */
  gboolean stop_pending, is_late, main_ended, comes_back;
} ZinitIntents;

struct _ZinitService {
  ZinitSupervisor *supervisor;
  ZinitDefinition *definition;         /* active: what the process has, and what the graph uses */
  ZinitDefinition *pending_definition; /* what the next start uses, NULL = the same */
  char *path;                          /* of its file, NULL = ephemeral */
  char *overridden;                    /* file that an ephemeral definition has replaced; NULL = none */

  /* Written in this folder alone; each change is followed by zinit_service_touch(). What follows from the
   * other fields (sub_state, pid, can_start, text, …) is filled in by status.c. */
  ZinitServiceStatus status;
  ZinitServiceStatus reported; /* what observers were told last */
  ZinitIntents reported_intents;
  ZinitChanges marked; /* changes that no field of the status shows */
  ZinitBackoff backoff;

  /* What is intended with it, beside status.next. */
  ZinitStopCause stop_cause; /* why it is stopping */
  gboolean stop_pending;     /* to be stopped once those that need it are down */
  gint64 sigkill_usec;       /* CLOCK_MONOTONIC of the first SIGKILL of this stop; 0 = none was sent */
  gboolean is_late;          /* that was sent because the stop took too long */
  gboolean main_ended;       /* a tree without its main process */
  gboolean comes_back;  /* down, and it was to come back when it went down: a conflict counts meanwhile */
  gint64 executed_usec; /* CLOCK_MONOTONIC of its last start; 0 = by an earlier daemon */
  gboolean
      is_ready_unheard;  /* it was starting while there was no daemon, and may have said that it is ready */
  guint64 watchdog_usec; /* WATCHDOG_USEC of its messages; 0 = as its definition says */
  pid_t foreign_owner;   /* of the bus name that it is to own; 0 = none */
  pid_t announced_pid;   /* MAINPID of its messages; 0 = none */
  char *said;            /* STATUS of its messages; NULL = none */
  guint n_in_background; /* processes that its first main process left; 0 = it is the main process still */
  guint n_left;          /* of its last run, that are nobody's now (rule G7) */

  /* "NAME=REASON" of another service (rule E4): why it was started last, NULL = for no failure; and why it is
   * to be started once more after its end, with a blank between two, NULL = it is not. */
  char *started_for;
  char *failures;

  guint64 run;           /* number of its last start; 0 = never */
  ZinitProcess *process; /* NULL = none */
  /* Restored, and not known to live or to have ended: zinit_service_resolve() says. 0 = none */
  pid_t unproven_pid;
  guint64 unproven_ticks; /* its start, clock ticks since the boot; 0 = not known */
  char *unproven_reason;  /* for people; NULL = none */
  /* The one before it, kept because how it ended may still be known later: until then, or until the next one
   * has ended. NULL = none */
  ZinitProcess *exit_pending;
  /* Of a stop that was given up: it lives on in spite of SIGKILL, and nothing is started beside it. NULL =
   * none
   */
  ZinitProcess *undying;
  ZinitLog *log;
  /* One is enough, as each state waits for one thing: starting for readiness, running for the stability
   * period, stopping for the end, exited and failed for the back-off. */
  ZinitTimer timer;
  ZinitTimer watchdog_timer; /* while it is running */

  GList queue_link; /* in the supervisor's queue while data is set */
  GList dirty_link; /* in the list of those to be reported while data is set */
};

typedef struct {
  const ZinitObserver *observer;
  gpointer data;
} ZinitObserverEntry;

struct _ZinitSupervisor {
  const ZinitHost *host;
  gpointer host_data;
  char *config_dir;           /* NULL = nothing on disk */
  ZinitConfigSet *read_ahead; /* what it has, for the load; NULL = it is read then */
  gboolean folder_is_empty;   /* as it was read last */
  ZinitLogFolder *log_folder; /* NULL = output is in memory alone */
  char *instance_tag;         /* "ZINIT_INSTANCE=…", in every child's environment; NULL = none */
  char *folder_tag;           /* "ZINIT_FOLDER=…", the same */

  GHashTable *services;     /* name → ZinitService, owned */
  GPtrArray *by_name;       /* the same services, sorted */
  GHashTable *dependents;   /* name → GPtrArray of services that name it in a list of their dependencies */
  GArray *observers;        /* ZinitObserverEntry */
  GPtrArray *config_errors; /* ZinitConfigError, of the last load or reload */
  GPtrArray *awaiting_ends; /* services that cannot start before what goes down with them is down */
  GQueue queue;             /* services to look at */
  GQueue dirty;             /* services to be reported */
  ZinitTimer queue_timer;

  guint64 sequence;
  guint n_failed;
  guint n_active;
  guint n_stopping;
  guint n_stop_pending;
  gint64 boot_time_usec; /* since 1970 */
  gboolean has_no_bus;   /* a service cannot be made ready by a name there */
  gboolean is_started;   /* the first starts are through */
  gboolean is_shutting_down;
  gboolean shutdown_is_done; /* observers know of the end of the shutdown */
};

/* service.c: the one writer of a service's state. */
ZinitService *zinit_service_new (ZinitSupervisor *supervisor, ZinitDefinition *definition, const char *path);
void zinit_service_free (ZinitService *service);
/* Checks the change against the table, stamps the time, counts, and reports the transition. All other fields
 * must have their new values. */
void zinit_service_set_state (ZinitService *service, ZinitState state);
/* @text is copied. */
void zinit_service_set_failure (ZinitService *service, ZinitFailureType type, gint32 number,
                                const char *text);
void zinit_service_set_waiting_on (ZinitService *service, char **names); /* transfer full, NULL = none */
void zinit_service_set_wanted (ZinitService *service, ZinitWanted wanted);
void zinit_service_set_next_restart (ZinitService *service, gint64 realtime_usec);
void zinit_service_set_next (ZinitService *service, ZinitNext next);
void zinit_service_set_stop_pending (ZinitService *service, gboolean is_pending);
/* As after a stable period or a start by hand. */
void zinit_service_reset_backoff (ZinitService *service);
/* What all processes of its present run have in their environment, "KEY=value". Transfer full. */
char **zinit_service_make_tags (const ZinitService *service);

/* status.c: what follows from a service's fields, and what has changed since it was reported. */
/* Something of @service has changed: it is reported at the end of the loop's turn. */
void zinit_service_touch (ZinitService *service);
/* @changes that no field of the status shows. */
void zinit_service_mark (ZinitService *service, ZinitChanges changes);
/* Reports now what has changed. */
void zinit_service_report (ZinitService *service);
/* All that differs is what observers know already. */
void zinit_service_forget_changes (ZinitService *service);
void zinit_status_clear (ZinitServiceStatus *status);

/* text.c: the sentences. Transfer full. */
char *zinit_service_describe (const ZinitService *service);
/* Its failure, with what was missing. Transfer full. */
char *zinit_service_describe_failure (const ZinitService *service);

/* outlook.c: dependencies between the services that there are. */
ZinitVerdict zinit_registry_may_start (const ZinitService *service, GPtrArray **ret_blockers,
                                       const char **ret_name);
/* A oneshot that has succeeded, and is neither stopped nor held. */
gboolean zinit_service_is_done (const ZinitService *service);
/* Down, and waits for something it depends on: held, or failed for want of it. */
gboolean zinit_service_is_held (const ZinitService *service);
/* It is to be started, and is not stuck; what comes after it waits. */
gboolean zinit_service_is_on_its_way_up (const ZinitService *service);
/* A oneshot that is not run a second time, and may not have done its work. */
gboolean zinit_service_has_ended_unseen (const ZinitService *service);
/* @service has changed: those that wait for it learn what becomes of them, all the way up. */
void zinit_outlook_update (ZinitService *service);

/* supervisor.c: the set, the queue. */
void zinit_supervisor_notify (ZinitSupervisor *supervisor, ZinitManagerChanges changes);
/* Looks at @service at the next turn of the loop. */
void zinit_supervisor_enqueue (ZinitSupervisor *supervisor, ZinitService *service);
/* Runs the queue at the next turn, also when it is empty. */
void zinit_supervisor_wake (ZinitSupervisor *supervisor);
/* Looks at @service again when a stop is over. */
void zinit_supervisor_await_end (ZinitSupervisor *supervisor, ZinitService *service);
/* A stop is over or called off, or other services depend on each other now. */
void zinit_supervisor_end_stop (ZinitSupervisor *supervisor);
/* The state of @service changed: those that depend on it look again. */
void zinit_supervisor_enqueue_dependents (ZinitSupervisor *supervisor, ZinitService *service);
/* @func gets a ZinitObserverEntry and @data. */
void zinit_supervisor_for_each_observer (ZinitSupervisor *supervisor, GFunc func, gpointer data);

/* registry.c: which services there are, and their definitions. */
ZinitService *zinit_registry_insert (ZinitSupervisor *supervisor, ZinitDefinition *definition,
                                     const char *path);
void zinit_registry_remove (ZinitService *service);
/* @definition, which needs no new process where it differs, becomes the active one, and @pending (NULL =
 * none) waits for the next start. */
void zinit_registry_set_definitions (ZinitService *service, ZinitDefinition *definition,
                                     ZinitDefinition *pending);
/* The pending definition, if there is one, becomes the active one. The service must be down. */
void zinit_registry_apply_pending (ZinitService *service);
/* Services that name @name in one of their lists; NULL = none. Borrowed. */
GPtrArray *zinit_registry_dependents (ZinitSupervisor *supervisor, const char *name);
/* @dependent requires or binds to @service. */
gboolean zinit_registry_needs (const ZinitService *dependent, const ZinitService *service);
/* @list (NULL = empty) has @service's name. */
gboolean zinit_registry_is_in (char *const *list, const ZinitService *service);

/* membership.c */
/* Takes the new definition, at once if the service is down, else at its next start. */
void zinit_membership_redefine (ZinitService *service, ZinitDefinition *definition, const char *path);

/* @path is borrowed; NULL = none. */
void zinit_membership_set_path (ZinitService *service, const char *path);
/* Stops it in order if it is up, and removes it then. Its file is not touched. */
void zinit_membership_remove (ZinitService *service);
/* What @definition needs of this daemon is there. */
gboolean zinit_membership_check (const ZinitSupervisor *supervisor, const ZinitDefinition *definition,
                                 GError **error);
/* What every service would use at its next start; without @skip. Transfer container. */
GPtrArray *zinit_membership_list_definitions (ZinitSupervisor *supervisor, const ZinitService *skip);

/* lifecycle.c: events and what they do. */
void zinit_lifecycle_event (ZinitService *service, ZinitEvent event);
/* What the process of a service reports; data is the service. */
extern const ZinitProcessEvents zinit_process_events;
/* Arms the timer of the present state. CLOCK_MONOTONIC. */
void zinit_lifecycle_arm_at (ZinitService *service, gint64 deadline_usec);
void zinit_lifecycle_arm (ZinitService *service, guint64 delay_ms);
/* The definition has changed under a running timer, which ends no later than it says now. */
void zinit_lifecycle_limit_timer (ZinitService *service);
void zinit_lifecycle_disarm (ZinitService *service);
gint64 zinit_lifecycle_realtime_usec (ZinitService *service);
/* *@process (NULL = none) takes no part any more, and becomes NULL. */
void zinit_lifecycle_release (ZinitService *service, ZinitProcess **process);
/* The service's turn in the queue. */
void zinit_lifecycle_process (ZinitService *service);

/* watchdog.c */
/* The period in which it has to say that it is well; 0 = none. */
guint64 zinit_watchdog_get_usec (const ZinitService *service);
/* The period begins now, if @service is running and has one; else there is none. */
void zinit_watchdog_arm (ZinitService *service);
void zinit_watchdog_heard (ZinitService *service, const ZinitNotifyMessage *message);

/* killing.c: which of its processes a stop is for. */
/* The stop signal. */
void zinit_killing_begin (ZinitService *service);
/* Its main process has ended during a stop, and others have not. */
void zinit_killing_main_ended (ZinitService *service);
/* The stop takes too long: SIGKILL, and in the end it is given up. */
void zinit_killing_enforce (ZinitService *service);
/* Its main process has ended: TRUE when it is over with that. What lives on of its tree is said then. */
gboolean zinit_killing_leaves_rest (ZinitService *service);

/* on-failure.c: services that are started for the failure of another one. */
/* @service may have failed for good: its on_failure services are to be started. */
void zinit_on_failure_report (ZinitService *service);
/* @service is down: it may be its turn for a failure that waits. */
void zinit_on_failure_look (ZinitService *service);
/* If it is, it is about to start. */
void zinit_on_failure_begin (ZinitService *service);
/* It is started for another reason. */
void zinit_on_failure_forget_cause (ZinitService *service);
/* The same for all failures that wait: it was asked to be down. */
void zinit_on_failure_forget (ZinitService *service);
/* What its next process is told of that, "KEY=value"; NULL = nothing. Transfer full. */
char **zinit_on_failure_make_variables (const ZinitService *service);
/* Warns of names that no service has. */
void zinit_on_failure_check_names (ZinitSupervisor *supervisor);

/* background.c */
/* The living processes of its tree. */
guint zinit_background_count (ZinitService *service);
/* Another process of the tree becomes the main one in place of the one that has ended. FALSE when there is
 * none. */
gboolean zinit_background_follow (ZinitService *service);

/* readiness.c: from executed to running (rule D3). */
/* @service was executed: it is running now, or waits for what makes it so. */
void zinit_readiness_begin (ZinitService *service);
/* What it means that the timer of one that is starting is due. */
ZinitEvent zinit_readiness_time_is_up (const ZinitService *service);
/* Of a ZinitProcess: @line NULL = its readiness descriptor was closed without one. */
void zinit_readiness_heard_line (ZinitService *service, const char *line);
void zinit_readiness_heard_message (ZinitService *service, const ZinitNotifyMessage *message);
/* Its STATUS was of a run that is over. */
void zinit_readiness_forget_said (ZinitService *service);
/* More about that, for people; NULL = there is nothing to say. Transfer full. */
char *zinit_readiness_describe_owner (const ZinitService *service);
/* What one that is starting is not ready without, for people; NULL = nothing. Static. */
const char *zinit_readiness_describe_missing (const ZinitService *service);

/* start.c: the way up. */
/* @service is up. */
void zinit_start_become_running (ZinitService *service);
/* Asks the graph: starts @service, has it wait, or fails it. */
void zinit_start_evaluate (ZinitService *service);
/* The same, but only if it is held by a dependency. */
void zinit_start_held (ZinitService *service);
/* Its back-off is over. */
void zinit_start_when_due (ZinitService *service);
/* The restart that the policy wants after an end. TRUE when it is due, after the back-off. */
gboolean zinit_start_schedule (ZinitService *service);
void zinit_start_cancel_scheduled (ZinitService *service);
/* Observers make sure that what is so now is on record. */
void zinit_start_report (ZinitService *service);
/* The start time-out of a oneshot, where its definition gives one, counts for the whole run (rule D2). */
gboolean zinit_start_limits_run (const ZinitDefinition *definition);

/* stop.c: stopping in order. */
/* Stops @roots (ZinitService *) for @next, and before them what needs them, which is held. */
void zinit_stop_in_order (const GPtrArray *roots);
void zinit_stop_one_in_order (ZinitService *service);
/* @service has ended by itself, and is to be started again or is down for good: what binds to it, or else all
 * that needs it, is stopped with what needs that in turn, and held. */
void zinit_stop_hold_dependents (ZinitService *service, gboolean is_restarted);
/* Names of those that @service, should it start now, would be started beside though they went down with it:
 * they bind to it, or need one that does, and are not down yet. NULL-terminated; NULL = there is none.
 * Transfer container, of borrowed names. */
GPtrArray *zinit_stop_find_ending (const ZinitService *service);
/* Stops it now if it is due and nothing that needs it is up. */
void zinit_stop_if_ready (ZinitService *service);
/* At the end of a run of the queue: services that wait for each other's end are stopped side by side, and
 * when the supervisor is on its way out and all is down, observers are notified. */
void zinit_stop_check (ZinitSupervisor *supervisor);

G_END_DECLS
