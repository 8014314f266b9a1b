/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents that outlive the daemon, as values: state.json, and fds.json or the variable ZINIT_FDS;
 * reading and writing their text, and the rules on version and age. The format is not ours to change: other
 * readers and writers of it exist, so every verdict is theirs, and what we add are extra fields that they
 * skip. Where the files are is in state-file.h.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "model/state.h"

G_BEGIN_DECLS

#define ZINIT_STATE_VERSION 1
#define ZINIT_FDS_VERSION 1
#define ZINIT_STATE_MAX_AGE_MS 300000

/* The clock of a saved deadline. */
typedef enum {
  ZINIT_SAVED_CLOCK_REALTIME,  /* since 1970 */
  ZINIT_SAVED_CLOCK_MONOTONIC, /* since the boot, without the time asleep */
  ZINIT_SAVED_CLOCK_BOOTTIME,  /* since the boot, with it */
  ZINIT_N_SAVED_CLOCKS
} ZinitSavedClock;

/* The fields that we add to a service. The format allows fields of one's own and other readers skip them, so
 * all of them may be missing, and none may be relied on. */
typedef struct {
  guint64 run;             /* number of its last start, from 1; 0 = not known */
  guint64 pid_start_ticks; /* field 22 of /proc/PID/stat, clock ticks since the boot; 0 = not known */
  guint64 stdout_inode;    /* of the pipe that is its standard output; 0 = none, or not known */
  guint64 stderr_inode;    /* the same */
  guint64 definition_hash; /* zinit_definition_hash() of the one in force; 0 = not known */
  /* That definition as JSON text, an object, of a service that has a file: mostly the file still says it, so
   * it is not looked at before it is needed. One without a file has it as the format's own `config`. NULL =
   * not there */
  char *definition;
  char *pending_definition; /* the one that its next start will use, in the same form; NULL = the file says
                               it, or there is none */
  char *said;               /* STATUS of its messages; NULL = none */
  char *file;               /* in which it was found; NULL = none, or not known */
  int wanted_status;        /* ZinitWanted; -1 = not known */
  ZinitFailure failure;     /* why the state is failed */
  guint64 started_at_usec;  /* since 1970, as started_at, which is in ms; 0 = not known */
  ZinitSavedClock clock;    /* of deadline_at */
  guint64
      deadline_at; /* when the back-off or the time-out of the present state ends, ms of clock; 0 = none */
  int stop_cause;  /* index in zinit_stop_cause_words, where the flags below do not tell it; -1 = they do */
  /* How it got where it is, and what is to come; a flag that is not set is not written. */
  gboolean exit_unknown;     /* it has ended, and it is not known how */
  gboolean main_ended;       /* its first process is gone, others of its group are not */
  gboolean stop_due;         /* to be stopped once those that need it are down */
  gboolean stop_asked;       /* its end was asked for */
  gboolean start_timed_out;  /* it is being stopped because it took too long to start */
  gboolean kill_needed;      /* it took too long to stop */
  gboolean start_after;      /* to be started again once it has stopped */
  gboolean comes_back;       /* down only because something it requires was stopped */
  gboolean keeps_place;      /* blocked, and it was up before: a conflict counts meanwhile */
  gboolean remove_when_down; /* to be forgotten then */
  /* Failures of other services, "NAME=REASON": why it was started, NULL = for none; and why it is to be
   * started once more after its end, with a blank between two, NULL = it is not */
  char *started_for;
  char *failures;
} ZinitStateExtensions;

/* An optional value is absent, and null in the file, unless has_… is TRUE. */
typedef struct {
  char *name; /* as the file says it; the map's key decides */
  ZinitState state;
  gboolean has_pid;
  guint32 pid; /* any number: 0 and what the kernel takes for a group must be refused by the caller */
  guint32 restart_count;
  guint64 current_restart_delay_ms;
  gboolean has_last_exit_code;
  gint32 last_exit_code;
  gboolean has_last_exit_signal;
  gint32 last_exit_signal;
  gboolean has_started_at;
  guint64 started_at;          /* ms since 1970 */
  guint64 last_state_change;   /* ms since 1970 */
  gboolean ephemeral;          /* added at run time, in no file */
  char *config;                /* its definition as zinit_saved_config_from_json() gives it, or NULL */
  ZinitStateExtensions *extra; /* our own fields, or NULL */
} ZinitSavedService;

typedef struct {
  guint32 version;
  guint64 saved_at;  /* ms since 1970 */
  guint64 boot_time; /* ms since 1970 */
  GTree *services;   /* char * → ZinitSavedService *, by bytewise order of the key */
  char *config_dir;
  char *socket_path;
  /* Our own fields; the first two say where the numbers of processes mean what they meant when it was saved.
   */
  char *boot_id;            /* the kernel's boot; NULL = not known */
  guint64 init_start_ticks; /* when process 1 started, which a container has of its own; 0 = not known */
  char *instance;           /* ZINIT_INSTANCE of the life that it belongs to; NULL = not known */
  guint64 saved_boottime;   /* when it was saved, ms on CLOCK_BOOTTIME; 0 = not known */
  guint64 record_sequence;  /* of the last record (record-log.h) that it includes; 0 = none */
  gboolean shutting_down;   /* all is being stopped: what is found dead is not to be judged by how it ended */
} ZinitSavedState;

