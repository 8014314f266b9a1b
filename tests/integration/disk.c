/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfs, of which the kernel gives to every root of a namespace: its limits are those of any disk.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 64 /* as the options of the mount say */
#define MOUNT_OPTIONS "size=384k,nr_inodes=64,mode=0755"

static char why_not[256]; /* empty = we are in it */

static gboolean
write_to (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gssize length = (gssize)strlen (text);
  gboolean is_written = fd >= 0 && write (fd, text, (gsize)length) == length;

  if (fd >= 0)
    close (fd);
  return is_written;
}

static gboolean
become_root (uid_t uid, gid_t gid)
{
  g_autofree char *users = g_strdup_printf ("0 %u 1", uid);
  g_autofree char *groups = g_strdup_printf ("0 %u 1", gid);

  return write_to ("/proc/self/uid_map", users) && write_to ("/proc/self/setgroups", "deny") &&
         write_to ("/proc/self/gid_map", groups);
}

void
disk_enter_namespace (void)
{
  uid_t uid = geteuid ();
  gid_t gid = getegid ();

  if (unshare (uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0 ||
      (uid != 0 && !become_root (uid, gid)) || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    g_snprintf (why_not, sizeof why_not, "no mount namespace: %s", g_strerror (errno));
}

gboolean
disk_is_there (void)
{
  if (why_not[0] != '\0')
    g_test_skip (why_not);
  return why_not[0] == '\0';
}

Harness *
disk_new (void)
{
  Harness *harness = harness_new ();

  if (mount ("tmpfs", harness->runtime_dir, "tmpfs", 0, MOUNT_OPTIONS) != 0)
    g_error ("tmpfs on %s: %s", harness->runtime_dir, g_strerror (errno));
  return harness;
}

static char *
filler_path (Harness *harness, int number)
{
  g_autofree char *name = g_strdup_printf ("filler-%d", number);

  return g_build_filename (harness->runtime_dir, name, NULL);
}

void
disk_fill (Harness *harness)
{
  static const char block[4096];

  for (int i = 0; i < MAX_FILES; i++) {
    g_autofree char *path = filler_path (harness, i);
    int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0) {
      g_assert_cmpint (errno, ==, ENOSPC);
      return;
    }
    while (write (fd, block, sizeof block) > 0)
      ;
    g_assert_cmpint (errno, ==, ENOSPC);
    close (fd);
  }
}

void
disk_make_room (Harness *harness)
{
  for (int i = 0; i < MAX_FILES; i++) {
    g_autofree char *path = filler_path (harness, i);

    unlink (path);
  }
}

/* The file system itself cannot become read-only while something is mapped; a view of it over the folder can.
 */
void
disk_set_read_only (Harness *harness, gboolean is_read_only)
{
  const char *path = harness->runtime_dir;
  unsigned long flags = MS_BIND | MS_REMOUNT | (is_read_only ? MS_RDONLY : 0);

  if (is_read_only)
    g_assert_cmpint (mount (path, path, NULL, MS_BIND, NULL), ==, 0);
  g_assert_cmpint (mount (NULL, path, NULL, flags, NULL), ==, 0);
}
