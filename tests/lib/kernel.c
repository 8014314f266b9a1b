/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel under the tests can do.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "kernel.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of linux/pidfd.h, which is younger than the headers of Debian 12. */
typedef struct {
  guint64 mask;
  guint64 cgroup_id;
  guint32 ids[11];
  gint32 exit_status;
} PidfdInfo;

#define INFO_EXIT (1ULL << 3)
#define GET_INFO _IOWR (0xFF, 11, PidfdInfo)

static gboolean
ask_about_child (void)
{
  PidfdInfo info = { .mask = INFO_EXIT };
  pid_t pid = fork ();
  gboolean is_told;
  int pidfd;

  if (pid == 0)
    _exit (0);
  g_assert_cmpint (pid, >, 0);
  pidfd = (int)syscall (SYS_pidfd_open, pid, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  is_told = pidfd >= 0 && ioctl (pidfd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT) != 0;
  if (pidfd >= 0)
    close (pidfd);
  return is_told;
}

gboolean
kernel_tells_exits (void)
{
  static int is_told = -1;

  if (is_told < 0)
    is_told = ask_about_child ();
  return is_told;
}
