/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML in and out: the shape of what is read, files as people write them, and for every kind of mistake a
 * message that says where it is.
 */
#include "config/definition-build.h"
#include "model/error.h"
#include "model/limits.h"

#include <signal.h>
#include <string.h>

static ZinitDefinition *
read_definition (const char *text)
{
  g_autofree char *name = NULL;
  ZinitDefinition *definition = zinit_definition_parse (text, strlen (text), FALSE, "stem", &name, NULL);

  g_assert_nonnull (definition);
  g_assert_cmpstr (definition->name, ==, name);
  return definition;
}

/* All that is wrong with @text, a line each. Transfer full. */
static char *
list_problems (const char *text, gsize length, const char *default_name)
{
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (zinit_definition_parse (text, length, FALSE, default_name, NULL, problems));
  g_assert_cmpuint (problems->len, >, 0);
  zinit_problems_to_error (problems, &error);
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  return g_strdup (error->message);
}

/* Expects a refusal of which one line begins with @position (may be "") and holds @part. */
static void
refuse (const char *text, gsize length, const char *position, const char *part)
{
  g_autofree char *all = list_problems (text, length, "stem");
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);
  gboolean is_found = FALSE;

  g_test_message ("%s", all);
  for (guint i = 0; lines[i] != NULL; i++)
    is_found |= g_str_has_prefix (lines[i], position) && strstr (lines[i], part) != NULL;
  g_assert_true (is_found);
}

/* The tree alone; NULL when @text has a problem that leaves none. */
static JsonNode *
parse (const char *text, gsize length, GPtrArray *problems)
{
  g_auto (ZinitPlaces) places = { 0 };

  zinit_places_init (&places);
  return zinit_toml_parse (text, length, &places, problems);
}

static void
test_shape (void)
{
  static const char text[] = "\xef\xbb\xbf# a mark of the byte order is passed over\n"
                             "whole = -9223372036854775808\n"
                             "half = 0.5\nyes = true\n"
                             "text = \"\"\"\\\n   ä\nt\\u00e4o\"\"\"\n"
                             "list = [1, [\"x\"], {a.b = 'c'}]\n"
                             "[table.\"a.b\"]\nc = 1\n[[many]]\n[[many]]\nd = 2\n";
  static const char expected[] =
      "{\"half\":0.5,\"list\":[1,[\"x\"],{\"a\":{\"b\":\"c\"}}],\"many\":[{},{\"d\":2}],"
      "\"table\":{\"a.b\":{\"c\":1}},\"text\":\"ä\\ntäo\",\"whole\":-9223372036854775808,\"yes\":true}";
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  g_autoptr (JsonNode) node = parse (text, strlen (text), problems);
  g_autofree char *json = NULL;

  g_assert_cmpuint (problems->len, ==, 0);
  json = json_to_string (node, FALSE);
  g_assert_cmpstr (json, ==, expected);
}

/* A word that was meant as text must not turn into another spelling of it. */
static void
test_dates (void)
{
  static const char *const values[] = { "1979-05-27", "07:32:00.5", "1979-05-27T07:32:00Z",
                                        "1979-05-27T00:32:00-07:30" };

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autofree char *text = g_strdup_printf ("[service]\nexec = %s\n", values[i]);

    refuse (text, strlen (text), "2:8: ", "quotes");
  }
}

static void
test_not_terminated (void)
{
  /* What stands after the length must not be read. */
  const char text[] = { 'a', ' ', '=', ' ', '1', '2' };
  g_autofree char *copy = g_memdup2 (text, sizeof text);
  g_autoptr (JsonNode) node = parse (copy, sizeof text - 1, NULL);

  g_assert_cmpint (json_object_get_int_member (json_node_get_object (node), "a"), ==, 1);
}

