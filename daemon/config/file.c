/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and replacing whole files by plain system calls: GLib's own follow links when they write and block
 * on a FIFO when they read.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"

/* Without O_NONBLOCK a FIFO would wait for its writer, without O_NOCTTY a terminal would become ours. */
#define OPEN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define MAX_ASIDE 10
#define READ_STEP_BYTES (16 * 1024) /* more would be mapped and unmapped for each small file */

static gboolean
fail_read (GError **error, const char *what, int number)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: %s", what, g_strerror (number));
  errno = number;
  return FALSE;
}

static gboolean
check_kind (const struct stat *status, GError **error)
{
  if (S_ISREG (status->st_mode))
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s; only regular files are allowed",
               S_ISDIR (status->st_mode)    ? "a folder"
               : S_ISFIFO (status->st_mode) ? "a FIFO"
                                            : "not a regular file");
  return FALSE;
}

static gboolean
check_owner (const struct stat *status, GError **error)
{
  if (status->st_uid != geteuid ())
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                 "belongs to user %u; only files of user %u are allowed", (guint)status->st_uid,
                 (guint)geteuid ());
  else if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                 "others may write it (mode %04o); only files that user %u alone may write are allowed",
                 status->st_mode & 07777, (guint)geteuid ());
  else
    return TRUE;
  return FALSE;
}

/* Takes @fd over; it is -1 with errno if it could not be opened. */
static int
accept_file (int fd, gboolean is_own, GError **error)
{
  struct stat status;
  int number = EPERM;

  if (fd < 0) {
    number = errno;
    if (is_own && number == ELOOP)
      g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                           "a symbolic link; only regular files are allowed");
    else
      fail_read (error, "cannot be opened", number);
  } else if (fstat (fd, &status) != 0) {
    number = errno;
    fail_read (error, "cannot be looked at", number);
  } else if (check_kind (&status, error) && (!is_own || check_owner (&status, error))) {
    return fd;
  }
  if (fd >= 0)
    close (fd);
  errno = number;
  return -1;
}

int
zinit_file_open_own (int folder_fd, const char *name, int flags, GError **error)
{
  return accept_file (openat (folder_fd, name, flags | OPEN_FLAGS | O_NOFOLLOW, 0600), TRUE, error);
}

gboolean
zinit_file_is_obstacle (int reason)
{
  return reason == EPERM || reason == ELOOP || reason == EISDIR || reason == ENXIO;
}

/* Opens @path for reading if it is a regular file; -1 otherwise. */
static int
open_any (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | OPEN_FLAGS);
  struct stat status;

  if (fd < 0 && errno == ENOENT && lstat (path, &status) == 0) {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "a link to a file that is not there");
    errno = ELOOP;
    return -1;
  }
  return accept_file (fd, FALSE, error);
}

/* Takes @fd over; it is -1 with errno and @error if it could not be opened. */
static char *
read_file (int fd, gsize max_bytes, gsize *ret_length, gboolean *ret_missing, GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  gboolean is_good = FALSE;
  struct stat status;
  gsize size;
  int reason;

  if (ret_missing != NULL)
    *ret_missing = fd < 0 && errno == ENOENT;
  if (fd < 0)
    return NULL;
  size = fstat (fd, &status) == 0 ? (gsize)status.st_size : 0;
  /* A file of megabytes would else be copied again and again while its buffer grows. */
  bytes = g_byte_array_sized_new ((guint)MIN (size, max_bytes) + READ_STEP_BYTES);
  for (;;) {
    /* One byte more than allowed tells a file that is too large from one that just fits. */
    guint length = bytes->len;
    gsize step = MIN (MAX (READ_STEP_BYTES, size > length ? size - length : 0), max_bytes + 1 - length);
    gssize n;

    g_byte_array_set_size (bytes, length + (guint)step);
    n = TEMP_FAILURE_RETRY (read (fd, bytes->data + length, step));
    g_byte_array_set_size (bytes, length + (guint)MAX (n, 0));
    if (n < 0) {
      fail_read (error, "cannot be read", errno);
      break;
    }
    if (n == 0) {
      is_good = TRUE;
      break;
    }
    if (bytes->len > max_bytes) {
      g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
                   "the file is too large; at most %" G_GSIZE_FORMAT " bytes are allowed", max_bytes);
      break;
    }
  }
  reason = errno;
  close (fd);
  errno = reason;
  if (!is_good)
    return NULL;
  *ret_length = bytes->len;
  g_byte_array_append (bytes, (const guint8 *)"", 1);
  return (char *)g_byte_array_free (g_steal_pointer (&bytes), FALSE);
}

char *
zinit_file_read (const char *path, gsize max_bytes, gsize *ret_length, gboolean *ret_missing, GError **error)
{
  return read_file (open_any (path, error), max_bytes, ret_length, ret_missing, error);
}

char *
zinit_file_read_own (int folder_fd, const char *name, gsize max_bytes, gsize *ret_length,
                     gboolean *ret_missing, GError **error)
{
  return read_file (zinit_file_open_own (folder_fd, name, O_RDONLY, error), max_bytes, ret_length,
                    ret_missing, error);
}

