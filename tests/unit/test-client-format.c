/* SPDX-License-Identifier: Apache-2.0
 *
 * The pure parts of the command: text for people, JSON and TOML for programs, what people type. */
#define G_LOG_DOMAIN "zinit-test"

#include "client/command.h"
#include "client/definition.h"
#include "client/describe.h"
#include "client/format.h"
#include "client/json.h"
#include "client/parse.h"
#include "client/refused.h"
#include "client/table.h"
#include "client/toml.h"

#include <locale.h>
#include <signal.h>

/* The result of a function that gives new text; frees it. */
#define assert_text(actual, expected)                                                                        \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *text_ = (actual);                                                                       \
    g_assert_cmpstr (text_, ==, (expected));                                                                 \
  }                                                                                                          \
  G_STMT_END

static void
test_escape (void)
{
  assert_text (zinit_format_escape ("plain é 日本\t"), "plain é 日本\t");
  assert_text (zinit_format_escape ("\033[31mred\a\n\r\x7f"), "\\x1b[31mred\\x07\\x0a\\x0d\\x7f");
  assert_text (zinit_format_escape ("\xc2\x9b"), "\\x9b");        /* C1: CSI in one character */
  assert_text (zinit_format_escape ("a\xff\xc3"), "a\\xff\\xc3"); /* no UTF-8, and cut UTF-8 */
  assert_text (zinit_format_escape ("\u202e\u2066x"), "\\u{202e}\\u{2066}x");
  assert_text (zinit_format_escape (""), "");
}

static void
test_width (void)
{
  g_assert_cmpuint (zinit_format_width (""), ==, 0);
  g_assert_cmpuint (zinit_format_width ("abc"), ==, 3);
  g_assert_cmpuint (zinit_format_width ("日本"), ==, 4);
  g_assert_cmpuint (zinit_format_width ("e\u0301"), ==, 1);
  assert_text (zinit_format_cut ("abcdef", 6, TRUE), "abcdef");
  assert_text (zinit_format_cut ("abcdefg", 6, TRUE), "abcde…");
  assert_text (zinit_format_cut ("abcdefg", 6, FALSE), "abc...");
  assert_text (zinit_format_cut ("日本語", 4, TRUE), "日…");
  assert_text (zinit_format_cut ("abcdefg", 2, FALSE), "..");
}

static void
test_duration (void)
{
  assert_text (zinit_format_duration (0), "0ms");
  assert_text (zinit_format_duration (999999), "999ms");
  assert_text (zinit_format_duration (G_TIME_SPAN_SECOND * G_GUINT64_CONSTANT (59)), "59s");
  assert_text (zinit_format_duration (G_TIME_SPAN_SECOND * G_GUINT64_CONSTANT (60)), "1m 0s");
  assert_text (zinit_format_duration (G_TIME_SPAN_SECOND * G_GUINT64_CONSTANT (3599)), "59m 59s");
  assert_text (zinit_format_duration (G_TIME_SPAN_SECOND * G_GUINT64_CONSTANT (7320)), "2h 2m");
  assert_text (zinit_format_duration (G_TIME_SPAN_SECOND * G_GUINT64_CONSTANT (90000)), "1d 1h");
  assert_text (zinit_format_bytes (1023), "1023 B");
  assert_text (zinit_format_bytes (1024), "1.0 KiB");
  assert_text (zinit_format_bytes (1048575), "1.0 MiB");
  assert_text (zinit_format_bytes (G_MAXUINT64), "16.0 EiB");
}

static void
test_time (void)
{
  assert_text (zinit_format_time (0, TRUE), "-");
  assert_text (zinit_format_time (G_GINT64_CONSTANT (1795416432512602), FALSE), "2026-11-23 06:47:12");
  assert_text (zinit_format_time (G_GINT64_CONSTANT (1795416432512602), TRUE), "2026-11-23 06:47:12.512");
  assert_text (zinit_format_time (G_MAXINT64, FALSE), "-");
}

static void
check_since (const char *text, gint64 expected_usec)
{
  g_autoptr (GError) error = NULL;
  gint64 usec = -1;
  g_assert_true (
      zinit_parse_since (text, 1000 * G_TIME_SPAN_SECOND * G_GINT64_CONSTANT (1000), &usec, &error));
  g_assert_no_error (error);
  g_assert_cmpint (usec, ==, expected_usec);
}

