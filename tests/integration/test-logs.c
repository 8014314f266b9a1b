/* SPDX-License-Identifier: Apache-2.0
 *
 * The output of services: which line of which stream when, whatever its bytes, and that a flood harms nobody.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "harness.h"
#include "names.h"
#include "processes.h"

#define LINE_BYTES 8192
#define ONCE "oneshot = true\nstatus = \"ignore\"\n"

typedef struct {
  guint64 time_usec;
  const char *stream;
  const char *text;
} Line;

static GVariant *
get_logs (TestClient *c, const char *service, const char *options)
{
  g_autoptr (GVariant) reply = client_ok (c, "GetLogs", "('%s', %s)", service, options);

  g_assert_cmpstr (g_variant_get_type_string (reply), ==, "(a(tss))");
  return g_variant_get_child_value (reply, 0);
}

static Line
get_line (GVariant *lines, gsize i)
{
  Line line;

  g_assert_cmpuint (i, <, g_variant_n_children (lines));
  g_variant_get_child (lines, i, "(t&s&s)", &line.time_usec, &line.stream, &line.text);
  return line;
}

/* "stdout:a stderr:b". Transfer full. */
static char *
describe (GVariant *lines)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < g_variant_n_children (lines); i++) {
    Line line = get_line (lines, i);

    g_string_append_printf (text, "%s%s:%s", i ? " " : "", line.stream, line.text);
  }
  return g_string_free (text, FALSE);
}

#define assert_logs(client, service, options, expected)                                                      \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autoptr (GVariant) lines_ = get_logs (client, service, options);                                       \
    g_autofree char *text_ = describe (lines_);                                                              \
    g_assert_cmpstr (text_, ==, expected);                                                                   \
  }                                                                                                          \
  G_STMT_END

static guint64
get_stat (TestClient *c, const char *service, const char *key)
{
  g_autoptr (GVariant) reply = client_ok (c, "GetStats", "('%s',)", service);
  g_autoptr (GVariant) stats = g_variant_get_child_value (reply, 0);
  guint64 number = G_MAXUINT64;

  if (!g_variant_lookup (stats, key, "t", &number))
    g_error ("GetStats has no %s", key);
  return number;
}

static void
run (TestClient *c, const char *service)
{
  g_variant_unref (client_ok (c, "RestartService", "('%s', {'wait': <true>})", service));
}

/* Makes a service that writes each of @outputs ("out a", "err b") only once the one before has been read. */
static void
run_in_turn (Harness *h, const char *service, const char *const *outputs)
{
  GString *orders = g_string_new (NULL);

  for (guint i = 0; outputs[i]; i++) {
    g_autofree char *name = g_strdup_printf ("%s-%u", service, i), *path = harness_path (h, name);

    g_string_append_printf (orders, "until %s %s ", path, outputs[i]);
  }
  harness_service (h, service, orders->str, "oneshot = true\n");
  g_string_free (orders, TRUE);
  harness_start (h);
  for (guint i = 0; outputs[i]; i++) {
    g_autofree char *name = g_strdup_printf ("%s-%u", service, i), *path = harness_path (h, name);

    client_wait_log_lines (h->client, service, i);
    g_assert_true (g_file_set_contents (path, "", 0, NULL));
  }
  client_wait_state (h->client, service, "exited");
}

static void
test_streams (void)
{
  static const char *const outputs[] = { "out one", "err two", "out three", NULL };
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) lines = NULL;
  guint64 last = (guint64)g_get_real_time ();

  harness_service (h, "silent", "exit 0", ONCE);
  run_in_turn (h, "talk", outputs);
  run (h->client, "silent");
  assert_logs (h->client, "talk", NO_OPTIONS, "stdout:one stderr:two stdout:three");
  assert_logs (h->client, "silent", NO_OPTIONS, "");
  lines = get_logs (h->client, "talk", NO_OPTIONS);
  for (gsize i = 0; i < 3; i++) {
    Line line = get_line (lines, i);

    g_assert_cmpuint (line.time_usec, >, last);
    last = line.time_usec;
  }
  g_assert_cmpuint (last, <=, (guint64)g_get_real_time ());
  /* A second run is added to the first. */
  run (h->client, "talk");
  g_assert_cmpuint (get_stat (h->client, "talk", "log_lines"), ==, 6);
}

