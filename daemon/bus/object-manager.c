/* SPDX-License-Identifier: Apache-2.0
 *
 * GetManagedObjects: every service with every property in one pass, straight into arrays. Frontends make this
 * call when they start, and it must stay cheap with thousands of services.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/object-manager.h"

#include "bus/properties.h"
#include "names.h"
#include "object-path.h"

/* {oa{sa{sv}}} with one interface. */
static GVariant *
new_entry (const char *path, const char *interface, GVariant *properties)
{
  GVariant *entry = g_variant_new_dict_entry (g_variant_new_string (interface), properties);

  return g_variant_new_dict_entry (g_variant_new_object_path (path), g_variant_new_array (NULL, &entry, 1));
}

GVariant *
zinit_managed_objects (const ZinitBus *bus)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (bus->supervisor);
  g_autofree GVariant **entries = g_new (GVariant *, services->len + 1);
  GVariant *array;

  entries[0] = new_entry (ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE,
                          zinit_manager_properties (bus->supervisor, bus->paths, ZINIT_CHANGED_ALL));
  for (guint i = 0; i < services->len; i++) {
    const ZinitService *service = services->pdata[i];
    g_autofree char *path = zinit_object_path_for_service (zinit_service_get_name (service));

    entries[i + 1] =
        new_entry (path, ZINIT_SERVICE_INTERFACE, zinit_service_properties (service, ZINIT_CHANGED_ALL));
  }
  array = g_variant_new_array (NULL, entries, services->len + 1);
  return g_variant_new_tuple (&array, 1);
}
