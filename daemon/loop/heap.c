/* SPDX-License-Identifier: Apache-2.0
 *
 * A binary heap of timers. Every move of a timer writes its new position into it, so that taking one out of
 * the middle needs no search.
 */
#define G_LOG_DOMAIN "zinit-loop"

#include "loop/heap.h"

static ZinitTimer *
at (const GPtrArray *heap, guint position)
{
  return g_ptr_array_index (heap, position - 1);
}

static void
put (GPtrArray *heap, guint position, ZinitTimer *timer)
{
  g_ptr_array_index (heap, position - 1) = timer;
  timer->position = position;
}

static void
sift_up (GPtrArray *heap, guint position, ZinitTimer *timer)
{
  while (position > 1 && at (heap, position / 2)->deadline_usec > timer->deadline_usec) {
    put (heap, position, at (heap, position / 2));
    position /= 2;
  }
  put (heap, position, timer);
}

static void
sift_down (GPtrArray *heap, guint position, ZinitTimer *timer)
{
  for (guint child = position * 2; child <= heap->len; child = position * 2) {
    if (child < heap->len && at (heap, child + 1)->deadline_usec < at (heap, child)->deadline_usec)
      child++;
    if (at (heap, child)->deadline_usec >= timer->deadline_usec)
      break;
    put (heap, position, at (heap, child));
    position = child;
  }
  put (heap, position, timer);
}

void
zinit_heap_insert (GPtrArray *heap, ZinitTimer *timer)
{
  g_ptr_array_add (heap, timer);
  sift_up (heap, heap->len, timer);
}

void
zinit_heap_remove (GPtrArray *heap, ZinitTimer *timer)
{
  guint hole = timer->position;
  ZinitTimer *last;

  g_assert (hole >= 1 && hole <= heap->len && at (heap, hole) == timer);
  timer->position = 0;
  last = at (heap, heap->len);
  g_ptr_array_set_size (heap, (gint)heap->len - 1);
  if (last == timer)
    return;
  if (hole > 1 && at (heap, hole / 2)->deadline_usec > last->deadline_usec)
    sift_up (heap, hole, last);
  else
    sift_down (heap, hole, last);
}

ZinitTimer *
zinit_heap_earliest (const GPtrArray *heap)
{
  return heap->len == 0 ? NULL : at (heap, 1);
}
