/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of services and everything that changes it: start, stop, restart, kill, add, remove, reload,
 * shutdown. State has one writer, in here; observers (bus, persistence, tests) are notified and ask the
 * service. It knows no bus.
 */
#pragma once

#include "config/folder.h"
#include "model/error.h"
#include "model/graph.h"
#include "supervisor/host.h"
#include "supervisor/service.h"

G_BEGIN_DECLS

typedef struct _ZinitSupervisor ZinitSupervisor;

/* One change of state. Borrowed for the call. */
typedef struct {
  ZinitService *service;
  ZinitState old_state;
  ZinitState new_state;
  guint64 sequence; /* one higher for each transition of the daemon's life */
  gint64 time_usec; /* since 1970 */
} ZinitTransition;

typedef enum {
  ZINIT_MANAGER_CHANGED_STATE = 1 << 0,
  ZINIT_MANAGER_CHANGED_SERVICE_COUNT = 1 << 1,
  ZINIT_MANAGER_CHANGED_FAILED_COUNT = 1 << 2,
  ZINIT_MANAGER_CHANGED_CONFIG_ERRORS = 1 << 3,
} ZinitManagerChanges;

/* Any member may be NULL. None may call a function that changes the supervisor. */
typedef struct {
  void (*service_added) (ZinitService *service, gpointer data);
  /* The service can still be asked; it is gone after the call. */
  void (*service_removed) (ZinitService *service, gpointer data);
  /* A program of it is about to be executed, or another of its processes has become the main one: what is so
   * now has to be on record first. */
  void (*starting) (ZinitService *service, gpointer data);
  /* In order, every one. Properties of @service have their new values already. */
  void (*transition) (const ZinitTransition *transition, gpointer data);
  /* Once per change set, after its transition. */
  void (*service_changed) (ZinitService *service, ZinitChanges changes, gpointer data);
  void (*manager_changed) (ZinitManagerChanges changes, gpointer data);
  /* Shutdown was asked for: it begins. */
  void (*shutdown_begun) (gpointer data);
  /* Every service is down. */
  void (*shutdown_done) (gpointer data);
} ZinitObserver;

/* @host and its data must outlive it. @config_dir NULL: nothing on disk. Transfer full. */
ZinitSupervisor *zinit_supervisor_new (const ZinitHost *host, gpointer host_data, const char *config_dir);
/* @instance names the life of the run-time folder, and is a secret: it is set as ZINIT_INSTANCE in the
 * environment of every process, beside ZINIT_SERVICE, ZINIT_RUN and ZINIT_PID, so that its processes can be
 * told from all others; ZINIT_FOLDER is @folder, that folder's path. Before that none is set. */
void zinit_supervisor_set_instance (ZinitSupervisor *supervisor, const char *instance, const char *folder);
/* Output of services is kept in files of a folder: zinit_log_folder_new() of @parent_fd and @path. To be
 * called before there is a service. */
void zinit_supervisor_set_log_folder (ZinitSupervisor *supervisor, int parent_fd, const char *path);
/* Observers are not notified. Kills nothing. */
/* Without a message bus definitions that need one are refused; normally there is one. */
void zinit_supervisor_set_has_bus (ZinitSupervisor *supervisor, gboolean has_bus);
void zinit_supervisor_free (ZinitSupervisor *supervisor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSupervisor, zinit_supervisor_free)

/* @observer and @data must live until it is removed. */
void zinit_supervisor_add_observer (ZinitSupervisor *supervisor, const ZinitObserver *observer,
                                    gpointer data);
void zinit_supervisor_remove_observer (ZinitSupervisor *supervisor, const ZinitObserver *observer,
                                       gpointer data);

/* Questions. */
/* NULL and ZINIT_ERROR_NO_SUCH_SERVICE when there is none of that name. Borrowed. */
ZinitService *zinit_supervisor_find (ZinitSupervisor *supervisor, const char *name, GError **error);
/* All services sorted by name. Transfer container. */
GPtrArray *zinit_supervisor_list (ZinitSupervisor *supervisor);
guint zinit_supervisor_count (ZinitSupervisor *supervisor);
guint zinit_supervisor_count_failed (ZinitSupervisor *supervisor);
guint64 zinit_supervisor_get_sequence (ZinitSupervisor *supervisor);
gint64 zinit_supervisor_get_boot_time (ZinitSupervisor *supervisor);       /* µs since 1970 */
const char *zinit_supervisor_get_config_dir (ZinitSupervisor *supervisor); /* NULL = none */
const char *zinit_supervisor_get_instance (ZinitSupervisor *supervisor);   /* NULL = none */
/* The first starts are not through. */
gboolean zinit_supervisor_is_starting (ZinitSupervisor *supervisor);
/* "starting" (the first starts are not through), "running", "stopping" (on its way out). Static. */
const char *zinit_supervisor_get_state (ZinitSupervisor *supervisor);
/* Why @service does not run: its blockers (ZinitBlocker, transfer full); empty when nothing holds it. */
GPtrArray *zinit_supervisor_why_blocked (ZinitSupervisor *supervisor, ZinitService *service);

/* FALSE and SHUTTING_DOWN once a shutdown has begun. */
gboolean zinit_supervisor_is_open (ZinitSupervisor *supervisor, GError **error);

/* Requests. They are accepted or refused at once; observers learn how they go on. All of them but Shutdown
 * fail with ZINIT_ERROR_SHUTTING_DOWN once that has begun. */
