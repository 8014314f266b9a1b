/* SPDX-License-Identifier: Apache-2.0
 *
 * Several clients call at full speed, and the daemon is killed at a moment that nobody has chosen. Then the
 * next one runs, and what the clients were told and what is true must fit together: see history.h. A service
 * that nobody calls for runs on and on.
 *
 * ZINIT_TEST_SEED repeats the choices of a run (moments are the machine's). With `-m slow` all of it takes
 * longer.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "history.h"
#include "names.h"
#include "outcome.h"
#include "survival.h"

enum {
  N_CALLERS = 4,
  N_SERVICES = 8,
  N_CALLS = 15, /* of each caller between two kills: no service has more than the checker takes */
  N_KILLS = 25,
  N_KILLS_SLOW = 400,
  MAX_LIFE_USEC = 60000,
  MAX_ROUNDS_USEC = 100000,
  N_ROUNDS = 20, /* of add, stop, remove between two kills, at most */
  N_ROUND_KILLS = 10,
  N_ROUND_KILLS_SLOW = 100,
};

static guint32 seed;

typedef struct _Caller Caller;

/* One call, the @number-th since the daemon was started. */
typedef void (*CallFunc) (Caller *caller, guint number);

struct _Caller {
  TestClient *client;
  GRand *rand;
  GPtrArray *calls; /* HistoryCall */
  CallFunc func;
  guint first; /* the number of the first call */
  guint n_calls;
  gboolean is_lost; /* the daemon is gone */
};

/* What is known from one kill to the next. */
typedef struct {
  Harness *harness;
  GHashTable *states; /* name → HistoryState, absent = not in it */
  GPtrArray *calls;   /* of all callers, HistoryCall */
  guint32 steady_pid;
} Record;

static const char *
last_word (const char *error_name)
{
  const char *dot = strrchr (error_name, '.');

  return dot != NULL ? dot + 1 : error_name;
}

/* @service NULL = all. @arguments is floating. */
static void
make_call (Caller *caller, HistoryKind kind, const char *service, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  HistoryCall *call = g_new0 (HistoryCall, 1);

  call->kind = kind;
  call->service = g_strdup (service);
  call->called_usec = g_get_monotonic_time ();
  g_ptr_array_add (caller->calls, call);
  reply =
      client_call_on (caller->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method, arguments, &error);
  call->replied_usec = g_get_monotonic_time ();
  if (error == NULL) {
    call->result = g_strdup ("ok");
  } else if (g_dbus_error_is_remote_error (error)) {
    g_autofree char *name = g_dbus_error_get_remote_error (error);

    call->result = g_strdup (last_word (name));
  } else {
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
      g_error ("%s of %s has no answer", method, service != NULL ? service : "all");
    caller->is_lost = TRUE;
  }
}

static GVariant *parse (const char *format, ...) G_GNUC_PRINTF (1, 2);

static GVariant *
parse (const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *value;
  va_list list;

  va_start (list, format);
  text = g_strdup_vprintf (format, list);
  va_end (list);
  value = g_variant_parse (NULL, text, NULL, NULL, &error);
  g_assert_no_error (error);
  return value;
}

/* One half of the services has files, so that no definition hides another. */
static void
call_add (Caller *caller, HistoryKind kind, const char *name, gboolean is_persistent)
{
  make_call (
      caller, kind, name, "AddService",
      parse ("({'service': {'name': <'%s'>, 'exec': <'%s wait'>}, 'lifecycle': {'restart_delay_ms': <5>}},"
             " {'replace': <%s>, 'persist': <%s>})",
             name, harness_child (), kind == HISTORY_REPLACE ? "true" : "false",
             is_persistent ? "true" : "false"));
}

