/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files, read and replaced safely: nothing but regular files, never blocking on a FIFO or device, and
 * never a half-written one. What is in them is others' matter.
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

/* The same for what the daemon itself has written: a file that belongs to somebody other than this user or
 * root is an error as well, for who made it could have any process signalled. On an error errno tells why it
 * could not be opened or read. */
char *zinit_file_read_own (const char *path, gsize max_bytes, gsize *ret_length, gboolean *ret_missing,
                           GError **error);

typedef enum {
  ZINIT_FILE_NEW,       /* an existing file is ZINIT_ERROR_SERVICE_EXISTS */
  ZINIT_FILE_OVERWRITE, /* it is replaced */
  ZINIT_FILE_KEEP_OLD,  /* it is replaced and stays as PATH.old, in place of an older one */
} ZinitFileRule;

/* Makes @path hold @parts one after the other, all of it or nothing: writes @temporary, which has to be in
 * the same folder and is removed first if it is there, with mode 0600, syncs it, gives it the name @path and
 * syncs the folder. No link is followed at either name. A failure leaves no @temporary behind. Errors:
 * ZINIT_ERROR_FAILED with the path, or as
 * @rule says. */
gboolean zinit_file_write (const char *path, const char *temporary, const struct iovec *parts, guint n_parts,
                           ZinitFileRule rule, GError **error);

G_END_DECLS
