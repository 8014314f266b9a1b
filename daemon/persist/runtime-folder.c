/* SPDX-License-Identifier: Apache-2.0
 *
 * The path to the run-time folder is walked step by step, by descriptors: each folder on it is checked
 * before the next step is looked up in it, so nothing can change between check and use.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/runtime-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"

#define MAX_LINKS 40 /* on one way, as in the kernel */
#define WALK_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

struct _ZinitRuntimeFolder {
  char *path;
  int fd; /* -1 = not open */
};

/* On the way to the folder. */
typedef struct {
  const char *path;
  int fd;     /* O_PATH; where we are */
  char *rest; /* of the way */
  uid_t root; /* owner of the root folder */
  guint n_links;
} Walk;

ZinitRuntimeFolder *
zinit_runtime_folder_new (const char *path)
{
  ZinitRuntimeFolder *folder = g_new0 (ZinitRuntimeFolder, 1);

  folder->path = g_strdup (path);
  folder->fd = -1;
  return folder;
}

void
zinit_runtime_folder_free (ZinitRuntimeFolder *folder)
{
  if (folder == NULL)
    return;
  if (folder->fd >= 0)
    close (folder->fd);
  g_free (folder->path);
  g_free (folder);
}

/* Where @fd is, for people. Transfer full. */
static char *
describe (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  char *path = g_file_read_link (link, NULL);

  return path != NULL ? path : g_strdup ("a folder above it");
}

G_GNUC_PRINTF (4, 5)
static gboolean
refuse (const Walk *walk, int fd, GError **error, const char *format, ...)
{
  g_autofree char *where = describe (fd);
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the run-time folder %s: %s %s", walk->path, where,
               what);
  errno = EPERM;
  return FALSE;
}

static gboolean
fail (const Walk *walk, GError **error, const char *what, const char *name)
{
  int reason = errno;

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the run-time folder %s: %s cannot be %s: %s",
               walk->path, name, what, g_strerror (reason));
  errno = reason;
  return FALSE;
}

static gboolean
is_trusted (const Walk *walk, uid_t uid)
{
  return uid == 0 || uid == geteuid () || uid == walk->root;
}

/* A folder or a link on the way. */
static gboolean
check_above (const Walk *walk, int fd, const struct stat *info, GError **error)
{
  if (!is_trusted (walk, info->st_uid))
    return refuse (walk, fd, error,
                   "belongs to user %u; above it only what belongs to root or to user %u is allowed",
                   (guint)info->st_uid, (guint)geteuid ());
  if (S_ISDIR (info->st_mode) && (info->st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info->st_mode & S_ISVTX) == 0)
    return refuse (walk, fd, error,
                   "may be written by others (mode %04o); above it that is allowed only with the sticky bit",
                   info->st_mode & 07777);
  return TRUE;
}

