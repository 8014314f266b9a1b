/* SPDX-License-Identifier: Apache-2.0
 *
 * The two files, by way of the safe reading and writing that the definition files use as well.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/state-file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "config/file.h"
#include "model/error.h"
#include "model/limits.h"

ZinitLoadResult
zinit_saved_state_load (const char *path, guint64 now_ms, ZinitExtras extras, ZinitSavedState **ret_state,
                        GError **error)
{
  g_autoptr (ZinitSavedState) state = NULL;
  ZinitLoadResult result = ZINIT_LOAD_GOOD;
  g_autofree char *text = NULL;
  gboolean is_missing;
  gsize length;

  *ret_state = NULL;
  text = zinit_file_read_own (path, ZINIT_MAX_STATE_BYTES, &length, &is_missing, error);
  if (text != NULL)
    state = zinit_saved_state_parse (text, length, extras, error);
  if (text == NULL && is_missing)
    result = ZINIT_LOAD_MISSING;
  else if (text == NULL && zinit_error_is_transient (errno))
    result = ZINIT_LOAD_UNKNOWN;
  else if (state == NULL)
    result = ZINIT_LOAD_REFUSED;
  else if (!zinit_saved_state_check (state, now_ms, error))
    result = state->version > ZINIT_STATE_VERSION ? ZINIT_LOAD_REFUSED : ZINIT_LOAD_STALE;
  if (result != ZINIT_LOAD_GOOD)
    g_prefix_error (error, "%s: ", path);
  if (result == ZINIT_LOAD_GOOD || result == ZINIT_LOAD_STALE)
    *ret_state = g_steal_pointer (&state);
  return result;
}

ZinitSavedFds *
zinit_saved_fds_load (const char *path, GError **error)
{
  g_autoptr (ZinitSavedFds) fds = NULL;
  g_autofree char *text = NULL;
  gsize length;

  text = zinit_file_read_own (path, ZINIT_MAX_STATE_BYTES, &length, NULL, error);
  if (text != NULL)
    fds = zinit_saved_fds_parse (text, length, error);
  if (fds != NULL && zinit_saved_fds_check (fds, error))
    return g_steal_pointer (&fds);
  g_prefix_error (error, "%s: ", path);
  return NULL;
}

gboolean
zinit_saved_state_save (const struct iovec *parts, guint n_parts, const char *path, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".tmp", NULL);

  return zinit_file_write (path, temporary, parts, n_parts, ZINIT_FILE_KEEP_OLD, error);
}

gboolean
zinit_saved_fds_save (const ZinitSavedFds *fds, const char *path, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".tmp", NULL);
  gsize length;
  g_autofree char *text = zinit_saved_fds_print (fds, &length);
  struct iovec part = { text, length };

  return zinit_file_write (path, temporary, &part, 1, ZINIT_FILE_OVERWRITE, error);
}

gboolean
zinit_saved_file_put_aside (const char *path, GError **error)
{
  g_autofree char *aside = g_strconcat (path, ".refused", NULL);

  if (rename (path, aside) == 0 || errno == ENOENT)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: cannot be renamed to %s: %s", path, aside,
               g_strerror (errno));
  return FALSE;
}

void
zinit_saved_file_remove (const char *path)
{
  g_autofree char *old = g_strconcat (path, ".old", NULL);

  unlink (path);
  unlink (old);
}
