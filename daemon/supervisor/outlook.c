/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies between the services that there are: whether one may start now, and what becomes of one that
 * waits. The rules of the graph are in model/graph.c; here it is filled with services.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include <string.h>

#define MAX_UPDATES                                                                                          \
  100000 /* of one change: definitions that changed under running services may form a circle */

gboolean
zinit_service_has_ended_unseen (const ZinitService *service)
{
  return service->definition->oneshot && service->status.state == ZINIT_STATE_EXITED &&
         service->status.last_exit.kind == ZINIT_EXIT_UNKNOWN &&
         service->status.wanted != ZINIT_WANTED_STOP &&
         service->status.next != ZINIT_NEXT_START_WITH_DEPENDENCY;
}

gboolean
zinit_service_is_done (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  return service->definition->oneshot && status->state == ZINIT_STATE_EXITED &&
         status->next_restart_usec == 0 && status->wanted != ZINIT_WANTED_STOP &&
         status->next == ZINIT_NEXT_REST &&
         zinit_machine_is_success (service->definition, &status->last_exit);
}

gboolean
zinit_service_is_satisfied (const ZinitService *service)
{
  return (service->status.state == ZINIT_STATE_RUNNING && !service->definition->oneshot) ||
         zinit_service_is_done (service);
}

/* Only a request, or what it depends on, will start it again. */
static gboolean
failed_for_good (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  /* One that was stopped on request, and had to be killed, has not failed. */
  return status->state == ZINIT_STATE_FAILED && status->next_restart_usec == 0 &&
         status->next == ZINIT_NEXT_REST &&
         !(status->failure.type == ZINIT_FAILURE_STOP_TIMEOUT && status->wanted == ZINIT_WANTED_STOP);
}

gboolean
zinit_service_is_held (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  if (zinit_state_is_active (status->state) || status->state == ZINIT_STATE_BLOCKED)
    return FALSE;
  return status->next == ZINIT_NEXT_START_WITH_DEPENDENCY ||
         (status->wanted == ZINIT_WANTED_START && status->next == ZINIT_NEXT_REST &&
          (status->failure.type == ZINIT_FAILURE_MISSING_DEPENDENCY ||
           status->failure.type == ZINIT_FAILURE_DEPENDENCY_FAILED));
}

gboolean
zinit_service_is_on_its_way_up (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  switch (status->state) {
  case ZINIT_STATE_STARTING:
    return TRUE;
  case ZINIT_STATE_BLOCKED:
    return status->outlook == ZINIT_OUTLOOK_GOES_ON;
  case ZINIT_STATE_RUNNING:
    return service->definition->oneshot || (service->stop_pending && status->next == ZINIT_NEXT_START);
  default:
    return status->next == ZINIT_NEXT_START ||
           (status->next == ZINIT_NEXT_START_WITH_DEPENDENCY && status->outlook == ZINIT_OUTLOOK_GOES_ON);
  }
}

gboolean
zinit_registry_is_in (char *const *list, const ZinitService *service)
{
  return list != NULL && g_strv_contains ((const char *const *)list, zinit_service_get_name (service));
}

static gboolean
look_up_order (const char *name, ZinitGraphNode *ret_node, gpointer data)
{
  const ZinitSupervisor *supervisor = data;
  const ZinitService *service = g_hash_table_lookup (supervisor->services, name);

  if (service == NULL)
    return FALSE;
  ret_node->state = service->status.state;
  /* What is about to be stopped, or started anew, keeps nothing up. */
  ret_node->is_satisfied = zinit_service_is_satisfied (service) && !service->stop_pending;
  ret_node->failed_for_good = failed_for_good (service);
  ret_node->is_on_its_way_up = zinit_service_is_on_its_way_up (service);
  ret_node->is_occupied = FALSE;
  return TRUE;
}

/* Those that name @service in the list of their definition at @offset. NULL-terminated; NULL = nobody does.
 * Transfer container, of borrowed names. */
