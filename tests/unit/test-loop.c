/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches and timers of the loop, on pipes that this test fills itself. Time passes only as far as timers
 * that are due at once need it.
 */
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  GMainContext *context;
  ZinitLoop *loop;
  GString *trace; /* what was called, a letter each */
} Fixture;

typedef struct {
  ZinitWatch watch;
  ZinitTimer timer;
  Fixture *fixture;
  int fds[2];
  char letter;
  gpointer victim; /* an Item to take out of the loop when called */
  gboolean repeats;
} Item;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  fixture->context = g_main_context_new ();
  fixture->loop = zinit_loop_new (fixture->context, &error);
  g_assert_no_error (error);
  fixture->trace = g_string_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  zinit_loop_free (fixture->loop);
  g_main_context_unref (fixture->context);
  g_string_free (fixture->trace, TRUE);
}

static void
item_init (Item *item, Fixture *fixture, char letter)
{
  *item = (Item){ .fixture = fixture, .letter = letter };
  g_assert_cmpint (pipe2 (item->fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
}

static void
item_clear (Item *item)
{
  zinit_loop_unwatch (item->fixture->loop, &item->watch);
  zinit_loop_disarm (item->fixture->loop, &item->timer);
  close (item->fds[0]);
  close (item->fds[1]);
}

static void
take_out_victim (Item *item)
{
  Item *victim = item->victim;

  if (victim == NULL)
    return;
  zinit_loop_unwatch (item->fixture->loop, &victim->watch);
  zinit_loop_disarm (item->fixture->loop, &victim->timer);
}

static void
on_readable (ZinitWatch *watch, guint32 events)
{
  Item *item = ZINIT_OWNER_OF (watch, Item, watch);
  char byte;

  g_assert_cmpuint (events & EPOLLIN, !=, 0);
  g_string_append_c (item->fixture->trace, item->letter);
  g_assert_cmpint (read (item->fds[0], &byte, 1), ==, 1);
  take_out_victim (item);
}

static void
on_timer (ZinitTimer *timer)
{
  Item *item = ZINIT_OWNER_OF (timer, Item, timer);

  g_assert_false (zinit_timer_is_armed (timer));
  g_string_append_c (item->fixture->trace, item->letter);
  if (item->repeats)
    zinit_loop_arm (item->fixture->loop, timer, 0, on_timer);
  take_out_victim (item);
}

static void
watch (Item *item, ZinitUrgency urgency)
{
  g_assert_true (
      zinit_loop_watch (item->fixture->loop, &item->watch, item->fds[0], EPOLLIN, urgency, on_readable));
}

static void
fill (Item *item)
{
  g_assert_cmpint (write (item->fds[1], "x", 1), ==, 1);
}

static void
run_dry (Fixture *fixture)
{
  while (g_main_context_iteration (fixture->context, FALSE))
    continue;
}

static void
test_watch (Fixture *fixture, gconstpointer unused)
{
  Item item;

  item_init (&item, fixture, 'a');
  watch (&item, ZINIT_URGENT);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "");
  fill (&item);
  fill (&item);
  run_dry (fixture); /* level-triggered: once for each byte, as one is read a call */
  g_assert_cmpstr (fixture->trace->str, ==, "aa");
  zinit_loop_unwatch (fixture->loop, &item.watch);
  g_assert_false (item.watch.is_active);
  fill (&item);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "aa");
  watch (&item, ZINIT_BULK);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "aaa");
  item_clear (&item);
}

static void
test_refused (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = NULL;
  ZinitWatch file_watch = { 0 };
  int fd = g_file_open_tmp (NULL, &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_false (zinit_loop_watch (fixture->loop, &file_watch, fd, EPOLLIN, ZINIT_BULK, on_readable));
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_false (file_watch.is_active);
  zinit_loop_unwatch (fixture->loop, &file_watch); /* nothing happens */
  close (fd);
  unlink (path);
}

static gboolean
on_default_source (gpointer data)
{
  Fixture *fixture = data;

  g_string_append_c (fixture->trace, 'd');
  return G_SOURCE_REMOVE;
}

static void
test_order (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GSource) source = g_timeout_source_new (0);
  Item bulk, urgent;

  item_init (&bulk, fixture, 'b');
  item_init (&urgent, fixture, 'u');
  watch (&bulk, ZINIT_BULK);
  watch (&urgent, ZINIT_URGENT);
  g_source_set_callback (source, on_default_source, fixture, NULL);
  g_source_attach (source, fixture->context);
  fill (&bulk);
  fill (&urgent);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "udb");
  item_clear (&bulk);
  item_clear (&urgent);
}

