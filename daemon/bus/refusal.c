/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the header of one message and throws the rest away: a connection of GDBus would hold memory for each
 * byte that such a client sends.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/refusal.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "names.h"

#define TIMEOUT_S 10
#define HEADER_BYTES 16 /* of these the length of the whole message is known */
/* What is read of a client's messages before it must have got its answer. */
#define MAX_BYTES (1 << 20)

struct _ZinitRefusal {
  int fd;
  char *reason;
  guint source;
  guint timeout;
  GFunc done;
  gpointer data;
  guint8 header[HEADER_BYTES];
  gsize n_header; /* bytes of it that are there */
  gsize n_rest;   /* bytes of the message that are still to come */
  gsize n_read;   /* in all */
};

static guint32
read_serial (const ZinitRefusal *self)
{
  guint32 serial;

  memcpy (&serial, self->header + 8, sizeof serial);
  return self->header[0] == 'B' ? GUINT32_FROM_BE (serial) : GUINT32_FROM_LE (serial);
}

static void
answer (const ZinitRefusal *self)
{
  g_autoptr (GDBusMessage) message = g_dbus_message_new ();
  g_autofree guchar *blob = NULL;
  gsize length;

  g_dbus_message_set_message_type (message, G_DBUS_MESSAGE_TYPE_ERROR);
  g_dbus_message_set_flags (message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
  g_dbus_message_set_serial (message, 1);
  g_dbus_message_set_reply_serial (message, read_serial (self));
  g_dbus_message_set_error_name (message, ZINIT_ERROR_PREFIX "LimitExceeded");
  g_dbus_message_set_body (message, g_variant_new ("(s)", self->reason));
  blob = g_dbus_message_to_blob (message, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  /* It is the first thing that is written since the handshake, so there is room for it. */
  if (blob != NULL && send (self->fd, blob, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    g_debug ("a client that was refused did not get its answer: %s", g_strerror (errno));
}

/* TRUE at the end of a call that has been answered. */
static gboolean
read_part (ZinitRefusal *self, const guint8 *bytes, gsize length)
{
  gssize whole;

  if (self->n_header < HEADER_BYTES) {
    memcpy (self->header + self->n_header, bytes, length);
    self->n_header += length;
    if (self->n_header < HEADER_BYTES)
      return FALSE;
    whole = g_dbus_message_bytes_needed (self->header, HEADER_BYTES, NULL);
    /* What is no D-Bus gets no answer. */
    if (whole < HEADER_BYTES)
      return TRUE;
    self->n_rest = (gsize)whole - HEADER_BYTES;
  } else {
    self->n_rest -= length;
  }
  if (self->n_rest > 0)
    return FALSE;
  self->n_header = 0;
  if (self->header[1] != G_DBUS_MESSAGE_TYPE_METHOD_CALL ||
      (self->header[2] & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) != 0)
    return FALSE;
  answer (self);
  return TRUE;
}

static void
finish (ZinitRefusal *self)
{
  self->done (self, self->data);
}

static gboolean
on_ready (int fd, GIOCondition condition, gpointer data)
{
  ZinitRefusal *self = data;
  guint8 bytes[4096];
  gboolean is_over = FALSE;

  while (!is_over) {
    gsize wanted =
        self->n_header < HEADER_BYTES ? HEADER_BYTES - self->n_header : MIN (self->n_rest, sizeof bytes);
    ssize_t length = recv (fd, bytes, wanted, MSG_DONTWAIT);

    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0 && errno == EAGAIN)
      return G_SOURCE_CONTINUE;
    self->n_read += (gsize)MAX (length, 0);
    is_over = length <= 0 || read_part (self, bytes, (gsize)length) || self->n_read > MAX_BYTES;
  }
  self->source = 0;
  finish (self);
  return G_SOURCE_REMOVE;
}

static gboolean
on_timeout (gpointer data)
{
  ZinitRefusal *self = data;

  self->timeout = 0;
  finish (self);
  return G_SOURCE_REMOVE;
}

ZinitRefusal *
zinit_refusal_new (int fd, const char *reason, GFunc done, gpointer data)
{
  ZinitRefusal *self = g_new0 (ZinitRefusal, 1);

  self->fd = fd;
  self->reason = g_strdup (reason);
  self->done = done;
  self->data = data;
  self->source = g_unix_fd_add (fd, G_IO_IN, on_ready, self);
  self->timeout = g_timeout_add_seconds (TIMEOUT_S, on_timeout, self);
  return self;
}

void
zinit_refusal_free (ZinitRefusal *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_handle_id (&self->timeout, g_source_remove);
  close (self->fd);
  g_free (self->reason);
  g_free (self);
}
