/* SPDX-License-Identifier: Apache-2.0
 *
 * All of one service that has to outlive the daemon, as a plain value, and restoring a service from such a
 * value. It knows no file and no format.
 */
#pragma once

#include "model/machine.h"
#include "supervisor/supervisor.h"

G_BEGIN_DECLS

typedef struct {
  ZinitState state;
  ZinitWanted wanted;
  ZinitFailure failure; /* text borrowed */
  ZinitExit last_exit;
  guint32 restart_count;
  guint64 restart_delay_ms;
  guint64 run;                            /* number of its last start, from 1; 0 = never started */
  guint64 start_ticks;                    /* of its process; only got, never given; 0 = none, or not known */
  guint64 output_inodes[ZINIT_N_STREAMS]; /* of its pipes; only got, never given; 0 = none, or closed by all
                                             writers */
  gint64 started_at_usec;                 /* since 1970, 0 = never */
  gint64 state_changed_at_usec;           /* since 1970 */
  /* CLOCK_MONOTONIC: when the back-off, the time-out or the stable period of the present state ends; 0 = none
   */
  gint64 deadline_usec;
  ZinitNext next;
  ZinitStopCause stop_cause;
  gboolean sigkill_sent; /* because the stop took too long */
  gboolean stop_pending;
  gboolean main_ended;
  gboolean comes_back; /* blocked, and it was up before */
  const char *said;    /* STATUS of its messages; borrowed, NULL = none */
  /* Failures of other services, borrowed; NULL = none: why it was started, and why it is to be once more */
  const char *started_for, *failures;
  /* The definition that its next start uses, of a service without a file; borrowed, NULL = the same as now */
  ZinitDefinition *pending;
  /* Given only: the state's process, of which the kernel does not tell now whether it lives; 0 = none */
  pid_t unproven_pid;
} ZinitServiceRecord;

/* There are requests among its changes that were not reported to observers yet. */
gboolean zinit_service_has_requests (const ZinitService *service);
void zinit_service_get_record (const ZinitService *service, ZinitServiceRecord *ret_record);
/* Its process, for what a hand-over has to know of it; NULL = none. Borrowed. */
ZinitProcess *zinit_service_get_process (const ZinitService *service);

/* Restores @service from @record. To be called after the folder was loaded and before the loop runs; what
 * the load had queued for the service is forgotten. Observers are not notified: they were in the daemon's
 * earlier life. @in_force is the definition its process was started with. @adoption is that process (taken
 * over; its tags are filled in here), or NULL: if the record's state has one, it has ended unseen, and what
 * follows from that follows by the usual rules; as it does if others of its group are left. With an
 * unproven_pid it is not known whether it has ended, until zinit_service_resolve(). */
void zinit_service_restore (ZinitService *service, const ZinitServiceRecord *record,
                            ZinitDefinition *in_force, const ZinitAdoption *adoption);
/* The process of a service that was restored with an unproven_pid: 0 when it is known, or was never unknown.
 * While it is not, the service stays in its state and nothing is started or signalled. */
pid_t zinit_service_get_unproven_pid (const ZinitService *service);
/* It is still not known; @reason is shown in StatusText. */
void zinit_service_set_unproven (ZinitService *service, const char *reason);
/* It is known now: @adoption as for zinit_service_restore(), NULL = it has ended. */
void zinit_service_resolve (ZinitService *service, const ZinitAdoption *adoption);
/* Adds a service that the folder does not know; @path is the file that it had, NULL = none: then it has to be
 * added before the folder is loaded. It is not started. Borrowed. */
ZinitService *zinit_supervisor_insert (ZinitSupervisor *supervisor, ZinitDefinition *definition,
                                       const char *path);
/* All services get the output that an earlier daemon kept; files of other services are removed. To be called
 * when all are restored and before the loop runs. What cannot be read now is tried again for some seconds. */
void zinit_supervisor_recover_logs (ZinitSupervisor *supervisor);
/* All output is in the files; else FALSE and @error names a service. */
gboolean zinit_supervisor_sync_logs (ZinitSupervisor *supervisor, GError **error);
/* The files were removed under the daemon: what is kept is written again. */
void zinit_supervisor_renew_logs (ZinitSupervisor *supervisor);
/* Kept output is of no use any more: removes the files. */
void zinit_supervisor_forget_logs (ZinitSupervisor *supervisor);
/* Stops it in order if it is up, and forgets it then. Its file is not touched. */
void zinit_service_dismiss (ZinitService *service);

G_END_DECLS