/* All three are in one batch; whichever is first takes out the other two, which must not be called. */
static void
test_unwatch_in_batch (Fixture *fixture, gconstpointer unused)
{
  Item items[2];

  for (guint i = 0; i < 2; i++) {
    item_init (&items[i], fixture, (char)('a' + i));
    items[i].victim = &items[1 - i];
    watch (&items[i], ZINIT_URGENT);
    fill (&items[i]);
  }
  run_dry (fixture);
  g_assert_cmpuint (fixture->trace->len, ==, 1);
  for (guint i = 0; i < 2; i++)
    item_clear (&items[i]);
}

static void
test_unwatch_itself (Fixture *fixture, gconstpointer unused)
{
  Item item;

  item_init (&item, fixture, 'a');
  item.victim = &item;
  watch (&item, ZINIT_BULK);
  fill (&item);
  fill (&item);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "a");
  item_clear (&item);
}

/* More is ready than a dispatch may handle: what is more urgent gets its turn in between. */
static void
test_bounded (Fixture *fixture, gconstpointer unused)
{
  enum { N = 200 };
  g_autofree Item *items = g_new (Item, N);
  guint turns = 0;

  for (guint i = 0; i < N; i++) {
    item_init (&items[i], fixture, 'a');
    watch (&items[i], i % 2 == 0 ? ZINIT_URGENT : ZINIT_BULK);
    fill (&items[i]);
  }
  while (fixture->trace->len < N) {
    gsize before = fixture->trace->len;

    g_assert_true (g_main_context_iteration (fixture->context, FALSE));
    g_assert_cmpuint (fixture->trace->len - before, <=, 64);
    turns++;
  }
  g_assert_cmpuint (turns, >=, 4);
  for (guint i = 0; i < N; i++)
    item_clear (&items[i]);
}

static void
test_timer_order (Fixture *fixture, gconstpointer unused)
{
  static const int order[] = { 4, 1, 7, 0, 9, 3, 8, 2, 6, 5 };
  gint64 now_usec = g_get_monotonic_time ();
  Item items[G_N_ELEMENTS (order)];

  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    item_init (&items[i], fixture, (char)('0' + order[i]));
    zinit_loop_arm (fixture->loop, &items[i].timer, now_usec - 1000 + order[i], on_timer);
    g_assert_true (zinit_timer_is_armed (&items[i].timer));
  }
  zinit_loop_disarm (fixture->loop, &items[3].timer);                         /* 0, the earliest */
  zinit_loop_disarm (fixture->loop, &items[2].timer);                         /* 7 */
  zinit_loop_disarm (fixture->loop, &items[2].timer);                         /* again is nothing */
  zinit_loop_arm (fixture->loop, &items[4].timer, now_usec - 2000, on_timer); /* 9 becomes the first */
  while (fixture->trace->len < 8)
    g_main_context_iteration (fixture->context, TRUE);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "91234568");
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    item_clear (&items[i]);
}

/* Random arming and disarming against a simple list. */
static void
test_heap (Fixture *fixture, gconstpointer unused)
{
  enum { N = 300 };
  g_autofree ZinitTimer *timers = g_new0 (ZinitTimer, N);
  gint64 far_usec = g_get_monotonic_time () + G_GINT64_CONSTANT (3600000000);

  for (guint step = 0; step < 5000; step++) {
    ZinitTimer *timer = &timers[g_test_rand_int_range (0, N)];

    if (g_test_rand_bit ())
      zinit_loop_arm (fixture->loop, timer, far_usec + g_test_rand_int_range (0, 1000), on_timer);
    else
      zinit_loop_disarm (fixture->loop, timer);
  }
  for (guint i = 0; i < N; i++) {
    guint parent = timers[i].position / 2;

    for (guint j = 0; j < N; j++) {
      if (i != j && timers[i].position != 0)
        g_assert_cmpuint (timers[i].position, !=, timers[j].position);
      if (parent != 0 && timers[j].position == parent)
        g_assert_cmpint (timers[j].deadline_usec, <=, timers[i].deadline_usec);
    }
  }
  run_dry (fixture);
  for (guint i = 0; i < N; i++)
    zinit_loop_disarm (fixture->loop, &timers[i]);
}

