/* SPDX-License-Identifier: Apache-2.0
 *
 * What every command shares: the client's options and connection, its own options, how it ends. Each command
 * is one function; main.c has the table of them.
 */
#pragma once

#include <gio/gio.h>

#include "client/connection.h"

G_BEGIN_DECLS

/* How `zinit` ends. */
typedef enum {
  ZINIT_EXIT_DONE = 0,
  ZINIT_EXIT_FAILED = 1,
  ZINIT_EXIT_USAGE = 2,
  ZINIT_EXIT_NO_SUCH_SERVICE = 3,
  ZINIT_EXIT_NO_DAEMON = 4,
  ZINIT_EXIT_NOT_ALLOWED = 5,
} ZinitExitCode;

typedef struct _ZinitCommand ZinitCommand;

typedef struct {
  const ZinitCommand *command;
  gboolean json;
  ZinitConnection *connection; /* made at the first call */
  ZinitConnectionOptions options;
} ZinitClient;

/* @argv[0] is the command's name. Returns the exit code. */
typedef ZinitExitCode (*ZinitCommandFunc) (ZinitClient *client, int argc, char **argv);

struct _ZinitCommand {
  const char *name;
  const char *alias;     /* NULL = none */
  const char *arguments; /* as in the usage line; marked N_() */
  const char *summary;   /* one sentence; marked N_() */
  ZinitCommandFunc run;
  gboolean takes_files; /* its words are file names, any bytes; else UTF-8 */
};

/* The options that may stand before and after the command. Borrowed. */
const GOptionEntry *zinit_command_global_entries (void);
/* Takes what zinit_command_global_entries() read into @client; FALSE with a message when they contradict each
 * other. */
gboolean zinit_command_take_globals (ZinitClient *client, GError **error);
/* Reads @entries (NULL-terminated, or NULL) and the global options; --help prints and exits. Returns what is
 * left, at least @minimum and at most @maximum (-1 = any number) words, transfer full; or NULL after a
 * message, then the command ends with ZINIT_EXIT_USAGE. */
char **zinit_command_parse (ZinitClient *client, const GOptionEntry *entries, int minimum, int maximum,
                            int argc, char **argv);
/* Prints a usage error. Returns ZINIT_EXIT_USAGE. */
ZinitExitCode zinit_command_usage_error (ZinitClient *client, const char *message);

/* Calls a method of the manager and waits for its reply, connecting first if need be. @parameters floating;
 * @reply_type NULL = "()". Returns NULL with @error set. Transfer full. */
GVariant *zinit_command_call (ZinitClient *client, const char *method, GVariant *parameters,
                              const char *reply_type, GError **error);
/* The same on any object. */
GVariant *zinit_command_call_object (ZinitClient *client, const char *path, const char *interface,
                                     const char *method, GVariant *parameters, const char *reply_type,
                                     GError **error);
/* A method of the manager whose answer of one type @signature is read by zinit_wire_read_…(). FALSE without
 * @error when the connection has no such answers: then zinit_command_call() does it. @error must not be NULL.
 */
gboolean zinit_command_call_raw (ZinitClient *client, const char *method, GVariant *parameters,
                                 const char *signature, GBytes **ret_body, GError **error);
/* The connection for who wants to hear signals or has calls open side by side; NULL with @error set when
 * there is no daemon. Borrowed. */
ZinitConnection *zinit_command_connect (ZinitClient *client, GError **error);

/* Of two results the one to end with: the higher, but without a daemon nothing else matters. */
ZinitExitCode zinit_command_worse (ZinitExitCode a, ZinitExitCode b);
/* Which exit code @error is. */
ZinitExitCode zinit_command_exit_code (const GError *error);
/* The text of @error for people, without D-Bus's prefix. Transfer full. */
char *zinit_command_error_message (const GError *error);
/* Prints @error; returns its exit code. */
ZinitExitCode zinit_command_fail (const GError *error);
/* The last component "NoSuchService" of a zinit error's D-Bus name is @name. */
gboolean zinit_command_is_error (const GError *error, const char *name);
/* "ok" and "error" members of a JSON result; @error NULL is success. */
void zinit_command_append_result (GString *json, const GError *error);

/* a{sv} with nothing in it; floating. */
GVariant *zinit_command_no_options (void);

/* The commands. */
ZinitExitCode zinit_command_list (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_status (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_start (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_stop (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_restart (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_kill (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_wait (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_why (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_tree (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_logs (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_watch (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_add (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_remove (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_reload (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_config (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_check (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_stats (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_shutdown (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_reexec (ZinitClient *client, int argc, char **argv);
ZinitExitCode zinit_command_prepare_restart (ZinitClient *client, int argc, char **argv);

G_END_DECLS
