/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a service ready, as its definition words it (rule D3).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ZINIT_READY_EXEC,   /* its program was executed */
  ZINIT_READY_ALIVE,  /* its main process is still there after a time */
  ZINIT_READY_NOTIFY, /* READY=1, sd_notify(3) */
  ZINIT_READY_FD,     /* a line feed on a descriptor */
  ZINIT_READY_DBUS,   /* a process of it owns a name on the daemon's message bus */
} ZinitReadyKind;

typedef struct {
  ZinitReadyKind kind;
  guint64 alive_ms;     /* of ZINIT_READY_ALIVE */
  int fd;               /* of ZINIT_READY_FD: its number in the service */
  const char *variable; /* that holds the number there, within the parsed text; NULL = none */
  const char *bus_name; /* of ZINIT_READY_DBUS, within the parsed text */
} ZinitReady;

/* @text NULL is "exec". FALSE with ZINIT_ERROR_INVALID_CONFIG, which says what is allowed. */
gboolean zinit_ready_parse (const char *text, ZinitReady *ret_ready, GError **error);

G_END_DECLS