static void
test_upstream_samples (void)
{
  g_autoptr (ZinitDefinition) sshd =
      read_definition ("[service]\nname = \"sshd\"\nexec = \"/usr/sbin/sshd -D -e\"\n\n[dependencies]\n\n"
                       "[lifecycle]\nrestart = \"always\"\nrestart_delay_ms = 1000\n\n"
                       "[logging]\nbuffer_lines = 100\n");
  g_autoptr (ZinitDefinition) app =
      read_definition ("[service]\nname = \"app\"\nexec = '''sh -c 'while :; do date; done' '''\n"
                       "env = { PORT = \"80\", HOST = \"h\" }\nclass = \"system\"\ncritical = true\n\n"
                       "[dependencies]\nafter = [\"database\"]\nrequires = [\"database\"]\n"
                       "wants = [\"cache\"]\nconflicts = [\"server-a\"]\n\n"
                       "[lifecycle]\nrestart = \"on-failure\"\nmax_restarts = 5\nstop_signal = \"int\"\n\n"
                       "[health]\ntype = \"tcp\"\naddress = \"127.0.0.1:5432\"\ninterval_ms = 20000\n");

  g_assert_cmpstr (sshd->name, ==, "sshd");
  g_assert_cmpstr (sshd->exec, ==, "/usr/sbin/sshd -D -e");
  g_assert_null (sshd->requires);
  g_assert_cmpuint (sshd->buffer_lines, ==, 100);

  g_assert_cmpstr (app->exec, ==, "sh -c 'while :; do date; done' ");
  g_assert_cmpstr (app->env[0], ==, "HOST=h");
  g_assert_cmpstr (app->env[1], ==, "PORT=80");
  g_assert_cmpint (app->service_class, ==, ZINIT_CLASS_SYSTEM);
  g_assert_true (app->critical);
  g_assert_cmpstr (app->after[0], ==, "database");
  g_assert_cmpstr (app->conflicts[0], ==, "server-a");
  g_assert_cmpint (app->restart, ==, ZINIT_RESTART_ON_FAILURE);
  g_assert_cmpuint (app->max_restarts, ==, 5);
  g_assert_cmpint (app->stop_signal, ==, SIGINT);
  g_assert_cmpint (app->health_type, ==, ZINIT_HEALTH_TCP);
  g_assert_cmpuint (app->health_interval_ms, ==, 20000);
  g_assert_cmpuint (app->health_retries, ==, 3);
}

static void
test_spellings (void)
{
  /* The same in dotted keys, inline tables and sections. */
  g_autoptr (ZinitDefinition) dotted =
      read_definition ("service.name = \"a\"\nservice.exec = \"x\"\n"
                       "service.env.A = \"1\"\nlifecycle.max_restarts = 0x10\n");
  g_autoptr (ZinitDefinition) inline_table =
      read_definition ("service = { name = 'a', exec = 'x', env = { A = '1' } }\n"
                       "lifecycle = { max_restarts = 1_6 }\n");
  g_autoptr (ZinitDefinition) sections =
      read_definition ("[service.env]\nA = \"1\"\n[service]\nname = \"a\"\r\n"
                       "exec = \"x\"\n[lifecycle]\nmax_restarts = 16\n");

  g_assert_true (zinit_definition_equal (dotted, inline_table));
  g_assert_true (zinit_definition_equal (dotted, sections));
  g_assert_cmpuint (dotted->max_restarts, ==, 16);
}

static void
test_delay_raises_maximum (void)
{
  g_autoptr (ZinitDefinition) raised =
      read_definition ("[service]\nexec = \"x\"\n[lifecycle]\nrestart_delay_ms = 90000\n");
  g_autoptr (ZinitDefinition) kept =
      read_definition ("[service]\nexec = \"x\"\n[lifecycle]\nrestart_delay_ms = 5000\n");

  g_assert_cmpuint (raised->restart_delay_ms, ==, 90000);
  g_assert_cmpuint (raised->restart_delay_max_ms, ==, 90000);
  g_assert_cmpuint (kept->restart_delay_max_ms, ==, 60000);
}

static void
test_names (void)
{
  static const char named[] = "[service]\nname = \"db\"\nexec = 3\n";
  static const char misnamed[] = "[service]\nname = \"d b\"\nexec = \"x\"\n";
  static const char unnamed[] = "[service]\nexec = \"x\"\n";
  g_autoptr (ZinitDefinition) definition = read_definition (unnamed);
  g_autofree char *name = NULL;
  g_autofree char *other_name = g_strdup ("untouched");
  g_autofree char *missing = NULL;
  g_autofree char *misplaced = NULL;

  g_assert_cmpstr (definition->name, ==, "stem");
  g_assert_null (zinit_definition_parse (named, strlen (named), FALSE, "stem", &name, NULL));
  g_assert_cmpstr (name, ==, "db");
  g_clear_pointer (&name, g_free);
  g_assert_null (zinit_definition_parse (misnamed, strlen (misnamed), FALSE, "stem", &name, NULL));
  g_assert_cmpstr (name, ==, "stem");
  g_clear_pointer (&other_name, g_free);
  g_assert_null (zinit_definition_parse (unnamed, strlen (unnamed), FALSE, NULL, &other_name, NULL));
  g_assert_null (other_name);
  missing = list_problems (unnamed, strlen (unnamed), NULL);
  g_assert_cmpstr (missing, ==, "1:2: service.name: is missing; every service needs it");
  misplaced = list_problems (unnamed, strlen (unnamed), "my service");
  g_assert_nonnull (strstr (misplaced, "service.name: byte 3"));
}