static void
test_options (void)
{
  static const char *const outputs[] = { "out a", "err b", "out c", "err d", NULL };
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) lines = NULL;
  g_autofree char *since = NULL;
  TestClient *c;

  run_in_turn (h, "talk", outputs);
  c = h->client;
  lines = get_logs (c, "talk", "{'stream': <'stdout'>}");
  assert_logs (c, "talk", "{'stream': <'stdout'>}", "stdout:a stdout:c");
  assert_logs (c, "talk", "{'stream': <'stderr'>}", "stderr:b stderr:d");
  assert_logs (c, "talk", "{'stream': <'stderr'>, 'lines': <uint32 1>}", "stderr:d");
  assert_logs (c, "talk", "{'stream': <'stdout'>, 'lines': <uint32 9>}", "stdout:a stdout:c");
  assert_logs (c, "talk", "{'lines': <uint32 0>}", "");
  since = g_strdup_printf ("{'stream': <'stdout'>, 'since': <uint64 %" G_GUINT64_FORMAT ">}",
                           get_line (lines, 1).time_usec);
  assert_logs (c, "talk", since, "stdout:c");
  assert_logs (c, "talk", "{'since': <uint64 9000000000000000000>}", "");
  g_free (client_fails (c, "org.freedesktop.DBus.Error.InvalidArgs", "GetLogs",
                        "('talk', {'stream': <'both'>})"));
  g_free (client_fails (c, "NoSuchService", "GetLogs", "('nobody', " NO_OPTIONS ")"));
}

/* Split at the limit, not cut, and the pieces together are the line. */
static void
test_long_lines (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) lines = NULL;

  harness_service (h, "long", "long 20000 out end", ONCE);
  harness_start (h);
  run (h->client, "long");
  lines = get_logs (h->client, "long", NO_OPTIONS);
  g_assert_cmpuint (g_variant_n_children (lines), ==, 4);
  g_assert_cmpuint (strlen (get_line (lines, 0).text), ==, LINE_BYTES);
  g_assert_cmpuint (strlen (get_line (lines, 1).text), ==, LINE_BYTES);
  g_assert_cmpuint (strlen (get_line (lines, 2).text), ==, 20000 - 2 * LINE_BYTES);
  g_assert_cmpstr (get_line (lines, 3).text, ==, "end");
}

/* Any byte may come; a reader gets UTF-8, and what is text already is not touched. */
static void
test_bytes (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) lines = NULL;
  const char *text;

  harness_service (h, "bytes", "bytes out grün out ende", ONCE);
  harness_start (h);
  run (h->client, "bytes");
  lines = get_logs (h->client, "bytes", NO_OPTIONS);
  g_assert_cmpuint (g_variant_n_children (lines), ==, 3);
  text = get_line (lines, 0).text;
  g_assert_true (g_utf8_validate (text, -1, NULL));
  /* All of ASCII but NUL and the line feed is there, in order. */
  g_assert_nonnull (strstr (text, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
  g_assert_nonnull (strstr (text, "\001\002\003"));
  g_assert_nonnull (strstr (text, "\xef\xbf\xbd"));
  g_assert_cmpstr (get_line (lines, 1).text, ==, "grün");
}

/* An unfinished line is shown, and becomes a line when the writer ends. */
static void
test_partial (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "go"), *ready = harness_path (h, "ready");
  g_autofree char *orders =
      g_strdup_printf ("out first partial half stamp %s until %s partial -way exit 0", ready, path);
  g_auto (GStrv) stamps = NULL;
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  harness_service (h, "part", orders, "oneshot = true\n");
  harness_service (h, "twice", "partial half exit 0", ONCE);
  harness_start (h);
  stamps = harness_wait_lines (h, "ready", 1);
  /* It is in the pipe by now; the daemon reads it when it comes to it. */
  for (;;) {
    g_autoptr (GVariant) lines = get_logs (h->client, "part", NO_OPTIONS);

    if (g_variant_n_children (lines) == 2)
      break;
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
  assert_logs (h->client, "part", NO_OPTIONS, "stdout:first stdout:half");
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  client_wait_state (h->client, "part", "exited");
  assert_logs (h->client, "part", NO_OPTIONS, "stdout:first stdout:half-way");
  /* The next run does not go on with it. */
  run (h->client, "twice");
  run (h->client, "twice");
  assert_logs (h->client, "twice", NO_OPTIONS, "stdout:half stdout:half");
}

static void
test_ring (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "ring", "lines 10 n", ONCE "[logging]\nbuffer_lines = 3\n");
  harness_service (h, "none", "lines 10 n", ONCE "[logging]\nbuffer_lines = 0\n");
  harness_start (h);
  run (h->client, "ring");
  run (h->client, "none");
  /* The newest are kept. */
  assert_logs (h->client, "ring", NO_OPTIONS, "stdout:n8 stdout:n9 stdout:n10");
  g_assert_cmpuint (get_stat (h->client, "ring", "log_lines"), ==, 10);
  g_assert_cmpuint (get_stat (h->client, "ring", "log_dropped"), ==, 7);
  assert_logs (h->client, "none", NO_OPTIONS, "");
  g_assert_cmpuint (get_stat (h->client, "none", "log_lines"), ==, 10);
}

