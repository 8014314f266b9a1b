/* SPDX-License-Identifier: Apache-2.0
 *
 * The two tables of a service's life, cell by cell, and the rules of how a life ends. The expected table is
 * written in words here, so that a slip in the one does not repeat in the other.
 */
#include "model/machine.h"

#include <signal.h>

static const char *const action_words[ZINIT_N_ACTIONS] = {
  [ZINIT_ACTION_IGNORE] = "-",
  [ZINIT_ACTION_EVALUATE] = "evaluate",
  [ZINIT_ACTION_EVALUATE_HELD] = "evaluate-held",
  [ZINIT_ACTION_BLOCK_EVALUATE] = "block-evaluate",
  [ZINIT_ACTION_CANCEL] = "cancel",
  [ZINIT_ACTION_BEGIN_STOP] = "stop",
  [ZINIT_ACTION_FAIL_START] = "fail-start",
  [ZINIT_ACTION_BECOME_RUNNING] = "run",
  [ZINIT_ACTION_GIVE_UP_START] = "give-up",
  [ZINIT_ACTION_FAIL_WATCHDOG] = "fail-watchdog",
  [ZINIT_ACTION_CLEAN_UP] = "clean-up",
  [ZINIT_ACTION_KILL] = "kill",
  [ZINIT_ACTION_KILL_REST] = "kill-rest",
  [ZINIT_ACTION_START_AFTER] = "start-after",
  [ZINIT_ACTION_CHANGE_CAUSE] = "change-cause",
  [ZINIT_ACTION_CLEAR] = "clear",
  [ZINIT_ACTION_FINISH] = "finish",
};

static const char *const event_words[ZINIT_N_EVENTS] = {
  [ZINIT_EVENT_START] = "start",
  [ZINIT_EVENT_STOP] = "stop",
  [ZINIT_EVENT_DEPENDENCY_CHANGED] = "dependency-changed",
  [ZINIT_EVENT_RESTART_DUE] = "restart-due",
  [ZINIT_EVENT_START_TIMEOUT] = "start-timeout",
  [ZINIT_EVENT_READY] = "ready",
  [ZINIT_EVENT_NOT_READY] = "not-ready",
  [ZINIT_EVENT_WATCHDOG] = "watchdog",
  [ZINIT_EVENT_MAIN_ENDED] = "main-ended",
  [ZINIT_EVENT_GROUP_EMPTY] = "group-empty",
  [ZINIT_EVENT_STOP_TIMEOUT] = "stop-timeout",
  [ZINIT_EVENT_RESET] = "reset",
};

/* State; then for each event, in the order of the heading. */
static const char *const expected[ZINIT_N_STATES + 1] = {
  "state    start       stop         dependency-changed restart-due    start-timeout "
  "ready not-ready watchdog      main-ended group-empty stop-timeout reset",
  "inactive evaluate    cancel       evaluate-held      -              -             "
  "-     -         -             -          -           -            -",
  "blocked  evaluate    cancel       evaluate           -              -             "
  "-     -         -             -          -           -            -",
  "starting -           stop         -                  -              fail-start    "
  "run   give-up   -             clean-up   finish      -            -",
  "running  -           stop         -                  -              fail-start    "
  "-     -         fail-watchdog clean-up   finish      -            -",
  "stopping start-after change-cause -                  -              -             "
  "-     -         -             kill-rest  finish      kill         -",
  "exited   evaluate    cancel       evaluate-held      block-evaluate -             "
  "-     -         -             -          -           -            -",
  "failed   evaluate    cancel       evaluate-held      block-evaluate -             "
  "-     -         -             -          -           -            clear",
};

static char **
split (const char *line)
{
  g_autoptr (GRegex) blanks = g_regex_new (" +", 0, 0, NULL);

  return g_regex_split (blanks, line, 0);
}

static void
test_every_state_and_event (void)
{
  g_auto (GStrv) heading = split (expected[0]);

  g_assert_cmpuint (g_strv_length (heading), ==, ZINIT_N_EVENTS + 1);
  for (guint state = 0; state < ZINIT_N_STATES; state++) {
    g_auto (GStrv) row = split (expected[state + 1]);

    g_assert_cmpstr (row[0], ==, zinit_state_to_string (state));
    for (guint event = 0; event < ZINIT_N_EVENTS; event++) {
      g_assert_cmpstr (heading[event + 1], ==, event_words[event]);
      g_test_message ("%s × %s", row[0], heading[event + 1]);
      g_assert_cmpstr (action_words[zinit_machine_action (state, event)], ==, row[event + 1]);
    }
  }
}

