/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool as it is read by the next daemon. Whatever the bytes are, nothing outside them is looked at.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include <errno.h>
#include <string.h>

#include "logs/spool-format.h"
#include "logs/spool.h"
#include "model/error.h"

typedef struct {
  const char *service;
  const ZinitSpoolReader *reader;
  gpointer data;
} Reading;

/* NULL when there is none that can be used. FALSE with errno when it cannot be read now and @is_last_try is
 * FALSE.
 */
static gboolean
read_file (ZinitLogFolder *folder, const char *service, const char *suffix, gsize max_bytes,
           gboolean is_last_try, GByteArray **ret_bytes)
{
  g_autoptr (GError) error = NULL;

  *ret_bytes = zinit_log_folder_read (folder, service, suffix, max_bytes, &error);
  if (error == NULL)
    return TRUE;
  if (zinit_error_is_transient (errno) && !is_last_try)
    return FALSE;
  g_warning ("kept output is not used: %s", error->message);
  return TRUE;
}

/* FALSE when there is none of any use. */
static gboolean
read_ring (const Reading *reading, const GByteArray *bytes, guint64 *ret_generation)
{
  ZinitRingHead head;

  if (bytes->len >= sizeof head) {
    memcpy (&head, bytes->data, sizeof head);
    if (strncmp (head.magic, ZINIT_RING_MAGIC, ZINIT_MAGIC_BYTES) == 0 &&
        reading->reader->ring (bytes->data + sizeof head, bytes->len - sizeof head, reading->data)) {
      *ret_generation = head.generation;
      return TRUE;
    }
  }
  g_warning ("%s: the ring of its kept output is damaged", reading->service);
  return FALSE;
}

static ZinitSpoolRecord
record_at (const GByteArray *bytes, gsize offset)
{
  ZinitSpoolRecord record;

  memcpy (&record, bytes->data + offset, sizeof record);
  return record;
}

/* A record begins at @offset and ends before @end. */
static gboolean
is_record (const GByteArray *bytes, gsize offset, gsize end)
{
  ZinitSpoolRecord record;

  if (end - offset < sizeof record)
    return FALSE;
  record = record_at (bytes, offset);
  return record.length <= end - offset - sizeof record &&
         (record.kind < ZINIT_N_STREAMS || (record.kind == ZINIT_SPOOL_ENDED && record.length == 0));
}

static void
give (const Reading *reading, const GByteArray *bytes, gsize offset, gsize length)
{
  ZinitSpoolRecord record = record_at (bytes, offset);

  if (record.kind == ZINIT_SPOOL_ENDED)
    reading->reader->ended (reading->data);
  else
    reading->reader->output ((ZinitStream)record.kind, (const char *)bytes->data + offset + sizeof record,
                             length, MAX (record.time_usec, 0), reading->data);
}

/* What the daemon had read when it died, and had not told. */
static void
give_pending (const Reading *reading, const GByteArray *bytes, gsize offset)
{
  const guint8 *room = bytes->data + offset + sizeof (ZinitSpoolRecord);
  gsize length;

  if (!is_record (bytes, offset, bytes->len))
    return;
  length = record_at (bytes, offset).length;
  while (length > 0 && room[length - 1] == ZINIT_SPOOL_FILLER)
    length--;
  if (length > 0)
    give (reading, bytes, offset, length);
}

static void
read_records (const Reading *reading, const GByteArray *bytes, const ZinitSpoolHead *head)
{
  gsize end = MIN (head->end, bytes->len);
  gsize at = sizeof *head;

  while (at < end && is_record (bytes, at, end)) {
    gsize length = record_at (bytes, at).length;

    give (reading, bytes, at, length);
    at += sizeof (ZinitSpoolRecord) + length;
  }
  if (at != head->end)
    g_warning ("%s: the spool of its kept output is damaged", reading->service);
  else if (head->pending == head->end)
    give_pending (reading, bytes, at);
}

/* FALSE when it is nothing of the kind. */
static gboolean
read_head (const Reading *reading, const GByteArray *bytes, ZinitSpoolHead *ret_head)
{
  static const char none[ZINIT_MAGIC_BYTES];

  if (bytes->len == 0)
    return FALSE;
  if (bytes->len >= sizeof *ret_head) {
    memcpy (ret_head, bytes->data, sizeof *ret_head);
    if (memcmp (ret_head->magic, ZINIT_SPOOL_MAGIC, ZINIT_MAGIC_BYTES) == 0)
      return TRUE;
    /* The daemon was about to make it. */
    if (memcmp (ret_head->magic, none, sizeof none) == 0)
      return FALSE;
  }
  g_warning ("%s: the spool of its kept output is not a spool", reading->service);
  return FALSE;
}

gboolean
zinit_spool_read_files (ZinitLogFolder *folder, const char *service, const ZinitSpoolReader *reader,
                        gpointer data, gboolean is_last_try, guint64 *ret_generation)
{
  g_autoptr (GByteArray) ring = NULL;
  g_autoptr (GByteArray) spool = NULL;
  const Reading reading = { service, reader, data };
  gboolean has_ring;
  ZinitSpoolHead head;

  /* Both, before anything is told of either. */
  if (!read_file (folder, service, ZINIT_RING_SUFFIX, ZINIT_MAX_RING_FILE_BYTES, is_last_try, &ring) ||
      !read_file (folder, service, ZINIT_SPOOL_SUFFIX, ZINIT_MAX_JOURNAL_FILE_BYTES, is_last_try, &spool))
    return FALSE;
  *ret_generation = 0;
  has_ring = ring != NULL && read_ring (&reading, ring, ret_generation);
  if (spool == NULL || !read_head (&reading, spool, &head))
    return TRUE;
  /* Without its ring the newest lines are better than none. */
  if (!has_ring || head.generation == *ret_generation)
    read_records (&reading, spool, &head);
  *ret_generation = MAX (*ret_generation, head.generation);
  return TRUE;
}
