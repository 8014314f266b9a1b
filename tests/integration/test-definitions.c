/* SPDX-License-Identifier: Apache-2.0
 *
 * Service definitions from the folder and from the bus: good ones as people have them, and every kind of bad
 * one, each with a message that says where and what, while the others load.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "names.h"

static char *
get_config (TestClient *c, const char *service)
{
  g_autofree char *path = client_service_path (service);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = client_call_on (c, path, ZINIT_SERVICE_INTERFACE, "GetConfig", NULL, &error);

  g_assert_no_error (error);
  return g_variant_print (reply, FALSE);
}

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no %s in: %s", part, text);
}

/* In the words that such files have elsewhere. */
static void
test_good_toml (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *sshd = NULL, *app = NULL;
  TestClient *c;

  harness_write (h, "sshd.toml",
                 "[service]\nname = \"sshd\"\nexec = \"%s wait\"\n\n[lifecycle]\nrestart = \"always\"\n"
                 "restart_delay_ms = 1000\n\n[dependencies]\n\n[logging]\nbuffer_lines = 100\n",
                 harness_child ());
  harness_write (
      h, "50-app.toml",
      "# a comment\nservice.name = 'app'\nservice.exec = '''\n%s wait'''\n"
      "service.env = { A = \"1\", \"B.C\" = '''two\nlines''' }\n"
      "[dependencies]\nrequires = [\n  'sshd', # this\n]\nafter=['sshd']\nwants=[]\nconflicts=['other']\n"
      "[lifecycle]\nrestart='on-failure'\nrestart_delay_ms=5_000\nrestart_delay_max_ms=0x2710\n"
      "max_restarts=5\nstability_period_ms=1\nstart_timeout_ms=1\nstop_timeout_ms=1\nstop_signal='int'\n",
      harness_child ());
  harness_write (h, ".hidden.toml", "not even toml");
  harness_write (h, "README", "not a definition");
  harness_write (h, "old.toml.removed", "not a definition");
  harness_start (h);
  c = h->client;
  client_wait_state (c, "app", "running");
  assert_property (c, NULL, "ServiceCount", "2");
  sshd = get_config (c, "sshd");
  assert_has (sshd, "'buffer_lines': <uint64 100>");
  assert_has (sshd, "'restart_delay_ms': <uint64 1000>");
  assert_has (sshd, "'stop_signal': <'SIGTERM'>");
  app = get_config (c, "app");
  assert_has (app, "'requires': <['sshd']>");
  assert_has (app, "'conflicts': <['other']>");
  assert_has (app, "'restart': <'on-failure'>");
  assert_has (app, "'restart_delay_ms': <uint64 5000>");
  assert_has (app, "'restart_delay_max_ms': <uint64 10000>");
  assert_has (app, "'stop_signal': <'SIGINT'>");
  assert_has (app, "'B.C': 'two\\nlines'");
  assert_property (c, "app", "Conflicts", "['other']");
  assert_property (c, "sshd", "Ephemeral", "false");
}

static void
test_good_json (void)
{
  g_autoptr (Harness) h = harness_new ();

  harness_write (
      h, "web.json",
      "{\"service\": {\"exec\": \"%s wait\", \"oneshot\": false},"
      " \"lifecycle\": {\"restart\": \"never\", \"stop_signal\": 2}, \"dependencies\": {\"after\": []}}\n",
      harness_child ());
  harness_start (h);
  client_wait_state (h->client, "web", "running");
  {
    g_autofree char *config = get_config (h->client, "web");

    assert_has (config, "'restart': <'never'>");
    assert_has (config, "'stop_signal': <'SIGINT'>");
  }
}

