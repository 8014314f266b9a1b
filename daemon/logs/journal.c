/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal as it is written. A kill comes between two instructions, so the order of stores to the mapping
 * is all that counts: fences keep the compiler to it, and the processor completes what it has begun.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include "logs/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/journal-format.h"
#include "logs/mapping.h"
#include "model/error.h"

#define FIRST_FILE_BYTES 4096 /* a page; then it doubles */
#define MAX_STEP_BYTES (1 << 20)

G_STATIC_ASSERT (sizeof (ZinitJournalRecord) == ZINIT_JOURNAL_RECORD_BYTES);

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

ZinitJournal *
zinit_journal_new (ZinitLogFolder *folder, const char *service)
{
  gsize length = strlen (service) + 1;
  ZinitJournal *journal = g_malloc0 (sizeof *journal + length);

  journal->folder = folder;
  memcpy (journal->service, service, length);
  return journal;
}

static void
close_journal (ZinitJournal *journal)
{
  zinit_mapping_close (&journal->mapping);
  journal->is_reserved = FALSE;
}

void
zinit_journal_free (ZinitJournal *journal)
{
  if (journal == NULL)
    return;
  close_journal (journal);
  g_free (journal);
}

/* The ring last: alone it is a state that there was, a journal alone would pass for all. */
void
zinit_journal_discard (ZinitJournal *journal)
{
  gboolean is_on_disk = journal->generation != 0;

  close_journal (journal);
  journal->generation = 0;
  if (!is_on_disk)
    return;
  zinit_log_folder_remove (journal->folder, journal->service, ZINIT_JOURNAL_SUFFIX);
  zinit_log_folder_remove (journal->folder, journal->service, ZINIT_RING_SUFFIX);
}

gboolean
zinit_journal_is_open (const ZinitJournal *journal)
{
  return journal->mapping.bytes != NULL;
}

gboolean
zinit_journal_is_damaged (const ZinitJournal *journal)
{
  return journal->mapping.is_damaged;
}

gsize
zinit_journal_get_used (const ZinitJournal *journal)
{
  return journal->end - sizeof (ZinitJournalHead);
}

static gboolean
fail (ZinitJournal *journal, int reason, GError **error)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the journal of %s: %s", journal->service,
               g_strerror (reason));
  close_journal (journal);
  return FALSE;
}

/* Space first, so that a full file system says so here and not by SIGBUS at a store; then the mapping. 0 or
 * an errno. */
static int
map_file (ZinitJournal *journal, int fd, gsize size)
{
  gsize from = journal->mapping.length;
  int reason;

  do
    reason = posix_fallocate (fd, (off_t)from, (off_t)(size - from));
  while (reason == EINTR);
  return reason != 0 ? reason : zinit_mapping_open (&journal->mapping, fd, size);
}

/* Another process has replaced the file or changed its length. */
static gboolean
is_other (const ZinitJournal *journal, const struct stat *info)
{
  return info->st_ino != journal->inode || info->st_size != (off_t)journal->mapping.length;
}

/* Maps at least @needed bytes of the file; @is_anew: of an empty one, unless it is all as it was. No
 * descriptor is kept: a thousand services would need a thousand. */
static gboolean
map (ZinitJournal *journal, gsize needed, gboolean is_anew, GError **error)
{
  struct stat info = { 0 };
  gsize size;
  int fd, reason = 0;

  fd = zinit_log_folder_open (journal->folder, journal->service, ZINIT_JOURNAL_SUFFIX, error);
  if (fd < 0) {
    close_journal (journal);
    return FALSE;
  }
  if (fstat (fd, &info) != 0)
    reason = errno;
  else if (is_anew && (journal->mapping.is_damaged || is_other (journal, &info)))
    close_journal (journal);
  if (reason == 0 && journal->mapping.bytes == NULL && ftruncate (fd, 0) != 0)
    reason = errno;
  else if (reason == 0 && journal->mapping.bytes != NULL && is_other (journal, &info))
    reason = ESTALE;
  for (size = MAX (journal->mapping.length, FIRST_FILE_BYTES); size < needed;)
    size += MIN (size, MAX_STEP_BYTES);
  if (reason == 0 && size > journal->mapping.length)
    reason = map_file (journal, fd, size);
  close (fd);
  journal->inode = info.st_ino;
  return reason == 0 || fail (journal, reason, error);
}

static void
fence (void)
{
  atomic_signal_fence (memory_order_seq_cst);
}

