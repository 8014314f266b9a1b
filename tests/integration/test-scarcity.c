/* SPDX-License-Identifier: Apache-2.0
 *
 * Too few descriptors and too few processes: the daemon lives, says so, answers, and hands over all it has.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "processes.h"
#include "survival.h"

#define FILE_LIMIT 256
#define N_SERVICES 100
/* A user that has no other processes. */
#define USER 61234
#define PROCESS_LIMIT 40
#define NO_DESCRIPTORS "spawn_error message=no descriptors left (limit 256)"

/* The daemon is started by @wrapper from now on; NULL = as it is. */
static void
set_wrapper (const char *wrapper)
{
  if (wrapper != NULL)
    g_setenv ("ZINITD_WRAPPER", wrapper, TRUE);
  else
    g_unsetenv ("ZINITD_WRAPPER");
}

static void
add_services (Harness *h)
{
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%02u", i);

    harness_service (h, name, "wait", "[lifecycle]\nrestart = \"never\"\n");
  }
}

/* Name → pid (0 = it has failed with the right reason), when nothing is on its way any more. */
static guint
list_pids (Harness *h, guint32 *pids)
{
  guint n_running = 0;

  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%02u", i), *state = NULL;

    pids[i] = 0;
    state = client_get_text (h->client, name, "State");
    if (g_str_equal (state, "running")) {
      pids[i] = client_get_pid (h->client, name);
      n_running++;
    } else {
      client_wait_state (h->client, name, "failed");
      assert_failure (h->client, name, NO_DESCRIPTORS);
    }
  }
  return n_running;
}

static void
check_same_pids (Harness *h, const guint32 *before)
{
  guint32 now[N_SERVICES];

  list_pids (h, now);
  g_assert_cmpmem (now, sizeof now, before, sizeof now);
}

/* As many clients as are let in; the next one is told. */
static void
crowd (Harness *h)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify)client_free);
  g_autoptr (GError) error = NULL;

  while (error == NULL) {
    TestClient *client = client_new_for_socket (h->socket);
    g_autoptr (GVariant) reply =
        client_call_on (client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "ListServices", NULL, &error);

    g_ptr_array_add (clients, client);
    g_assert_cmpuint (clients->len, <, FILE_LIMIT);
  }
  g_assert_nonnull (strstr (error->message, ZINIT_ERROR_PREFIX "LimitExceeded"));
  g_assert_nonnull (strstr (error->message, "the daemon has no descriptors left for clients (limit 256)"));
  /* Half of the reserve is for clients. */
  g_assert_cmpuint (clients->len, >=, 25);
}

static void
test_descriptors (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 pids[N_SERVICES];
  guint n_running, down = N_SERVICES, up = N_SERVICES;
  g_autofree char *up_name = NULL, *down_name = NULL;

  set_wrapper ("prlimit --nofile=200:256");
  add_services (h);
  survival_start (h);
  survival_wait_said (h, "100 services need up to 364 descriptors, and the limit is 256 (RLIMIT_NOFILE)", 1);
  n_running = list_pids (h, pids);
  g_assert_cmpuint (n_running, >=, 50);
  g_assert_cmpuint (n_running, <, N_SERVICES);

  harness_reexecute (h);
  check_same_pids (h, pids);
  crowd (h);
  check_same_pids (h, pids);
  survival_start_again (h);
  check_same_pids (h, pids);
  harness_reexecute (h);
  check_same_pids (h, pids);

  for (guint i = 0; i < N_SERVICES; i++) {
    if (pids[i] != 0)
      up = i;
    else
      down = i;
  }
  up_name = g_strdup_printf ("s%02u", up);
  down_name = g_strdup_printf ("s%02u", down);
  g_free (client_fails (h->client, "SpawnFailed", "StartService", "('%s', {'wait': <true>})", down_name));
  g_variant_unref (client_ok (h->client, "StopService", "('%s', {'wait': <true>})", up_name));
  g_variant_unref (client_ok (h->client, "StartService", "('%s', {'wait': <true>})", down_name));
  set_wrapper (NULL);
}

