/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of states, failures and ends, and failure reasons as values.
 */
#include "model/state.h"

static void
test_state_words (void)
{
  static const char *const words[] = { "inactive", "blocked", "starting", "running",
                                       "stopping", "exited",  "failed" };

  g_assert_cmpuint (G_N_ELEMENTS (words), ==, ZINIT_N_STATES);
  for (guint i = 0; i < ZINIT_N_STATES; i++)
    g_assert_cmpstr (zinit_state_to_string ((ZinitState)i), ==, words[i]);
}

static void
test_state_active (void)
{
  for (guint i = 0; i < ZINIT_N_STATES; i++)
    g_assert_cmpint (zinit_state_is_active ((ZinitState)i), ==,
                     i == ZINIT_STATE_STARTING || i == ZINIT_STATE_RUNNING || i == ZINIT_STATE_STOPPING);
}

typedef struct {
  ZinitFailureType type;
  const char *word;
  const char *field;
  gboolean is_text;
  ZinitFailure failure;
  const char *description;
} FailureRow;

static const FailureRow failure_rows[] = {
  { ZINIT_FAILURE_NONE, "none", NULL, FALSE, { 0 }, "" },
  { ZINIT_FAILURE_EXIT_CODE, "exit_code", "code", FALSE, { .number = 3 }, "exited with code 3" },
  { ZINIT_FAILURE_SIGNAL, "signal", "signal", FALSE, { .number = 9 }, "killed by SIGKILL (9)" },
  { ZINIT_FAILURE_START_TIMEOUT, "start_timeout", NULL, FALSE, { 0 }, "start timeout" },
  { ZINIT_FAILURE_STOP_TIMEOUT, "stop_timeout", NULL, FALSE, { 0 }, "stop timeout" },
  { ZINIT_FAILURE_HEALTH_CHECK_FAILED,
    "health_check_failed",
    "attempts",
    FALSE,
    { .number = 3 },
    "health check failed after 3 attempts" },
  { ZINIT_FAILURE_DEPENDENCY_FAILED,
    "dependency_failed",
    "service",
    TRUE,
    { .text = (char *)"db" },
    "dependency db failed" },
  { ZINIT_FAILURE_SPAWN_ERROR,
    "spawn_error",
    "message",
    TRUE,
    { .text = (char *)"exec: no such file" },
    "could not be started: exec: no such file" },
  { ZINIT_FAILURE_MISSING_DEPENDENCY,
    "missing_dependency",
    "dependency",
    TRUE,
    { .text = (char *)"redis" },
    "missing dependency redis" },
  { ZINIT_FAILURE_NOT_READY,
    "not_ready",
    "message",
    TRUE,
    { .text = (char *)"no line" },
    "did not get ready: no line" },
  { ZINIT_FAILURE_WATCHDOG, "watchdog", NULL, FALSE, { 0 }, "watchdog timeout" },
};

static void
test_failure_table (void)
{
  g_assert_cmpuint (G_N_ELEMENTS (failure_rows), ==, ZINIT_N_FAILURES);
  for (guint i = 0; i < G_N_ELEMENTS (failure_rows); i++) {
    ZinitFailureType type = ZINIT_N_FAILURES;
    ZinitFailure failure = failure_rows[i].failure;
    g_autofree char *description = NULL;

    failure.type = failure_rows[i].type;
    description = zinit_failure_describe (&failure);
    g_assert_cmpstr (description, ==, failure_rows[i].description);
    g_assert_cmpstr (zinit_failure_type_to_string (failure_rows[i].type), ==, failure_rows[i].word);
    g_assert_true (zinit_failure_type_from_string (failure_rows[i].word, &type));
    g_assert_cmpint (type, ==, failure_rows[i].type);
    g_assert_cmpstr (zinit_failure_field_name (failure_rows[i].type), ==, failure_rows[i].field);
    g_assert_cmpint (zinit_failure_field_is_text (failure_rows[i].type), ==, failure_rows[i].is_text);
  }
}