static void
test_good_dictionary (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) reply = NULL, persisted = NULL;
  g_autofree char *shown = NULL, *config = NULL, *path = NULL, *exists = NULL, *text = NULL, *reloaded = NULL;
  TestClient *c;

  harness_start (h);
  c = h->client;
  reply = client_ok (
      c, "AddService",
      "({'service': {'name': <'web'>, 'exec': <'%s wait'>, 'env': <{'A': 'b'}>, 'oneshot': <false>},"
      " 'dependencies': {'wants': <['x', 'y']>},"
      " 'lifecycle': {'restart_delay_ms': <byte 0x07>, 'stop_timeout_ms': <int16 300>,"
      " 'max_restarts': <uint32 4>, 'start_timeout_ms': <int64 5>}}, " NO_OPTIONS ")",
      harness_child ());
  shown = g_variant_print (reply, FALSE);
  g_assert_cmpstr (shown, ==, "('/org/zinit/service/web',)");
  client_wait_state (c, "web", "running");
  config = get_config (c, "web");
  assert_has (config, "'restart_delay_ms': <uint64 7>");
  assert_has (config, "'stop_timeout_ms': <uint64 300>");
  assert_has (config, "'max_restarts': <uint64 4>");
  assert_has (config, "'wants': <['x', 'y']>");
  assert_has (config, "'env': <{'A': 'b'}>");
  exists = client_fails (c, "ServiceExists", "AddService",
                         "({'service': {'name': <'web'>, 'exec': <'true'>}}, " NO_OPTIONS ")");
  /* Persisted it is a file that is read back as the same. */
  persisted = client_ok (c, "AddService",
                         "({'service': {'name': <'kept'>, 'exec': <'%s wait'>, 'env': <{'Q': '\"\\\\'}>}},"
                         " {'persist': <true>})",
                         harness_child ());
  client_wait_state (c, "kept", "running");
  assert_property (c, "kept", "Ephemeral", "false");
  assert_property (c, "web", "Ephemeral", "true");
  path = g_build_filename (h->config_dir, "kept.toml", NULL);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  reloaded = harness_reload (h);
  g_assert_cmpstr (reloaded, ==, "+ ~ -");
  g_variant_unref (client_ok (c, "RemoveService", "('kept', {'stop': <true>})"));
  client_wait_property (c, NULL, "ServiceCount", "1");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* Every field takes part in the round trip: what GetConfig gives, AddService takes. */
static void
test_round_trip (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) first = NULL, second = NULL, added = NULL, config = NULL;
  g_autoptr (GError) error = NULL;
  TestClient *c;

  harness_service (h, "web", "wait",
                   "dir = '/tmp'\nstatus = 'ignore'\nclass = 'system'\n[service.env]\nA = 'b'\n"
                   "[dependencies]\nafter = ['x']\n[lifecycle]\nmax_restarts = 3\nstop_signal = 'KILL'\n");
  harness_start (h);
  c = h->client;
  first = client_call_on (c, "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE, "GetConfig", NULL, &error);
  g_assert_no_error (error);
  config = g_variant_get_child_value (first, 0);
  g_variant_unref (client_ok (c, "RemoveService", "('web', " NO_OPTIONS ")"));
  added = client_call_on (c, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "AddService",
                          g_variant_new ("(@a{sa{sv}}@a{sv})", config, g_variant_new_parsed (NO_OPTIONS)),
                          &error);
  g_assert_no_error (error);
  second = client_call_on (c, "/org/zinit/service/web", ZINIT_SERVICE_INTERFACE, "GetConfig", NULL, &error);
  g_assert_no_error (error);
  {
    g_autofree char *a = g_variant_print (first, TRUE), *b = g_variant_print (second, TRUE);

    g_assert_cmpstr (a, ==, b);
  }
}

typedef struct {
  const char *file;
  const char *text;
  const char *parts[3]; /* of the message */
} Bad;

#define HEAD "[service]\nexec = \"true\"\n"