static void
test_every_change (void)
{
  static const char *const allowed[ZINIT_N_STATES] = {
    [ZINIT_STATE_INACTIVE] = "blocked starting failed",
    [ZINIT_STATE_BLOCKED] = "inactive starting failed",
    [ZINIT_STATE_STARTING] = "running stopping exited failed",
    [ZINIT_STATE_RUNNING] = "stopping exited failed",
    [ZINIT_STATE_STOPPING] = "exited failed",
    [ZINIT_STATE_EXITED] = "inactive blocked starting failed",
    [ZINIT_STATE_FAILED] = "inactive blocked starting failed",
  };

  for (guint from = 0; from < ZINIT_N_STATES; from++) {
    g_auto (GStrv) words = split (allowed[from]);

    for (guint to = 0; to < ZINIT_N_STATES; to++) {
      g_test_message ("%s → %s", zinit_state_to_string (from), zinit_state_to_string (to));
      g_assert_cmpint (zinit_machine_may_change (from, to), ==,
                       g_strv_contains ((const char *const *)words, zinit_state_to_string (to)));
    }
  }
}

typedef struct {
  const char *restart;
  gboolean oneshot;
  ZinitEnding ending;
  ZinitState state;
  ZinitFailureType failure;
  gint32 number;
  gboolean wants_restart;
  const char *success;   /* one item of success_exit_codes; NULL = none */
  const char *permanent; /* the same of permanent_exit_codes */
} EndingCase;

#define EXITED(code) .exit = { ZINIT_EXIT_EXITED, code }
#define KILLED(signo) .exit = { ZINIT_EXIT_KILLED, signo }

