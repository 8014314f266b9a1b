/* SPDX-License-Identifier: Apache-2.0
 *
 * A message on a NOTIFY_SOCKET: whatever a service sends, what is taken from it is within its limits.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include <string.h>

#include "model/limits.h"
#include "process/notify-message.h"
#include "target.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *exact = g_memdup2 (data, size);
  g_auto (ZinitNotifyMessage) message = { 0 };

  if (!zinit_notify_message_parse (exact, size, &message))
    return 0;
  g_assert_true (message.main_pid == 0 || message.main_pid > 1);
  if (message.status != NULL) {
    g_assert_true (g_utf8_validate (message.status, -1, NULL));
    /* A byte that is not UTF-8 becomes three. */
    g_assert_cmpuint (strlen (message.status), <=, 3 * ZINIT_MAX_STATUS_BYTES);
    for (const char *at = message.status; *at != '\0'; at++)
      g_assert_false (g_ascii_iscntrl (*at));
  }
  return 0;
}
