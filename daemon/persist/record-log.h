/* SPDX-License-Identifier: Apache-2.0
 *
 * The record log: a file beside state.json, to which all changes since its last save are appended, so that a
 * request costs one small write instead of the whole state, and a program is on record before it runs. Each
 * record has a number; state.json says which it includes, the others are applied to it. When a state has
 * been saved and the log has grown, it is emptied. When records are written, and of what, is decided in
 * handover/.
 *
 * A record is a line, and for a service its saved form behind it:
 *
 *     started SEQUENCE SERVICE RUN PID START_TICKS      a program is about to be executed
 *     aborted SEQUENCE SERVICE RUN PID START_TICKS      the program was not executed after all
 *     service SEQUENCE BYTES                            BYTES of a JSON map of services follow, and a line
 * feed removed SEQUENCE SERVICE
 */
#pragma once

#include "persist/runtime-folder.h"
#include "persist/state-format.h"

G_BEGIN_DECLS

typedef struct _ZinitRecordLog ZinitRecordLog;

/* The log is the file @name of @folder (both borrowed). Nothing can be appended until it is opened. Transfer
 * full. */
ZinitRecordLog *zinit_record_log_new (const ZinitRuntimeFolder *folder, const char *name);
void zinit_record_log_free (ZinitRecordLog *log); /* NULL is fine; the file stays */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitRecordLog, zinit_record_log_free)

/* Opens the file, which is made if it is not there, in place of the one that was open. What is in it stays.
 * Anything in its place that is not a regular file of this user is renamed aside. FALSE with @error and
 * errno when it cannot be written; it may be readable all the same. */
gboolean zinit_record_log_open (ZinitRecordLog *log, GError **error);

/* Applies all records above @state's record_sequence to @state and counts on from the last; what comes behind
 * a record that is damaged or incomplete is cut off, and @ret_is_damaged is TRUE if that was more than the
 * beginning of one record, as a kill leaves it. FALSE when it cannot be read: then nothing is known of it. */
gboolean zinit_record_log_replay (ZinitRecordLog *log, ZinitSavedState *state, gboolean *ret_is_damaged,
                                  GError **error);

/* Of the last record; a state that is saved now includes it. */
guint64 zinit_record_log_get_sequence (const ZinitRecordLog *log);

/* The texts of a start, for the child to write, and the descriptor. */
typedef struct {
  int fd;             /* -1 = there is no file */
  char *started;      /* up to the pid */
  char *aborted;      /* the same */
  goffset size_bytes; /* of the file before */
} ZinitRecordedStart;

void zinit_record_log_begin_start (ZinitRecordLog *log, const char *service, guint64 run,
                                   ZinitRecordedStart *ret_start);
/* The child has executed its program, or ended. FALSE with @error when it could not write its record, which
 * is reported once until one is written again. */
gboolean zinit_record_log_end_start (ZinitRecordLog *log, ZinitRecordedStart *start, GError **error);

/* Gathers records. @text is what zinit_saved_service_print() gives, with its comma, borrowed until
 * zinit_record_log_commit(). */
void zinit_record_log_add_service (ZinitRecordLog *log, const char *text, gsize length);
void zinit_record_log_add_removal (ZinitRecordLog *log, const char *service);
/* Writes what was gathered, all at once. On FALSE nothing of it counts. */
gboolean zinit_record_log_commit (ZinitRecordLog *log, GError **error);

/* A state that includes everything has been saved: a log that has grown is empty again, with some space
 * reserved; one that could not be opened is tried again. */
void zinit_record_log_cut (ZinitRecordLog *log);
/* Empties it in any case: nothing in it is of this life. */
void zinit_record_log_clear (ZinitRecordLog *log);
goffset zinit_record_log_get_size (const ZinitRecordLog *log); /* bytes */

/* record-replay.c: the text of a log. Returns where the first record that is not whole begins, or @length. */
gsize zinit_records_apply (const char *text, gsize length, ZinitSavedState *state, guint64 *ret_sequence);

G_END_DECLS
