/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules D1, D3 and D5: when a service is up, with real children that say so, or do not.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "processes.h"
#include "survival.h"

#define READY(how) "ready = \"" how "\"\n"

/* @go is what the child waits for before it goes on; "" = nothing. */
static void
add (Harness *h, const char *name, const char *orders, const char *more)
{
  g_autofree char *go = harness_path (h, "go");
  g_autofree char *whole = NULL;
  g_auto (GStrv) parts = g_strsplit (orders, "@go", -1);

  whole = g_strjoinv (go, parts);
  harness_service (h, name, whole, more);
}

static void
go (Harness *h)
{
  g_autofree char *path = harness_path (h, "go");

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

static void
start (Harness *h, const char *name)
{
  g_variant_unref (client_ok (h->client, "StartService", "('%s', " NO_OPTIONS ")", name));
}

static char *
start_fails (Harness *h, const char *name)
{
  return client_fails (h->client, "CannotStart", "StartService", "('%s', {'wait': <true>})", name);
}

typedef struct {
  const char *name;
  const char *ready;
  const char *orders; /* that say it, after @go */
} Way;

static const Way ways[] = {
  { "notify", READY ("notify"), "until @go notify 'READY=1\\nSTATUS=at your service' wait" },
  { "barrier", READY ("notify"), "until @go fork notify READY=1 barrier -- wait" },
  { "fd", READY ("fd:3"), "until @go write-fd 3 hello wait" },
  { "fd-high", READY ("fd:700"), "until @go write-fd 700 hello wait" },
  { "fd-variable", READY ("fd:TELL"), "until @go write-fd TELL hello wait" },
  { "fd-then-closed", READY ("fd:5"), "until @go write-fd 5 hello close-fd 5 wait" },
  { "fd-of-a-child", READY ("fd:4"), "fork until @go write-fd 4 hello -- close-fd 4 wait" },
};

/* What requires it starts when it has said so, and not before. */
static void
test_way (gconstpointer data)
{
  const Way *way = data;
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *text = NULL;

  add (h, "web", way->orders, way->ready);
  harness_service (h, "behind", "wait", "[dependencies]\nrequires = [\"web\"]\n");
  harness_start (h);
  client_wait_state (h->client, "web", "starting");
  client_wait_state (h->client, "behind", "blocked");
  text = client_get_text (h->client, "web", "StatusText");
  g_assert_nonnull (strstr (text, "waits for"));
  assert_property (h->client, "web", "CanStop", "true");
  go (h);
  client_wait_state (h->client, "behind", "running");
  assert_property (h->client, "web", "State", "running");
  if (strstr (way->orders, "STATUS") != NULL)
    assert_property (h->client, "web", "StatusText", "at your service");
}

/* The descriptor gets the number that the service wants, whatever the daemon has there, and the start is on
 * record all the same; also for another user, whose child is made in another way. */
static void
test_numbers (void)
{
  g_autoptr (Harness) h = harness_new ();

  for (guint number = 3; number < 24; number++) {
    g_autofree char *name = g_strdup_printf ("n%u", number);
    g_autofree char *orders = g_strdup_printf ("write-fd %u x wait", number);
    g_autofree char *more = g_strdup_printf ("ready = \"fd:%u\"\n%s", number,
                                             number % 2 == 0 && geteuid () == 0 ? "user = \"nobody\"\n" : "");

    harness_service (h, name, orders, more);
  }
  survival_start (h);
  for (guint number = 3; number < 24; number++) {
    g_autofree char *name = g_strdup_printf ("n%u", number);

    client_wait_state (h->client, name, "running");
  }
  survival_start_again (h);
  for (guint number = 3; number < 24; number++) {
    g_autofree char *name = g_strdup_printf ("n%u", number);

    assert_property (h->client, name, "State", "running");
    assert_property (h->client, name, "RestartCount", "0");
  }
}

static void
test_alive (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;

  harness_service (h, "web", "wait", READY ("alive:150"));
  harness_service (h, "taken", "sleep 20 out 'address in use' exit 1",
                   READY ("alive:1000") "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  client_wait_transition (h->client, "web", "starting", "running");
  client_wait_state (h->client, "taken", "failed");
  assert_failure (h->client, "taken", "exit_code code=1");
  message = start_fails (h, "taken");
  g_assert_nonnull (strstr (message, "exited with code 1"));
}

static void
test_timeout (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;

  harness_service (h, "mute", "wait",
                   "status = \"ignore\"\n" READY ("notify") "[lifecycle]\nstart_timeout_ms = 150\nrestart = "
                                                            "\"never\"\n");
  harness_start (h);
  message = start_fails (h, "mute");
  g_assert_nonnull (strstr (message, "READY=1"));
  assert_failure (h->client, "mute", "start_timeout");
}

/* It asks for more time, again and again, and is ready long after the time-out. */
static void
test_extended (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "slow", "notify EXTEND_TIMEOUT_USEC=20000000 sleep 700 notify READY=1 wait",
                   READY ("notify") "[lifecycle]\nstart_timeout_ms = 500\n");
  harness_start (h);
  client_wait_state (h->client, "slow", "running");
  assert_property (h->client, "slow", "RestartCount", "0");
}

static void
test_closed (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;

  harness_service (h, "shy", "close-fd 3 wait",
                   "status = \"ignore\"\n" READY ("fd:3") "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  message = start_fails (h, "shy");
  g_assert_nonnull (strstr (message, "without a line"));
  g_free (message);
  message = client_failure (h->client, "shy");
  g_assert_true (g_str_has_prefix (message, "not_ready "));
}

/* What never ends its line is not read for ever, and takes nobody's time. */
static void
test_endless (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (
      h, "chatty", "long-fd 3 wait",
      "status = \"ignore\"\n" READY ("fd:3") "[lifecycle]\nrestart = \"never\"\nstart_timeout_ms = 300\n");
  harness_start (h);
  g_free (start_fails (h, "chatty"));
  assert_failure (h->client, "chatty", "start_timeout");
}

/* D5: its end is an end as any other, also one that closes the descriptor. */
static void
test_ended (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *message = NULL;

  harness_service (h, "brief", "exit 3",
                   "status = \"ignore\"\n" READY ("fd:3") "[lifecycle]\nrestart = "
                                                          "\"never\"\n");
  harness_start (h);
  message = start_fails (h, "brief");
  assert_failure (h->client, "brief", "exit_code code=3");
}

static void
send_foreign (Harness *h, const char *name, const char *bytes, gsize length)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofree char *path = survival_path (h, "notify");
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_snprintf (address.sun_path, sizeof address.sun_path, "%s/%s", path, name);
  g_assert_cmpint (sendto (fd, bytes, length, 0, (struct sockaddr *)&address, sizeof address), ==, length);
  close (fd);
}

/* Who may write to the socket is not who is listened to, and what is not a message harms nothing. */
static void
test_foreign (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *large = g_strnfill (20000, 'x');

  add (h, "web",
       "until @go notify X notify READY=2 notify STATUS= notify MAINPID=-1 notify "
       "'=\\n\\n=1\\nREADY' notify READY=1 wait",
       READY ("notify"));
  harness_start (h);
  client_wait_state (h->client, "web", "starting");
  send_foreign (h, "web", "READY=1", 7);
  send_foreign (h, "web", "READY=1\0", 8);
  send_foreign (h, "web", large, 20000);
  send_foreign (h, "web", "", 0);
  survival_wait_said (h, "is dropped", 1);
  assert_property (h->client, "web", "State", "starting");
  go (h);
  client_wait_state (h->client, "web", "running");
  g_assert_cmpuint (survival_count_said (h, "is dropped"), ==, 1);
}

/* The last words before the end are heard. */
static void
test_last_words (void)
{
  g_autoptr (Harness) h = harness_new ();

  add (h, "brief", "until @go notify READY=1 exit 4", READY ("notify") "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  go (h);
  client_wait_state (h->client, "brief", "failed");
  g_variant_unref (client_wait_transition (h->client, "brief", "starting", "running"));
}

/* A program that goes to the background while it starts, and says so there. */
static void
test_background (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GArray) pids = NULL;

  harness_service (h, "launcher", "fork-session sleep 100 notify READY=1 wait -- exit 0", READY ("notify"));
  harness_start (h);
  client_wait_state (h->client, "launcher", "running");
  pids = harness_service_pids (h, "launcher");
  g_assert_cmpuint (pids->len, ==, 1);
  g_assert_cmpuint (client_get_pid (h->client, "launcher"), ==, g_array_index (pids, pid_t, 0));
  assert_property (h->client, "launcher", "RestartCount", "0");
}

#define BUS_NAME "org.example.Web"

static void
add_name_owner (Harness *h, const char *service, const char *go_file, const char *more)
{
  g_autofree char *path = harness_path (h, go_file);
  g_autofree char *file = g_strconcat (service, ".toml", NULL);

  harness_write (h, file, "[service]\nexec = \"%s %s " BUS_NAME " %s\"\n%s",
                 g_getenv ("ZINIT_TEST_NAME_OWNER"), h->bus_address, path, more);
}

static void
make_file (Harness *h, const char *name)
{
  g_autofree char *path = harness_path (h, name);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

static void
wait_for_text (Harness *h, const char *service, const char *part)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *text = client_get_text (h->client, service, "StatusText");

    if (strstr (text, part) != NULL)
      return;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}

/* A name that another service owns makes nothing ready; the next daemon asks for it again. */
static void
test_bus_name (void)
{
  g_autoptr (Harness) h = harness_new ();

  add_name_owner (h, "thief", "thief-go", "");
  add_name_owner (h, "web", "go", READY ("dbus:" BUS_NAME));
  harness_start (h);
  client_wait_state (h->client, "web", "starting");
  make_file (h, "thief-go");
  wait_for_text (h, "web", "owns");
  assert_property (h->client, "web", "State", "starting");
  g_variant_unref (client_ok (h->client, "StopService", "('thief', {'wait': <true>})"));
  harness_reexecute (h);
  assert_property (h->client, "web", "State", "starting");
  go (h);
  client_wait_state (h->client, "web", "running");
  survival_start_again (h);
  assert_property (h->client, "web", "State", "running");
}

/* The bus comes back, and the name with it. */
static void
test_bus_away (void)
{
  g_autoptr (Harness) h = harness_new ();

  add_name_owner (
      h, "web", "go",
      READY ("dbus:" BUS_NAME) "[lifecycle]\nrestart_delay_ms = 50\nrestart_delay_max_ms = 100\n");
  harness_start (h);
  client_wait_state (h->client, "web", "starting");
  harness_stop_bus (h);
  g_clear_pointer (&h->client, client_free);
  harness_start_bus (h);
  go (h);
  harness_wait_name (h);
  client_wait_state (h->client, "web", "running");
}

/* It is told in its environment how often it has to say that it is well; the next daemon waits for it too. */
static void
test_watchdog (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *report_path = harness_path (h, "report");
  g_autofree char *orders = g_strdup_printf ("report %s notify READY=1 wait", report_path);
  g_autofree char *report = NULL;
  g_autofree char *pid = NULL;

  harness_service (h, "web", orders,
                   READY ("notify") "[lifecycle]\nwatchdog_ms = 3000\nrestart = \"never\"\n");
  harness_service (h, "fit", "fork sleep 50 notify WATCHDOG=1 sleep 50 -- wait",
                   "[lifecycle]\nwatchdog_ms = 400\nrestart = \"never\"\n");
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  report = harness_read_when_there (h, "report");
  pid = g_strdup_printf ("env WATCHDOG_PID=%u\n", client_get_pid (h->client, "web"));
  g_assert_nonnull (strstr (report, "env WATCHDOG_USEC=3000000\n"));
  g_assert_nonnull (strstr (report, pid));
  client_wait_state (h->client, "fit", "failed");
  survival_start_again (h);
  assert_property (h->client, "web", "State", "running");
  client_wait_state (h->client, "web", "failed");
  assert_failure (h->client, "web", "watchdog");
  assert_failure (h->client, "fit", "watchdog");
}

static void
test_stopped_while_starting (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "web", "wait", READY ("notify"));
  harness_start (h);
  client_wait_state (h->client, "web", "starting");
  g_variant_unref (client_ok (h->client, "StopService", "('web', {'wait': <true>})"));
  assert_property (h->client, "web", "SubState", "stopped");
  start (h, "web");
  client_wait_state (h->client, "web", "starting");
}

