/* SPDX-License-Identifier: Apache-2.0
 *
 * Where everything is: configuration, run-time folder, private socket, state. The one place that knows, for
 * the daemon and the client alike.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is in the run-time folder. */
#define ZINIT_SOCKET_FILE "zinit.sock"
#define ZINIT_STATE_FILE "state.json"
#define ZINIT_RECORDS_FILE "records"
#define ZINIT_INSTANCE_FILE "instance"
#define ZINIT_FDS_FILE "fds.json"
#define ZINIT_LOCK_FILE "zinitd.lock"
#define ZINIT_LOGS_FOLDER "logs"

typedef enum { ZINIT_SCOPE_SYSTEM, ZINIT_SCOPE_SESSION } ZinitScope;

typedef struct {
  char *config_dir; /* service definitions */
  char *runtime_dir;
  char *socket; /* private D-Bus socket */
  char *state;  /* state.json */
  char *fds;    /* fds.json */
  char *logs;   /* folder of the output of services */
} ZinitPaths;

/* @config_dir, @runtime_dir, @socket override (NULL = look on). Then the variables ZINIT_CONFIG_DIR,
 * ZINIT_RUNTIME_DIR, ZINIT_SOCKET; then CONFIGURATION_DIRECTORY and RUNTIME_DIRECTORY as a service manager
 * sets them (the first of a colon-separated list; services are read from its sub-folder `services` if that is
 * there); then /etc/zinit/services and /run/zinit, or for a session $XDG_CONFIG_HOME/zinit/services and
 * $XDG_RUNTIME_DIR/zinit (without that variable in /run/user/UID; where that is not there and the user is not
 * root, zinit-UID in the temporary folder). All absolute. Transfer full. */
ZinitPaths *zinit_paths_new (ZinitScope scope, const char *config_dir, const char *runtime_dir,
                             const char *socket);
/* The private socket where a client looks for the daemon of @scope: ZINIT_SOCKET, then ZINIT_RUNTIME_DIR, if
 * @use_environment; then the default. RUNTIME_DIRECTORY says nothing to a client: in a service it is a folder
 * of that service. Absolute. Transfer full. */
char *zinit_paths_find_socket (ZinitScope scope, gboolean use_environment);
void zinit_paths_free (ZinitPaths *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitPaths, zinit_paths_free)

G_END_DECLS
