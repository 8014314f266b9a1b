/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of the files of a service's output: a log in a folder of its own, kills, and what the next
 * daemon finds.
 */
#pragma once

#include "logs/log.h"

G_BEGIN_DECLS

#define OUT ZINIT_STREAM_STDOUT
#define ERR ZINIT_STREAM_STDERR
#define SECOND G_GINT64_CONSTANT (1000000)

/* What the code under test has warned of since the test began. */
extern guint kept_n_warnings;

/* One daemon's view of one service. */
typedef struct {
  char *path;
  int parent_fd;
  ZinitLogFolder *folder;
  ZinitLog *log;
} KeptLog;

/* A folder that is not there yet. Transfer full. */
char *kept_make_path (void);
/* A daemon that finds the files in @path (taken over), or nothing at all; kept_start() with 100 lines. */
KeptLog kept_start_at (char *path, guint64 max_lines);
KeptLog kept_start (void);
/* Only what a process has goes; returns the path of the files that stay, transfer full. */
char *kept_end (KeptLog *daemon);
/* The files go as well. */
void kept_finish (KeptLog *daemon);

/* Files by suffix. Transfer full; NULL = there is none. */
char *kept_file (const char *path, const char *suffix);
gboolean kept_has_file (const char *path, const char *suffix);
GBytes *kept_read (const char *path, const char *suffix);
void kept_write (const char *path, const char *suffix, GBytes *bytes);
/* The files as a kill at this moment leaves them, in another folder. Transfer full. */
char *kept_copy (const char *from);

/* All that anybody can know of a log: its lines, how many there were, how many are dropped. Transfer full. */
char *kept_describe (const ZinitLog *log);
/* The same of what the next daemon finds after a kill at this moment. Transfer full. */
char *kept_survive (const KeptLog *daemon, guint64 max_lines);

void kept_say (KeptLog *daemon, ZinitStream stream, const char *text, gint64 time_usec);
void kept_fill (KeptLog *daemon, guint n_lines, const char *word);

#define assert_log(log, expected)                                                                            \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *found_ = kept_describe (log);                                                           \
    g_assert_cmpstr (found_, ==, expected);                                                                  \
  }                                                                                                          \
  G_STMT_END

#define assert_survives(daemon, expected)                                                                    \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *survived_ = kept_survive (daemon, 100);                                                 \
    g_assert_cmpstr (survived_, ==, expected);                                                               \
  }                                                                                                          \
  G_STMT_END

typedef struct {
  const char *path;
  GTestFunc func;
} KeptTest;

/* A main function. */
int kept_run (int *argc, char ***argv, const KeptTest *tests, guint n_tests);

G_END_DECLS
