/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields that zinit adds to a service in state.json. The format allows fields of one's own and other
 * readers skip them, so all of them may be missing, and none may be relied on.
 */
#pragma once

#include "model/state.h"

G_BEGIN_DECLS

/* The clock of a saved deadline. */
typedef enum {
  ZINIT_SAVED_CLOCK_REALTIME,  /* since 1970 */
  ZINIT_SAVED_CLOCK_MONOTONIC, /* since the boot, without the time asleep */
  ZINIT_SAVED_CLOCK_BOOTTIME,  /* since the boot, with it */
  ZINIT_N_SAVED_CLOCKS
} ZinitSavedClock;

/* "realtime", "monotonic", "boottime"; NULL-terminated, in enum order. */
extern const char *const zinit_saved_clock_words[];

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
  char *file;               /* in which it was found; NULL = none, or not known */
  int wanted_status;        /* ZinitWanted; -1 = not known */
  ZinitFailure failure;     /* why the state is failed */
  guint64 started_at_usec;  /* since 1970, as started_at, which is in ms; 0 = not known */
  ZinitSavedClock clock;    /* of deadline_at */
  guint64
      deadline_at; /* when the back-off or the time-out of the present state ends, ms of clock; 0 = none */
  /* How it got where it is, and what is to come; a flag that is not set is not written. */
  gboolean exit_unknown;     /* it has ended, and it is not known how */
  gboolean main_ended;       /* its first process is gone, others of its group are not */
  gboolean stop_due;         /* to be stopped once those that need it are down */
  gboolean stop_asked;       /* its end was asked for */
  gboolean start_timed_out;  /* it is being stopped because it took too long to start */
  gboolean kill_needed;      /* it took too long to stop */
  gboolean start_after;      /* to be started again once it has stopped */
  gboolean comes_back;       /* down only because something it requires was stopped */
  gboolean remove_when_down; /* to be forgotten then */
} ZinitStateExtensions;

/* Nothing is known. Transfer full. */
ZinitStateExtensions *zinit_state_extensions_new (void);
void zinit_state_extensions_free (ZinitStateExtensions *extra); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitStateExtensions, zinit_state_extensions_free)
gboolean zinit_state_extensions_equal (const ZinitStateExtensions *a, const ZinitStateExtensions *b);

/* TRUE when @name is a field of ours. */
gboolean zinit_state_extensions_has_field (const char *name);
/* Reads the field @name from JSON text, one value. On FALSE @extra is unchanged and @error is
 * ZINIT_ERROR_INVALID_CONFIG, "what; what is allowed". */
gboolean zinit_state_extensions_read (ZinitStateExtensions *extra, const char *name, const char *text,
                                      gsize length, GError **error);
/* Appends all fields that are known, each as ",", a line feed, the blanks of @level and the member.
 * @ret_definition_at (may be NULL) becomes where in @out the value of `definition` begins, if there is one.
 */
void zinit_state_extensions_write (GString *out, const ZinitStateExtensions *extra, guint level,
                                   gsize *ret_definition_at);

G_END_DECLS
