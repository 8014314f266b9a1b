/* SPDX-License-Identifier: Apache-2.0
 *
 * Decides by the user of the caller.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/authorize.h"

#include <unistd.h>

#include "model/error.h"

/* Any user of the system bus can make the daemon log a refusal. */
#define LOG_INTERVAL_USEC G_USEC_PER_SEC

gboolean
zinit_authorize_uid (uid_t uid)
{
  return uid == 0 || uid == geteuid ();
}

static void
log_refusal (const ZinitCaller *caller, const char *method)
{
  static gint64 last_usec;
  static guint n_suppressed;
  gint64 now = g_get_monotonic_time ();

  if (last_usec != 0 && now - last_usec < LOG_INTERVAL_USEC) {
    n_suppressed++;
    return;
  }
  last_usec = now;
  if (caller->uid == (uid_t)-1)
    g_warning ("%s was refused: its sender %s left the bus before the bus named its user", method,
               caller->name);
  else
    g_message ("%s was refused: user %u is neither root nor the user of the daemon", method,
               (guint)caller->uid);
  if (n_suppressed > 0)
    g_message ("%u more calls were refused since the last message about it", n_suppressed);
  n_suppressed = 0;
}

gboolean
zinit_authorize (const ZinitCaller *caller, ZinitAccess access, const char *method, GError **error)
{
  if (access < ZINIT_ACCESS_PRIVILEGED || zinit_authorize_uid (caller->uid))
    return TRUE;
  log_refusal (caller, method);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_ACCESS_DENIED,
               "%s is for root and the user of the daemon alone", method);
  return FALSE;
}
