/* SPDX-License-Identifier: Apache-2.0
 *
 * What the run-time folder says of its present life: the state file with the records that belong to it, and
 * ZINIT_INSTANCE. A life goes on over kill -9, re-execution and a released daemon; another boot or an
 * orderly shutdown ends it.
 */
#pragma once

#include "persist/record-log.h"

G_BEGIN_DECLS

typedef struct {
  ZinitSavedState *state; /* NULL = none can be used */
  char *instance;         /* of this life, the one that goes on or a new one */
  gboolean is_new;        /* the instance was made now: no process has it */
  gboolean goes_on;       /* processes of it may live; FALSE: nothing can be left */
  gboolean is_foreign;    /* the state is another program's and too old: it only helps to find processes */
  gboolean is_old;        /* of this life, but older than the format's own fields may be */
} ZinitSavedLife;

/* Reads it and leaves the folder ready for a daemon: @records counts on, a state file that is refused is
 * renamed to PATH.refused, a new life has its instance on file. NULL with @error when the kernel cannot tell
 * now what is there (and @is_last_try is FALSE): to be tried again. Transfer full. */
ZinitSavedLife *zinit_saved_life_load (const ZinitRuntimeFolder *folder, ZinitRecordLog *records,
                                       gboolean is_last_try, GError **error);
void zinit_saved_life_free (ZinitSavedLife *life); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSavedLife, zinit_saved_life_free)

/* The life is over: its files are removed, but for output. If one of them cannot be removed, that is logged,
 * and what is left of the life goes on with the next daemon. */
void zinit_saved_life_end (const ZinitRuntimeFolder *folder);

/* CLOCK_BOOTTIME in ms. */
guint64 zinit_saved_life_now (void);

G_END_DECLS
