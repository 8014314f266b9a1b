/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that an earlier daemon of the same run-time folder started and that live: found by the mark in
 * their environment, whatever became of the state file. And their pipes, found through /proc.
 */
#pragma once

#include "process/process.h"

G_BEGIN_DECLS

typedef struct {
  pid_t pid;           /* leads its session, as every service's first process does */
  pid_t member;        /* the same, or somebody of its group whom it has left behind: then it is dead */
  char *service;       /* as its mark says */
  guint64 start_ticks; /* of member, clock ticks since the boot */
} ZinitSurvivor;

/* Walks /proc. @instance is the run-time folder. Returns ZinitSurvivor, those that live before those that are
 * dead, and the older ones first: what a service has put into a session of its own comes after itself.
 * Transfer full. */
GPtrArray *zinit_survivors_find (const char *instance);
/* A pidfd of its first process, if that is still the one that was found; else -1. Transfer full. */
int zinit_survivor_open (const ZinitSurvivor *survivor, const char *instance);

/* Somebody who lives in the process group @group and has the marks of @service of @instance; 0 = nobody.
 * Walks /proc, unless there is no such group at all. */
pid_t zinit_survivors_find_member (const char *instance, const char *service, pid_t group);

/* Opens the daemon's ends of the pipes that @pid has as standard output and error, without waiting; -1 where
 * there is no pipe, not the one of @inodes (0 = any), or it may not be opened. One pipe for both is given as
 * standard output. */
void zinit_survivor_open_outputs (pid_t pid, const guint64 inodes[ZINIT_N_STREAMS],
                                  int outputs[ZINIT_N_STREAMS]);
/* Those of @inodes that are still missing in @outputs, from whoever of the process group has one of them: the
 * first process may have put something else in the place of its own. Walks /proc if one is missing. */
void zinit_survivors_find_outputs (const char *instance, const char *service, pid_t group,
                                   const guint64 inodes[ZINIT_N_STREAMS], int outputs[ZINIT_N_STREAMS]);

G_END_DECLS
