/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches of descriptors and timers for thousands of services, behind two GSources: GLib's poll(2) walks
 * every source at each turn, an epoll set does not. The urgent source (child ends, signals, timers) goes
 * before D-Bus (G_PRIORITY_DEFAULT), the bulk source (output of services) after it. Work a dispatch is
 * bounded. What the descriptors mean is the owners' matter.
 */
#pragma once

#include <glib.h>
#include <sys/epoll.h>

G_BEGIN_DECLS

typedef struct _ZinitLoop ZinitLoop;
typedef struct _ZinitWatch ZinitWatch;
typedef struct _ZinitTimer ZinitTimer;

typedef enum { ZINIT_URGENT, ZINIT_BULK } ZinitUrgency;

/* @events as from epoll_wait(2). May unwatch this or any other watch, and free its owner. */
typedef void (*ZinitWatchFunc) (ZinitWatch *watch, guint32 events);
/* The timer is disarmed when this is called, and may be armed again. */
typedef void (*ZinitTimerFunc) (ZinitTimer *timer);

/* Both are members of their owner's struct; the owner is found by ZINIT_OWNER_OF(). All zero = not in use.
 * The fields belong to the loop. */
struct _ZinitWatch {
  ZinitWatchFunc func;
  int fd;
  ZinitUrgency urgency;
  gboolean is_active;
};

struct _ZinitTimer {
  ZinitTimerFunc func;
  gint64 deadline_usec; /* CLOCK_MONOTONIC */
  guint position;       /* in the heap, from 1; 0 = not armed */
  gboolean is_yielding; /* it is in the heap of those that let D-Bus go first */
};

#define ZINIT_OWNER_OF(pointer, type, member)                                                                \
  ((type *)(void *)((char *)(pointer)-G_STRUCT_OFFSET (type, member)))

/* @context NULL is the default one. Transfer full. Fails when the kernel gives no epoll set or timerfd. */
ZinitLoop *zinit_loop_new (GMainContext *context, GError **error);
/* All watches and timers must be out of it. */
void zinit_loop_free (ZinitLoop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitLoop, zinit_loop_free)

/* Level-triggered; @events is EPOLLIN and the like. Returns FALSE with errno set (ENOSPC, ENOMEM, EPERM). */
gboolean zinit_loop_watch (ZinitLoop *loop, ZinitWatch *watch, int fd, guint32 events, ZinitUrgency urgency,
                           ZinitWatchFunc func);
/* Call before the descriptor is closed. Nothing happens when it is not active. */
void zinit_loop_unwatch (ZinitLoop *loop, ZinitWatch *watch);

/* Arms or re-arms. A deadline that is past fires at the next turn; when it is armed so by a timer, it fires
 * in turns with D-Bus, as work that is done in slices would hold up all clients otherwise. O(log n). */
void zinit_loop_arm (ZinitLoop *loop, ZinitTimer *timer, gint64 deadline_usec, ZinitTimerFunc func);
void zinit_loop_disarm (ZinitLoop *loop, ZinitTimer *timer);
gboolean zinit_timer_is_armed (const ZinitTimer *timer);

/* Counts batches of events: all that is reported under one number had happened before anything of the batch
 * was reported, so one look at the world answers for the whole batch. From 1. */
guint64 zinit_loop_get_turn (const ZinitLoop *loop);

G_END_DECLS
