/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody outside asks of services: start, stop, restart, kill, one or all. A request is accepted or
 * refused here; how it goes on is decided in lifecycle.c.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

/* One that is stopping, or about to, starts once it is down; one that is down waits for its turn. */
static void
want_up (ZinitService *service)
{
  zinit_service_reset_backoff (service);
  zinit_on_failure_forget_cause (service);
  zinit_service_set_wanted (service, ZINIT_WANTED_START);
  if (service->status.state == ZINIT_STATE_BLOCKED)
    return;
  if (service->status.next == ZINIT_NEXT_START_WITH_DEPENDENCY)
    zinit_service_set_next (service, ZINIT_NEXT_REST);
  zinit_service_set_next (service, ZINIT_NEXT_START);
}

static gboolean
is_up_to_stay (const ZinitService *service)
{
  return !service->stop_pending &&
         (service->status.state == ZINIT_STATE_STARTING || service->status.state == ZINIT_STATE_RUNNING ||
          zinit_service_is_done (service));
}

static gboolean
check_may_start (const ZinitService *service, GError **error)
{
  if (service->status.next != ZINIT_NEXT_REMOVE)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_CANNOT_START, "%s is being removed",
               zinit_service_get_name (service));
  return FALSE;
}

static void
add_known (ZinitSupervisor *supervisor, const char *name, gboolean is_only_wanted, GPtrArray *found,
           GHashTable *seen)
{
  ZinitService *service = g_hash_table_lookup (supervisor->services, name);

  /* What was stopped on request stays down unless it is needed; what is being removed is not there any more.
   */
  if (service == NULL || service->status.next == ZINIT_NEXT_REMOVE ||
      (is_only_wanted && service->status.wanted == ZINIT_WANTED_STOP))
    return;
  if (g_hash_table_add (seen, service))
    g_ptr_array_add (found, service);
}

/* Adds to @found, which has named services, what they need and want, all the way down. */
static void
add_tree (ZinitSupervisor *supervisor, GPtrArray *found)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < found->len; i++)
    g_hash_table_add (seen, found->pdata[i]);
  for (guint i = 0; i < found->len; i++) {
    const ZinitDefinition *definition = zinit_service_get_next_definition (found->pdata[i]);

    ZinitNeedIter iter = { 0 };
    const char *need;

    while ((need = zinit_definition_next_need (definition, &iter)) != NULL)
      add_known (supervisor, need, FALSE, found, seen);
    for (char **name = definition->wants; name != NULL && *name != NULL; name++)
      add_known (supervisor, *name, TRUE, found, seen);
  }
}

/* All are known before the first is judged. From the far end, so that most find what they need on its way. */
static void
start_services (ZinitSupervisor *supervisor, const GPtrArray *services)
{
  for (guint i = 0; i < services->len; i++)
    if (!is_up_to_stay (services->pdata[i]))
      want_up (services->pdata[i]);
  for (guint i = services->len; i-- > 0;) {
    /* Many are worked off in the queue, between the calls of others. */
    if (services->len > ZINIT_SERVICES_PER_TURN)
      zinit_supervisor_enqueue (supervisor, services->pdata[i]);
    else
      zinit_lifecycle_process (services->pdata[i]);
  }
}

static GError *
refuse_start (const ZinitService *service)
{
  const char *name = zinit_service_get_name (service);
  GError *error = NULL;

  if (!check_may_start (service, &error))
    return error;
  if (zinit_service_is_done (service) && !service->stop_pending)
    return g_error_new (ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING,
                        "%s is done already; a restart runs it again", name);
  return is_up_to_stay (service) ? g_error_new (ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING, "%s is %s already",
                                                name, zinit_state_to_string (service->status.state))
                                 : NULL;
}

/* What is up is no error where others were started for it. */
static void
accept_running (const GPtrArray *started, GPtrArray *answers)
{
  gboolean starts_any = FALSE;

  for (guint i = 0; i < started->len && !starts_any; i++)
    starts_any = !is_up_to_stay (started->pdata[i]);
  for (guint i = 0; i < answers->len && starts_any; i++) {
    GError *refused = answers->pdata[i];

    if (refused == NULL || refused->code != ZINIT_ERROR_ALREADY_RUNNING)
      continue;
    g_error_free (refused);
    answers->pdata[i] = NULL;
  }
}

