/* SPDX-License-Identifier: Apache-2.0
 *
 * D-Bus addresses as text, to addresses of sockets. Only those of kind unix are reached without blocking and
 * with the mechanism EXTERNAL.
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>

G_BEGIN_DECLS

typedef struct {
  struct sockaddr_un address;
  socklen_t length;
} ZinitBusAddress;

/* The entries of @text ("unix:path=/run/x;unix:abstract=y", in order) that can be used, at least one. An
 * error is of the first that cannot. ZINIT_ERROR_INVALID_ARGS. Transfer full. */
GArray *zinit_bus_address_parse (const char *text, GError **error);

G_END_DECLS