static const Bad bad_files[] = {
  { "syntax.toml", "[service]\nexec = \"true\nname =", { ":2:" } },
  { "no-value.toml", HEAD "dir = \n", { ":3:" } },
  { "twice.toml", HEAD "exec = \"false\"\n", { ":3:" } },
  { "no-exec.toml", "[service]\nname = \"no-exec\"\n", { "service.exec" } },
  { "empty.toml", "", { "service.exec" } },
  { "empty-exec.toml", "[service]\nexec = \" \"\n", { "service.exec" } },
  { "type-exec.toml", "[service]\nexec = 5\n", { "service.exec", "string" } },
  { "type-bool.toml", HEAD "oneshot = \"yes\"\n", { "service.oneshot", "true or false" } },
  { "type-list.toml", HEAD "[dependencies]\nafter = \"x\"\n", { "dependencies.after", "list" } },
  { "type-item.toml", HEAD "[dependencies]\nafter = [\"x\", 5]\n", { "dependencies.after" } },
  { "type-table.toml", HEAD "env = \"A=b\"\n", { "service.env", "table" } },
  { "type-number.toml", HEAD "[lifecycle]\nrestart_delay_ms = \"1s\"\n", { "lifecycle.restart_delay_ms" } },
  { "type-float.toml", HEAD "[lifecycle]\nrestart_delay_ms = 1.5\n", { "lifecycle.restart_delay_ms" } },
  { "type-section.toml", "service = \"x\"\n", { "service" } },
  { "negative.toml", HEAD "[lifecycle]\nstop_timeout_ms = -1\n", { "lifecycle.stop_timeout_ms", "-1" } },
  { "delay-0.toml", HEAD "[lifecycle]\nrestart_delay_ms = 0\n", { "lifecycle.restart_delay_ms", "1" } },
  { "range.toml",
    HEAD "[lifecycle]\nmax_restarts = 4294967296\n",
    { "lifecycle.max_restarts", "4294967295" } },
  { "range-max.toml", HEAD "[logging]\nbuffer_lines = 1000001\n", { "logging.buffer_lines", "1000000" } },
  { "max-below.toml",
    HEAD "[lifecycle]\nrestart_delay_ms = 500\nrestart_delay_max_ms = 499\n",
    { "lifecycle.restart_delay_max_ms", "499" } },
  { "word.toml", HEAD "[lifecycle]\nrestart = \"sometimes\"\n", { "lifecycle.restart", "on-failure" } },
  { "key.toml", HEAD "[lifecycle]\nrestart_delay = 5\n", { "restart_delay_ms" } },
  { "section.toml", HEAD "[lifecycel]\nrestart = \"never\"\n", { "lifecycel", "lifecycle" } },
  { "signal.toml", HEAD "[lifecycle]\nstop_signal = \"SIGNONE\"\n", { "lifecycle.stop_signal", "SIGNONE" } },
  { "signal-64.toml", HEAD "[lifecycle]\nstop_signal = 64\n", { "lifecycle.stop_signal", "31" } },
  { "name.toml", HEAD "name = \"a b\"\n", { "service.name" } },
  { "name-slash.toml", HEAD "name = \"a/b\"\n", { "service.name" } },
  { "name-empty.toml", HEAD "name = \"\"\n", { "service.name" } },
  { "bad stem.toml", HEAD, { "service.name" } },
  { "z-double.toml", HEAD "name = \"good\"\n", { "service.name", "good.toml", "already" } },
  { "bytes.toml", HEAD "dir = \"\xff\xfe\"\n", { ":3:", "UTF-8" } },
  { "self.toml", HEAD "[dependencies]\nrequires = [\"self\"]\n", { "dependencies.requires", "itself" } },
  { "broken.json", "{\"service\": {\"exec\": \"true\",}}", { ":1:" } },
  { "comment.json", "{\"service\": /* c */ {\"exec\": \"true\"}}", { ":1:" } },
  { "twice.json",
    "{\"service\": {\"exec\": \"true\", \"exec\": \"x\", \"name\": \"j2\"}}",
    { ":1:", "exec" } },
  { "several.toml",
    "[service]\nexec = \"true\nRestart = \"no\"\n[lifecycle]\nmax_restarts = true\n",
    { ":2:8:" } },
  { "array.json", "[]", { "" } },
  { "empty.json", "", { "" } },
};

/* The messages about @file, a line each; fails the test when there is none. */
static char *
message_about (Harness *h, GVariant *errors, const char *file)
{
  g_autofree char *path = g_build_filename (h->config_dir, file, NULL);
  char *found = NULL;
  const char *where, *message;
  GVariantIter iter;

  g_variant_iter_init (&iter, errors);
  while (g_variant_iter_next (&iter, "(&s&s)", &where, &message)) {
    if (g_str_equal (where, path)) {
      g_autofree char *before = found;

      g_assert_true (g_str_has_prefix (message, path));
      found = before != NULL ? g_strconcat (before, "\n", message, NULL) : g_strdup (message);
    }
  }
  if (found == NULL)
    g_error ("no error about %s", path);
  return found;
}

static void
test_bad (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) errors = NULL, names = NULL;
  g_autofree char *shown = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++)
    harness_write_bytes (h, bad_files[i].file, bad_files[i].text, -1);
  harness_service (h, "good", "wait", "");
  harness_service (h, "last", "wait", "[dependencies]\nrequires = ['good']\n");
  harness_start (h);
  client_wait_state (h->client, "last", "running");
  names = client_ok (h->client, "ListServices", NULL);
  shown = g_variant_print (names, FALSE);
  g_assert_cmpstr (shown, ==, "(['good', 'last'],)");
  errors = harness_reload_errors (h);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++) {
    g_autofree char *message = message_about (h, errors, bad_files[i].file);

    g_test_message ("%s", message);
    for (gsize j = 0; j < 3 && bad_files[i].parts[j]; j++)
      assert_has (message, bad_files[i].parts[j]);
  }
  /* Of one file all that is wrong; in syntax.toml there is one more. */
  {
    g_autofree char *message = message_about (h, errors, "several.toml");
    g_auto (GStrv) lines = g_strsplit (message, "\n", -1);

    g_assert_cmpuint (g_strv_length (lines), ==, 3);
    assert_has (lines[0], "several.toml:2:8: service.exec: the closing quote");
    assert_has (lines[1], "several.toml:3:1: unknown key \"Restart\" in [service]");
    assert_has (lines[2], "several.toml:5:1: lifecycle.max_restarts: ");
  }
  g_assert_cmpuint (g_variant_n_children (errors), ==, G_N_ELEMENTS (bad_files) + 3);
}