static void
test_failure_unknown (void)
{
  ZinitFailureType type = ZINIT_FAILURE_SIGNAL;
  const ZinitFailure real_time = { ZINIT_FAILURE_SIGNAL, 40, NULL };
  const ZinitFailure once = { ZINIT_FAILURE_HEALTH_CHECK_FAILED, 1, NULL };
  g_autofree char *killed = zinit_failure_describe (&real_time);
  g_autofree char *unhealthy = zinit_failure_describe (&once);

  g_assert_false (zinit_failure_type_from_string ("Signal", &type));
  g_assert_cmpint (type, ==, ZINIT_FAILURE_SIGNAL);
  g_assert_cmpstr (killed, ==, "killed by signal 40");
  g_assert_cmpstr (unhealthy, ==, "health check failed after 1 attempt");
}

static void
test_failure_value (void)
{
  const ZinitFailure from = { ZINIT_FAILURE_SPAWN_ERROR, 7, (char *)"text" };
  ZinitFailure to = { ZINIT_FAILURE_MISSING_DEPENDENCY, 0, g_strdup ("old") };

  g_assert_false (zinit_failure_equal (&from, &to));
  zinit_failure_copy (&from, &to);
  g_assert_true (zinit_failure_equal (&from, &to));
  g_assert_true (to.text != from.text);

  zinit_failure_copy (&to, &to);
  g_assert_cmpstr (to.text, ==, "text");
  to.number = 8;
  g_assert_false (zinit_failure_equal (&from, &to));

  zinit_failure_clear (&to);
  g_assert_cmpint (to.type, ==, ZINIT_FAILURE_NONE);
  g_assert_cmpint (to.number, ==, 0);
  g_assert_null (to.text);
}

static void
test_small_words (void)
{
  g_assert_cmpstr (zinit_exit_kind_to_string (ZINIT_EXIT_NONE), ==, "none");
  g_assert_cmpstr (zinit_exit_kind_to_string (ZINIT_EXIT_EXITED), ==, "exited");
  g_assert_cmpstr (zinit_exit_kind_to_string (ZINIT_EXIT_KILLED), ==, "killed");
  g_assert_cmpstr (zinit_exit_kind_to_string (ZINIT_EXIT_UNKNOWN), ==, "exited");

  g_assert_cmpstr (zinit_wanted_words[ZINIT_WANTED_START], ==, "start");
  g_assert_cmpstr (zinit_wanted_words[ZINIT_WANTED_STOP], ==, "stop");
  g_assert_cmpstr (zinit_wanted_words[ZINIT_WANTED_IGNORE], ==, "ignore");
  g_assert_null (zinit_wanted_words[ZINIT_N_WANTED]);
  g_assert_cmpstr (zinit_class_words[ZINIT_CLASS_USER], ==, "user");
  g_assert_cmpstr (zinit_class_words[ZINIT_CLASS_SYSTEM], ==, "system");
  g_assert_null (zinit_class_words[ZINIT_N_CLASSES]);
  g_assert_cmpstr (zinit_restart_words[ZINIT_RESTART_ALWAYS], ==, "always");
  g_assert_cmpstr (zinit_restart_words[ZINIT_RESTART_ON_FAILURE], ==, "on-failure");
  g_assert_cmpstr (zinit_restart_words[ZINIT_RESTART_NEVER], ==, "never");
  g_assert_null (zinit_restart_words[ZINIT_N_RESTARTS]);
  g_assert_cmpstr (zinit_stream_words[ZINIT_STREAM_STDOUT], ==, "stdout");
  g_assert_cmpstr (zinit_stream_words[ZINIT_STREAM_STDERR], ==, "stderr");
  g_assert_null (zinit_stream_words[ZINIT_N_STREAMS]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/state/words", test_state_words);
  g_test_add_func ("/state/active", test_state_active);
  g_test_add_func ("/state/failure/table", test_failure_table);
  g_test_add_func ("/state/failure/unknown", test_failure_unknown);
  g_test_add_func ("/state/failure/value", test_failure_value);
  g_test_add_func ("/state/small-words", test_small_words);
  return g_test_run ();
}
