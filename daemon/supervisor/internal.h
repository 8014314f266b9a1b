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

struct _ZinitService {
  ZinitSupervisor *supervisor;
  ZinitDefinition *definition; /* in force */
  ZinitDefinition *loaded;     /* what the next start uses, NULL = the same */
  char *path;                  /* of its file, NULL = ephemeral */
  char *overridden;            /* file that an ephemeral definition has replaced; NULL = none */

  ZinitState state; /* written by zinit_service_set_state() alone */
  ZinitFailure failure;
  char **waiting_on; /* NULL = empty */
  ZinitWanted wanted;
  ZinitExit last_exit;
  ZinitBackoff backoff;
  gint64 next_restart_usec;     /* since 1970, 0 = none is due */
  gint64 started_at_usec;       /* since 1970, 0 = never */
  gint64 state_changed_at_usec; /* since 1970 */

  guint64 run;           /* number of its last start; 0 = never */
  ZinitProcess *process; /* NULL = none */
  /* Restored, and not known to live or to have ended: zinit_service_resolve() says. 0 = none */
  pid_t unproven_pid;
  guint64 unproven_ticks; /* its start, clock ticks since the boot; 0 = not known */
  char *unproven_reason;  /* for people; NULL = none */
  /* The one before it, kept because how it ended may still be told: until then, or until the next one has
   * ended. NULL = none */
  ZinitProcess *previous;
  ZinitLog *log;
  /* One is enough, as each state waits for one thing: starting for readiness, running for the stability
   * period, stopping for the end, exited and failed for the back-off. */
  ZinitTimer timer;

  ZinitChanges changes; /* not reported to observers yet */

  guint main_ended : 1; /* the first process is gone */
  guint stop_due : 1;   /* to be stopped once those that need it are down */
  guint stop_asked : 1; /* its end was asked for */
  guint start_timed_out : 1;
  guint kill_needed : 1; /* SIGKILL was sent because the stop took too long */
  guint start_after : 1; /* start again once it is down */
  guint comes_back : 1;  /* down only because something it requires was stopped */
  guint remove_when_down : 1;
  guint is_vanished : 1;  /* restored without the process that its state had */
  guint is_queued : 1;    /* in the supervisor's queue */
  guint start_queued : 1; /* when its turn comes it is started, not only looked at */
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

  char *folder_tag; /* "ZINIT_FOLDER=…", the same */

  GHashTable *services;  /* name → ZinitService, owned */
  GPtrArray *by_name;    /* the same services, sorted */
  GHashTable *referrers; /* name → GPtrArray of services that name it in requires, after or conflicts */
  GArray *observers;     /* ZinitObserverEntry */
  GQueue queue;          /* services to look at */
  ZinitTimer queue_timer;

  guint64 sequence;
  guint n_failed;
  guint n_active;
  guint n_stopping;
  guint n_stop_due;
  gint64 boot_time_usec; /* since 1970 */
  gboolean is_started;   /* the first starts are through */
  gboolean is_shutting_down;
  gboolean shutdown_is_done; /* observers know of the end of the shutdown */
};

/* service.c: the one writer of a service's state, and reports to observers. */
ZinitService *zinit_service_new (ZinitSupervisor *supervisor, ZinitDefinition *definition, const char *path);
void zinit_service_free (ZinitService *service);
/* Checks the change against the table, stamps the time, counts, and reports to observers. All other fields
 * must have their new values. */
void zinit_service_set_state (ZinitService *service, ZinitState state);
/* Takes @failure's text. */
void zinit_service_set_failure (ZinitService *service, ZinitFailureType type, gint32 number,
                                const char *text);
