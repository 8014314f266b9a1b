/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of histories that the test of acknowledged requests relies on: what may be, and what may not.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "../integration/history.h"

static void
add (GPtrArray *calls, HistoryKind kind, gint64 called_usec, gint64 replied_usec, const char *result)
{
  HistoryCall *call = g_new0 (HistoryCall, 1);

  *call = (HistoryCall){ kind, g_strdup ("s"), g_strdup (result), called_usec, replied_usec };
  g_ptr_array_add (calls, call);
}

static gboolean
explains (GPtrArray *calls, HistoryState before, HistoryState after)
{
  g_autofree char *story = NULL;
  gboolean is_explained = history_explains (calls, "s", before, after, &story);

  g_assert_true (is_explained == (story == NULL));
  return is_explained;
}

static GPtrArray *
calls_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)history_call_free);
}

/* What was acknowledged is there. */
static void
test_acknowledged (void)
{
  g_autoptr (GPtrArray) calls = calls_new ();

  g_assert_true (explains (calls, HISTORY_WANTED, HISTORY_WANTED));
  g_assert_false (explains (calls, HISTORY_WANTED, HISTORY_STOPPED));
  add (calls, HISTORY_STOP, 10, 20, "ok");
  g_assert_true (explains (calls, HISTORY_WANTED, HISTORY_STOPPED));
  g_assert_false (explains (calls, HISTORY_WANTED, HISTORY_WANTED));
  g_assert_false (explains (calls, HISTORY_WANTED, HISTORY_ABSENT));
}

/* What was not may be there or not. */
static void
test_unanswered (void)
{
  g_autoptr (GPtrArray) calls = calls_new ();

  add (calls, HISTORY_ADD, 10, 0, NULL);
  g_assert_true (explains (calls, HISTORY_ABSENT, HISTORY_ABSENT));
  g_assert_true (explains (calls, HISTORY_ABSENT, HISTORY_WANTED));
  g_assert_false (explains (calls, HISTORY_ABSENT, HISTORY_STOPPED));
}

/* Calls at the same time are free in their order, one after the other are not. */
static void
test_order (void)
{
  g_autoptr (GPtrArray) together = calls_new ();
  g_autoptr (GPtrArray) apart = calls_new ();

  add (together, HISTORY_STOP, 10, 30, "ok");
  add (together, HISTORY_START, 20, 40, "ok");
  g_assert_true (explains (together, HISTORY_WANTED, HISTORY_WANTED));
  g_assert_true (explains (together, HISTORY_WANTED, HISTORY_STOPPED));
  add (apart, HISTORY_STOP, 10, 20, "ok");
  add (apart, HISTORY_START, 30, 40, "ok");
  g_assert_true (explains (apart, HISTORY_WANTED, HISTORY_WANTED));
  g_assert_false (explains (apart, HISTORY_WANTED, HISTORY_STOPPED));
}

/* A removal goes on by itself, and must have ended at the end. */
static void
test_removal (void)
{
  g_autoptr (GPtrArray) calls = calls_new ();

  add (calls, HISTORY_REMOVE, 10, 20, "ok");
  g_assert_true (explains (calls, HISTORY_STOPPED, HISTORY_ABSENT));
  g_assert_false (explains (calls, HISTORY_STOPPED, HISTORY_STOPPED));
  add (calls, HISTORY_START, 30, 40, "CannotStart");
  add (calls, HISTORY_ADD, 50, 60, "ServiceExists");
  g_assert_true (explains (calls, HISTORY_STOPPED, HISTORY_ABSENT));
  add (calls, HISTORY_START, 70, 80, "NoSuchService");
  add (calls, HISTORY_ADD, 90, 100, "ok");
  g_assert_true (explains (calls, HISTORY_STOPPED, HISTORY_WANTED));
  g_assert_false (explains (calls, HISTORY_STOPPED, HISTORY_ABSENT));
}

/* A reply that cannot be true. */
static void
test_wrong_reply (void)
{
  g_autoptr (GPtrArray) calls = calls_new ();

  add (calls, HISTORY_ADD, 10, 20, "ServiceExists");
  g_assert_false (explains (calls, HISTORY_ABSENT, HISTORY_ABSENT));
  g_assert_true (explains (calls, HISTORY_STOPPED, HISTORY_STOPPED));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/history/acknowledged", test_acknowledged);
  g_test_add_func ("/history/unanswered", test_unanswered);
  g_test_add_func ("/history/order", test_order);
  g_test_add_func ("/history/removal", test_removal);
  g_test_add_func ("/history/wrong-reply", test_wrong_reply);
  return g_test_run ();
}
