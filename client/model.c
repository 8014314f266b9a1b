/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads services from the bus. The properties are walked once: looking each of them up would be quadratic.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/model.h"

#include "client/service-names.h"
#include "client/output.h"
#include "names.h"
#include "object-path.h"

#include <string.h>

typedef struct {
  const char *property;
  const char *type;
  gsize offset;
} Field;

#define FIELD(property, type, member)                                                                        \
  {                                                                                                          \
    property, type, G_STRUCT_OFFSET (ZinitServiceInfo, member)                                               \
  }

static const Field fields[] = {
  FIELD ("Name", "s", name),
  FIELD ("Description", "s", description),
  FIELD ("Exec", "s", exec),
  FIELD ("Class", "s", service_class),
  FIELD ("WantedStatus", "s", wanted_status),
  FIELD ("State", "s", state),
  FIELD ("SubState", "s", sub_state),
  FIELD ("Health", "s", health),
  FIELD ("StatusText", "s", status_text),
  FIELD ("Oneshot", "b", oneshot),
  FIELD ("Ephemeral", "b", ephemeral),
  FIELD ("NeedsRestart", "b", needs_restart),
  FIELD ("Pid", "u", pid),
  FIELD ("RestartCount", "u", restart_count),
  FIELD ("NextRestart", "t", next_restart_usec),
  FIELD ("StartedAt", "t", started_at_usec),
  FIELD ("StateChangedAt", "t", state_changed_at_usec),
  FIELD ("FailureReason", "a{sv}", failure_reason),
  FIELD ("LastExit", "(si)", last_exit),
  FIELD ("WaitingOn", "as", waiting_on),
  FIELD ("Requires", "as", requires),
  FIELD ("After", "as", after),
  FIELD ("Wants", "as", wants),
  FIELD ("Conflicts", "as", conflicts),
  FIELD ("RequiredBy", "as", required_by),
};

static void
take_property (ZinitServiceInfo *info, const char *property, GVariant *value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (!g_str_equal (fields[i].property, property))
      continue;
    if (!g_str_equal (g_variant_get_type_string (value), fields[i].type))
      return;
    gpointer member = G_STRUCT_MEMBER_P (info, fields[i].offset);
    if (g_str_equal (fields[i].type, "s"))
      *(const char **)member = g_variant_get_string (value, NULL);
    else if (g_str_equal (fields[i].type, "b"))
      *(gboolean *)member = g_variant_get_boolean (value);
    else if (g_str_equal (fields[i].type, "u"))
      *(guint32 *)member = g_variant_get_uint32 (value);
    else if (g_str_equal (fields[i].type, "t"))
      *(guint64 *)member = g_variant_get_uint64 (value);
    else if (g_str_equal (fields[i].type, "as")) {
      g_free (*(const char ***)member);
      *(const char ***)member = g_variant_get_strv (value, NULL);
    } else {
      g_clear_pointer ((GVariant **)member, g_variant_unref);
      *(GVariant **)member = g_variant_ref (value);
    }
    return;
  }
}

ZinitServiceInfo *
zinit_service_info_new (GVariant *properties)
{
  ZinitServiceInfo *info = g_new0 (ZinitServiceInfo, 1);
  /* Serialised, so that strings lent by its children stay where they are. */
  g_variant_get_data (properties);
  info->properties = g_variant_ref (properties);
  info->name = info->description = info->exec = info->service_class = "";
  info->wanted_status = info->status_text = "";
  info->state = info->health = "unknown";
  info->sub_state = "";
  for (gsize i = 0; i < g_variant_n_children (properties); i++) {
    const char *property = NULL;
    g_autoptr (GVariant) value = NULL;
    g_variant_get_child (properties, i, "{&sv}", &property, &value);
    take_property (info, property, value);
  }
  return info;
}

