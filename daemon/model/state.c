/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a service's life, each list in the order of its enum, and failure reasons as values. Which
 * change of state is allowed is the machine's matter.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/state.h"
#include "common/signals.h"

#include <string.h>

const char *const zinit_state_words[] = { "inactive", "blocked", "starting", "running",
                                          "stopping", "exited",  "failed",   NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_state_words) == ZINIT_N_STATES + 1);

const char *const zinit_wanted_words[] = { "start", "stop", "ignore", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_wanted_words) == ZINIT_N_WANTED + 1);

const char *const zinit_class_words[] = { "user", "system", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_class_words) == ZINIT_N_CLASSES + 1);

const char *const zinit_restart_words[] = { "always", "on-failure", "never", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_restart_words) == ZINIT_N_RESTARTS + 1);

const char *const zinit_kill_mode_words[] = { "tree", "mixed", "main", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_kill_mode_words) == ZINIT_N_KILL_MODES + 1);

const char *const zinit_stream_words[] = { "stdout", "stderr", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_stream_words) == ZINIT_N_STREAMS + 1);

static const struct {
  const char *word;
  const char *field; /* NULL = none */
  gboolean field_is_text;
} failure_kinds[] = {
  [ZINIT_FAILURE_NONE] = { "none", NULL, FALSE },
  [ZINIT_FAILURE_EXIT_CODE] = { "exit_code", "code", FALSE },
  [ZINIT_FAILURE_SIGNAL] = { "signal", "signal", FALSE },
  [ZINIT_FAILURE_START_TIMEOUT] = { "start_timeout", NULL, FALSE },
  [ZINIT_FAILURE_STOP_TIMEOUT] = { "stop_timeout", NULL, FALSE },
  [ZINIT_FAILURE_HEALTH_CHECK_FAILED] = { "health_check_failed", "attempts", FALSE },
  [ZINIT_FAILURE_DEPENDENCY_FAILED] = { "dependency_failed", "service", TRUE },
  [ZINIT_FAILURE_SPAWN_ERROR] = { "spawn_error", "message", TRUE },
  [ZINIT_FAILURE_MISSING_DEPENDENCY] = { "missing_dependency", "dependency", TRUE },
  [ZINIT_FAILURE_NOT_READY] = { "not_ready", "message", TRUE },
  [ZINIT_FAILURE_WATCHDOG] = { "watchdog", NULL, FALSE },
};
G_STATIC_ASSERT (G_N_ELEMENTS (failure_kinds) == ZINIT_N_FAILURES);

const char *
zinit_state_to_string (ZinitState state)
{
  g_return_val_if_fail ((guint)state < ZINIT_N_STATES, "inactive");
  return zinit_state_words[state];
}

const char *
zinit_sub_state_to_string (ZinitSubState sub_state)
{
  static const char *const words[] = { "inactive", "waiting",  "starting", "running", "stopping",
                                       "killing",  "done",     "ended",    "stopped", "restarting",
                                       "held",     "given-up", "failed" };

  g_return_val_if_fail ((guint)sub_state < ZINIT_N_SUB_STATES, "unknown");

  return words[sub_state];
}

gboolean
zinit_state_is_active (ZinitState state)
{
  return state == ZINIT_STATE_STARTING || state == ZINIT_STATE_RUNNING || state == ZINIT_STATE_STOPPING;
}

const char *
zinit_failure_type_to_string (ZinitFailureType type)
{
  g_return_val_if_fail ((guint)type < ZINIT_N_FAILURES, "none");
  return failure_kinds[type].word;
}

gboolean
zinit_failure_type_from_string (const char *text, ZinitFailureType *ret_type)
{
  for (guint i = 0; i < ZINIT_N_FAILURES; i++) {
    if (strcmp (text, failure_kinds[i].word) == 0) {
      *ret_type = (ZinitFailureType)i;
      return TRUE;
    }
  }
  return FALSE;
}

const char *
zinit_failure_field_name (ZinitFailureType type)
{
  g_return_val_if_fail ((guint)type < ZINIT_N_FAILURES, NULL);
  return failure_kinds[type].field;
}

gboolean
zinit_failure_field_is_text (ZinitFailureType type)
{
  g_return_val_if_fail ((guint)type < ZINIT_N_FAILURES, FALSE);
  return failure_kinds[type].field_is_text;
}

void
zinit_failure_clear (ZinitFailure *failure)
{
  g_free (failure->text);
  *failure = (ZinitFailure){ ZINIT_FAILURE_NONE, 0, NULL };
}

void
zinit_failure_copy (const ZinitFailure *from, ZinitFailure *to)
{
  /* The text is copied before @to is cleared, so that the two may be one. */
  ZinitFailure copy = { from->type, from->number, g_strdup (from->text) };

  zinit_failure_clear (to);
  *to = copy;
}

gboolean
zinit_failure_equal (const ZinitFailure *a, const ZinitFailure *b)
{
  return a->type == b->type && a->number == b->number && g_strcmp0 (a->text, b->text) == 0;
}

static char *
describe_signal (gint32 signo)
{
  const char *name = zinit_signal_to_string (signo);

  return name != NULL ? g_strdup_printf ("killed by %s (%d)", name, signo)
                      : g_strdup_printf ("killed by signal %d", signo);
}

char *
zinit_failure_describe (const ZinitFailure *failure)
{
  const char *text = failure->text != NULL ? failure->text : "unknown";

  switch (failure->type) {
  case ZINIT_FAILURE_EXIT_CODE:
    return g_strdup_printf ("exited with code %d", failure->number);
  case ZINIT_FAILURE_SIGNAL:
    return describe_signal (failure->number);
  case ZINIT_FAILURE_START_TIMEOUT:
    return g_strdup ("start timeout");
  case ZINIT_FAILURE_STOP_TIMEOUT:
    return g_strdup ("stop timeout");
  case ZINIT_FAILURE_HEALTH_CHECK_FAILED:
    return g_strdup_printf (failure->number == 1 ? "health check failed after %d attempt"
                                                 : "health check failed after %d attempts",
                            failure->number);
  case ZINIT_FAILURE_DEPENDENCY_FAILED:
    return g_strdup_printf ("dependency %s failed", text);
  case ZINIT_FAILURE_SPAWN_ERROR:
    return g_strdup_printf ("could not be started: %s", text);
  case ZINIT_FAILURE_MISSING_DEPENDENCY:
    return g_strdup_printf ("missing dependency %s", text);
  case ZINIT_FAILURE_WATCHDOG:
    return g_strdup ("watchdog timeout");
  case ZINIT_FAILURE_NOT_READY:
    return g_strdup_printf ("did not get ready: %s", text);
  case ZINIT_FAILURE_NONE:
  case ZINIT_N_FAILURES:
    break;
  }
  return g_strdup ("");
}

const char *
zinit_exit_kind_to_string (ZinitExitKind kind)
{
  switch (kind) {
  case ZINIT_EXIT_EXITED:
  case ZINIT_EXIT_UNKNOWN:
    return "exited";
  case ZINIT_EXIT_KILLED:
    return "killed";
  case ZINIT_EXIT_NONE:
    break;
  }
  return "none";
}
