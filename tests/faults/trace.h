/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows the threads of one process by ptrace, counts their system calls, and attacks the process at the
 * call that is chosen. Children are never traced: only clone(2) without CLONE_VFORK and with another exit
 * signal than SIGCHLD, which is a thread, is followed.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "fault-control.h"

typedef enum { TRACE_COUNT, TRACE_KILL_BEFORE, TRACE_KILL_AFTER, TRACE_FAIL } TraceAction;

typedef struct {
  TraceAction action;
  int error;       /* for TRACE_FAIL: errno */
  unsigned length; /* for TRACE_FAIL: how many calls fail; from the second on only such as may fail so */
  bool same;       /* of these only calls of the first one's kind */
  uint64_t at;     /* the number of the call; 0 = not by number */
  uint64_t nth;    /* the same within its step */
  uint64_t place;  /* 0 = not by place */
  bool unseen;     /* the first one whose place is not among those seen */
  bool by_call;    /* with unseen: the call alone is its place */
  long call;       /* -1 = any */
  int64_t step;    /* -1 = any */
  FILE *list;      /* a line for each call; NULL = none */
} TraceOptions;

/* Runs until nothing of @pid is left. A byte is written to @ready_fd when @pid may execute its program; calls
 * count from that program on. False when it cannot be traced. */
bool trace_run (pid_t pid, const TraceOptions *options, FaultControl *control, int ready_fd);
