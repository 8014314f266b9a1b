/* SPDX-License-Identifier: Apache-2.0
 *
 * What each property of org.zinit.Service and org.zinit.Manager answers, and which change of the supervisor
 * makes it change.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/properties.h"

#include "bus/errors.h"
#include "bus/values.h"
#include "model/log-level.h"
#include "names.h"
#include "zinit-config.h"

typedef struct {
  const char *name;
  GVariant *(*get) (const ZinitService *service);
  guint changes; /* bits of ZinitChanges; 0 = it never changes */
} ServiceProperty;

/* A getter that is one expression. */
#define GETTER(name, expression)                                                                             \
  static GVariant *get_##name (const ZinitService *service)                                                  \
  {                                                                                                          \
    return expression;                                                                                       \
  }
#define DEFINITION (zinit_service_get_definition (service))
#define LIST(list) zinit_value_names ((const char *const *)(list))

GETTER (name, g_variant_new_string (zinit_service_get_name (service)))
GETTER (exec, zinit_bus_string (DEFINITION->exec))
GETTER (description,
        DEFINITION->description != NULL ? zinit_bus_string (DEFINITION->description) : zinit_value_word (""))
GETTER (class, zinit_value_word (zinit_class_words[DEFINITION->service_class]))
GETTER (oneshot, zinit_value_boolean (DEFINITION->oneshot))
GETTER (ephemeral, zinit_value_boolean (zinit_service_get_status (service)->is_ephemeral))
GETTER (wanted_status, zinit_value_word (zinit_wanted_words[zinit_service_get_status (service)->wanted]))
GETTER (state, zinit_value_word (zinit_state_to_string (zinit_service_get_status (service)->state)))
GETTER (sub_state,
        zinit_value_word (zinit_sub_state_to_string (zinit_service_get_status (service)->sub_state)))
GETTER (waiting_on, zinit_value_names ((const char *const *)zinit_service_get_status (service)->waiting_on))
GETTER (pid, zinit_value_small_number ((guint32)zinit_service_get_status (service)->pid))
GETTER (restart_count, zinit_value_small_number (zinit_service_get_status (service)->restart_count))
GETTER (restart_delay, zinit_value_number (zinit_service_get_status (service)->restart_delay_ms))
GETTER (next_restart, zinit_value_number ((guint64)zinit_service_get_status (service)->next_restart_usec))
GETTER (started_at, zinit_value_number ((guint64)zinit_service_get_status (service)->started_at_usec))
GETTER (state_changed_at,
        zinit_value_number ((guint64)zinit_service_get_status (service)->state_changed_at_usec))
GETTER (requires, LIST (DEFINITION->requires))
GETTER (after, LIST (DEFINITION->after))
GETTER (wants, LIST (DEFINITION->wants))
GETTER (conflicts, LIST (DEFINITION->conflicts))
GETTER (needs_restart, zinit_value_boolean (zinit_service_get_status (service)->needs_restart))
GETTER (can_start, zinit_value_boolean (zinit_service_get_status (service)->can_start))
GETTER (can_stop, zinit_value_boolean (zinit_service_get_status (service)->can_stop))
GETTER (health, zinit_value_word (zinit_service_health_word (service)))

const char *
zinit_service_health_word (const ZinitService *service)
{
  /* A service with a check that has not been made yet is neither well nor ill. */
  return DEFINITION->health_type == ZINIT_HEALTH_NONE ? "none" : "unknown";
}

static GVariant *
get_failure_reason (const ZinitService *service)
{
  const ZinitFailure *failure = (&zinit_service_get_status (service)->failure);
  const char *field = zinit_failure_field_name (failure->type);
  static GVariant *none;
  GVariantBuilder builder;

  if (none == NULL)
    none = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  if (failure->type == ZINIT_FAILURE_NONE)
    return none;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "type",
                         zinit_value_word (zinit_failure_type_to_string (failure->type)));
  if (field != NULL)
    g_variant_builder_add (&builder, "{sv}", field,
                           zinit_failure_field_is_text (failure->type)
                               ? zinit_bus_string (failure->text)
                               : g_variant_new_int32 (failure->number));
  return g_variant_builder_end (&builder);
}

static GVariant *
get_last_exit (const ZinitService *service)
{
  ZinitExit exit = zinit_service_get_status (service)->last_exit;

  return g_variant_new ("(si)", zinit_exit_kind_to_string (exit.kind),
                        exit.kind == ZINIT_EXIT_UNKNOWN ? -1 : exit.value);
}

