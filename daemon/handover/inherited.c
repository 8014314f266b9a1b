/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors that came through execve(2): used only when each is what the variable says.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/inherited.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"
#include "persist/state-file.h"

#define FDS_VARIABLE "ZINIT_FDS"
#define HANDOVER_VARIABLE "ZINIT_HANDOVER"
/* The kernel's limit of one variable is 128 KiB (MAX_ARG_STRLEN, execve(2)). */
#define MAX_VARIABLE_BYTES (100 * 1024)
#define READY_KEY "ready"
#define NOTIFY_KEY "notify"

typedef gboolean (*CheckFunc) (int fd);

/* Where the kernel cannot tell, the variable is believed: an end of the daemon would leave all services
 * without one. */
static gboolean
is_of_kind (int fd, mode_t kind)
{
  struct stat info;

  return fstat (fd, &info) == 0 ? (info.st_mode & S_IFMT) == kind : errno != EBADF;
}

static gboolean
is_pipe (int fd)
{
  return is_of_kind (fd, S_IFIFO);
}

static gboolean
is_listener (int fd)
{
  int value = 0;
  socklen_t length = sizeof value;

  return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0
             ? value != 0
             : errno != EBADF && errno != ENOTSOCK;
}

static gboolean
is_inotify (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *target = g_file_read_link (path, NULL);

  return g_strcmp0 (target, "anon_inode:inotify") == 0;
}

static gboolean
is_file (int fd)
{
  return is_of_kind (fd, S_IFREG);
}

/* @fd if it may be used, else -1. */
static int
accept_fd (int fd, CheckFunc check, GHashTable *seen, const char *what)
{
  if (fd < 0)
    return -1;
  if (fd < 3 || !check (fd) || !g_hash_table_add (seen, GINT_TO_POINTER (fd))) {
    g_warning ("the inherited descriptor %d is not %s; it is not used", fd, what);
    return -1;
  }
  return fd;
}

typedef struct {
  ZinitInherited *inherited;
  GHashTable *seen;
} Taking;

static gboolean
take_service (gpointer key, gpointer value, gpointer data)
{
  const ZinitSavedPipes *saved = value;
  Taking *taking = data;
  ZinitInheritedPipes *pipes = g_new0 (ZinitInheritedPipes, 1);

  pipes->outputs[ZINIT_STREAM_STDOUT] =
      accept_fd (saved->has_stdout_pipe ? saved->stdout_pipe : -1, is_pipe, taking->seen, "the pipe");
  pipes->outputs[ZINIT_STREAM_STDERR] =
      accept_fd (saved->has_stderr_pipe ? saved->stderr_pipe : -1, is_pipe, taking->seen, "the pipe");
  g_hash_table_insert (taking->inherited->pipes, g_strdup (key), pipes);
  return FALSE;
}

static void
close_pipes (gpointer data)
{
  ZinitInheritedPipes *pipes = data;

  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    if (pipes->outputs[i] >= 0)
      close (pipes->outputs[i]);
  g_free (pipes);
}

static void
close_non_child (gpointer fd)
{
  close (GPOINTER_TO_INT (fd));
}

/* @folder NULL: only @text. Transfer full; NULL after a warning, or when there is nothing. */
static ZinitSavedFds *
read_fds (const char *text, ZinitRuntimeFolder *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitSavedFds) fds = NULL;

  if (text != NULL)
    fds = zinit_saved_fds_parse (text, strlen (text), &error);
  else if (folder != NULL && zinit_runtime_folder_open (folder, NULL, &error))
    fds = zinit_saved_fds_load (folder, ZINIT_FDS_FILE, &error);
  if (fds != NULL && zinit_saved_fds_check (fds, &error))
    return g_steal_pointer (&fds);
  if (error != NULL)
    g_warning (FDS_VARIABLE ": %s", error->message);
  return NULL;
}

