/* SPDX-License-Identifier: Apache-2.0
 *
 * Process tags: variables in the environment of a service's main process by which it can be recognized.
 * Everything that it starts inherits them, so one of them holds the main process's pid, which tells it from
 * the others.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

#define ZINIT_TAG_INSTANCE "ZINIT_INSTANCE"
#define ZINIT_TAG_SERVICE "ZINIT_SERVICE"
#define ZINIT_TAG_RUN "ZINIT_RUN"
#define ZINIT_TAG_PID "ZINIT_PID"
#define ZINIT_TAG_FOLDER "ZINIT_FOLDER"

typedef struct {
  char *service;
  guint64 run; /* 0 = not said */
  pid_t main;  /* of the main process of that run; 0 = not said */
} ZinitTags;

/* ZINIT_INSTANCE of processes of @uid: @instance itself for this user's; for another user's one that is
 * derived from it, so that other users do not learn the life's own. Transfer full. */
char *zinit_tags_instance_for (const char *instance, uid_t uid);

void zinit_tags_clear (ZinitTags *tags);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitTags, zinit_tags_clear)

/* The tags of @pid, if they are of the life @instance. A process of another pid namespace belongs to a
 * container and counts as having none. FALSE with errno: 0 when it has none; else they cannot be read now
 * (EMFILE, ENOMEM, …). */
gboolean zinit_tags_read (pid_t pid, const char *instance, ZinitTags *ret_tags);
/* What the tags of @pid say of its service and run, whatever life they are of: zinit_tags_are_on() tells
 * whether they are right. FALSE with errno as zinit_tags_read(). */
gboolean zinit_tags_read_run (pid_t pid, ZinitTags *ret_tags);
/* The life that the main process @pid was started in, if it was started by this user's daemon from the
 * run-time folder @folder (its real path). Less certain than the rest, as only the life's instance is a
 * secret: for a folder whose files are lost. NULL with errno: 0 when there is none; else it cannot be read
 * now. Transfer full. */
char *zinit_tags_read_instance (pid_t pid, const char *folder);
/* @pid was given all of @tags ("KEY=value", NULL-terminated), and is of this pid namespace. */
gboolean zinit_tags_are_on (pid_t pid, const char *const *tags);

/* @pidfd is the process that has been asked about; borrowed. Returns whether it counts. */
typedef gboolean (*ZinitTaggedFunc) (pid_t pid, int pidfd, gpointer data);

/* Walks /proc and calls @func for all that live in the process group @group and have @tags; @ret_count (or
 * NULL) is how many counted. FALSE with errno when not all of /proc can be read. */
gboolean zinit_tags_walk_group (pid_t group, const char *const *tags, ZinitTaggedFunc func, gpointer data,
                                guint *ret_count);

G_END_DECLS