void zinit_service_set_waiting_on (ZinitService *service, char **names); /* transfer full, NULL = none */
void zinit_service_set_wanted (ZinitService *service, ZinitWanted wanted);
void zinit_service_set_next_restart (ZinitService *service, gint64 realtime_usec);
/* What all processes of its present run have in their environment, "KEY=value". Transfer full. */
char **zinit_service_make_tags (const ZinitService *service);
/* Whether it is to be started again once it is down. */
void zinit_service_set_start_after (ZinitService *service, gboolean start_after);
/* As after a stable period or a start by hand. */
void zinit_service_reset_backoff (ZinitService *service);
/* Ends a change set: reports once what has changed. */
void zinit_service_publish (ZinitService *service);
/* TRUE when it failed and only a request will start it again. */
gboolean zinit_service_failed_for_good (const ZinitService *service);
/* Down and kept down by a dependency: it is started when that comes back. */
gboolean zinit_service_is_held (const ZinitService *service);

/* supervisor.c: the set, the queue. */
void zinit_supervisor_notify (ZinitSupervisor *supervisor, ZinitManagerChanges changes);
/* Looks at @service at the next turn of the loop. */
void zinit_supervisor_enqueue (ZinitSupervisor *supervisor, ZinitService *service);
/* Runs the queue at the next turn, also when it is empty. */
void zinit_supervisor_wake (ZinitSupervisor *supervisor);
/* The state of @service changed: those that depend on it look again. */
void zinit_supervisor_enqueue_referrers (ZinitSupervisor *supervisor, ZinitService *service);
/* @func gets a ZinitObserverEntry and @data. */
void zinit_supervisor_for_each_observer (ZinitSupervisor *supervisor, GFunc func, gpointer data);

/* registry.c: which services there are, and their definitions. */
ZinitService *zinit_registry_insert (ZinitSupervisor *supervisor, ZinitDefinition *definition,
                                     const char *path);
void zinit_registry_remove (ZinitService *service);
/* Takes the new definition, at once if the service is down, else at its next start. */
void zinit_registry_redefine (ZinitService *service, ZinitDefinition *definition, const char *path);
/* The pending definition, if there is one, becomes the active one. The service must be down. */
void zinit_registry_adopt_loaded (ZinitService *service);
/* The process of @service, which was restored, was started with @definition: what the folder says waits for
 * the next start. */
void zinit_registry_keep_in_force (ZinitService *service, ZinitDefinition *definition);
/* Services that name @name in one of their lists; NULL = none. Borrowed. */
GPtrArray *zinit_registry_referrers (ZinitSupervisor *supervisor, const char *name);
/* @service is required by @referrer. */
gboolean zinit_registry_requires (const ZinitService *referrer, const ZinitService *service);
/* @definition waits for the next start of @service, or comes into force at once if it is down. */
void zinit_registry_set_pending (ZinitService *service, ZinitDefinition *definition);
ZinitVerdict zinit_registry_judge (ZinitService *service, GPtrArray **ret_blockers, const char **ret_name);

/* lifecycle.c: events and what they do. */
void zinit_lifecycle_event (ZinitService *service, ZinitEvent event);
/* What the process of a service tells; data is the service. */
extern const ZinitProcessEvents zinit_process_events;
/* Arms the timer of the present state. CLOCK_MONOTONIC. */
void zinit_lifecycle_arm_at (ZinitService *service, gint64 deadline_usec);
/* Its stop signal, to all of its processes. */
void zinit_lifecycle_signal_stop (ZinitService *service);
/* The service's turn in the queue. */
void zinit_lifecycle_look (ZinitService *service);

/* stop.c: stopping in order. */
/* Marks @service and all active ones that need it, and stops those that nothing keeps waiting. The others
 * come back when it does. */
void zinit_stop_in_order (ZinitService *service);
/* Stops it now if it is due and nothing that needs it is up. */
void zinit_stop_if_ready (ZinitService *service);
void zinit_stop_set_due (ZinitService *service, gboolean is_due);
/* At the end of a run of the queue: services that wait for each other's end are stopped side by side, and
 * when the supervisor is on its way out and all is down, observers are notified. */
void zinit_stop_check (ZinitSupervisor *supervisor);

G_END_DECLS
