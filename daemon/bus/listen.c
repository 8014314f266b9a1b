/* SPDX-License-Identifier: Apache-2.0
 *
 * The private socket: peer-to-peer D-Bus for root and the daemon's own user, where no bus runs and while the
 * bus is down. A client's peer credentials are checked before a byte of it is read. One for which there is
 * no room gets an error.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/authorize.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/greeting.h"
#include "bus/refusal.h"
#include "bus/transport.h"
#include "loop/reserve.h"
#include "model/error.h"
#include "model/limits.h"

#define BACKLOG 1024
#define ACCEPTS_PER_DISPATCH 16
#define PAUSE_MS 500  /* when descriptors, threads or memory ran out */
#define RETRY_MS 1000 /* when the socket could not be made */

struct _ZinitListener {
  ZinitBus *bus;
  const ZinitRuntimeFolder *folder; /* that the socket is in; NULL = elsewhere */
  char *path;
  char *guid;
  int fd;              /* -1 = it could not be made yet */
  dev_t device;        /* of its file */
  ino_t inode;         /* the same */
  guint source;        /* accepts, or waits to accept or to make the socket again */
  gboolean is_full;    /* and that was logged */
  gboolean has_failed; /* to make the socket, or to get what all connections need, and that was logged */
  GQueue clients;      /* Client */
  GQueue refused;      /* Client, those for which there is no room */
};

/* From accept to the end. Of what it has one at a time is not NULL. */
typedef struct {
  GList link;
  GQueue *queue;
  ZinitListener *listener;
  int fd; /* -1 = it belongs to what follows the greeting */
  uid_t uid;
  char *refusal_reason; /* NULL = there is room for it */
  ZinitGreeting *greeting;
  ZinitRefusal *refusal;
  ZinitConnection *connection;
} Client;

static void
client_free (Client *client)
{
  g_queue_unlink (client->queue, &client->link);
  g_clear_pointer (&client->greeting, zinit_greeting_free);
  g_clear_pointer (&client->refusal, zinit_refusal_free);
  g_clear_pointer (&client->connection, zinit_connection_close);
  if (client->fd >= 0)
    close (client->fd);
  g_free (client->refusal_reason);
  g_free (client);
}

static void
on_client_closed (ZinitConnection *connection, gpointer data)
{
  client_free (data);
}

static void
on_refused (gpointer refusal, gpointer data)
{
  client_free (data);
}

static void
serve (Client *client)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = zinit_transport_open (client->fd, &error);

  client->fd = -1;
  if (connection == NULL) {
    g_warning ("a client of the private socket: %s", error->message);
    client_free (client);
    return;
  }
  client->connection =
      zinit_connection_new (client->listener->bus, connection, client->uid, on_client_closed, client);
  zinit_connection_open (client->connection);
  zinit_connection_hold (client->connection);
  g_dbus_connection_start_message_processing (connection);
}

static void
on_greeted (const GError *error, gpointer data)
{
  Client *client = data;

  g_clear_pointer (&client->greeting, zinit_greeting_free);
  if (error != NULL) {
    g_debug ("a client of the private socket: %s", error->message);
    client_free (client);
  } else if (client->refusal_reason != NULL) {
    client->refusal = zinit_refusal_new (client->fd, client->refusal_reason, on_refused, client);
    client->fd = -1;
  } else {
    serve (client);
  }
}

/* NULL = there is room for it. Transfer full. */
static char *
find_refusal_reason (const ZinitListener *self, int fd)
{
  if (self->clients.length >= ZINIT_MAX_PRIVATE_CLIENTS)
    return g_strdup_printf ("the private socket has %u clients; no more are allowed", self->clients.length);
  if (zinit_reserve_is_core (fd))
    return g_strdup_printf ("the daemon has no descriptors left for clients (limit %" G_GUINT64_FORMAT ")",
                            zinit_descriptor_limit ());
  return NULL;
}

static void
log_if_full (ZinitListener *self, const char *reason)
{
  if (reason != NULL && !self->is_full)
    g_warning ("clients of the private socket are turned away: %s", reason);
  self->is_full = reason != NULL;
}

