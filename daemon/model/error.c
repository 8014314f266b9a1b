/* SPDX-License-Identifier: Apache-2.0
 *
 * The quark behind ZINIT_ERROR. What each code becomes on the bus is in bus/errors.c.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/error.h"

#include <errno.h>

G_DEFINE_QUARK (zinit - error - quark, zinit_error)

gboolean
zinit_error_passes (int reason)
{
  return reason == EMFILE || reason == ENFILE || reason == ENOMEM || reason == EAGAIN || reason == EINTR;
}

gboolean
zinit_error_is_transient (int reason)
{
  return zinit_error_passes (reason) || reason == EIO || reason == ENOSPC;
}