static ZinitJournalHead *
use_head (ZinitJournal *journal)
{
  zinit_mapping_use (&journal->mapping);
  return (ZinitJournalHead *)(gpointer)journal->mapping.bytes;
}

/* After bytes of the mapping were written. */
static gboolean
check_damage (ZinitJournal *journal, GError **error)
{
  fence ();
  return !journal->mapping.is_damaged || fail (journal, ESTALE, error);
}

gboolean
zinit_journal_start (ZinitJournal *journal, const GByteArray *ring, GError **error)
{
  ZinitRingHead ring_head = { .magic = ZINIT_RING_MAGIC, .generation = journal->generation + 1 };
  const struct iovec parts[] = { { &ring_head, sizeof ring_head }, { ring->data, ring->len } };
  ZinitJournalHead *head;

  /* One that another daemon left is not of this log. */
  if (journal->generation == 0)
    zinit_log_folder_remove (journal->folder, journal->service, ZINIT_JOURNAL_SUFFIX);
  if (!zinit_log_folder_replace (journal->folder, journal->service, ZINIT_RING_SUFFIX, parts,
                                 G_N_ELEMENTS (parts), error)) {
    close_journal (journal);
    return FALSE;
  }
  journal->generation = ring_head.generation;
  if (!map (journal, FIRST_FILE_BYTES, TRUE, error))
    return FALSE;
  head = use_head (journal);
  /* Until the last step it is of an older generation, or not one at all. */
  head->pending = 0;
  head->end = journal->end = sizeof *head;
  fence ();
  head->generation = journal->generation;
  fence ();
  memcpy (head->magic, ZINIT_JOURNAL_MAGIC, sizeof head->magic);
  journal->is_reserved = FALSE;
  return check_damage (journal, error);
}

static char *
record_at_end (const ZinitJournal *journal)
{
  return journal->mapping.bytes + journal->end;
}

static char *
prepare (ZinitJournal *journal, guint32 kind, gsize wanted, gint64 time_usec, GError **error)
{
  ZinitJournalRecord record = { .time_usec = time_usec, .length = (guint32)wanted, .kind = kind };
  gsize needed = journal->end + sizeof record + wanted;
  char *at;

  if (needed > journal->mapping.length && !map (journal, needed, FALSE, error))
    return NULL;
  at = record_at_end (journal);
  /* May overwrite an uncommitted reservation. */
  use_head (journal)->pending = 0;
  fence ();
  memset (at + sizeof record, ZINIT_JOURNAL_FILLER, wanted);
  memcpy (at, &record, sizeof record);
  return check_damage (journal, error) ? at + sizeof record : NULL;
}

char *
zinit_journal_reserve (ZinitJournal *journal, ZinitStream stream, gsize wanted, gint64 time_usec,
                       GError **error)
{
  char *room = prepare (journal, stream, MIN (wanted, ZINIT_MAX_RESERVE_BYTES), time_usec, error);

  if (room == NULL)
    return NULL;
  use_head (journal)->pending = journal->end;
  fence ();
  journal->is_reserved = TRUE;
  return room;
}

gboolean
zinit_journal_is_reserved (const ZinitJournal *journal, const char *bytes)
{
  return journal->is_reserved && bytes == record_at_end (journal) + sizeof (ZinitJournalRecord);
}

static void
move_end (ZinitJournal *journal, gsize length)
{
  journal->end += sizeof (ZinitJournalRecord) + length;
  fence ();
  use_head (journal)->end = journal->end;
  fence ();
  journal->is_reserved = FALSE;
}

void
zinit_journal_commit (ZinitJournal *journal, gsize length, gint64 time_usec)
{
  char *at = record_at_end (journal);
  guint32 short_length = (guint32)length;

  zinit_mapping_use (&journal->mapping);
  memcpy (at + G_STRUCT_OFFSET (ZinitJournalRecord, time_usec), &time_usec, sizeof time_usec);
  memcpy (at + G_STRUCT_OFFSET (ZinitJournalRecord, length), &short_length, sizeof short_length);
  move_end (journal, length);
}

gboolean
zinit_journal_end (ZinitJournal *journal, GError **error)
{
  if (prepare (journal, ZINIT_JOURNAL_ENDED, 0, 0, error) == NULL)
    return FALSE;
  move_end (journal, 0);
  return TRUE;
}

gboolean
zinit_journal_read (ZinitJournal *journal, const ZinitJournalReader *reader, gpointer data,
                    gboolean is_last_try)
{
  return zinit_journal_read_files (journal->folder, journal->service, reader, data, is_last_try,
                                   &journal->generation);
}
