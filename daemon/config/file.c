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

#define READ_STEP_BYTES (16 * 1024) /* more would be mapped and unmapped for each small file */

static gboolean
fail_read (GError **error, const char *what, int number)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: %s", what, g_strerror (number));
  errno = number;
  return FALSE;
}

static gboolean
check_kind (const struct stat *status, gboolean is_own, GError **error)
{
  if (!S_ISREG (status->st_mode)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s; only regular files are allowed",
                 S_ISDIR (status->st_mode)    ? "a folder"
                 : S_ISFIFO (status->st_mode) ? "a FIFO"
                                              : "not a regular file");
    return FALSE;
  }
  if (is_own && status->st_uid != geteuid () && status->st_uid != 0) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                 "belongs to user %u; only files of user %u or root are allowed", (guint)status->st_uid,
                 (guint)geteuid ());
    return FALSE;
  }
  return TRUE;
}

/* Opens @path for reading if it is a regular file, and tells its size for now; -1 otherwise. */
static int
open_regular (const char *path, gboolean is_own, gsize *ret_size, gboolean *ret_missing, GError **error)
{
  /* Without O_NONBLOCK a FIFO would wait for its writer, without O_NOCTTY a terminal would become ours. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;

  if (fd < 0) {
    int number = errno;

    if (number == ENOENT && lstat (path, &status) == 0) {
      g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "a link to a file that is not there");
      return -1;
    }
    if (number == ENOENT && ret_missing != NULL)
      *ret_missing = TRUE;
    fail_read (error, "cannot be opened", number);
    return -1;
  }
  if (fstat (fd, &status) != 0) {
    fail_read (error, "cannot be looked at", errno);
  } else if (check_kind (&status, is_own, error)) {
    *ret_size = (gsize)status.st_size;
    return fd;
  }
  close (fd);
  return -1;
}

static char *
read_file (const char *path, gboolean is_own, gsize max_bytes, gsize *ret_length, gboolean *ret_missing,
           GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  gboolean is_good = FALSE;
  gsize size;
  int fd, reason;

  if (ret_missing != NULL)
    *ret_missing = FALSE;
  errno = 0;
  fd = open_regular (path, is_own, &size, ret_missing, error);
  if (fd < 0)
    return NULL;
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
  return read_file (path, FALSE, max_bytes, ret_length, ret_missing, error);
}

char *
zinit_file_read_own (const char *path, gsize max_bytes, gsize *ret_length, gboolean *ret_missing,
                     GError **error)
{
  return read_file (path, TRUE, max_bytes, ret_length, ret_missing, error);
}

static gboolean
fail_write (GError **error, const char *step, const char *path)
{
  int number = errno;
  g_autofree char *shown = g_filename_display_name (path);

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
write_temporary (const char *path, const struct iovec *parts, guint n_parts, GError **error)
{
  gboolean is_good = TRUE;
  int fd;

  if (unlink (path) < 0 && errno != ENOENT)
    return fail_write (error, "removed", path);
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail_write (error, "made", path);
  if (!write_parts (fd, parts, n_parts))
    is_good = fail_write (error, "written", path);
  if (is_good && TEMP_FAILURE_RETRY (fsync (fd)) < 0)
    is_good = fail_write (error, "synced", path);
  close (fd);
  if (!is_good)
    unlink (path);
  return is_good;
}

/* A rename lives in the folder: until that is synced, a power cut may undo it. */
static gboolean
sync_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean is_good;

  if (fd < 0)
    return fail_write (error, "opened", folder);
  /* Some file systems cannot sync a folder and say EINVAL; they have nothing to lose then. */
  is_good = TEMP_FAILURE_RETRY (fsync (fd)) == 0 || errno == EINVAL || fail_write (error, "synced", folder);
  close (fd);
  return is_good;
}

/* Gives @temporary the name @path. */
static gboolean
move_in_place (const char *path, const char *temporary, ZinitFileRule rule, GError **error)
{
  if (rule == ZINIT_FILE_NEW) {
    /* link() does what rename() cannot: it never replaces. */
    if (link (temporary, path) == 0) {
      unlink (temporary);
      return TRUE;
    }
    if (errno != EEXIST)
      return fail_write (error, "made", path);
    fail_write (error, "made", path);
    if (error != NULL)
      (*error)->code = ZINIT_ERROR_SERVICE_EXISTS;
    return FALSE;
  }
  if (rule == ZINIT_FILE_KEEP_OLD) {
    g_autofree char *old = g_strconcat (path, ".old", NULL);

    /* The old file is a second safety: that it cannot be kept is no reason to lose the new one. */
    unlink (old);
    if (link (path, old) < 0 && errno != ENOENT)
      g_warning ("%s: cannot be kept as %s: %s", path, old, g_strerror (errno));
  }
  return rename (temporary, path) == 0 || fail_write (error, "replaced", path);
}

gboolean
zinit_file_write (const char *path, const char *temporary, const struct iovec *parts, guint n_parts,
                  ZinitFileRule rule, GError **error)
{
  if (!write_temporary (temporary, parts, n_parts, error))
    return FALSE;
  if (!move_in_place (path, temporary, rule, error)) {
    unlink (temporary);
    return FALSE;
  }
  return sync_folder (path, error);
}
