/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder in which the output of services outlives the daemon: for each service that said something a
 * ring (NAME.ring) and a spool (NAME.journal). It is made when the first of them is; only its owner may
 * look into it. It does not know what is in the files.
 */
#pragma once

#include <sys/uio.h>

#include <glib.h>

G_BEGIN_DECLS

#define ZINIT_RING_SUFFIX ".ring"
#define ZINIT_SPOOL_SUFFIX ".journal"

typedef struct _ZinitLogFolder ZinitLogFolder;

/* @path is looked up by its last name in the folder that the descriptor @parent_fd is of: borrowed, the
 * number stays the same while the folder may change. Touches nothing. Transfer full. */
ZinitLogFolder *zinit_log_folder_new (int parent_fd, const char *path);
void zinit_log_folder_free (ZinitLogFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitLogFolder, zinit_log_folder_free)

/* Opens the file of @service for reading and writing, and makes it (0600) if it is not there. Anything in
 * its place that is not a file of ours is removed, or renamed aside if it cannot be. Close-on-exec. -1 with
 * @error. */
int zinit_log_folder_open (ZinitLogFolder *folder, const char *service, const char *suffix, GError **error);
/* Replaces a file of @service whole or not at all. */
gboolean zinit_log_folder_replace (ZinitLogFolder *folder, const char *service, const char *suffix,
                                   const struct iovec *parts, guint n_parts, GError **error);
/* The whole of a file of @service; NULL without @error when there is none, with it and errno when it cannot
 * be read or is longer than @max_bytes. Transfer full. */
GByteArray *zinit_log_folder_read (ZinitLogFolder *folder, const char *service, const char *suffix,
                                   gsize max_bytes, GError **error);
void zinit_log_folder_remove (ZinitLogFolder *folder, const char *service, const char *suffix);

/* The services that have files here, as a set of names; what is no service's file is removed. NULL with errno
 * when the folder is there and cannot be read. Transfer full. */
GHashTable *zinit_log_folder_list (ZinitLogFolder *folder);
/* Removes all files, and the folder. */
void zinit_log_folder_clear (ZinitLogFolder *folder);

/* The path is looked up again with the next file. */
void zinit_log_folder_close (ZinitLogFolder *folder);

/* Warns that output is not kept, once in the daemon's life. */
void zinit_log_folder_warn_once (ZinitLogFolder *folder, const GError *error);

G_END_DECLS
