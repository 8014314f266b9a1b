/* SPDX-License-Identifier: Apache-2.0
 *
 * The soft limit is lowered for the time in which services get descriptors, so that the kernel does the
 * counting. That costs three system calls, a few microseconds where a start takes hundreds.
 */
#define G_LOG_DOMAIN "zinit-loop"

#include "loop/reserve.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model/limits.h"

static struct rlimit unlocked; /* while the reserve is locked */
static gboolean is_locked;

static struct rlimit
read_limit (void)
{
  struct rlimit limit = { 0, 0 };

  getrlimit (RLIMIT_NOFILE, &limit);
  return limit;
}

guint64
zinit_descriptor_limit (void)
{
  return is_locked ? unlocked.rlim_cur : read_limit ().rlim_cur;
}

guint64
zinit_descriptor_limit_raise (void)
{
  struct rlimit before = read_limit ();
  struct rlimit raised = { before.rlim_max, before.rlim_max };

  if (setrlimit (RLIMIT_NOFILE, &raised) != 0)
    g_info ("cannot raise the limit of open files to %" G_GUINT64_FORMAT ": %s", (guint64)raised.rlim_max,
            g_strerror (errno));
  return before.rlim_cur;
}

/* Of a small limit only a quarter is reserved, so that something is left for services. */
static rlim_t
without (rlim_t limit, rlim_t reserved)
{
  return limit - MIN (reserved, limit / 4);
}

void
zinit_reserve_lock (guint n_more)
{
  int reason = errno;
  struct rlimit locked;

  g_return_if_fail (!is_locked);

  unlocked = locked = read_limit ();
  locked.rlim_cur = without (unlocked.rlim_cur, ZINIT_RESERVED_DESCRIPTORS);
  locked.rlim_cur -= MIN (n_more, locked.rlim_cur);
  is_locked = setrlimit (RLIMIT_NOFILE, &locked) == 0;
  errno = reason;
}

void
zinit_reserve_unlock (void)
{
  int reason = errno;

  if (is_locked)
    setrlimit (RLIMIT_NOFILE, &unlocked);
  is_locked = FALSE;
  errno = reason;
}

gboolean
zinit_descriptors_are_left (guint count)
{
  int fd = eventfd (0, EFD_CLOEXEC);
  gboolean are_left = fd >= 0 && (count <= 1 || zinit_descriptors_are_left (count - 1));
  int reason = errno;

  if (fd >= 0)
    close (fd);
  errno = reason;
  return are_left;
}

gboolean
zinit_reserve_is_core (int fd)
{
  return (rlim_t)fd >= without (read_limit ().rlim_cur, ZINIT_CORE_DESCRIPTORS);
}
