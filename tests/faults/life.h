/* SPDX-License-Identifier: Apache-2.0
 *
 * One life of services under zinitd: a script of steps that a client asks for, and the books about what was
 * asked for and what was acknowledged. The daemon runs under the tool, which may end it anywhere. Judges
 * nothing: that is truth.h.
 */
#pragma once

#include "fault-control.h"
#include "harness.h"

G_BEGIN_DECLS

/* How long anything may take in a life, at normal speed. */
#define LIFE_PATIENCE_SECONDS 5.0

typedef enum {
  LIFE_ADD_EXTRA,   /* AddService of "extra" */
  LIFE_ADD_BRIEF,   /* and of "brief", both ephemeral */
  LIFE_STOP_DEP,    /* StopService of "dep" */
  LIFE_RUN_ONCE,    /* RestartService of the oneshot "once", which has run at the start */
  LIFE_RELOAD_LATE, /* Reload with the new file of "late" */
  LIFE_REMOVE_BRIEF,
  LIFE_RELOAD_GONE, /* Reload without the file of "late" */
  LIFE_REPLACE_EXTRA,
  LIFE_REPLACE_HURT, /* AddService over the one with a file */
  LIFE_REEXECUTE,
  LIFE_PREPARE_RESTART,
  LIFE_RESTART_EXTRA, /* with the definition that has replaced the first one */
  LIFE_SHUTDOWN,
  LIFE_N_REQUESTS
} LifeRequest;

typedef enum { LIFE_NOT_ASKED, LIFE_ASKED, LIFE_ACKNOWLEDGED } LifeStanding;

typedef struct {
  Harness *h;
  char *directory; /* of this life alone */
  FaultControl *control;
  LifeStanding standing[LIFE_N_REQUESTS];
  gboolean may_fail;      /* the tool lets calls fail: a start may be given up and made anew */
  guint n_hurt;           /* how often the script has killed the process of "hurt" */
  gboolean late_exists;   /* the file of "late" */
  gboolean is_new_daemon; /* it has read the folder since the script's last step */
  gboolean was_ready;     /* the daemon has said READY=1, since its last start */
  int status;             /* wait status of the daemon that ended last */
  gboolean left_services; /* and whether a process of a service lived then */
  GString *complaint;     /* what did not happen in time, or failed and should not have */
} Life;

/* Empties the folder of the life before and writes the files of the services. The harness's folders are those
 * of the life from now on. @control stays the caller's and is reset but for the places seen. */
Life *life_new (Harness *harness, FaultControl *control);
/* Kills what is left. */
void life_free (Life *life);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Life, life_free)

guint life_n_steps (void);
const char *life_step_name (guint step);
/* The whole script, from the start of the daemon to its shutdown, or until the tool has hit. @options are the
 * tool's. */
void life_run (Life *life, const char *options);

/* Starts a daemon, under the tool unless @options is NULL, and waits for a client. FALSE when it ended or did
 * not answer. */
gboolean life_start (Life *life, const char *options);
/* TRUE when no daemon runs. */
gboolean life_is_gone (Life *life);
/* FALSE when it has not ended in time. */
gboolean life_wait_gone (Life *life);
/* Asks for something; TRUE when it was acknowledged. @format makes the text of the arguments' tuple. */
gboolean life_ask (Life *life, LifeRequest request, const char *method, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* A connection to the daemon that runs. FALSE when there is none in time. */
gboolean life_connect (Life *life);

/* The file to which each process of @service adds a line when it starts. Transfer full. */
char *life_path (Life *life, const char *name);
/* Process numbers of all starts of a service, from its own file. Transfer full. */
GArray *life_starts (Life *life, const char *service);

G_END_DECLS
