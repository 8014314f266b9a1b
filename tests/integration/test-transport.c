/* SPDX-License-Identifier: Apache-2.0
 *
 * What the daemon has of threads and of GLib's wake-ups is made at its start, and nothing that clients, the
 * bus or a re-execution do adds to it.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

#define N_CLIENTS 50

typedef struct {
  guint n_threads;
  guint n_wake_ups; /* eventfds and pipes of its own making are GLib's, as services have none here */
} Made;

static Made
count (Harness *h)
{
  g_autofree char *tasks = g_strdup_printf ("/proc/%d/task", (int)h->daemon_pid);
  g_autofree char *fds = g_strdup_printf ("/proc/%d/fd", (int)h->daemon_pid);
  g_autoptr (GDir) task_folder = g_dir_open (tasks, 0, NULL);
  g_autoptr (GDir) fd_folder = g_dir_open (fds, 0, NULL);
  const char *name;
  Made made = { 0, 0 };

  g_assert_true (task_folder != NULL && fd_folder != NULL);
  while (g_dir_read_name (task_folder) != NULL)
    made.n_threads++;
  while ((name = g_dir_read_name (fd_folder)) != NULL) {
    g_autofree char *link = g_build_filename (fds, name, NULL);
    g_autofree char *target = g_file_read_link (link, NULL);

    if (g_strcmp0 (target, "anon_inode:[eventfd]") == 0 ||
        (target != NULL && g_str_has_prefix (target, "pipe:")))
      made.n_wake_ups++;
  }
  return made;
}

/* Threads of a pool stay for a while, so one that was made is seen. */
static void
check_same (Harness *h, Made before)
{
  Made now = count (h);

  g_assert_cmpuint (now.n_threads, ==, before.n_threads);
  g_assert_cmpuint (now.n_wake_ups, ==, before.n_wake_ups);
}

static void
call_from_many (Harness *h)
{
  TestClient *clients[N_CLIENTS];

  for (int i = 0; i < N_CLIENTS; i++) {
    clients[i] = i % 2 ? client_new_for_socket (h->socket) : client_new_for_bus (h->bus_address);
    g_variant_unref (client_ok (clients[i], "ListServices", NULL));
    client_send (clients[i], "StopService", "('web', {'wait': <true>})");
    g_variant_unref (client_get (clients[i], NULL, "Version"));
  }
  for (int i = 0; i < N_CLIENTS; i++)
    client_free (clients[i]);
}

static void
test_made_once (void)
{
  g_autoptr (Harness) h = harness_new ();
  Made at_start;

  harness_service (h, "web", "wait", "status = \"ignore\"\n");
  harness_start (h);
  at_start = count (h);
  /* The main one, "gdbus" and "gmain". */
  g_assert_cmpuint (at_start.n_threads, ==, 3);
  call_from_many (h);
  check_same (h, at_start);

  g_clear_pointer (&h->client, client_free);
  harness_stop_bus (h);
  harness_start_bus (h);
  harness_wait_name (h);
  check_same (h, at_start);
  call_from_many (h);
  check_same (h, at_start);

  harness_reexecute (h);
  g_clear_pointer (&h->client, client_free);
  harness_wait_name (h);
  check_same (h, at_start);
  call_from_many (h);
  check_same (h, at_start);
}

/* A bus that takes connections and says nothing, or what is no D-Bus, is left, and another is tried. */
static void
test_strange_bus (void)
{
  g_autoptr (Harness) h = harness_new ();
  const char *const options[] = { "--address", h->bus_address, NULL };
  static const char *const answers[] = { "HTTP/1.0 400 Bad Request\r\n", "REJECTED ANONYMOUS\r\n",
                                         "OK 0123456789abcdef0123456789abcdef\r\nthis is no message at all" };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  harness_stop_bus (h);
  g_strlcpy (address.sun_path, h->bus_address + strlen ("unix:path="), sizeof address.sun_path);
  unlink (address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  harness_start_with (h, options);
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    int daemon = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
    char bytes[256];

    g_assert_cmpint (daemon, >=, 0);
    g_assert_cmpint (recv (daemon, bytes, sizeof bytes, 0), >, 0);
    g_assert_cmpint (send (daemon, answers[i], strlen (answers[i]), MSG_NOSIGNAL), >, 0);
    while (recv (daemon, bytes, sizeof bytes, 0) > 0)
      ;
    close (daemon);
    g_variant_unref (client_get (h->client, NULL, "Version"));
  }
  close (fd);
  unlink (address.sun_path);
  g_clear_pointer (&h->client, client_free);
  harness_start_bus (h);
  harness_wait_name (h);
}

/* An address in which nothing can be used is said, and the private socket serves. */
static void
test_unusable_address (void)
{
  g_autoptr (Harness) h = harness_new ();
  const char *const options[] = { "--address", "tcp:host=localhost,port=1", NULL };
  g_autofree char *log = NULL;

  harness_start_with (h, options);
  g_variant_unref (client_get (h->client, NULL, "Version"));
  g_assert_true (g_file_get_contents (h->log_path, &log, NULL, NULL));
  g_assert_nonnull (strstr (log, "the address \"tcp:host=localhost,port=1\" cannot be used: it is not of the "
                                 "kind unix"));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/transport/made-once", test_made_once);
  g_test_add_func ("/transport/strange-bus", test_strange_bus);
  g_test_add_func ("/transport/unusable-address", test_unusable_address);
  return g_test_run ();
}
