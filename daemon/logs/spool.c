/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool as it is written. A kill comes between two instructions, so the order of stores to the mapping
 * is all that counts: fences keep the compiler to it, and the processor completes what it has begun.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include "logs/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/spool-format.h"
#include "logs/mapping.h"
#include "model/error.h"

#define FIRST_FILE_BYTES 4096 /* a page; then it doubles */
#define MAX_STEP_BYTES (1 << 20)

G_STATIC_ASSERT (sizeof (ZinitSpoolRecord) == ZINIT_SPOOL_RECORD_BYTES);

/* Nothing is read back from the mapping: another process may have written into the file. */
struct _ZinitJournal {
  ZinitLogFolder *folder;
  ZinitMapping mapping;
  ino_t inode;
  guint64 generation; /* newest on disk; 0 = none */
  gsize end;          /* as in the head */
  gboolean is_reserved;
  char service[];
};

ZinitSpool *
zinit_spool_new (ZinitLogFolder *folder, const char *service)
{
  gsize length = strlen (service) + 1;
  ZinitSpool *spool = g_malloc0 (sizeof *spool + length);

  spool->folder = folder;
  memcpy (spool->service, service, length);
  return spool;
}

static void
close_spool (ZinitSpool *spool)
{
  zinit_mapping_close (&spool->mapping);
  spool->is_reserved = FALSE;
}

void
zinit_spool_free (ZinitSpool *spool)
{
  if (spool == NULL)
    return;
  close_spool (spool);
  g_free (spool);
}

/* The ring last: alone it is a state that there was, a spool alone would pass for all. */
void
zinit_spool_discard (ZinitSpool *spool)
{
  gboolean is_on_disk = spool->generation != 0;

  close_spool (spool);
  spool->generation = 0;
  if (!is_on_disk)
    return;
  zinit_log_folder_remove (spool->folder, spool->service, ZINIT_SPOOL_SUFFIX);
  zinit_log_folder_remove (spool->folder, spool->service, ZINIT_RING_SUFFIX);
}

gboolean
zinit_spool_is_open (const ZinitSpool *spool)
{
  return spool->mapping.bytes != NULL;
}

gboolean
zinit_spool_is_damaged (const ZinitSpool *spool)
{
  return spool->mapping.is_damaged;
}

gsize
zinit_spool_get_used (const ZinitSpool *spool)
{
  return spool->end - sizeof (ZinitSpoolHead);
}

static gboolean
fail (ZinitSpool *spool, int reason, GError **error)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the spool of %s: %s", spool->service,
               g_strerror (reason));
  close_spool (spool);
  return FALSE;
}

/* Space first, so that a full file system says so here and not by SIGBUS at a store; then the mapping. 0 or
 * an errno. */
static int
map_file (ZinitSpool *spool, int fd, gsize size)
{
  gsize from = spool->mapping.length;
  int reason;

  do
    reason = posix_fallocate (fd, (off_t)from, (off_t)(size - from));
  while (reason == EINTR);
  return reason != 0 ? reason : zinit_mapping_open (&spool->mapping, fd, size);
}

/* Another process has replaced the file or changed its length. */
static gboolean
is_other (const ZinitSpool *spool, const struct stat *info)
{
  return info->st_ino != spool->inode || info->st_size != (off_t)spool->mapping.length;
}

/* Maps at least @needed bytes of the file; @is_anew: of an empty one, unless it is all as it was. No
 * descriptor is kept: a thousand services would need a thousand. */
static gboolean
map (ZinitSpool *spool, gsize needed, gboolean is_anew, GError **error)
{
  struct stat info = { 0 };
  gsize size;
  int fd, reason = 0;

  fd = zinit_log_folder_open (spool->folder, spool->service, ZINIT_SPOOL_SUFFIX, error);
  if (fd < 0) {
    close_spool (spool);
    return FALSE;
  }
  if (fstat (fd, &info) != 0)
    reason = errno;
  else if (is_anew && (spool->mapping.is_damaged || is_other (spool, &info)))
    close_spool (spool);
  if (reason == 0 && spool->mapping.bytes == NULL && ftruncate (fd, 0) != 0)
    reason = errno;
  else if (reason == 0 && spool->mapping.bytes != NULL && is_other (spool, &info))
    reason = ESTALE;
  for (size = MAX (spool->mapping.length, FIRST_FILE_BYTES); size < needed;)
    size += MIN (size, MAX_STEP_BYTES);
  if (reason == 0 && size > spool->mapping.length)
    reason = map_file (spool, fd, size);
  close (fd);
  spool->inode = info.st_ino;
  return reason == 0 || fail (spool, reason, error);
}