/* @tree: also what it requires and wants, and so on down. ALREADY_RUNNING when it is up or on its way and
 * @tree is not set. */
gboolean zinit_supervisor_start (ZinitSupervisor *supervisor, ZinitService *service, gboolean tree,
                                 GError **error);
/* First those that require it, then itself. They come back when it does; it stays down until it is started
 * again. NOT_RUNNING when it is down already and nothing is due (wanted status becomes stop all the same). */
gboolean zinit_supervisor_stop (ZinitSupervisor *supervisor, ZinitService *service, GError **error);
/* Stop and start again, with those that require it; a service that is down is started. */
gboolean zinit_supervisor_restart (ZinitSupervisor *supervisor, ZinitService *service, gboolean tree,
                                   GError **error);
/* A signal, nothing else: what comes of it is an end that nobody asked for. */
gboolean zinit_supervisor_kill (ZinitSupervisor *supervisor, ZinitService *service, int signo, ZinitWhom whom,
                                GError **error);
/* One request over several services (ZinitService *, each once), which are all known before the first is
 * judged, and stop in the reverse order of starts. Returns what each is answered, in their order: a GError *,
 * or NULL when it was accepted; the functions above say which. NULL and SHUTTING_DOWN once that has begun.
 * Transfer full. */
GPtrArray *zinit_supervisor_start_services (ZinitSupervisor *supervisor, const GPtrArray *services,
                                            gboolean tree, GError **error);
GPtrArray *zinit_supervisor_stop_services (ZinitSupervisor *supervisor, const GPtrArray *services,
                                           GError **error);
GPtrArray *zinit_supervisor_restart_services (ZinitSupervisor *supervisor, const GPtrArray *services,
                                              gboolean tree, GError **error);
/* A failure that is over is forgotten: it becomes inactive, and its back-off begins anew. Of a service that
 * has not failed only the back-off does. */
gboolean zinit_supervisor_reset_failed (ZinitSupervisor *supervisor, ZinitService *service, GError **error);
/* What the folder has and was refused at the last load or reload, ZinitConfigError *; also files of which an
 * older version runs on. Borrowed. */
const GPtrArray *zinit_supervisor_get_config_errors (ZinitSupervisor *supervisor);
/* Services of class user. Return the names touched, sorted; transfer full. */
char **zinit_supervisor_start_all (ZinitSupervisor *supervisor, GError **error);
char **zinit_supervisor_stop_all (ZinitSupervisor *supervisor, GError **error);
char **zinit_supervisor_remove_all (ZinitSupervisor *supervisor, GError **error);

typedef enum {
  ZINIT_ADD_PERSIST = 1 << 0, /* write it to the folder; else it is ephemeral */
  ZINIT_ADD_REPLACE = 1 << 1, /* a service of that name takes the new definition */
} ZinitAddFlags;

/* Adds and, if its status is start, starts. All or nothing: a cycle, a name that exists (SERVICE_EXISTS), a
 * folder that cannot be written. Borrowed. */
ZinitService *zinit_supervisor_add (ZinitSupervisor *supervisor, ZinitDefinition *definition,
                                    ZinitAddFlags flags, GError **error);
/* Renames its file aside. An active one needs @stop (else ALREADY_RUNNING), is stopped in order and removed
 * when it is down. */
gboolean zinit_supervisor_remove (ZinitSupervisor *supervisor, ZinitService *service, gboolean stop,
                                  GError **error);

typedef struct {
  char **added; /* names, sorted */
  char **changed;
  char **removed;
  GPtrArray *errors; /* ZinitConfigError * */
} ZinitReloadResult;

void zinit_reload_result_free (ZinitReloadResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitReloadResult, zinit_reload_result_free)

/* Reads the folder for zinit_supervisor_load(). FALSE with @error when not all of it can be read now, and
 * @is_last_try is FALSE: to be tried again. */
gboolean zinit_supervisor_read_ahead (ZinitSupervisor *supervisor, gboolean is_last_try, GError **error);
/* Takes what the folder has for the first time: services in a cycle are refused for themselves, the others
 * start. Those that are there already have no file, and what a file says of them waits for the next reload.
 * Transfer full; also the errors. */
ZinitReloadResult *zinit_supervisor_load (ZinitSupervisor *supervisor);
/* Reads it again and changes what differs. A cycle refuses the whole change (CYCLIC_DEPENDENCY), and so does
 * (FAILED) a folder that is not there, or that has no definition file at all unless @allow_empty, while there
 * are services with a file: that is most likely a mishap (something is not mounted). Transfer full. */
ZinitReloadResult *zinit_supervisor_reload (ZinitSupervisor *supervisor, gboolean allow_empty,
                                            GError **error);

/* Whether a service that is not among those of the folder any more stays all the same: its file is there and
 * cannot be read or parsed, as @errors of the reading (ZinitConfigError) tell, or the folder as a whole is
 * not there or empty, which is a mishap (something is not mounted) and not a request to remove every service.
 * @path is its file; NULL = not known. */
gboolean zinit_supervisor_keeps (ZinitSupervisor *supervisor, const GPtrArray *errors, const char *name,
                                 const char *path);

/* Reports now what has changed and would be reported at the next turn of the loop. */
void zinit_supervisor_flush (ZinitSupervisor *supervisor);

/* Stops everything, dependents before what they need, and notifies observers when it is done. A second call
 * is not an error. */
void zinit_supervisor_shutdown (ZinitSupervisor *supervisor);

G_END_DECLS