/* One that is due again at once waits for the next turn. */
static void
test_timer_repeats (Fixture *fixture, gconstpointer unused)
{
  Item item;

  item_init (&item, fixture, 't');
  item.repeats = TRUE;
  zinit_loop_arm (fixture->loop, &item.timer, 0, on_timer);
  for (guint turn = 1; turn <= 3; turn++) {
    while (fixture->trace->len < turn)
      g_main_context_iteration (fixture->context, TRUE);
    g_assert_cmpuint (fixture->trace->len, ==, turn);
  }
  item_clear (&item);
}

static gboolean
on_idle (gpointer data)
{
  g_string_append_c (data, 'd');
  return G_SOURCE_CONTINUE;
}

/* Work in slices goes in turns with D-Bus, which is of the default priority. */
static void
test_timer_yields (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GSource) idle = g_idle_source_new ();
  Item item;

  g_source_set_priority (idle, G_PRIORITY_DEFAULT);
  g_source_set_callback (idle, on_idle, fixture->trace, NULL);
  g_source_attach (idle, fixture->context);
  item_init (&item, fixture, 't');
  item.repeats = TRUE;
  zinit_loop_arm (fixture->loop, &item.timer, 0, on_timer);
  while (fixture->trace->len < 20)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_true (g_str_has_prefix (fixture->trace->str, "t"));
  g_assert_null (strstr (fixture->trace->str, "ttt"));
  g_assert_null (strstr (fixture->trace->str, "ddd"));
  g_source_destroy (idle);
  item_clear (&item);
}

/* Both are due in the same turn; the first takes out the second. */
static void
test_timer_disarms_another (Fixture *fixture, gconstpointer unused)
{
  Item first, second;

  item_init (&first, fixture, 'a');
  item_init (&second, fixture, 'b');
  first.victim = &second;
  zinit_loop_arm (fixture->loop, &first.timer, 1, on_timer);
  zinit_loop_arm (fixture->loop, &second.timer, 2, on_timer);
  while (fixture->trace->len == 0)
    g_main_context_iteration (fixture->context, TRUE);
  run_dry (fixture);
  g_assert_cmpstr (fixture->trace->str, ==, "a");
  item_clear (&first);
  item_clear (&second);
}

/* Never early, and finer than the milliseconds of poll(2): many short waits in a row take less than one
 * millisecond each. */
static void
test_timer_precision (Fixture *fixture, gconstpointer unused)
{
  gint64 best_usec = G_MAXINT64;
  Item item;

  item_init (&item, fixture, 't');
  for (guint n = 1; n <= 20; n++) {
    gint64 deadline_usec = g_get_monotonic_time () + 300;

    zinit_loop_arm (fixture->loop, &item.timer, deadline_usec, on_timer);
    while (fixture->trace->len < n)
      g_main_context_iteration (fixture->context, TRUE);
    g_assert_cmpint (g_get_monotonic_time (), >=, deadline_usec);
    best_usec = MIN (best_usec, g_get_monotonic_time () - deadline_usec);
  }
  g_assert_cmpint (best_usec, <, 600);
  item_clear (&item);
}

/* A timer that was taken back wakes nobody: only the later one is heard of, in its time. */
static void
test_timer_moved_later (Fixture *fixture, gconstpointer unused)
{
  gint64 deadline_usec = g_get_monotonic_time () + 3000;
  Item item;

  item_init (&item, fixture, 't');
  zinit_loop_arm (fixture->loop, &item.timer, deadline_usec - 2500, on_timer);
  g_main_context_iteration (fixture->context, FALSE);
  zinit_loop_arm (fixture->loop, &item.timer, deadline_usec, on_timer);
  while (fixture->trace->len == 0)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline_usec);
  item_clear (&item);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) g_test_add ("/loop/" path, Fixture, NULL, set_up, function, tear_down)
  ADD ("watch", test_watch);
  ADD ("refused", test_refused);
  ADD ("order", test_order);
  ADD ("unwatch-in-batch", test_unwatch_in_batch);
  ADD ("unwatch-itself", test_unwatch_itself);
  ADD ("bounded", test_bounded);
  ADD ("timer-order", test_timer_order);
  ADD ("heap", test_heap);
  ADD ("timer-repeats", test_timer_repeats);
  ADD ("timer-yields", test_timer_yields);
  ADD ("timer-disarms-another", test_timer_disarms_another);
  ADD ("timer-precision", test_timer_precision);
  ADD ("timer-moved-later", test_timer_moved_later);
#undef ADD
  return g_test_run ();
}
