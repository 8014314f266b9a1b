/* SPDX-License-Identifier: Apache-2.0
 *
 * Leftover processes: those that an earlier daemon of this life started and that live, found by the tags in
 * their environment, whatever became of the state file. And their output pipes, found through /proc.
 */
#pragma once

#include "process/process.h"

G_BEGIN_DECLS

typedef struct {
  pid_t pid;
  pid_t group;      /* process group */
  char *service;    /* as its tags say, like the next two */
  guint64 run;      /* 0 = not said */
  pid_t main;       /* the main process of that run: itself, or the one that started it */
  gboolean has_uid; /* its user ids are all the same, and known: */
  uid_t uid;
  guint64 start_ticks; /* clock ticks since the boot; G_MAXUINT64 = not known */
} ZinitLeftover;

/* Walks /proc. @instance is the life's. Returns ZinitLeftover, the older ones first: main processes, and of
 * the other processes those that lead a session or have no session leader any more. NULL with @error when
 * not all of /proc can be read: then nothing is known. Transfer full. */
GPtrArray *zinit_leftovers_find (const char *instance, GError **error);
/* The instance of the youngest main process that this user's daemon has started from the run-time folder
 * @folder; NULL = there is none. Walks /proc. FALSE with errno when not all of /proc can be read. Transfer
 * full. */
gboolean zinit_leftovers_find_instance (const char *folder, char **ret_instance);
/* A pidfd of it, if it is still the one that was found; else -1. Transfer full. */
int zinit_leftover_open (const ZinitLeftover *leftover, const char *instance);

/* Opens the daemon's ends of the pipes that @pid has as standard output and error, without waiting; -1 where
 * there is no pipe, not the one of @inodes (0 = any), or it may not be opened. One pipe for both is given as
 * standard output. */
void zinit_leftover_open_outputs (pid_t pid, const guint64 inodes[ZINIT_N_STREAMS],
                                  int outputs[ZINIT_N_STREAMS]);
/* Those of @inodes that are still missing in @outputs, from whichever process of the group @group with @tags
 * has one of them: the main process may have put something else in the place of its own. Walks /proc if one
 * is missing. */
void zinit_leftovers_find_outputs (const char *const *tags, pid_t group,
                                   const guint64 inodes[ZINIT_N_STREAMS], int outputs[ZINIT_N_STREAMS]);

G_END_DECLS
