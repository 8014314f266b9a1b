/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a system call is made: the return addresses on the caller's stack that are of the program itself, not
 * of a library. They are guessed, not unwound: a word that points behind a call instruction counts as one. An
 * old word that nobody has overwritten may be among them, so one place may have several numbers, but two
 * places seldom have the same.
 */
#pragma once

#include <sys/types.h>

#include "fault-control.h"

typedef struct PlaceMap PlaceMap;

/* Of the process that has just executed a program. NULL without memory. */
PlaceMap *place_map_new (pid_t pid);
void place_map_free (PlaceMap *map);
/* Fills frames and place of @call, which has its number of the call already. */
void place_find (PlaceMap *map, uint64_t sp, FaultCall *call);
