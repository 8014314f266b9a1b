/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the process with this number the one that was started? Numbers are used again, so a number alone proves
 * nothing; start time and boot do. Looks, and changes nothing.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

/* Of this boot of the kernel. NULL when it cannot be read. Transfer full. */
char *zinit_proof_read_boot_id (void);

/* Field 22 of /proc/PID/stat: when the process started, clock ticks since the boot. 0 when there is no such
 * process. */
guint64 zinit_proof_read_start_ticks (pid_t pid);

/* A pidfd of @pid if that is proven to be the process that is meant, else -1. @start_ticks decides when it is
 * known (not 0); else the format's own rule does, without its dangers: the first word of @exec and the
 * executable's path contain one another, or its first argument or that which is its script contains the word.
 * Never for a number that is no process's (0, 1, our own, above the kernel's largest, a thread's). A zombie
 * counts, if the ticks say so: it may be a child to be waited for. Transfer full. */
int zinit_proof_open (guint32 pid, guint64 start_ticks, const char *exec);

/* A pidfd of @pid if that is a child of this process, dead or alive, else -1: while it is not reaped, its
 * number cannot be another's. Transfer full. */
int zinit_proof_open_child (pid_t pid);

G_END_DECLS
