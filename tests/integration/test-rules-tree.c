/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules F3 and G5: what a stop reaches. With real services that fork while they are stopped, leave their
 * session, lose their parents and hide where they come from.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include <stdlib.h>

#include "processes.h"
#include "survival.h"

/* A script for /bin/sh in the run's folder as the service @name. */
static void
add_script (Harness *h, const char *name, const char *script, const char *more)
{
  g_autofree char *file = g_strconcat (name, ".toml", NULL);
  g_autofree char *path = g_strconcat (h->directory, "/", name, ".sh", NULL);

  g_assert_true (g_file_set_contents (path, script, -1, NULL));
  harness_write (h, file, "[service]\nexec = \"sh %s\"\ndir = \"%s\"\n%s", path, h->directory, more);
}

/* The numbers that @name holds, a line each, once there are @count. Transfer full. */
static GArray *
read_pids (Harness *h, const char *name, guint count)
{
  g_auto (GStrv) lines = harness_wait_lines (h, name, count);
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));

  for (guint i = 0; lines[i] != NULL; i++) {
    pid_t pid = (pid_t)g_ascii_strtoll (lines[i], NULL, 10);

    if (pid > 1)
      g_array_append_val (pids, pid);
  }
  g_assert_cmpuint (pids->len, >=, count);
  return pids;
}

static void
stop (Harness *h, const char *name)
{
  g_variant_unref (client_ok (h->client, "StopService", "('%s', {'wait': <true>})", name));
}

static void
assert_all_ended (Harness *h, const char *name)
{
  g_autoptr (GArray) pids = read_pids (h, name, 1);

  for (guint i = 0; i < pids->len; i++)
    if (processes_is_alive (g_array_index (pids, pid_t, i)))
      g_error ("process %d of %s lives", (int)g_array_index (pids, pid_t, i), name);
}

/* Each has a session of its own, and the stop comes while they are made. What is forked after the signal is
 * not what a handler wanted: the script ends at its next turn. */
static void
test_forking (gconstpointer data)
{
  const char *fork_one = data;
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *script = g_strdup_printf ("trap 'exit 0' TERM\n"
                                             "while :; do\n%s\nsleep 0.002\ndone\n",
                                             fork_one);

  add_script (h, "forker", script, "[lifecycle]\nstop_timeout_ms = 60000\n");
  harness_start (h);
  g_array_unref (read_pids (h, "children", 20));
  stop (h, "forker");
  client_wait_state (h->client, "forker", "exited");
  assert_all_ended (h, "children");
}

/* The signal that comes between fork and exec is heard by the parent's handler, and not by the program. */
static void
test_late_exec (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "pids");
  g_autofree char *orders = g_strdup_printf ("fork-late %s on-term 0 0 wait", path);

  harness_service (h, "late", orders, "[lifecycle]\nstop_timeout_ms = 60000\n");
  harness_start (h);
  g_array_unref (read_pids (h, "pids", 1));
  stop (h, "late");
  client_wait_state (h->client, "late", "exited");
  assert_all_ended (h, "pids");
}

/* What a handler starts in the service's group has a parent that answers for it, and gets no signal. */
static void
test_handler (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *text = NULL;

  add_script (h, "tidy",
              "trap 'sh -c \"trap \\\"echo signalled >>tidied\\\" TERM; sleep 0.3; echo done >>tidied\"; "
              "exit 0' TERM\n"
              "echo $$ >ready\nwhile :; do sleep 1000 & wait; done\n",
              "[lifecycle]\nstop_timeout_ms = 60000\n");
  harness_start (h);
  g_array_unref (read_pids (h, "ready", 1));
  stop (h, "tidy");
  text = harness_read_when_there (h, "tidied");
  g_assert_cmpstr (text, ==, "done\n");
}

/* Each process gets the signal once. */
static void
test_once (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *text = NULL;

  add_script (h, "group",
              "setsid sh -c 'trap \"echo term >>heard\" TERM; echo $$ >>pids; n=0; while [ $n -lt 30 ]; do "
              "sleep 0.01; n=$((n+1)); [ -s heard ] || n=0; done' &\n"
              "wait\n",
              "[lifecycle]\nstop_timeout_ms = 60000\n");
  harness_start (h);
  g_array_unref (read_pids (h, "pids", 1));
  stop (h, "group");
  text = harness_read_when_there (h, "heard");
  g_assert_cmpstr (text, ==, "term\n");
  assert_all_ended (h, "pids");
}

typedef struct {
  const char *name;
  const char *script; /* appends numbers to "pids" */
} Escape;

