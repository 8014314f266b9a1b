/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods about all services or the daemon itself.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/bulk-methods.h"
#include "bus/call.h"
#include "bus/errors.h"
#include "bus/handover-methods.h"
#include "bus/list-methods.h"
#include "bus/properties.h"
#include "model/error.h"
#include "model/log-level.h"
#include "object-path.h"

static ZinitSupervisor *
supervisor_of (const ZinitCall *call)
{
  return call->connection->bus->supervisor;
}

static gboolean
handle_list_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (supervisor_of (call));
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < services->len; i++)
    g_variant_builder_add (&builder, "s", zinit_service_get_name (services->pdata[i]));
  *ret_reply = g_variant_new ("(as)", &builder);
  return TRUE;
}

static GVariant *
path_reply (const ZinitService *service)
{
  g_autofree char *path = zinit_object_path_for_service (zinit_service_get_name (service));

  return g_variant_new ("(o)", path);
}

static gboolean
handle_get_service (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  *ret_reply = path_reply (service);
  return TRUE;
}

static gboolean
handle_add (ZinitCall *call, ZinitService *unused, GVariant **ret_reply, GError **error)
{
  g_autoptr (GVariant) argument = zinit_call_get_argument (call, 0);
  g_autoptr (ZinitDefinition) definition = zinit_definition_from_variant (argument, error);
  ZinitAddFlags flags = 0;
  ZinitService *service;

  if (definition == NULL)
    return FALSE;
  if (call->options.persist)
    flags |= ZINIT_ADD_PERSIST;
  if (call->options.replace)
    flags |= ZINIT_ADD_REPLACE;
  service = zinit_supervisor_add (supervisor_of (call), definition, flags, error);
  if (service == NULL)
    return FALSE;
  *ret_reply = path_reply (service);
  return TRUE;
}

static gboolean
handle_reload (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  g_autoptr (ZinitReloadResult) result =
      zinit_supervisor_reload (supervisor_of (call), call->options.allow_empty, error);
  GVariantBuilder errors;

  if (result == NULL)
    return FALSE;
  g_variant_builder_init (&errors, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < result->errors->len; i++) {
    const ZinitConfigError *failure = result->errors->pdata[i];

    g_variant_builder_add (&errors, "(@s@s)", zinit_bus_string (failure->path),
                           zinit_bus_string (failure->message));
  }
  *ret_reply = g_variant_new ("(^as^as^asa(ss))", result->added, result->changed, result->removed, &errors);
  return TRUE;
}

static gboolean
handle_shutdown (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  zinit_supervisor_shutdown (supervisor_of (call));
  return TRUE;
}

static gboolean
handle_set_log_level (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  g_autoptr (GVariant) argument = zinit_call_get_argument (call, 0);
  const char *level = g_variant_get_string (argument, NULL);

  if (strcmp (level, zinit_log_level_get ()) == 0)
    return TRUE;
  if (!zinit_log_level_set (level, error))
    return FALSE;
  zinit_bus_manager_changed (call->connection->bus, ZINIT_MANAGER_CHANGED_LOG_LEVEL);
  return TRUE;
}

static gboolean
handle_unsupported (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_NOT_SUPPORTED, "this daemon does not support %s",
               call->method->name);
  return FALSE;
}

const ZinitMethod zinit_manager_methods[] = {
  { "ListServices", NULL, ZINIT_ACCESS_PUBLIC, 0, FALSE, handle_list_services },
  { "GetService", NULL, ZINIT_ACCESS_PUBLIC, 0, TRUE, handle_get_service },
  { "List", NULL, ZINIT_ACCESS_PUBLIC,
    ZINIT_CALL_NAMES | ZINIT_CALL_STATES | ZINIT_CALL_SUB_STATES | ZINIT_CALL_CLASS, FALSE,
    zinit_bus_handle_list },
  { "ListStats", NULL, ZINIT_ACCESS_PUBLIC, ZINIT_CALL_NAMES, FALSE, zinit_bus_handle_list_stats },
  { "StartServices", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING | ZINIT_CALL_TREE, FALSE,
    zinit_bus_handle_start_services },
  { "StopServices", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING | ZINIT_CALL_TREE, FALSE,
    zinit_bus_handle_stop_services },
  { "RestartServices", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING | ZINIT_CALL_TREE, FALSE,
    zinit_bus_handle_restart_services },
  { "StartAll", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING, FALSE, zinit_bus_handle_start_all },
  { "StopAll", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING, FALSE, zinit_bus_handle_stop_all },
  { "RemoveAll", NULL, ZINIT_ACCESS_REQUEST, 0, FALSE, zinit_bus_handle_remove_all },
  { "AddService", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_PERSIST | ZINIT_CALL_REPLACE, FALSE, handle_add },
  { "Reload", NULL, ZINIT_ACCESS_REQUEST, ZINIT_CALL_ALLOW_EMPTY, FALSE, handle_reload },
  { "FollowLogs", NULL, ZINIT_ACCESS_PRIVILEGED, ZINIT_CALL_LINES, FALSE, handle_unsupported },
  { "PrepareRestart", NULL, ZINIT_ACCESS_PRIVILEGED, 0, FALSE, zinit_bus_handle_prepare_restart },
  { "Reexecute", NULL, ZINIT_ACCESS_PRIVILEGED, 0, FALSE, zinit_bus_handle_reexecute },
  { "Shutdown", NULL, ZINIT_ACCESS_REQUEST, 0, FALSE, handle_shutdown },
  { "SetLogLevel", NULL, ZINIT_ACCESS_PRIVILEGED, 0, FALSE, handle_set_log_level },
  { NULL },
};
