/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests for named services, answered service by service, and those for all of class user.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/bulk-methods.h"

#include "bus/waiters.h"
#include "model/error.h"
#include "model/limits.h"

/* Each of @names once, in their order. Transfer container. */
static GPtrArray *
list_unique (GVariant *names)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *unique = g_ptr_array_new ();
  GVariantIter iter;
  const char *name;

  g_variant_iter_init (&iter, names);
  while (g_variant_iter_next (&iter, "&s", &name))
    if (g_hash_table_add (seen, (gpointer)name))
      g_ptr_array_add (unique, (gpointer)name);
  return unique;
}

/* Those of the services that are there. Transfer container. */
static GPtrArray *
find_services (ZinitSupervisor *supervisor, const GPtrArray *names)
{
  GPtrArray *services = g_ptr_array_new ();

  for (guint i = 0; i < names->len; i++) {
    ZinitService *service = zinit_supervisor_find (supervisor, names->pdata[i], NULL);

    if (service != NULL)
      g_ptr_array_add (services, service);
  }
  return services;
}

static GPtrArray *
make_request (ZinitCall *call, ZinitWaiterKind kind, const GPtrArray *services, GError **error)
{
  ZinitSupervisor *supervisor = call->connection->bus->supervisor;

  if (kind == ZINIT_WAITER_START)
    return zinit_supervisor_start_services (supervisor, services, call->options.tree, error);
  if (kind == ZINIT_WAITER_STOP)
    return zinit_supervisor_stop_services (supervisor, services, error);
  return zinit_supervisor_restart_services (supervisor, services, call->options.tree, error);
}

/* One result for each of @names: that no service has it, or what its service was answered; those that were
 * accepted are waited for. Frees the errors. */
static void
add_results (ZinitSupervisor *supervisor, ZinitWaiter *waiter, ZinitWaiterKind kind, const GPtrArray *names,
             const GPtrArray *services, const gboolean *was_running, const GPtrArray *answers)
{
  for (guint i = 0, n = 0; i < names->len; i++) {
    ZinitService *service = n < services->len ? services->pdata[n] : NULL;
    g_autoptr (GError) error = NULL;

    if (service == NULL || strcmp (zinit_service_get_name (service), names->pdata[i]) != 0) {
      zinit_supervisor_find (supervisor, names->pdata[i], &error);
      zinit_waiter_add_failed (waiter, names->pdata[i], error);
      continue;
    }
    error = answers->pdata[n];
    if (error != NULL)
      zinit_waiter_add_failed (waiter, names->pdata[i], error);
    else
      zinit_waiter_add (waiter, service, kind, was_running[n]);
    n++;
  }
}

static gboolean *
note_running (const GPtrArray *services)
{
  gboolean *is_running = g_new (gboolean, services->len);

  for (guint i = 0; i < services->len; i++)
    is_running[i] = zinit_service_get_status (services->pdata[i])->state == ZINIT_STATE_RUNNING;
  return is_running;
}

static gboolean
request (ZinitCall *call, ZinitWaiterKind kind, GError **error)
{
  g_autoptr (GVariant) argument = zinit_call_get_argument (call, 0);
  g_autoptr (GPtrArray) names = NULL, services = NULL, answers = NULL;
  g_autofree gboolean *was_running = NULL;
  ZinitWaiter *waiter;

  if (g_variant_n_children (argument) > ZINIT_MAX_SERVICES) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
                 "there are %" G_GSIZE_FORMAT " names; at most %d are allowed",
                 g_variant_n_children (argument), ZINIT_MAX_SERVICES);
    return FALSE;
  }
  if (call->options.wait && !zinit_waiters_has_room (call, error))
    return FALSE;
  names = list_unique (argument);
  services = find_services (call->connection->bus->supervisor, names);
  was_running = note_running (services);
  answers = make_request (call, kind, services, error);
  if (answers == NULL)
    return FALSE;
  waiter = zinit_waiter_new_list (call);
  add_results (call->connection->bus->supervisor, waiter, kind, names, services, was_running, answers);
  zinit_waiter_begin (waiter, call->options.wait);
  return TRUE;
}

gboolean
zinit_bus_handle_start_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return request (call, ZINIT_WAITER_START, error);
}

gboolean
zinit_bus_handle_stop_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return request (call, ZINIT_WAITER_STOP, error);
}

gboolean
zinit_bus_handle_restart_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                   GError **error)
{
  return request (call, ZINIT_WAITER_RESTART, error);
}

typedef char **(*AllFunc) (ZinitSupervisor *supervisor, GError **error);

static void
wait_for_all (ZinitCall *call, char **names, ZinitWaiterKind kind, GVariant *reply)
{
  ZinitWaiter *waiter = zinit_waiter_new (call, reply);

  for (char **name = names; *name != NULL; name++) {
    ZinitService *service = zinit_supervisor_find (call->connection->bus->supervisor, *name, NULL);

    if (service != NULL)
      zinit_waiter_add (waiter, service, kind, FALSE);
  }
  zinit_waiter_begin (waiter, TRUE);
}

/* The calls for all services differ in one function. */
static gboolean
for_all (ZinitCall *call, AllFunc func, ZinitWaiterKind kind, GVariant **ret_reply, GError **error)
{
  g_auto (GStrv) names = NULL;
  GVariant *reply;

  if (call->options.wait && !zinit_waiters_has_room (call, error))
    return FALSE;
  names = func (call->connection->bus->supervisor, error);
  if (names == NULL)
    return FALSE;
  reply = g_variant_new ("(^as)", names);
  if (call->options.wait)
    wait_for_all (call, names, kind, reply);
  else
    *ret_reply = reply;
  return TRUE;
}

gboolean
zinit_bus_handle_start_all (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return for_all (call, zinit_supervisor_start_all, ZINIT_WAITER_START, ret_reply, error);
}

gboolean
zinit_bus_handle_stop_all (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return for_all (call, zinit_supervisor_stop_all, ZINIT_WAITER_STOP, ret_reply, error);
}

gboolean
zinit_bus_handle_remove_all (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return for_all (call, zinit_supervisor_remove_all, ZINIT_WAITER_STOP, ret_reply, error);
}