static void
take_fds (Taking *taking, const ZinitSavedFds *fds)
{
  if (fds->has_rpc_socket)
    taking->inherited->listener =
        accept_fd (fds->rpc_socket, is_listener, taking->seen, "the listening socket");
  g_tree_foreach (fds->services, take_service, taking);
}

static gboolean
is_socket (int fd)
{
  return is_of_kind (fd, S_IFSOCK);
}

/* ";KEY.SERVICE=FD" again and again. */
static void
take_named (Taking *taking, const char *text)
{
  g_auto (GStrv) items = g_strsplit (text, ";", -1);

  for (char **item = items; *item != NULL; item++) {
    const char *dot = strchr (*item, '.'), *equals = strrchr (*item, '=');
    gboolean is_ready = g_str_has_prefix (*item, READY_KEY ".");
    guint64 fd;
    int taken;

    if (dot == NULL || equals == NULL || equals < dot ||
        (!is_ready && !g_str_has_prefix (*item, NOTIFY_KEY ".")) ||
        !g_ascii_string_to_unsigned (equals + 1, 10, 3, G_MAXINT, &fd, NULL))
      continue;
    taken = accept_fd ((int)fd, is_ready ? is_pipe : is_socket, taking->seen,
                       is_ready ? "the readiness descriptor" : "the NOTIFY_SOCKET");
    if (taken >= 0)
      g_hash_table_insert (is_ready ? taking->inherited->ready : taking->inherited->notify,
                           g_strndup (dot + 1, (gsize)(equals - dot - 1)), GINT_TO_POINTER (taken));
  }
}

/* ",PID:PIDFD" again and again, then what has a name. */
static void
take_non_children (Taking *taking, const char *text)
{
  while (*text == ',') {
    char *end;
    guint64 pid = g_ascii_strtoull (text + 1, &end, 10);
    guint64 fd = *end == ':' ? g_ascii_strtoull (end + 1, &end, 10) : 0;

    if (fd < 3 || fd > G_MAXINT || pid > G_MAXINT ||
        !g_hash_table_add (taking->seen, GINT_TO_POINTER ((int)fd)))
      return;
    g_hash_table_insert (taking->inherited->non_children, GINT_TO_POINTER ((int)pid),
                         GINT_TO_POINTER ((int)fd));
    text = end;
  }
  if (*text == ';')
    take_named (taking, text + 1);
}

static void
take_ours (Taking *taking, const char *text)
{
  ZinitInherited *inherited = taking->inherited;
  int pid, lock, lock_watch = -1, length = 0;
  unsigned long long file_limit;

  /* A service that starts a zinitd of its own gives it nothing of ours, whatever its environment says. */
  if (text == NULL || sscanf (text, "%d,%d,%llu,%d%n", &pid, &lock, &file_limit, &lock_watch, &length) < 3 ||
      pid != getpid ())
    return;
  inherited->is_reexecuted = TRUE;
  take_non_children (taking, text + length);
  inherited->lock = accept_fd (lock, is_file, taking->seen, "the lock");
  inherited->lock_watch = accept_fd (lock_watch, is_inotify, taking->seen, "the watch of the lock");
  inherited->file_limit = file_limit;
}

ZinitInherited *
zinit_inherited_take (ZinitRuntimeFolder *folder)
{
  ZinitInherited *inherited = g_new0 (ZinitInherited, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (ZinitSavedFds) fds = NULL;
  Taking taking = { inherited, seen };

  inherited->pipes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, close_pipes);
  inherited->non_children = g_hash_table_new_full (NULL, NULL, NULL, close_non_child);
  inherited->ready = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, close_non_child);
  inherited->notify = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, close_non_child);
  inherited->listener = inherited->lock = inherited->lock_watch = -1;
  /* All of them by one call: there may be thousands, and those that are not named must not reach services
   * either. */
  close_range (3, ~0U, CLOSE_RANGE_CLOEXEC);
  take_ours (&taking, g_getenv (HANDOVER_VARIABLE));
  fds = read_fds (g_getenv (FDS_VARIABLE), inherited->is_reexecuted ? folder : NULL);
  if (fds != NULL)
    take_fds (&taking, fds);
  zinit_inherited_withdraw ();
  return inherited;
}

