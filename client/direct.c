/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a whole message and reads whole messages; GLib knows how they look.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/direct.h"

#include "client/wire.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_BYTES 16
#define MAX_GREETING_BYTES 256

struct _ZinitDirect {
  int fd;
  guint32 serial;
};

static gboolean
fail (GError **error, int number)
{
  /* The socket's own time-out looks like nothing to read. */
  if (number == EAGAIN)
    number = ETIMEDOUT;
  g_set_error_literal (error, G_IO_ERROR, (int)g_io_error_from_errno (number), g_strerror (number));
  return FALSE;
}

static gboolean
write_all (int fd, const void *bytes, gsize length, GError **error)
{
  const char *at = bytes;
  while (length > 0) {
    gssize n = TEMP_FAILURE_RETRY (send (fd, at, length, MSG_NOSIGNAL));
    if (n < 0)
      return fail (error, errno);
    at += n;
    length -= (gsize)n;
  }
  return TRUE;
}

static gboolean
read_all (int fd, void *bytes, gsize length, GError **error)
{
  char *at = bytes;
  while (length > 0) {
    gssize n = TEMP_FAILURE_RETRY (recv (fd, at, length, MSG_WAITALL));
    if (n < 0)
      return fail (error, errno);
    if (n == 0) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, _ ("the daemon closed the connection"));
      return FALSE;
    }
    at += n;
    length -= (gsize)n;
  }
  return TRUE;
}

