/* SPDX-License-Identifier: Apache-2.0
 *
 * What one service has said since its ring was last written to a file, in a file that is mapped: what is in
 * the mapping outlives the daemon, at whatever instruction it is killed. A pipe is read right into it, so
 * that a byte is either in the pipe or here. Knows lines as little as the pipe does; the ring is bytes to it.
 *
 * The two files are of one generation. A new one begins with its ring, whole at one stroke; a journal of an
 * older generation than the ring beside it has nothing that the ring has not.
 */
#pragma once

#include "logs/log-folder.h"
#include "model/state.h"

G_BEGIN_DECLS

#define ZINIT_JOURNAL_RECORD_BYTES 16       /* beside the output itself */
#define ZINIT_MAX_RESERVE_BYTES (64 * 1024) /* at one time: what a pipe holds */

typedef struct _ZinitJournal ZinitJournal;

/* Touches no file. @folder must outlive it. Transfer full. */
ZinitJournal *zinit_journal_new (ZinitLogFolder *folder, const char *service);
/* The files stay. */
void zinit_journal_free (ZinitJournal *journal);
/* The files go; a new generation is needed before something can be written. */
void zinit_journal_discard (ZinitJournal *journal);

/* Begins a new generation: @ring is all until now, the journal is empty then, in a new file if the one that
 * there was is damaged or gone. On failure the journal is closed, and the files have what they had. */
gboolean zinit_journal_start (ZinitJournal *journal, const GByteArray *ring, GError **error);
/* FALSE before the first generation and after a failure. */
gboolean zinit_journal_is_open (const ZinitJournal *journal);
gsize zinit_journal_get_used (const ZinitJournal *journal); /* bytes, with what stands beside the output */

/* The file was cut short: what was committed last is perhaps in no file, and a new generation is needed. Its
 * bytes may be read until that begins. */
gboolean zinit_journal_is_damaged (const ZinitJournal *journal);

/* Room for @wanted bytes (ZINIT_MAX_RESERVE_BYTES at most) that is touched already, so that a read(2) into it
 * never stops half-way for a page. What a daemon that dies before the commit has read into it is found again.
 * The journal must be open; it is closed on failure, and NULL is returned with @error. */
char *zinit_journal_reserve (ZinitJournal *journal, ZinitStream stream, gsize wanted, gint64 time_usec,
                             GError **error);
/* @bytes are what was reserved last. */
gboolean zinit_journal_is_reserved (const ZinitJournal *journal, const char *bytes);
void zinit_journal_commit (ZinitJournal *journal, gsize length, gint64 time_usec);
/* The writer is gone. As reserve on failure. */
gboolean zinit_journal_end (ZinitJournal *journal, GError **error);

typedef struct {
  gboolean (*ring) (const guint8 *bytes, gsize length, gpointer data); /* FALSE: it is no ring */
  void (*output) (ZinitStream stream, const char *bytes, gsize length, gint64 time_usec, gpointer data);
  void (*ended) (gpointer data);
} ZinitJournalReader;

/* Gives what an earlier daemon wrote, in that order, also what it had no time to commit. Changes nothing on
 * disk. What cannot be read is reported in the daemon's log. FALSE with errno, and nothing was given, when
 * that may pass and @is_last_try is FALSE. */
gboolean zinit_journal_read (ZinitJournal *journal, const ZinitJournalReader *reader, gpointer data,
                             gboolean is_last_try);
/* The same without a journal: @ret_generation is the newest one that was found, 0 = none. */
gboolean zinit_journal_read_files (ZinitLogFolder *folder, const char *service,
                                   const ZinitJournalReader *reader, gpointer data, gboolean is_last_try,
                                   guint64 *ret_generation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitJournal, zinit_journal_free)

G_END_DECLS
