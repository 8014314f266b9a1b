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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/journal-format.h"
#include "model/error.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define FIRST_FILE_BYTES 4096 /* a page; then it doubles */
#define MAX_STEP_BYTES (1 << 20)

G_STATIC_ASSERT (sizeof (ZinitJournalRecord) == ZINIT_JOURNAL_RECORD_BYTES);

/* Nothing is read back from the mapping: somebody else may have written into the file. */
struct _ZinitJournal {
  ZinitLogFolder *folder;
  ZinitJournalHead *head; /* the mapping; NULL = not open */
  gsize mapped_bytes;
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
  if (journal->head != NULL)
    munmap (journal->head, journal->mapped_bytes);
  journal->head = NULL;
  journal->mapped_bytes = 0;
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
  return journal->head != NULL;
}

gsize
zinit_journal_get_used (const ZinitJournal *journal)
{
  return journal->end - sizeof (ZinitJournalHead);
}

/* Space first, so that a full file system says so here and not by SIGBUS at a store; then the mapping, all of
 * it there and writable. 0 or an errno. */
static int
map_file (ZinitJournal *journal, int fd, gsize size)
{
  void *at;
  int reason;

  do
    reason = posix_fallocate (fd, (off_t)journal->mapped_bytes, (off_t)(size - journal->mapped_bytes));
  while (reason == EINTR);
  if (reason != 0)
    return reason;
  at = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED)
    return errno;
  if (madvise (at, size, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) {
    reason = errno;
    munmap (at, size);
    return reason;
  }
  /* A child that runs our code for another user has nothing to write there. */
  madvise (at, size, MADV_DONTFORK);
  close_journal (journal);
  journal->head = at;
  journal->mapped_bytes = size;
  return 0;
}

/* No descriptor is kept: a thousand services would need a thousand. */
static gboolean
grow (ZinitJournal *journal, gsize needed, GError **error)
{
  gboolean is_new = journal->head == NULL;
  gsize size = MAX (journal->mapped_bytes, FIRST_FILE_BYTES);
  struct stat info = { 0 };
  int fd, reason;

  while (size < needed)
    size += MIN (size, MAX_STEP_BYTES);
  fd = zinit_log_folder_open (journal->folder, journal->service, ZINIT_JOURNAL_SUFFIX, error);
  if (fd < 0) {
    close_journal (journal);
    return FALSE;
  }
  if (fstat (fd, &info) != 0 || (is_new && ftruncate (fd, 0) != 0))
    reason = errno;
  else if (!is_new && (info.st_ino != journal->inode || info.st_size != (off_t)journal->mapped_bytes))
    reason = ESTALE;
  else
    reason = map_file (journal, fd, size);
  close (fd);
  journal->inode = info.st_ino;
  if (reason == 0)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the journal of %s: %s", journal->service,
               g_strerror (reason));
  close_journal (journal);
  return FALSE;
}

static void
fence (void)
{
  atomic_signal_fence (memory_order_seq_cst);
}

gboolean
zinit_journal_start (ZinitJournal *journal, const GByteArray *ring, GError **error)
{
  ZinitRingHead ring_head = { .magic = ZINIT_RING_MAGIC, .generation = journal->generation + 1 };
  const struct iovec parts[] = { { &ring_head, sizeof ring_head }, { ring->data, ring->len } };
  ZinitJournalHead *head;

  /* Not ours, whoever left it. */
  if (journal->generation == 0)
    zinit_log_folder_remove (journal->folder, journal->service, ZINIT_JOURNAL_SUFFIX);
  if (!zinit_log_folder_replace (journal->folder, journal->service, ZINIT_RING_SUFFIX, parts,
                                 G_N_ELEMENTS (parts), error)) {
    close_journal (journal);
    return FALSE;
  }
  journal->generation = ring_head.generation;
  if (journal->head == NULL && !grow (journal, FIRST_FILE_BYTES, error))
    return FALSE;
  head = journal->head;
  /* Until the last step it is of an older generation, or not one at all. */
  head->pending = 0;
  head->end = journal->end = sizeof *head;
  fence ();
  head->generation = journal->generation;
  fence ();
  memcpy (head->magic, ZINIT_JOURNAL_MAGIC, sizeof head->magic);
  journal->is_reserved = FALSE;
  return TRUE;
}

static char *
record_at_end (const ZinitJournal *journal)
{
  return (char *)journal->head + journal->end;
}

static char *
prepare (ZinitJournal *journal, guint32 kind, gsize wanted, gint64 time_usec, GError **error)
{
  ZinitJournalRecord record = { .time_usec = time_usec, .length = (guint32)wanted, .kind = kind };
  gsize needed = journal->end + sizeof record + wanted;
  char *at;

  if (needed > journal->mapped_bytes && !grow (journal, needed, error))
    return NULL;
  at = record_at_end (journal);
  /* A reservation that came to nothing stands here perhaps. */
  journal->head->pending = 0;
  fence ();
  memset (at + sizeof record, ZINIT_JOURNAL_FILLER, wanted);
  memcpy (at, &record, sizeof record);
  fence ();
  return at + sizeof record;
}

char *
zinit_journal_reserve (ZinitJournal *journal, ZinitStream stream, gsize wanted, gint64 time_usec,
                       GError **error)
{
  char *room = prepare (journal, stream, MIN (wanted, ZINIT_MAX_RESERVE_BYTES), time_usec, error);

  if (room == NULL)
    return NULL;
  journal->head->pending = journal->end;
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
  journal->head->end = journal->end;
  fence ();
  journal->is_reserved = FALSE;
}

void
zinit_journal_commit (ZinitJournal *journal, gsize length, gint64 time_usec)
{
  char *at = record_at_end (journal);
  guint32 short_length = (guint32)length;

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

void
zinit_journal_read (ZinitJournal *journal, const ZinitJournalReader *reader, gpointer data)
{
  journal->generation = zinit_journal_read_files (journal->folder, journal->service, reader, data);
}
