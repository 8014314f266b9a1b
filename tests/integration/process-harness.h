/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the process layer with real children: a loop, the set of processes, services under observation.
 * Everything waits for an event, with a limit that is only reached on failure.
 */
#pragma once

#include "process/process.h"
#include "processes.h"

typedef struct {
  ZinitLoop *loop;
  ZinitProcesses *processes;
  ZinitTimer wake;
} Fixture;

/* One service under observation. All zero before it is started. */
typedef struct {
  ZinitProcess *process;
  GString *outputs[ZINIT_N_STREAMS];
  ZinitExit end;
  guint n_ended, n_empty;
  gsize bytes_at_end;
  gboolean counts_only; /* keep no output */
  gsize n_bytes;
  const char *free_in; /* the event in which it is freed: "output", "ended" or "empty" */
} Service;

typedef struct {
  const char *name;
  void (*func) (Fixture *fixture, gconstpointer unused);
} ProcessTest;

/* Runs @tests in every way that there is: with the kernel's help for groups and without, with the fast way to
 * make a child and with fork. After each of them no child may be left, not even a zombie. */
int process_test_main (int argc, char **argv, const ProcessTest *tests, guint n_tests);

/* One turn of the loop; FALSE when the time has come. */
gboolean turn_until (Fixture *fixture, gint64 deadline_usec);
void run_for (Fixture *fixture, gint64 usec);

#define PATIENCE_SECONDS 20 /* at normal speed */

#define WAIT_FOR(fixture, condition)                                                                         \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    gint64 limit_usec_ = processes_deadline (PATIENCE_SECONDS);                                              \
    while (!(condition))                                                                                     \
      if (!turn_until (fixture, limit_usec_))                                                                \
        g_error ("%s:%d: waited in vain for %s", __FILE__, __LINE__, #condition);                            \
  }                                                                                                          \
  G_STMT_END

gboolean start_definition (Fixture *fixture, Service *service, const ZinitDefinition *definition,
                           GError **error);
void start (Fixture *fixture, Service *service, const char *exec);
/* Also waits until its group is empty. */
void run_definition (Fixture *fixture, Service *service, const ZinitDefinition *definition);
void run (Fixture *fixture, Service *service, const char *exec);
void service_free_process (Service *service);
void finish (Service *service);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Service, finish)

const char *said (const Service *service); /* on stdout */
void assert_end (const Service *service, ZinitExitKind kind, int value);
guint count_descriptors (void);
gboolean is_alive (pid_t pid);