/* It says so once; a daemon that dies in the next instruction has heard it for the next one. */
static void
test_kept (void)
{
  g_autoptr (Harness) h = harness_new ();
  static const char *const names[] = { "notify", "descriptor" };

  add (h, "notify", "until @go notify 'READY=1\\nSTATUS=well' wait", READY ("notify"));
  add (h, "descriptor", "until @go write-fd 3 x close-fd 3 wait", READY ("fd:3"));
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    client_wait_state (h->client, names[i], "starting");
  go (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    client_wait_state (h->client, names[i], "running");
  survival_start_again (h);
  assert_property (h->client, "notify", "StatusText", "well");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    assert_property (h->client, names[i], "State", "running");
    assert_property (h->client, names[i], "RestartCount", "0");
  }
}

/* What starts while the daemon is replaced, in either way, is heard by the next one. */
static void
test_next_daemon (gconstpointer data)
{
  gboolean is_killed = GPOINTER_TO_INT (data);
  g_autoptr (Harness) h = harness_new ();
  static const char *const names[] = { "alive", "descriptor", "notify" };
  guint32 pids[G_N_ELEMENTS (names)];

  add (h, "notify", "until @go notify READY=1 wait", READY ("notify"));
  add (h, "descriptor", "until @go write-fd 3 x wait", READY ("fd:3"));
  harness_service (h, "alive", "wait", READY ("alive:2000"));
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    client_wait_state (h->client, names[i], "starting");
    pids[i] = client_get_pid (h->client, names[i]);
  }
  if (is_killed)
    survival_start_again (h);
  else
    harness_reexecute (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_property (h->client, names[i], "State", "starting");
  go (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    client_wait_state (h->client, names[i], "running");
    g_assert_cmpuint (client_get_pid (h->client, names[i]), ==, pids[i]);
    assert_property (h->client, names[i], "RestartCount", "0");
  }
}

