/* SPDX-License-Identifier: Apache-2.0
 *
 * Two epoll sets as GSources and one timerfd in the urgent set. Owns the sets, the timerfd and the heap of
 * armed timers; the watched descriptors belong to whoever watches them.
 */
#define G_LOG_DOMAIN "zinit-loop"

#include "loop/loop.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop/heap.h"
#include "model/error.h"

/* What one dispatch does at most, before sources of a higher priority are looked at again. An urgent event is
 * a few microseconds of work, a bulk event may be 64 KiB of output. */
#define MAX_URGENT_EVENTS 64
#define MAX_BULK_EVENTS 16
#define MAX_TIMERS 64

#define USEC_PER_SEC G_GINT64_CONSTANT (1000000)

/* One epoll set. The batch is a member, so that an unwatch can strike out what has been fetched already. */
typedef struct {
  GSource source;
  ZinitLoop *loop;
  gpointer poll_tag;
  int epoll_fd;
  int max_events;
  int n_events;
  int next_event;
  struct epoll_event events[MAX_URGENT_EVENTS];
} EpollSource;

struct _ZinitLoop {
  EpollSource *sources[2]; /* by ZinitUrgency */
  GPtrArray *heap;
  GPtrArray *yielding;   /* the heap of timers that are due, but let D-Bus go first */
  GSource *yield_source; /* while there are any: of D-Bus's priority, and behind what waits already */
  GMainContext *context; /* NULL = the default one */
  int timer_fd;
  ZinitWatch timer_watch;
  gint64 set_usec;    /* what the timerfd is set to; 0 = off, -1 = it has expired */
  gint64 firing_usec; /* timers up to this time are being called; 0 = none are */
  guint64 turn;
};