void
zinit_service_info_free (ZinitServiceInfo *info)
{
  g_free (info->waiting_on);
  g_free (info->requires);
  g_free (info->after);
  g_free (info->wants);
  g_free (info->conflicts);
  g_free (info->required_by);
  g_clear_pointer (&info->failure_reason, g_variant_unref);
  g_clear_pointer (&info->last_exit, g_variant_unref);
  g_variant_unref (info->properties);
  g_free (info);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  const ZinitServiceInfo *const *first = a, *const *second = b;
  return strcmp ((*first)->name, (*second)->name);
}

GPtrArray *
zinit_model_fetch (ZinitClient *client, GError **error)
{
  g_autoptr (GVariant) reply =
      zinit_command_call_object (client, ZINIT_ROOT_PATH, ZINIT_OBJECT_MANAGER_INTERFACE, "GetManagedObjects",
                                 NULL, "(a{oa{sa{sv}}})", error);
  if (reply == NULL)
    return NULL;

  g_autoptr (GVariant) objects = g_variant_get_child_value (reply, 0);
  GPtrArray *services = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_service_info_free);
  for (gsize i = 0; i < g_variant_n_children (objects); i++) {
    g_autoptr (GVariant) interfaces = NULL;
    g_variant_get_child (objects, i, "{o@a{sa{sv}}}", NULL, &interfaces);
    g_autoptr (GVariant) properties =
        g_variant_lookup_value (interfaces, ZINIT_SERVICE_INTERFACE, G_VARIANT_TYPE_VARDICT);
    if (properties != NULL)
      g_ptr_array_add (services, zinit_service_info_new (properties));
  }
  g_ptr_array_sort (services, compare_names);
  return services;
}

GVariant *
zinit_model_fetch_properties (ZinitClient *client, const char *path, const char *interface, GError **error)
{
  g_autoptr (GVariant) reply = zinit_command_call_object (client, path, ZINIT_PROPERTIES_INTERFACE, "GetAll",
                                                          g_variant_new ("(s)", interface), "(a{sv})", error);
  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

ZinitServiceInfo *
zinit_model_fetch_one (ZinitClient *client, const char *name, GError **error)
{
  g_autofree char *path = zinit_object_path_for_service (name);
  g_autoptr (GError) local = NULL;
  g_autoptr (GVariant) properties =
      zinit_model_fetch_properties (client, path, ZINIT_SERVICE_INTERFACE, &local);
  if (properties != NULL)
    return zinit_service_info_new (properties);

  /* The manager knows how to say that there is none. */
  if (zinit_command_exit_code (local) == ZINIT_EXIT_FAILED) {
    g_autoptr (GVariant) found =
        zinit_command_call (client, "GetService", g_variant_new ("(s)", name), "(o)", error);
    if (found == NULL)
      return NULL;
  }
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

GPtrArray *
zinit_model_fetch_named (ZinitClient *client, char **words, ZinitExitCode *exit_code)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = zinit_names_expand (client, words, exit_code);
  if (names == NULL)
    return NULL;
  if (*names == NULL) {
    GPtrArray *all = zinit_model_fetch (client, &error);
    if (all == NULL)
      *exit_code = zinit_command_fail (error);
    return all;
  }

  g_autoptr (GPtrArray) services = g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_service_info_free);
  for (gsize i = 0; names[i] != NULL; i++) {
    g_autoptr (GError) local = NULL;
    ZinitServiceInfo *info = zinit_model_fetch_one (client, names[i], &local);
    if (info != NULL) {
      g_ptr_array_add (services, info);
      continue;
    }
    *exit_code = zinit_command_worse (*exit_code, zinit_names_fail (client, names[i], local));
    if (*exit_code == ZINIT_EXIT_NO_DAEMON)
      return NULL;
  }
  return g_steal_pointer (&services);
}

ZinitServiceInfo *
zinit_model_find (GPtrArray *services, const char *name)
{
  gsize low = 0, high = services->len;
  while (low < high) {
    gsize middle = low + (high - low) / 2;
    ZinitServiceInfo *info = g_ptr_array_index (services, middle);
    int order = strcmp (name, info->name);
    if (order == 0)
      return info;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
