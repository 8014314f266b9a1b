/* SPDX-License-Identifier: Apache-2.0
 *
 * A state file that another program has written, with nothing of ours in it, and processes that it has
 * started in its own way: who is taken for a service's process and who is not, that what was taken up can be
 * stopped, and that nothing is lost without a word.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "survival.h"

/* A child of this test, in its group; with the marks of `web` of @instance ("KEY=value"), if that is not
 * NULL. */
static pid_t
spawn_with (const char *const *argv, const char *instance)
{
  const char *const marked[] = { "ZINIT_SERVICE=web", instance, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **)argv, instance != NULL ? (char **)marked : NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                 NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static pid_t
spawn (const char *const *argv)
{
  return spawn_with (argv, NULL);
}

static void
end (pid_t pid)
{
  int status;

  kill (pid, SIGKILL);
  g_assert_true (processes_wait_child (pid, CLIENT_PATIENCE_SECONDS, &status));
}

/* The end of a process that stays a zombie, as its parent, this test, does not ask for it. */
static void
await_end (pid_t pid)
{
  siginfo_t info;

  g_assert_cmpint (waitid (P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
}

/* One entry of the map; @config NULL = none. */
static void
add_service (GString *services, const char *key, const char *name, const char *state, pid_t pid,
             const char *config)
{
  g_string_append_printf (
      services,
      "%s\"%s\": {\"name\": \"%s\", \"state\": \"%s\", \"pid\": %d, \"restart_count\": 3, "
      "\"current_restart_delay_ms\": 1000, \"last_state_change\": 1700000000000, "
      "\"ephemeral\": true%s%s}",
      services->len > 0 ? ", " : "", key, name, state, pid, config != NULL ? ", \"config\": " : "",
      config != NULL ? config : "");
}

/* @exec as it stands in JSON. It is not started again. Transfer full. */
static char *
make_config (const char *name, const char *exec)
{
  return g_strdup_printf ("{\"service\": {\"name\": \"%s\", \"exec\": \"%s\"}, "
                          "\"lifecycle\": {\"restart\": \"never\", \"stop_timeout_ms\": 2000}}",
                          name, exec);
}

static void
write_state (Harness *h, const GString *services)
{
  g_autofree char *path = survival_path (h, "state.json");
  g_autofree char *text = g_strdup_printf (
      "{\"version\": 1, \"saved_at\": %" G_GINT64_FORMAT ", \"boot_time\": 0, \"services\": {%s}, "
      "\"config_dir\": \"/somewhere\", \"socket_path\": \"/somewhere/else\"}",
      g_get_real_time () / 1000, services->str);

  g_assert_cmpint (g_mkdir_with_parents (h->runtime_dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

typedef struct {
  const char *argv[6];
  const char *exec; /* in JSON; %s = the folder of the test */
  gboolean is_taken;
} Match;

static const Match matches[] = {
  { { "sleep", "1001" }, "sleep 1001", TRUE },
  { { "sleep", "1001" }, "/usr/bin/sleep 9", TRUE },
  { { "sleep", "1001" }, "/bin/sleep", TRUE },
  { { "sleep", "1001" }, "slee", TRUE },
  { { "sleep", "1001" }, "/usr/bin/sleep.old", TRUE },
  { { "sleep", "1001" }, "  sleep\\t1001", TRUE },
  { { "sleep", "1001" }, "sleep\\u000b1001", TRUE },
  { { "sleep", "1001" }, "sleep\\u00851001", TRUE },
  { { "sleep", "1001" }, "\\u2003sleep\\u20031001", TRUE },
  { { "sleep", "1001" }, "/opt/bin/sleep", FALSE },
  { { "sleep", "1001" }, "Sleep", FALSE },
  /* What it works on is not what it is. */
  { { "sleep", "1001" }, "1001", FALSE },
  { { "tail", "-f", "%s/nginx.conf" }, "nginx", FALSE },
  /* The interpreter runs, and the script is an argument. */
  { { "%s/run.sh" }, "%s/run.sh --all", TRUE },
  { { "%s/option.sh" }, "%s/option.sh", TRUE },
  { { "%s/option.sh" }, "option.sh", TRUE },
  { { "%s/run.sh" }, "/elsewhere/run.sh", FALSE },
};

static char *
place (Harness *h, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "%s", -1);

  return g_strjoinv (h->directory, parts);
}

static void
write_script (Harness *h, const char *name, const char *text)
{
  g_autofree char *path = harness_path (h, name);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
}

static pid_t
spawn_match (Harness *h, const Match *match)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) argv = NULL;

  for (guint i = 0; match->argv[i] != NULL; i++) {
    g_autofree char *argument = place (h, match->argv[i]);
    g_autofree char *program = i == 0 ? g_find_program_in_path (argument) : NULL;

    g_strv_builder_add (builder, program != NULL ? program : argument);
  }
  argv = g_strv_builder_end (builder);
  return spawn ((const char *const *)argv);
}

static void
check_match (Harness *h, const char *name, const Match *match, pid_t pid)
{
  g_autoptr (GVariant) value = NULL;

  if (match->is_taken) {
    assert_property (h->client, name, "State", "running");
    g_assert_cmpint ((int)client_get_pid (h->client, name), ==, pid);
    return;
  }
  g_assert_cmpint ((int)client_get_pid (h->client, name), ==, 0);
  g_assert_true (processes_is_alive (pid));
  value = client_get (h->client, name, "RestartCount");
  g_assert_cmpuint (g_variant_get_uint32 (value), ==, 3);
}

/* By the first word, as the format has it, without what is dangerous in that. */
static void
test_matches (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GString) services = g_string_new (NULL);
  pid_t pids[G_N_ELEMENTS (matches)];

  write_script (h, "run.sh", "#!/bin/sh\nsleep 1000 & wait\n");
  write_script (h, "option.sh", "#!/bin/sh -e\nsleep 1000 & wait\n");
  write_script (h, "nginx.conf", "");
  for (guint i = 0; i < G_N_ELEMENTS (matches); i++) {
    g_autofree char *name = g_strdup_printf ("m%u", i);
    g_autofree char *exec = place (h, matches[i].exec);
    g_autofree char *config = make_config (name, exec);

    pids[i] = spawn_match (h, &matches[i]);
    add_service (services, name, name, "running", pids[i], config);
  }
  write_state (h, services);
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (matches); i++) {
    g_autofree char *name = g_strdup_printf ("m%u", i);

    check_match (h, name, &matches[i], pids[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (matches); i++)
    end (pids[i]);
}

/* It leads no group and is nobody's child here, and its parent never asks for it: a stop ends it and is over.
 */
static void
test_stop (void)
{
  static const char *const argv[] = { "/bin/sleep", "1002", NULL };
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GString) services = g_string_new (NULL);
  g_autofree char *config = make_config ("web", "sleep 1002");
  g_autofree char *other_config = make_config ("other", "sleep 1002");
  pid_t web = spawn (argv), other = spawn (argv);

  add_service (services, "web", "web", "running", web, config);
  add_service (services, "other", "other", "running", other, other_config);
  write_state (h, services);
  survival_start (h);
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  await_end (web);
  assert_property (h->client, "web", "State", "exited");
  assert_property (h->client, "web", "Pid", "0");
  assert_property (h->client, "other", "State", "running");
  /* And a shutdown comes to its end. */
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  await_end (other);
  end (web);
  end (other);
}

/* What cannot be taken up is named, with its process; what can be is. */
static void
test_said (void)
{
  static const char *const argv[] = { "/bin/sleep", "1003", NULL };
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GString) services = g_string_new (NULL);
  g_autofree char *config = make_config ("inner", "sleep 1003");
  g_autofree char *left_alone = NULL;
  g_autofree char *taken = NULL;
  pid_t pid = spawn (argv), other = spawn (argv);

  add_service (services, "my svc", "my svc", "running", other, config);
  add_service (services, "bare", "bare", "running", other, NULL);
  add_service (services, "a", "outer", "running", pid, config);
  add_service (services, "b", "b", "running", pid, config);
  write_state (h, services);
  survival_start (h);
  assert_property (h->client, "a", "State", "running");
  assert_property (h->client, "b", "Pid", "0");
  left_alone = g_strdup_printf ("process %d is left alone if it lives", (int)other);
  taken = g_strdup_printf ("b: process %d already belongs to another service", (int)pid);
  g_assert_cmpuint (survival_count_said (h, "the saved service \"my svc\" is not restored"), ==, 1);
  g_assert_cmpuint (survival_count_said (h, "the saved service \"bare\" is not restored"), ==, 1);
  g_assert_cmpuint (survival_count_said (h, left_alone), ==, 2);
  g_assert_cmpuint (survival_count_said (h, "the saved service a has another name, outer"), ==, 1);
  g_assert_cmpuint (survival_count_said (h, taken), ==, 1);
  g_assert_true (processes_is_alive (other));
  end (pid);
  end (other);
}

/* Another daemon with a run-time folder of the same name, as containers have: what it has started is its own.
 */
static void
test_other_namespace (void)
{
  static const char *const argv[] = { "/usr/bin/unshare", "--pid",      "--fork", "--kill-child",
                                      "/usr/bin/setsid",  "/bin/sleep", "1004",   NULL };
  g_autoptr (Harness) h = NULL;
  g_autofree char *instance = NULL;
  g_autoptr (GArray) pids = NULL;
  pid_t outside;

  if (geteuid () != 0) {
    g_test_skip ("only root can make a pid namespace");
    return;
  }
  h = harness_new ();
  harness_service (h, "web", "wait", "");
  instance = g_strconcat ("ZINIT_INSTANCE=", h->runtime_dir, NULL);
  outside = spawn_with (argv, instance);
  for (gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);;) {
    g_clear_pointer (&pids, g_array_unref);
    pids = processes_with_mark (instance);
    if (pids->len == 2 && getsid (g_array_index (pids, pid_t, 1)) == g_array_index (pids, pid_t, 1))
      break;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  g_assert_cmpint ((int)client_get_pid (h->client, "web"), !=, g_array_index (pids, pid_t, 1));
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  g_assert_true (processes_is_alive (g_array_index (pids, pid_t, 1)));
  end (outside);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/survival-foreign/matches", test_matches);
  g_test_add_func ("/survival-foreign/stop", test_stop);
  g_test_add_func ("/survival-foreign/said", test_said);
  g_test_add_func ("/survival-foreign/other-namespace", test_other_namespace);
  return g_test_run ();
}
