/* SPDX-License-Identifier: Apache-2.0
 *
 * Tags in the environment. A process may have overwritten it, or the kernel may not show it: a process
 * without tags may still be a service's.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/tags.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "model/error.h"
#include "process/procfs.h"

/* The kernel allows arguments and environment that much by default. */
#define MAX_ENVIRONMENT_BYTES (2 << 20)

char *
zinit_tags_instance_for (const char *instance, uid_t uid)
{
  g_autofree char *number = g_strdup_printf ("%u", (guint)uid);
  char *derived;

  if (uid == geteuid ())
    return g_strdup (instance);
  derived =
      g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *)instance, strlen (instance), number, -1);
  derived[MIN (strlen (instance), strlen (derived))] = '\0';
  return derived;
}

/* A process that knows what its user's services have may have become another user's meanwhile. */
static gboolean
is_instance_for (pid_t pid, const char *tag, const char *instance)
{
  g_autofree char *derived = NULL;
  uid_t uid;

  if (g_strcmp0 (tag, instance) == 0)
    return TRUE;
  if (tag == NULL || !zinit_proc_read_single_uid (pid, &uid))
    return FALSE;
  derived = zinit_tags_instance_for (instance, uid);
  return g_str_equal (tag, derived);
}

void
zinit_tags_clear (ZinitTags *tags)
{
  g_clear_pointer (&tags->service, g_free);
}

/* FALSE with errno when it cannot be read now, as for a process that has just come to its exec; what may
 * never be read is empty. A zombie never has one again, and its executable is gone. */
static gboolean
read_environment (pid_t pid, GString *environment)
{
  char target[2];
  gboolean is_read = zinit_proc_read_file (pid, "environ", MAX_ENVIRONMENT_BYTES, environment);

  if (is_read && environment->len == 0 && zinit_proc_read_link (pid, "exe", target, sizeof target) &&
      zinit_proc_is_executing (pid)) {
    errno = EAGAIN;
    return FALSE;
  }
  return is_read || !zinit_error_is_transient (errno);
}

/* The last of a name counts: ours are set after all others. */
static const char *
find (const GString *environment, const char *name, gsize length)
{
  const char *found = NULL;

  for (const char *at = environment->str; at < environment->str + environment->len; at += strlen (at) + 1)
    if (strncmp (at, name, length) == 0 && at[length] == '=')
      found = at + length + 1;
  return found;
}

static guint64
find_number (const GString *environment, const char *name, guint64 maximum)
{
  const char *text = find (environment, name, strlen (name));
  guint64 number = 0;

  return text != NULL && g_ascii_string_to_unsigned (text, 10, 0, maximum, &number, NULL) ? number : 0;
}

gboolean
zinit_tags_read (pid_t pid, const char *instance, ZinitTags *ret_tags)
{
  g_autoptr (GString) environment = g_string_new (NULL);
  const char *of, *service;

  *ret_tags = (ZinitTags){ 0 };
  if (!read_environment (pid, environment))
    return FALSE;
  of = find (environment, ZINIT_TAG_INSTANCE, strlen (ZINIT_TAG_INSTANCE));
  service = find (environment, ZINIT_TAG_SERVICE, strlen (ZINIT_TAG_SERVICE));
  errno = 0;
  if (service == NULL || !is_instance_for (pid, of, instance)) {
    errno = zinit_error_is_transient (errno) ? errno : 0;
    return FALSE;
  }
  if (!zinit_proc_is_of_our_namespace (pid)) {
    errno = zinit_error_is_transient (errno) ? errno : 0;
    return FALSE;
  }
  ret_tags->service = g_strdup (service);
  ret_tags->run = find_number (environment, ZINIT_TAG_RUN, G_MAXUINT64);
  ret_tags->main = (pid_t)find_number (environment, ZINIT_TAG_PID, G_MAXINT32);
  return TRUE;
}

gboolean
zinit_tags_read_run (pid_t pid, ZinitTags *ret_tags)
{
  g_autoptr (GString) environment = g_string_new (NULL);
  const char *service;

  *ret_tags = (ZinitTags){ 0 };
  if (!read_environment (pid, environment))
    return FALSE;
  errno = 0;
  service = find (environment, ZINIT_TAG_SERVICE, strlen (ZINIT_TAG_SERVICE));
  if (service == NULL)
    return FALSE;
  ret_tags->service = g_strdup (service);
  ret_tags->run = find_number (environment, ZINIT_TAG_RUN, G_MAXUINT64);
  ret_tags->main = (pid_t)find_number (environment, ZINIT_TAG_PID, G_MAXINT32);
  return TRUE;
}

char *
zinit_tags_read_instance (pid_t pid, const char *folder)
{
  g_autoptr (GString) environment = g_string_new (NULL);
  gboolean is_it;
  uid_t uid;

  errno = 0;
  /* Most have no tags, so these come first. */
  is_it = read_environment (pid, environment) &&
          find_number (environment, ZINIT_TAG_PID, G_MAXINT32) == (guint64)pid &&
          g_strcmp0 (find (environment, ZINIT_TAG_FOLDER, strlen (ZINIT_TAG_FOLDER)), folder) == 0 &&
          zinit_proc_read_single_uid (pid, &uid) && uid == geteuid () && zinit_proc_is_of_our_namespace (pid);
  if (is_it)
    return g_strdup (find (environment, ZINIT_TAG_INSTANCE, strlen (ZINIT_TAG_INSTANCE)));
  errno = zinit_error_is_transient (errno) ? errno : 0;
  return NULL;
}

gboolean
zinit_tags_are_on (pid_t pid, const char *const *tags)
{
  g_autoptr (GString) environment = g_string_new (NULL);

  if (!read_environment (pid, environment))
    return FALSE;
  for (guint i = 0; tags[i] != NULL; i++) {
    gsize length = strcspn (tags[i], "=");

    if (g_strcmp0 (find (environment, tags[i], length), tags[i] + length + 1) != 0)
      return FALSE;
  }
  return zinit_proc_is_of_our_namespace (pid);
}

typedef struct {
  pid_t group;
  const char *const *tags;
  ZinitTaggedFunc func;
  gpointer data;
  guint n;
} Walk;

static gboolean
is_in_group (pid_t pid, gpointer data)
{
  return getpgid (pid) == ((const Walk *)data)->group;
}

/* The pidfd comes before the questions, so that the process that is checked is the one that is opened. */
static void
examine (const ZinitProcEntry *entry, gpointer data)
{
  Walk *walk = data;
  int pidfd = entry->is_dead ? -1 : pidfd_open (entry->pid, 0);

  if (pidfd < 0)
    return;
  if (is_in_group (entry->pid, walk) && zinit_tags_are_on (entry->pid, walk->tags))
    walk->n += walk->func (entry->pid, pidfd, walk->data) ? 1 : 0;
  close (pidfd);
}

gboolean
zinit_tags_walk_group (pid_t group, const char *const *tags, ZinitTaggedFunc func, gpointer data,
                       guint *ret_count)
{
  Walk walk = { group, tags, func, data, 0 };
  gboolean is_walked = zinit_proc_walk (is_in_group, examine, &walk);

  if (ret_count != NULL)
    *ret_count = walk.n;
  return is_walked;
}
