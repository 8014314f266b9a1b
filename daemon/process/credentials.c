/* SPDX-License-Identifier: Apache-2.0
 *
 * Users and groups by name or number, and what of them a process needs.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/credentials.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "model/error.h"

#define MIN_ENTRY_BYTES 1024
#define MAX_ENTRY_BYTES (1 << 20) /* an entry of a group with very many members */
#define MAX_GROUPS 65536          /* as the kernel's NGROUPS_MAX */

/* One lookup with the buffer grown until the entry fits. Returns errno, 0 with *@found FALSE when there is no
 * such entry. */
static int
find_user (const char *name, const guint64 *number, struct passwd *entry, char **buffer, gboolean *found)
{
  struct passwd *result = NULL;
  int reason = ERANGE;

  for (gsize size = MIN_ENTRY_BYTES; reason == ERANGE && size <= MAX_ENTRY_BYTES; size *= 4) {
    *buffer = g_realloc (*buffer, size);
    reason = number != NULL ? getpwuid_r ((uid_t)*number, entry, *buffer, size, &result)
                            : getpwnam_r (name, entry, *buffer, size, &result);
  }
  *found = result != NULL;
  return reason;
}

static int
find_group (const char *name, struct group *entry, char **buffer, gboolean *found)
{
  struct group *result = NULL;
  int reason = ERANGE;

  for (gsize size = MIN_ENTRY_BYTES; reason == ERANGE && size <= MAX_ENTRY_BYTES; size *= 4) {
    *buffer = g_realloc (*buffer, size);
    reason = getgrnam_r (name, entry, *buffer, size, &result);
  }
  *found = result != NULL;
  return reason;
}

/* The highest number means "unchanged" to the kernel. */
static gboolean
parse_number (const char *text, guint64 *number)
{
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32 - 1, number, NULL);
}

static gboolean
refuse (GError **error, const char *step, const char *what, const char *why)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED, "%s %s: %s", step, what, why);
  return FALSE;
}

/* Some databases say that there is no such entry by one of these instead of success. */
static const char *
lookup_failure (int reason, const char *otherwise)
{
  gboolean is_absent = reason == 0 || reason == ENOENT || reason == ESRCH;

  return is_absent ? otherwise : g_strerror (reason);
}

/* @step is the first word of a message. */
static gboolean
find_gid (const char *group, const char *step, gid_t *ret_gid, GError **error)
{
  g_autofree char *buffer = NULL;
  struct group entry;
  gboolean found;
  guint64 number;
  int reason;

  if (parse_number (group, &number)) {
    *ret_gid = (gid_t)number;
    return TRUE;
  }
  reason = find_group (group, &entry, &buffer, &found);
  if (!found)
    return refuse (error, step, group, lookup_failure (reason, "no such group"));
  *ret_gid = entry.gr_gid;
  return TRUE;
}

/* The supplementary groups; just the first group for a user that the database does not know. */
static void
resolve_groups (const char *name, ZinitCredentials *identity)
{
  int capacity = 32;

  identity->groups = g_new (gid_t, capacity);
  identity->groups[0] = identity->gid;
  identity->n_groups = name != NULL ? capacity : 1;
  while (name != NULL && getgrouplist (name, identity->gid, identity->groups, &identity->n_groups) < 0 &&
         capacity < MAX_GROUPS) {
    capacity = MIN (MAX (identity->n_groups, capacity * 2), MAX_GROUPS);
    identity->groups = g_renew (gid_t, identity->groups, capacity);
    identity->n_groups = capacity;
  }
}

gboolean
zinit_credentials_resolve (const char *user, const char *group, ZinitCredentials *ret_identity,
                           GError **error)
{
  g_autofree char *buffer = NULL;
  struct passwd entry;
  gboolean found = FALSE;
  gboolean is_number;
  guint64 number;
  int reason;

  *ret_identity = (ZinitCredentials){ 0 };
  if (group != NULL && !find_gid (group, "group", &ret_identity->gid, error))
    return FALSE;
  ret_identity->sets_gid = group != NULL;
  if (user == NULL)
    return TRUE;
  is_number = parse_number (user, &number);
  reason = find_user (user, is_number ? &number : NULL, &entry, &buffer, &found);
  if (!found && !is_number)
    return refuse (error, "user", user, lookup_failure (reason, "no such user"));
  if (!found && group == NULL)
    return refuse (error, "user", user, lookup_failure (reason, "no such user, and no group is given"));
  ret_identity->uid = found ? entry.pw_uid : (uid_t)number;
  if (ret_identity->uid == geteuid ())
    return TRUE;
  ret_identity->sets_uid = ret_identity->sets_groups = TRUE;
  if (!ret_identity->sets_gid)
    ret_identity->gid = entry.pw_gid;
  ret_identity->sets_gid = TRUE;
  resolve_groups (found ? entry.pw_name : NULL, ret_identity);
  if (found) {
    ret_identity->environment[0] = g_strdup_printf ("HOME=%s", entry.pw_dir);
    ret_identity->environment[1] = g_strdup_printf ("USER=%s", entry.pw_name);
    ret_identity->environment[2] = g_strdup_printf ("LOGNAME=%s", entry.pw_name);
    ret_identity->environment[3] =
        g_strdup_printf ("SHELL=%s", *entry.pw_shell == '\0' ? "/bin/sh" : entry.pw_shell);
  }
  return TRUE;
}

gboolean
zinit_credentials_add_groups (ZinitCredentials *identity, const char *const *groups, GError **error)
{
  int n_own = identity->sets_groups ? identity->n_groups : getgroups (0, NULL);
  int n = MAX (n_own, 0);

  identity->groups = g_renew (gid_t, identity->groups, n + (int)g_strv_length ((char **)groups));
  if (!identity->sets_groups)
    n = MAX (getgroups (n, identity->groups), 0);
  for (; *groups != NULL; groups++)
    if (!find_gid (*groups, "groups", &identity->groups[n++], error))
      return FALSE;
  identity->n_groups = n;
  identity->sets_groups = TRUE;
  return TRUE;
}

void
zinit_credentials_clear (ZinitCredentials *identity)
{
  g_free (identity->groups);
  for (guint i = 0; i < G_N_ELEMENTS (identity->environment); i++)
    g_free (identity->environment[i]);
  *identity = (ZinitCredentials){ 0 };
}