static void
call_any (Caller *caller, guint number)
{
  guint service = (guint)g_rand_int_range (caller->rand, 0, N_SERVICES);
  g_autofree char *name = g_strdup_printf ("s%u", service);
  guint what = (guint)g_rand_int_range (caller->rand, 0, 20);

  if (what < 6)
    call_add (caller, what < 4 ? HISTORY_ADD : HISTORY_REPLACE, name, service % 2 == 0);
  else if (what < 9)
    make_call (caller, HISTORY_START, name, "StartService", parse ("('%s', " NO_OPTIONS ")", name));
  else if (what < 13)
    make_call (caller, HISTORY_STOP, name, "StopService",
               parse ("('%s', {'wait': <%s>})", name, what < 11 ? "true" : "false"));
  else if (what < 15)
    make_call (caller, HISTORY_RESTART, name, "RestartService", parse ("('%s', " NO_OPTIONS ")", name));
  else if (what < 18)
    make_call (caller, HISTORY_REMOVE, name, "RemoveService", parse ("('%s', {'stop': <true>})", name));
  else if (what < 19)
    make_call (caller, HISTORY_STOP_ALL, NULL, "StopAll", parse ("(" NO_OPTIONS ",)"));
  else
    make_call (caller, HISTORY_RELOAD, NULL, "Reload", parse ("(" NO_OPTIONS ",)"));
}

/* Add, stop and remove one service after the other. */
static void
call_round (Caller *caller, guint number)
{
  g_autofree char *name = g_strdup_printf ("r%u", number / 3);

  if (number % 3 == 0)
    call_add (caller, HISTORY_ADD, name, FALSE);
  else if (number % 3 == 1)
    make_call (caller, HISTORY_STOP, name, "StopService", parse ("('%s', {'wait': <true>})", name));
  else
    make_call (caller, HISTORY_REMOVE, name, "RemoveService", parse ("('%s', {'stop': <true>})", name));
}

static gpointer
run_caller (gpointer data)
{
  Caller *caller = data;

  for (guint i = 0; i < caller->n_calls && !caller->is_lost; i++)
    caller->func (caller, caller->first + i);
  return NULL;
}

static Caller *
caller_new (Record *record, guint32 own_seed, CallFunc func, guint first, guint n_calls)
{
  Caller *caller = g_new0 (Caller, 1);

  *caller = (Caller){ .client = client_new_for_socket (record->harness->socket),
                      .rand = g_rand_new_with_seed (own_seed),
                      .calls = g_ptr_array_new_with_free_func ((GDestroyNotify)history_call_free),
                      .func = func,
                      .first = first,
                      .n_calls = n_calls };
  return caller;
}

/* What it did becomes part of the record. */
static void
caller_finish (Caller *caller, Record *record)
{
  g_ptr_array_extend_and_steal (record->calls, caller->calls);
  client_free (caller->client);
  g_rand_free (caller->rand);
  g_free (caller);
}

static HistoryState
state_of (const Outcome *outcome)
{
  if (outcome == NULL)
    return HISTORY_ABSENT;
  return g_str_equal (outcome->wanted, "start") ? HISTORY_WANTED : HISTORY_STOPPED;
}

static void
check_service (Record *record, const char *name, const Outcome *outcome)
{
  HistoryState before = (HistoryState)GPOINTER_TO_UINT (g_hash_table_lookup (record->states, name));
  g_autofree char *story = NULL;

  if (!history_explains (record->calls, name, before, state_of (outcome), &story))
    g_error ("what is true of %s does not fit the replies (ZINIT_TEST_SEED=%u)\n# %s", name, seed, story);
}

static GHashTable *
wait_until_settled (Record *record)
{
  g_autofree char *wrong = NULL, *story = NULL;
  GHashTable *outcomes = outcome_try_wait (record->harness, &wrong);

  if (outcomes == NULL) {
    story = history_tell (record->calls, NULL);
    g_error ("%s (ZINIT_TEST_SEED=%u), after\n%s", wrong, seed, story);
  }
  return outcomes;
}

