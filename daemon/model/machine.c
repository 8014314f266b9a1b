/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of a service's life. A row is a state, a column an event; reading one row tells all that can
 * happen in that state. It holds nothing but constants and the rules of how a life may end.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/machine.h"

#include "model/exit-codes.h"

#define A(action) ZINIT_ACTION_##action

/* In the order of ZinitEvent: START, STOP, DEPENDENCY_CHANGED, RESTART_DUE, START_TIMEOUT, READY, NOT_READY,
 * WATCHDOG, MAIN_ENDED, GROUP_EMPTY, STOP_TIMEOUT, RESET. Events of a process that is no more are ignored
 * where there is none. */
static const guint8 actions[ZINIT_N_STATES][ZINIT_N_EVENTS] = {
  [ZINIT_STATE_INACTIVE] = { A (EVALUATE), A (CANCEL), A (EVALUATE_HELD), A (IGNORE), A (IGNORE), A (IGNORE),
                             A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE) },
  [ZINIT_STATE_BLOCKED] = { A (EVALUATE), A (CANCEL), A (EVALUATE), A (IGNORE), A (IGNORE), A (IGNORE),
                            A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE) },
  [ZINIT_STATE_STARTING] = { A (IGNORE), A (BEGIN_STOP), A (IGNORE), A (IGNORE), A (FAIL_START),
                             A (BECOME_RUNNING), A (GIVE_UP_START), A (IGNORE), A (CLEAN_UP), A (FINISH),
                             A (IGNORE), A (IGNORE) },
  [ZINIT_STATE_RUNNING] = { A (IGNORE), A (BEGIN_STOP), A (IGNORE), A (IGNORE), A (FAIL_START), A (IGNORE),
                            A (IGNORE), A (FAIL_WATCHDOG), A (CLEAN_UP), A (FINISH), A (IGNORE), A (IGNORE) },
  [ZINIT_STATE_STOPPING] = { A (START_AFTER), A (CHANGE_CAUSE), A (IGNORE), A (IGNORE), A (IGNORE),
                             A (IGNORE), A (IGNORE), A (IGNORE), A (KILL_REST), A (FINISH), A (KILL),
                             A (IGNORE) },
  [ZINIT_STATE_EXITED] = { A (EVALUATE), A (CANCEL), A (EVALUATE_HELD), A (BLOCK_EVALUATE), A (IGNORE),
                           A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE),
                           A (IGNORE) },
  [ZINIT_STATE_FAILED] = { A (EVALUATE), A (CANCEL), A (EVALUATE_HELD), A (BLOCK_EVALUATE), A (IGNORE),
                           A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE), A (IGNORE),
                           A (CLEAR) },
};

#define TO(state) (1u << ZINIT_STATE_##state)

static const guint8 changes[ZINIT_N_STATES] = {
  [ZINIT_STATE_INACTIVE] = TO (BLOCKED) | TO (STARTING) | TO (FAILED),
  [ZINIT_STATE_BLOCKED] = TO (INACTIVE) | TO (STARTING) | TO (FAILED),
  [ZINIT_STATE_STARTING] = TO (RUNNING) | TO (STOPPING) | TO (EXITED) | TO (FAILED),
  [ZINIT_STATE_RUNNING] = TO (STOPPING) | TO (EXITED) | TO (FAILED),
  [ZINIT_STATE_STOPPING] = TO (EXITED) | TO (FAILED),
  /* Inactive: a oneshot that was done and is stopped. */
  [ZINIT_STATE_EXITED] = TO (BLOCKED) | TO (STARTING) | TO (FAILED) | TO (INACTIVE),
  /* To itself when a start by hand fails again. */
  [ZINIT_STATE_FAILED] = TO (BLOCKED) | TO (STARTING) | TO (FAILED) | TO (INACTIVE),
};

