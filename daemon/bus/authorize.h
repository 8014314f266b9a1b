/* SPDX-License-Identifier: Apache-2.0
 *
 * Which caller may do what. The one place for all methods, on every connection.
 */
#pragma once

#include "bus/internal.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_ACCESS_PUBLIC,     /* everybody who can reach the daemon */
  ZINIT_ACCESS_FILTERED,   /* everybody, but secrets are for the privileged alone */
  ZINIT_ACCESS_PRIVILEGED, /* does something to a service or the daemon, or shows logs */
  ZINIT_ACCESS_REQUEST,    /* the same, and what it asks for has to be durable before it is answered */
} ZinitAccess;

/* TRUE for root and for the user that the daemon runs as. */
gboolean zinit_authorize_uid (uid_t uid);

typedef void (*ZinitAuthorizeFunc) (gboolean is_privileged, gpointer data);
/* Finds out whether @sender (a unique name; NULL on the private socket) is privileged and calls @func: at
 * once, or when the bus has answered. A sender whose user cannot be found out is not privileged. Services
 * may have changed by then: look up again what the call is about. */
void zinit_authorize (ZinitConnection *connection, const char *sender, ZinitAuthorizeFunc func,
                      gpointer data);

G_END_DECLS
