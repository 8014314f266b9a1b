/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of the record log: opened once, appended to, emptied. Nothing is synced to a disk: records have to
 * outlive the daemon, not the machine.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/record-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "model/error.h"
#include "model/limits.h"

/* Disk space that stays ours on a full file system: enough for the requests and starts of some moments. */
#define RESERVED_BYTES (32 * 1024)
#define MIN_RESERVED_BYTES 4096
/* Up to this size records stay when a state has been saved that includes them: should the newest state be
 * damaged, the one before it is complete with them. */
#define KEPT_BYTES (16 * 1024)
#define READ_STEP_BYTES (64 * 1024)

struct _ZinitRecordLog {
  const ZinitRuntimeFolder *folder;
  const char *name;
  int fd;               /* -1 = none */
  gboolean is_writable; /* else it can be read alone */
  guint64 sequence;
  goffset size_bytes;
  GPtrArray *lines; /* of what is gathered; owned */
  GArray *parts;    /* struct iovec */
  guint64 gathered_sequence;
  gboolean has_failed; /* to record a start, which was reported */
};

ZinitRecordLog *
zinit_record_log_new (const ZinitRuntimeFolder *folder, const char *name)
{
  ZinitRecordLog *log = g_new0 (ZinitRecordLog, 1);

  log->folder = folder;
  log->name = name;
  log->fd = -1;
  log->lines = g_ptr_array_new_with_free_func (g_free);
  log->parts = g_array_new (FALSE, FALSE, sizeof (struct iovec));
  return log;
}

void
zinit_record_log_free (ZinitRecordLog *log)
{
  if (log == NULL)
    return;
  if (log->fd >= 0)
    close (log->fd);
  g_ptr_array_unref (log->lines);
  g_array_unref (log->parts);
  g_free (log);
}

static gboolean
fail (GError **error, const char *what, int reason)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the record log: %s: %s", what, g_strerror (reason));
  errno = reason;
  return FALSE;
}

static void
reserve (ZinitRecordLog *log)
{
  /* As much as there is; a file system that cannot do it has nothing to reserve from. */
  for (goffset bytes = RESERVED_BYTES; bytes >= MIN_RESERVED_BYTES; bytes /= 2)
    if (fallocate (log->fd, FALLOC_FL_KEEP_SIZE, log->size_bytes, bytes) == 0)
      return;
  g_debug ("no space is reserved for the record log: %s", g_strerror (errno));
}

static int
open_file (const ZinitRecordLog *log, int flags, GError **error)
{
  int fd = zinit_runtime_folder_open_file (log->folder, log->name, flags, error);

  if (fd >= 0 || !zinit_file_is_obstacle (errno) ||
      !zinit_runtime_folder_rename_aside (log->folder, log->name))
    return fd;
  g_clear_error (error);
  return zinit_runtime_folder_open_file (log->folder, log->name, flags, error);
}

gboolean
zinit_record_log_open (ZinitRecordLog *log, GError **error)
{
  int fd = open_file (log, O_RDWR | O_CREAT | O_APPEND, error), reason = errno;

  log->is_writable = fd >= 0;
  if (fd < 0)
    fd = zinit_runtime_folder_open_file (log->folder, log->name, O_RDONLY, NULL);
  if (log->fd >= 0 && fd >= 0) {
    /* Starts copy all descriptors up to this one, so it stays a low number. */
    dup3 (fd, log->fd, O_CLOEXEC);
    close (fd);
  } else if (fd >= 0) {
    log->fd = fd;
  }
  if (log->fd >= 0)
    log->size_bytes = lseek (log->fd, 0, SEEK_END);
  if (log->is_writable)
    reserve (log);
  errno = reason;
  return log->is_writable;
}

static void
cut_to (ZinitRecordLog *log, goffset size_bytes)
{
  if (ftruncate (log->fd, size_bytes) != 0) {
    /* Nothing behind it would be read: it is not used before it can be emptied. */
    g_warning ("the record log cannot be cut: %s", g_strerror (errno));
    log->is_writable = FALSE;
    return;
  }
  log->size_bytes = size_bytes;
  reserve (log);
}

static gboolean
read_all (int fd, GByteArray *bytes)
{
  while (TRUE) {
    guint length = bytes->len;
    gssize n;

    g_byte_array_set_size (bytes, length + READ_STEP_BYTES);
    n = TEMP_FAILURE_RETRY (pread (fd, bytes->data + length, READ_STEP_BYTES, length));
    g_byte_array_set_size (bytes, length + (guint)MAX (n, 0));
    if (n < 0)
      return FALSE;
    if (n == 0)
      return TRUE;
    if (bytes->len > ZINIT_MAX_STATE_BYTES) {
      errno = EFBIG;
      return FALSE;
    }
  }
}

gboolean
zinit_record_log_replay (ZinitRecordLog *log, ZinitSavedState *state, gboolean *ret_is_damaged,
                         GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gsize good;

  *ret_is_damaged = FALSE;
  log->sequence = state->record_sequence;
  if (log->fd < 0)
    return TRUE;
  if (!read_all (log->fd, bytes))
    return fail (error, "cannot be read", errno);
  good = zinit_records_apply ((const char *)bytes->data, bytes->len, state, &log->sequence);
  log->size_bytes = (goffset)good;
  state->record_sequence = log->sequence;
  if (good < bytes->len) {
    /* A kill leaves at most a part of one record. */
    const char *line_end = memchr (bytes->data + good, '\n', bytes->len - good);

    *ret_is_damaged = line_end != NULL && memcmp (bytes->data + good, "service ", 8) != 0;
    if (log->is_writable)
      cut_to (log, (goffset)good);
  }
  return TRUE;
}

