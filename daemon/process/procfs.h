/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading of /proc, for all that the daemon asks about processes. A number names a process only as long as
 * that is not reaped: the caller has a pidfd of it, or compares start times. A walk takes time for each
 * process of the machine, so it is for rare questions. See proc(5).
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  pid_t pid;
  pid_t parent;
  pid_t group;
  pid_t session;
  gboolean is_dead;      /* a zombie, or just being reaped */
  gboolean has_executed; /* a program since it was forked */
  int exit_status; /* of a dead one, as wait(2) gives it; 0 also if the kernel does not tell us; -1 = not
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

/* Opens the file @name of @pid, close-on-exec. -1 with errno. Transfer full. */
int zinit_proc_open (pid_t pid, const char *name, int flags);
/* Opens what is behind our own descriptor @fd anew, close-on-exec. -1 with errno. Transfer full. */
int zinit_proc_reopen (int fd, int flags);
/* Appends the file @name of @pid to @text, up to about @max_bytes. FALSE with errno when it cannot be read.
 */
gboolean zinit_proc_read_file (pid_t pid, const char *name, gsize max_bytes, GString *text);
/* The target of the link @name of @pid, cut at @size. FALSE with errno. */
gboolean zinit_proc_read_link (pid_t pid, const char *name, char *target, gsize size);
/* As lstat(2) of the file @name of @pid. */
gboolean zinit_proc_read_status (pid_t pid, const char *name, struct stat *ret_status);

/* @pid, about which we may ask, has just come to its exec and has no environment yet. */
gboolean zinit_proc_is_executing (pid_t pid);
/* @pid is of the pid namespace that this process is of. FALSE with errno also when it cannot be told. */
gboolean zinit_proc_is_of_our_namespace (pid_t pid);

/* The user ids of @pid, real, effective and saved, when all three are the same; FALSE when they are not, or
 * cannot be read. */
gboolean zinit_proc_read_single_uid (pid_t pid, uid_t *ret_uid);

/* Whether @pid has left @signo its default action and does not block it. FALSE with errno (0 = it has not)
 * when that cannot be told. */
gboolean zinit_proc_has_default_action (pid_t pid, int signo);

/* When the calling process started, clock ticks since the boot; 0 when it cannot be read. For a child that
 * has not executed yet: plain system calls only. */
guint64 zinit_proc_read_own_start_ticks (void);

typedef void (*ZinitProcNumberFunc) (pid_t pid, gpointer data);

/* Calls @func for each child of @pid, dead ones included. They are read before the first call. FALSE with
 * errno when they cannot be read. Reads /proc/PID/task/TID/children of each thread, which a kernel has with
 * CONFIG_PROC_CHILDREN (Debian's does); one without costs a walk. A child may be missing only while another
 * one of the same process is reaped, or when it is made at this moment. */
gboolean zinit_proc_foreach_child (pid_t pid, ZinitProcNumberFunc func, gpointer data);

/* Returns whether to go on. */
typedef gboolean (*ZinitProcVisit) (pid_t pid, gpointer data);
/* Calls @func for the number of each process, of which nothing is read. FALSE with errno when /proc cannot be
 * read, all of it. */
gboolean zinit_proc_foreach_number (ZinitProcVisit func, gpointer data);

/* Whether @pid is worth being read, which costs far more than its number. */
typedef gboolean (*ZinitProcFilter) (pid_t pid, gpointer data);
typedef void (*ZinitProcFunc) (const ZinitProcEntry *entry, gpointer data);

/* @filter NULL = all. FALSE with errno when /proc cannot be read, all of it. */
gboolean zinit_proc_walk (ZinitProcFilter filter, ZinitProcFunc func, gpointer data);

/* How many files and folders of /proc this process has opened, for tests of what a question costs. */
guint64 zinit_proc_get_n_opens (void);

G_END_DECLS
