/* SPDX-License-Identifier: Apache-2.0
 *
 * What one service has said since its ring was last written to a file, in a file that is mapped: what is in
 * the mapping outlives the daemon, at whatever instruction it is killed. A pipe is read right into it, so
 * that a byte is either in the pipe or here. Knows lines as little as the pipe does; the ring is bytes to it.
 *
 * The two files are of one generation. A new one begins with its ring, whole at one stroke; a spool of an
 * older generation than the ring beside it has nothing that the ring has not.
 */
#pragma once

#include "logs/log-folder.h"
#include "model/state.h"

G_BEGIN_DECLS

#define ZINIT_SPOOL_RECORD_BYTES 16         /* beside the output itself */
#define ZINIT_MAX_RESERVE_BYTES (64 * 1024) /* at one time: what a pipe holds */

typedef struct _ZinitJournal ZinitSpool;

/* Touches no file. @folder must outlive it. Transfer full. */
ZinitSpool *zinit_spool_new (ZinitLogFolder *folder, const char *service);
/* The files stay. */
void zinit_spool_free (ZinitSpool *spool);
/* The files go; a new generation is needed before something can be written. */
void zinit_spool_discard (ZinitSpool *spool);

/* Begins a new generation: @ring is all until now, the spool is empty then, in a new file if the one that
 * there was is damaged or gone. On failure the spool is closed, and the files have what they had. */
gboolean zinit_spool_start (ZinitSpool *spool, const GByteArray *ring, GError **error);
/* FALSE before the first generation and after a failure. */
gboolean zinit_spool_is_open (const ZinitSpool *spool);
gsize zinit_spool_get_used (const ZinitSpool *spool); /* bytes, with what stands beside the output */

/* The file was cut short: what was committed last is perhaps in no file, and a new generation is needed. Its
 * bytes may be read until that begins. */
gboolean zinit_spool_is_damaged (const ZinitSpool *spool);

/* Room for @wanted bytes (ZINIT_MAX_RESERVE_BYTES at most) that is touched already, so that a read(2) into it
 * never stops half-way for a page. What a daemon that dies before the commit has read into it is found again.
 * The spool must be open; it is closed on failure, and NULL is returned with @error. */
char *zinit_spool_reserve (ZinitSpool *spool, ZinitStream stream, gsize wanted, gint64 time_usec,
                           GError **error);
/* @bytes are what was reserved last. */
gboolean zinit_spool_is_reserved (const ZinitSpool *spool, const char *bytes);
void zinit_spool_commit (ZinitSpool *spool, gsize length, gint64 time_usec);
/* The writer is gone. As reserve on failure. */
gboolean zinit_spool_end (ZinitSpool *spool, GError **error);

typedef struct {
  gboolean (*ring) (const guint8 *bytes, gsize length, gpointer data); /* FALSE: it is no ring */
  void (*output) (ZinitStream stream, const char *bytes, gsize length, gint64 time_usec, gpointer data);
  void (*ended) (gpointer data);
} ZinitSpoolReader;

/* Gives what an earlier daemon wrote, in that order, also what it had no time to commit. Changes nothing on
 * disk. What cannot be read is reported in the daemon's log. FALSE with errno, and nothing was given, when
 * that may pass and @is_last_try is FALSE. */
gboolean zinit_spool_read (ZinitSpool *spool, const ZinitSpoolReader *reader, gpointer data,
                           gboolean is_last_try);
/* The same without a spool: @ret_generation is the newest one that was found, 0 = none. */
gboolean zinit_spool_read_files (ZinitLogFolder *folder, const char *service, const ZinitSpoolReader *reader,
                                 gpointer data, gboolean is_last_try, guint64 *ret_generation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSpool, zinit_spool_free)

G_END_DECLS
