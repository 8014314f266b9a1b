/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for what is missing; each is reported once.
 */
#define G_LOG_DOMAIN "zinit-main"

#include "claim.h"

#include <errno.h>

#include "loop/reserve.h"
#include "paths.h"

#define LOCK_RETRY_USEC G_USEC_PER_SEC
/* What the main loop and the watches of main.c and of handover/ take, without services and clients. */
#define ESSENTIAL_DESCRIPTORS 16

/* A folder that has no lock and takes none has no state of an earlier daemon either; that one may live,
 * though, as when the folder was put over its own. To supervise there without a lock might be to do so twice,
 * so it is waited for; services lose less by that than by an end, after which a service manager soon gives
 * up. */
static ZinitLockResult
wait_for_lock (ZinitRuntimeFolder *folder, int *ret_fd, GError **error)
{
  ZinitLockResult result = zinit_lock_take (folder, ZINIT_LOCK_FILE, ret_fd, error);

  if (result == ZINIT_LOCK_UNWRITABLE)
    g_warning ("nothing is supervised before the run-time folder is locked, which is tried again: %s",
               (*error)->message);
  while (result == ZINIT_LOCK_UNWRITABLE) {
    g_clear_error (error);
    g_usleep (LOCK_RETRY_USEC);
    result = zinit_lock_take (folder, ZINIT_LOCK_FILE, ret_fd, error);
  }
  return result;
}

/* The lock outlives an execution. The folder was checked before that; if it has become unfit meanwhile, this
 * process waits, as it is the only parent that the services have. */
ZinitLockResult
zinit_claim_folder (ZinitRuntimeFolder *folder, ZinitInherited *inherited, int *ret_fd, GError **error)
{
  gboolean is_said = FALSE;

  if (inherited->lock < 0)
    return wait_for_lock (folder, ret_fd, error);
  while (!zinit_runtime_folder_open (folder, NULL, error)) {
    if (!is_said)
      g_warning ("nothing is supervised before this is corrected, which is checked again: %s",
                 (*error)->message);
    is_said = TRUE;
    g_clear_error (error);
    g_usleep (LOCK_RETRY_USEC);
  }
  *ret_fd = inherited->lock;
  inherited->lock = -1;
  return ZINIT_LOCK_TAKEN;
}

/* GLib ends the process when it gets none for the main loop. The machine may have run out of them for a
 * moment. */
void
zinit_claim_descriptors (void)
{
  gboolean has_warned = FALSE;

  while (!zinit_descriptors_are_left (ESSENTIAL_DESCRIPTORS)) {
    if (!has_warned)
      g_warning ("nothing is supervised before there are %d free descriptors (limit %" G_GUINT64_FORMAT
                 "): %s; it is tried again",
                 ESSENTIAL_DESCRIPTORS, zinit_descriptor_limit (), g_strerror (errno));
    has_warned = TRUE;
    g_usleep (LOCK_RETRY_USEC);
  }
}