static void
fence (void)
{
  atomic_signal_fence (memory_order_seq_cst);
}

static ZinitSpoolHead *
use_head (ZinitSpool *spool)
{
  zinit_mapping_use (&spool->mapping);
  return (ZinitSpoolHead *)(gpointer)spool->mapping.bytes;
}

/* After bytes of the mapping were written. */
static gboolean
check_damage (ZinitSpool *spool, GError **error)
{
  fence ();
  return !spool->mapping.is_damaged || fail (spool, ESTALE, error);
}

gboolean
zinit_spool_start (ZinitSpool *spool, const GByteArray *ring, GError **error)
{
  ZinitRingHead ring_head = { .magic = ZINIT_RING_MAGIC, .generation = spool->generation + 1 };
  const struct iovec parts[] = { { &ring_head, sizeof ring_head }, { ring->data, ring->len } };
  ZinitSpoolHead *head;

  /* One that another daemon left is not of this log. */
  if (spool->generation == 0)
    zinit_log_folder_remove (spool->folder, spool->service, ZINIT_SPOOL_SUFFIX);
  if (!zinit_log_folder_replace (spool->folder, spool->service, ZINIT_RING_SUFFIX, parts,
                                 G_N_ELEMENTS (parts), error)) {
    close_spool (spool);
    return FALSE;
  }
  spool->generation = ring_head.generation;
  if (!map (spool, FIRST_FILE_BYTES, TRUE, error))
    return FALSE;
  head = use_head (spool);
  /* Until the last step it is of an older generation, or not one at all. */
  head->pending = 0;
  head->end = spool->end = sizeof *head;
  fence ();
  head->generation = spool->generation;
  fence ();
  memcpy (head->magic, ZINIT_SPOOL_MAGIC, sizeof head->magic);
  spool->is_reserved = FALSE;
  return check_damage (spool, error);
}

static char *
record_at_end (const ZinitSpool *spool)
{
  return spool->mapping.bytes + spool->end;
}

static char *
prepare (ZinitSpool *spool, guint32 kind, gsize wanted, gint64 time_usec, GError **error)
{
  ZinitSpoolRecord record = { .time_usec = time_usec, .length = (guint32)wanted, .kind = kind };
  gsize needed = spool->end + sizeof record + wanted;
  char *at;

  if (needed > spool->mapping.length && !map (spool, needed, FALSE, error))
    return NULL;
  at = record_at_end (spool);
  /* May overwrite an uncommitted reservation. */
  use_head (spool)->pending = 0;
  fence ();
  memset (at + sizeof record, ZINIT_SPOOL_FILLER, wanted);
  memcpy (at, &record, sizeof record);
  return check_damage (spool, error) ? at + sizeof record : NULL;
}

char *
zinit_spool_reserve (ZinitSpool *spool, ZinitStream stream, gsize wanted, gint64 time_usec, GError **error)
{
  char *room = prepare (spool, stream, MIN (wanted, ZINIT_MAX_RESERVE_BYTES), time_usec, error);

  if (room == NULL)
    return NULL;
  use_head (spool)->pending = spool->end;
  fence ();
  spool->is_reserved = TRUE;
  return room;
}

gboolean
zinit_spool_is_reserved (const ZinitSpool *spool, const char *bytes)
{
  return spool->is_reserved && bytes == record_at_end (spool) + sizeof (ZinitSpoolRecord);
}

static void
move_end (ZinitSpool *spool, gsize length)
{
  spool->end += sizeof (ZinitSpoolRecord) + length;
  fence ();
  use_head (spool)->end = spool->end;
  fence ();
  spool->is_reserved = FALSE;
}

void
zinit_spool_commit (ZinitSpool *spool, gsize length, gint64 time_usec)
{
  char *at = record_at_end (spool);
  guint32 short_length = (guint32)length;

  zinit_mapping_use (&spool->mapping);
  memcpy (at + G_STRUCT_OFFSET (ZinitSpoolRecord, time_usec), &time_usec, sizeof time_usec);
  memcpy (at + G_STRUCT_OFFSET (ZinitSpoolRecord, length), &short_length, sizeof short_length);
  move_end (spool, length);
}

gboolean
zinit_spool_end (ZinitSpool *spool, GError **error)
{
  if (prepare (spool, ZINIT_SPOOL_ENDED, 0, 0, error) == NULL)
    return FALSE;
  move_end (spool, 0);
  return TRUE;
}

gboolean
zinit_spool_read (ZinitSpool *spool, const ZinitSpoolReader *reader, gpointer data, gboolean is_last_try)
{
  return zinit_spool_read_files (spool->folder, spool->service, reader, data, is_last_try,
                                 &spool->generation);
}