static void
test_since (void)
{
  static const char *const wrong[] = { "",     "10",         "m",           "10x",
                                       "10mm", "-5m",        "9999999999d", "@",
                                       "@-1",  "2026-13-01", "yesterday",   "@99999999999999999999" };
  check_since ("90s", (1000000 - 90) * G_TIME_SPAN_SECOND);
  check_since ("10m", (1000000 - 600) * G_TIME_SPAN_SECOND);
  check_since ("2h", (1000000 - 7200) * G_TIME_SPAN_SECOND);
  check_since ("1d", (1000000 - 86400) * G_TIME_SPAN_SECOND);
  check_since ("999d", 0);
  check_since ("@12", 12 * G_TIME_SPAN_SECOND);
  check_since ("1970-01-02", 86400 * G_TIME_SPAN_SECOND);
  check_since ("1970-01-01 00:01", 60 * G_TIME_SPAN_SECOND);
  check_since ("1970-01-01 00:01:02", 62 * G_TIME_SPAN_SECOND);
  check_since ("1970-01-01T01:00:00+01:00", 0);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    gint64 usec = -1;
    g_assert_false (zinit_parse_since (wrong[i], 0, &usec, &error));
    g_assert_nonnull (error);
    g_assert_cmpint (usec, ==, -1);
  }
}

static void
test_signal (void)
{
  g_autoptr (GError) error = NULL;
  int number = 0;
  g_assert_true (zinit_parse_signal ("sigterm", &number, &error));
  g_assert_no_error (error);
  g_assert_cmpint (number, ==, SIGTERM);
  g_assert_false (zinit_parse_signal ("SIGFOO", &number, &error));
  g_assert_nonnull (strstr (error->message, "\"SIGFOO\""));
}

static void
test_timeout (void)
{
  static const struct {
    const char *text;
    guint ms;
  } known[] = { { "5", 5000 },  { "0", 0 },         { "0.5", 500 },    { "500ms", 500 },
                { "5s", 5000 }, { "2min", 120000 }, { "1h", 3600000 }, { "1.5s", 1500 } };
  static const char *const wrong[] = { "", "s", "-1", "5x", "5 s", "1e3", "5sec", "99999999999", "nan", "." };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++) {
    guint ms = 1;
    g_assert_true (zinit_parse_timeout (known[i].text, &ms, NULL));
    g_assert_cmpuint (ms, ==, known[i].ms);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    guint ms = 1;
    g_assert_false (zinit_parse_timeout (wrong[i], &ms, &error));
    g_assert_nonnull (error);
  }
}

static void
test_nearest (void)
{
  static const char *const words[] = { "list", "start", "stop", "restart", "ls", NULL };
  g_assert_cmpstr (zinit_parse_nearest ("lst", words), ==, "list");
  g_assert_cmpstr (zinit_parse_nearest ("strat", words), ==, "start");
  g_assert_cmpstr (zinit_parse_nearest ("restrat", words), ==, "restart");
  g_assert_null (zinit_parse_nearest ("frobnicate", words));
  g_assert_null (zinit_parse_nearest ("x", words));
}

static void
check_json (const char *variant, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = g_variant_parse (NULL, variant, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GString) json = g_string_new (NULL);
  zinit_json_value (json, value);
  g_assert_cmpstr (json->str, ==, expected);
}

static void
test_json_values (void)
{
  check_json ("uint64 18446744073709551615", "18446744073709551615");
  check_json ("int64 -9223372036854775808", "-9223372036854775808");
  check_json ("byte 0x1f", "31");
  check_json ("true", "true");
  check_json ("0.5", "0.5");
  check_json ("@as []", "[]");
  check_json ("@a{sv} {}", "{}");
  check_json ("[(uint32 1, 'a'), (2, 'b')]", "[[1,\"a\"],[2,\"b\"]]");
  check_json ("{'a': <{'b': 'c'}>, 'd': <['e', 'f']>}", "{\"a\":{\"b\":\"c\"},\"d\":[\"e\",\"f\"]}");
}

