/* SPDX-License-Identifier: Apache-2.0
 *
 * Setting the capabilities of a child with plain system calls. They are those of one thread, so that the
 * daemon keeps its own, also while the child shares its memory.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/capability.h"
#include "process/in-child.h"

#define MAX_CAPABILITIES 64 /* bits of a set */

static int
count_known (void)
{
  static int n_known;

  while (n_known < MAX_CAPABILITIES && prctl (PR_CAPBSET_READ, n_known, 0, 0, 0) >= 0)
    n_known++;
  return n_known;
}

void
zinit_capabilities_read (const ZinitDefinition *definition, gboolean sets_uid,
                         ZinitCapabilities *ret_capabilities)
{
  *ret_capabilities =
      (ZinitCapabilities){ .is_given = definition->capabilities != NULL, .sets_uid = sets_uid };
  if (!ret_capabilities->is_given)
    return;
  ret_capabilities->kept = zinit_capability_set ((const char *const *)definition->capabilities);
  ret_capabilities->n_known = count_known ();
}

ZINIT_IN_CHILD static gboolean
is_kept (const ZinitCapabilities *capabilities, int number)
{
  return (capabilities->kept >> number & 1) != 0;
}

ZINIT_IN_CHILD gboolean
zinit_capabilities_bound (const ZinitCapabilities *capabilities)
{
  if (!capabilities->is_given)
    return TRUE;
  for (int i = 0; i < capabilities->n_known; i++)
    if (!is_kept (capabilities, i) && prctl (PR_CAPBSET_READ, i, 0, 0, 0) > 0 &&
        prctl (PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
      return FALSE;
  /* A change of the user would take all of them; the next program has this flag no more. */
  return !capabilities->sets_uid || prctl (PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0;
}

ZINIT_IN_CHILD gboolean
zinit_capabilities_set (const ZinitCapabilities *capabilities)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

  if (!capabilities->is_given)
    return TRUE;
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
    guint32 word = (guint32)(capabilities->kept >> 32 * i);

    data[i].effective = data[i].permitted = data[i].inheritable = word;
  }
  /* It also takes out of the ambient set what it takes out of these. */
  if (syscall (SYS_capset, &header, data) != 0)
    return FALSE;
  for (int i = 0; capabilities->sets_uid && i < capabilities->n_known; i++)
    if (is_kept (capabilities, i) && prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
      return FALSE;
  return TRUE;
}