/* What is no text file at all. */
static void
test_bad_files (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autoptr (GVariant) errors = NULL;
  g_autofree char *junk = g_malloc (1 << 20), *large = g_strnfill ((1 << 20) + 1, '#'), *folder = NULL,
                  *link = NULL;
  g_autofree char *fifo = NULL, *long_name = g_strnfill (129, 'n'), *long_file = NULL, *locked = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  static const char *const files[] = { "nul.toml",    "junk.toml", "large.toml",
                                       "folder.toml", "link.toml", "fifo.toml" };

  for (gsize i = 0; i < 1 << 20; i++)
    junk[i] = (char)g_rand_int_range (random, 0, 256);
  folder = g_build_filename (h->config_dir, "folder.toml", NULL);
  link = g_build_filename (h->config_dir, "link.toml", NULL);
  fifo = g_build_filename (h->config_dir, "fifo.toml", NULL);
  harness_write_bytes (h, "nul.toml", HEAD "dir = \"a\0b\"\n", sizeof (HEAD "dir = \"a\0b\"\n") - 1);
  harness_write_bytes (h, "junk.toml", junk, 1 << 20);
  harness_write_bytes (h, "large.toml", large, (1 << 20) + 1);
  g_assert_cmpint (mkdir (folder, 0755), ==, 0);
  g_assert_cmpint (symlink ("/nonexistent/x", link), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0644), ==, 0);
  long_file = g_strconcat (long_name, ".toml", NULL);
  harness_write (h, long_file, HEAD);
  harness_service (h, "good", "wait", "");
  harness_write (h, "locked.toml", HEAD);
  locked = g_build_filename (h->config_dir, "locked.toml", NULL);
  g_assert_cmpint (chmod (locked, 0), ==, 0);
  harness_start (h);
  client_wait_state (h->client, "good", "running");
  errors = harness_reload_errors (h);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *message = message_about (h, errors, files[i]);

    g_test_message ("%s", message);
    g_assert_true (g_utf8_validate (message, -1, NULL));
  }
  g_free (message_about (h, errors, long_file));
  /* Root reads everything. */
  if (geteuid () != 0) {
    g_autofree char *message = message_about (h, errors, "locked.toml");

    assert_has (message, "Permission denied");
  }
}

static void
test_bad_dictionaries (void)
{
  static const char *const bad[][2] = {
    { "@a{sa{sv}} {}", "service" },
    { "{'service': {'name': <'x'>}}", "service.exec" },
    { "{'service': {'exec': <'true'>}}", "service.name" },
    { "{'service': {'name': <'x'>, 'exec': <5>}}", "service.exec" },
    { "{'service': {'name': <'x y'>, 'exec': <'true'>}}", "service.name" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>, 'what': <1>}}", "what" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycel': @a{sv} {}}", "lifecycle" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycle': {'restart_delay_ms': <uint64 0>}}",
      "lifecycle.restart_delay_ms" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycle': {'restart_delay_ms': <-5>}}", "-5" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>}, 'lifecycle': {'max_restarts': <1.5>}}",
      "lifecycle.max_restarts" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>, 'env': <['A=b']>}}", "service.env" },
    { "{'service': {'name': <'x'>, 'exec': <'true'>}, 'dependencies': {'after': <[1, 2]>}}",
      "dependencies.after" },
  };
  g_autoptr (Harness) h = harness_new ();

  harness_start (h);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *message =
        client_fails (h->client, "InvalidConfig", "AddService", "(%s, " NO_OPTIONS ")", bad[i][0]);

    g_test_message ("%s", message);
    assert_has (message, bad[i][1]);
  }
  assert_property (h->client, NULL, "ServiceCount", "0");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/definitions/good-toml", test_good_toml);
  g_test_add_func ("/definitions/good-json", test_good_json);
  g_test_add_func ("/definitions/good-dictionary", test_good_dictionary);
  g_test_add_func ("/definitions/round-trip", test_round_trip);
  g_test_add_func ("/definitions/bad", test_bad);
  g_test_add_func ("/definitions/bad-files", test_bad_files);
  g_test_add_func ("/definitions/bad-dictionaries", test_bad_dictionaries);
  return g_test_run ();
}
