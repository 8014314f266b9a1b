/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files, read and replaced safely: nothing but regular files, never blocking on a FIFO or device, and
 * never a half-written one. It does not know what is in them.
 */
#pragma once

#include <sys/uio.h>

#include <glib.h>

G_BEGIN_DECLS

/* Reads all of @path, at most @max_bytes; links are followed. The result ends in a NUL that @ret_length does
 * not count. When there is nothing at @path, *@ret_missing (optional) is TRUE. Errors: ZINIT_ERROR_FAILED
 * when it cannot be opened or read or is no regular file, ZINIT_ERROR_LIMIT_EXCEEDED; "what; what is
 * allowed", without the path. Transfer full. */
char *zinit_file_read (const char *path, gsize max_bytes, gsize *ret_length, gboolean *ret_missing,
                       GError **error);

/* Opens the file @name of the folder that the descriptor @folder_fd is of (AT_FDCWD: any path), with @flags
 * of open(2) and mode 0600 if they make it. It is for what the daemon itself has written, which nobody else
 * may have put there or may change, for that could have any process signalled: a regular file that belongs to
 * this user and that nobody else may write. A link is not followed, and a FIFO or a device does not make it
 * wait. Close-on-exec. -1 with @error (optional; ZINIT_ERROR_FAILED, "what; what is allowed", without the
 * name) and errno, which is EPERM for a file that is refused. */
int zinit_file_open_own (int folder_fd, const char *name, int flags, GError **error);

/* What errno is then if something else is in the place of such a file: a file that is refused, a link, a
 * folder, a socket. */
gboolean zinit_file_is_obstacle (int reason);

/* zinit_file_read() of what zinit_file_open_own() opens. */
char *zinit_file_read_own (int folder_fd, const char *name, gsize max_bytes, gsize *ret_length,
                           gboolean *ret_missing, GError **error);

/* Takes away whatever is at @name: what cannot be removed, a folder with something in it, is renamed to
 * NAME.refused, in place of an older one. Nothing there is success. FALSE with errno. */
gboolean zinit_file_clear (int folder_fd, const char *name);
/* Renames whatever is at @name to NAME.refused, in place of an older one, so that people may look at it;
 * where that is a folder with something in it, to NAME.refused.2 and so on, up to 10. The same in all
 * else. */
gboolean zinit_file_rename_aside (int folder_fd, const char *name);

typedef enum {
  ZINIT_FILE_NEW,       /* an existing file is ZINIT_ERROR_SERVICE_EXISTS */
  ZINIT_FILE_OVERWRITE, /* it is replaced */
  ZINIT_FILE_KEEP_OLD,  /* it is replaced and stays as NAME.old, in place of an older one */
} ZinitFileRule;

/* Makes the file @name of the folder @folder_fd hold @parts one after the other, all of it or nothing: writes
 * @temporary, which is removed first if it is there, with mode 0600, syncs it, gives it the name @name and
 * syncs the folder. No link is followed at either name. A failure leaves no @temporary behind. Errors:
 * ZINIT_ERROR_FAILED "NAME: what", or as @rule says. */
gboolean zinit_file_write (int folder_fd, const char *name, const char *temporary, const struct iovec *parts,
                           guint n_parts, ZinitFileRule rule, GError **error);

G_END_DECLS