static GVariant *
get_required_by (const ZinitService *service)
{
  g_auto (GStrv) list = zinit_service_dup_required_by (service);

  return LIST (list);
}

static GVariant *
get_status_text (const ZinitService *service)
{
  g_autofree char *text = g_strdup (zinit_service_get_status (service)->text);

  return *text != '\0' ? zinit_bus_string (text) : zinit_value_word ("");
}

static const ServiceProperty service_properties[] = {
  { "Name", get_name, 0 },
  { "Exec", get_exec, ZINIT_CHANGED_DEFINITION },
  { "Description", get_description, ZINIT_CHANGED_DEFINITION },
  { "Class", get_class, ZINIT_CHANGED_DEFINITION },
  { "Oneshot", get_oneshot, ZINIT_CHANGED_DEFINITION },
  { "Ephemeral", get_ephemeral, ZINIT_CHANGED_EPHEMERAL },
  { "WantedStatus", get_wanted_status, ZINIT_CHANGED_WANTED_STATUS },
  { "State", get_state, ZINIT_CHANGED_STATE },
  { "WaitingOn", get_waiting_on, ZINIT_CHANGED_WAITING_ON },
  { "FailureReason", get_failure_reason, ZINIT_CHANGED_FAILURE_REASON },
  { "Pid", get_pid, ZINIT_CHANGED_PID },
  { "LastExit", get_last_exit, ZINIT_CHANGED_LAST_EXIT },
  { "RestartCount", get_restart_count, ZINIT_CHANGED_RESTART_COUNT },
  { "RestartDelay", get_restart_delay, ZINIT_CHANGED_RESTART_DELAY },
  { "NextRestart", get_next_restart, ZINIT_CHANGED_NEXT_RESTART },
  { "StartedAt", get_started_at, ZINIT_CHANGED_STARTED_AT },
  { "StateChangedAt", get_state_changed_at, ZINIT_CHANGED_STATE_CHANGED_AT },
  { "Requires", get_requires, ZINIT_CHANGED_DEFINITION },
  { "After", get_after, ZINIT_CHANGED_DEFINITION },
  { "Wants", get_wants, ZINIT_CHANGED_DEFINITION },
  { "Conflicts", get_conflicts, ZINIT_CHANGED_DEFINITION },
  { "RequiredBy", get_required_by, ZINIT_CHANGED_REQUIRED_BY },
  { "Health", get_health, ZINIT_CHANGED_HEALTH | ZINIT_CHANGED_DEFINITION },
  { "SubState", get_sub_state, ZINIT_CHANGED_SUB_STATE },
  { "StatusText", get_status_text, ZINIT_CHANGED_STATUS_TEXT },
  { "NeedsRestart", get_needs_restart, ZINIT_CHANGED_NEEDS_RESTART },
  { "CanStart", get_can_start, ZINIT_CHANGED_CAN_START },
  { "CanStop", get_can_stop, ZINIT_CHANGED_CAN_STOP },
};

GVariant *
zinit_service_property (const ZinitService *service, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (service_properties); i++)
    if (strcmp (service_properties[i].name, name) == 0)
      return service_properties[i].get (service);
  return NULL;
}

/* {sv} of one property. Not only shared values but also their entries are made once for a run of services
 * that have the same. */
static GVariant *
new_entry (const ServiceProperty *property, const ZinitService *service)
{
  static struct {
    GVariant *value;
    GVariant *entry;
  } last[G_N_ELEMENTS (service_properties)];
  gsize index = property - service_properties;
  GVariant *value = property->get (service);
  GVariant *entry;

  if (value == last[index].value)
    return last[index].entry;
  if (g_variant_is_floating (value))
    return g_variant_new_dict_entry (zinit_value_word (property->name), g_variant_new_variant (value));

  entry = g_variant_ref_sink (
      g_variant_new_dict_entry (zinit_value_word (property->name), g_variant_new_variant (value)));
  g_clear_pointer (&last[index].entry, g_variant_unref);
  last[index].value = value;
  last[index].entry = entry;
  return entry;
}

