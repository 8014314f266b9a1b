/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody outside asks of services: start, stop, restart, kill, one or all. A request is accepted or
 * refused here; how it goes on is decided in lifecycle.c.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

static void
start_one (ZinitService *service)
{
  zinit_service_reset_backoff (service);
  zinit_service_set_wanted (service, ZINIT_WANTED_START);
  service->comes_back = FALSE;
  if (service->stop_due)
    zinit_service_set_start_after (service, TRUE);
  else
    zinit_lifecycle_event (service, ZINIT_EVENT_START);
  zinit_service_publish (service);
}

static gboolean
is_up_to_stay (const ZinitService *service)
{
  return (service->state == ZINIT_STATE_STARTING || service->state == ZINIT_STATE_RUNNING) &&
         !service->stop_due;
}

static gboolean
check_may_start (ZinitService *service, GError **error)
{
  if (!zinit_supervisor_is_open (service->supervisor, error))
    return FALSE;
  if (!service->remove_when_down)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_CANNOT_START, "%s is being removed",
               zinit_service_get_name (service));
  return FALSE;
}

static void
add_known (ZinitSupervisor *supervisor, char **names, GPtrArray *found, GHashTable *seen)
{
  for (; names != NULL && *names != NULL; names++) {
    ZinitService *service = g_hash_table_lookup (supervisor->services, *names);

    if (service != NULL && g_hash_table_add (seen, service))
      g_ptr_array_add (found, service);
  }
}

static void
start_tree (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  g_hash_table_add (seen, service);
  g_ptr_array_add (found, service);
  for (guint i = 0; i < found->len; i++) {
    const ZinitDefinition *definition = zinit_service_get_next_definition (found->pdata[i]);

    add_known (supervisor, definition->requires, found, seen);
    add_known (supervisor, definition->wants, found, seen);
  }
  /* From the far end, so that most find what they need on its way. */
  for (guint i = found->len; i-- > 0;) {
    ZinitService *member = found->pdata[i];

    if (!member->remove_when_down && !is_up_to_stay (member) &&
        (member == service || !zinit_service_is_satisfied (member)))
      start_one (member);
  }
}

gboolean
zinit_supervisor_start (ZinitSupervisor *supervisor, ZinitService *service, gboolean tree, GError **error)
{
  if (!check_may_start (service, error))
    return FALSE;
  if (tree) {
    start_tree (service);
    return TRUE;
  }
  if (is_up_to_stay (service)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_ALREADY_RUNNING, "%s is %s already",
                 zinit_service_get_name (service), zinit_state_to_string (service->state));
    return FALSE;
  }
  start_one (service);
  return TRUE;
}

static void
stop_one (ZinitService *service)
{
  zinit_service_set_wanted (service, ZINIT_WANTED_STOP);
  service->start_after = service->comes_back = FALSE;
  zinit_stop_in_order (service);
}

gboolean
zinit_supervisor_stop (ZinitSupervisor *supervisor, ZinitService *service, GError **error)
{
  gboolean was_up = zinit_service_can_stop (service);

  if (!zinit_supervisor_is_open (supervisor, error))
    return FALSE;
  stop_one (service);
  if (!was_up)
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_NOT_RUNNING, "%s is not running; it is %s",
                 zinit_service_get_name (service), zinit_state_to_string (service->state));
  return was_up;
}

gboolean
zinit_supervisor_restart (ZinitSupervisor *supervisor, ZinitService *service, GError **error)
{
  if (!check_may_start (service, error))
    return FALSE;
  if (!zinit_state_is_active (service->state)) {
    start_one (service);
    return TRUE;
  }
  zinit_service_reset_backoff (service);
  zinit_service_set_wanted (service, ZINIT_WANTED_START);
  service->comes_back = FALSE;
  zinit_stop_in_order (service);
  zinit_service_set_start_after (service, TRUE);
  zinit_service_publish (service);
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
                 zinit_service_get_name (service), zinit_state_to_string (service->state));
  return FALSE;
}

typedef gboolean (*TouchFunc) (ZinitService *service);

/* Every service of class user that @touch has something to do for. */
static char **
touch_all (ZinitSupervisor *supervisor, TouchFunc touch, GError **error)
{
  g_autoptr (GPtrArray) services = NULL;
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  if (!zinit_supervisor_is_open (supervisor, error))
    return NULL;
  services = zinit_supervisor_list (supervisor);
  for (guint i = 0; i < services->len; i++) {
    ZinitService *service = services->pdata[i];
    g_autofree char *name = g_strdup (zinit_service_get_name (service));

    if (service->definition->service_class == ZINIT_CLASS_USER && touch (service))
      g_strv_builder_add (names, name);
  }
  return g_strv_builder_end (names);
}

static gboolean
start_unless_up (ZinitService *service)
{
  if (zinit_service_get_next_definition (service)->status != ZINIT_WANTED_START ||
      service->remove_when_down || is_up_to_stay (service) || zinit_service_is_satisfied (service))
    return FALSE;
  start_one (service);
  return TRUE;
}

static gboolean
stop_unless_down (ZinitService *service)
{
  gboolean was_up = zinit_service_can_stop (service);

  stop_one (service);
  return was_up;
}

static gboolean
remove_whatever (ZinitService *service)
{
  g_autoptr (GError) error = NULL;

  if (zinit_supervisor_remove (service->supervisor, service, TRUE, &error))
    return TRUE;
  g_warning ("%s", error->message);
  return FALSE;
}

char **
zinit_supervisor_start_all (ZinitSupervisor *supervisor, GError **error)
{
  return touch_all (supervisor, start_unless_up, error);
}

char **
zinit_supervisor_stop_all (ZinitSupervisor *supervisor, GError **error)
{
  return touch_all (supervisor, stop_unless_down, error);
}

char **
zinit_supervisor_remove_all (ZinitSupervisor *supervisor, GError **error)
{
  return touch_all (supervisor, remove_whatever, error);
}