/* What a person may get wrong, where it is, and what is said of it. */
static const struct {
  const char *text;
  const char *position;
  const char *part;
} mistakes[] = {
  { "", "service.exec: ", "is missing" },
  { "[service]\ndir = \"a\"\n", "1:2: ", "service.exec: is missing" },
  { "exec = \"x\"\n", "1:1: ", "key \"exec\" stands outside of its section; it is a key of [service]" },
  { "port = 1\n", "1:1: ", "unknown key \"port\" outside of a section; sections are service, dependencies" },
  { "\n[servise]\nexec = \"x\"\n", "2:2: ", "unknown section \"servise\"; did you mean [service]?" },
  { "[unit]\n", "1:2: ", "unknown section \"unit\"; sections are service" },
  { "service = 3\n", "1:1: ", "service: a number was given; a section with keys is wanted" },
  { "[[service]]\nexec = \"x\"\n", "1:3: ", "service: a list was given" },
  { "[lifecycle]\n  restart_dely_ms = 3\n",
    "2:3: ", "unknown key \"restart_dely_ms\" in [lifecycle]; did you mean \"restart_delay_ms\"?" },
  { "[lifecycle]\nexec = 3\n", "2:1: ", "unknown key \"exec\" in [lifecycle]; it is a key of [service]" },
  { "[logging]\nfile = 3\n", "2:1: ", "unknown key \"file\" in [logging]; keys are buffer_lines" },
  { "[service]\nexec = []\n", "2:1: ", "service.exec: it is empty; a string or a list of strings is wanted" },
  { "[service]\noneshot = 1\n", "2:1: ", "service.oneshot: a number was given; true or false is wanted" },
  { "[service]\nenv = { A = \"x\", PORT = 80 }\n",
    "2:18: ", "service.env: \"PORT\": a number was given; a string is wanted" },
  { "[service.env]\n PORT = true\n", "2:2: ", "a string is wanted" },
  { "[service]\nenv.\"A=B\" = \"c\"\n", "2:5: ", "service.env: \"A=B\" is not a name" },
  { "[service]\nenv.\"\" = \"c\"\n", "2:5: ", "service.env: \"\" is not a name" },
  { "[dependencies]\nrequires = [\"a\",\n  3]\n", "3:3: ", "dependencies.requires: item 2: a number" },
  { "[dependencies]\nrequires = \"a\"\n", "2:1: ", "a list of service names is wanted" },
  { "[lifecycle]\nsuccess_exit_codes = [3, 256]\n",
    "2:1: ", "item 2: \"256\" is not an exit code; a number" },
  { "[lifecycle]\nsuccess_exit_codes = [3,\n true]\n", "3:2: ", "an exit code or signal is wanted" },
  { "[lifecycle]\npermanent_exit_codes = 3\n", "2:1: ", "a list of exit codes and signals is wanted" },
  { "[dependencies]\nafter = [\"stem\"]\n[service]\nexec = 'x'\n", "2:1: ", "names the service itself" },
  { "[lifecycle]\nrestart = \"sometimes\"\n", "2:1: ", "one of \"always\", \"on-failure\", \"never\"" },
  { "[lifecycle]\nstart_timeout_ms = 0\n", "2:1: ", "0 was given; a whole number from 1 to" },
  { "[lifecycle]\nmax_restarts = 1.0\n", "2:1: ", "a number with a fraction or exponent was given" },
  { "[lifecycle]\nmax_restarts = inf\n", "2:1: ", "lifecycle.max_restarts: " },
  { "[lifecycle]\nmax_restarts = 99999999999999999999\n",
    "2:", "99999999999999999999 was given; a whole number from 0 to 4294967295" },
  { "[service]\nexec='x'\n[lifecycle]\nrestart_delay_ms = 3\nrestart_delay_max_ms = 2\n",
    "5:1: ", "2 ms is below lifecycle.restart_delay_ms, 3 ms" },
  { "[service]\nexec='x'\n[health]\nretries = 3\n", "3:2: ", "health.type: is missing" },
  { "[service]\nexec='x'\n[health]\ntype = 'http'\n", "3:2: ", "health.url: is missing" },
  { "[service]\nexec='x'\n[health]\ntype='exec'\ncommand='y'\nurl='http://a'\n", "6:1: ", "health.url: " },
  { "[service]\nexec = \"x\nname = 'y'\n",
    "2:8: ", "service.exec: the closing quote \" of the text is missing" },
  { "[service]\nexec = \"x\"\nexec = \"y\"\n", "3:", "exec" },
  { "[service]\n[service]\n", "2:", "service" },
  { "[service]\nexec = \"a\\u0000b\"\n", "2:8: ", "U+0000" },
  { "[service]\nenv.\"a\\u0000b\" = 'x'\n", "2:5: ", "U+0000" },
  { "[service]\n= 1\n", "2:1: ", "" },
  { "{\"service\": {}}", "1:1: ", "" },
  { "[\\U0001f600]\n", "1:2: ", "" },
  { "ä = 1\n", "1:1: ", "" },
  { "a\n", "1:", "" },
  { "\n[", "2:", "" },
};

