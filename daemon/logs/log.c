/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring of one service's output. Finished lines are packed records (a small header, then the text) in a
 * list of chunks: appended at the end of the last one, dropped from the start of the first one. Chunks grow
 * with what is kept, so that a few short lines take a few hundred bytes and a full ring wastes little. An
 * unfinished line has a buffer of its own until its line feed comes.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include "logs/log.h"

#include <string.h>

#include "logs/log-private.h"
#include "model/limits.h"

#define MIN_CHUNK_BYTES 256
#define MAX_CHUNK_BYTES (64 * 1024)
#define MIN_PARTIAL_BYTES 128

/* Before each line's text. Not aligned in a chunk: goes in and out by memcpy. */
typedef struct __attribute__ ((packed)) {
  gint64 time_usec;
  guint32 length : 24;
  guint32 stream : 8;
} Record;

typedef ZinitLogChunk Chunk;
typedef ZinitLogPartial Partial;

G_STATIC_ASSERT (sizeof (Record) == 12 && ZINIT_MAX_LINE_BYTES < 1 << 24);

struct _ZinitLogChunk {
  Chunk *next;
  guint32 capacity;
  guint32 start; /* of the oldest record that is kept */
  guint32 end;
  char data[];
};

ZinitLog *
zinit_log_new (guint64 max_lines)
{
  ZinitLog *log = g_new0 (ZinitLog, 1);

  log->max_lines = max_lines;
  return log;
}

void
zinit_log_free (ZinitLog *log)
{
  if (log == NULL)
    return;
  zinit_log_set_max_lines (log, 0);
  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    g_free (log->partials[i].text);
  zinit_spool_free (log->spool);
  g_free (log);
}

static Record
record_at (const Chunk *chunk, guint32 offset)
{
  Record record;

  memcpy (&record, chunk->data + offset, sizeof record);
  return record;
}

static void
drop_oldest (ZinitLog *log)
{
  Chunk *chunk = log->first;
  gsize size = sizeof (Record) + record_at (chunk, chunk->start).length;

  chunk->start += size;
  log->record_bytes -= size;
  log->kept--;
  if (chunk->start < chunk->end)
    return;
  log->first = chunk->next;
  if (log->first == NULL)
    log->last = NULL;
  g_free (chunk);
}

static Chunk *
chunk_with_room (ZinitLog *log, guint32 size)
{
  Chunk *chunk = log->last;
  guint32 capacity;

  if (chunk != NULL && chunk->capacity - chunk->end >= size)
    return chunk;
  capacity = MAX (size, CLAMP (log->record_bytes / 4, MIN_CHUNK_BYTES, MAX_CHUNK_BYTES));
  chunk = g_malloc (sizeof (Chunk) + capacity);
  *chunk = (Chunk){ .capacity = capacity };
  if (log->last != NULL)
    log->last->next = chunk;
  else
    log->first = chunk;
  log->last = chunk;
  return chunk;
}

/* A line in two pieces, as it comes from a partial line and the bytes that finish it. */
static void
add_line (ZinitLog *log, ZinitStream stream, gint64 time_usec, const char *head, gsize head_length,
          const char *tail, gsize tail_length)
{
  Record record = { .time_usec = time_usec, .length = head_length + tail_length, .stream = stream };
  guint32 size = sizeof record + record.length;
  Chunk *chunk;
  char *at;

  log->total++;
  if (log->max_lines == 0)
    return;
  while (log->kept >= log->max_lines || log->record_bytes + size > ZINIT_MAX_LOG_BYTES)
    drop_oldest (log);
  chunk = chunk_with_room (log, size);
  at = chunk->data + chunk->end;
  memcpy (at, &record, sizeof record);
  at += sizeof record;
  if (head_length > 0)
    memcpy (at, head, head_length);
  if (tail_length > 0)
    memcpy (at + head_length, tail, tail_length);
  chunk->end += size;
  log->record_bytes += size;
  log->kept++;
}

static void
finish_partial (ZinitLog *log, ZinitStream stream, const char *tail, gsize tail_length)
{
  Partial *partial = &log->partials[stream];

  add_line (log, stream, partial->time_usec, partial->text, partial->length, tail, tail_length);
  g_free (partial->text);
  *partial = (Partial){ 0 };
}

static void
extend_partial (Partial *partial, const char *bytes, gsize length, gint64 time_usec)
{
  guint32 needed = partial->length + length;

  if (partial->text == NULL)
    partial->time_usec = time_usec;
  if (partial->text == NULL || needed > partial->capacity) {
    partial->capacity = CLAMP (MAX (needed, partial->capacity * 2), MIN_PARTIAL_BYTES, ZINIT_MAX_LINE_BYTES);
    partial->text = g_realloc (partial->text, partial->capacity);
  }
  memcpy (partial->text + partial->length, bytes, length);
  partial->length = needed;
}

/* Takes the bytes of one line, or of the start of one. A line is split only when a byte more than the limit
 * has come, so that a line feed right at the limit makes no empty line. Returns how many bytes it took. */
static gsize
take_piece (ZinitLog *log, ZinitStream stream, const char *bytes, gsize length, gint64 time_usec)
{
  Partial *partial = &log->partials[stream];
  gsize room = ZINIT_MAX_LINE_BYTES - partial->length;
  const char *line_feed = memchr (bytes, '\n', MIN (length, room + 1));
  gsize piece = line_feed != NULL ? (gsize)(line_feed - bytes) : MIN (length, room);

  if (line_feed == NULL && piece == length) {
    extend_partial (partial, bytes, piece, time_usec);
    return piece;
  }
  if (partial->text != NULL)
    finish_partial (log, stream, bytes, piece);
  else
    add_line (log, stream, time_usec, NULL, 0, bytes, piece);
  return line_feed != NULL ? piece + 1 : piece;
}

