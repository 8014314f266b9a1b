/* SPDX-License-Identifier: Apache-2.0
 *
 * The host that is no machine; see fake-host.h. Processes end when they are told to, timers when the clock is
 * turned.
 */
#include "fake-host.h"

#include <signal.h>

static gint64
now (gpointer data)
{
  return ((FakeHost *)data)->now_usec;
}

static void
disarm (gpointer data, ZinitTimer *timer)
{
  FakeHost *host = data;

  g_ptr_array_remove (host->timers, timer);
  timer->position = 0;
}

static void
arm (gpointer data, ZinitTimer *timer, gint64 deadline_usec, ZinitTimerFunc func)
{
  FakeHost *host = data;

  disarm (host, timer);
  timer->deadline_usec = deadline_usec;
  timer->func = func;
  timer->position = 1;
  g_ptr_array_add (host->timers, timer);
}

static ZinitProcess *
spawn (gpointer data, const ZinitSpawnRequest *request, const ZinitProcessEvents *events, gpointer service,
       GError **error)
{
  FakeHost *host = data;
  FakeProcess *process;

  if (g_strcmp0 (request->definition->exec, host->broken_exec) == 0) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED, "exec %s: no", host->broken_exec);
    return NULL;
  }
  process = g_new0 (FakeProcess, 1);
  process->host = host;
  process->pid = ++host->last_pid;
  process->start_ticks = (guint64)process->pid * 10;
  process->name = g_strdup (request->definition->name);
  process->variables = g_strdupv ((char **)request->variables);
  process->events = events;
  process->data = service;
  process->has_main = TRUE;
  g_ptr_array_add (host->processes, process);
  g_string_append_printf (host->acts, "+%s ", process->name);
  return (ZinitProcess *)process;
}

/* The living process that an earlier supervisor on this host has let go. */
static FakeProcess *
find_released (FakeHost *host, pid_t pid)
{
  for (guint i = 0; i < host->processes->len; i++) {
    FakeProcess *process = host->processes->pdata[i];

    if (process->pid == pid && process->is_released && (process->has_main || process->has_others))
      return process;
  }
  return NULL;
}

static ZinitProcess *
adopt (gpointer data, const ZinitAdoption *adoption, const ZinitProcessEvents *events, gpointer service)
{
  FakeHost *host = data;
  FakeProcess *before = find_released (host, adoption->pid);
  FakeProcess *process = g_new0 (FakeProcess, 1);

  process->host = host;
  process->pid = adoption->pid;
  process->start_ticks = adoption->start_ticks;
  process->name = g_strdup (zinit_service_get_name (service));
  process->events = events;
  process->data = service;
  process->has_main = !adoption->main_ended;
  process->has_others = adoption->main_ended;
  if (before != NULL) {
    process->is_stubborn = before->is_stubborn;
    process->has_others = before->has_others;
    before->has_main = before->has_others = FALSE;
  }
  g_ptr_array_add (host->processes, process);
  g_string_append_printf (host->acts, "@%s ", process->name);
  return (ZinitProcess *)process;
}

static void
release (gpointer data, ZinitProcess *process)
{
  ((FakeProcess *)process)->is_released = TRUE;
}

static gboolean
awaits_exit (gpointer data, const ZinitProcess *process)
{
  return ((const FakeProcess *)process)->awaits_exit;
}

static pid_t
get_pid (gpointer data, const ZinitProcess *process)
{
  return ((const FakeProcess *)process)->pid;
}

static guint64
get_output_inode (gpointer data, const ZinitProcess *process, ZinitStream stream)
{
  const FakeProcess *fake = (const FakeProcess *)(gconstpointer)process;

  return (guint64)fake->pid * 100 + stream;
}

static guint64
get_start_ticks (gpointer data, ZinitProcess *process)
{
  return ((const FakeProcess *)process)->start_ticks;
}

static gboolean
send_signal (gpointer data, ZinitProcess *process, int signo, ZinitWhom whom, GError **error)
{
  FakeProcess *fake = (FakeProcess *)process;

  g_assert_false (fake->is_released);
  if (signo == SIGTERM || signo == SIGKILL)
    g_string_append_printf (fake->host->acts, "%c%s ", signo == SIGKILL ? '!' : '-', fake->name);
  return fake->has_main || fake->has_others;
}

static gboolean
stop (gpointer data, ZinitProcess *process, int signo, ZinitWhom whom, GError **error)
{
  FakeProcess *fake = (FakeProcess *)process;

  if (whom == ZINIT_WHOM_MAIN && fake->has_main)
    g_string_append (fake->host->acts, "main:");
  else if (whom == ZINIT_WHOM_MAIN)
    return FALSE;
  return send_signal (data, process, signo, whom, error);
}

static gboolean
find_oldest (gpointer data, ZinitProcess *process, pid_t *ret_pid, guint64 *ret_start_ticks)
{
  const FakeProcess *fake = (const FakeProcess *)process;

  *ret_pid = fake->background_pid;
  *ret_start_ticks = 10 * (guint64)fake->background_pid;
  return fake->has_others && fake->background_pid != 0;
}

static gboolean
find_member (gpointer data, ZinitProcess *process, pid_t pid, guint64 *ret_start_ticks)
{
  *ret_start_ticks = (guint64)pid * 10;
  return pid == ((FakeProcess *)process)->background_pid;
}

