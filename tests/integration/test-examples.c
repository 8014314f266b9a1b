/* SPDX-License-Identifier: Apache-2.0
 *
 * The example services that are installed, with the real programs that they run: they come up in order, do
 * their work, come back after a crash, stop in order, and leave nothing behind. Needs redis and nginx.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

static gboolean
lacks_programs (void)
{
  static const char *const programs[] = { "redis-server", "redis-cli", "nginx" };

  for (gsize i = 0; i < G_N_ELEMENTS (programs); i++) {
    g_autofree char *path = g_find_program_in_path (programs[i]);

    if (path == NULL) {
      g_test_skip ("needs redis and nginx");
      return TRUE;
    }
  }
  return FALSE;
}

static void
copy_examples (Harness *h)
{
  g_autofree char *folder = g_build_filename (g_getenv ("ZINIT_SOURCE"), "data", "examples", NULL);
  g_autoptr (GDir) examples = g_dir_open (folder, 0, NULL);
  const char *name;

  g_assert_nonnull (examples);
  while ((name = g_dir_read_name (examples)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL), *text = NULL;

    if (!g_str_has_suffix (name, ".toml"))
      continue;
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    harness_write_bytes (h, name, text, -1);
  }
}

static Harness *
start (void)
{
  Harness *h = harness_new ();
  g_autofree char *work = harness_path (h, "work");

  harness_setenv (h, "ZINIT_EXAMPLES_DIR", work);
  copy_examples (h);
  harness_start (h);
  client_wait_state (h->client, "prepare", "exited");
  client_wait_state (h->client, "redis", "running");
  client_wait_state (h->client, "nginx", "running");
  client_wait_state (h->client, "worker", "running");
  return h;
}

/* Runs a program in the examples' folder until it prints @wanted: the service is up before its socket is. */
static void
wait_for_answer (Harness *h, const char *const *argv, const char *wanted)
{
  g_autofree char *work = harness_path (h, "work");
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *out = NULL;

    g_assert_true (g_spawn_sync (work, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                                 NULL, NULL, &out, NULL, NULL, NULL));
    if (strstr (out, wanted))
      return;
    if (g_get_monotonic_time () > deadline)
      g_error ("%s never said %s but: %s", argv[0], wanted, out);
    g_usleep (20000);
  }
}

static void
wait_for_redis (Harness *h)
{
  static const char *const ping[] = { "redis-cli", "-s", "redis.sock", "PING", NULL };

  wait_for_answer (h, ping, "PONG");
}

static gboolean
has_beat (TestClient *c)
{
  g_autoptr (GVariant) logs = client_ok (c, "GetLogs", "('worker', {'stream': <'stdout'>})");
  g_autofree char *text = g_variant_print (logs, FALSE);

  return strstr (text, "'beat 1'") != NULL;
}

/* Some services start by hand: the folder as a whole must be valid all the same. */
static void
test_valid (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) errors = NULL;
  g_autofree char *work = harness_path (h, "work");

  harness_setenv (h, "ZINIT_EXAMPLES_DIR", work);
  copy_examples (h);
  harness_start (h);
  errors = harness_reload_errors (h);
  g_assert_cmpuint (g_variant_n_children (errors), ==, 0);
}

static void
test_stack (void)
{
  static const char *const get[] = { "curl", "-s", "--unix-socket", "web.sock", "http://x/", NULL };
  g_autoptr (Harness) h = NULL;
  g_autofree char *curl = g_find_program_in_path ("curl");
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  guint32 worker, redis;
  TestClient *c;

  if (lacks_programs ())
    return;
  h = start ();
  c = h->client;
  wait_for_redis (h);
  if (curl)
    wait_for_answer (h, get, "nginx answers");
  while (!has_beat (c)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (20000);
  }
  /* A crash: redis comes back, its dependent stays. */
  worker = client_get_pid (c, "worker");
  redis = client_get_pid (c, "redis");
  client_set_mark (c);
  g_assert_cmpint (kill ((pid_t)redis, SIGKILL), ==, 0);
  g_variant_unref (client_wait_transition (c, "redis", "starting", "running"));
  assert_property (c, "redis", "RestartCount", "1");
  wait_for_redis (h);
  g_assert_cmpuint (client_get_pid (c, "worker"), ==, worker);
  /* A stop: the worker first. */
  client_set_mark (c);
  g_variant_unref (client_ok (c, "StopService", "('redis', {'wait': <true>})"));
  g_assert_cmpuint (client_position (c, "worker", "exited"), <, client_position (c, "redis", "stopping"));
  assert_property (c, "redis", "State", "exited");
  assert_property (c, "redis", "LastExit", "('exited', 0)");
  assert_property (c, "nginx", "State", "running");
  g_variant_unref (client_ok (c, "StartService", "('redis', " NO_OPTIONS ")"));
  client_wait_state (c, "worker", "running");
  wait_for_redis (h);
}

/* The two that cannot run together. */
static void
test_conflict (void)
{
  g_autoptr (Harness) h = NULL;
  static const char *const get[] = { "curl", "-s", "--unix-socket", "web.sock", "http://x/", NULL };
  g_autofree char *curl = g_find_program_in_path ("curl");
  TestClient *c;

  if (lacks_programs ())
    return;
  h = start ();
  c = h->client;
  g_variant_unref (client_ok (c, "StartService", "('maintenance', " NO_OPTIONS ")"));
  client_wait_state (c, "maintenance", "blocked");
  assert_property (c, "maintenance", "WaitingOn", "['nginx']");
  g_variant_unref (client_ok (c, "StopService", "('nginx', {'wait': <true>})"));
  client_wait_state (c, "maintenance", "running");
  if (curl)
    wait_for_answer (h, get, "maintenance");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/examples/valid", test_valid);
  g_test_add_func ("/examples/stack", test_stack);
  g_test_add_func ("/examples/conflict", test_conflict);
  return g_test_run ();
}
