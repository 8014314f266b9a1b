/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon of a life, its client, and the files of its services.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "life.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "names.h"
#include "processes.h"

/* For the handler: errors do not last for ever, so they end first; then a daemon that takes no connection is
 * ended, and so is the wait for it. */
static volatile pid_t connecting_pid;
static FaultControl *connecting_control;

static int
remove_one (const char *path, const struct stat *status, int type, struct FTW *walk)
{
  return type == FTW_DP ? rmdir (path) : unlink (path);
}

static void
set_path (char **path, const char *folder, const char *name)
{
  g_free (*path);
  *path = g_build_filename (folder, name, NULL);
}

static void
write_service (Life *life, const char *name, const char *orders, const char *more)
{
  g_autofree char *stamp = life_path (life, name);
  g_autofree char *all = g_strdup_printf ("stamp %s %s", stamp, orders);

  harness_service (life->h, name, all, more);
}

static void
write_services (Life *life)
{
  static const char quick[] = "[lifecycle]\nrestart_delay_ms = 5\nrestart_delay_max_ms = 20\n";
  g_autofree char *end = life_path (life, "talk-end");
  g_autofree char *talk = g_strdup_printf ("count-until 1 4000 %s wait", end);
  g_autofree char *dep = g_strconcat (quick, "[dependencies]\nrequires = [\"base\", \"once\"]\n", NULL);
  g_autofree char *all_lines = g_strconcat (quick, "[logging]\nbuffer_lines = 100000\n", NULL);
  g_autofree char *by_descriptor = g_strconcat ("ready = \"fd:3\"\n", quick, NULL);
  /* What it says while there is no daemon is lost, and it is running when this is over. */
  g_autofree char *by_message =
      g_strconcat ("ready = \"notify\"\n", quick, "start_timeout_ms = 1000\n", NULL);
  g_autofree char *once = g_strconcat ("oneshot = true\n", quick, NULL);

  write_service (life, "base", "out up write-fd 3 up wait", by_descriptor);
  write_service (life, "once", "exit 0", once);
  write_service (life, "dep", "out up wait", dep);
  write_service (life, "talk", talk, all_lines);
  write_service (life, "hurt", "out up notify READY=1 wait", by_message);
}

Life *
life_new (Harness *harness, FaultControl *control)
{
  Life *life = g_new0 (Life, 1);

  life->h = harness;
  life->control = control;
  life->complaint = g_string_new (NULL);
  life->directory = g_build_filename (harness->directory, "life", NULL);
  nftw (life->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  set_path (&harness->config_dir, life->directory, "services");
  set_path (&harness->runtime_dir, life->directory, "run");
  set_path (&harness->socket, harness->runtime_dir, "zinit.sock");
  /* Under its own name, for the harness prints it when the test aborts. */
  g_unlink (harness->log_path);
  g_assert_cmpint (g_mkdir_with_parents (harness->config_dir, 0755), ==, 0);
  g_assert_cmpint (g_mkdir (harness->runtime_dir, 0755), ==, 0);
  control->step = control->noted_step = control->stop = control->n_hits = 0;
  control->n_calls = control->n_step_calls = 0;
  control->tracer = 0;
  memset (&control->hit, 0, sizeof control->hit);
  write_services (life);
  return life;
}

static void
kill_all (const char *mark)
{
  for (;;) {
    g_autoptr (GArray) pids = processes_with_mark (mark);

    if (pids->len == 0)
      return;
    for (guint i = 0; i < pids->len; i++)
      kill (g_array_index (pids, pid_t, i), SIGKILL);
    for (guint i = 0; i < pids->len; i++)
      processes_wait_end (g_array_index (pids, pid_t, i), 1);
  }
}

void
life_free (Life *life)
{
  if (life->h->daemon_pid != 0) {
    kill (life->h->daemon_pid, SIGKILL);
    life_wait_gone (life);
  }
  kill_all (life->h->mark);
  g_string_free (life->complaint, TRUE);
  g_free (life->directory);
  g_free (life);
}

char *
life_path (Life *life, const char *name)
{
  return g_build_filename (life->directory, name, NULL);
}

GArray *
life_starts (Life *life, const char *service)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autofree char *path = life_path (life, service);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return pids;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    int pid;

    if (sscanf (*line, "start %*s %d", &pid) == 1)
      g_array_append_val (pids, pid);
  }
  return pids;
}

gboolean
life_is_gone (Life *life)
{
  Harness *h = life->h;
  g_autoptr (GArray) left = NULL;

  if (h->daemon_pid == 0)
    return TRUE;
  if (waitpid (h->daemon_pid, &life->status, WNOHANG) != h->daemon_pid)
    return FALSE;
  h->daemon_pid = 0;
  g_clear_pointer (&h->client, client_free);
  left = processes_with_mark (h->mark);
  life->left_services = left->len > 0;
  return TRUE;
}

