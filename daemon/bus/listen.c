/* SPDX-License-Identifier: Apache-2.0
 *
 * The private socket: peer-to-peer D-Bus for root and the daemon's own user, where no bus runs and while the
 * bus is down. A client is judged by its peer credentials before GDBus reads a byte of it, because what GDBus
 * reads from a client that has not authenticated knows no limit.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/authorize.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixconnection.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/error.h"
#include "model/limits.h"

#define BACKLOG 1024
#define ACCEPTS_PER_DISPATCH 16
#define AUTHENTICATION_TIMEOUT_S 10
#define PAUSE_MS 500  /* when descriptors or memory ran out */
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
  gboolean is_full;    /* and that was said */
  gboolean has_failed; /* to make the socket, and that was said */
  GDBusAuthObserver *observer;
  GQueue clients; /* Client */
};

/* From accept to the end. */
typedef struct {
  GList link;              /* in ZinitListener.clients */
  ZinitListener *listener; /* NULL once that is gone */
  uid_t uid;
  GCancellable *cancellable;   /* of the authentication */
  guint timeout;               /* of the authentication; 0 = over */
  ZinitConnection *connection; /* NULL until it has authenticated */
} Client;

static void
client_free (Client *client)
{
  if (client->listener != NULL)
    g_queue_unlink (&client->listener->clients, &client->link);
  g_clear_handle_id (&client->timeout, g_source_remove);
  g_clear_pointer (&client->connection, zinit_connection_close);
  g_clear_object (&client->cancellable);
  g_free (client);
}

static void
on_client_closed (ZinitConnection *connection, gpointer data)
{
  client_free (data);
}

static void
on_authenticated (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_finish (result, &error);
  Client *client = data;

  if (connection == NULL || client->listener == NULL) {
    if (error != NULL)
      g_debug ("a client of the private socket did not authenticate: %s", error->message);
    g_clear_object (&connection);
    client_free (client);
    return;
  }
  g_clear_handle_id (&client->timeout, g_source_remove);
  client->connection =
      zinit_connection_new (client->listener->bus, connection, client->uid, on_client_closed, client);
  zinit_connection_open (client->connection);
  g_dbus_connection_start_message_processing (connection);
}

static gboolean
on_authentication_timeout (gpointer data)
{
  Client *client = data;

  client->timeout = 0;
  g_cancellable_cancel (client->cancellable);
  return G_SOURCE_REMOVE;
}

/* Called in another thread. */
static gboolean
on_allow_mechanism (GDBusAuthObserver *observer, const char *mechanism, gpointer data)
{
  return strcmp (mechanism, "EXTERNAL") == 0;
}

/* Called in another thread. */
static gboolean
on_authorize_peer (GDBusAuthObserver *observer, GIOStream *stream, GCredentials *credentials, gpointer data)
{
  uid_t uid = credentials != NULL ? g_credentials_get_unix_user (credentials, NULL) : (uid_t)-1;

  return uid != (uid_t)-1 && zinit_authorize_uid (uid);
}

static void
serve (ZinitListener *self, GSocket *socket, uid_t uid)
{
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);
  Client *client = g_new0 (Client, 1);

  client->link.data = client;
  client->listener = self;
  client->uid = uid;
  client->cancellable = g_cancellable_new ();
  client->timeout = g_timeout_add_seconds (AUTHENTICATION_TIMEOUT_S, on_authentication_timeout, client);
  g_queue_push_tail_link (&self->clients, &client->link);
  /* Messages wait until the objects are there. */
  g_dbus_connection_new (G_IO_STREAM (stream), self->guid,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
                             G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         self->observer, client->cancellable, on_authenticated, client);
}

/* Owns @fd. */
static void
admit (ZinitListener *self, int fd)
{
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0 ||
      !zinit_authorize_uid (credentials.uid)) {
    g_info ("a client of the private socket was turned away: it is not of this user");
    close (fd);
    return;
  }
  if (self->clients.length >= ZINIT_MAX_PRIVATE_CLIENTS) {
    if (!self->is_full)
      g_warning ("clients of the private socket are turned away: there are %u already", self->clients.length);
    self->is_full = TRUE;
    close (fd);
    return;
  }
  self->is_full = FALSE;
  socket = g_socket_new_from_fd (fd, &error);
  if (socket == NULL) {
    g_warning ("a client of the private socket: %s", error->message);
    close (fd);
    return;
  }
  serve (self, socket, credentials.uid);
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

/* Only in our own folder may something else be taken away; it is put aside. */
static gboolean
clear_other (const ZinitListener *self, GError **error)
{
  if (self->folder != NULL && zinit_runtime_folder_put_aside (self->folder, file_name (self)))
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
               "private socket %s: there is something else, which is not a socket", self->path);
  return FALSE;
}

/* Takes away what a daemon that is gone has left at @address; a socket that somebody serves stays. */
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

/* bind(2) knows paths alone. Nobody else can change what the path of the run-time folder leads to, as that
 * was judged; but the folder may have been renamed just now, and then the socket is in another. */
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

static void
attend (ZinitListener *self)
{
  self->source = self->fd >= 0 ? g_unix_fd_add (self->fd, G_IO_IN, on_client, self)
                               : g_timeout_add (RETRY_MS, on_retry, self);
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
  self->observer = g_dbus_auth_observer_new ();
  g_signal_connect (self->observer, "allow-mechanism", G_CALLBACK (on_allow_mechanism), NULL);
  g_signal_connect (self->observer, "authorize-authenticated-peer", G_CALLBACK (on_authorize_peer), NULL);
  g_queue_init (&self->clients);
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
  while (self->clients.head != NULL) {
    Client *client = self->clients.head->data;

    if (client->connection != NULL) {
      client_free (client);
    } else {
      /* Its authentication comes to an end later, and frees it then. */
      g_queue_unlink (&self->clients, &client->link);
      g_clear_handle_id (&client->timeout, g_source_remove);
      client->listener = NULL;
      g_cancellable_cancel (client->cancellable);
    }
  }
  g_object_unref (self->observer);
  g_free (self->guid);
  g_free (self->path);
  g_free (self);
}