static const Escape escapes[] = {
  { "setsid", "setsid sh -c 'echo $$ >>pids; exec sleep 1000' &\nwait\n" },
  { "double-fork", "(setsid sh -c 'echo $$ >>pids; exec sleep 1000' &)\nexec sleep 1000\n" },
  { "grandchild", "setsid sh -c 'setsid sh -c \"echo \\$\\$ >>pids; exec sleep 1000\" & wait' &\nwait\n" },
  { "no-environment", "(env -i setsid sh -c 'echo $$ >>pids; exec sleep 1000' &)\nexec sleep 1000\n" },
  { "main-ended", "setsid sh -c 'echo $$ >>pids; exec sleep 1000' &\nexec sleep 1000\n" },
  { "stubborn",
    "setsid sh -c 'trap \"\" TERM; echo $$ >>pids; while :; do sleep 1; done' &\nexec sleep 1000\n" },
};

static void
test_escape (gconstpointer data)
{
  const Escape *escape = data;
  g_autoptr (Harness) h = harness_new ();

  add_script (h, "escape", escape->script, "[lifecycle]\nstop_timeout_ms = 500\n");
  harness_start (h);
  g_array_unref (read_pids (h, "pids", 1));
  stop (h, "escape");
  assert_all_ended (h, "pids");
}

/* The next daemon is not its parent: there only the tags tell. */
static void
test_next_daemon (void)
{
  g_autoptr (Harness) h = harness_new ();

  add_script (h, "escape", escapes[1].script, "[lifecycle]\nstop_timeout_ms = 500\n");
  harness_start (h);
  g_array_unref (read_pids (h, "pids", 1));
  survival_crash (h);
  survival_start (h);
  client_wait_state (h->client, "escape", "running");
  stop (h, "escape");
  assert_all_ended (h, "pids");
}

/* What has no tags and began when two runs were executed just before is left alone, and named. */
static void
test_nobodys (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) pids = NULL;

  add_script (h, "one", escapes[3].script, "[lifecycle]\nstop_timeout_ms = 500\n");
  harness_service (h, "two", "wait", "");
  harness_start (h);
  pids = read_pids (h, "pids", 1);
  stop (h, "one");
  g_assert_true (processes_is_alive (g_array_index (pids, pid_t, 0)));
  kill (g_array_index (pids, pid_t, 0), SIGKILL);
}

/* What a main process leaves by itself is stopped before its end counts. */
static void
test_left (void)
{
  g_autoptr (Harness) h = harness_new ();

  add_script (
      h, "left",
      "setsid sh -c 'echo $$ >>pids; exec sleep 1000' &\nwhile ! [ -s pids ]; do sleep 0.01; done\nexit 3\n",
      "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  client_wait_state (h->client, "left", "failed");
  assert_all_ended (h, "pids");
}

/* A program that goes to the background: the copy that stays is the service, also for the next daemon, and a
 * stop ends it. */
static void
test_background (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) pids = NULL;
  g_autofree char *pid = NULL, *text = NULL;

  add_script (
      h, "launcher",
      "setsid sh -c 'echo $$ >>pids; exec sleep 1000' &\nwhile ! [ -s pids ]; do sleep 0.01; done\nexit 0\n",
      "[lifecycle]\nrestart_delay_ms = 1\n");
  harness_start (h);
  pids = read_pids (h, "pids", 1);
  pid = g_strdup_printf ("%d", g_array_index (pids, pid_t, 0));
  client_wait_property (h->client, "launcher", "Pid", pid);
  text = client_get_text (h->client, "launcher", "StatusText");
  g_assert_nonnull (strstr (text, "background"));
  survival_crash (h);
  survival_start (h);
  client_wait_property (h->client, "launcher", "Pid", pid);
  assert_property (h->client, "launcher", "State", "running");
  assert_property (h->client, "launcher", "RestartCount", "0");
  stop (h, "launcher");
  assert_all_ended (h, "pids");
  g_array_unref (g_steal_pointer (&pids));
  pids = read_pids (h, "pids", 1);
  g_assert_cmpuint (pids->len, ==, 1);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/rules/F3/forking", "setsid sh -c 'echo $$ >>children; exec sleep 1000' &",
                        test_forking);
  g_test_add_data_func ("/rules/F3/forking-in-group", "sh -c 'echo $$ >>children; exec sleep 1000' &",
                        test_forking);
  g_test_add_func ("/rules/F3/late-exec", test_late_exec);
  g_test_add_func ("/rules/F3/handler", test_handler);
  g_test_add_func ("/rules/F3/once", test_once);
  for (guint i = 0; i < G_N_ELEMENTS (escapes); i++) {
    g_autofree char *path = g_strconcat ("/rules/G5/", escapes[i].name, NULL);

    g_test_add_data_func (path, &escapes[i], test_escape);
  }
  g_test_add_func ("/rules/G5/next-daemon", test_next_daemon);
  g_test_add_func ("/rules/G5/nobodys", test_nobodys);
  g_test_add_func ("/rules/G5/left", test_left);
  g_test_add_func ("/rules/G6/real", test_background);
  return g_test_run ();
}