GPtrArray *
zinit_supervisor_start_services (ZinitSupervisor *supervisor, const GPtrArray *services, gboolean tree,
                                 GError **error)
{
  g_autoptr (GPtrArray) started = g_ptr_array_new ();
  GPtrArray *answers;

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  answers = g_ptr_array_new ();
  for (guint i = 0; i < services->len; i++) {
    GError *refused = refuse_start (services->pdata[i]);

    g_ptr_array_add (answers, refused);
    if (refused == NULL || refused->code == ZINIT_ERROR_ALREADY_RUNNING)
      g_ptr_array_add (started, services->pdata[i]);
  }
  if (tree) {
    add_tree (supervisor, started);
    accept_running (started, answers);
  }
  start_services (supervisor, started);
  return answers;
}

/* @services is of one. Takes @answers. */
static gboolean
answer_one (GPtrArray *answers, GError **error)
{
  GError *refused = answers != NULL ? answers->pdata[0] : NULL;
  gboolean is_accepted = answers != NULL && refused == NULL;

  if (refused != NULL)
    g_propagate_error (error, refused);
  g_clear_pointer (&answers, g_ptr_array_unref);
  return is_accepted;
}

gboolean
zinit_supervisor_start (ZinitSupervisor *supervisor, ZinitService *service, gboolean tree, GError **error)
{
  g_autoptr (GPtrArray) services = g_ptr_array_new ();

  g_ptr_array_add (services, service);
  return answer_one (zinit_supervisor_start_services (supervisor, services, tree, error), error);
}

static gboolean
is_up_or_coming (const ZinitService *service)
{
  return zinit_service_get_status (service)->can_stop;
}

static void
want_down (ZinitService *service)
{
  zinit_on_failure_forget (service);
  zinit_service_set_wanted (service, ZINIT_WANTED_STOP);
  zinit_service_set_next (service, ZINIT_NEXT_REST);
  /* They may have waited for the start that will not be, and its state does not change yet. */
  zinit_supervisor_enqueue_dependents (service->supervisor, service);
}

GPtrArray *
zinit_supervisor_stop_services (ZinitSupervisor *supervisor, const GPtrArray *services, GError **error)
{
  GPtrArray *answers;

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  answers = g_ptr_array_new ();
  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];

    g_ptr_array_add (answers,
                     is_up_or_coming (service)
                         ? NULL
                         : g_error_new (ZINIT_ERROR, ZINIT_ERROR_NOT_RUNNING, "%s is not running; it is %s",
                                        zinit_service_get_name (service),
                                        zinit_state_to_string (service->status.state)));
    want_down (service);
  }
  zinit_stop_in_order (services);
  return answers;
}

gboolean
zinit_supervisor_stop (ZinitSupervisor *supervisor, ZinitService *service, GError **error)
{
  g_autoptr (GPtrArray) services = g_ptr_array_new ();

  g_ptr_array_add (services, service);
  return answer_one (zinit_supervisor_stop_services (supervisor, services, error), error);
}

GPtrArray *
zinit_supervisor_restart_services (ZinitSupervisor *supervisor, const GPtrArray *services, gboolean tree,
                                   GError **error)
{
  g_autoptr (GPtrArray) up = g_ptr_array_new ();
  g_autoptr (GPtrArray) started = g_ptr_array_new ();
  GPtrArray *answers;

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  answers = g_ptr_array_new ();
  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];
    GError *refused = NULL;

    if (check_may_start (service, &refused)) {
      if (zinit_state_is_active (service->status.state) || zinit_service_is_done (service))
        g_ptr_array_add (up, service);
      g_ptr_array_add (started, service);
    }
    g_ptr_array_add (answers, refused);
  }
  if (tree)
    add_tree (supervisor, started);
  for (guint i = 0; i < up->len; i++)
    want_up (up->pdata[i]);
  zinit_stop_in_order (up);
  start_services (supervisor, started);
  return answers;
}

