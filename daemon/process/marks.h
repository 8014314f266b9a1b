/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose is a process? What a service's first process is given in its environment, everything that it starts
 * has as well. With the number of its group that tells what is left of a service when nothing else does.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

/* The service whose process @pid is by its marks, if they are of @instance (the run-time folder); NULL = of
 * none. A process of another pid namespace is a container's, whose daemon may have the same folder by name,
 * and is nobody's here. Transfer full. */
char *zinit_marks_read_service (pid_t pid, const char *instance);
/* @pid was given all of @marks ("KEY=value", NULL-terminated), and is of this pid namespace. */
gboolean zinit_marks_are_on (pid_t pid, const char *const *marks);

/* @pidfd is the process that has been asked about; borrowed. Returns whether it counts. */
typedef gboolean (*ZinitMemberFunc) (pid_t pid, int pidfd, gpointer data);

/* Walks /proc and calls @func for all that live in the process group @group and have @marks. Returns how many
 * counted. */
guint zinit_marks_walk (pid_t group, const char *const *marks, ZinitMemberFunc func, gpointer data);

G_END_DECLS