static GPtrArray *
find_naming (const ZinitService *service, gsize offset)
{
  GPtrArray *dependents = zinit_registry_dependents (service->supervisor, zinit_service_get_name (service));
  GPtrArray *names = NULL;

  for (guint i = 0; dependents != NULL && i < dependents->len; i++) {
    const ZinitService *dependent = dependents->pdata[i];

    if (!zinit_registry_is_in (G_STRUCT_MEMBER (char **, dependent->definition, offset), service))
      continue;
    if (names == NULL)
      names = g_ptr_array_new ();
    g_ptr_array_add (names, (gpointer)zinit_service_get_name (dependent));
  }
  if (names != NULL)
    g_ptr_array_add (names, NULL);
  return names;
}

static const char *const *
as_names (const GPtrArray *names)
{
  return names != NULL ? (const char *const *)names->pdata : NULL;
}

static gboolean
waits_for (const ZinitService *service, const char *name)
{
  const char *const *waiting_on = (const char *const *)service->status.waiting_on;

  return zinit_definition_needs (service->definition, name) ||
         (waiting_on != NULL && g_strv_contains (waiting_on, name));
}

/* Its processes are there, or its place is kept for them; one that waits for @service keeps it from that. */
static gboolean
has_place_before (const ZinitService *other, const ZinitService *service)
{
  const ZinitServiceStatus *status = &other->status;

  return zinit_state_is_active (status->state) ||
         (!waits_for (other, zinit_service_get_name (service)) &&
          (status->next_restart_usec != 0 || status->next == ZINIT_NEXT_START_WITH_DEPENDENCY));
}

static gboolean
look_up_place (const char *name, ZinitGraphNode *ret_node, gpointer data)
{
  const ZinitService *asker = data;

  if (!look_up_order (name, ret_node, asker->supervisor))
    return FALSE;
  ret_node->is_occupied = has_place_before (g_hash_table_lookup (asker->supervisor->services, name), asker);
  return TRUE;
}

static ZinitVerdict
judge (const ZinitService *service, const ZinitDefinition *definition, ZinitGraphLookup lookup,
       GPtrArray **ret_blockers, const char **ret_name)
{
  g_autoptr (GPtrArray) conflicting = find_naming (service, G_STRUCT_OFFSET (ZinitDefinition, conflicts));
  g_autoptr (GPtrArray) preceding = find_naming (service, G_STRUCT_OFFSET (ZinitDefinition, before));
  g_autoptr (GPtrArray) ending = zinit_stop_find_ending (service);
  ZinitGraphOthers others = { as_names (conflicting), as_names (preceding), as_names (ending) };

  return zinit_graph_may_start (definition, &others, lookup, (gpointer)service, ret_blockers, ret_name);
}

/* Down, and looked at in this moment: but for those that come with it, it would start. */
static gboolean
is_about_to_start (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  return (status->next == ZINIT_NEXT_START ||
          (status->state == ZINIT_STATE_BLOCKED && service->queue_link.data != NULL)) &&
         judge (service, zinit_service_get_next_definition (service), look_up_place, NULL, NULL) ==
             ZINIT_VERDICT_MAY_START;
}

/* Of two that come together: the one that the other names, else by name. */
static gboolean
comes_first (const ZinitService *one, const ZinitService *other)
{
  gboolean is_named = zinit_registry_is_in (other->definition->conflicts, one);

  if (is_named != zinit_registry_is_in (one->definition->conflicts, other))
    return is_named;
  return strcmp (zinit_service_get_name (one), zinit_service_get_name (other)) < 0;
}

/* @service, which is in conflict with @other, has to wait for that: its processes are there, or will be, and
 * it was there before or comes first. One that waits for this very service does not keep it waiting. */
static gboolean
occupies (const ZinitService *other, const ZinitService *service)
{
  if (has_place_before (other, service))
    return TRUE;
  if (waits_for (other, zinit_service_get_name (service)))
    return FALSE;
  if (other->comes_back != service->comes_back)
    return other->comes_back && zinit_service_is_on_its_way_up (other);
  return is_about_to_start (other) && comes_first (other, service);
}

static gboolean
look_up (const char *name, ZinitGraphNode *ret_node, gpointer data)
{
  const ZinitService *asker = data;

  if (!look_up_order (name, ret_node, asker->supervisor))
    return FALSE;
  ret_node->is_occupied = occupies (g_hash_table_lookup (asker->supervisor->services, name), asker);
  return TRUE;
}

