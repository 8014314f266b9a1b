/* SPDX-License-Identifier: Apache-2.0
 *
 * The log and its files: what comes goes to the spool, then into the ring, and when the spool has become
 * long, compared with the ring, the ring is written instead. The files are opened when there is something to
 * be kept; so are those of an earlier daemon, which are only read until then.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include <string.h>

#include "logs/log-private.h"

/* A new ring is written after so much output, or half a ring of it: then output is written three times at
 * most. */
#define MIN_JOURNAL_BYTES (64 * 1024)
#define RETRY_USEC (5 * G_USEC_PER_SEC)

void
zinit_log_attach (ZinitLog *log, ZinitLogFolder *folder, const char *service)
{
  zinit_spool_free (log->spool);
  log->folder = folder;
  log->spool = zinit_spool_new (folder, service);
}

static gboolean
start_spool (ZinitLog *log, GError **error)
{
  g_autoptr (GByteArray) ring = g_byte_array_sized_new ((guint)zinit_log_get_bytes (log) + 128);

  zinit_log_save (log, ring);
  return zinit_spool_start (log->spool, ring, error);
}

/* Sets the time of the failure, if there was one, to @time_usec. */
static void
note (ZinitLog *log, gint64 time_usec, const GError *error)
{
  log->failed_usec = error != NULL ? MAX (time_usec, 1) : 0;
  if (error != NULL)
    zinit_log_folder_warn_once (log->folder, error);
}

/* TRUE when the spool is open and may become longer by @length bytes of output. */
static gboolean
has_room (ZinitLog *log, gsize length, gint64 time_usec)
{
  g_autoptr (GError) error = NULL;
  gint64 since_failure_usec = time_usec - log->failed_usec;

  if (log->spool == NULL)
    return FALSE;
  if (zinit_spool_is_open (log->spool) &&
      zinit_spool_get_used (log->spool) + ZINIT_SPOOL_RECORD_BYTES + length <=
          MAX (MIN_JOURNAL_BYTES, log->record_bytes / 2))
    return TRUE;
  /* Also when the clock was set back. */
  if (log->failed_usec != 0 && since_failure_usec >= 0 && since_failure_usec < RETRY_USEC)
    return FALSE;
  start_spool (log, &error);
  note (log, time_usec, error);
  return error == NULL;
}

char *
zinit_log_reserve (ZinitLog *log, ZinitStream stream, gsize wanted, gint64 time_usec, gsize *ret_size)
{
  g_autoptr (GError) error = NULL;
  char *room;

  *ret_size = MIN (wanted, ZINIT_MAX_RESERVE_BYTES);
  if (!has_room (log, *ret_size, time_usec))
    return NULL;
  room = zinit_spool_reserve (log->spool, stream, *ret_size, time_usec, &error);
  /* Perhaps its file was damaged: begins another one at once. */
  if (room == NULL) {
    g_clear_error (&error);
    if (start_spool (log, &error))
      room = zinit_spool_reserve (log->spool, stream, *ret_size, time_usec, &error);
  }
  note (log, time_usec, error);
  return room;
}

/* What the file lost is in the ring. */
static void
mend (ZinitLog *log, gint64 time_usec)
{
  g_autoptr (GError) error = NULL;

  if (log->spool == NULL || !zinit_spool_is_damaged (log->spool))
    return;
  start_spool (log, &error);
  note (log, time_usec, error);
}

/* Each piece is in the ring before the next may have the ring written. */
static void
append_elsewhere (ZinitLog *log, ZinitStream stream, const char *bytes, gsize length, gint64 time_usec)
{
  while (length > 0) {
    gsize piece;
    char *room = zinit_log_reserve (log, stream, length, time_usec, &piece);

    if (room != NULL) {
      memcpy (room, bytes, piece);
      zinit_spool_commit (log->spool, piece, time_usec);
    }
    zinit_log_take (log, stream, bytes, piece, time_usec);
    mend (log, time_usec);
    bytes += piece;
    length -= piece;
  }
}

void
zinit_log_append (ZinitLog *log, ZinitStream stream, const char *bytes, gsize length, gint64 time_usec)
{
  if (log->spool == NULL || !zinit_spool_is_reserved (log->spool, bytes)) {
    append_elsewhere (log, stream, bytes, length, time_usec);
    return;
  }
  zinit_spool_commit (log->spool, length, time_usec);
  zinit_log_take (log, stream, bytes, length, time_usec);
  mend (log, time_usec);
}

static gboolean
is_unfinished (const ZinitLog *log)
{
  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    if (log->partials[i].text != NULL)
      return TRUE;
  return FALSE;
}

void
zinit_log_end (ZinitLog *log)
{
  g_autoptr (GError) error = NULL;

  if (!is_unfinished (log))
    return;
  /* Not tried again now if it has failed: what comes next will have it written. */
  if (has_room (log, 0, log->failed_usec)) {
    zinit_spool_end (log->spool, &error);
    zinit_log_finish (log);
    /* Then the ring has it. */
    if (error != NULL) {
      g_clear_error (&error);
      start_spool (log, &error);
    }
    note (log, log->failed_usec, error);
  } else {
    zinit_log_finish (log);
  }
}

static gboolean
take_ring (const guint8 *bytes, gsize length, gpointer log)
{
  return zinit_log_load (log, bytes, length);
}

static void
take_output (ZinitStream stream, const char *bytes, gsize length, gint64 time_usec, gpointer log)
{
  zinit_log_take (log, stream, bytes, length, time_usec);
}

static void
take_end (gpointer log)
{
  zinit_log_finish (log);
}

gboolean
zinit_log_recover (ZinitLog *log, gboolean is_last_try)
{
  static const ZinitSpoolReader reader = { take_ring, take_output, take_end };

  return log->spool == NULL || zinit_spool_read (log->spool, &reader, log, is_last_try);
}

gboolean
zinit_log_sync (ZinitLog *log, GError **error)
{
  if (log->failed_usec == 0)
    return TRUE;
  if (!start_spool (log, error))
    return FALSE;
  log->failed_usec = 0;
  return TRUE;
}

void
zinit_log_renew (ZinitLog *log, const char *service)
{
  g_autoptr (GError) error = NULL;

  if (log->spool == NULL)
    return;
  zinit_log_attach (log, log->folder, service);
  if (log->total == 0 && !is_unfinished (log))
    return;
  /* As after any failure, but long ago: what comes next is not kept waiting. */
  start_spool (log, &error);
  note (log, 0, error);
}

void
zinit_log_discard (ZinitLog *log)
{
  if (log->spool != NULL)
    zinit_spool_discard (log->spool);
}
