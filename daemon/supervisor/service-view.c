/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to questions about one service. Nothing here changes anything.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

const char *
zinit_service_get_name (const ZinitService *service)
{
  return service->definition->name;
}

const ZinitDefinition *
zinit_service_get_definition (const ZinitService *service)
{
  return service->definition;
}

const ZinitDefinition *
zinit_service_get_next_definition (const ZinitService *service)
{
  return service->pending_definition != NULL ? service->pending_definition : service->definition;
}

const char *
zinit_service_get_path (const ZinitService *service)
{
  return service->path;
}

gboolean
zinit_service_is_ephemeral (const ZinitService *service)
{
  return service->path == NULL;
}

gboolean
zinit_service_needs_restart (const ZinitService *service)
{
  return service->pending_definition != NULL;
}

gboolean
zinit_service_can_start (const ZinitService *service)
{
  return !service->supervisor->is_shutting_down && !service->remove_when_down &&
         service->state != ZINIT_STATE_STARTING && service->state != ZINIT_STATE_RUNNING;
}

gboolean
zinit_service_can_stop (const ZinitService *service)
{
  return zinit_state_is_active (service->state) || service->state == ZINIT_STATE_BLOCKED ||
         service->next_restart_usec != 0 || zinit_service_is_held (service);
}

ZinitState
zinit_service_get_state (const ZinitService *service)
{
  return service->state;
}

ZinitWanted
zinit_service_get_wanted (const ZinitService *service)
{
  return service->wanted;
}

const char *const *
zinit_service_get_waiting_on (const ZinitService *service)
{
  static const char *const none[] = { NULL };

  return service->waiting_on != NULL ? (const char *const *)service->waiting_on : none;
}

const ZinitFailure *
zinit_service_get_failure (const ZinitService *service)
{
  return &service->failure;
}

pid_t
zinit_service_get_pid (const ZinitService *service)
{
  if (service->process == NULL || !zinit_state_is_active (service->state))
    return service->unproven_pid;
  return service->supervisor->host->get_pid (service->supervisor->host_data, service->process);
}

ZinitExit
zinit_service_get_last_exit (const ZinitService *service)
{
  return service->last_exit;
}

guint32
zinit_service_get_restart_count (const ZinitService *service)
{
  return service->backoff.count;
}

guint64
zinit_service_get_restart_delay_ms (const ZinitService *service)
{
  return service->backoff.delay_ms;
}

gint64
zinit_service_get_next_restart (const ZinitService *service)
{
  return service->next_restart_usec;
}

gint64
zinit_service_get_started_at (const ZinitService *service)
{
  return service->started_at_usec;
}