gboolean
zinit_supervisor_restart (ZinitSupervisor *supervisor, ZinitService *service, gboolean tree, GError **error)
{
  g_autoptr (GPtrArray) services = g_ptr_array_new ();

  g_ptr_array_add (services, service);
  return answer_one (zinit_supervisor_restart_services (supervisor, services, tree, error), error);
}

gboolean
zinit_supervisor_reset_failed (ZinitSupervisor *supervisor, ZinitService *service, GError **error)
{
  if (!zinit_supervisor_is_open (supervisor, error))
    return FALSE;
  zinit_service_reset_backoff (service);
  zinit_lifecycle_event (service, ZINIT_EVENT_RESET);
  return TRUE;
}

gboolean
zinit_supervisor_kill (ZinitSupervisor *supervisor, ZinitService *service, int signo, ZinitWhom whom,
                       GError **error)
{
  g_autoptr (GError) refused = NULL;

  if (signo < 1 || signo > 31) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_SIGNAL, "%d is not a signal; 1 to 31 are allowed",
                 signo);
    return FALSE;
  }
  if (!zinit_supervisor_is_open (supervisor, error))
    return FALSE;
  if (service->process != NULL &&
      supervisor->host->signal (supervisor->host_data, service->process, signo, whom, &refused))
    return TRUE;
  if (refused != NULL)
    g_propagate_error (error, g_steal_pointer (&refused));
  else
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_NOT_RUNNING, "%s has no process to signal; it is %s",
                 zinit_service_get_name (service), zinit_state_to_string (service->status.state));
  return FALSE;
}

typedef gboolean (*ChooseFunc) (const ZinitService *service);

/* Every service of class user for which there is something to do, by name. Transfer container. */
static GPtrArray *
choose (ZinitSupervisor *supervisor, ChooseFunc func)
{
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; i < supervisor->by_name->len; i++) {
    const ZinitService *service = supervisor->by_name->pdata[i];

    if (service->definition->service_class == ZINIT_CLASS_USER && func (service))
      g_ptr_array_add (chosen, supervisor->by_name->pdata[i]);
  }
  return chosen;
}

static char **
list_names (const GPtrArray *services)
{
  char **names = g_new0 (char *, services->len + 1);

  for (guint i = 0; i < services->len; i++)
    names[i] = g_strdup (zinit_service_get_name (services->pdata[i]));
  return names;
}

static gboolean
is_to_be_started (const ZinitService *service)
{
  return zinit_service_get_next_definition (service)->status == ZINIT_WANTED_START &&
         service->status.next != ZINIT_NEXT_REMOVE && !is_up_to_stay (service);
}

static gboolean
is_any (const ZinitService *service)
{
  return TRUE;
}

char **
zinit_supervisor_start_all (ZinitSupervisor *supervisor, GError **error)
{
  g_autoptr (GPtrArray) services = NULL;

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  services = choose (supervisor, is_to_be_started);
  for (guint i = 0; i < services->len; i++)
    want_up (services->pdata[i]);
  for (guint i = 0; i < services->len; i++)
    zinit_supervisor_enqueue (supervisor, services->pdata[i]);
  return list_names (services);
}

char **
zinit_supervisor_stop_all (ZinitSupervisor *supervisor, GError **error)
{
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GPtrArray) touched = NULL;

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  touched = choose (supervisor, is_up_or_coming);
  all = choose (supervisor, is_any);
  for (guint i = 0; i < all->len; i++)
    want_down (all->pdata[i]);
  zinit_stop_in_order (all);
  return list_names (touched);
}

char **
zinit_supervisor_remove_all (ZinitSupervisor *supervisor, GError **error)
{
  g_autoptr (GPtrArray) services = NULL;
  g_auto (GStrv) names = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  services = choose (supervisor, is_any);
  names = list_names (services);
  for (guint i = 0; i < services->len; i++) {
    g_autoptr (GError) refused = NULL;

    if (zinit_supervisor_remove (supervisor, services->pdata[i], TRUE, &refused))
      g_strv_builder_add (builder, names[i]);
    else
      g_warning ("%s", refused->message);
  }
  return g_strv_builder_end (builder);
}
