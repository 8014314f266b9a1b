/* SPDX-License-Identifier: Apache-2.0
 *
 * Files by name below one descriptor, so that no other folder can be put in between. No fsync: they have to
 * outlive the daemon, not the machine.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include "logs/log-folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "model/error.h"

#define TEMPORARY_SUFFIX ".tmp"

struct _ZinitLogFolder {
  char *path;
  const char *name; /* of @path, in @parent_fd */
  int parent_fd;
  int fd; /* -1 = not opened yet, or given up after a failure */
  gboolean has_complained;
};

ZinitLogFolder *
zinit_log_folder_new (int parent_fd, const char *path)
{
  ZinitLogFolder *folder = g_new0 (ZinitLogFolder, 1);

  folder->path = g_strdup (path);
  folder->name = strrchr (folder->path, '/') + 1;
  folder->parent_fd = parent_fd;
  folder->fd = -1;
  return folder;
}

void
zinit_log_folder_close (ZinitLogFolder *folder)
{
  if (folder->fd >= 0)
    close (folder->fd);
  folder->fd = -1;
}

void
zinit_log_folder_free (ZinitLogFolder *folder)
{
  if (folder == NULL)
    return;
  zinit_log_folder_close (folder);
  g_free (folder->path);
  g_free (folder);
}

/* The next try begins with the folder itself: it may have been removed, or mounted anew. */
static void
fail (ZinitLogFolder *folder, const char *service, const char *suffix, int reason, GError **error)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s/%s%s: %s", folder->path, service, suffix,
               g_strerror (reason));
  zinit_log_folder_close (folder);
}

/* FALSE with errno, which is EPERM if it is not ours. */
static gboolean
open_there (ZinitLogFolder *folder)
{
  struct stat info;
  int reason = 0;

  folder->fd = openat (folder->parent_fd, folder->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder->fd < 0)
    return FALSE;
  if (fstat (folder->fd, &info) != 0)
    reason = errno;
  else if (info.st_uid != geteuid ())
    reason = EPERM;
  /* Only if it must be: a read-only folder can be read. */
  else if ((info.st_mode & 07777) != 0700 && fchmod (folder->fd, 0700) != 0)
    reason = errno;
  if (reason == 0)
    return TRUE;
  zinit_log_folder_close (folder);
  errno = reason;
  return FALSE;
}

/* Anything in its place that is not a folder of ours is renamed aside if the folder is to be made. FALSE
 * with errno. */
static gboolean
open_folder (ZinitLogFolder *folder, gboolean is_made)
{
  if (folder->fd >= 0 || open_there (folder))
    return TRUE;
  if (!is_made)
    return FALSE;
  if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EPERM)
    return FALSE;
  return (errno == ENOENT || zinit_file_rename_aside (folder->parent_fd, folder->name)) &&
         mkdirat (folder->parent_fd, folder->name, 0700) == 0 && open_there (folder);
}

static int
open_file (ZinitLogFolder *folder, const char *service, const char *suffix, int flags)
{
  g_autofree char *name = g_strconcat (service, suffix, NULL);

  return zinit_file_open_own (folder->fd, name, flags, NULL);
}

/* Anything in its place that is not a file of ours is taken out of the way. */
static int
make_file (ZinitLogFolder *folder, const char *service, const char *suffix, int flags)
{
  g_autofree char *name = g_strconcat (service, suffix, NULL);
  int fd = zinit_file_open_own (folder->fd, name, flags | O_CREAT, NULL);

  if (fd >= 0 || !zinit_file_is_obstacle (errno) || !zinit_file_clear (folder->fd, name))
    return fd;
  return zinit_file_open_own (folder->fd, name, flags | O_CREAT, NULL);
}

int
zinit_log_folder_open (ZinitLogFolder *folder, const char *service, const char *suffix, GError **error)
{
  int fd = open_folder (folder, TRUE) ? make_file (folder, service, suffix, O_RDWR) : -1;

  if (fd < 0)
    fail (folder, service, suffix, errno, error);
  return fd;
}

static gboolean
write_part (int fd, const struct iovec *part)
{
  const char *at = part->iov_base;
  gsize left = part->iov_len;

  while (left > 0) {
    gssize written = write (fd, at, left);

    if (written < 0 && errno != EINTR)
      return FALSE;
    if (written > 0) {
      at += written;
      left -= (gsize)written;
    }
  }
  return TRUE;
}

