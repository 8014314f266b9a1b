/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for the supervisor that is no machine: a clock turned by hand, timers in a list, processes that are
 * numbers. With it the whole supervisor runs without a child and without waiting.
 */
#pragma once

#include "supervisor/supervisor.h"

G_BEGIN_DECLS

typedef struct _FakeProcess FakeProcess;

typedef struct {
  gint64 now_usec;      /* both clocks */
  GPtrArray *timers;    /* ZinitTimer *, armed */
  GPtrArray *processes; /* FakeProcess *, in the order of their start; owned */
  GString *acts; /* one word an act: "+web" started, "-web" SIGTERM to all, "!web" SIGKILL, "main:-web" to the
                  * main process alone */
  char *broken_exec; /* a spawn of this exec fails; NULL = none */
  pid_t last_pid;
} FakeHost;

/* Stands for a ZinitProcess. */
struct _FakeProcess {
  FakeHost *host;
  pid_t pid;
  guint64 start_ticks; /* ten times the pid, unless it was adopted */
  char *name;
  char **variables; /* of this start alone; NULL = none */
  const ZinitProcessEvents *events;
  gpointer data;
  gboolean has_main;
  gboolean has_others;  /* others in its group outlive the first process */
  gboolean is_stubborn; /* hears nothing but SIGKILL */
  gboolean awaits_exit; /* how it ended is told when its owner has heard of the end */
  gboolean is_released;
  pid_t background_pid; /* of the one that may become the main process; 0 = none */
};

extern const ZinitHost fake_host;

void fake_host_init (FakeHost *host);
void fake_host_clear (FakeHost *host);
/* Fires what is due now, until nothing is. */
void fake_host_settle (FakeHost *host);
void fake_host_advance_ms (FakeHost *host, guint64 ms);
/* The living process of service @name; NULL = none. */
FakeProcess *fake_host_find (FakeHost *host, const char *name);
guint fake_host_count_living (FakeHost *host, const char *name);
/* The first process ends; the group with it unless has_others. */
void fake_process_end (FakeProcess *process, ZinitExitKind kind, gint32 value);
/* The others end. */
void fake_process_empty (FakeProcess *process);
/* How it ended is known after all. */
void fake_process_tell_exit (FakeProcess *process, ZinitExitKind kind, gint32 value);

G_END_DECLS
