/* SPDX-License-Identifier: Apache-2.0
 *
 * Too much of everything from clients: calls that wait, connections, long texts, bytes that are no D-Bus.
 * Each limit answers clearly, and the daemon goes on for the others.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"
#include "names.h"
#include "processes.h"

#define MAX_WAITING_CALLS 1024
#define MAX_PRIVATE_CLIENTS 256
#define N_HASTY_CLIENTS 2000

static int
connect_raw (Harness *h)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, h->socket, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  return fd;
}

/* TRUE when the other side ends it before the deadline; what it says is read away. */
static gboolean
is_closed (int fd)
{
  struct timeval timeout = { (time_t)(CLIENT_PATIENCE_SECONDS * processes_slowness ()), 0 };
  char bytes[4096];
  ssize_t length;

  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  while ((length = recv (fd, bytes, sizeof bytes, 0)) > 0)
    ;
  return length == 0 || errno == ECONNRESET;
}

/* Services "idle", a oneshot that is at work until release(), and "web", which waits for it. */
static void
write_waiting (Harness *h)
{
  g_autofree char *go = harness_path (h, "go"), *orders = g_strdup_printf ("until %s exit 0", go);

  harness_service (h, "idle", orders, "status = \"ignore\"\noneshot = true\n");
  harness_service (h, "web", "wait", "status = \"ignore\"\n[dependencies]\nrequires = [\"idle\"]\n");
}

static void
start_idle (TestClient *c)
{
  g_variant_unref (client_ok (c, "StartService", "('idle', " NO_OPTIONS ")"));
  client_wait_state (c, "idle", "running");
}

static void
release (Harness *h)
{
  g_autofree char *go = harness_path (h, "go");

  g_assert_true (g_file_set_contents (go, "", 0, NULL));
}

