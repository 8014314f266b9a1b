/* SPDX-License-Identifier: Apache-2.0
 *
 * The sentence that says where a service stands, why, and what would help. Nothing here changes anything.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

char *
zinit_service_describe_failure (const ZinitService *service)
{
  const ZinitFailure *failure = &service->status.failure;
  const char *missing = zinit_readiness_describe_missing (service);
  g_autofree char *text = zinit_failure_describe (failure);

  return failure->type == ZINIT_FAILURE_START_TIMEOUT && missing != NULL
             ? g_strdup_printf ("%s: without %s", text, missing)
             : g_steal_pointer (&text);
}

static void
describe_failure (const ZinitService *service, GString *text)
{
  const ZinitServiceStatus *status = &service->status;
  g_autofree char *failure = zinit_service_describe_failure (service);

  g_string_append (text, failure);
  if (status->next == ZINIT_NEXT_START_WITH_DEPENDENCY)
    g_string_append (text, "; comes back with what it requires");
  else if (status->next_restart_usec != 0)
    g_string_append (text, "; will be restarted");
  else if (zinit_service_is_held (service))
    g_string_append (text, "; starts when that is corrected");
  else if (zinit_machine_is_permanent (service->definition, &status->failure))
    g_string_append (text, "; not retried after this end (permanent_exit_codes)");
  else if (status->sub_state == ZINIT_SUB_STATE_GIVEN_UP)
    g_string_append_printf (text, "; given up after %u restarts", service->backoff.count);
}

/* Where the service that another one waits for stands, and what would help. */
static void
describe_blocker (const ZinitService *other, GString *text)
{
  const char *name = zinit_service_get_name (other);
  const ZinitServiceStatus *status = &other->status;

  if (zinit_service_has_ended_unseen (other))
    g_string_append_printf (text, ", which ended unseen; to run it again: zinit restart %s", name);
  else if (other->undying != NULL)
    g_string_append (text, ", of which a process cannot be killed");
  else if (status->next_restart_usec != 0)
    g_string_append (text, ", which is to be restarted");
  else if ((status->state == ZINIT_STATE_STOPPING || other->stop_pending) && status->next != ZINIT_NEXT_START)
    g_string_append (text, ", which is stopping");
  else if (status->next == ZINIT_NEXT_START_WITH_DEPENDENCY)
    g_string_append (text, ", which is held");
  else if (zinit_service_is_on_its_way_up (other))
    g_string_append (text, ", which is starting");
  else if (status->state == ZINIT_STATE_BLOCKED)
    g_string_append (text, ", which waits too");
  else if (!zinit_state_is_active (status->state))
    g_string_append_printf (text, ", which is %s; to start it: zinit start %s",
                            status->wanted == ZINIT_WANTED_STOP   ? "stopped"
                            : status->state == ZINIT_STATE_EXITED ? "down, as it ended by itself"
                                                                  : zinit_state_to_string (status->state),
                            name);
}

static void
describe_waiting (const ZinitService *service, GString *text)
{
  g_string_append (text, "waits for ");
  for (char **name = service->status.waiting_on; *name != NULL; name++) {
    const ZinitService *other = g_hash_table_lookup (service->supervisor->services, *name);

    if (name != service->status.waiting_on)
      g_string_append (text, "; ");
    g_string_append (text, *name);
    if (other != NULL)
      describe_blocker (other, text);
  }
}

static void
describe_held (const ZinitService *service, GString *text)
{
  g_autoptr (GPtrArray) blockers = NULL;
  const ZinitBlocker *first;

  zinit_registry_may_start (service, &blockers, NULL);
  first = blockers->len > 0 ? blockers->pdata[0] : NULL;
  if (first != NULL)
    g_string_append_printf (text, "stopped because %s is down; comes back with it", first->service);
  else
    g_string_append (text, "stopped with what it requires; comes back with it");
}

static void
describe_stopping (const ZinitService *service, GString *text)
{
  if (service->is_late)
    g_string_append (text, "did not stop in time; killing what is left");
  else if (service->sigkill_usec != 0)
    g_string_append (text, "its main process ended; killing what it left behind");
  else if (service->status.next == ZINIT_NEXT_START)
    g_string_append (text, "stopping; will be started again");
  else if (service->stop_cause == ZINIT_STOP_CAUSE_LEFTOVERS)
    g_string_append (text, "its main process ended; stopping what it left behind");
  else
    g_string_append (text, "stopping");
}

static void
describe_down (const ZinitService *service, GString *text)
{
  const ZinitServiceStatus *status = &service->status;

  if (status->state == ZINIT_STATE_FAILED)
    describe_failure (service, text);
  else if (status->next == ZINIT_NEXT_START_WITH_DEPENDENCY)
    describe_held (service, text);
  else if (zinit_service_has_ended_unseen (service))
    g_string_append_printf (text,
                            "ended unseen, so it is not known whether it succeeded; to run it again: "
                            "zinit restart %s",
                            zinit_service_get_name (service));
  else if (status->next_restart_usec != 0)
    g_string_append (text, "will be restarted");
  if (service->n_left != 0)
    g_string_append_printf (
        text, "%sits main process left %u %s to no service now", text->len > 0 ? "; " : "", service->n_left,
        service->n_left == 1 ? "process running, which belongs" : "processes running, which belong");
}

static void
describe_starting (const ZinitService *service, GString *text)
{
  g_autofree char *more = zinit_readiness_describe_owner (service);

  g_string_append_printf (text, "waits for %s", zinit_readiness_describe_missing (service));
  if (more != NULL)
    g_string_append (text, more);
}

/* Processes of which the kernel does not say whether they live, or that it does not end. */
static gboolean
describe_process (const ZinitService *service, GString *text)
{
  if (service->unproven_pid != 0) {
    g_string_append_printf (text, "it is not known whether process %d lives, which is asked again",
                            service->unproven_pid);
    if (service->unproven_reason != NULL)
      g_string_append_printf (text, ": %s", service->unproven_reason);
    return TRUE;
  }
  if (service->undying != NULL)
    g_string_append_printf (text, "process %d lives on in spite of SIGKILL; nothing is started beside it",
                            zinit_service_get_undying_pid (service));
  return service->undying != NULL;
}

char *
zinit_service_describe (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;
  GString *text = g_string_new (NULL);

  if (!describe_process (service, text)) {
    if (status->state == ZINIT_STATE_BLOCKED && status->waiting_on != NULL)
      describe_waiting (service, text);
    else if (status->state == ZINIT_STATE_STOPPING)
      describe_stopping (service, text);
    else if (service->said != NULL && zinit_state_is_active (status->state))
      g_string_append (text, service->said);
    else if (status->state == ZINIT_STATE_STARTING && zinit_readiness_describe_missing (service) != NULL)
      describe_starting (service, text);
    else if (service->n_in_background != 0 && !service->stop_pending && status->state == ZINIT_STATE_RUNNING)
      g_string_append_printf (text,
                              "its main process went to the background and left %u; have the program stay in "
                              "the foreground",
                              service->n_in_background);
    else if (service->stop_pending)
      g_string_append (text, "will be stopped when what needs it is down");
    else if (!zinit_state_is_active (status->state))
      describe_down (service, text);
  }
  if (service->pending_definition != NULL)
    g_string_append_printf (text, "%sa changed definition takes effect at the next start",
                            text->len > 0 ? "; " : "");
  return g_string_free (text, FALSE);
}
