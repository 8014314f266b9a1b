/* SPDX-License-Identifier: Apache-2.0
 *
 * The two files, by way of the run-time folder's safe reading and writing.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/state-file.h"

#include <errno.h>

#include "model/error.h"
#include "model/limits.h"

/* What read() says has the path already. */
static void
prefix (const ZinitRuntimeFolder *folder, const char *name, GError **error)
{
  g_prefix_error (error, "%s/%s: ", zinit_runtime_folder_get_path (folder), name);
}

ZinitLoadResult
zinit_saved_state_load (const ZinitRuntimeFolder *folder, const char *name, guint64 now_ms,
                        ZinitExtras extras, ZinitSavedState **ret_state, GError **error)
{
  g_autoptr (ZinitSavedState) state = NULL;
  ZinitLoadResult result = ZINIT_LOAD_GOOD;
  g_autofree char *text = NULL;
  gboolean is_missing;
  gsize length;

  *ret_state = NULL;
  errno = 0;
  text = zinit_runtime_folder_read (folder, name, ZINIT_MAX_STATE_BYTES, &length, &is_missing, error);
  if (text == NULL && zinit_error_is_transient (errno))
    return ZINIT_LOAD_UNKNOWN;
  if (text == NULL)
    return is_missing ? ZINIT_LOAD_MISSING : ZINIT_LOAD_REFUSED;
  state = zinit_saved_state_parse (text, length, extras, error);
  if (state == NULL)
    result = ZINIT_LOAD_REFUSED;
  else if (!zinit_saved_state_check (state, now_ms, error))
    result = state->version > ZINIT_STATE_VERSION ? ZINIT_LOAD_REFUSED : ZINIT_LOAD_STALE;
  if (result != ZINIT_LOAD_GOOD)
    prefix (folder, name, error);
  if (result == ZINIT_LOAD_GOOD || result == ZINIT_LOAD_STALE)
    *ret_state = g_steal_pointer (&state);
  return result;
}

ZinitSavedFds *
zinit_saved_fds_load (const ZinitRuntimeFolder *folder, const char *name, GError **error)
{
  g_autoptr (ZinitSavedFds) fds = NULL;
  g_autofree char *text = NULL;
  gsize length;

  text = zinit_runtime_folder_read (folder, name, ZINIT_MAX_STATE_BYTES, &length, NULL, error);
  if (text == NULL)
    return NULL;
  fds = zinit_saved_fds_parse (text, length, error);
  if (fds != NULL && zinit_saved_fds_check (fds, error))
    return g_steal_pointer (&fds);
  prefix (folder, name, error);
  return NULL;
}

gboolean
zinit_saved_state_save (const ZinitRuntimeFolder *folder, const char *name, const struct iovec *parts,
                        guint n_parts, GError **error)
{
  return zinit_runtime_folder_write (folder, name, parts, n_parts, ZINIT_FILE_KEEP_OLD, error);
}

gboolean
zinit_saved_fds_save (const ZinitRuntimeFolder *folder, const char *name, const ZinitSavedFds *fds,
                      GError **error)
{
  gsize length;
  g_autofree char *text = zinit_saved_fds_print (fds, &length);
  struct iovec part = { text, length };

  return zinit_runtime_folder_write (folder, name, &part, 1, ZINIT_FILE_OVERWRITE, error);
}

gboolean
zinit_saved_file_remove (const ZinitRuntimeFolder *folder, const char *name)
{
  g_autofree char *old = g_strconcat (name, ".old", NULL);

  /* The old one goes first: left alone it would be taken for the newest. */
  return zinit_runtime_folder_remove (folder, old) && zinit_runtime_folder_remove (folder, name);
}