/* Calls that wait for something that does not come. */
static void
test_waiting_calls (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (TestClient) guest = NULL, peer = NULL;
  g_autoptr (GDBusMessage) reply = NULL;
  guint32 last = 0;
  TestClient *c;

  harness_service (h, "other", "wait", "status = \"ignore\"\n");
  write_waiting (h);
  harness_start (h);
  c = h->client;
  start_idle (c);
  guest = client_new_for_bus (h->bus_address);
  peer = client_new_for_socket (h->socket);
  for (int i = 0; i <= MAX_WAITING_CALLS; i++)
    last = client_send (c, "StartService", "('web', {'wait': <true>})");
  reply = client_wait_reply (c, last);
  g_assert_cmpstr (g_dbus_message_get_error_name (reply), ==, ZINIT_ERROR_PREFIX "LimitExceeded");
  g_assert_false (client_has_reply (c, last - 1));
  /* That is this client's own limit. */
  g_variant_unref (client_ok (guest, "StartService", "('other', {'wait': <true>})"));
  g_variant_unref (client_ok (peer, "StopService", "('other', {'wait': <true>})"));
  /* Without waiting all goes on; and those that wait get their answer. */
  g_variant_unref (client_ok (c, "ListServices", NULL));
  release (h);
  g_clear_object (&reply);
  reply = client_wait_reply (c, last - 1);
  g_assert_cmpint (g_dbus_message_get_message_type (reply), ==, G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
  g_variant_unref (client_ok (c, "StopService", "('web', {'wait': <true>})"));
}

static gint64
check_times_out (TestClient *c, const char *method, const char *options, const char *expected)
{
  gint64 before = g_get_monotonic_time ();
  g_autofree char *message = client_fails (c, "TimedOut", method, "('web', %s)", options);

  g_test_message ("%s: %s", method, message);
  g_assert_nonnull (strstr (message, "300 ms"));
  g_assert_nonnull (strstr (message, expected));
  return g_get_monotonic_time () - before;
}

/* A wait that is given a time ends by then and says where the service stands; the request stays. */
static void
test_timeouts (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (TestClient) peer = NULL;
  g_autoptr (GVariant) reply = NULL;
  GError *error = NULL;
  TestClient *c;

  write_waiting (h);
  harness_service (h, "stubborn", "ignore 15 out ready wait", "status = \"ignore\"\n");
  harness_start (h);
  c = h->client;
  start_idle (c);
  peer = client_new_for_socket (h->socket);
  g_assert_cmpint (
      check_times_out (c, "StartService", "{'wait': <true>, 'timeout_ms': <300>}", "web is blocked"), >=,
      300000);
  check_times_out (peer, "RestartService", "{'wait': <true>, 'timeout_ms': <uint64 300>}", "web is blocked");
  assert_property (c, "web", "WantedStatus", "start");
  /* It has no meaning without `wait`, and 0 is none. */
  g_variant_unref (client_ok (c, "RestartService", "('web', {'timeout_ms': <1>})"));
  reply = client_call_on (c, "/org/zinit/service/stubborn", ZINIT_SERVICE_INTERFACE, "Start",
                          g_variant_new_parsed ("({'wait': <true>, 'timeout_ms': <0>},)"), &error);
  g_assert_no_error (error);
  client_wait_log_lines (c, "stubborn", 1);
  g_free (client_fails (c, "TimedOut", "StopService", "('stubborn', {'wait': <true>, 'timeout_ms': <50>})"));
  g_variant_unref (client_ok (c, "KillService", "('stubborn', 9, " NO_OPTIONS ")"));
  release (h);
  client_wait_state (c, "web", "running");
}

/* A caller that went away takes nothing with it. */
static void
test_caller_goes (void)
{
  g_autoptr (Harness) h = harness_new ();

  write_waiting (h);
  harness_start (h);
  start_idle (h->client);
  for (int i = 0; i < 20; i++) {
    g_autoptr (TestClient) guest =
        i % 2 ? client_new_for_socket (h->socket) : client_new_for_bus (h->bus_address);

    client_send (guest, "RestartService", "('web', {'wait': <true>})");
    g_variant_unref (client_ok (guest, "ListServices", NULL));
  }
  client_wait_state (h->client, "web", "blocked");
  release (h);
  client_wait_state (h->client, "web", "running");
}

#define N_CALLERS 300

/* More clients of the bus than are remembered: one that waits is not forgotten, and one that was forgotten is
 * asked for anew. */
static void
test_many_callers (void)
{
  g_autoptr (Harness) h = harness_new ();
  TestClient *clients[N_CALLERS];
  g_autoptr (GDBusMessage) reply = NULL;
  guint32 serial;

  write_waiting (h);
  harness_start (h);
  start_idle (h->client);
  for (int i = 0; i < N_CALLERS; i++)
    clients[i] = client_new_for_bus (h->bus_address);
  serial = client_send (clients[0], "StartService", "('web', {'wait': <true>})");
  for (int turn = 0; turn < 2; turn++) {
    for (int i = 1; i < N_CALLERS; i++)
      g_free (client_fails (clients[i], "AlreadyRunning", "RemoveService", "('idle', " NO_OPTIONS ")"));
  }
  release (h);
  reply = client_wait_reply (clients[0], serial);
  g_assert_cmpint (g_dbus_message_get_message_type (reply), ==, G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
  for (int i = 0; i < N_CALLERS; i++)
    client_free (clients[i]);
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
}

static void
send_bytes (int fd, const char *bytes, gsize length)
{
  g_assert_cmpint (send (fd, bytes, length, MSG_NOSIGNAL), ==, (gssize)length);
}

static guint
count_descriptors (Harness *h)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", (int)h->daemon_pid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  guint n = 0;

  g_assert_nonnull (directory);
  while (g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

/* A client whose call is answered. */
static void
check_is_served (Harness *h)
{
  g_autoptr (TestClient) client = client_new_for_socket (h->socket);

  assert_property (client, "web", "State", "running");
}

static void
wait_for_descriptors (Harness *h, guint count)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  while (count_descriptors (h) > count) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_variant_unref (client_ok (h->client, "ListServices", NULL));
  }
}

/* Those for which there is no room are told so, and the bus is not concerned. */
static void
test_private_clients (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;
  int fds[MAX_PRIVATE_CLIENTS];
  guint n_before;

  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  n_before = count_descriptors (h);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = connect_raw (h);
  for (int i = 0; i < 40; i++) {
    g_autoptr (TestClient) over = client_new_for_socket (h->socket);

    g_free (message);
    message = client_fails (over, "LimitExceeded", "StopService", "('web', {'wait': <true>})");
    g_assert_cmpstr (message, ==, "the private socket has 256 clients; no more are allowed");
  }
  assert_property (h->client, "web", "State", "running");
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  wait_for_descriptors (h, n_before);
  check_is_served (h);
}

/* Those over the limit that say nothing do not keep the others from being told for long, nor cost more. */
static void
test_refused_garbage (void)
{
  static const char garbage[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\nthis is no message of D-Bus at all";
  g_autoptr (Harness) h = harness_new ();
  int fds[MAX_PRIVATE_CLIENTS], over[100];
  guint n_before;

  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  n_before = count_descriptors (h);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = connect_raw (h);
  for (gsize i = 0; i < G_N_ELEMENTS (over); i++) {
    over[i] = connect_raw (h);
    /* Too many that are being told: it is closed already. */
    if (i % 2 && send (over[i], garbage, sizeof garbage - 1, MSG_NOSIGNAL) < 0)
      g_assert_true (errno == EPIPE || errno == ECONNRESET);
  }
  for (gsize i = 1; i < G_N_ELEMENTS (over); i += 2)
    g_assert_true (is_closed (over[i]));
  g_assert_cmpuint (count_descriptors (h), <=, n_before + MAX_PRIVATE_CLIENTS + 20);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (over); i++)
    close (over[i]);
  wait_for_descriptors (h, n_before);
  check_is_served (h);
}

/* A client that has only to say BEGIN. */
static int
connect_authenticated (Harness *h)
{
  static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\n";
  int fd = connect_raw (h);
  gsize length = 0;
  char reply[64];

  send_bytes (fd, hello, sizeof hello - 1);
  /* "DATA", then "OK" with the identity of the server. */
  while (length < strlen ("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n")) {
    ssize_t n = recv (fd, reply, sizeof reply, 0);

    g_assert_cmpint (n, >, 0);
    length += (gsize)n;
  }
  return fd;
}

/* Clients that are let in, say what is no message, and are gone at once. */
static void
test_garbage_at_once (void)
{
  static const char garbage[] = "BEGIN\r\nthis is no message of D-Bus";
  g_autoptr (Harness) h = harness_new ();
  guint n_before;

  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  check_is_served (h);
  n_before = count_descriptors (h);
  for (int i = 0; i < MAX_PRIVATE_CLIENTS + 44; i++) {
    int fd = connect_authenticated (h);

    send_bytes (fd, garbage, sizeof garbage - 1);
    close (fd);
  }
  wait_for_descriptors (h, n_before);
  check_is_served (h);
}

static void
append_call (GByteArray *bytes, const char *method)
{
  g_autoptr (GDBusMessage) message =
      g_dbus_message_new_method_call (NULL, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method);
  g_autofree guchar *blob = NULL;
  gsize length;

  g_dbus_message_set_serial (message, 1);
  blob = g_dbus_message_to_blob (message, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  g_byte_array_append (bytes, blob, (guint)length);
}

/* Clients that are let in, call, and are gone before the call's turn comes. */
static void
test_call_and_go (void)
{
  static const char begin[] = "BEGIN\r\n";
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint n_before;

  g_byte_array_append (bytes, (const guint8 *)begin, sizeof begin - 1);
  append_call (bytes, "ListServices");
  append_call (bytes, "ListServices");
  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  n_before = count_descriptors (h);
  for (int i = 0; i < N_HASTY_CLIENTS; i++) {
    int fd = connect_authenticated (h);

    send_bytes (fd, (const char *)bytes->data, bytes->len);
    close (fd);
  }
  wait_for_descriptors (h, n_before);
  check_is_served (h);
}

/* Bytes that are no D-Bus, at every step of a conversation. */
static void
test_garbage (void)
{
#define TEXT(bytes)                                                                                          \
  {                                                                                                          \
    bytes, sizeof (bytes) - 1                                                                                \
  }
  static const struct {
    const char *bytes;
    gsize length;
  } conversations[] = {
    TEXT ("GET / HTTP/1.0\r\n\r\n"),
    TEXT ("\0AUTH ANONYMOUS\r\n"),
    TEXT ("\0AUTH DBUS_COOKIE_SHA1 726f6f74\r\n"),
    TEXT ("\0AUTH EXTERNAL zz\r\n"),
    TEXT ("\0AUTH EXTERNAL 39393939\r\n"),
    TEXT ("\0BEGIN\r\n"),
    TEXT ("\0AUTH\r\nCANCEL\r\nERROR\r\n"),
  };
#undef TEXT
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  harness_service (h, "web", "wait", "");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  for (gsize i = 0; i < G_N_ELEMENTS (conversations); i++) {
    int fd = connect_raw (h);

    send_bytes (fd, conversations[i].bytes, conversations[i].length);
    shutdown (fd, SHUT_WR);
    g_assert_true (is_closed (fd));
    close (fd);
  }
  for (int i = 0; i < 20; i++) {
    guint8 junk[4096];
    int fd = connect_raw (h);

    for (gsize j = 0; j < sizeof junk; j++)
      junk[j] = (guint8)g_rand_int_range (random, 0, 256);
    junk[0] = i % 2 ? 0 : junk[0];
    if (send (fd, junk, sizeof junk, MSG_NOSIGNAL) < 0)
      g_assert_true (errno == EPIPE || errno == ECONNRESET);
    shutdown (fd, SHUT_WR);
    g_assert_true (is_closed (fd));
    close (fd);
  }
  assert_property (h->client, "web", "State", "running");
}

static char *
repeat (const char *text, guint count)
{
  GString *all = g_string_new (NULL);

  for (guint i = 0; i < count; i++)
    g_string_append_printf (all, "%s%s", i ? ", " : "", text);
  return g_string_free (all, FALSE);
}

static void
test_long_values (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *text = g_strnfill (64 * 1024 + 1, 'x'), *names = repeat ("'a'", 4097),
                  *fits = g_strnfill (128, 'n');
  g_autofree char *a = NULL, *b = NULL, *d = NULL, *unknown = NULL, *over = g_strnfill (129, 'n');
  TestClient *c;

  harness_start (h);
  c = h->client;
  a = client_fails (c, "InvalidConfig", "AddService",
                    "({'service': {'name': <'x'>, 'exec': <'%s'>}}, " NO_OPTIONS ")", text);
  b = client_fails (
      c, "InvalidConfig", "AddService",
      "({'service': {'name': <'x'>, 'exec': <'true'>}, 'dependencies': {'after': <[%s]>}}, " NO_OPTIONS ")",
      names);
  d = client_fails (c, "InvalidConfig", "AddService",
                    "({'service': {'name': <'%s'>, 'exec': <'true'>}}, " NO_OPTIONS ")", over);
  /* The message does not repeat all of it. */
  g_assert_cmpuint (strlen (a), <, 1000);
  g_assert_cmpuint (strlen (b), <, 1000);
  g_assert_cmpuint (strlen (d), <, 1000);
  unknown = client_fails (c, "NoSuchService", "StartService", "('%s', " NO_OPTIONS ")", text);
  g_variant_unref (client_ok (
      c, "AddService", "({'service': {'name': <'%s'>, 'exec': <'sleep 1000'>}}, " NO_OPTIONS ")", fits));
  client_wait_state (c, fits, "running");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/bus-limits/waiting-calls", test_waiting_calls);
  g_test_add_func ("/bus-limits/timeouts", test_timeouts);
  g_test_add_func ("/bus-limits/many-callers", test_many_callers);
  g_test_add_func ("/bus-limits/caller-goes", test_caller_goes);
  g_test_add_func ("/bus-limits/private-clients", test_private_clients);
  g_test_add_func ("/bus-limits/refused-garbage", test_refused_garbage);
  g_test_add_func ("/bus-limits/garbage-at-once", test_garbage_at_once);
  g_test_add_func ("/bus-limits/call-and-go", test_call_and_go);
  g_test_add_func ("/bus-limits/garbage", test_garbage);
  g_test_add_func ("/bus-limits/long-values", test_long_values);
  return g_test_run ();
}