static gboolean
adopt_main (gpointer data, ZinitProcess *process, pid_t pid, guint64 start_ticks, GError **error)
{
  FakeProcess *fake = (FakeProcess *)process;

  fake->pid = pid;
  fake->start_ticks = start_ticks;
  fake->background_pid = 0;
  fake->has_main = TRUE;
  fake->has_others = FALSE;
  return TRUE;
}

/* One process a service, and numbers that tell which. */
static void
read_stats (gpointer data, ZinitProcess *const *processes, guint n_processes, ZinitProcessStats *ret_stats)
{
  for (guint i = 0; i < n_processes; i++) {
    const FakeProcess *fake = (const FakeProcess *)(gconstpointer)processes[i];
    ZinitProcessInfo info = { .name = "fake" };

    ret_stats[i] = (ZinitProcessStats){ .processes = g_array_new (FALSE, FALSE, sizeof (ZinitProcessInfo)) };
    if (fake == NULL || (!fake->has_main && !fake->has_others))
      continue;
    info.pid = fake->has_main ? fake->pid : fake->background_pid;
    ret_stats[i].cpu_usec = (guint64)fake->pid * 1000;
    ret_stats[i].memory_bytes = (guint64)fake->pid << 20;
    g_array_append_val (ret_stats[i].processes, info);
  }
}

const ZinitHost fake_host = {
  .monotonic_usec = now,
  .realtime_usec = now,
  .arm = arm,
  .disarm = disarm,
  .spawn = spawn,
  .adopt = adopt,
  .release = release,
  .awaits_exit = awaits_exit,
  .get_pid = get_pid,
  .get_start_ticks = get_start_ticks,
  .get_output_inode = get_output_inode,
  .signal = send_signal,
  .stop = stop,
  .find_oldest = find_oldest,
  .find_member = find_member,
  .adopt_main = adopt_main,
  .read_stats = read_stats,
};

static void
process_free (gpointer data)
{
  FakeProcess *process = data;

  g_free (process->name);
  g_strfreev (process->variables);
  g_free (process);
}

void
fake_host_init (FakeHost *host)
{
  *host = (FakeHost){ .now_usec = G_USEC_PER_SEC, .last_pid = 100 };
  host->timers = g_ptr_array_new ();
  host->processes = g_ptr_array_new_with_free_func (process_free);
  host->acts = g_string_new (NULL);
}

void
fake_host_clear (FakeHost *host)
{
  g_ptr_array_unref (host->timers);
  g_ptr_array_unref (host->processes);
  g_string_free (host->acts, TRUE);
  g_free (host->broken_exec);
}

static ZinitTimer *
next_timer (FakeHost *host)
{
  ZinitTimer *next = NULL;

  for (guint i = 0; i < host->timers->len; i++) {
    ZinitTimer *timer = host->timers->pdata[i];

    if (next == NULL || timer->deadline_usec < next->deadline_usec)
      next = timer;
  }
  return next;
}

static gboolean
fire_one (FakeHost *host, gint64 until_usec)
{
  ZinitTimer *timer = next_timer (host);

  if (timer == NULL || timer->deadline_usec > until_usec)
    return FALSE;
  host->now_usec = MAX (host->now_usec, timer->deadline_usec);
  disarm (host, timer);
  timer->func (timer);
  return TRUE;
}

void
fake_host_settle (FakeHost *host)
{
  while (fire_one (host, host->now_usec))
    ;
}

void
fake_host_advance_ms (FakeHost *host, guint64 ms)
{
  gint64 until_usec = host->now_usec + (gint64)ms * 1000;

  while (fire_one (host, until_usec))
    ;
  host->now_usec = until_usec;
}

FakeProcess *
fake_host_find (FakeHost *host, const char *name)
{
  for (guint i = host->processes->len; i-- > 0;) {
    FakeProcess *process = host->processes->pdata[i];

    if (g_str_equal (process->name, name) && !process->is_released)
      return process;
  }
  return NULL;
}

guint
fake_host_count_living (FakeHost *host, const char *name)
{
  guint n = 0;

  for (guint i = 0; i < host->processes->len; i++) {
    const FakeProcess *process = host->processes->pdata[i];

    n += g_str_equal (process->name, name) && (process->has_main || process->has_others);
  }
  return n;
}

void
fake_process_end (FakeProcess *process, ZinitExitKind kind, gint32 value)
{
  const ZinitExit exit = { kind, value };

  g_assert_true (process->has_main);
  process->has_main = FALSE;
  process->events->main_ended ((ZinitProcess *)process, &exit, process->data);
  if (!process->has_others)
    process->events->group_empty ((ZinitProcess *)process, process->data);
}

void
fake_process_empty (FakeProcess *process)
{
  g_assert_true (process->has_others);
  process->has_others = FALSE;
  if (!process->has_main)
    process->events->group_empty ((ZinitProcess *)process, process->data);
}

void
fake_process_tell_exit (FakeProcess *process, ZinitExitKind kind, gint32 value)
{
  const ZinitExit exit = { kind, value };

  g_assert_true (process->awaits_exit && !process->is_released);
  process->awaits_exit = FALSE;
  process->events->exit_known ((ZinitProcess *)process, &exit, process->data);
}