static gboolean
check_folder (const Walk *walk, int fd, const struct stat *info, GError **error)
{
  if (info->st_uid != geteuid ())
    return refuse (walk, fd, error, "belongs to user %u; only a folder of user %u is allowed",
                   (guint)info->st_uid, (guint)geteuid ());
  if ((info->st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return refuse (
        walk, fd, error,
        "may be written by others (mode %04o); only a folder that user %u alone may write is allowed",
        info->st_mode & 07777, (guint)geteuid ());
  return TRUE;
}

/* Takes @fd over. */
static void
stand_on (Walk *walk, int fd)
{
  close (walk->fd);
  walk->fd = fd;
}

/* The link's text takes its place in the rest of the way. */
static gboolean
follow_link (Walk *walk, int link, GError **error)
{
  char target[PATH_MAX];
  gssize length = readlinkat (link, "", target, sizeof target - 1);
  g_autofree char *rest = NULL;

  if (length < 0)
    return fail (walk, error, "read", "a symbolic link");
  if (++walk->n_links > MAX_LINKS) {
    errno = ELOOP;
    return fail (walk, error, "followed", "a symbolic link");
  }
  target[length] = '\0';
  rest = g_strconcat (target, "/", walk->rest, NULL);
  g_free (walk->rest);
  walk->rest = g_steal_pointer (&rest);
  if (target[0] != '/')
    return TRUE;
  stand_on (walk, open ("/", O_DIRECTORY | WALK_FLAGS));
  return walk->fd >= 0 || fail (walk, error, "opened", "/");
}

static gboolean
take_step (Walk *walk, const char *name, GError **error)
{
  int next = openat (walk->fd, name, WALK_FLAGS);
  gboolean is_good;
  struct stat info;

  if (next < 0 && errno == ENOENT) {
    if (mkdirat (walk->fd, name, geteuid () == 0 ? 0755 : 0700) != 0 && errno != EEXIST)
      return fail (walk, error, "made", name);
    next = openat (walk->fd, name, WALK_FLAGS);
  }
  if (next < 0 || fstat (next, &info) != 0) {
    is_good = fail (walk, error, "opened", name);
  } else if (S_ISLNK (info.st_mode)) {
    is_good = check_above (walk, next, &info, error) && follow_link (walk, next, error);
  } else if (S_ISDIR (info.st_mode)) {
    stand_on (walk, next);
    return TRUE;
  } else {
    is_good = refuse (walk, next, error, "is not a folder");
  }
  if (next >= 0)
    close (next);
  return is_good;
}

/* The next name of the way, or NULL at its end. Transfer full. */
static char *
next_name (Walk *walk)
{
  const char *begin = walk->rest + strspn (walk->rest, "/");
  gsize length = strcspn (begin, "/");
  char *name = length > 0 ? g_strndup (begin, length) : NULL;

  memmove (walk->rest, begin + length, strlen (begin + length) + 1);
  return name;
}

/* Leaves the walk on the folder. FALSE with errno. */
static gboolean
walk_to_folder (Walk *walk, GError **error)
{
  struct stat info;

  walk->fd = open ("/", O_DIRECTORY | WALK_FLAGS);
  if (walk->fd < 0 || fstat (walk->fd, &info) != 0)
    return fail (walk, error, "opened", "/");
  walk->root = info.st_uid;
  for (;;) {
    g_autofree char *name = next_name (walk);

    if (fstat (walk->fd, &info) != 0)
      return fail (walk, error, "looked at", "a folder above it");
    if (name == NULL)
      return check_folder (walk, walk->fd, &info, error);
    if (!check_above (walk, walk->fd, &info, error) || !take_step (walk, name, error))
      return FALSE;
  }
}

gboolean
zinit_runtime_folder_open (ZinitRuntimeFolder *folder, gboolean *ret_unwritable, GError **error)
{
  Walk walk = { .path = folder->path, .fd = -1, .rest = g_strdup (folder->path) };
  int reason;

  if (ret_unwritable != NULL)
    *ret_unwritable = FALSE;
  if (folder->fd < 0 && walk_to_folder (&walk, error)) {
    folder->fd = openat (walk.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
      fail (&walk, error, "opened", "it");
  }
  reason = errno;
  if (walk.fd >= 0)
    close (walk.fd);
  g_free (walk.rest);
  if (folder->fd < 0 && ret_unwritable != NULL)
    *ret_unwritable = reason == EROFS || reason == ENOSPC || reason == EDQUOT;
  return folder->fd >= 0;
}

gboolean
zinit_runtime_folder_is_current (const ZinitRuntimeFolder *folder)
{
  struct stat ours, there;

  return folder->fd >= 0 && fstat (folder->fd, &ours) == 0 && stat (folder->path, &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void
zinit_runtime_folder_become (ZinitRuntimeFolder *folder, ZinitRuntimeFolder *newer)
{
  if (folder->fd < 0) {
    folder->fd = newer->fd;
  } else {
    /* Other code knows the number of the descriptor. */
    dup3 (newer->fd, folder->fd, O_CLOEXEC);
    close (newer->fd);
  }
  newer->fd = -1;
}

const char *
zinit_runtime_folder_get_path (const ZinitRuntimeFolder *folder)
{
  return folder->path;
}

int
zinit_runtime_folder_get_fd (const ZinitRuntimeFolder *folder)
{
  return folder->fd;
}

int
zinit_runtime_folder_open_file (const ZinitRuntimeFolder *folder, const char *name, int flags, GError **error)
{
  int fd = zinit_file_open_own (folder->fd, name, flags, error);
  int reason = errno;

  if (fd < 0)
    g_prefix_error (error, "%s/%s: ", folder->path, name);
  errno = reason;
  return fd;
}

char *
zinit_runtime_folder_read (const ZinitRuntimeFolder *folder, const char *name, gsize max_bytes,
                           gsize *ret_length, gboolean *ret_missing, GError **error)
{
  char *text = zinit_file_read_own (folder->fd, name, max_bytes, ret_length, ret_missing, error);

  if (text == NULL)
    g_prefix_error (error, "%s/%s: ", folder->path, name);
  return text;
}

/* A file cannot take the place of a folder. */
static void
make_way (const ZinitRuntimeFolder *folder, const char *name)
{
  struct stat info;

  if (fstatat (folder->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (info.st_mode))
    zinit_file_rename_aside (folder->fd, name);
}

gboolean
zinit_runtime_folder_write (const ZinitRuntimeFolder *folder, const char *name, const struct iovec *parts,
                            guint n_parts, ZinitFileRule rule, GError **error)
{
  g_autofree char *temporary = g_strconcat (name, ".tmp", NULL);

  make_way (folder, name);
  if (zinit_file_write (folder->fd, name, temporary, parts, n_parts, rule, error))
    return TRUE;
  g_prefix_error (error, "%s/", folder->path);
  return FALSE;
}

gboolean
zinit_runtime_folder_rename_aside (const ZinitRuntimeFolder *folder, const char *name)
{
  return zinit_file_rename_aside (folder->fd, name);
}

gboolean
zinit_runtime_folder_remove (const ZinitRuntimeFolder *folder, const char *name)
{
  return unlinkat (folder->fd, name, 0) == 0 || errno == ENOENT || errno == EISDIR;
}