static void
test_json_escapes (void)
{
  g_autoptr (GVariant) infinite = g_variant_ref_sink (g_variant_new_double (G_MAXDOUBLE * 2));
  g_autoptr (GString) json = g_string_new (NULL);
  zinit_json_value (json, infinite);
  g_assert_cmpstr (json->str, ==, "null");
  g_string_truncate (json, 0);
  zinit_json_string (json, "q\" b\\ n\n t\t \x1f\x1b \x7f \xc2\x9b é \xff");
  g_assert_cmpstr (json->str, ==, "\"q\\\" b\\\\ n\\n t\\t \\u001f\\u001b \\u007f \\u009b é \uFFFD\"");
  g_string_truncate (json, 0);
  zinit_json_string (json, NULL);
  g_assert_cmpstr (json->str, ==, "null");
}

static void
test_json_properties (void)
{
  g_autoptr (GVariant) properties = g_variant_parse (
      G_VARIANT_TYPE_VARDICT,
      "{'RestartCount': <uint32 2>, 'LastExit': <('exited', 3)>, 'FailureReason': <@a{sv} {}>}", NULL, NULL,
      NULL);
  g_autoptr (GString) json = g_string_new ("{");
  zinit_json_properties (json, properties);
  g_assert_cmpstr (
      json->str, ==,
      "{\"restart_count\":2,\"last_exit\":{\"kind\":\"exited\",\"value\":3},\"failure_reason\":null");
  assert_text (zinit_json_snake_case ("Name"), "name");
  assert_text (zinit_json_snake_case ("cpu_usec"), "cpu_usec");
}

static void
test_toml (void)
{
  g_autoptr (GVariant) definition = g_variant_parse (
      G_VARIANT_TYPE ("a{sa{sv}}"),
      "{'service': {'name': <'web'>, 'exec': <'a \"b\" \\u001b\\n\\\\'>, 'oneshot': <true>, "
      "'env': <{'A': '1', 'B c': '2'}>}, 'dependencies': {'requires': <['x', 'y']>, 'after': <@as []>}, "
      "'empty': {}, 'lifecycle': {'restart_delay_ms': <uint64 5>}}",
      NULL, NULL, NULL);
  assert_text (zinit_toml_from_definition (definition),
               "[service]\nname = \"web\"\n"
               "exec = \"a \\\"b\\\" \\u001B\\n\\\\\"\noneshot = true\n"
               "env = { A = \"1\", \"B c\" = \"2\" }\n"
               "\n[dependencies]\nrequires = [\"x\", \"y\"]\n"
               "\n[lifecycle]\nrestart_delay_ms = 5\n");
}

static void
test_definition (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node =
      json_from_string ("{\"service\": {\"name\": \"a\", \"oneshot\": true, \"dir\": null,"
                        " \"env\": {\"K\": \"v\"}}, \"health\": null,"
                        " \"lifecycle\": {\"n\": 9007199254740992, \"list\": [\"x\"]}}",
                        &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) definition = g_variant_ref_sink (zinit_definition_from_json (node, &error));
  g_assert_no_error (error);
  g_autoptr (GVariant) expected =
      g_variant_parse (G_VARIANT_TYPE ("a{sa{sv}}"),
                       "{'service': {'name': <'a'>, 'oneshot': <true>, 'env': <{'K': 'v'}>}, "
                       "'lifecycle': {'n': <uint64 9007199254740992>, 'list': <['x']>}}",
                       NULL, NULL, NULL);
  g_assert_cmpvariant (definition, expected);
}