void
zinit_log_take (ZinitLog *log, ZinitStream stream, const char *bytes, gsize length, gint64 time_usec)
{
  while (length > 0) {
    gsize taken = take_piece (log, stream, bytes, length, time_usec);

    bytes += taken;
    length -= taken;
  }
}

void
zinit_log_finish (ZinitLog *log)
{
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    if (log->partials[stream].text != NULL)
      finish_partial (log, stream, NULL, 0);
}

void
zinit_log_set_max_lines (ZinitLog *log, guint64 max_lines)
{
  log->max_lines = max_lines;
  while (log->kept > max_lines)
    drop_oldest (log);
}

guint64
zinit_log_get_total (const ZinitLog *log)
{
  return log->total;
}

guint64
zinit_log_get_dropped (const ZinitLog *log)
{
  return log->total - log->kept;
}

gsize
zinit_log_get_bytes (const ZinitLog *log)
{
  gsize bytes = log->record_bytes;

  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    bytes += log->partials[i].length;
  return bytes;
}

/* What stands before the records of a saved log. */
typedef struct {
  guint64 total;
  guint64 kept;
  struct {
    gint64 time_usec;
    guint32 length;
    guint32 is_there;
  } partials[ZINIT_N_STREAMS];
} SavedHead;

void
zinit_log_save (const ZinitLog *log, GByteArray *out)
{
  SavedHead head = { .total = log->total, .kept = log->kept };

  for (guint i = 0; i < ZINIT_N_STREAMS; i++) {
    head.partials[i].time_usec = log->partials[i].time_usec;
    head.partials[i].length = log->partials[i].length;
    head.partials[i].is_there = log->partials[i].text != NULL;
  }
  g_byte_array_append (out, (const guint8 *)&head, sizeof head);
  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    if (log->partials[i].length > 0)
      g_byte_array_append (out, (const guint8 *)log->partials[i].text, log->partials[i].length);
  for (const Chunk *chunk = log->first; chunk != NULL; chunk = chunk->next)
    g_byte_array_append (out, (const guint8 *)chunk->data + chunk->start, chunk->end - chunk->start);
}

gboolean
zinit_log_load (ZinitLog *log, const guint8 *bytes, gsize length)
{
  const char *at = (const char *)bytes;
  SavedHead head;

  if (length < sizeof head)
    return FALSE;
  memcpy (&head, at, sizeof head);
  at += sizeof head;
  length -= sizeof head;
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++) {
    if (head.partials[stream].length > MIN (length, ZINIT_MAX_LINE_BYTES))
      return FALSE;
    if (head.partials[stream].is_there)
      extend_partial (&log->partials[stream], at, head.partials[stream].length,
                      MAX (head.partials[stream].time_usec, 0));
    at += head.partials[stream].length;
    length -= head.partials[stream].length;
  }
  while (length >= sizeof (Record)) {
    Record record;

    memcpy (&record, at, sizeof record);
    at += sizeof record;
    length -= sizeof record;
    if (record.length > MIN (length, ZINIT_MAX_LINE_BYTES) || record.stream >= ZINIT_N_STREAMS)
      return FALSE;
    add_line (log, record.stream, MAX (record.time_usec, 0), NULL, 0, at, record.length);
    at += record.length;
    length -= record.length;
  }
  log->total = MAX (head.total, log->kept);
  return length == 0;
}

static gboolean
matches (const ZinitLogQuery *query, const ZinitLogLine *line)
{
  return line->time_usec >= query->since_usec && (query->streams & 1u << line->stream) != 0;
}

/* Calls @func for every line that matches, oldest first, also unfinished ones. */
static void
walk (const ZinitLog *log, const ZinitLogQuery *query, ZinitLogFunc func, gpointer data)
{
  ZinitLogLine line;

  if (log->max_lines == 0)
    return;
  for (const Chunk *chunk = log->first; chunk != NULL; chunk = chunk->next)
    for (guint32 offset = chunk->start; offset < chunk->end;) {
      Record record = record_at (chunk, offset);

      line = (ZinitLogLine){ record.time_usec, record.stream, chunk->data + offset + sizeof record,
                             record.length };
      if (matches (query, &line) && !func (&line, data))
        return;
      offset += sizeof record + record.length;
    }
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++) {
    const Partial *partial = &log->partials[stream];

    line = (ZinitLogLine){ partial->time_usec, stream, partial->text, partial->length };
    if (partial->text != NULL && matches (query, &line) && !func (&line, data))
      return;
  }
}

/* What is still ahead of a walk, and what may be of it. */
typedef struct {
  guint64 lines_ahead;
  gsize bytes_ahead;
  const ZinitLogQuery *query;
  ZinitLogFunc func;
  gpointer data;
} Selection;

static gboolean
count_line (const ZinitLogLine *line, gpointer data)
{
  Selection *selection = data;

  selection->lines_ahead++;
  selection->bytes_ahead += line->length;
  return TRUE;
}

static gboolean
give_line (const ZinitLogLine *line, gpointer data)
{
  Selection *selection = data;
  gboolean is_given = selection->lines_ahead <= selection->query->max_lines &&
                      selection->bytes_ahead <= selection->query->max_bytes;

  selection->lines_ahead--;
  selection->bytes_ahead -= line->length;
  return is_given ? selection->func (line, selection->data) : TRUE;
}

/* The newest lines are wanted oldest first, and records can only be walked forwards: so once to count, once
 * to give. */
void
zinit_log_foreach (const ZinitLog *log, const ZinitLogQuery *query, ZinitLogFunc func, gpointer data)
{
  Selection selection = { .query = query, .func = func, .data = data };

  walk (log, query, count_line, &selection);
  walk (log, query, give_line, &selection);
}
