/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to questions about one service that are not in its status. Nothing here changes anything.
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
    if (zinit_registry_needs (dependents->pdata[i], service))
      g_ptr_array_add (names, g_strdup (zinit_service_get_name (dependents->pdata[i])));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

pid_t
zinit_service_get_undying_pid (const ZinitService *service)
{
  const ZinitSupervisor *supervisor = service->supervisor;

  return service->undying != NULL ? supervisor->host->get_pid (supervisor->host_data, service->undying) : 0;
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