ZinitVerdict
zinit_registry_may_start (const ZinitService *service, GPtrArray **ret_blockers, const char **ret_name)
{
  return judge (service, service->definition, look_up, ret_blockers, ret_name);
}

static ZinitOutlook
outlook_of_required (const ZinitService *other)
{
  const ZinitServiceStatus *status = &other->status;

  if (zinit_service_is_satisfied (other) && !other->stop_pending)
    return ZINIT_OUTLOOK_GOES_ON;
  if (status->next_restart_usec != 0)
    return ZINIT_OUTLOOK_BACKOFF;
  if (status->state == ZINIT_STATE_BLOCKED || status->next == ZINIT_NEXT_START_WITH_DEPENDENCY ||
      (zinit_service_is_held (other) && status->outlook != ZINIT_OUTLOOK_STUCK))
    return status->outlook;
  return zinit_service_is_on_its_way_up (other) ? ZINIT_OUTLOOK_GOES_ON : ZINIT_OUTLOOK_STUCK;
}

/* A conflict ends when the other one goes down to stay there. */
static ZinitOutlook
outlook_of_conflict (const ZinitService *service, const ZinitService *other)
{
  gboolean goes_down = other->status.state == ZINIT_STATE_STOPPING || other->stop_pending;
  gboolean stays_down = other->status.next == ZINIT_NEXT_REST || other->status.next == ZINIT_NEXT_REMOVE;

  if (other == service || !occupies (other, service))
    return ZINIT_OUTLOOK_GOES_ON;
  return goes_down && stays_down ? ZINIT_OUTLOOK_GOES_ON : ZINIT_OUTLOOK_STUCK;
}

/* What `after` waits for goes on by its definition, and what goes down still will be down: they never make
 * the outlook worse. */
static ZinitOutlook
compute (const ZinitService *service)
{
  GHashTable *services = service->supervisor->services;
  GPtrArray *dependents = zinit_registry_dependents (service->supervisor, zinit_service_get_name (service));
  ZinitOutlook outlook = service->undying != NULL ? ZINIT_OUTLOOK_STUCK : ZINIT_OUTLOOK_GOES_ON;
  ZinitNeedIter iter = { 0 };
  const char *need;

  while ((need = zinit_definition_next_need (service->definition, &iter)) != NULL) {
    const ZinitService *other = g_hash_table_lookup (services, need);

    outlook = MAX (outlook, other != NULL ? outlook_of_required (other) : ZINIT_OUTLOOK_STUCK);
  }
  for (char **name = service->definition->conflicts; name != NULL && *name != NULL; name++) {
    const ZinitService *other = g_hash_table_lookup (services, *name);

    if (other != NULL)
      outlook = MAX (outlook, outlook_of_conflict (service, other));
  }
  for (guint i = 0; dependents != NULL && i < dependents->len; i++)
    if (zinit_registry_is_in (((const ZinitService *)dependents->pdata[i])->definition->conflicts, service))
      outlook = MAX (outlook, outlook_of_conflict (service, dependents->pdata[i]));
  return outlook;
}

static gboolean
waits (const ZinitService *service)
{
  return service->status.state == ZINIT_STATE_BLOCKED || zinit_service_is_held (service) ||
         (zinit_state_is_active (service->status.state) &&
          service->status.next == ZINIT_NEXT_START_WITH_DEPENDENCY);
}

/* TRUE when it is another one than before. */
static gboolean
update_one (ZinitService *service)
{
  ZinitOutlook outlook = waits (service) ? compute (service) : ZINIT_OUTLOOK_GOES_ON;

  if (outlook == service->status.outlook)
    return FALSE;
  service->status.outlook = outlook;
  zinit_service_touch (service);
  return TRUE;
}

/* Those among @services that wait and have another outlook now are added to @changed. */
static void
update_all (ZinitSupervisor *supervisor, GPtrArray *services, GPtrArray *changed)
{
  for (guint i = 0; services != NULL && i < services->len; i++) {
    ZinitService *service = services->pdata[i];

    if (!waits (service) || !update_one (service))
      continue;
    g_ptr_array_add (changed, service);
    zinit_supervisor_enqueue_dependents (supervisor, service);
  }
}

