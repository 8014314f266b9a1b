/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmarks share.
 */
#define G_LOG_DOMAIN "zinit-bench"

#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "processes.h"

#define PATIENCE_SECONDS 60

Stamps *
stamps_new (Harness *harness, guint count)
{
  Stamps *stamps = g_new0 (Stamps, 1);
  gsize length = count * sizeof (gint64);
  int fd;

  stamps->path = harness_path (harness, "stamps");
  stamps->count = count;
  fd = open (stamps->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  g_assert_cmpint (ftruncate (fd, (off_t)length), ==, 0);
  stamps->slots = mmap (NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (stamps->slots != MAP_FAILED);
  close (fd);
  return stamps;
}

void
stamps_free (Stamps *stamps)
{
  munmap ((void *)stamps->slots, stamps->count * sizeof (gint64));
  g_free (stamps->path);
  g_free (stamps);
}

void
stamps_clear (Stamps *stamps)
{
  for (guint i = 0; i < stamps->count; i++)
    stamps->slots[i] = 0;
}

gint64
stamps_wait (Stamps *stamps)
{
  gint64 deadline = processes_deadline (PATIENCE_SECONDS), last = 0;

  for (guint i = 0; i < stamps->count; i++) {
    while (stamps->slots[i] == 0) {
      /* What is measured is in the stamps; looking often would only take time from it. */
      g_usleep (1000);
      if (g_get_monotonic_time () > deadline)
        g_error ("service %u of %u has not started", i, stamps->count);
    }
    last = MAX (last, stamps->slots[i]);
  }
  return last;
}

static const char *
need_env (const char *name)
{
  const char *value = g_getenv (name);

  if (value == NULL)
    g_error ("run this by meson test --benchmark, or set %s", name);
  return value;
}

void
bench_write_services (Harness *harness, const Stamps *stamps, const char *more)
{
  for (guint i = 0; i < stamps->count; i++) {
    g_autofree char *file = g_strdup_printf ("s%04u.toml", i);

    harness_write (harness, file, "[service]\nexec = \"%s %s %u\"\n%s", need_env ("ZINIT_BENCH_STAMP"),
                   stamps->path, i, more);
  }
}

GPid
bench_start_floor (const Stamps *stamps, const char *what, int *out_fd)
{
  const char *const argv[] = { need_env ("ZINIT_BENCH_FLOOR"), need_env ("ZINIT_BENCH_STAMP"), stamps->path,
                               what, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid = 0;

  g_spawn_async_with_pipes (NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                            out_fd, NULL, &error);
  g_assert_no_error (error);
  return pid;
}

gint64
bench_stop (GPid pid)
{
  gint64 begin = bench_now_ns ();
  int status = -1;

  g_assert_cmpint (kill (pid, SIGTERM), ==, 0);
  g_assert_true (processes_wait_child (pid, PATIENCE_SECONDS, &status));
  g_assert_cmpint (status, ==, 0);
  return bench_now_ns () - begin;
}

gint64
bench_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static gint64
read_cpu_ns (const char *path)
{
  g_autofree char *text = NULL;

  /* The first of three numbers: ns on a processor. */
  return g_file_get_contents (path, &text, NULL, NULL) ? g_ascii_strtoll (text, NULL, 10) : 0;
}

static gint64
read_threads_ns (GPid pid)
{
  g_autofree char *folder = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (folder, 0, NULL);
  const char *name;
  gint64 sum = 0;

  while (tasks && (name = g_dir_read_name (tasks)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, "schedstat", NULL);

    sum += read_cpu_ns (path);
  }
  return sum;
}

gint64
bench_cpu_ns (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", pid, pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) children = NULL;
  gint64 sum = read_threads_ns (pid);

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  children = g_strsplit (g_strchomp (text), " ", -1);
  for (char **child = children; *child; child++)
    sum += read_threads_ns (atoi (*child));
  return sum;
}

guint64
bench_pss_kib (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/smaps_rollup", pid);
  g_autofree char *text = NULL;
  const char *line;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  line = strstr (text, "\nPss:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen ("\nPss:"), NULL, 10);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  double difference = *(const double *)a - *(const double *)b;

  return difference < 0 ? -1 : difference > 0;
}

double
bench_median (GArray *numbers)
{
  g_assert_cmpuint (numbers->len, >, 0);
  g_array_sort (numbers, compare_numbers);
  return g_array_index (numbers, double, numbers->len / 2);
}
