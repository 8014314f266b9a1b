/* SPDX-License-Identifier: Apache-2.0
 *
 * The timers of a loop, earliest first: a binary heap of borrowed ZinitTimers that know their own place in
 * it. When they fire is the loop's matter.
 */
#pragma once

#include "loop/loop.h"

G_BEGIN_DECLS

/* @heap is an array of ZinitTimer *, from index 0; a timer's position is its index + 1. */
void zinit_heap_insert (GPtrArray *heap, ZinitTimer *timer);
/* @timer must be in @heap. Its position is 0 afterwards. */
void zinit_heap_remove (GPtrArray *heap, ZinitTimer *timer);
/* NULL when there is none. */
ZinitTimer *zinit_heap_earliest (const GPtrArray *heap);

G_END_DECLS
