/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a life. None of them asserts: at any moment the daemon may be gone.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"
#include "processes.h"

static gboolean
is_hit (Life *life)
{
  return life->control->n_hits > 0;
}

/* Until @service has been started @count times. What is started is in its file before anybody is told. */
static gboolean
wait_starts (Life *life, const char *service, guint count)
{
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);

  while (!life_is_gone (life) && !is_hit (life)) {
    g_autoptr (GArray) starts = life_starts (life, service);

    if (starts->len >= count)
      return TRUE;
    if (g_get_monotonic_time () > deadline) {
      g_string_append_printf (life->complaint, "%s was not started %u times; ", service, count);
      return FALSE;
    }
    g_usleep (1000);
  }
  return FALSE;
}

/* All that this client asks for is a service that writes down its start and then lives. */
static void
ask_to_add (Life *life, LifeRequest request, const char *name, const char *file, gboolean replaces)
{
  g_autofree char *path = life_path (life, file);

  life_ask (life, request, "AddService",
            "({'service': {'name': <'%s'>, 'exec': <'%s stamp %s out up wait'>}, "
            "'lifecycle': {'restart_delay_ms': <5>}}, {'replace': <%s>})",
            name, harness_child (), path, replaces ? "true" : "false");
}

static void
start (Life *life, const char *options)
{
  static const char *const names[] = { "base", "once", "dep", "talk", "hurt" };

  if (!life_start (life, options))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    wait_starts (life, names[i], 1);
}

static void
add (Life *life, const char *options)
{
  ask_to_add (life, LIFE_ADD_EXTRA, "extra", "extra", FALSE);
  ask_to_add (life, LIFE_ADD_BRIEF, "brief", "brief", FALSE);
  wait_starts (life, "brief", 1);
}

static void
crash (Life *life, const char *options)
{
  g_autoptr (GArray) starts = life_starts (life, "hurt");

  if (starts->len == 0)
    return;
  life->n_hurt++;
  kill (g_array_index (starts, pid_t, starts->len - 1), SIGKILL);
  wait_starts (life, "hurt", 1 + life->n_hurt);
}

static void
stop (Life *life, const char *options)
{
  life_ask (life, LIFE_STOP_DEP, "StopService", "('dep', {'wait': <true>})");
}

static void
run_again (Life *life, const char *options)
{
  life_ask (life, LIFE_RUN_ONCE, "RestartService", "('once', {'wait': <true>})");
}

static void
reload (Life *life, const char *options)
{
  g_autofree char *path = life_path (life, "late");
  g_autofree char *orders = g_strdup_printf ("stamp %s out up wait", path);

  harness_service (life->h, "late", orders, "[lifecycle]\nrestart_delay_ms = 5\n");
  life->late_exists = TRUE;
  life_ask (life, LIFE_RELOAD_LATE, "Reload", "(" NO_OPTIONS ",)");
  wait_starts (life, "late", 1);
}

static void
remove_two (Life *life, const char *options)
{
  life_ask (life, LIFE_REMOVE_BRIEF, "RemoveService", "('brief', {'stop': <true>})");
  harness_remove (life->h, "late.toml");
  life->late_exists = FALSE;
  life_ask (life, LIFE_RELOAD_GONE, "Reload", "(" NO_OPTIONS ",)");
}

static void
replace (Life *life, const char *options)
{
  ask_to_add (life, LIFE_REPLACE_EXTRA, "extra", "extra-new", TRUE);
  ask_to_add (life, LIFE_REPLACE_HURT, "hurt", "hurt-new", TRUE);
}

static void
reexecute (Life *life, const char *options)
{
  if (life_ask (life, LIFE_REEXECUTE, "Reexecute", "(" NO_OPTIONS ",)")) {
    /* The new program has to get through its start. */
    life->was_ready = FALSE;
    life->was_ready = life_connect (life);
  }
}

/* The daemon ends by itself; the step after this one starts the next. */
static void
prepare_restart (Life *life, const char *options)
{
  if (life_ask (life, LIFE_PREPARE_RESTART, "PrepareRestart", "(" NO_OPTIONS ",)") && !life_wait_gone (life))
    g_string_append (life->complaint, "the daemon does not end after PrepareRestart; ");
}

static void
restore (Life *life, const char *options)
{
  life_start (life, options);
}

static void
restore_after_kill (Life *life, const char *options)
{
  if (life->h->daemon_pid != 0)
    kill (life->h->daemon_pid, SIGKILL);
  if (life_wait_gone (life) && !is_hit (life))
    life_start (life, options);
}

static void
restart (Life *life, const char *options)
{
  life_ask (life, LIFE_RESTART_EXTRA, "RestartService", "('extra', {'wait': <true>})");
  /* The next step may end it before it has written down its start. */
  wait_starts (life, life->standing[LIFE_REPLACE_EXTRA] == LIFE_ACKNOWLEDGED ? "extra-new" : "extra", 1);
}

static void
shut_down (Life *life, const char *options)
{
  if (life_ask (life, LIFE_SHUTDOWN, "Shutdown", "(" NO_OPTIONS ",)") && !life_wait_gone (life))
    g_string_append (life->complaint, "the daemon does not end after Shutdown; ");
}

static const struct {
  const char *name;
  void (*run) (Life *life, const char *options);
} steps[] = {
  { "start", start },         { "add", add },
  { "crash", crash },         { "stop", stop },
  { "run-again", run_again }, { "reload", reload },
  { "remove", remove_two },   { "replace", replace },
  { "reexecute", reexecute }, { "prepare-restart", prepare_restart },
  { "restore", restore },     { "restore-after-kill", restore_after_kill },
  { "restart", restart },     { "shutdown", shut_down },
};

guint
life_n_steps (void)
{
  return G_N_ELEMENTS (steps);
}

const char *
life_step_name (guint step)
{
  return step < G_N_ELEMENTS (steps) ? steps[step].name : "?";
}

/* The tool sees the calls of this step from now on. */
static void
begin_step (Life *life, guint step)
{
  FaultControl *control = life->control;
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);

  control->step = step;
  while (control->tracer != 0 && control->noted_step != step && g_get_monotonic_time () < deadline) {
    kill (control->tracer, SIGUSR1);
    g_usleep (100);
  }
}

void
life_run (Life *life, const char *options)
{
  for (guint i = 0; i < G_N_ELEMENTS (steps) && !is_hit (life) && life->complaint->len == 0; i++) {
    begin_step (life, i);
    steps[i].run (life, options);
  }
}
