/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc/PID/stat says of all processes of the machine. A walk takes time for each of them, so it is for
 * rare questions only.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  pid_t pid;
  pid_t parent;
  pid_t group;
  pid_t session;
  gboolean is_dead; /* a zombie, or just being reaped */
  int exit_status;  /* of a dead one, as wait(2) gives it; 0 also if the kernel does not tell us; -1 = not
                       known */
  guint64 cpu_ticks;
  guint64 start_ticks; /* since the boot */
  guint64 resident_pages;
  char name[16];
} ZinitProcEntry;

/* Fills @ret_entry from the text of a stat file. FALSE when it is none. */
gboolean zinit_proc_parse_stat (const char *text, ZinitProcEntry *ret_entry);

/* Reads one process. FALSE with errno: ENOENT and ESRCH when /proc shows no such process, which does not
 * prove that there is none (hidepid of proc(5)); anything else when it cannot be told. */
gboolean zinit_proc_read (pid_t pid, ZinitProcEntry *ret_entry);

/* @pid, about which we may ask, has just come to its exec and has no environment yet. */
gboolean zinit_proc_is_executing (pid_t pid);

/* The user ids of @pid, real, effective and saved, when all three are the same; FALSE when they are not, or
 * cannot be read. */
gboolean zinit_proc_read_single_uid (pid_t pid, uid_t *ret_uid);

/* Whether @pid is worth being read, which costs far more than its number. */
typedef gboolean (*ZinitProcFilter) (pid_t pid, gpointer data);
typedef void (*ZinitProcFunc) (const ZinitProcEntry *entry, gpointer data);

/* @filter NULL = all. FALSE with errno when /proc cannot be read, all of it. */
gboolean zinit_proc_walk (ZinitProcFilter filter, ZinitProcFunc func, gpointer data);

G_END_DECLS
