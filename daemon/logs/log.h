/* SPDX-License-Identifier: Apache-2.0
 *
 * The recent output of one service: bytes in, lines with time and stream kept in a ring. A long line is split
 * at ZINIT_MAX_LINE_BYTES, an unfinished last line is kept and shown, bytes are kept as they came (making
 * them safe for a reader is the reader's matter). With a folder, all of it outlives the daemon however that
 * ends. Costs nothing for a service that says nothing. Reads no descriptor of a service, knows no clock.
 */
#pragma once

#include "logs/log-folder.h"
#include "model/state.h"

G_BEGIN_DECLS

typedef struct _ZinitLog ZinitLog;

typedef struct {
  gint64 time_usec; /* since 1970, when its first byte was read */
  ZinitStream stream;
  const char *text; /* no line feed, not NUL-terminated, any bytes; a trailing CR is kept */
  gsize length;
} ZinitLogLine;

/* @max_lines 0 keeps none (they are still counted). Transfer full. */
ZinitLog *zinit_log_new (guint64 max_lines);
void zinit_log_free (ZinitLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitLog, zinit_log_free)

/* Fewer lines than are kept drops the oldest. */
void zinit_log_set_max_lines (ZinitLog *log, guint64 max_lines);
/* @bytes may be what zinit_log_reserve() gave: then they are kept where they are. */
void zinit_log_append (ZinitLog *log, ZinitStream stream, const char *bytes, gsize length, gint64 time_usec);
/* The writer is gone: an unfinished line becomes a line. */
void zinit_log_end (ZinitLog *log);

/* From now on what is appended goes to files of @service in @folder (borrowed) first. When they cannot be
 * written it is kept in memory alone, which @folder says once, and tried again after some seconds. */
void zinit_log_attach (ZinitLog *log, ZinitLogFolder *folder, const char *service);
/* Takes up what an earlier daemon kept of @log, which is attached and has nothing yet. FALSE with errno when
 * it cannot be read now and @is_last_try is FALSE: to be tried again before anything is appended. */
gboolean zinit_log_recover (ZinitLog *log, gboolean is_last_try);
/* Room to read at most @wanted bytes of @stream into, which zinit_log_append() has to be told next, or
 * nothing was read. What was read when the daemon dies in between is not lost. Borrowed until the next call;
 * NULL when there is none, and what is read elsewhere is as good but for such a death. */
char *zinit_log_reserve (ZinitLog *log, ZinitStream stream, gsize wanted, gint64 time_usec, gsize *ret_size);
/* TRUE when all of it is in the files, or it has none to be in. Tries it if it was not. */
gboolean zinit_log_sync (ZinitLog *log, GError **error);
/* The files are gone, with their folder: all that is kept goes to new ones. */
void zinit_log_renew (ZinitLog *log, const char *service);
/* The files go. */
void zinit_log_discard (ZinitLog *log);

guint64 zinit_log_get_total (const ZinitLog *log);   /* lines ever, without unfinished ones */
guint64 zinit_log_get_dropped (const ZinitLog *log); /* of these, no longer kept */
gsize zinit_log_get_bytes (const ZinitLog *log);     /* of the kept lines, and 12 for each finished one */

/* Appends all that is kept, unfinished lines and counters included, in a form that only zinit_log_load() of
 * the same layout reads: for the next daemon. */
void zinit_log_save (const ZinitLog *log, GByteArray *out);
/* Fills @log, which is new, from that. FALSE when @bytes is nothing of the kind; @log is then empty or has
 * what could be read. */
gboolean zinit_log_load (ZinitLog *log, const guint8 *bytes, gsize length);

/* Return FALSE to stop. */
typedef gboolean (*ZinitLogFunc) (const ZinitLogLine *line, gpointer data);

typedef struct {
  guint64 max_lines; /* the newest so many that fit the rest; G_MAXUINT64 = all */
  gsize max_bytes;   /* of text, newest kept; G_MAXSIZE = all */
  gint64 since_usec; /* not older than this; 0 = all */
  guint streams;     /* bit 1 << ZinitStream */
} ZinitLogQuery;

/* Calls @func for the matching lines, oldest first, unfinished ones last. The lines are borrowed for the
 * call. */
void zinit_log_foreach (const ZinitLog *log, const ZinitLogQuery *query, ZinitLogFunc func, gpointer data);

G_END_DECLS