static void
test_definition_wrong (void)
{
  static const char *const wrong[] = { "[]", "{\"a\": 1}", "{\"a\": {\"b\": [1]}}",
                                       "{\"a\": {\"b\": {\"c\": 1}}}" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = json_from_string (wrong[i], NULL);
    g_assert_null (zinit_definition_from_json (node, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

static void
check_failure (const char *reason, const char *expected)
{
  g_autoptr (GVariant) value = g_variant_parse (G_VARIANT_TYPE_VARDICT, reason, NULL, NULL, NULL);
  assert_text (zinit_describe_failure (value), expected);
}

static void
test_describe (void)
{
  check_failure ("{}", "");
  check_failure ("{'type': <'exit_code'>, 'code': <3>}", "exited with code 3");
  check_failure ("{'type': <'signal'>, 'signal': <uint32 9>}", "killed by SIGKILL (9)");
  check_failure ("{'type': <'missing_dependency'>, 'dependency': <'db'>}", "needs db, which does not exist");
  check_failure ("{'type': <'spawn_error'>, 'message': <'no file'>}", "no file");
  check_failure ("{'type': <'of the future'>}", "of the future");
  g_autoptr (GVariant) killed = g_variant_ref_sink (g_variant_new ("(si)", "killed", SIGTERM));
  g_autoptr (GVariant) unknown = g_variant_ref_sink (g_variant_new ("(si)", "exited", -1));
  assert_text (zinit_describe_exit (killed), "killed by SIGTERM (15)");
  assert_text (zinit_describe_exit (unknown), "ended in an unknown way");
  assert_text (zinit_describe_exit (NULL), "");
}

static void
test_info (void)
{
  g_autoptr (GVariant) properties = g_variant_parse (
      G_VARIANT_TYPE_VARDICT,
      "{'Name': <'web'>, 'State': <'blocked'>, 'Pid': <'of another type'>, 'WaitingOn': <['db', 'net']>, "
      "'NextRestart': <uint64 4000000>, 'StatusText': <'soon'>, 'NewInFuture': <true>}",
      NULL, NULL, NULL);
  g_autoptr (ZinitServiceInfo) info = zinit_service_info_new (properties);
  g_assert_cmpstr (info->name, ==, "web");
  g_assert_cmpuint (info->pid, ==, 0);
  assert_text (zinit_describe_state (info), "blocked: waits for db, net");
}

/* One thing is said once. */
static void
test_states (void)
{
  static const struct {
    const char *properties, *expected;
  } cases[] = {
    { "{'State': <'running'>, 'SubState': <'running'>, 'Pid': <uint32 7>}", "running (pid 7)" },
    { "{'State': <'running'>, 'SubState': <'unhealthy'>, 'Pid': <uint32 7>}", "running, unhealthy (pid 7)" },
    { "{'State': <'exited'>, 'SubState': <'ended'>, 'LastExit': <('exited', 0)>}", "exited with code 0" },
    { "{'State': <'failed'>, 'SubState': <'held'>, 'FailureReason': <{'type': <'exit_code'>, 'code': <3>}>}",
      "held; starts again when the service it requires is up" },
    { "{'State': <'exited'>, 'SubState': <'done'>, 'LastExit': <('exited', 0)>}", "done" },
    { "{'State': <'exited'>, 'SubState': <'stopped'>, 'LastExit': <('exited', 0)>}", "stopped" },
    { "{'State': <'inactive'>, 'SubState': <'skipped'>, 'StatusText': <'/x is not there'>}",
      "skipped: /x is not there" },
    { "{'State': <'failed'>, 'SubState': <'stopped'>, 'FailureReason': <{'type': <'stop_timeout'>}>}",
      "stopped; had to be killed" },
    { "{'State': <'failed'>, 'SubState': <'given-up'>, 'RestartCount': <uint32 2>, 'FailureReason': "
      "<{'type': <'exit_code'>, 'code': <3>}>}",
      "failed: exited with code 3; given up after 2 restarts" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GVariant) properties =
        g_variant_parse (G_VARIANT_TYPE_VARDICT, cases[i].properties, NULL, NULL, NULL);
    g_autoptr (ZinitServiceInfo) info = zinit_service_info_new (properties);

    assert_text (zinit_describe_state (info), cases[i].expected);
  }
}

static void
test_refused (void)
{
  g_autoptr (GVariant) refused = g_variant_parse (
      G_VARIANT_TYPE ("a(sss)"),
      "[('/etc/x/web.toml', 'web', 'line 3'), ('/etc/x/web.toml', 'web', 'line 4'), ('/etc/x/other.toml', "
      "'db', 'a cycle'), ('/a.json', 'a', 'no JSON')]",
      NULL, NULL, NULL);

  g_assert_cmpstr (zinit_refused_find (refused, "web"), ==, "line 3");
  g_assert_cmpstr (zinit_refused_find (refused, "db"), ==, "a cycle");
  g_assert_cmpstr (zinit_refused_find (refused, "a"), ==, "no JSON");
  g_assert_null (zinit_refused_find (refused, "other"));
  g_assert_null (zinit_refused_find (refused, "we"));
  g_assert_null (zinit_refused_find (NULL, "web"));
  assert_text (zinit_refused_describe (refused), "3 definitions refused: web.toml, other.toml, a.json");
  g_assert_null (zinit_refused_describe (NULL));
}

static void
test_exit_codes (void)
{
  static const struct {
    const char *name;
    ZinitExitCode code;
  } cases[] = { { "org.freedesktop.DBus.Error.AccessDenied", ZINIT_EXIT_NOT_ALLOWED },
                { "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ZINIT_EXIT_NOT_ALLOWED },
                { "org.freedesktop.DBus.Error.ServiceUnknown", ZINIT_EXIT_NO_DAEMON },
                { "org.zinit.Error.NoSuchService", ZINIT_EXIT_NO_SUCH_SERVICE },
                { "org.zinit.Error.TimedOut", ZINIT_EXIT_FAILED } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (cases[i].name, "text");

    g_assert_cmpint (zinit_command_exit_code (error), ==, cases[i].code);
  }
  g_assert_cmpint (zinit_command_worse (ZINIT_EXIT_FAILED, ZINIT_EXIT_NO_SUCH_SERVICE), ==,
                   ZINIT_EXIT_NO_SUCH_SERVICE);
  g_assert_cmpint (zinit_command_worse (ZINIT_EXIT_NOT_ALLOWED, ZINIT_EXIT_NO_DAEMON), ==,
                   ZINIT_EXIT_NO_DAEMON);
}

static void
test_table (void)
{
  static const char *const titles[] = { "A", "LONG", NULL };
  g_autoptr (ZinitTable) table = zinit_table_new (titles);
  zinit_table_add (table, ZINIT_STYLE_PLAIN, "日本");
  zinit_table_add (table, ZINIT_STYLE_PLAIN, "abcdefgh");
  zinit_table_add (table, ZINIT_STYLE_PLAIN, "x\ty");
  zinit_table_add (table, ZINIT_STYLE_PLAIN, NULL);
  g_assert_true (zinit_output_set_color ("never"));
  assert_text (zinit_table_to_text (table, 0), "A     LONG\n日本  abcdefgh\nx y   -\n");
  assert_text (zinit_table_to_tabs (table), "日本\tabcdefgh\nx y\t-\n");
  g_autofree char *cut = zinit_table_to_text (table, 11);
  g_assert_nonnull (strstr (cut, zinit_output_is_unicode () ? "  abcd…\n" : "  ab...\n"));
  g_assert_true (zinit_output_set_color ("always"));
  assert_text (zinit_output_paint (ZINIT_STYLE_GOOD, "ok"), "\033[32mok\033[0m");
  g_assert_false (zinit_output_set_color ("sometimes"));
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client/escape", test_escape);
  g_test_add_func ("/client/width", test_width);
  g_test_add_func ("/client/duration", test_duration);
  g_test_add_func ("/client/time", test_time);
  g_test_add_func ("/client/since", test_since);
  g_test_add_func ("/client/signal", test_signal);
  g_test_add_func ("/client/timeout", test_timeout);
  g_test_add_func ("/client/states", test_states);
  g_test_add_func ("/client/refused", test_refused);
  g_test_add_func ("/client/nearest", test_nearest);
  g_test_add_func ("/client/json/values", test_json_values);
  g_test_add_func ("/client/json/escapes", test_json_escapes);
  g_test_add_func ("/client/json/properties", test_json_properties);
  g_test_add_func ("/client/toml", test_toml);
  g_test_add_func ("/client/definition", test_definition);
  g_test_add_func ("/client/definition/wrong", test_definition_wrong);
  g_test_add_func ("/client/describe", test_describe);
  g_test_add_func ("/client/info", test_info);
  g_test_add_func ("/client/exit-codes", test_exit_codes);
  g_test_add_func ("/client/table", test_table);
  return g_test_run ();
}
