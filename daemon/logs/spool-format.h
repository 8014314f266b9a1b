/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands in the two files of a service, for the one who writes them (spool.c) and the one who reads
 * them (spool-reader.c). Numbers as the machine has them: the files do not leave it.
 */
#pragma once

#include "model/limits.h"
#include "model/state.h"

G_BEGIN_DECLS

/* To be changed with the layout, also with that of zinit_log_save(). */
#define ZINIT_RING_MAGIC "zinit ring 1\n"
#define ZINIT_SPOOL_MAGIC "zinit journal 1\n"
#define ZINIT_MAGIC_BYTES 16

#define ZINIT_MAX_RING_FILE_BYTES (2 * (gsize)ZINIT_MAX_LOG_BYTES)
#define ZINIT_MAX_JOURNAL_FILE_BYTES (2 * (gsize)ZINIT_MAX_LOG_BYTES)

/* What a reservation is filled with before something is read into it: no text has such a byte at its end. */
#define ZINIT_SPOOL_FILLER 0xff

typedef struct {
  char magic[ZINIT_MAGIC_BYTES];
  guint64 generation;
} ZinitRingHead; /* then what zinit_log_save() gave */

typedef struct {
  char magic[ZINIT_MAGIC_BYTES]; /* written last: without it the file is empty */
  guint64 generation;            /* of the ring that it continues */
  guint64 end;                   /* offset behind the last record that is complete */
  guint64 pending;               /* == end: behind it is a record that may have been filled; else nothing */
} ZinitSpoolHead;

enum { ZINIT_SPOOL_ENDED = 0xe }; /* kind beside the streams: the writer is gone */

typedef struct {
  gint64 time_usec; /* since 1970 */
  guint32 length;   /* of what follows; of a pending one, how much was reserved */
  guint32 kind;     /* ZinitStream or ZINIT_SPOOL_ENDED */
} ZinitSpoolRecord; /* not aligned */

G_STATIC_ASSERT (sizeof (ZinitRingHead) == 24 && sizeof (ZinitSpoolHead) == 40 &&
                 sizeof (ZinitSpoolRecord) == 16);

G_END_DECLS