static void
set_timer_fd (ZinitLoop *loop)
{
  const ZinitTimer *earliest = zinit_heap_earliest (loop->heap);
  gint64 wanted_usec = earliest == NULL ? 0 : MAX (earliest->deadline_usec, 1);
  struct itimerspec spec = { 0 };

  if (wanted_usec == loop->set_usec)
    return;
  spec.it_value.tv_sec = wanted_usec / USEC_PER_SEC;
  spec.it_value.tv_nsec = wanted_usec % USEC_PER_SEC * 1000;
  if (timerfd_settime (loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
    g_critical ("timerfd_settime to %" G_GINT64_FORMAT " µs: %s", wanted_usec, g_strerror (errno));
  loop->set_usec = wanted_usec;
}

/* The expired timerfd is not read: set_timer_fd() makes it unreadable before the next poll. */
static void
fire_timers (ZinitWatch *watch, guint32 events)
{
  ZinitLoop *loop = ZINIT_OWNER_OF (watch, ZinitLoop, timer_watch);
  ZinitTimer *timer;

  loop->set_usec = -1;
  loop->firing_usec = g_get_monotonic_time ();
  for (guint n = 0; n < MAX_TIMERS; n++) {
    timer = zinit_heap_earliest (loop->heap);
    if (timer == NULL || timer->deadline_usec > loop->firing_usec)
      break;
    zinit_heap_remove (loop->heap, timer);
    timer->func (timer);
  }
  loop->firing_usec = 0;
}

static gboolean fire_yielding (gpointer data);

static void
attach_yield_source (ZinitLoop *loop)
{
  loop->yield_source = g_idle_source_new ();
  g_source_set_static_name (loop->yield_source, "zinit-yield");
  g_source_set_priority (loop->yield_source, G_PRIORITY_DEFAULT);
  g_source_set_callback (loop->yield_source, fire_yielding, loop, NULL);
  g_source_attach (loop->yield_source, loop->context);
}

static void
drop_yield_source (ZinitLoop *loop)
{
  if (loop->yield_source != NULL)
    g_source_destroy (loop->yield_source);
  g_clear_pointer (&loop->yield_source, g_source_unref);
}

/* Those that are there now; one that yields again has a turn of its own. */
static gboolean
fire_yielding (gpointer data)
{
  ZinitLoop *loop = data;
  guint n_timers = MIN (loop->yielding->len, MAX_TIMERS);

  drop_yield_source (loop);
  loop->firing_usec = g_get_monotonic_time ();
  for (guint n = 0; n < n_timers && loop->yielding->len > 0; n++) {
    ZinitTimer *timer = zinit_heap_earliest (loop->yielding);

    if (timer->deadline_usec > loop->firing_usec)
      break;
    zinit_heap_remove (loop->yielding, timer);
    timer->func (timer);
  }
  loop->firing_usec = 0;
  if (loop->yielding->len > 0 && loop->yield_source == NULL)
    attach_yield_source (loop);
  return G_SOURCE_REMOVE;
}

/* Prepared once a turn, before any poll, and ahead of every other source: the one place where changes of
 * timers reach the kernel. */
static gboolean
urgent_prepare (GSource *source, gint *timeout_ms)
{
  set_timer_fd (((EpollSource *)(void *)source)->loop);
  *timeout_ms = -1;
  return FALSE;
}

static gboolean
epoll_check (GSource *source)
{
  EpollSource *self = (EpollSource *)(void *)source;

  return g_source_query_unix_fd (source, self->poll_tag) != 0;
}

static gboolean
epoll_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  EpollSource *self = (EpollSource *)(void *)source;

  self->n_events = epoll_wait (self->epoll_fd, self->events, self->max_events, 0);
  self->loop->turn++;
  for (self->next_event = 0; self->next_event < self->n_events;) {
    const struct epoll_event *event = &self->events[self->next_event++];
    ZinitWatch *watch = event->data.ptr;

    if (watch != NULL)
      watch->func (watch, event->events);
  }
  self->n_events = self->next_event = 0;
  return G_SOURCE_CONTINUE;
}

static void
epoll_finalize (GSource *source)
{
  close (((EpollSource *)(void *)source)->epoll_fd);
}

static GSourceFuncs urgent_funcs = {
  .prepare = urgent_prepare, .check = epoll_check, .dispatch = epoll_dispatch, .finalize = epoll_finalize
};
static GSourceFuncs bulk_funcs = { .check = epoll_check,
                                   .dispatch = epoll_dispatch,
                                   .finalize = epoll_finalize };

static EpollSource *
epoll_source_new (ZinitLoop *loop, ZinitUrgency urgency, int epoll_fd)
{
  gboolean is_urgent = urgency == ZINIT_URGENT;
  GSource *source = g_source_new (is_urgent ? &urgent_funcs : &bulk_funcs, sizeof (EpollSource));
  EpollSource *self = (EpollSource *)(void *)source;

  self->loop = loop;
  self->epoll_fd = epoll_fd;
  self->max_events = is_urgent ? MAX_URGENT_EVENTS : MAX_BULK_EVENTS;
  self->poll_tag = g_source_add_unix_fd (source, epoll_fd, G_IO_IN);
  g_source_set_static_name (source, is_urgent ? "zinit-urgent" : "zinit-bulk");
  g_source_set_priority (source, is_urgent ? G_PRIORITY_HIGH : G_PRIORITY_HIGH_IDLE);
  return self;
}

ZinitLoop *
zinit_loop_new (GMainContext *context, GError **error)
{
  int epoll_fds[2] = { epoll_create1 (EPOLL_CLOEXEC), epoll_create1 (EPOLL_CLOEXEC) };
  int timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  ZinitLoop *loop;

  if (epoll_fds[0] < 0 || epoll_fds[1] < 0 || timer_fd < 0) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "cannot make the main loop's epoll sets: %s",
                 g_strerror (errno));
    for (guint i = 0; i < G_N_ELEMENTS (epoll_fds); i++)
      if (epoll_fds[i] >= 0)
        close (epoll_fds[i]);
    if (timer_fd >= 0)
      close (timer_fd);
    return NULL;
  }
  loop = g_new0 (ZinitLoop, 1);
  loop->heap = g_ptr_array_new ();
  loop->yielding = g_ptr_array_new ();
  loop->context = context;
  loop->turn = 1;
  loop->timer_fd = timer_fd;
  for (ZinitUrgency urgency = ZINIT_URGENT; urgency <= ZINIT_BULK; urgency++) {
    loop->sources[urgency] = epoll_source_new (loop, urgency, epoll_fds[urgency]);
    g_source_attach (&loop->sources[urgency]->source, context);
  }
  if (!zinit_loop_watch (loop, &loop->timer_watch, timer_fd, EPOLLIN, ZINIT_URGENT, fire_timers)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "cannot watch the main loop's timer: %s",
                 g_strerror (errno));
    g_clear_pointer (&loop, zinit_loop_free);
  }
  return loop;
}

