/* SPDX-License-Identifier: Apache-2.0
 *
 * One service as everybody but the supervisor sees it: questions about its definition, state and history.
 * Nothing here changes anything, so a read on the bus has no side effect. Changes go through
 * supervisor/supervisor.h.
 */
#pragma once

#include "logs/log.h"
#include "model/definition.h"
#include "process/process.h"

G_BEGIN_DECLS

typedef struct _ZinitService ZinitService;

/* What happens to a service once it is down. */
typedef enum {
  ZINIT_NEXT_REST,                  /* nothing; a back-off may be under way */
  ZINIT_NEXT_START,                 /* it is started */
  ZINIT_NEXT_START_WITH_DEPENDENCY, /* it is held until what it requires is up */
  ZINIT_NEXT_REMOVE,                /* it is removed */
} ZinitNext;

/* What becomes of a service that waits (blocked or held), the worst of its blockers. */
typedef enum {
  ZINIT_OUTLOOK_GOES_ON, /* something that is under way lets it go on */
  ZINIT_OUTLOOK_BACKOFF, /* the same, after a back-off */
  ZINIT_OUTLOOK_STUCK,   /* nothing does: somebody has to act */
} ZinitOutlook;

/* All that is visible of a service. Strings are owned by the service. */
typedef struct {
  ZinitState state;
  ZinitSubState sub_state;
  ZinitWanted wanted;
  ZinitFailure failure;
  char **waiting_on; /* names; NULL = empty */
  ZinitExit last_exit;
  pid_t pid; /* 0 unless active */
  guint32 restart_count;
  guint64 restart_delay_ms;     /* the next one's */
  gint64 next_restart_usec;     /* since 1970, 0 = none is due */
  gint64 started_at_usec;       /* since 1970, 0 = never */
  gint64 state_changed_at_usec; /* since 1970 */
  gboolean can_start;
  gboolean can_stop;
  gboolean needs_restart; /* a changed definition takes effect at its next start */
  gboolean is_ephemeral;
  ZinitNext next;
  ZinitOutlook outlook; /* counts while it waits */
  char *text;           /* one line for people; "" when there is nothing to say */
} ZinitServiceStatus;

/* What of a service can change; the names are those of the properties on the bus. */
typedef enum {
  ZINIT_CHANGED_STATE = 1 << 0,
  ZINIT_CHANGED_WAITING_ON = 1 << 1,
  ZINIT_CHANGED_FAILURE_REASON = 1 << 2,
  ZINIT_CHANGED_PID = 1 << 3,
  ZINIT_CHANGED_LAST_EXIT = 1 << 4,
  ZINIT_CHANGED_RESTART_COUNT = 1 << 5,
  ZINIT_CHANGED_RESTART_DELAY = 1 << 6,
  ZINIT_CHANGED_NEXT_RESTART = 1 << 7,
  ZINIT_CHANGED_STARTED_AT = 1 << 8,
  ZINIT_CHANGED_STATE_CHANGED_AT = 1 << 9,
  ZINIT_CHANGED_WANTED_STATUS = 1 << 10,
  ZINIT_CHANGED_HEALTH = 1 << 11,
  ZINIT_CHANGED_STATUS_TEXT = 1 << 12,
  ZINIT_CHANGED_NEEDS_RESTART = 1 << 13,
  ZINIT_CHANGED_CAN_START = 1 << 14,
  ZINIT_CHANGED_CAN_STOP = 1 << 15,
  ZINIT_CHANGED_DEFINITION =
      1 << 16, /* everything that comes from it: Exec, Class, Oneshot, the dependency lists */
  ZINIT_CHANGED_REQUIRED_BY = 1 << 17,
  ZINIT_CHANGED_EPHEMERAL = 1 << 18,
  ZINIT_CHANGED_ASKED = 1 << 19, /* something that was asked for and has no property: a start after the stop,
                                    a removal, the definition of the next start */
  ZINIT_CHANGED_SUB_STATE = 1 << 20,
  ZINIT_CHANGED_OUTLOOK = 1 << 21, /* has no property */
  ZINIT_CHANGED_INTENTS = 1 << 22, /* what is on record of it alone: why it stops, until when, what it left */
} ZinitChanges;

/* What somebody has asked for. */
#define ZINIT_CHANGED_HIDDEN                                                                                 \
  (ZINIT_CHANGED_ASKED | ZINIT_CHANGED_OUTLOOK | ZINIT_CHANGED_INTENTS) /* have no property */
#define ZINIT_CHANGED_REQUESTS (ZINIT_CHANGED_WANTED_STATUS | ZINIT_CHANGED_ASKED)

const char *zinit_service_get_name (const ZinitService *service);
/* As it is now. Borrowed; valid until the service changes. */
const ZinitServiceStatus *zinit_service_get_status (const ZinitService *service);
/* In force: what the running process was started with, what the graph uses. Borrowed. */
const ZinitDefinition *zinit_service_get_definition (const ZinitService *service);
/* What the next start will use; the same unless the service needs a restart. Borrowed. */
const ZinitDefinition *zinit_service_get_next_definition (const ZinitService *service);
const char *zinit_service_get_path (const ZinitService *service); /* of its file; NULL = none (ephemeral) */
/* Names of the services that require it, sorted. Transfer full. */
char **zinit_service_dup_required_by (const ZinitService *service);

/* The name on the message bus that one of its processes is to own (rule D3), while it is active; else NULL.
 * Borrowed. */
const char *zinit_service_get_bus_name (const ZinitService *service);
/* A process owns that name now; @pid 0 = none does. */
void zinit_service_bus_name_owned (ZinitService *service, pid_t pid);

/* Up: running, or a oneshot that is done. What requires it may start. */
gboolean zinit_service_is_satisfied (const ZinitService *service);
/* A start that was asked for has come to its end, well or badly: it is up, an attempt of it has failed, it
 * was stopped meanwhile, or it waits for something that has failed or that nobody starts (rule B10). */
gboolean zinit_service_start_is_settled (const ZinitService *service);
/* A settled start ended well. Otherwise @error has the reason: ZINIT_ERROR_SPAWN_FAILED or _CANNOT_START. */
gboolean zinit_service_start_succeeded (const ZinitService *service, GError **error);

/* A stop that was asked for has come to its end: it is down, and what requires it too; or it is started
 * again.
 */
gboolean zinit_service_stop_is_settled (const ZinitService *service);
/* A settled stop ended well: the service is down and nothing of it lives. */
gboolean zinit_service_stop_succeeded (const ZinitService *service, GError **error);
/* A process that lives on in spite of SIGKILL, or may not be signalled, after the stop was given up; nothing
 * is started beside it. 0 = none */
pid_t zinit_service_get_undying_pid (const ZinitService *service);
const ZinitLog *zinit_service_get_log (const ZinitService *service); /* never NULL */
/* Of its processes; all zero when there are none. Clear with zinit_process_stats_clear(). */
void zinit_service_read_stats (const ZinitService *service, ZinitProcessStats *ret_stats);
/* The same of @n_services services of one supervisor, for little more than what one costs: @ret_stats has as
 * many, each to be cleared. */
void zinit_services_read_stats (const ZinitService *const *services, guint n_services,
                                ZinitProcessStats *ret_stats);

G_END_DECLS
