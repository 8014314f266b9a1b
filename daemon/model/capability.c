/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of capabilities, those of Linux 5.9 and later. A kernel may know fewer of them.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/capability.h"

/* In the order of their numbers. */
static const char *const words[] = {
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
};

int
zinit_capability_from_string (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (words[i], name) == 0)
      return (int)i;
  return -1;
}

const char *
zinit_capability_to_string (int number)
{
  return number >= 0 && number < (int)G_N_ELEMENTS (words) ? words[number] : NULL;
}

guint64
zinit_capability_set (const char *const *names)
{
  guint64 set = 0;

  for (; *names != NULL; names++) {
    int number = zinit_capability_from_string (*names);

    if (number >= 0)
      set |= G_GUINT64_CONSTANT (1) << number;
  }
  return set;
}