void
zinit_inherited_free (ZinitInherited *inherited)
{
  const int fds[] = { inherited->listener, inherited->lock, inherited->lock_watch };

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  g_hash_table_unref (inherited->pipes);
  g_hash_table_unref (inherited->non_children);
  g_hash_table_unref (inherited->ready);
  g_hash_table_unref (inherited->notify);
  g_free (inherited);
}

gboolean
zinit_inherited_take_pipes (ZinitInherited *inherited, const char *service, int outputs[ZINIT_N_STREAMS])
{
  ZinitInheritedPipes *pipes = g_hash_table_lookup (inherited->pipes, service);

  if (pipes == NULL)
    return FALSE;
  for (guint i = 0; i < ZINIT_N_STREAMS; i++) {
    outputs[i] = pipes->outputs[i];
    pipes->outputs[i] = -1;
  }
  return TRUE;
}

int
zinit_inherited_take_non_child (ZinitInherited *inherited, pid_t pid)
{
  gpointer fd;

  if (!g_hash_table_steal_extended (inherited->non_children, GINT_TO_POINTER (pid), NULL, &fd))
    return -1;
  return GPOINTER_TO_INT (fd);
}

static int
take_of_service (GHashTable *fds, const char *service)
{
  gpointer key, fd;

  if (!g_hash_table_steal_extended (fds, service, &key, &fd))
    return 0;
  g_free (key);
  return GPOINTER_TO_INT (fd);
}

int
zinit_inherited_take_ready (ZinitInherited *inherited, const char *service)
{
  return take_of_service (inherited->ready, service);
}

int
zinit_inherited_take_notify (ZinitInherited *inherited, const char *service)
{
  return take_of_service (inherited->notify, service);
}

static void
append_named (GString *text, const char *key, GHashTable *fds)
{
  GHashTableIter iter;
  gpointer service, fd;

  g_hash_table_iter_init (&iter, fds);
  while (text->len < MAX_VARIABLE_BYTES && g_hash_table_iter_next (&iter, &service, &fd))
    g_string_append_printf (text, ";%s.%s=%d", key, (const char *)service, GPOINTER_TO_INT (fd));
}

void
zinit_inherited_offer (const ZinitSavedFds *fds, const ZinitOffer *offer)
{
  g_autofree char *text = zinit_saved_fds_print (fds, NULL);
  g_autoptr (GString) ours = g_string_new (NULL);
  GHashTableIter iter;
  gpointer pid, pidfd;

  if (strlen (text) < MAX_VARIABLE_BYTES)
    g_setenv (FDS_VARIABLE, text, TRUE);
  g_string_printf (ours, "%d,%d,%" G_GUINT64_FORMAT ",%d", (int)getpid (), offer->lock, offer->file_limit,
                   offer->lock_watch);
  g_hash_table_iter_init (&iter, offer->non_children);
  /* Those that have no place there are opened anew, if they live still. */
  while (ours->len < MAX_VARIABLE_BYTES && g_hash_table_iter_next (&iter, &pid, &pidfd))
    g_string_append_printf (ours, ",%d:%d", GPOINTER_TO_INT (pid), GPOINTER_TO_INT (pidfd));
  append_named (ours, READY_KEY, offer->ready);
  append_named (ours, NOTIFY_KEY, offer->notify);
  g_setenv (HANDOVER_VARIABLE, ours->str, TRUE);
}

void
zinit_inherited_withdraw (void)
{
  g_unsetenv (FDS_VARIABLE);
  g_unsetenv (HANDOVER_VARIABLE);
}