const char *const zinit_stop_cause_words[] = {
  "none", "requested", "dependency", "start-timeout", "leftovers", "not-ready", "watchdog", NULL,
};
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_stop_cause_words) == ZINIT_N_STOP_CAUSES + 1);

ZinitAction
zinit_machine_action (ZinitState state, ZinitEvent event)
{
  g_return_val_if_fail ((guint)state < ZINIT_N_STATES && (guint)event < ZINIT_N_EVENTS, ZINIT_ACTION_IGNORE);

  return actions[state][event];
}

gboolean
zinit_machine_may_change (ZinitState from, ZinitState to)
{
  g_return_val_if_fail ((guint)from < ZINIT_N_STATES && (guint)to < ZINIT_N_STATES, FALSE);

  return (changes[from] & (1u << to)) != 0;
}

gboolean
zinit_machine_is_success (const ZinitDefinition *definition, const ZinitExit *exit)
{
  return (exit->kind == ZINIT_EXIT_EXITED && exit->value == 0) ||
         zinit_exit_codes_contain ((const char *const *)definition->success_exit_codes, exit);
}

gboolean
zinit_machine_is_permanent (const ZinitDefinition *definition, const ZinitFailure *failure)
{
  ZinitExit exit = { .value = failure->number };

  if (failure->type == ZINIT_FAILURE_EXIT_CODE)
    exit.kind = ZINIT_EXIT_EXITED;
  else if (failure->type == ZINIT_FAILURE_SIGNAL)
    exit.kind = ZINIT_EXIT_KILLED;
  return zinit_exit_codes_contain ((const char *const *)definition->permanent_exit_codes, &exit);
}

static ZinitOutcome
outcome_failed (const ZinitDefinition *definition, ZinitFailureType type, gint32 number)
{
  ZinitOutcome outcome = { .state = ZINIT_STATE_FAILED, .failure = { .type = type, .number = number } };

  outcome.wants_restart = definition->restart != ZINIT_RESTART_NEVER &&
                          !zinit_machine_is_permanent (definition, &outcome.failure);
  return outcome;
}

ZinitOutcome
zinit_machine_outcome (const ZinitDefinition *definition, const ZinitEnding *ending)
{
  ZinitOutcome outcome = { .state = ZINIT_STATE_EXITED };

  if (ending->stop_cause == ZINIT_STOP_CAUSE_REQUESTED || ending->stop_cause == ZINIT_STOP_CAUSE_DEPENDENCY) {
    if (ending->sigkill_sent)
      outcome = outcome_failed (definition, ZINIT_FAILURE_STOP_TIMEOUT, 0);
    outcome.wants_restart = FALSE;
    return outcome;
  }
  if (ending->stop_cause == ZINIT_STOP_CAUSE_START_TIMEOUT)
    return outcome_failed (definition, ZINIT_FAILURE_START_TIMEOUT, 0);
  if (ending->stop_cause == ZINIT_STOP_CAUSE_NOT_READY)
    return outcome_failed (definition, ZINIT_FAILURE_NOT_READY, 0);
  if (ending->stop_cause == ZINIT_STOP_CAUSE_WATCHDOG)
    return outcome_failed (definition, ZINIT_FAILURE_WATCHDOG, 0);
  if (!zinit_machine_is_success (definition, &ending->exit)) {
    if (ending->exit.kind == ZINIT_EXIT_KILLED)
      return outcome_failed (definition, ZINIT_FAILURE_SIGNAL, ending->exit.value);
    if (ending->exit.kind == ZINIT_EXIT_EXITED)
      return outcome_failed (definition, ZINIT_FAILURE_EXIT_CODE, ending->exit.value);
  }

  outcome.wants_restart = definition->restart == ZINIT_RESTART_ALWAYS && !definition->oneshot;
  return outcome;
}

gboolean
zinit_machine_retries_spawn (const ZinitDefinition *definition)
{
  return definition->restart != ZINIT_RESTART_NEVER;
}