static void
test_mistakes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    refuse (mistakes[i].text, strlen (mistakes[i].text), mistakes[i].position, mistakes[i].part);
}

static void
test_bytes (void)
{
  g_autofree char *huge = g_strnfill (ZINIT_MAX_DEFINITION_BYTES + 1, '\n');
  g_autofree char *key = g_strnfill (5000, 'k');
  g_autofree char *umlauts = g_strdup_printf ("%s\xc3\xa4 = 1", key);

  refuse ("[service]\nexec = \"\xff\"\n", 20, "2:9: ", "not UTF-8");
  refuse ("[service]\n# \xc3\xa4 \xe2\x82\n", 18, "2:5: ", "not UTF-8");
  refuse ("[service]\n# a\0b\n", 16, "2:4: ", "NUL");
  refuse (huge, ZINIT_MAX_DEFINITION_BYTES + 1, "1:1: ", "at most 1048576");
  refuse (umlauts, strlen (umlauts), "1:", "");
}

/* Texts that would make tables in tables without end. */
static void
test_depth (void)
{
  static const struct {
    const char *before;
    const char *repeated;
    const char *after;
  } rows[] = {
    { "", "a.", "a = 1" },
    { "[", "a . ", "a]\n" },
    { "[[", "a.", "a]]\n" },
    { "", "\"a\".", "a = 1" },
    { "", "'a'. ", "a = 1" },
    { "a = ", "[", "" },
    { "a = ", "{a=", "" },
    { "a = \"\"\"\n", "x", "\"\"\"\"\nx = [[[[[[[[[[[[[[[[[[[[" },
    { "{ a = \"\"\"x\"\"\"\", ", "b.", "b = 1}" },
    { "a = '''x''''' # '\nb = 1\n", "b.", "b = 1" },
    { "a = \"\\\"\"\n", "b.", "b = 1" },
    { "# it's\n", "b.", "b = 1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GString *text = g_string_new (rows[i].before);

    for (guint n = 0; n < 200000; n++)
      g_string_append (text, rows[i].repeated);
    g_string_append (text, rows[i].after);
    g_string_truncate (text, MIN (text->len, ZINIT_MAX_DEFINITION_BYTES));
    {
      g_autoptr (GPtrArray) problems = zinit_problems_new ();
      g_autoptr (JsonNode) node = parse (text->str, text->len, problems);

      g_test_message ("%u: %s", i, node == NULL ? "refused" : "read");
      g_assert_cmpuint (problems->len, >, 0);
    }
    g_string_free (text, TRUE);
  }
}

static void
test_dots_elsewhere (void)
{
  g_autofree char *dots = g_strnfill (1000, '.');
  g_autofree char *text =
      g_strdup_printf ("# %s\n[service]\nexec = \"%s\" # %s\ndir = '%s'\n"
                       "env = { A = \"\"\"\n%s\\\"\"\"\"\"\", B = '''%s''''' }\n[lifecycle]\n",
                       dots, dots, dots, dots, dots, dots);
  g_autoptr (ZinitDefinition) definition = read_definition (text);
  g_autofree char *quoted = g_strdup_printf ("A=%s\"\"\"", dots);

  g_assert_cmpstr (definition->exec, ==, dots);
  g_assert_cmpstr (definition->env[0], ==, quoted);
}

static void
test_write_short (void)
{
  g_autoptr (ZinitDefinition) definition =
      read_definition ("[service]\nexec = \"x\"\n[lifecycle]\nrestart = \"always\"\nmax_restarts = 0\n");
  g_autofree char *text = zinit_definition_to_toml (definition);

  g_assert_cmpstr (text, ==, "[service]\nname = \"stem\"\nexec = \"x\"\n");
}

/* Numbers are numbers on both ways, also where they came as text. */
static void
test_exit_codes (void)
{
  static const char *const codes[] = { "3", "64-78", "SIGTERM", "143", "007", NULL };
  g_autoptr (ZinitDefinition) definition = read_definition (
      "[service]\nname = \"a\"\nexec = \"x\"\n"
      "[lifecycle]\nsuccess_exit_codes = [3, \"64-78\", \"SIGTERM\", \"143\", \"007\", 3]\n");
  g_autofree char *text = zinit_definition_to_toml (definition);
  g_autoptr (ZinitDefinition) back = read_definition (text);

  g_assert_cmpstrv (definition->success_exit_codes, codes);
  g_assert_nonnull (strstr (text, "success_exit_codes = [3, \"64-78\", \"SIGTERM\", 143, \"007\"]\n"));
  g_assert_true (zinit_definition_equal (definition, back));
}

static void
test_write_and_read_back (void)
{
  static const char *const texts[] = {
    "[service]\nname = 'a'\nexec = \"a \\\" b \\\\ c \\n \\t \\u0001 \\u007f \\u00e4 \\U0001f600 '\"\n"
    "dir = '/srv'\noneshot = true\nstatus = 'ignore'\nclass = 'system'\ncritical = true\n"
    "user = 'www-data'\ngroup = '33'\n"
    "env = { \"a b\" = \"x=\\ny\", A = '', \"ä.\" = '\"', \"\\\"\" = 'q', B-_9 = 'z' }\n"
    "[dependencies]\nrequires = ['b', 'c']\nafter = ['d']\nwants = ['e']\nconflicts = ['f', 'g']\n"
    "[lifecycle]\nrestart = 'never'\nrestart_delay_ms = 1\nrestart_delay_max_ms = 9007199254740992\n"
    "max_restarts = 4294967295\nstability_period_ms = 0\nstart_timeout_ms = 2\nstop_timeout_ms = 3\n"
    "stop_signal = 1\n[health]\ntype = 'http'\nurl = 'http://h/'\ninterval_ms = 4\ntimeout_ms = 5\n"
    "retries = 0\nstart_period_ms = 6\n[logging]\nbuffer_lines = 0\n",
    "[service]\nexec = 'x'\n[health]\ntype = 'exec'\ncommand = 'y'\n",
    "[service]\nexec = 'x'\n[health]\ntype = 'tcp'\naddress = '[::1]:80'\ninterval_ms = 10000\n",
    "[service]\nexec = 'x'\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (ZinitDefinition) definition = read_definition (texts[i]);
    g_autofree char *written = zinit_definition_to_toml (definition);
    g_autoptr (ZinitDefinition) back = read_definition (written);
    g_autofree char *again = zinit_definition_to_toml (back);

    g_assert_true (zinit_definition_equal (definition, back));
    g_assert_cmpstr (again, ==, written);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/toml/shape", test_shape);
  g_test_add_func ("/toml/not-terminated", test_not_terminated);
  g_test_add_func ("/toml/dates", test_dates);
  g_test_add_func ("/toml/upstream-samples", test_upstream_samples);
  g_test_add_func ("/toml/spellings", test_spellings);
  g_test_add_func ("/toml/delay-raises-maximum", test_delay_raises_maximum);
  g_test_add_func ("/toml/names", test_names);
  g_test_add_func ("/toml/mistakes", test_mistakes);
  g_test_add_func ("/toml/bytes", test_bytes);
  g_test_add_func ("/toml/depth", test_depth);
  g_test_add_func ("/toml/dots-elsewhere", test_dots_elsewhere);
  g_test_add_func ("/toml/exit-codes", test_exit_codes);
  g_test_add_func ("/toml/write-short", test_write_short);
  g_test_add_func ("/toml/write-and-read-back", test_write_and_read_back);
  return g_test_run ();
}