void
zinit_outlook_update (ZinitService *service)
{
  ZinitSupervisor *supervisor = service->supervisor;
  g_autoptr (GPtrArray) changed = g_ptr_array_new ();
  g_autoptr (GPtrArray) conflicting = g_ptr_array_new ();

  update_one (service);
  for (char **name = service->definition->conflicts; name != NULL && *name != NULL; name++) {
    ZinitService *other = g_hash_table_lookup (supervisor->services, *name);

    if (other != NULL)
      g_ptr_array_add (conflicting, other);
  }
  update_all (supervisor, conflicting, changed);
  update_all (supervisor, zinit_registry_dependents (supervisor, zinit_service_get_name (service)), changed);
  for (guint i = 0; i < changed->len && i < MAX_UPDATES; i++)
    update_all (supervisor,
                zinit_registry_dependents (supervisor, zinit_service_get_name (changed->pdata[i])), changed);
}

static char *
describe_cause (const ZinitService *service)
{
  const ZinitService *other = service;
  const char *name = service->status.failure.text;
  g_autofree char *own = zinit_service_describe_failure (service);
  g_autofree char *its = NULL;

  /* Each failed because of the one before it; the first of them says why. */
  for (guint i = 0; i < zinit_supervisor_count (service->supervisor) &&
                    other->status.failure.type == ZINIT_FAILURE_DEPENDENCY_FAILED;
       i++) {
    const ZinitService *next =
        g_hash_table_lookup (service->supervisor->services, other->status.failure.text);

    if (next == NULL || next == other)
      break;
    other = next;
    name = zinit_service_get_name (other);
  }
  if (other == service)
    return g_steal_pointer (&own);
  its = zinit_service_describe_failure (other);
  return *its != '\0' ? g_strdup_printf ("%s (%s: %s)", own, name, its) : g_steal_pointer (&own);
}

gboolean
zinit_service_stop_is_settled (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  if (service->stop_pending || status->state == ZINIT_STATE_STOPPING)
    return FALSE;
  return (!zinit_state_is_active (status->state) && status->state != ZINIT_STATE_BLOCKED) ||
         status->wanted != ZINIT_WANTED_STOP;
}

gboolean
zinit_service_stop_succeeded (const ZinitService *service, GError **error)
{
  const char *name = zinit_service_get_name (service);
  pid_t undying = zinit_service_get_undying_pid (service);

  if (zinit_state_is_active (service->status.state) || service->status.state == ZINIT_STATE_BLOCKED)
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s was started again before it was down", name);
  else if (undying != 0)
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED,
                 "%s is down, but its process %d lives on in spite of SIGKILL", name, undying);
  else
    return TRUE;
  return FALSE;
}

gboolean
zinit_service_start_is_settled (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  switch (status->state) {
  case ZINIT_STATE_RUNNING:
    return !service->definition->oneshot && !service->stop_pending;
  case ZINIT_STATE_BLOCKED:
    return status->outlook != ZINIT_OUTLOOK_GOES_ON;
  case ZINIT_STATE_INACTIVE:
  case ZINIT_STATE_EXITED:
  case ZINIT_STATE_FAILED:
    return status->next != ZINIT_NEXT_START;
  default:
    return FALSE;
  }
}

gboolean
zinit_service_start_succeeded (const ZinitService *service, GError **error)
{
  const ZinitServiceStatus *status = zinit_service_get_status (service);
  g_autofree char *reason = NULL;
  ZinitError code = ZINIT_ERROR_CANNOT_START;

  if (zinit_service_is_satisfied (service))
    return TRUE;
  if (status->failure.type == ZINIT_FAILURE_SPAWN_ERROR)
    code = ZINIT_ERROR_SPAWN_FAILED;
  if (status->state == ZINIT_STATE_BLOCKED)
    reason = g_strconcat ("it ", status->text, NULL);
  else if (status->failure.type != ZINIT_FAILURE_NONE)
    reason = describe_cause (service);
  else if (*status->text != '\0')
    reason = g_strdup (status->text);
  g_set_error (error, ZINIT_ERROR, code, "%s did not start: %s", zinit_service_get_name (service),
               reason != NULL ? reason : "it was stopped before it was up");
  return FALSE;
}
