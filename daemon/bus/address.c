/* SPDX-License-Identifier: Apache-2.0
 *
 * "KIND:KEY=VALUE,KEY=VALUE;KIND:…" with bytes of values written as %2f.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/address.h"

#include <string.h>

#include "model/error.h"

static gboolean
refuse (GError **error, const char *entry, const char *why)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS,
               "the address \"%s\" cannot be used: %s; unix:path=PATH, unix:abstract=NAME and "
               "unix:runtime=yes are allowed",
               entry, why);
  return FALSE;
}

/* @name may begin with a byte 0, which stands for an abstract one. */
static gboolean
set_name (ZinitBusAddress *address, const char *name, gsize length)
{
  struct sockaddr_un *un = &address->address;

  /* A path ends with a byte 0, an abstract name ends where its length says. */
  if (length == 0 || length >= sizeof un->sun_path)
    return FALSE;
  *un = (struct sockaddr_un){ .sun_family = AF_UNIX };
  memcpy (un->sun_path, name, length);
  address->length =
      (socklen_t)(G_STRUCT_OFFSET (struct sockaddr_un, sun_path) + length + (name[0] != '\0' ? 1 : 0));
  return TRUE;
}

/* FALSE for a key that says nothing about the place, as "guid". */
static gboolean
make_name (const char *key, const char *value, GString *ret_name)
{
  if (strcmp (key, "path") == 0) {
    g_string_assign (ret_name, value);
  } else if (strcmp (key, "abstract") == 0) {
    g_string_truncate (ret_name, 0);
    g_string_append_c (ret_name, '\0');
    g_string_append (ret_name, value);
  } else if (strcmp (key, "runtime") == 0 && strcmp (value, "yes") == 0) {
    g_string_printf (ret_name, "%s/bus", g_get_user_runtime_dir ());
  } else {
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_entry (const char *entry, ZinitBusAddress *ret_address, GError **error)
{
  static const char prefix[] = "unix:";
  g_auto (GStrv) pairs = NULL;
  g_autoptr (GString) name = g_string_new (NULL);

  if (!g_str_has_prefix (entry, prefix))
    return refuse (error, entry, "it is not of the kind unix");
  pairs = g_strsplit (entry + strlen (prefix), ",", -1);
  for (char **pair = pairs; *pair != NULL; pair++) {
    g_autofree char *value = NULL;
    char *equals = strchr (*pair, '=');

    value = equals != NULL ? g_uri_unescape_string (equals + 1, NULL) : NULL;
    if (value == NULL)
      return refuse (error, entry, "it is not written as KEY=VALUE");
    *equals = '\0';
    make_name (*pair, value, name);
  }
  if (name->len == 0)
    return refuse (error, entry, "it names no place");
  if (!set_name (ret_address, name->str, name->len))
    return refuse (error, entry, "its name is too long");
  return TRUE;
}

GArray *
zinit_bus_address_parse (const char *text, GError **error)
{
  g_autoptr (GArray) addresses = g_array_new (FALSE, FALSE, sizeof (ZinitBusAddress));
  g_autoptr (GError) first_error = NULL;
  g_auto (GStrv) entries = g_strsplit (text, ";", -1);

  for (char **entry = entries; *entry != NULL; entry++) {
    ZinitBusAddress address;

    if (**entry != '\0' && parse_entry (*entry, &address, first_error == NULL ? &first_error : NULL))
      g_array_append_val (addresses, address);
  }
  if (addresses->len > 0)
    return g_steal_pointer (&addresses);
  if (first_error != NULL)
    g_propagate_error (error, g_steal_pointer (&first_error));
  else
    refuse (error, text, "it is empty");
  return NULL;
}
