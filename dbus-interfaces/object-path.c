/* SPDX-License-Identifier: Apache-2.0
 *
 * Escaping of service names for object paths. It knows nothing of which names a service may have: every
 * string without a NUL goes there and back.
 */
#define G_LOG_DOMAIN "zinit-contract"

#include "object-path.h"

#include <string.h>

#include "names.h"

char *
zinit_object_path_escape (const char *name)
{
  /* An object path has no empty element, so the empty string needs a spelling of its own. */
  if (*name == '\0')
    return g_strdup ("_");

  GString *element = g_string_sized_new (strlen (name) * 2);
  for (const char *c = name; *c != '\0'; c++) {
    if (g_ascii_isalpha (*c) || (g_ascii_isdigit (*c) && c != name))
      g_string_append_c (element, *c);
    else
      g_string_append_printf (element, "_%02x", (guchar)*c);
  }
  return g_string_free (element, FALSE);
}

char *
zinit_object_path_unescape (const char *element)
{
  if (strcmp (element, "_") == 0)
    return g_strdup ("");

  g_autoptr (GString) name = g_string_sized_new (strlen (element));
  for (const char *c = element; *c != '\0'; c++) {
    if (*c != '_') {
      g_string_append_c (name, *c);
      continue;
    }
    int high = g_ascii_xdigit_value (c[1]);
    int low = high < 0 ? -1 : g_ascii_xdigit_value (c[2]);
    if (low < 0 || (high == 0 && low == 0))
      return NULL;
    g_string_append_c (name, (char)(high << 4 | low));
    c += 2;
  }

  /* One name has one path: what escapes differently (upper-case digits, a needless escape) is none. */
  g_autofree char *again = zinit_object_path_escape (name->str);
  if (strcmp (again, element) != 0)
    return NULL;
  return g_strdup (name->str);
}

char *
zinit_object_path_for_service (const char *name)
{
  g_autofree char *element = zinit_object_path_escape (name);
  return g_strconcat (ZINIT_SERVICE_PREFIX "/", element, NULL);
}