/* The last words before a crash are there when the crash is told. */
static void
test_last_words (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_service (h, "crash", "lines 500 n err fatal die 9", "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  client_wait_state (h->client, "crash", "failed");
  assert_logs (h->client, "crash", "{'stream': <'stderr'>}", "stderr:fatal");
  assert_logs (h->client, "crash", "{'stream': <'stdout'>, 'lines': <uint32 1>}", "stdout:n500");
  g_assert_cmpuint (get_stat (h->client, "crash", "log_lines"), ==, 501);
}

/* While services flood, the daemon answers, starts and stops others, and its memory stays bounded. */
static void
test_flood (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *rss = NULL;
  TestClient *c;
  guint64 lines;

  harness_service (h, "flood1", "flood 0", "[logging]\nbuffer_lines = 1000\n");
  harness_service (h, "flood2", "flood 0", "[logging]\nbuffer_lines = 1000\n");
  harness_service (h, "web", "out hello wait", "status = \"ignore\"\n");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "flood1", "running");
  client_wait_state (c, "flood2", "running");
  while (get_stat (c, "flood1", "log_lines") < 50000 || get_stat (c, "flood2", "log_lines") < 50000)
    ;
  for (int i = 0; i < 20; i++) {
    gint64 begin = g_get_monotonic_time ();

    run (c, "web");
    g_variant_unref (client_ok (c, "StopService", "('web', {'wait': <true>})"));
    g_assert_cmpint (g_get_monotonic_time () - begin, <, (gint64)(2000000 * processes_slowness ()));
  }
  assert_logs (c, "web", "{'lines': <uint32 1>}", "stdout:hello");
  lines = get_stat (c, "flood1", "log_lines");
  g_assert_cmpuint (get_stat (c, "flood1", "log_dropped"), >=, lines - 1000);
  g_assert_cmpuint (get_stat (c, "flood1", "log_bytes"), <, 1000 * 200);
  if (g_getenv ("ZINITD_WRAPPER") == NULL && processes_slowness () <= 1) {
    rss = processes_status_field (h->daemon_pid, "VmRSS");
    g_assert_cmpuint (g_ascii_strtoull (rss, NULL, 10), <, 40 * 1024);
  }
  g_variant_unref (client_ok (c, "StopService", "('flood1', {'wait': <true>})"));
  assert_property (c, "flood1", "State", "exited");
}

/* An orderly shutdown keeps the last output within a boot; that of a service that is gone by then is removed.
 */
static void
test_kept_over_shutdown (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *gone = g_build_filename (h->runtime_dir, "logs", "gone.ring", NULL);
  g_autofree char *other = g_build_filename (h->runtime_dir, "logs", "gone.journal", NULL);

  harness_service (h, "last", "out words exit 0", "oneshot = true\nstatus = \"ignore\"\n");
  harness_service (h, "gone", "out other exit 0", "oneshot = true\nstatus = \"ignore\"\n");
  harness_start (h);
  run (h->client, "last");
  run (h->client, "gone");
  g_variant_unref (client_ok (h->client, "Shutdown", "(" NO_OPTIONS ",)"));
  g_assert_cmpint (harness_wait_exit (h), ==, 0);
  harness_remove (h, "gone.toml");
  harness_start (h);
  assert_logs (h->client, "last", NO_OPTIONS, "stdout:words");
  g_assert_false (g_file_test (gone, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/logs/streams", test_streams);
  g_test_add_func ("/logs/options", test_options);
  g_test_add_func ("/logs/long-lines", test_long_lines);
  g_test_add_func ("/logs/bytes", test_bytes);
  g_test_add_func ("/logs/partial", test_partial);
  g_test_add_func ("/logs/ring", test_ring);
  g_test_add_func ("/logs/last-words", test_last_words);
  g_test_add_func ("/logs/flood", test_flood);
  g_test_add_func ("/rules/K4/kept-over-shutdown", test_kept_over_shutdown);
  return g_test_run ();
}
