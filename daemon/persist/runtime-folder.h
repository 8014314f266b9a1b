/* SPDX-License-Identifier: Apache-2.0
 *
 * The run-time folder: opened, made and checked here, and from then on used by its descriptor, so that no
 * other file or folder can be put in the way of a path. Owns the descriptor, but does not know what is in
 * the files.
 */
#pragma once

#include "config/file.h"

G_BEGIN_DECLS

typedef struct _ZinitRuntimeFolder ZinitRuntimeFolder;

/* Touches nothing. @path is absolute. Transfer full. */
ZinitRuntimeFolder *zinit_runtime_folder_new (const char *path);
void zinit_runtime_folder_free (ZinitRuntimeFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitRuntimeFolder, zinit_runtime_folder_free)

/* Opens the folder and makes what is missing of its path (0755 for root, else 0700). Does nothing when it is
 * open already.
 *
 * The folder has to belong to this user, and no other user may write it: one who could might take the lock,
 * rename the socket or write a state that the daemon would obey. A folder above it, and a symbolic link on
 * the way, has to belong to root, to this user or to the owner of the root folder (that is root, also in a
 * user namespace that has no number for it); a folder above it may be written by others only with the sticky
 * bit, as /tmp has it: a user who can rename an entry of it could put another run-time folder in the place
 * of ours. Writing by a group counts as writing by others: only the user database knows its members, and it
 * may change.
 *
 * FALSE with @error (ZINIT_ERROR_FAILED); *@ret_unwritable (optional) tells that a folder is missing which
 * cannot be made now, as the file system is read-only or full. */
gboolean zinit_runtime_folder_open (ZinitRuntimeFolder *folder, gboolean *ret_unwritable, GError **error);
/* Its path leads to it still: it was neither removed nor renamed. */
gboolean zinit_runtime_folder_is_current (const ZinitRuntimeFolder *folder);
/* Makes @folder be what @newer is, which is not open then. The descriptor keeps its number. */
void zinit_runtime_folder_become (ZinitRuntimeFolder *folder, ZinitRuntimeFolder *newer);

const char *zinit_runtime_folder_get_path (const ZinitRuntimeFolder *folder);
/* For openat(2) and its relatives; -1 before it is open, then always the same number. Borrowed. */
int zinit_runtime_folder_get_fd (const ZinitRuntimeFolder *folder);

/* Files in it, of which @name is the name alone. They are as config/file.h says: regular files of this user,
 * no link followed. Errors begin with the path of the file. */
int zinit_runtime_folder_open_file (const ZinitRuntimeFolder *folder, const char *name, int flags,
                                    GError **error);
char *zinit_runtime_folder_read (const ZinitRuntimeFolder *folder, const char *name, gsize max_bytes,
                                 gsize *ret_length, gboolean *ret_missing, GError **error);
/* By way of NAME.tmp. A folder in its place is renamed aside. */
gboolean zinit_runtime_folder_write (const ZinitRuntimeFolder *folder, const char *name,
                                     const struct iovec *parts, guint n_parts, ZinitFileRule rule,
                                     GError **error);
/* zinit_file_rename_aside(): whatever is there becomes NAME.refused. FALSE with errno. */
gboolean zinit_runtime_folder_rename_aside (const ZinitRuntimeFolder *folder, const char *name);
/* A folder is no file of ours, and stays. FALSE with errno when a file could not be removed. */
gboolean zinit_runtime_folder_remove (const ZinitRuntimeFolder *folder, const char *name);

G_END_DECLS
