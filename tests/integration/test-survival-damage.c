/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody damages a file of the run-time folder, while the daemon runs and while none does: the daemon
 * lives, each service lives once and its output goes on. A run-time folder that others may change is refused.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "survival.h"

#define OTHER 65534
#define MADE_AGAIN "the run-time folder is made again"

static const char *const files[] = {
  "zinitd.lock", "state.json", "state.json.old", "state.json.tmp",   "fds.json",      "records",
  "instance",    "zinit.sock", "logs",           "logs/web.journal", "logs/web.ring",
};

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *below = g_build_filename (path, name, NULL);

    remove_tree (below);
  }
  g_remove (path);
}

static gboolean
truncate_file (const char *path)
{
  return truncate (path, 0) == 0;
}

static gboolean
randomize (const char *path)
{
  char bytes[3000];
  int fd = open (path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  gboolean is_written;

  for (gsize i = 0; i < sizeof bytes; i++)
    bytes[i] = (char)g_random_int ();
  is_written = fd >= 0 && write (fd, bytes, sizeof bytes) == sizeof bytes;
  if (fd >= 0)
    close (fd);
  return is_written;
}

static gboolean
remove_file (const char *path)
{
  remove_tree (path);
  return TRUE;
}

static gboolean
replace (const char *path)
{
  remove_tree (path);
  return g_file_set_contents (path, "{\"version\": 1}", -1, NULL);
}

/* A folder or a file of somebody else's that must stay as it is. */
static gboolean
make_link (const char *path)
{
  remove_tree (path);
  return symlink (g_str_has_suffix (path, "logs") ? "../services" : "../precious", path) == 0;
}

static gboolean
make_folder (const char *path)
{
  remove_tree (path);
  return g_mkdir (path, 0755) == 0;
}

static gboolean
make_full_folder (const char *path)
{
  g_autofree char *inside = g_build_filename (path, "inside", NULL);

  remove_tree (path);
  return g_mkdir_with_parents (inside, 0755) == 0;
}

static gboolean
make_fifo (const char *path)
{
  remove_tree (path);
  return mkfifo (path, 0600) == 0;
}

static gboolean
make_socket (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean is_made;

  remove_tree (path);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  is_made = bind (fd, (const struct sockaddr *)&address, sizeof address) == 0;
  close (fd);
  return is_made;
}

static gboolean
open_to_all (const char *path)
{
  return chmod (path, 0666) == 0;
}

static gboolean
give_away (const char *path)
{
  return geteuid () == 0 && lchown (path, OTHER, OTHER) == 0;
}

typedef struct {
  const char *name;
  gboolean (*func) (const char *path); /* FALSE: it cannot be done to such a file */
} Kind;

static const Kind kinds[] = {
  { "truncate", truncate_file },
  { "random", randomize },
  { "remove", remove_file },
  { "replace", replace },
  { "link", make_link },
  { "folder", make_folder },
  { "full-folder", make_full_folder },
  { "fifo", make_fifo },
  { "socket", make_socket },
  { "open-to-all", open_to_all },
  { "other-owner", give_away },
};

static gint64
newest_line_usec (Harness *h)
{
  g_autoptr (GVariant) reply = client_ok (h->client, "GetLogs", "('web', " NO_OPTIONS ")");
  g_autoptr (GVariant) lines = g_variant_get_child_value (reply, 0);
  gsize n_lines = g_variant_n_children (lines);
  guint64 usec = 0;

  if (n_lines > 0)
    g_variant_get_child (lines, n_lines - 1, "(t&s&s)", &usec, NULL, NULL);
  return (gint64)usec;
}

/* web ends and is started again, and what it says then is there. */
static void
poke (Harness *h)
{
  g_autoptr (GVariant) value = client_get (h->client, "web", "RestartCount");
  g_autofree char *next = g_strdup_printf ("%u", g_variant_get_uint32 (value) + 1);
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS), since_usec = g_get_real_time ();

  g_assert_cmpint (kill ((pid_t)client_get_pid (h->client, "web"), SIGKILL), ==, 0);
  client_wait_property (h->client, "web", "RestartCount", next);
  client_wait_state (h->client, "web", "running");
  while (newest_line_usec (h) < since_usec) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

static void
check_alive (Harness *h, guint32 calm)
{
  assert_property (h->client, "calm", "State", "running");
  g_assert_cmpuint (client_get_pid (h->client, "calm"), ==, calm);
  survival_check_once_each (h, 2);
}

/* A second daemon does not believe that there is none. */
static void
check_locked (Harness *h)
{
  const char *const options[] = { "--no-bus", NULL };
  GPid daemon_pid = h->daemon_pid;
  TestClient *client = g_steal_pointer (&h->client);
  int status;

  harness_launch (h, options);
  status = harness_wait_exit (h);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  h->daemon_pid = daemon_pid;
  h->client = client;
}

static void
damage_one (Harness *h, const char *file, const Kind *kind, guint32 calm)
{
  g_autofree char *path = survival_path (h, file);
  guint times = survival_count_said (h, MADE_AGAIN);

  g_test_message ("%s: %s", file, kind->name);
  if (kind->func (path)) {
    poke (h);
    check_alive (h, calm);
    if (g_str_equal (file, "zinitd.lock")) {
      if (kind->func != truncate_file && kind->func != randomize)
        survival_wait_said (h, MADE_AGAIN, times + 1);
      check_locked (h);
    }
  }
  survival_crash (h);
  kind->func (path);
  survival_start (h);
  check_alive (h, calm);
  poke (h);
  check_alive (h, calm);
}

static void
test_file (gconstpointer file)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *precious = harness_path (h, "precious");
  g_autofree char *text = NULL;
  struct stat status;
  guint32 calm;

  g_assert_true (g_file_set_contents (precious, "precious", -1, NULL));
  harness_service (h, "calm", "wait", "");
  harness_service (h, "web", "out hello partial half wait",
                   "[lifecycle]\nrestart_delay_ms = 5\nrestart_delay_max_ms = 5\n");
  survival_start (h);
  client_wait_state (h->client, "calm", "running");
  client_wait_log_lines (h->client, "web", 1);
  survival_wait_saved (h, "calm", "state", "\"running\"");
  calm = client_get_pid (h->client, "calm");
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    damage_one (h, file, &kinds[i], calm);

  g_assert_true (g_file_get_contents (precious, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");
  g_assert_cmpint (stat (h->config_dir, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, !=, 0700);
}

/* Ends with 1 and says why. */
static void
assert_refused (Harness *h, const char *why)
{
  const char *const options[] = { "--no-bus", NULL };
  guint times = survival_count_said (h, why);
  int status;

  harness_launch (h, options);
  status = harness_wait_exit (h);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 1);
  g_assert_cmpuint (survival_count_said (h, why), ==, times + 1);
}

static void
test_refused_folder (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;

  g_assert_true (g_file_set_contents (h->log_path, "", 0, NULL));
  harness_service (h, "web", "wait", "");
  g_assert_cmpint (chmod (h->runtime_dir, 0777), ==, 0);
  assert_refused (h, "/run may be written by others (mode 0777); only a folder that user");
  g_assert_cmpint (chmod (h->runtime_dir, 0755), ==, 0);
  g_assert_cmpint (chmod (h->directory, 0777), ==, 0);
  assert_refused (h,
                  "may be written by others (mode 0777); above it that is allowed only with the sticky bit");
  g_assert_cmpint (chmod (h->directory, 0700), ==, 0);
  if (geteuid () == 0) {
    g_assert_cmpint (chown (h->runtime_dir, OTHER, OTHER), ==, 0);
    assert_refused (h, "/run belongs to user 65534; only a folder of user 0 is allowed");
    g_assert_cmpint (chown (h->runtime_dir, 0, 0), ==, 0);
  }

  /* One that runs goes on, and is not replaced by one that would refuse to. */
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  g_assert_cmpint (chmod (h->runtime_dir, 0777), ==, 0);
  message = client_fails (h->client, "Failed", "Reexecute", "(" NO_OPTIONS ",)");
  g_assert_nonnull (strstr (message, "may be written by others (mode 0777)"));
  assert_property (h->client, "web", "State", "running");
  g_assert_cmpint (chmod (h->runtime_dir, 0755), ==, 0);
  harness_reexecute (h);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_strdup_printf ("/survival-damage/%s", files[i]);

    g_strdelimit (path + strlen ("/survival-damage/"), "/", '-');
    g_test_add_data_func (path, files[i], test_file);
  }
  g_test_add_func ("/survival-damage/refused-folder", test_refused_folder);
  return g_test_run ();
}
