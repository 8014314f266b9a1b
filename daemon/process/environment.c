/* SPDX-License-Identifier: Apache-2.0
 *
 * Merging of environments. It is done for every spawn, so nothing is copied and the long layers are not
 * searched entry by entry.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/environment.h"

#include <string.h>

#define N_COMMON_KEYS 3 /* what a process of another user gets too */

static const char *const private_keys[] = {
  "NOTIFY_SOCKET", "LISTEN_FDS",     "LISTEN_PID",    "LISTEN_FDNAMES",
  "ZINIT_FDS",     "JOURNAL_STREAM", "INVOCATION_ID",
};

static guchar
key_byte (char byte)
{
  return byte == '=' ? '\0' : (guchar)byte;
}

/* Most keys differ soon, so nobody looks for their ends. */
static int
compare_keys (const char *a, const char *b)
{
  while (*a == *b && key_byte (*a) != '\0')
    a++, b++;
  return key_byte (*a) - key_byte (*b);
}

static gboolean
is_private (const char *entry)
{
  if (g_str_has_prefix (entry, "WATCHDOG_"))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (private_keys); i++)
    if (compare_keys (entry, private_keys[i]) == 0)
      return TRUE;
  return FALSE;
}

const char **
zinit_environment_inherit (char *const *environment)
{
  GPtrArray *kept = g_ptr_array_new ();

  for (guint i = 0; environment[i] != NULL; i++)
    if (!is_private (environment[i]))
      g_ptr_array_add (kept, environment[i]);
  g_ptr_array_add (kept, NULL);
  return (const char **)(void *)g_ptr_array_free (kept, FALSE);
}

const char **
zinit_environment_inherit_clean (char *const *environment, gboolean is_own)
{
  static const char *const keys[] = {
    "PATH", "LANG", "TZ", /* and now those of a user: */
    "HOME", "USER", "LOGNAME", "SHELL", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"
  };
  guint n_keys = is_own ? G_N_ELEMENTS (keys) : N_COMMON_KEYS;
  const char **kept = g_new0 (const char *, n_keys + 1);
  guint n = 0;

  for (guint i = 0; i < n_keys; i++)
    for (guint j = 0; environment[j] != NULL; j++)
      if (compare_keys (environment[j], keys[i]) == 0) {
        kept[n++] = environment[j];
        break;
      }
  return kept;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  return compare_keys (*(const char *const *)a, *(const char *const *)b);
}

void
zinit_environment_sort (GPtrArray *entries)
{
  guint n_kept = 0;

  /* It keeps the order of equal ones. */
  g_ptr_array_sort (entries, compare_entries);
  for (guint i = 0; i < entries->len; i++) {
    char *entry = g_steal_pointer (&entries->pdata[i]);

    if (i + 1 < entries->len && compare_keys (entry, entries->pdata[i + 1]) == 0)
      g_free (entry);
    else
      entries->pdata[n_kept++] = entry;
  }
  g_ptr_array_set_size (entries, (int)n_kept);
}

static guint
count (const char *const *layer)
{
  return layer == NULL ? 0 : g_strv_length ((char **)layer);
}

static gboolean
has_key (const char *const *layer, const char *entry)
{
  for (guint i = 0; layer != NULL && layer[i] != NULL; i++)
    if (compare_keys (layer[i], entry) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
sorted_has_key (const char *const *layer, guint length, const char *entry)
{
  guint low = 0;

  while (low < length) {
    guint middle = low + (length - low) / 2;
    int order = compare_keys (layer[middle], entry);

    if (order == 0)
      return TRUE;
    if (order < 0)
      low = middle + 1;
    else
      length = middle;
  }
  return FALSE;
}

const char **
zinit_environment_merge (const char *const *base, const char *const *user, const char *const *sorted,
                         const char *const *tags)
{
  guint n_base = count (base), n_user = count (user), n_sorted = count (sorted), n_tags = count (tags);
  const char **merged = g_new (const char *, n_base + n_user + n_sorted + n_tags + 1);
  guint n = 0;

  for (guint i = 0; i < n_base; i++)
    if (!has_key (tags, base[i]) && !has_key (user, base[i]) && !sorted_has_key (sorted, n_sorted, base[i]))
      merged[n++] = base[i];
  for (guint i = 0; i < n_user; i++)
    if (!has_key (tags, user[i]) && !sorted_has_key (sorted, n_sorted, user[i]))
      merged[n++] = user[i];
  for (guint i = 0; i < n_sorted; i++)
    if (!has_key (tags, sorted[i]))
      merged[n++] = sorted[i];
  for (guint i = 0; i < n_tags; i++)
    merged[n++] = tags[i];
  merged[n] = NULL;
  return merged;
}

const char *
zinit_environment_get (const char *const *environment, const char *key)
{
  for (guint i = 0; environment[i] != NULL; i++)
    if (compare_keys (environment[i], key) == 0)
      return environment[i] + strlen (key) + (environment[i][strlen (key)] == '=' ? 1 : 0);
  return NULL;
}
