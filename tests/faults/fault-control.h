/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool and the test that runs it tell each other: one block in a file that both have mapped. The
 * test writes the step of its script; the tool counts calls and says what it has hit. It outlives each of
 * them, so that the numbers go on from one daemon of a life to the next.
 */
#pragma once

#include <stdint.h>

enum { FAULT_MAX_FRAMES = 4, FAULT_SEEN_SLOTS = 1 << 15 };

/* One system call and where it was made. */
typedef struct {
  uint64_t number;  /* from 1, in the order in which the tool saw the calls */
  uint32_t step;    /* of the script */
  uint64_t in_step; /* its number among those of the step, from 1 */
  int32_t call;
  int32_t tid;
  uint32_t is_main; /* by the first thread */
  uint64_t place;   /* equal numbers: the same call by the same callers */
  uint64_t
      frames[FAULT_MAX_FRAMES]; /* return addresses in the program's file, the innermost first; 0 = none */
} FaultCall;

typedef struct {
  volatile uint32_t step; /* the test's */
  volatile uint32_t
      noted_step;           /* the tool's, once calls of that step are seen; it looks when it gets SIGUSR1 */
  volatile int32_t tracer;  /* its process; 0 = none runs */
  volatile uint32_t stop;   /* the test's: nothing more is attacked */
  volatile uint32_t n_hits; /* 0 = nothing was hit so far */
  uint64_t n_calls;
  uint32_t counted_step; /* the tool's */
  uint64_t n_step_calls; /* of that step */
  FaultCall hit;         /* the first one */
  /* Keys of places that were hit already, as a hash table; 0 = free. */
  uint32_t n_seen;
  uint64_t seen[FAULT_SEEN_SLOTS];
} FaultControl;