void
zinit_loop_free (ZinitLoop *loop)
{
  zinit_loop_unwatch (loop, &loop->timer_watch);
  g_warn_if_fail (loop->heap->len == 0 && loop->yielding->len == 0);
  drop_yield_source (loop);
  for (ZinitUrgency urgency = ZINIT_URGENT; urgency <= ZINIT_BULK; urgency++) {
    g_source_destroy (&loop->sources[urgency]->source);
    g_source_unref (&loop->sources[urgency]->source);
  }
  close (loop->timer_fd);
  g_ptr_array_unref (loop->heap);
  g_ptr_array_unref (loop->yielding);
  g_free (loop);
}

gboolean
zinit_loop_watch (ZinitLoop *loop, ZinitWatch *watch, int fd, guint32 events, ZinitUrgency urgency,
                  ZinitWatchFunc func)
{
  struct epoll_event event = { .events = events, .data.ptr = watch };

  g_return_val_if_fail (!watch->is_active, FALSE);
  if (epoll_ctl (loop->sources[urgency]->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
    return FALSE;
  watch->func = func;
  watch->fd = fd;
  watch->urgency = urgency;
  watch->is_active = TRUE;
  return TRUE;
}

void
zinit_loop_unwatch (ZinitLoop *loop, ZinitWatch *watch)
{
  EpollSource *source;

  if (!watch->is_active)
    return;
  watch->is_active = FALSE;
  source = loop->sources[watch->urgency];
  if (epoll_ctl (source->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL) != 0)
    g_warning ("descriptor %d was closed before it was unwatched: %s", watch->fd, g_strerror (errno));
  for (int i = source->next_event; i < source->n_events; i++)
    if (source->events[i].data.ptr == watch)
      source->events[i].data.ptr = NULL;
}

void
zinit_loop_arm (ZinitLoop *loop, ZinitTimer *timer, gint64 deadline_usec, ZinitTimerFunc func)
{
  zinit_loop_disarm (loop, timer);
  timer->func = func;
  timer->is_yielding = loop->firing_usec != 0 && deadline_usec <= g_get_monotonic_time ();
  /* One that is past already must wait for the next turn, or a timer that arms itself again and again would
   * never let go; and in the heap of the others it would be ready before all of lower priority, for ever. */
  timer->deadline_usec = timer->is_yielding ? MAX (deadline_usec, loop->firing_usec + 1) : deadline_usec;
  zinit_heap_insert (timer->is_yielding ? loop->yielding : loop->heap, timer);
  if (timer->is_yielding && loop->yield_source == NULL)
    attach_yield_source (loop);
}

void
zinit_loop_disarm (ZinitLoop *loop, ZinitTimer *timer)
{
  if (zinit_timer_is_armed (timer))
    zinit_heap_remove (timer->is_yielding ? loop->yielding : loop->heap, timer);
}

guint64
zinit_loop_get_turn (const ZinitLoop *loop)
{
  return loop->turn;
}

gboolean
zinit_timer_is_armed (const ZinitTimer *timer)
{
  return timer->position != 0;
}