gint64
zinit_service_get_state_changed_at (const ZinitService *service)
{
  return service->state_changed_at_usec;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

char **
zinit_service_dup_required_by (const ZinitService *service)
{
  GPtrArray *dependents = zinit_registry_dependents (service->supervisor, zinit_service_get_name (service));
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; dependents != NULL && i < dependents->len; i++)
    if (zinit_registry_requires (dependents->pdata[i], service))
      g_ptr_array_add (names, g_strdup (zinit_service_get_name (dependents->pdata[i])));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

static gboolean
has_given_up (const ZinitService *service)
{
  return (service->state == ZINIT_STATE_EXITED || service->state == ZINIT_STATE_FAILED) &&
         service->wanted == ZINIT_WANTED_START &&
         zinit_backoff_is_exhausted (&service->backoff, service->definition);
}

static void
describe_failure (const ZinitService *service, GString *text)
{
  g_autofree char *failure = zinit_failure_describe (&service->failure);

  g_string_append (text, failure);
  if (service->next_restart_usec != 0)
    g_string_append (text, "; will be restarted");
  else if (zinit_service_is_held (service))
    g_string_append (text, "; starts when that is corrected");
  else if (has_given_up (service))
    g_string_append_printf (text, "; given up after %u restarts", service->backoff.count);
}

/* A oneshot that is not run a second time, and may not have done its work. */
static gboolean
has_ended_unseen (const ZinitService *service)
{
  return service->definition->oneshot && service->state == ZINIT_STATE_EXITED &&
         service->last_exit.kind == ZINIT_EXIT_UNKNOWN && service->wanted != ZINIT_WANTED_STOP &&
         !service->comes_back;
}

static void
describe_waiting (const ZinitService *service, GString *text)
{
  g_autofree char *names = g_strjoinv (", ", service->waiting_on);

  g_string_append_printf (text, "waits for %s", names);
  for (char **name = service->waiting_on; *name != NULL; name++) {
    const ZinitService *other = g_hash_table_lookup (service->supervisor->services, *name);

    if (other != NULL && has_ended_unseen (other))
      g_string_append_printf (text, "; %s ended unseen, to run it again: zinit restart %s", *name, *name);
  }
}

char *
zinit_service_dup_status_text (const ZinitService *service)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (service->unproven_pid != 0) {
    g_string_append_printf (text, "it is not known whether process %d lives, which is asked again",
                            service->unproven_pid);
    if (service->unproven_reason != NULL)
      g_string_append_printf (text, ": %s", service->unproven_reason);
  } else if (has_ended_unseen (service)) {
    g_string_append_printf (text,
                            "ended unseen, so it is not known whether it succeeded; to run it again: "
                            "zinit restart %s",
                            zinit_service_get_name (service));
  } else if (service->state == ZINIT_STATE_BLOCKED && service->waiting_on != NULL) {
    describe_waiting (service, text);
  } else if (service->state == ZINIT_STATE_FAILED) {
    describe_failure (service, text);
  } else if (service->state == ZINIT_STATE_STOPPING) {
    g_string_append (text, service->kill_needed   ? "did not stop in time; killing what is left"
                           : service->start_after ? "stopping; will be started again"
                           : service->stop_asked  ? "stopping"
                                                  : "its first process ended; stopping what it left behind");
  } else if (service->stop_due) {
    g_string_append (text, "will be stopped when what needs it is down");
  } else if (service->comes_back && service->state == ZINIT_STATE_EXITED) {
    g_string_append (text, "stopped with what it requires; comes back with it");
  } else if (service->next_restart_usec != 0) {
    g_string_append (text, "will be restarted");
  } else if (has_given_up (service)) {
    g_string_append_printf (text, "given up after %u restarts", service->backoff.count);
  }
  if (service->pending_definition != NULL)
    g_string_append_printf (text, "%sa changed definition takes effect at the next start",
                            text->len > 0 ? "; " : "");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
zinit_service_is_satisfied (const ZinitService *service)
{
  if (service->state == ZINIT_STATE_RUNNING)
    return !service->definition->oneshot;
  return service->state == ZINIT_STATE_EXITED && service->wanted != ZINIT_WANTED_STOP &&
         !service->comes_back && service->last_exit.kind == ZINIT_EXIT_EXITED &&
         service->last_exit.value == 0;
}

gboolean
zinit_service_start_is_settled (const ZinitService *service)
{
  switch (service->state) {
  case ZINIT_STATE_INACTIVE:
    return TRUE;
  case ZINIT_STATE_RUNNING:
    return !service->definition->oneshot && !service->stop_due;
  case ZINIT_STATE_EXITED:
  case ZINIT_STATE_FAILED:
    return !service->start_after;
  default:
    return FALSE;
  }
}

gboolean
zinit_service_start_succeeded (const ZinitService *service, GError **error)
{
  g_autofree char *reason = NULL;
  ZinitError code = ZINIT_ERROR_CANNOT_START;

  if (service->state == ZINIT_STATE_RUNNING || zinit_service_is_satisfied (service))
    return TRUE;
  if (service->failure.type == ZINIT_FAILURE_SPAWN_ERROR)
    code = ZINIT_ERROR_SPAWN_FAILED;
  else if (service->failure.type == ZINIT_FAILURE_START_TIMEOUT)
    code = ZINIT_ERROR_TIMED_OUT;
  reason = zinit_failure_describe (&service->failure);
  g_set_error (error, ZINIT_ERROR, code, "%s did not start: %s", zinit_service_get_name (service),
               *reason != '\0' ? reason : "it was stopped before it was up");
  return FALSE;
}

const ZinitLog *
zinit_service_get_log (const ZinitService *service)
{
  return service->log;
}

void
zinit_service_read_stats (const ZinitService *service, ZinitProcessStats *ret_stats)
{
  zinit_services_read_stats (&service, 1, ret_stats);
}

void
zinit_services_read_stats (const ZinitService *const *services, guint n_services,
                           ZinitProcessStats *ret_stats)
{
  g_autofree ZinitProcess **processes = g_new0 (ZinitProcess *, n_services);
  const ZinitSupervisor *supervisor;

  if (n_services == 0)
    return;
  supervisor = services[0]->supervisor;
  for (guint i = 0; i < n_services; i++)
    processes[i] = services[i]->process;
  supervisor->host->read_stats (supervisor->host_data, processes, n_services, ret_stats);
}