/* Owns @fd. */
static void
admit (ZinitListener *self, int fd)
{
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  g_autofree char *reason = NULL;
  Client *client;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0 ||
      !zinit_authorize_uid (credentials.uid)) {
    g_info ("a client of the private socket was turned away: it is not of this user");
    close (fd);
    return;
  }
  reason = find_refusal_reason (self, fd);
  log_if_full (self, reason);
  if (reason != NULL && self->refused.length >= ZINIT_MAX_REFUSED_CLIENTS) {
    close (fd);
    return;
  }
  client = g_new0 (Client, 1);
  client->link.data = client;
  client->queue = reason != NULL ? &self->refused : &self->clients;
  client->listener = self;
  client->fd = fd;
  client->uid = credentials.uid;
  client->refusal_reason = g_steal_pointer (&reason);
  g_queue_push_tail_link (client->queue, &client->link);
  client->greeting =
      zinit_greeting_new (fd, ZINIT_HANDSHAKE_SERVER, client->uid, self->guid, on_greeted, client);
}

static void attend (ZinitListener *self);

static gboolean
on_pause_over (gpointer data)
{
  attend (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_client (int fd, GIOCondition condition, gpointer data)
{
  ZinitListener *self = data;

  for (guint i = 0; i < ACCEPTS_PER_DISPATCH; i++) {
    int client = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (client >= 0) {
      admit (self, client);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return G_SOURCE_CONTINUE;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      /* The client stays in the backlog, so the descriptor stays ready: a pause, or this would spin. */
      g_warning ("the private socket: accept: %s", g_strerror (errno));
      self->source = g_timeout_add (PAUSE_MS, on_pause_over, self);
      return G_SOURCE_REMOVE;
    }
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
set_errno_error (GError **error, const char *path, const char *what)
{
  int code = errno;

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "private socket %s: %s: %s", path, what,
               g_strerror (code));
  return FALSE;
}

/* The socket's file is looked up by its name in the run-time folder's descriptor, or by its path elsewhere.
 */
static int
folder_fd (const ZinitListener *self)
{
  return self->folder != NULL ? zinit_runtime_folder_get_fd (self->folder) : AT_FDCWD;
}

static const char *
file_name (const ZinitListener *self)
{
  return self->folder != NULL ? strrchr (self->path, '/') + 1 : self->path;
}

static gboolean
look_at_file (const ZinitListener *self, struct stat *status)
{
  return fstatat (folder_fd (self), file_name (self), status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Only in our own folder may another file be moved away; it is renamed aside. */
static gboolean
clear_other (const ZinitListener *self, GError **error)
{
  if (self->folder != NULL && zinit_runtime_folder_rename_aside (self->folder, file_name (self)))
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
               "private socket %s: there is a file that is not a socket", self->path);
  return FALSE;
}

/* Removes what a daemon that is gone has left at @address; a socket that a process serves stays. */
static gboolean
clear_stale (const ZinitListener *self, const struct sockaddr_un *address, GError **error)
{
  struct stat status;
  int fd, result;

  if (!look_at_file (self, &status))
    return errno == ENOENT ? TRUE : set_errno_error (error, self->path, "stat");
  if (!S_ISSOCK (status.st_mode))
    return clear_other (self, error);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return set_errno_error (error, self->path, "socket");
  result = connect (fd, (const struct sockaddr *)address, sizeof *address);
  if (result == 0 || errno == EAGAIN) {
    close (fd);
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "private socket %s: another process serves it",
                 self->path);
    return FALSE;
  }
  close (fd);
  if (unlinkat (folder_fd (self), file_name (self), 0) < 0 && errno != ENOENT)
    return set_errno_error (error, self->path, "unlink");
  return TRUE;
}

/* bind(2) knows paths alone. No other user can change what the path of the run-time folder leads to, as that
 * was checked; but the folder may have been renamed just now, and then the socket is in another. */
static gboolean
remember_file (ZinitListener *self, GError **error)
{
  struct stat status, by_path;

  if (!look_at_file (self, &status) || lstat (self->path, &by_path) != 0)
    return set_errno_error (error, self->path, "stat");
  if (!S_ISSOCK (status.st_mode) || status.st_dev != by_path.st_dev || status.st_ino != by_path.st_ino) {
    errno = ESTALE;
    return set_errno_error (error, self->path, "bind");
  }
  self->device = status.st_dev;
  self->inode = status.st_ino;
  return TRUE;
}

static gboolean
has_file (const ZinitListener *self)
{
  struct stat status;

  return look_at_file (self, &status) && status.st_dev == self->device && status.st_ino == self->inode;
}

/* Returns -1 on an error. */
static int
make_socket (ZinitListener *self, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  g_strlcpy (address.sun_path, self->path, sizeof address.sun_path);
  if (!clear_stale (self, &address, error))
    return -1;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* The mode of the descriptor becomes that of the file: nobody else can connect even for a moment. */
  if (fd < 0 || fchmod (fd, 0600) < 0 || bind (fd, (struct sockaddr *)&address, sizeof address) < 0 ||
      listen (fd, BACKLOG) < 0)
    set_errno_error (error, self->path, "bind");
  else if (remember_file (self, error))
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

static void
open_socket (ZinitListener *self)
{
  g_autoptr (GError) error = NULL;

  self->fd = make_socket (self, &error);
  if (self->fd >= 0 && self->has_failed)
    g_message ("private socket %s: it is there now", self->path);
  else if (self->fd < 0)
    g_log (G_LOG_DOMAIN, self->has_failed ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING,
           "%s; it will be tried again, and all else goes on", error->message);
  self->has_failed = self->fd < 0;
}

static gboolean
on_retry (gpointer data)
{
  ZinitListener *self = data;

  open_socket (self);
  attend (self);
  return G_SOURCE_REMOVE;
}

/* Clients wait in the backlog when they cannot be served yet. */
static gboolean
can_serve (ZinitListener *self)
{
  g_autoptr (GError) error = NULL;
  gboolean is_ready = zinit_transport_prepare (&error);

  if (is_ready && self->has_failed)
    g_message ("private socket %s: it is served now", self->path);
  else if (!is_ready)
    g_log (G_LOG_DOMAIN, self->has_failed ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING,
           "private socket %s: nobody can be served yet: %s; it will be tried again, and all else goes on",
           self->path, error->message);
  self->has_failed = !is_ready;
  return is_ready;
}

static void
attend (ZinitListener *self)
{
  if (self->fd < 0)
    self->source = g_timeout_add (RETRY_MS, on_retry, self);
  else if (!can_serve (self))
    self->source = g_timeout_add (PAUSE_MS, on_pause_over, self);
  else
    self->source = g_unix_fd_add (self->fd, G_IO_IN, on_client, self);
}

ZinitListener *
zinit_listener_new (ZinitBus *bus, const ZinitRuntimeFolder *folder, const char *path, int inherited_fd,
                    GError **error)
{
  const gsize max_bytes = sizeof ((struct sockaddr_un *)NULL)->sun_path - 1;
  g_autofree char *parent = g_path_get_dirname (path);
  ZinitListener *self;

  if (strlen (path) > max_bytes) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                 "private socket %s: the path has %zu bytes; at most %zu are allowed", path, strlen (path),
                 max_bytes);
    return NULL;
  }
  self = g_new0 (ZinitListener, 1);
  self->bus = bus;
  self->folder = g_str_equal (parent, zinit_runtime_folder_get_path (folder)) ? folder : NULL;
  self->path = g_strdup (path);
  self->guid = g_dbus_generate_guid ();
  g_queue_init (&self->clients);
  g_queue_init (&self->refused);
  self->fd = inherited_fd;
  if (self->fd < 0)
    open_socket (self);
  else
    remember_file (self, NULL);
  attend (self);
  return self;
}

void
zinit_listener_renew (ZinitListener *self)
{
  if (self->fd < 0 || has_file (self))
    return;
  g_clear_handle_id (&self->source, g_source_remove);
  close (self->fd);
  open_socket (self);
  attend (self);
}

void
zinit_listener_pause (ZinitListener *self, gboolean is_paused)
{
  g_clear_handle_id (&self->source, g_source_remove);
  if (!is_paused)
    attend (self);
}

int
zinit_listener_get_fd (const ZinitListener *self)
{
  return self != NULL ? self->fd : -1;
}

const char *
zinit_listener_get_guid (const ZinitListener *self)
{
  return self->guid;
}

void
zinit_listener_free (ZinitListener *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->source, g_source_remove);
  if (self->fd >= 0) {
    close (self->fd);
    if (has_file (self))
      unlinkat (folder_fd (self), file_name (self), 0);
  }
  while (self->clients.head != NULL)
    client_free (self->clients.head->data);
  while (self->refused.head != NULL)
    client_free (self->refused.head->data);
  g_free (self->guid);
  g_free (self->path);
  g_free (self);
}
