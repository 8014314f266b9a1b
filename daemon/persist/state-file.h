/* SPDX-License-Identifier: Apache-2.0
 *
 * state.json and fds.json as files of the run-time folder: loading, saving, removing. Their content is
 * described in state-format.h.
 */
#pragma once

#include "persist/runtime-folder.h"
#include "persist/state-format.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_LOAD_MISSING, /* there is no such file */
  ZINIT_LOAD_UNKNOWN, /* the kernel cannot tell now */
  ZINIT_LOAD_REFUSED, /* there is one, and it cannot be read or may not be used; that is no clean slate */
  ZINIT_LOAD_STALE,   /* the same, but only because it is too old */
  ZINIT_LOAD_GOOD,
} ZinitLoadResult;

/* Reads the file @name of @folder and checks its version and age at @now_ms (ms since 1970). @ret_state is
 * set when the result is good, and when it is stale, because it may still help to find leftover processes;
 * transfer full. With any result but good @error is set: ZINIT_ERROR_INVALID_CONFIG or what
 * zinit_runtime_folder_read() gives, "PATH: field: what; what is allowed". The file is left as it is. */
ZinitLoadResult zinit_saved_state_load (const ZinitRuntimeFolder *folder, const char *name, guint64 now_ms,
                                        ZinitExtras extras, ZinitSavedState **ret_state, GError **error);
ZinitSavedFds *zinit_saved_fds_load (const ZinitRuntimeFolder *folder, const char *name, GError **error);

/* Makes the file hold the document whose text is in @parts, all of it or nothing, mode 0600; the file that
 * was there stays as NAME.old. Errors: ZINIT_ERROR_FAILED. */
gboolean zinit_saved_state_save (const ZinitRuntimeFolder *folder, const char *name,
                                 const struct iovec *parts, guint n_parts, GError **error);
/* The same, without keeping an old file: descriptors mean nothing later. */
gboolean zinit_saved_fds_save (const ZinitRuntimeFolder *folder, const char *name, const ZinitSavedFds *fds,
                               GError **error);

/* Removes one of the files and what was kept of it. FALSE with errno when one of them could not be removed:
 * the newest does not go before the one that was kept. */
gboolean zinit_saved_file_remove (const ZinitRuntimeFolder *folder, const char *name);

G_END_DECLS