gboolean
life_wait_gone (Life *life)
{
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);

  while (!life_is_gone (life)) {
    if (g_get_monotonic_time () > deadline)
      return FALSE;
    g_usleep (500);
  }
  return TRUE;
}

static void
set_alarm (void)
{
  gboolean has_errors = connecting_control->n_hits > 0 && connecting_control->stop == 0;

  alarm ((unsigned)(LIFE_PATIENCE_SECONDS * (has_errors ? 1 : 2) * processes_slowness ()));
}

/* A daemon that waits for the end of its errors may be patient for as long as they last. FALSE when they have
 * ended before. */
static gboolean
end_errors (FaultControl *control)
{
  if (control->n_hits == 0 || control->stop != 0)
    return FALSE;
  control->stop = 1;
  return TRUE;
}

static void
on_alarm (int signo)
{
  if (end_errors (connecting_control))
    set_alarm ();
  else
    kill (connecting_pid, SIGKILL);
}

/* TRUE when @deadline is over; it is put off once, to the time after the errors. */
static gboolean
is_over (Life *life, gint64 *deadline)
{
  if (g_get_monotonic_time () <= *deadline)
    return FALSE;
  if (!end_errors (life->control))
    return TRUE;
  *deadline = processes_deadline (LIFE_PATIENCE_SECONDS);
  return FALSE;
}

/* The connection waits without a limit of its own. */
static TestClient *
try_connect (Life *life)
{
  TestClient *client;

  connecting_pid = life->h->daemon_pid;
  connecting_control = life->control;
  signal (SIGALRM, on_alarm);
  set_alarm ();
  client = client_try_for_socket (life->h->socket, NULL);
  if (alarm (0) == 0)
    g_string_append (life->complaint, "the private socket takes no connection; ");
  return client;
}

gboolean
life_connect (Life *life)
{
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);

  g_clear_pointer (&life->h->client, client_free);
  while (!life_is_gone (life)) {
    g_autoptr (GVariant) reply = NULL;

    life->h->client = try_connect (life);
    if (life->h->client != NULL)
      reply = client_call_on (life->h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "ListServices",
                              NULL, NULL);
    if (reply != NULL)
      return TRUE;
    g_clear_pointer (&life->h->client, client_free);
    if (is_over (life, &deadline)) {
      g_string_append (life->complaint, "the daemon does not answer; ");
      return FALSE;
    }
    g_usleep (1000);
  }
  return FALSE;
}

static gboolean
wait_ready (Life *life)
{
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);
  struct pollfd poll_fd = { life->h->notify_fd, POLLIN, 0 };

  while (!life_is_gone (life)) {
    char text[4096];
    ssize_t length;

    if (poll (&poll_fd, 1, 5) == 1) {
      length = recv (life->h->notify_fd, text, sizeof text - 1, 0);
      text[MAX (length, 0)] = '\0';
      if (strstr (text, "READY=1") != NULL)
        return life->was_ready = TRUE;
    }
    if (is_over (life, &deadline)) {
      g_string_append (life->complaint, "the daemon does not say READY=1; ");
      return FALSE;
    }
  }
  return FALSE;
}

gboolean
life_start (Life *life, const char *options)
{
  static const char *const daemon_options[] = { "--no-bus", NULL };

  life->was_ready = FALSE;
  g_clear_pointer (&life->h->wrapper, g_free);
  if (options != NULL)
    life->h->wrapper = g_strdup_printf ("%s %s --", g_getenv ("ZINIT_SYSCALL_FAULT"), options);
  harness_launch (life->h, daemon_options);
  return wait_ready (life) && life_connect (life);
}

/* A Reload that names errors has not done all of it. */
static gboolean
has_errors (GVariant *reply)
{
  g_autoptr (GVariant) errors = NULL;

  if (!g_variant_is_of_type (reply, G_VARIANT_TYPE ("(asasasa(ss))")))
    return FALSE;
  errors = g_variant_get_child_value (reply, 3);
  return g_variant_n_children (errors) > 0;
}

gboolean
life_ask (Life *life, LifeRequest request, const char *method, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autoptr (GVariant) reply = NULL;
  va_list list;

  if (life_is_gone (life))
    return FALSE;
  life->standing[request] = LIFE_ASKED;
  va_start (list, format);
  text = g_strdup_vprintf (format, list);
  va_end (list);
  reply = client_call_on (life->h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method,
                          g_variant_new_parsed (text), NULL);
  if (reply == NULL || has_errors (reply))
    return FALSE;
  life->standing[request] = LIFE_ACKNOWLEDGED;
  return TRUE;
}
