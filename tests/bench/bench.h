/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmarks share: services that write the time of their own start, the floor to compare with, and
 * medians. A benchmark fails only when it cannot run.
 */
#pragma once

#include "harness.h"

G_BEGIN_DECLS

/* The numbers that the services write, in ns on the monotonic clock; 0 = not yet. */
typedef struct {
  char *path;
  guint count;
  volatile gint64 *slots;
} Stamps;

Stamps *stamps_new (Harness *harness, guint count);
void stamps_free (Stamps *stamps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stamps, stamps_free)
void stamps_clear (Stamps *stamps);
/* Until all are written; returns the latest. */
gint64 stamps_wait (Stamps *stamps);

/* @count definitions s0000, s0001, … with @more after the section [service]. */
void bench_write_services (Harness *harness, const Stamps *stamps, const char *more);
/* The floor program on @stamps with @what as its last argument; its output goes to @out_fd (-1 = nowhere). */
GPid bench_start_floor (const Stamps *stamps, const char *what, int *out_fd);
/* SIGTERM until gone, in ns. */
gint64 bench_stop (GPid pid);

gint64 bench_now_ns (void);
/* CPU time of the process with all its threads, and of its children as far as they live, in ns. */
gint64 bench_cpu_ns (GPid pid);
/* Proportional set size, KiB. */
guint64 bench_pss_kib (GPid pid);
double bench_median (GArray *numbers);

G_END_DECLS
