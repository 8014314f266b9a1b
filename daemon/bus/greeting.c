/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes are looked at first, then exactly those of the handshake are taken away.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/greeting.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>

#include "model/error.h"

#define TIMEOUT_S 10
#define MAX_PEEK_BYTES 4096

struct _ZinitGreeting {
  int fd;
  ZinitHandshake handshake;
  guint source;
  guint timeout;
  ZinitGreetingFunc func;
  gpointer data;
};

static void
stop (ZinitGreeting *self)
{
  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_handle_id (&self->timeout, g_source_remove);
}

static void
finish (ZinitGreeting *self, const GError *error)
{
  stop (self);
  self->func (error, self->data);
}

static gboolean
set_errno_error (GError **error, const char *what)
{
  int code = errno;

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the handshake failed: %s: %s", what,
               g_strerror (code));
  return FALSE;
}

/* All output of a handshake is short and its lines are limited, so a socket without room belongs to a client
 * that does not read. */
static gboolean
write_output (ZinitGreeting *self, GError **error)
{
  GString *output = self->handshake.output;
  ssize_t length = send (self->fd, output->str, output->len, MSG_NOSIGNAL | MSG_DONTWAIT);

  if (length != (ssize_t)output->len) {
    if (length >= 0)
      errno = EAGAIN;
    return set_errno_error (error, "write");
  }
  g_string_truncate (output, 0);
  return TRUE;
}

/* FALSE with @error set, or TRUE: nothing more is there now, or the handshake is over. */
static gboolean
read_input (ZinitGreeting *self, GError **error)
{
  char bytes[MAX_PEEK_BYTES];

  while (self->handshake.state != ZINIT_HANDSHAKE_DONE) {
    ssize_t length = recv (self->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    gsize used;

    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0)
      return errno == EAGAIN || set_errno_error (error, "read");
    if (length == 0) {
      g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                           "the handshake failed: the other side has closed the connection");
      return FALSE;
    }
    used = zinit_handshake_feed (&self->handshake, bytes, (gsize)length, error);
    if (recv (self->fd, bytes, used, MSG_DONTWAIT) != (ssize_t)used)
      return *error == NULL ? set_errno_error (error, "read") : FALSE;
    if (self->handshake.output->len > 0 && !write_output (self, *error == NULL ? error : NULL))
      return FALSE;
    if (self->handshake.state == ZINIT_HANDSHAKE_FAILED)
      return FALSE;
  }
  return TRUE;
}

static gboolean
on_ready (int fd, GIOCondition condition, gpointer data)
{
  ZinitGreeting *self = data;
  g_autoptr (GError) error = NULL;
  gboolean is_fine = self->handshake.output->len == 0 || write_output (self, &error);

  if (is_fine)
    read_input (self, &error);
  if (error == NULL && self->handshake.state != ZINIT_HANDSHAKE_DONE) {
    /* A client has written its first line and waits for the answer from now on. */
    if ((condition & G_IO_OUT) == 0)
      return G_SOURCE_CONTINUE;
    self->source = g_unix_fd_add (fd, G_IO_IN, on_ready, self);
    return G_SOURCE_REMOVE;
  }
  self->source = 0;
  finish (self, error);
  return G_SOURCE_REMOVE;
}

static gboolean
on_timeout (gpointer data)
{
  ZinitGreeting *self = data;
  g_autoptr (GError) error =
      g_error_new_literal (ZINIT_ERROR, ZINIT_ERROR_TIMED_OUT, "the handshake failed: it took too long");

  self->timeout = 0;
  finish (self, error);
  return G_SOURCE_REMOVE;
}

ZinitGreeting *
zinit_greeting_new (int fd, ZinitHandshakeRole role, uid_t uid, const char *guid, ZinitGreetingFunc func,
                    gpointer data)
{
  ZinitGreeting *self = g_new0 (ZinitGreeting, 1);

  self->fd = fd;
  self->func = func;
  self->data = data;
  zinit_handshake_init (&self->handshake, role, uid, guid);
  self->source = g_unix_fd_add (fd, role == ZINIT_HANDSHAKE_SERVER ? G_IO_IN : G_IO_OUT, on_ready, self);
  /* Below what it waits for: after a long turn of the loop an answer that is there already counts. */
  self->timeout = g_timeout_add_seconds_full (G_PRIORITY_LOW, TIMEOUT_S, on_timeout, self, NULL);
  return self;
}

void
zinit_greeting_free (ZinitGreeting *self)
{
  if (self == NULL)
    return;
  stop (self);
  zinit_handshake_clear (&self->handshake);
  g_free (self);
}