gboolean
zinit_log_folder_replace (ZinitLogFolder *folder, const char *service, const char *suffix,
                          const struct iovec *parts, guint n_parts, GError **error)
{
  g_autofree char *temporary = g_strconcat (service, TEMPORARY_SUFFIX, NULL);
  g_autofree char *name = g_strconcat (service, suffix, NULL);
  gboolean is_written = FALSE;
  int fd = -1, reason;

  if (open_folder (folder, TRUE))
    fd = make_file (folder, service, TEMPORARY_SUFFIX, O_WRONLY | O_TRUNC);
  if (fd >= 0) {
    is_written = TRUE;
    for (guint i = 0; is_written && i < n_parts; i++)
      is_written = write_part (fd, &parts[i]);
    is_written = is_written && (renameat (folder->fd, temporary, folder->fd, name) == 0 ||
                                (errno == EISDIR && zinit_file_clear (folder->fd, name) &&
                                 renameat (folder->fd, temporary, folder->fd, name) == 0));
    reason = errno;
    close (fd);
    errno = reason;
  }
  if (is_written)
    return TRUE;
  reason = errno;
  if (folder->fd >= 0)
    unlinkat (folder->fd, temporary, 0);
  fail (folder, service, suffix, reason, error);
  return FALSE;
}

static gboolean
read_all (int fd, GByteArray *bytes)
{
  gsize at = 0;

  while (at < bytes->len) {
    gssize length = read (fd, bytes->data + at, bytes->len - at);

    if (length < 0 && errno != EINTR)
      return FALSE;
    if (length == 0)
      break;
    if (length > 0)
      at += (gsize)length;
  }
  g_byte_array_set_size (bytes, (guint)at);
  return TRUE;
}

GByteArray *
zinit_log_folder_read (ZinitLogFolder *folder, const char *service, const char *suffix, gsize max_bytes,
                       GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  int fd = open_folder (folder, FALSE) ? open_file (folder, service, suffix, O_RDONLY) : -1;
  gboolean is_read = FALSE;
  struct stat info;
  int reason;

  if (fd < 0 && errno == ENOENT)
    return NULL;
  if (fd >= 0 && fstat (fd, &info) == 0) {
    if ((guint64)info.st_size <= max_bytes) {
      g_byte_array_set_size (bytes, (guint)info.st_size);
      is_read = read_all (fd, bytes);
    } else {
      errno = EFBIG;
    }
  }
  reason = errno;
  if (fd >= 0)
    close (fd);
  if (is_read)
    return g_steal_pointer (&bytes);
  fail (folder, service, suffix, reason, error);
  errno = reason;
  return NULL;
}

void
zinit_log_folder_remove (ZinitLogFolder *folder, const char *service, const char *suffix)
{
  g_autofree char *name = g_strconcat (service, suffix, NULL);

  if (open_folder (folder, FALSE))
    unlinkat (folder->fd, name, 0);
}

/* NULL with errno. */
static DIR *
open_entries (ZinitLogFolder *folder)
{
  int fd = open_folder (folder, FALSE) ? openat (folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  DIR *entries = fd >= 0 ? fdopendir (fd) : NULL;
  int reason = errno;

  if (entries == NULL && fd >= 0)
    close (fd);
  errno = reason;
  return entries;
}

GHashTable *
zinit_log_folder_list (ZinitLogFolder *folder)
{
  g_autoptr (GHashTable) services = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  DIR *entries = open_entries (folder);
  const struct dirent *entry;
  int reason = entries == NULL ? errno : 0;

  while (entries != NULL && (errno = 0, entry = readdir (entries)) != NULL) {
    const char *suffix = strrchr (entry->d_name, '.');

    if (g_strcmp0 (suffix, ZINIT_RING_SUFFIX) == 0 || g_strcmp0 (suffix, ZINIT_SPOOL_SUFFIX) == 0)
      g_hash_table_add (services, g_strndup (entry->d_name, (gsize)(suffix - entry->d_name)));
    else
      unlinkat (folder->fd, entry->d_name, 0);
  }
  if (entries != NULL) {
    reason = errno;
    closedir (entries);
  }
  errno = reason;
  return reason == 0 || reason == ENOENT ? g_steal_pointer (&services) : NULL;
}

void
zinit_log_folder_clear (ZinitLogFolder *folder)
{
  DIR *entries = open_entries (folder);
  const struct dirent *entry;

  while (entries != NULL && (entry = readdir (entries)) != NULL)
    if (unlinkat (folder->fd, entry->d_name, 0) != 0)
      unlinkat (folder->fd, entry->d_name, AT_REMOVEDIR);
  if (entries == NULL)
    return;
  closedir (entries);
  zinit_log_folder_close (folder);
  unlinkat (folder->parent_fd, folder->name, AT_REMOVEDIR);
}

void
zinit_log_folder_warn_once (ZinitLogFolder *folder, const GError *error)
{
  if (!folder->has_complained)
    g_warning ("output of services is kept in memory alone, and it will be tried again: %s", error->message);
  folder->has_complained = TRUE;
}