typedef struct {
  gboolean has_stdout_pipe;
  gint32 stdout_pipe; /* any number, as all of them here */
  gboolean has_stderr_pipe;
  gint32 stderr_pipe;
} ZinitSavedPipes;

typedef struct {
  guint32 version;
  gboolean has_rpc_socket;
  gint32 rpc_socket;
  GTree *services;         /* char * → ZinitSavedPipes *, by bytewise order of the key */
  GTree *socket_activated; /* char * → GINT_TO_POINTER (descriptor), the same */
} ZinitSavedFds;

/* A map as the documents have them; it owns its keys, @free_value its values. Transfer full. */
GTree *zinit_saved_map_new (GDestroyNotify free_value);
/* With our version, empty maps and strings. Transfer full. */
ZinitSavedState *zinit_saved_state_new (void);
ZinitSavedService *zinit_saved_service_new (const char *name);
ZinitStateExtensions *zinit_state_extensions_new (void); /* in which nothing is known */
ZinitSavedFds *zinit_saved_fds_new (void);
void zinit_saved_state_free (ZinitSavedState *state);
void zinit_saved_service_free (ZinitSavedService *service);
void zinit_state_extensions_free (ZinitStateExtensions *extra);
void zinit_saved_fds_free (ZinitSavedFds *fds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSavedState, zinit_saved_state_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSavedService, zinit_saved_service_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSavedFds, zinit_saved_fds_free)

typedef enum {
  ZINIT_EXTRAS_SKIP, /* as every other reader of the format */
  ZINIT_EXTRAS_READ, /* a malformed one is passed over with a warning: it must not cost the document */
} ZinitExtras;

/* The document that @text holds, or no document at all: one wrong field refuses it whole. Version and age are
 * not judged. An array in place of an object, an object in place of a state's word and U+0000 in a string
 * that is read are refused, though the format's first reader takes them: no writer writes them. Errors are
 * ZINIT_ERROR_INVALID_CONFIG, "services.web.pid: what; what is allowed", "document: …" for the whole.
 * Transfer full. */
ZinitSavedState *zinit_saved_state_parse (const char *text, gsize length, ZinitExtras extras, GError **error);
ZinitSavedFds *zinit_saved_fds_parse (const char *text, gsize length, GError **error);
/* Reads a map of services, the text of zinit_saved_service_print() in braces, into @state, in place of those
 * of the same names. On FALSE @state is unchanged. Errors as for parsing. */
gboolean zinit_saved_state_merge (ZinitSavedState *state, const char *text, gsize length, GError **error);

/* The canonical text: the format's order of fields, maps in order of their keys, a line feed at the end; the
 * extra fields that are there follow the format's. Transfer full. */
char *zinit_saved_state_print (const ZinitSavedState *state, gsize *ret_length);
/* The same text in pieces, for a caller that prints it often while little changes: a part for each service,
 * in order of the keys, between the two of the frame. */
/* The part of one service, its name being the key. It begins with a comma, which the first one goes without.
 * @ret_definition_at is where in it its config, or our own definition in place of that, stands, if it has
 * one. Transfer full. */
char *zinit_saved_service_print (const ZinitSavedService *service, gsize *ret_length,
                                 gsize *ret_definition_at);
/* What is around the parts of services, of which @state has none; what comes after them begins at
 * @ret_end_at. Transfer full. */
char *zinit_saved_state_print_frame (const ZinitSavedState *state, gsize *ret_length, gsize *ret_end_at);
char *zinit_saved_fds_print (const ZinitSavedFds *fds, gsize *ret_length);

/* The text of one definition, an object, in the layout it has as `config` of a service, fields in the
 * format's order. zinit_strict_json_parse() and zinit_definition_from_json() make a definition of it. @node
 * is what zinit_definition_to_saved_json() gives; what the format cannot hold in it is
 * ZINIT_ERROR_INVALID_CONFIG. Transfer full. */
char *zinit_saved_config_from_json (JsonNode *node, GError **error);

/* Whether @state may be restored at @now_ms (ms since 1970): its version first, then its age. A document from
 * the future is 0 ms old. Errors as for parsing. */
gboolean zinit_saved_state_check (const ZinitSavedState *state, guint64 now_ms, GError **error);
/* The same for a map of descriptors; it has no age. The format's first reader never asks, but what a later
 * version means by a number must not be guessed. */
gboolean zinit_saved_fds_check (const ZinitSavedFds *fds, GError **error);
/* The state that a service saved in @saved is in when it is restored, with or without a process. */
ZinitState zinit_saved_state_restored (ZinitState saved, gboolean has_process);

G_END_DECLS