static int
open_socket (const char *path, guint timeout_seconds, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const struct timeval timeout = { .tv_sec = timeout_seconds };
  if (strlen (path) >= sizeof address.sun_path) {
    fail (error, ENAMETOOLONG);
    return -1;
  }
  strcpy (address.sun_path, path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
      setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
      connect (fd, (const struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  fail (error, errno);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* The user's number in decimal, each digit in hexadecimal. All is written at once: what follows "BEGIN" comes
 * when we know that we are accepted. */
static gboolean
say_hello (int fd, GError **error)
{
  g_autofree char *user = g_strdup_printf ("%u", (guint)geteuid ());
  GString *hello = g_string_new (NULL);
  g_string_append_c (hello, '\0');
  g_string_append (hello, "AUTH EXTERNAL ");
  for (const char *digit = user; *digit != '\0'; digit++)
    g_string_append_printf (hello, "%02x", *digit);
  g_string_append (hello, "\r\nBEGIN\r\n");
  gboolean done = write_all (fd, hello->str, hello->len, error);
  g_string_free (hello, TRUE);
  return done;
}

/* "OK " and the daemon's identity. */
static gboolean
hear_welcome (int fd, GError **error)
{
  char line[MAX_GREETING_BYTES] = "";
  gsize length = 0;
  while (length == 0 || line[length - 1] != '\n') {
    /* Signals may follow at once: nothing behind the line may be taken. */
    gssize n = TEMP_FAILURE_RETRY (recv (fd, line + length, sizeof line - 1 - length, MSG_PEEK));
    if (n < 0 || length == sizeof line - 1)
      return fail (error, n < 0 ? errno : EPROTO);
    const char *end = memchr (line + length, '\n', (gsize)n);
    gsize wanted = end != NULL ? (gsize)(end - (line + length)) + 1 : (gsize)MAX (n, 1);
    if (!read_all (fd, line + length, wanted, error))
      return FALSE;
    length += wanted;
    line[length] = '\0';
  }
  return g_str_has_prefix (line, "OK ") || fail (error, EACCES);
}

ZinitDirect *
zinit_direct_new (const char *path, guint timeout_seconds, GError **error)
{
  int fd = open_socket (path, timeout_seconds, error);
  if (fd < 0)
    return NULL;
  if (!say_hello (fd, error) || !hear_welcome (fd, error)) {
    close (fd);
    return NULL;
  }
  ZinitDirect *direct = g_new0 (ZinitDirect, 1);
  direct->fd = fd;
  return direct;
}

void
zinit_direct_free (ZinitDirect *direct)
{
  close (direct->fd);
  g_free (direct);
}

/* One whole message. Transfer full. */
static GBytes *
read_message (int fd, GError **error)
{
  guchar header[HEADER_BYTES];
  if (!read_all (fd, header, sizeof header, error))
    return NULL;
  gssize length = g_dbus_message_bytes_needed (header, sizeof header, error);
  if (length < (gssize)sizeof header)
    return NULL;
  g_autofree guchar *message = g_malloc ((gsize)length);
  memcpy (message, header, sizeof header);
  if (!read_all (fd, message + sizeof header, (gsize)length - sizeof header, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&message), (gsize)length);
}

static gboolean
send_call (ZinitDirect *direct, const char *path, const char *interface, const char *method,
           GVariant *parameters, GError **error)
{
  g_autoptr (GDBusMessage) call = g_dbus_message_new_method_call (NULL, path, interface, method);
  gsize length = 0;
  g_dbus_message_set_serial (call, ++direct->serial);
  g_dbus_message_set_flags (call, G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
  if (parameters != NULL)
    g_dbus_message_set_body (call, parameters);
  g_autofree guchar *blob = g_dbus_message_to_blob (call, &length, G_DBUS_CAPABILITY_FLAGS_NONE, error);
  return blob != NULL && write_all (direct->fd, blob, length, error);
}

/* The answer to our last call; what else comes is passed over. Transfer full. */
static GBytes *
read_reply (ZinitDirect *direct, ZinitWireHeader *ret_header, GError **error)
{
  for (;;) {
    g_autoptr (GBytes) message = read_message (direct->fd, error);
    if (message == NULL)
      return NULL;
    gsize length = 0;
    const guchar *bytes = g_bytes_get_data (message, &length);
    if (!zinit_wire_read_header (bytes, length, ret_header)) {
      fail (error, EPROTO);
      return NULL;
    }
    if (ret_header->reply_serial == direct->serial)
      return g_steal_pointer (&message);
  }
}

/* The body of an answer as a value, or its error. Transfer full. */
static GVariant *
parse_reply (GBytes *reply, GError **error)
{
  gsize length = 0;
  const guchar *bytes = g_bytes_get_data (reply, &length);
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_from_blob ((guchar *)bytes, length, G_DBUS_CAPABILITY_FLAGS_NONE, error);
  if (message == NULL || g_dbus_message_to_gerror (message, error))
    return NULL;
  GVariant *body = g_dbus_message_get_body (message);
  return body != NULL ? g_variant_ref (body) : g_variant_ref_sink (g_variant_new ("()"));
}

static void
set_wrong_type (GError **error, const char *method, const char *type)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("the daemon's answer to %s has the unexpected type %s"), method, type);
}

GVariant *
zinit_direct_call (ZinitDirect *direct, const char *path, const char *interface, const char *method,
                   GVariant *parameters, const GVariantType *reply_type, GError **error)
{
  ZinitWireHeader header;
  if (!send_call (direct, path, interface, method, parameters, error))
    return NULL;
  g_autoptr (GBytes) reply = read_reply (direct, &header, error);
  g_autoptr (GVariant) body = reply != NULL ? parse_reply (reply, error) : NULL;
  if (body == NULL || g_variant_is_of_type (body, reply_type))
    return g_steal_pointer (&body);
  set_wrong_type (error, method, g_variant_get_type_string (body));
  return NULL;
}

GBytes *
zinit_direct_call_raw (ZinitDirect *direct, const char *path, const char *interface, const char *method,
                       GVariant *parameters, const char *signature, GError **error)
{
  ZinitWireHeader header;
  if (!send_call (direct, path, interface, method, parameters, error))
    return NULL;
  g_autoptr (GBytes) reply = read_reply (direct, &header, error);
  if (reply == NULL)
    return NULL;
  if (header.type == G_DBUS_MESSAGE_TYPE_ERROR) {
    GVariant *body = parse_reply (reply, error);
    g_clear_pointer (&body, g_variant_unref);
    return NULL;
  }
  if (g_str_equal (header.signature, signature))
    return g_bytes_new_from_bytes (reply, header.body, g_bytes_get_size (reply) - header.body);
  set_wrong_type (error, method, header.signature);
  return NULL;
}