/* More processes than the next daemon can have pipes for: they are held all the same. */
static void
test_fewer_descriptors (void)
{
  g_autoptr (Harness) h = harness_new ();
  guint32 pids[N_SERVICES], now[N_SERVICES];

  add_services (h);
  survival_start (h);
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = g_strdup_printf ("s%02u", i);

    client_wait_state (h->client, name, "running");
    survival_wait_saved (h, name, "state", "\"running\"");
  }
  g_assert_cmpuint (list_pids (h, pids), ==, N_SERVICES);
  set_wrapper ("prlimit --nofile=256:256");
  survival_start_again (h);
  g_assert_cmpuint (list_pids (h, now), ==, N_SERVICES);
  g_assert_cmpmem (now, sizeof now, pids, sizeof pids);
  survival_wait_said (h, "may have been adopted without their output: no descriptors left (limit 256)", 1);
  survival_check_at_most_once_each (h, NULL);
  set_wrapper (NULL);
}

static gboolean
can_be_other (void)
{
  if (geteuid () == 0)
    return TRUE;
  g_test_skip ("needs root, to become another user");
  return FALSE;
}

/* The daemon runs as a user with a limit of processes. */
static Harness *
new_of_other (int process_limit)
{
  Harness *h = harness_new ();
  g_autofree char *notify = harness_path (h, "notify");
  g_autofree char *wrapper = g_strdup_printf (
      "setpriv --reuid %d --regid %d --clear-groups prlimit --nproc=%d:1000", USER, USER, process_limit);

  g_assert_cmpint (chown (h->runtime_dir, USER, USER), ==, 0);
  g_assert_cmpint (chmod (h->runtime_dir, 0700), ==, 0);
  g_assert_cmpint (chmod (notify, 0777), ==, 0);
  set_wrapper (wrapper);
  return h;
}

static guint
count_bombs (void)
{
  g_autoptr (GArray) pids = processes_with_mark ("ZINIT_SERVICE=bomb");

  return pids->len;
}

static void
test_fork_bomb (void)
{
  g_autoptr (Harness) h = NULL;
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  if (!can_be_other ())
    return;
  h = new_of_other (PROCESS_LIMIT);
  harness_service (h, "bomb", "bomb", "status = \"ignore\"\n[lifecycle]\nrestart = \"never\"\n");
  harness_service (h, "web", "wait", "status = \"ignore\"\n[lifecycle]\nrestart = \"never\"\n");
  survival_start (h);
  g_variant_unref (client_ok (h->client, "StartService", "('bomb', " NO_OPTIONS ")"));
  while (count_bombs () < PROCESS_LIMIT - 3)
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);

  /* Nothing else can be started, which is an answer; and the bomb can be stopped by somebody new. */
  {
    g_autoptr (TestClient) client = client_new_for_socket (h->socket);
    g_autofree char *message =
        client_fails (client, "SpawnFailed", "StartService", "('web', {'wait': <true>})");

    g_assert_nonnull (strstr (message, "clone"));
    g_variant_unref (client_ok (client, "StopService", "('bomb', {'wait': <true>})"));
  }
  g_assert_cmpuint (count_bombs (), ==, 0);
  g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
  set_wrapper (NULL);
}

static void
allow_processes (Harness *h, int limit)
{
  g_autofree char *command = g_strdup_printf ("setpriv --reuid %d --regid %d --clear-groups prlimit --pid %d "
                                              "--nproc=%d:1000",
                                              USER, USER, (int)h->daemon_pid, limit);
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_command_line_sync (command, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
}

/* Not even the thread of D-Bus is to be had: clients wait, and are served once it is. */
static void
test_no_thread (void)
{
  const char *const options[] = { "--no-bus", NULL };
  g_autoptr (Harness) h = NULL;

  if (!can_be_other ())
    return;
  h = new_of_other (1);
  harness_service (h, "web", "wait", "[lifecycle]\nrestart = \"on-failure\"\nrestart_delay_ms = 10\n");
  harness_launch (h, options);
  harness_wait_ready (h);
  survival_wait_said (h, "nobody can be served yet: no thread for D-Bus", 1);
  allow_processes (h, 100);
  h->client = client_new_for_socket (h->socket);
  g_variant_unref (client_get (h->client, NULL, "Version"));
  survival_wait_said (h, "it is served now", 1);
  client_wait_state (h->client, "web", "running");
  set_wrapper (NULL);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/scarcity/descriptors", test_descriptors);
  g_test_add_func ("/scarcity/fewer-descriptors", test_fewer_descriptors);
  g_test_add_func ("/scarcity/fork-bomb", test_fork_bomb);
  g_test_add_func ("/scarcity/no-thread", test_no_thread);
  return g_test_run ();
}
