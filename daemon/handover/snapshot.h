/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's services as the documents that outlive the daemon, and one of them back as a record. It
 * reads and writes no file.
 */
#pragma once

#include <sys/uio.h>

#include "paths.h"
#include "persist/record-log.h"
#include "supervisor/record.h"

G_BEGIN_DECLS

/* The text of the state file, of which only what has changed is made again. One for the daemon's life. */
typedef struct _ZinitSnapshot ZinitSnapshot;

/* All must outlive it. Transfer full. */
ZinitSnapshot *zinit_snapshot_new (ZinitSupervisor *supervisor, const ZinitPaths *paths,
                                   const ZinitRecordLog *records);
void zinit_snapshot_free (ZinitSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitSnapshot, zinit_snapshot_free)

/* The service has changed: what was printed of it is not true any more. */
void zinit_snapshot_mark (ZinitSnapshot *snapshot, const char *name);
/* There is no such service any more. */
void zinit_snapshot_forget (ZinitSnapshot *snapshot, const char *name);

/* From now on the document says that all is being stopped. */
void zinit_snapshot_mark_shutdown (ZinitSnapshot *snapshot);

/* All services as they are now: the document's text in parts (struct iovec), to be used until the next call
 * of any function here. Borrowed. */
const GArray *zinit_snapshot_print (ZinitSnapshot *snapshot);
/* One service as it is now, as zinit_saved_service_print() gives it. Borrowed until it is marked or another
 * document is printed. */
const char *zinit_snapshot_print_one (ZinitSnapshot *snapshot, const ZinitService *service,
                                      gsize *ret_length);
/* The other way: what @saved says of a service. Numbers out of range are brought into it. The failure's text
 * is borrowed from @saved. */
void zinit_snapshot_read (const ZinitSavedService *saved, ZinitServiceRecord *ret_record);

G_END_DECLS