/* Does what is true fit the replies? */
static void
check (Record *record)
{
  g_autoptr (GHashTable) outcomes = wait_until_settled (record);
  /* Borrowed from the other three, which are there as long as it is looked at. */
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTable *states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name, value;

  for (guint i = 0; i < record->calls->len; i++)
    if (((HistoryCall *)record->calls->pdata[i])->service != NULL)
      g_hash_table_add (names, ((HistoryCall *)record->calls->pdata[i])->service);
  g_hash_table_iter_init (&iter, record->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (names, name);
  g_hash_table_iter_init (&iter, outcomes);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    g_hash_table_add (names, name);
    g_hash_table_insert (states, g_strdup (name), GUINT_TO_POINTER (state_of (value)));
  }
  /* Nobody calls for this one. */
  g_hash_table_remove (names, "steady");
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    check_service (record, name, outcome_find (outcomes, name));
  g_assert_nonnull (outcome_find (outcomes, "steady"));
  g_assert_cmpuint (outcome_find (outcomes, "steady")->pid, ==, record->steady_pid);
  g_hash_table_unref (record->states);
  record->states = states;
  g_ptr_array_set_size (record->calls, 0);
}

static void
record_init (Record *record)
{
  g_autoptr (GHashTable) outcomes = NULL;

  *record = (Record){ .harness = harness_new () };
  record->states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  record->calls = g_ptr_array_new_with_free_func ((GDestroyNotify)history_call_free);
  /* A stop of all does not touch it. */
  harness_service (record->harness, "steady", "stamp steady wait", "class = \"system\"\n");
  survival_start (record->harness);
  outcomes = outcome_wait (record->harness);
  record->steady_pid = outcome_find (outcomes, "steady")->pid;
  g_hash_table_insert (record->states, g_strdup ("steady"), GUINT_TO_POINTER (HISTORY_WANTED));
}

static void
record_clear (Record *record)
{
  harness_finish (record->harness);
  g_hash_table_unref (record->states);
  g_ptr_array_unref (record->calls);
}

/* The callers call until the daemon is killed, at most @max_life_usec after they have begun. */
static void
run_until_killed (Record *record, GRand *rand, CallFunc func, guint n_callers, guint first, guint n_calls,
                  gint32 max_life_usec)
{
  Caller *callers[N_CALLERS];
  GThread *threads[N_CALLERS];

  for (guint i = 0; i < n_callers; i++)
    callers[i] = caller_new (record, g_rand_int (rand), func, first, n_calls);
  for (guint i = 0; i < n_callers; i++)
    threads[i] = g_thread_new ("caller", run_caller, callers[i]);
  g_usleep ((gulong)g_rand_int_range (rand, 0, max_life_usec));
  survival_crash (record->harness);
  for (guint i = 0; i < n_callers; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < n_callers; i++)
    caller_finish (callers[i], record);
  survival_start (record->harness);
  check (record);
}

static void
test_clients (void)
{
  guint n_kills = g_test_slow () ? N_KILLS_SLOW : N_KILLS;
  GRand *rand = g_rand_new_with_seed (seed);
  Record record;

  record_init (&record);
  for (guint i = 0; i < n_kills; i++)
    run_until_killed (&record, rand, call_any, N_CALLERS, 0, N_CALLS, MAX_LIFE_USEC);
  record_clear (&record);
  g_rand_free (rand);
}

static void
test_rounds (void)
{
  guint n_kills = g_test_slow () ? N_ROUND_KILLS_SLOW : N_ROUND_KILLS;
  GRand *rand = g_rand_new_with_seed (seed);
  Record record;

  record_init (&record);
  for (guint i = 0; i < n_kills; i++)
    run_until_killed (&record, rand, call_round, 1, i * 3 * N_ROUNDS, 3 * N_ROUNDS, MAX_ROUNDS_USEC);
  record_clear (&record);
  g_rand_free (rand);
}

int
main (int argc, char **argv)
{
  const char *given = g_getenv ("ZINIT_TEST_SEED");

  harness_init (&argc, &argv);
  seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_test_slow () ? g_random_int () : 1;
  g_test_message ("ZINIT_TEST_SEED=%u", seed);
  g_test_add_func ("/acknowledged-random/rounds", test_rounds);
  g_test_add_func ("/acknowledged-random/clients", test_clients);
  return g_test_run ();
}
