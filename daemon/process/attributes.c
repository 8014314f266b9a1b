/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the attributes of a process from its definition, and setting them with plain system calls. None of
 * these calls reaches the daemon, with which the child may share its memory: limits, priority and mask belong
 * to a process, and the kernel passes over the parent of a vfork when it sets oom_score_adj.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/attributes.h"
#include "process/in-child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

void
zinit_attributes_read (const ZinitDefinition *definition, const struct rlimit *files,
                       ZinitAttributes *ret_attributes)
{
  *ret_attributes = (ZinitAttributes){ .no_new_privs = definition->no_new_privs };
  ret_attributes->limits[ZINIT_RESOURCE_NOFILE] = *files;
  ret_attributes->has_limit[ZINIT_RESOURCE_NOFILE] = TRUE;
  for (guint i = 0; i < ZINIT_N_RESOURCES; i++)
    if (definition->limits[i] != NULL)
      ret_attributes->has_limit[i] =
          zinit_resource_limit_parse (definition->limits[i], &ret_attributes->limits[i], NULL);
  if (definition->umask != NULL) {
    ret_attributes->has_umask = TRUE;
    ret_attributes->umask = (mode_t)g_ascii_strtoull (definition->umask, NULL, 8);
  }
  if (definition->nice.is_given) {
    ret_attributes->has_nice = TRUE;
    ret_attributes->nice = definition->nice.number;
  }
  if (definition->oom_score_adj.is_given)
    ret_attributes->oom_score_adj_length =
        (gsize)g_snprintf (ret_attributes->oom_score_adj, sizeof ret_attributes->oom_score_adj, "%d",
                           definition->oom_score_adj.number);
}

ZINIT_IN_CHILD static gboolean
set_oom_score_adj (const ZinitAttributes *attributes)
{
  int fd = open ("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  gssize written;
  int reason;

  if (fd < 0)
    return FALSE;
  written = write (fd, attributes->oom_score_adj, attributes->oom_score_adj_length);
  reason = errno;
  close (fd);
  errno = reason;
  return written >= 0;
}

ZINIT_IN_CHILD ZinitStep
zinit_attributes_apply (const ZinitAttributes *attributes)
{
  /* Before the limits, which may allow no descriptor for it. */
  if (attributes->oom_score_adj_length > 0 && !set_oom_score_adj (attributes))
    return ZINIT_STEP_OOM_SCORE_ADJ;
  for (int i = 0; i < ZINIT_N_RESOURCES; i++)
    if (attributes->has_limit[i] &&
        prlimit (0, (enum __rlimit_resource)zinit_resource_numbers[i], &attributes->limits[i], NULL) != 0)
      return (ZinitStep)(ZINIT_STEP_LIMIT + i);
  if (attributes->has_nice && setpriority (PRIO_PROCESS, 0, attributes->nice) != 0)
    return ZINIT_STEP_NICE;
  if (attributes->has_umask)
    umask (attributes->umask);
  if (attributes->no_new_privs && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return ZINIT_STEP_NO_NEW_PRIVS;
  return ZINIT_STEP_NONE;
}