GVariant *
zinit_service_properties (const ZinitService *service, guint changes)
{
  GVariant *entries[G_N_ELEMENTS (service_properties)];
  gsize n_entries = 0;

  for (guint i = 0; i < G_N_ELEMENTS (service_properties); i++) {
    const ServiceProperty *property = &service_properties[i];

    if (changes == ZINIT_CHANGED_ALL || (property->changes & changes) != 0)
      entries[n_entries++] = new_entry (property, service);
  }
  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), entries, n_entries);
}

typedef struct {
  const char *name;
  GVariant *(*get) (ZinitSupervisor *supervisor, const ZinitPaths *paths);
  guint changes; /* bits of ZinitManagerChanges; 0 = it never changes, or is not signalled */
} ManagerProperty;

#define MANAGER_GETTER(name, expression)                                                                     \
  static GVariant *get_##name (ZinitSupervisor *supervisor, const ZinitPaths *paths)                         \
  {                                                                                                          \
    return expression;                                                                                       \
  }

/* The file without its folder, and the service if the error is about one. */
static GVariant *
get_config_errors (ZinitSupervisor *supervisor, const ZinitPaths *paths)
{
  const GPtrArray *errors = zinit_supervisor_get_config_errors (supervisor);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sss)"));
  for (guint i = 0; i < errors->len; i++) {
    const ZinitConfigError *error = errors->pdata[i];

    g_variant_builder_add (&builder, "(@s@s@s)", zinit_bus_string (error->path),
                           zinit_bus_string (error->name), zinit_bus_string (error->message));
  }
  return g_variant_builder_end (&builder);
}

MANAGER_GETTER (version, g_variant_new_string (ZINIT_VERSION))
MANAGER_GETTER (interface_version, g_variant_new_uint32 (ZINIT_INTERFACE_VERSION))
MANAGER_GETTER (sequence, g_variant_new_uint64 (zinit_supervisor_get_sequence (supervisor)))
MANAGER_GETTER (config_dir, zinit_bus_string (zinit_supervisor_get_config_dir (supervisor)))
MANAGER_GETTER (runtime_dir, zinit_bus_string (paths->runtime_dir))
MANAGER_GETTER (socket_path, zinit_bus_string (paths->socket))
MANAGER_GETTER (boot_time, g_variant_new_uint64 ((guint64)zinit_supervisor_get_boot_time (supervisor)))
MANAGER_GETTER (manager_state, g_variant_new_string (zinit_supervisor_get_state (supervisor)))
MANAGER_GETTER (service_count, g_variant_new_uint32 (zinit_supervisor_count (supervisor)))
MANAGER_GETTER (failed_count, g_variant_new_uint32 (zinit_supervisor_count_failed (supervisor)))
MANAGER_GETTER (log_level, g_variant_new_string (zinit_log_level_get ()))

static const ManagerProperty manager_properties[] = {
  { "Version", get_version, 0 },
  { "InterfaceVersion", get_interface_version, 0 },
  { "Sequence", get_sequence, 0 },
  { "ConfigDir", get_config_dir, 0 },
  { "RuntimeDir", get_runtime_dir, 0 },
  { "SocketPath", get_socket_path, 0 },
  { "BootTime", get_boot_time, 0 },
  { "State", get_manager_state, ZINIT_MANAGER_CHANGED_STATE },
  { "ServiceCount", get_service_count, ZINIT_MANAGER_CHANGED_SERVICE_COUNT },
  { "FailedCount", get_failed_count, ZINIT_MANAGER_CHANGED_FAILED_COUNT },
  { "ConfigErrors", get_config_errors, ZINIT_MANAGER_CHANGED_CONFIG_ERRORS },
  { "LogLevel", get_log_level, ZINIT_MANAGER_CHANGED_LOG_LEVEL },
};

GVariant *
zinit_manager_property (ZinitSupervisor *supervisor, const ZinitPaths *paths, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (manager_properties); i++)
    if (strcmp (manager_properties[i].name, name) == 0)
      return manager_properties[i].get (supervisor, paths);
  return NULL;
}

GVariant *
zinit_manager_properties (ZinitSupervisor *supervisor, const ZinitPaths *paths, guint changes)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < G_N_ELEMENTS (manager_properties); i++) {
    const ManagerProperty *property = &manager_properties[i];

    if (changes == ZINIT_CHANGED_ALL || (property->changes & changes) != 0)
      g_variant_builder_add (&builder, "{sv}", property->name, property->get (supervisor, paths));
  }
  return g_variant_builder_end (&builder);
}
