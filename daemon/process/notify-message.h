/* SPDX-License-Identifier: Apache-2.0
 *
 * A message of the sd_notify protocol as a value. Who sent it, and what follows from it, is not known here.
 * See sd_notify(3).
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gboolean is_ready;     /* READY=1 */
  gboolean is_stopping;  /* STOPPING=1 */
  char *status;          /* STATUS=, valid UTF-8 without control characters; NULL = none */
  pid_t main_pid;        /* MAINPID=; 0 = none */
  guint64 extend_usec;   /* EXTEND_TIMEOUT_USEC=; 0 = none */
  gboolean is_alive;     /* WATCHDOG=1 */
  gboolean has_failed;   /* WATCHDOG=trigger */
  guint64 watchdog_usec; /* WATCHDOG_USEC=; 0 = none */
} ZinitNotifyMessage;

/* Keys that are not known, and values that mean nothing, are ignored; of a key that comes twice the last one
 * counts. FALSE when there is a NUL in @bytes: it is no such message. */
gboolean zinit_notify_message_parse (const char *bytes, gsize length, ZinitNotifyMessage *ret_message);
void zinit_notify_message_clear (ZinitNotifyMessage *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitNotifyMessage, zinit_notify_message_clear)

G_END_DECLS
