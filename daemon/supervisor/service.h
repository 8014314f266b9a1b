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
} ZinitChanges;

/* What somebody has asked for. */
#define ZINIT_CHANGED_REQUESTS (ZINIT_CHANGED_WANTED_STATUS | ZINIT_CHANGED_ASKED)

const char *zinit_service_get_name (const ZinitService *service);
/* In force: what the running process was started with, what the graph uses. Borrowed. */
const ZinitDefinition *zinit_service_get_definition (const ZinitService *service);
/* What the next start will use; the same unless the service needs a restart. Borrowed. */
const ZinitDefinition *zinit_service_get_next_definition (const ZinitService *service);
const char *zinit_service_get_path (const ZinitService *service); /* of its file; NULL = none (ephemeral) */
gboolean zinit_service_is_ephemeral (const ZinitService *service);
gboolean zinit_service_needs_restart (const ZinitService *service);
gboolean zinit_service_can_start (const ZinitService *service);
gboolean zinit_service_can_stop (const ZinitService *service);

ZinitState zinit_service_get_state (const ZinitService *service);
ZinitWanted zinit_service_get_wanted (const ZinitService *service);
/* Names, NULL-terminated, never NULL; empty unless blocked. Borrowed. */
const char *const *zinit_service_get_waiting_on (const ZinitService *service);
const ZinitFailure *zinit_service_get_failure (const ZinitService *service); /* never NULL */
pid_t zinit_service_get_pid (const ZinitService *service);                   /* 0 unless active */
ZinitExit zinit_service_get_last_exit (const ZinitService *service);
guint32 zinit_service_get_restart_count (const ZinitService *service);
guint64 zinit_service_get_restart_delay_ms (const ZinitService *service); /* the next one's */
gint64 zinit_service_get_next_restart (const ZinitService *service);     /* µs since 1970, 0 = none is due */
gint64 zinit_service_get_started_at (const ZinitService *service);       /* µs since 1970, 0 = never */
gint64 zinit_service_get_state_changed_at (const ZinitService *service); /* µs since 1970 */
/* Names of the services that require it, sorted. Transfer full. */
char **zinit_service_dup_required_by (const ZinitService *service);
/* One line for people on where it stands; "" when there is nothing to say. Transfer full. */
char *zinit_service_dup_status_text (const ZinitService *service);

/* Running (a oneshot: exited 0), or exited 0 and not stopped by hand: what requires it may start. */
gboolean zinit_service_is_satisfied (const ZinitService *service);
/* A start that was asked for has come to its end, well or badly: running (a oneshot: over), exited, failed
 * with no start to come, or stopped meanwhile. */
gboolean zinit_service_start_is_settled (const ZinitService *service);
/* A settled start ended well. Otherwise @error has the reason: ZINIT_ERROR_SPAWN_FAILED, _TIMED_OUT or
 * _CANNOT_START. */
gboolean zinit_service_start_succeeded (const ZinitService *service, GError **error);

const ZinitLog *zinit_service_get_log (const ZinitService *service); /* never NULL */
/* Of its processes; all zero when there are none. Clear with zinit_process_stats_clear(). */
void zinit_service_read_stats (const ZinitService *service, ZinitProcessStats *ret_stats);
/* The same of @n_services services of one supervisor, for little more than what one costs: @ret_stats has as
 * many, each to be cleared. */
void zinit_services_read_stats (const ZinitService *const *services, guint n_services,
                                ZinitProcessStats *ret_stats);

G_END_DECLS