/* It has said so while no daemon was there, and does not say it again. */
static void
test_unheard (void)
{
  g_autoptr (Harness) h = harness_new ();
  static const char *const names[] = { "descriptor", "notify" };

  add (h, "notify", "until @go sleep 100 wait", READY ("notify") "[lifecycle]\nstart_timeout_ms = 1500\n");
  add (h, "descriptor", "until @go write-fd 3 x close-fd 3 wait", READY ("fd:3"));
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    client_wait_state (h->client, names[i], "starting");
  survival_crash (h);
  go (h);
  g_usleep (200 * 1000);
  survival_start (h);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    client_wait_state (h->client, names[i], "running");
    assert_property (h->client, names[i], "RestartCount", "0");
  }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    g_autofree char *path = g_strconcat ("/rules/D3/", ways[i].name, NULL);

    g_test_add_data_func (path, &ways[i], test_way);
  }
  g_test_add_func ("/rules/D3/numbers", test_numbers);
  g_test_add_func ("/rules/D3/alive", test_alive);
  g_test_add_func ("/rules/D3/closed", test_closed);
  g_test_add_func ("/rules/D3/endless", test_endless);
  g_test_add_func ("/rules/D3/foreign", test_foreign);
  g_test_add_func ("/rules/D3/last-words", test_last_words);
  g_test_add_func ("/rules/D3/bus-name", test_bus_name);
  g_test_add_func ("/rules/D3/bus-away", test_bus_away);
  g_test_add_func ("/rules/I3/real", test_watchdog);
  g_test_add_func ("/rules/D1/timeout", test_timeout);
  g_test_add_func ("/rules/D1/extended", test_extended);
  g_test_add_func ("/rules/D5/ended", test_ended);
  g_test_add_func ("/rules/G6/while-starting", test_background);
  g_test_add_func ("/ready/stopped-while-starting", test_stopped_while_starting);
  g_test_add_func ("/ready/kept", test_kept);
  g_test_add_data_func ("/ready/next-daemon-killed", GINT_TO_POINTER (TRUE), test_next_daemon);
  g_test_add_data_func ("/ready/next-daemon-reexecuted", GINT_TO_POINTER (FALSE), test_next_daemon);
  g_test_add_func ("/ready/unheard", test_unheard);
  return g_test_run ();
}
