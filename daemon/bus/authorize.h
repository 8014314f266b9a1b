/* SPDX-License-Identifier: Apache-2.0
 *
 * Which caller may do what. The one place for all methods, on every connection.
 */
#pragma once

#include "bus/callers.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_ACCESS_PUBLIC,     /* everybody who can reach the daemon */
  ZINIT_ACCESS_FILTERED,   /* everybody, but secrets are for the privileged alone */
  ZINIT_ACCESS_PRIVILEGED, /* does something to a service or the daemon, or shows logs */
  ZINIT_ACCESS_REQUEST,    /* the same, and what it asks for has to be durable before it is answered */
} ZinitAccess;

/* TRUE for root and for the user that the daemon runs as. */
gboolean zinit_authorize_uid (uid_t uid);

/* TRUE when @caller, which is known, may call @method, which is of @access. Otherwise ACCESS_DENIED, and the
 * log has a line about it: an unanswered call would be lost in silence. */
gboolean zinit_authorize (const ZinitCaller *caller, ZinitAccess access, const char *method, GError **error);

G_END_DECLS
