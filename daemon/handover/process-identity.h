/* SPDX-License-Identifier: Apache-2.0
 *
 * Process identity: is the process with this number the one that was started? Numbers are used again, so a
 * number alone proves nothing; start time and boot do. An error is no answer. Looks, and changes nothing.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

/* Of this boot of the kernel. NULL with errno when it cannot be read. Transfer full. */
char *zinit_identity_read_boot_id (void);

/* Field 22 of /proc/PID/stat: when the process started, clock ticks since the boot. 0 with errno when it
 * cannot be read. */
guint64 zinit_identity_read_start_ticks (pid_t pid);

typedef enum {
  ZINIT_IDENTITY_ALIVE,
  ZINIT_IDENTITY_DEAD,    /* the process that was meant is gone */
  ZINIT_IDENTITY_UNKNOWN, /* the kernel cannot or does not tell now */
} ZinitIdentity;

/* Asks for @pid; *@ret_pidfd (transfer full) is open when it is proven alive, else -1, and errno tells why it
 * is unknown. @start_ticks decides when it is known (not 0); else the format's own rule does, without its
 * dangers: the first word of @exec and the executable's path contain one another, or its first argument or
 * that which is its script contains the word. Dead is also what cannot be a process (0, 1, our own, above the
 * kernel's largest number, a thread's). A zombie is alive, if the ticks say so: it may be a child to be
 * waited for. */
ZinitIdentity zinit_identity_open (guint32 pid, guint64 start_ticks, const char *exec, int *ret_pidfd);

/* A pidfd of @pid if that is a child of this process, dead or alive, else -1: while it is not reaped, its
 * number cannot be another's. Transfer full. */
int zinit_identity_open_child (pid_t pid);

G_END_DECLS