static const EndingCase endings[] = {
  { "always", FALSE, { EXITED (0) }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, TRUE },
  { "on-failure", FALSE, { EXITED (0) }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, FALSE },
  { "never", FALSE, { EXITED (0) }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, FALSE },
  { "always", TRUE, { EXITED (0) }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, FALSE },
  { "always", TRUE, { EXITED (3) }, ZINIT_STATE_FAILED, ZINIT_FAILURE_EXIT_CODE, 3, TRUE },
  { "on-failure", FALSE, { EXITED (3) }, ZINIT_STATE_FAILED, ZINIT_FAILURE_EXIT_CODE, 3, TRUE },
  { "never", FALSE, { EXITED (3) }, ZINIT_STATE_FAILED, ZINIT_FAILURE_EXIT_CODE, 3, FALSE },
  { "always", FALSE, { KILLED (SIGKILL) }, ZINIT_STATE_FAILED, ZINIT_FAILURE_SIGNAL, SIGKILL, TRUE },
  { "never", FALSE, { KILLED (SIGSEGV) }, ZINIT_STATE_FAILED, ZINIT_FAILURE_SIGNAL, SIGSEGV, FALSE },
  /* What was asked for is no failure, whatever the code; only a kill after the time-out is. */
  { "always",
    FALSE,
    { EXITED (1), .stop_cause = ZINIT_STOP_CAUSE_REQUESTED },
    ZINIT_STATE_EXITED,
    ZINIT_FAILURE_NONE,
    0,
    FALSE },
  { "always",
    FALSE,
    { KILLED (SIGTERM), .stop_cause = ZINIT_STOP_CAUSE_REQUESTED },
    ZINIT_STATE_EXITED,
    ZINIT_FAILURE_NONE,
    0,
    FALSE },
  { "always",
    FALSE,
    { KILLED (SIGKILL), .stop_cause = ZINIT_STOP_CAUSE_REQUESTED, .sigkill_sent = TRUE },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_STOP_TIMEOUT,
    0,
    FALSE },
  /* Left-overs of a life that ended by itself had to be killed: its own end counts. */
  { "always",
    FALSE,
    { EXITED (0), .stop_cause = ZINIT_STOP_CAUSE_LEFTOVERS, .sigkill_sent = TRUE },
    ZINIT_STATE_EXITED,
    ZINIT_FAILURE_NONE,
    0,
    TRUE },
  { "on-failure",
    FALSE,
    { KILLED (SIGTERM), .stop_cause = ZINIT_STOP_CAUSE_START_TIMEOUT },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_START_TIMEOUT,
    0,
    TRUE },
  { "never",
    FALSE,
    { KILLED (SIGTERM), .stop_cause = ZINIT_STOP_CAUSE_START_TIMEOUT },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_START_TIMEOUT,
    0,
    FALSE },
  { "on-failure",
    FALSE,
    { EXITED (143) },
    ZINIT_STATE_EXITED,
    ZINIT_FAILURE_NONE,
    0,
    FALSE,
    .success = "143" },
  { "always", FALSE, { EXITED (143) }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, TRUE, .success = "143" },
  { "always", TRUE, { EXITED (143) }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, FALSE, .success = "143" },
  { "on-failure",
    FALSE,
    { KILLED (SIGTERM) },
    ZINIT_STATE_EXITED,
    ZINIT_FAILURE_NONE,
    0,
    FALSE,
    .success = "SIGTERM" },
  { "on-failure",
    FALSE,
    { EXITED (1) },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_EXIT_CODE,
    1,
    TRUE,
    .success = "2" },
  { "always",
    FALSE,
    { EXITED (70) },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_EXIT_CODE,
    70,
    FALSE,
    .permanent = "64-78" },
  { "always",
    TRUE,
    { EXITED (70) },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_EXIT_CODE,
    70,
    FALSE,
    .permanent = "64-78" },
  { "always",
    FALSE,
    { KILLED (SIGSEGV) },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_SIGNAL,
    SIGSEGV,
    FALSE,
    .permanent = "SIGSEGV" },
  { "always",
    FALSE,
    { EXITED (70) },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_EXIT_CODE,
    70,
    TRUE,
    .permanent = "71" },
  /* A time-out is the reason then, not how the process took its signal. */
  { "always",
    FALSE,
    { KILLED (SIGTERM), .stop_cause = ZINIT_STOP_CAUSE_START_TIMEOUT },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_START_TIMEOUT,
    0,
    TRUE,
    .permanent = "SIGTERM" },
  { "always",
    FALSE,
    { KILLED (SIGTERM), .stop_cause = ZINIT_STOP_CAUSE_START_TIMEOUT },
    ZINIT_STATE_FAILED,
    ZINIT_FAILURE_START_TIMEOUT,
    0,
    TRUE,
    .success = "SIGTERM" },
  /* An end that the kernel did not tell is neither a success nor a failure. */
  { "on-failure",
    FALSE,
    { .exit = { ZINIT_EXIT_UNKNOWN, 0 } },
    ZINIT_STATE_EXITED,
    ZINIT_FAILURE_NONE,
    0,
    FALSE },
  { "always", FALSE, { .exit = { ZINIT_EXIT_UNKNOWN, 0 } }, ZINIT_STATE_EXITED, ZINIT_FAILURE_NONE, 0, TRUE },
};

static int
restart_from_word (const char *word)
{
  for (int i = 0; zinit_restart_words[i] != NULL; i++)
    if (g_str_equal (zinit_restart_words[i], word))
      return i;
  g_assert_not_reached ();
}

/* Transfer full. */
static char **
list_of (const char *item)
{
  return item != NULL ? g_strsplit (item, ",", -1) : NULL;
}

static void
test_endings (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    const EndingCase *expect = &endings[i];
    g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
    ZinitOutcome outcome;

    definition->restart = restart_from_word (expect->restart);
    definition->oneshot = expect->oneshot;
    definition->success_exit_codes = list_of (expect->success);
    definition->permanent_exit_codes = list_of (expect->permanent);
    outcome = zinit_machine_outcome (definition, &expect->ending);
    g_test_message ("case %u", i);
    g_assert_cmpint (outcome.state, ==, expect->state);
    g_assert_cmpint (outcome.failure.type, ==, expect->failure);
    g_assert_cmpint (outcome.failure.number, ==, expect->number);
    g_assert_cmpint (outcome.wants_restart, ==, expect->wants_restart);
    g_assert_cmpint (zinit_machine_retries_spawn (definition), ==, !g_str_equal (expect->restart, "never"));
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/machine/every-state-and-event", test_every_state_and_event);
  g_test_add_func ("/machine/every-change", test_every_change);
  g_test_add_func ("/machine/endings", test_endings);
  return g_test_run ();
}
