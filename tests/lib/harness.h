/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of the real daemon: a folder of its own, a bus of its own, the built zinitd, and a client. At the
 * end the daemon must go with exit code 0 and leave no process behind; when a test fails its log is printed,
 * and whatever happens a guard process clears up.
 *
 * ZINITD and ZINIT are the built programs (set by meson). ZINITD_WRAPPER is put before zinitd, such as
 * "strace -f -o /tmp/trace"; valgrind 3.19 will not do, as it lacks pidfd_open(2): use
 * -Db_sanitize=address,undefined. ZINIT_TEST_SLOW is a factor for all deadlines. With ZINIT_TEST_KEEP the
 * folder stays.
 */
#pragma once

#include "client.h"

G_BEGIN_DECLS

typedef struct {
  char *directory; /* everything of this run is below it */
  char *config_dir;
  char *runtime_dir;
  char *socket; /* the daemon's private one */
  char *bus_address;
  char *bus_config;
  char *program;      /* what is started as the daemon: the built one, unless a test has put another here */
  char *wrapper;      /* words before the program; NULL = those of ZINITD_WRAPPER, if any */
  char *log_path;     /* the daemon's stderr */
  char *mark;         /* in the environment of every process of this run */
  char **environment; /* of what is started from now on */
  int notify_fd;
  int guard_fd;
  GPid bus_pid; /* 0 = not running */
  GPid daemon_pid;
  TestClient *client; /* while the daemon runs */
} Harness;

/* g_test_init() and what all tests need besides. */
void harness_init (int *argc, char ***argv);
const char *harness_child (void); /* path of the child program */
const char *harness_zinit (void); /* path of the command */

/* The folder and the bus; no daemon yet. Transfer full. */
Harness *harness_new (void);
/* Ends an orderly run by Shutdown: exit code 0, nothing left behind. Also frees. */
void harness_finish (Harness *harness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Harness, harness_finish)

/* For what is started from now on; @value NULL takes the variable away. */
void harness_setenv (Harness *harness, const char *name, const char *value);

/* Writes @name into the folder of definitions; the text as it is, or as printf. */
void harness_write_bytes (Harness *harness, const char *name, const char *bytes, gssize length);
void harness_write (Harness *harness, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* NAME.toml with `exec` = the child program and @orders for it. @more continues the section [service]. */
void harness_service (Harness *harness, const char *name, const char *orders, const char *more);
void harness_remove (Harness *harness, const char *name);
/* A path below the run's folder. Transfer full. */
char *harness_path (Harness *harness, const char *name);

/* Starts zinitd on the bus and waits until it says READY=1 and owns its name. */
void harness_start (Harness *harness);
/* The same with other options in place of --address (NULL-terminated list); waits for READY=1, and the client
 * is on the private socket. */
void harness_start_with (Harness *harness, const char *const *options);
/* Only starts it. */
void harness_launch (Harness *harness, const char *const *options);
void harness_wait_ready (Harness *harness);
void harness_wait_name (Harness *harness);
/* Another image of the same process answers, and the client is a new one on its private socket. */
void harness_reexecute (Harness *harness);
/* The daemon ends by itself: the wait status. The client is gone then. */
int harness_wait_exit (Harness *harness);
/* No process of this run is left but the bus. */
void harness_check_nothing_left (Harness *harness);
/* Living processes of one service, by the mark that the daemon sets. Transfer full. */
GArray *harness_service_pids (Harness *harness, const char *service);

void harness_start_bus (Harness *harness);
void harness_stop_bus (Harness *harness);

/* Reload without errors: "+added,names ~changed -removed". Transfer full. */
char *harness_reload (Harness *harness);
/* Reload: its errors, a(ss). Transfer full. */
GVariant *harness_reload_errors (Harness *harness);

/* The whole text of a file that a child writes; waits until it is there. Transfer full. */
char *harness_read_when_there (Harness *harness, const char *name);
/* Waits until the file has @count lines; returns them. Transfer full. */
char **harness_wait_lines (Harness *harness, const char *name, guint count);

G_END_DECLS
