/* SPDX-License-Identifier: Apache-2.0
 *
 * The log as its two files share it: log.c has the ring, log-store.c sees to it that files know first.
 */
#pragma once

#include "logs/spool.h"
#include "logs/log.h"

G_BEGIN_DECLS

typedef struct _ZinitLogChunk ZinitLogChunk;

typedef struct {
  char *text; /* NULL = no unfinished line */
  guint32 length;
  guint32 capacity;
  gint64 time_usec;
} ZinitLogPartial;

struct _ZinitLog {
  guint64 max_lines;
  guint64 total;
  guint64 kept;
  gsize record_bytes; /* of the kept records, with their headers */
  ZinitLogChunk *first;
  ZinitLogChunk *last;
  ZinitLogPartial partials[ZINIT_N_STREAMS];

  ZinitSpool *spool; /* NULL = there is no folder */
  ZinitLogFolder *folder;
  gint64 failed_usec; /* when the files failed, since 1970; 0 = they have all */
};

/* Into the ring alone. */
void zinit_log_take (ZinitLog *log, ZinitStream stream, const char *bytes, gsize length, gint64 time_usec);
void zinit_log_finish (ZinitLog *log);

G_END_DECLS
