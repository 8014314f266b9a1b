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
  gboolean is_dead; /* zombie, or on its way to be none */
  guint64 cpu_ticks;
  guint64 start_ticks; /* since the boot */
  guint64 resident_pages;
  char name[16];
} ZinitProcEntry;

/* Fills @ret_entry from the text of a stat file. FALSE when it is none. */
gboolean zinit_proc_parse_stat (const char *text, ZinitProcEntry *ret_entry);

/* Reads one process. FALSE when there is none of that number. */
gboolean zinit_proc_read (pid_t pid, ZinitProcEntry *ret_entry);

typedef void (*ZinitProcFunc) (const ZinitProcEntry *entry, gpointer data);

/* FALSE when /proc cannot be read (after a warning). */
gboolean zinit_proc_walk (ZinitProcFunc func, gpointer data);

G_END_DECLS
