/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests ask the kernel about processes: who carries a mark in its environment, who is alive, when
 * somebody ended. Every wait has a deadline.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* 1, or what ZINIT_TEST_SLOW says: all deadlines of the tests are multiplied by it. */
double processes_slowness (void);
/* @seconds from now at normal speed, on the monotonic clock in µs. */
gint64 processes_deadline (double seconds);

/* TRUE for a process that exists and is no zombie. */
gboolean processes_is_alive (pid_t pid);
/* TRUE when nothing of that number exists, not even a zombie. */
gboolean processes_is_reaped (pid_t pid);
/* FALSE when it is there still after @seconds. Works for any process, child or not. */
gboolean processes_wait_end (pid_t pid, double seconds);
/* Reaps a child of the test. FALSE when it has not ended after @seconds; it runs on then. */
gboolean processes_wait_child (pid_t pid, double seconds, int *ret_status);

/* Living processes whose environment holds exactly "KEY=value" @mark; pid_t, sorted. Transfer full. */
GArray *processes_with_mark (const char *mark);
/* "12 (name) command line", one a line. Transfer full. */
char *processes_describe (GArray *pids);
/* Of /proc/PID/status, "Name", "State", …; NULL when there is none. Transfer full. */
char *processes_status_field (pid_t pid, const char *field);
/* CPU time of the process so far, user and system, µs. */
guint64 processes_cpu_usec (pid_t pid);

G_END_DECLS