guint64
zinit_record_log_get_sequence (const ZinitRecordLog *log)
{
  return log->sequence;
}

/* It was removed or replaced: what is appended to it would be lost. The new one begins empty. */
static gboolean
is_removed (ZinitRecordLog *log)
{
  struct stat info;

  if (fstat (log->fd, &info) != 0 || info.st_nlink > 0)
    return FALSE;
  zinit_record_log_open (log, NULL);
  return TRUE;
}

void
zinit_record_log_begin_start (ZinitRecordLog *log, const char *service, guint64 run,
                              ZinitRecordedStart *ret_start)
{
  *ret_start = (ZinitRecordedStart){ .fd = log->is_writable ? log->fd : -1, .size_bytes = log->size_bytes };
  if (!log->is_writable)
    return;
  if (is_removed (log))
    ret_start->size_bytes = log->size_bytes;
  ret_start->started = g_strdup_printf ("started %" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT " ",
                                        log->sequence + 1, service, run);
  ret_start->aborted = g_strdup_printf ("aborted %" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT " ",
                                        log->sequence + 2, service, run);
  log->sequence += 2;
}

static gboolean
ends_line (const ZinitRecordLog *log)
{
  char last = '\0';

  return pread (log->fd, &last, 1, log->size_bytes - 1) == 1 && last == '\n';
}

gboolean
zinit_record_log_end_start (ZinitRecordLog *log, ZinitRecordedStart *start, GError **error)
{
  gboolean is_written = FALSE;

  g_clear_pointer (&start->started, g_free);
  g_clear_pointer (&start->aborted, g_free);
  if (log->is_writable) {
    log->size_bytes = lseek (log->fd, 0, SEEK_END);
    is_written = log->size_bytes > start->size_bytes && ends_line (log);
    /* Half a record would hide the records behind it. */
    if (!is_written && log->size_bytes > start->size_bytes)
      cut_to (log, start->size_bytes);
  }
  if (is_written || log->has_failed) {
    log->has_failed = !is_written;
    return TRUE;
  }
  log->has_failed = TRUE;
  g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the record log cannot be written");
  return FALSE;
}

static void
add_part (ZinitRecordLog *log, const char *text, gsize length)
{
  struct iovec part = { (void *)text, length };

  g_array_append_val (log->parts, part);
}

static void
add_line (ZinitRecordLog *log, char *line)
{
  g_ptr_array_add (log->lines, line);
  add_part (log, line, strlen (line));
}

static guint64
next_sequence (ZinitRecordLog *log)
{
  log->gathered_sequence = MAX (log->gathered_sequence, log->sequence) + 1;
  return log->gathered_sequence;
}

void
zinit_record_log_add_service (ZinitRecordLog *log, const char *text, gsize length)
{
  static const char begin[] = "{", end[] = "}\n";

  /* Without the comma, and with the braces. */
  add_line (log, g_strdup_printf ("service %" G_GUINT64_FORMAT " %" G_GSIZE_FORMAT "\n", next_sequence (log),
                                  length + 1));
  add_part (log, begin, 1);
  add_part (log, text + 1, length - 1);
  add_part (log, end, 2);
}

void
zinit_record_log_add_removal (ZinitRecordLog *log, const char *service)
{
  add_line (log, g_strdup_printf ("removed %" G_GUINT64_FORMAT " %s\n", next_sequence (log), service));
}

static gboolean
write_parts (int fd, const GArray *parts)
{
  gsize total = 0;

  for (guint i = 0; i < parts->len; i++)
    total += g_array_index (parts, struct iovec, i).iov_len;
  for (guint i = 0; i < parts->len; i += IOV_MAX) {
    gssize n = TEMP_FAILURE_RETRY (
        writev (fd, &g_array_index (parts, struct iovec, i), (int)MIN (parts->len - i, IOV_MAX)));

    if (n < 0)
      return FALSE;
    total -= (gsize)n;
  }
  if (total > 0)
    errno = ENOSPC;
  return total == 0;
}

gboolean
zinit_record_log_commit (ZinitRecordLog *log, GError **error)
{
  gboolean is_good = TRUE;

  if (log->parts->len == 0)
    return TRUE;
  if (!log->is_writable) {
    is_good = fail (error, "not open", EROFS);
  } else if (is_removed (log)) {
    is_good = fail (error, "was removed", ENOENT);
  } else if (!write_parts (log->fd, log->parts)) {
    is_good = fail (error, "cannot be written", errno);
    cut_to (log, log->size_bytes);
  }
  if (is_good) {
    log->size_bytes = lseek (log->fd, 0, SEEK_END);
    log->sequence = log->gathered_sequence;
  }
  g_array_set_size (log->parts, 0);
  g_ptr_array_set_size (log->lines, 0);
  return is_good;
}

void
zinit_record_log_clear (ZinitRecordLog *log)
{
  if (!log->is_writable)
    return;
  if (ftruncate (log->fd, 0) != 0) {
    g_debug ("the record log is not emptied; records that the state includes are skipped: %s",
             g_strerror (errno));
    return;
  }
  log->size_bytes = 0;
  reserve (log);
}

void
zinit_record_log_cut (ZinitRecordLog *log)
{
  /* Its records belong to an older state. */
  if (!log->is_writable && zinit_record_log_open (log, NULL))
    zinit_record_log_clear (log);
  else if (log->size_bytes >= KEPT_BYTES)
    zinit_record_log_clear (log);
}

goffset
zinit_record_log_get_size (const ZinitRecordLog *log)
{
  return log->size_bytes;
}
