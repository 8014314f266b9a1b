/* SPDX-License-Identifier: Apache-2.0
 *
 * Another program in the place of the daemon's own: a good one takes over, and from one that is not the
 * daemon goes on as if nothing had been asked of it, but for the answer.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "harness.h"
#include "kernel.h"
#include "processes.h"

static const char *const private_only[] = { "--no-bus", NULL };

typedef struct {
  Harness *h;
  const char *program; /* the daemon's, a copy of the one that was built */
  char *built;
  guint32 web;
} Upgrade;

static void
copy_program (const char *from, const char *to)
{
  g_autoptr (GFile) source = g_file_new_for_path (from);
  g_autoptr (GFile) target = g_file_new_for_path (to);
  g_autoptr (GError) error = NULL;

  /* It cannot be written to while it runs; a package's files are replaced as well. */
  g_unlink (to);
  g_file_copy (source, target, G_FILE_COPY_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
set_up (Upgrade *upgrade, gconstpointer data)
{
  upgrade->h = harness_new ();
  upgrade->built = upgrade->h->program;
  upgrade->program = upgrade->h->program = harness_path (upgrade->h, "zinitd-copy");
  copy_program (upgrade->built, upgrade->program);
  harness_service (upgrade->h, "web", "out hello wait", "");
  harness_start_with (upgrade->h, private_only);
  client_wait_state (upgrade->h->client, "web", "running");
  upgrade->web = client_get_pid (upgrade->h->client, "web");
}

static void
tear_down (Upgrade *upgrade, gconstpointer data)
{
  harness_finish (upgrade->h);
  g_free (upgrade->built);
}

/* A script in the place of the program. */
static void
put_script (Upgrade *upgrade, const char *text, mode_t mode)
{
  g_unlink (upgrade->program);
  g_assert_true (g_file_set_contents (upgrade->program, text, -1, NULL));
  g_assert_cmpint (g_chmod (upgrade->program, mode), ==, 0);
}

static char *
read_exe (const Upgrade *upgrade)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/exe", upgrade->h->daemon_pid);

  return g_file_read_link (path, NULL);
}

/* The same process, with the same service, that serves old and new clients and does its work. */
static void
check_goes_on (Upgrade *upgrade)
{
  TestClient *client = upgrade->h->client;
  g_autoptr (TestClient) other = client_new_for_socket (upgrade->h->socket);

  g_assert_true (processes_is_alive (upgrade->h->daemon_pid));
  g_assert_cmpuint (client_get_pid (client, "web"), ==, upgrade->web);
  assert_property (other, "web", "State", "running");
  g_variant_unref (client_ok (client, "RestartService", "('web', {'wait': <true>})"));
  upgrade->web = client_get_pid (client, "web");
}

static void
refuse (Upgrade *upgrade, const char *reason)
{
  g_autofree char *message = client_fails (upgrade->h->client, "Failed", "Reexecute", "(" NO_OPTIONS ",)");

  if (strstr (message, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", message, reason);
  check_goes_on (upgrade);
}

/* Replaced on disk, as a package does it: the new file runs then, in the same process. */
static void
test_replaced (Upgrade *upgrade, gconstpointer data)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  copy_program (upgrade->built, upgrade->program);
  before = read_exe (upgrade);
  g_assert_true (g_str_has_suffix (before, " (deleted)"));
  for (guint i = 0; i < 2; i++) {
    harness_reexecute (upgrade->h);
    after = read_exe (upgrade);
    g_assert_cmpstr (after, ==, upgrade->program);
    g_clear_pointer (&after, g_free);
    check_goes_on (upgrade);
    copy_program (upgrade->built, upgrade->program);
  }
}

static void
test_missing (Upgrade *upgrade, gconstpointer data)
{
  g_unlink (upgrade->program);
  refuse (upgrade, "No such file or directory");
  copy_program (upgrade->built, upgrade->program);
  harness_reexecute (upgrade->h);
  check_goes_on (upgrade);
}

static void
test_not_executable (Upgrade *upgrade, gconstpointer data)
{
  put_script (upgrade, "#!/bin/sh\nexit 0\n", 0644);
  refuse (upgrade, "Permission denied");
}

/* It says why, and the caller is told. */
static void
test_refuses_state (Upgrade *upgrade, gconstpointer data)
{
  put_script (upgrade, "#!/bin/sh\necho \"$1 $3 $4: services.web.colour: missing\" >&2\nexit 1\n", 0755);
  refuse (upgrade,
          "does not accept the state (exited 1): --check-state --at now: services.web.colour: missing");
  put_script (upgrade, "#!/bin/sh\nexit 3\n", 0755);
  refuse (upgrade, "does not accept the state (exited 3): it does not say why");
}

static void
test_crashes (Upgrade *upgrade, gconstpointer data)
{
  put_script (upgrade, "#!/bin/sh\nkill -SEGV $$\n", 0755);
  refuse (upgrade, "does not accept the state (killed 11)");
}

/* Cut off in the middle, as by a full disk. */
static void
test_truncated (Upgrade *upgrade, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (upgrade->built, &text, &length, NULL));
  g_unlink (upgrade->program);
  g_assert_true (g_file_set_contents (upgrade->program, text, (gssize)MIN (length / 2, 4000), NULL));
  g_assert_cmpint (g_chmod (upgrade->program, 0755), ==, 0);
  refuse (upgrade, upgrade->program);
}

enum { N_CODES = 5 };

/* Services that end with 1, 2, … when the file is there; an earlier daemon has started them, and its end has
 * made them children of this test. */
static void
start_codes (Upgrade *upgrade, const char *go, pid_t *pids)
{
  Harness *h = upgrade->h;

  for (int i = 0; i < N_CODES; i++) {
    g_autofree char *name = g_strdup_printf ("code%d", i);
    g_autofree char *orders = g_strdup_printf ("until %s exit %d", go, i + 1);

    harness_service (h, name, orders, "[lifecycle]\nrestart = \"never\"\n");
  }
  g_free (harness_reload (h));
  for (int i = 0; i < N_CODES; i++) {
    g_autofree char *name = g_strdup_printf ("code%d", i);

    client_wait_state (h->client, name, "running");
    pids[i] = (pid_t)client_get_pid (h->client, name);
  }
  g_assert_cmpint (kill (h->daemon_pid, SIGKILL), ==, 0);
  harness_wait_exit (h);
  harness_start_with (h, private_only);
}

/* They end, and are reaped, when the next image has not yet begun to look: only their pidfds, which stay
 * open, can tell how. */
static void
test_ended_in_the_gap (Upgrade *upgrade, gconstpointer data)
{
  g_autofree char *go = harness_path (upgrade->h, "go"), *gate = harness_path (upgrade->h, "gate");
  g_autofree char *script = g_strdup_printf ("#!/bin/sh\n[ \"$1\" = --check-state ] ||\n"
                                             "  until [ -e %s ]; do sleep 0.01; done\nexec %s \"$@\"\n",
                                             gate, upgrade->built);
  pid_t pids[N_CODES];

  start_codes (upgrade, go, pids);
  put_script (upgrade, script, 0755);
  g_variant_unref (client_ok (upgrade->h->client, "Reexecute", "(" NO_OPTIONS ",)"));
  client_free (upgrade->h->client);
  for (gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);;) {
    g_autofree char *exe = read_exe (upgrade);

    if (!g_str_has_suffix (exe, "zinitd-copy (deleted)"))
      break;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  for (int i = 0; i < N_CODES; i++)
    g_assert_true (processes_wait_child (pids[i], CLIENT_PATIENCE_SECONDS, NULL));
  g_assert_true (g_file_set_contents (gate, "", 0, NULL));
  upgrade->h->client = client_new_for_socket (upgrade->h->socket);
  for (int i = 0; i < N_CODES; i++) {
    g_autofree char *name = g_strdup_printf ("code%d", i);
    g_autofree char *expected = g_strdup_printf ("('exited', %d)", kernel_tells_exits () ? i + 1 : -1);

    client_wait_property (upgrade->h->client, name, "Pid", "0");
    assert_property (upgrade->h->client, name, "LastExit", expected);
  }
}

static gboolean
has_both (GPtrArray *messages, gpointer data)
{
  guint n = 0;

  for (guint i = 0; i < messages->len; i++)
    n += g_strcmp0 (g_dbus_message_get_member (messages->pdata[i]), "PrepareForRestart") == 0;
  return n == 2;
}

/* It says a lot, for and against, and takes the state. That it cannot be executed shows at the last step,
 * when the caller has had its answer: whoever listens is told that nothing came of it. */
static void
test_fails_at_last (Upgrade *upgrade, gconstpointer data)
{
  TestClient *client = upgrade->h->client;

  put_script (upgrade, "#!/bin/sh\nseq 100000\nseq 100000 >&2\nchmod 0644 \"$0\"\nexit 0\n", 0755);
  client_set_mark (client);
  client_send (client, "Reexecute", "(" NO_OPTIONS ",)");
  client_wait_for (client, has_both, NULL, "PrepareForRestart twice");
  check_goes_on (upgrade);
}

#define ADD(path, func) g_test_add ("/upgrade/" path, Upgrade, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  /* What a daemon leaves behind becomes ours: the test says when a zombie is reaped. */
  g_assert_cmpint (prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), ==, 0);
  ADD ("replaced", test_replaced);
  ADD ("missing", test_missing);
  ADD ("not-executable", test_not_executable);
  ADD ("refuses-state", test_refuses_state);
  ADD ("crashes", test_crashes);
  ADD ("truncated", test_truncated);
  ADD ("fails-at-last", test_fails_at_last);
  ADD ("ended-in-the-gap", test_ended_in_the_gap);
  return g_test_run ();
}