gboolean
zinit_file_rename_aside (int folder_fd, const char *name)
{
  for (guint i = 1; i <= MAX_ASIDE; i++) {
    g_autofree char *aside =
        i == 1 ? g_strconcat (name, ".refused", NULL) : g_strdup_printf ("%s.refused.%u", name, i);

    if (renameat (folder_fd, name, folder_fd, aside) == 0 || errno == ENOENT)
      return TRUE;
    /* A file cannot take the place of a folder, nor a folder that of a file. */
    if ((unlinkat (folder_fd, aside, 0) == 0 || unlinkat (folder_fd, aside, AT_REMOVEDIR) == 0) &&
        renameat (folder_fd, name, folder_fd, aside) == 0)
      return TRUE;
  }
  return FALSE;
}

gboolean
zinit_file_clear (int folder_fd, const char *name)
{
  if (unlinkat (folder_fd, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  return errno == EISDIR &&
         (unlinkat (folder_fd, name, AT_REMOVEDIR) == 0 || zinit_file_rename_aside (folder_fd, name));
}

static gboolean
fail_write (GError **error, const char *step, const char *name)
{
  int number = errno;
  g_autofree char *shown = g_filename_display_name (name);

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: cannot be %s: %s", shown, step,
               g_strerror (number));
  return FALSE;
}

static gboolean
write_rest (int fd, const char *bytes, gsize length)
{
  while (length > 0) {
    gssize n = TEMP_FAILURE_RETRY (write (fd, bytes, length));

    if (n < 0)
      return FALSE;
    bytes += n;
    length -= (gsize)n;
  }
  return TRUE;
}

static gboolean
write_parts (int fd, const struct iovec *parts, guint n_parts)
{
  while (n_parts > 0) {
    gssize n = TEMP_FAILURE_RETRY (writev (fd, parts, (int)MIN (n_parts, IOV_MAX)));
    gsize written = (gsize)MAX (n, 0);

    if (n < 0)
      return FALSE;
    for (; n_parts > 0 && written >= parts->iov_len; parts++, n_parts--)
      written -= parts->iov_len;
    /* It stopped inside of one. */
    if (n_parts == 0)
      return TRUE;
    if (!write_rest (fd, (const char *)parts->iov_base + written, parts->iov_len - written))
      return FALSE;
    parts++;
    n_parts--;
  }
  return TRUE;
}

static gboolean
write_temporary (int folder_fd, const char *name, const struct iovec *parts, guint n_parts, GError **error)
{
  gboolean is_good = TRUE;
  int fd;

  if (!zinit_file_clear (folder_fd, name))
    return fail_write (error, "removed", name);
  fd = openat (folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail_write (error, "made", name);
  if (!write_parts (fd, parts, n_parts))
    is_good = fail_write (error, "written", name);
  if (is_good && TEMP_FAILURE_RETRY (fsync (fd)) < 0)
    is_good = fail_write (error, "synced", name);
  close (fd);
  if (!is_good)
    unlinkat (folder_fd, name, 0);
  return is_good;
}

/* The old file is a second safety: that it cannot be kept is no reason to lose the new one. */
static void
keep_old (int folder_fd, const char *name)
{
  g_autofree char *old = g_strconcat (name, ".old", NULL);

  if (zinit_file_clear (folder_fd, old) &&
      (linkat (folder_fd, name, folder_fd, old, 0) == 0 || errno == ENOENT))
    return;
  g_warning ("%s: cannot be kept as %s: %s", name, old, g_strerror (errno));
}

/* Gives @temporary the name @name. */
static gboolean
move_in_place (int folder_fd, const char *name, const char *temporary, ZinitFileRule rule, GError **error)
{
  if (rule == ZINIT_FILE_NEW) {
    /* link() does what rename() cannot: it never replaces. */
    if (linkat (folder_fd, temporary, folder_fd, name, 0) == 0) {
      unlinkat (folder_fd, temporary, 0);
      return TRUE;
    }
    if (errno != EEXIST)
      return fail_write (error, "made", name);
    fail_write (error, "made", name);
    if (error != NULL)
      (*error)->code = ZINIT_ERROR_SERVICE_EXISTS;
    return FALSE;
  }
  if (rule == ZINIT_FILE_KEEP_OLD)
    keep_old (folder_fd, name);
  return renameat (folder_fd, temporary, folder_fd, name) == 0 || fail_write (error, "replaced", name);
}

gboolean
zinit_file_write (int folder_fd, const char *name, const char *temporary, const struct iovec *parts,
                  guint n_parts, ZinitFileRule rule, GError **error)
{
  if (!write_temporary (folder_fd, temporary, parts, n_parts, error))
    return FALSE;
  if (!move_in_place (folder_fd, name, temporary, rule, error)) {
    unlinkat (folder_fd, temporary, 0);
    return FALSE;
  }
  /* A rename lives in the folder: until that is synced, a power cut may undo it. Some file systems cannot
   * sync a folder and say EINVAL; they have nothing to lose then. */
  return TEMP_FAILURE_RETRY (fsync (folder_fd)) == 0 || errno == EINVAL ||
         fail_write (error, "synced in its folder", name);
}
