/* SPDX-License-Identifier: Apache-2.0
 *
 * The format of state.json and fds.json: every vector's verdict, the exact bytes of the canonical form, the
 * edges of numbers, strings, versions and ages, and round trips of random documents.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "model/error.h"
#include "persist/state-format.h"

#define SERVICE                                                                                              \
  "\"name\": \"web\", \"state\": \"running\", \"restart_count\": 0, \"current_restart_delay_ms\": 1000, "    \
  "\"last_state_change\": 5, \"ephemeral\": false"

/* A state document around the members of one service. */
static char *
state_text (const char *service)
{
  return g_strdup_printf (
      "{\"version\": 1, \"saved_at\": 7, \"boot_time\": 6, \"services\": {\"web\": {%s}}, "
      "\"config_dir\": \"/c\", \"socket_path\": \"/s\"}",
      service);
}

static ZinitSavedState *
parse (const char *text, GError **error)
{
  return zinit_saved_state_parse (text, strlen (text), ZINIT_EXTRAS_SKIP, error);
}

static ZinitSavedState *
parse_good (const char *text)
{
  g_autoptr (GError) error = NULL;
  ZinitSavedState *state = parse (text, &error);

  g_assert_no_error (error);
  g_assert_nonnull (state);
  return state;
}

static void
assert_refused (const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitSavedState) state = parse (text, &error);

  g_assert_null (state);
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
}

/* The canonical form of @text, or NULL when it is refused. */
static char *
canonical (gboolean is_fds, const char *text, gsize length, GError **error)
{
  if (is_fds) {
    g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_parse (text, length, error);

    return fds != NULL ? zinit_saved_fds_print (fds, NULL) : NULL;
  } else {
    g_autoptr (ZinitSavedState) state = zinit_saved_state_parse (text, length, ZINIT_EXTRAS_SKIP, error);

    return state != NULL ? zinit_saved_state_print (state, NULL) : NULL;
  }
}

/* Of the vectors that leave the choice, those that are accepted; the others are refused. */
static const char *const chosen[] = { "u64-max.json", NULL };

static void
replay_vector (const char *folder, char **columns)
{
  g_autofree char *path = g_build_filename (folder, columns[0], NULL);
  gboolean is_good = g_str_equal (columns[2], "accept") || g_strv_contains (chosen, columns[0]);
  gboolean is_fds = g_str_equal (columns[1], "fds");
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  gsize length;

  g_test_message ("%s: %s, %s", columns[0], columns[2], columns[3]);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  first = canonical (is_fds, text, length, &error);
  if (!is_good) {
    g_assert_null (first);
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
    g_test_message ("  %s", error->message);
    g_assert_nonnull (strstr (error->message, ": "));
    g_assert_null (strchr (error->message, '\n'));
    return;
  }
  g_assert_no_error (error);
  second = canonical (is_fds, first, strlen (first), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second, ==, first);
}

static void
test_vectors (void)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "data", "vectors", NULL);
  g_autofree char *path = g_build_filename (folder, "index.tsv", NULL);
  g_autofree char *index = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &index, NULL, NULL));
  lines = g_strsplit (g_strchomp (index), "\n", -1);
  for (guint i = 1; lines[i] != NULL; i++) {
    g_auto (GStrv) columns = g_strsplit (lines[i], "\t", -1);

    g_assert_cmpuint (g_strv_length (columns), ==, 4);
    replay_vector (folder, columns);
    n++;
  }
  g_assert_cmpuint (n, >=, 114);
}

static void
test_refusals (void)
{
  static const struct {
    const char *service, *message;
  } rows[] = {
    { SERVICE ", \"pid\": -1", "services.web.pid: -1 is given; a number from 0 to 4294967295 is allowed" },
    { SERVICE ", \"pid\": 1.0", "services.web.pid: 1.0 is given; a number from 0 to 4294967295 is allowed" },
    { SERVICE ", \"pid\": -0", "services.web.pid: -0 is given; a number from 0 to 4294967295 is allowed" },
    { SERVICE ", \"pid\": \"7\"",
      "services.web.pid: a string is given; a number from 0 to 4294967295 is allowed" },
    { SERVICE ", \"last_exit_code\": 2147483648",
      "services.web.last_exit_code: 2147483648 is given; a number "
      "from -2147483648 to 2147483647 is allowed" },
    { SERVICE ", \"name\": \"web\"", "services.web.name: given twice; it is allowed once" },
    { SERVICE ", \"\\u0070id\": 1, \"pid\": null", "services.web.pid: given twice; it is allowed once" },
    { "\"name\": \"web\"", "services.web.state: missing; it has to be given" },
    { "\"state\": \"Running\"",
      "services.web.state: \"Running\" is given; inactive, blocked, starting, running, "
      "stopping, exited, failed are allowed" },
    { "\"state\": null", "services.web.state: null is given; inactive, blocked, starting, running, stopping, "
                         "exited, failed are allowed" },
    { "\"ephemeral\": 0", "services.web.ephemeral: a number is given; true and false are allowed" },
    { "\"name\": []", "services.web.name: an array is given; a string is allowed" },
    { "\"config\": []", "services.web.config: an array is given; an object is allowed" },
    { "\"pid\": 01", "services.web.pid: 1:75: a number with a leading zero" },
    { "\"pid\": nul", "services.web.pid: 1:75: no value; did you mean null?" },
    /* Of a field that is passed over the name is said as well. */
    { "\"pod\": 01", "services.web.pod: 1:75: a number with a leading zero" },
    { "\"\": {\"a\": nul}", "services.web.\"\": 1:78: no value; did you mean null?" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = state_text (rows[i].service);

    assert_refused (text, rows[i].message);
  }
  assert_refused ("", "document: 1:1: the text ends; a value is expected");
  assert_refused ("null", "document: null is given; an object is allowed");
  assert_refused ("{} {}", "version: missing; it has to be given");
  assert_refused ("{\"services\": {\"a\\nb\": null}}", "services.\"a\xef\xbf\xbd"
                                                       "b\": null is given; an object is allowed");
}

/* Numbers at their ends are read and written to the digit; one past is refused. */
static void
test_numbers (void)
{
  static const struct {
    const char *field, *good, *bad;
  } rows[] = {
    { "pid", "4294967295", "4294967296" },
    { "pid", "0", "-1" },
    { "restart_count", "4294967295", "4294967296" },
    { "started_at", "18446744073709551615", "18446744073709551616" },
    { "started_at", "9223372036854775808", "9223372036854775808.0" },
    { "started_at", "9007199254740993", "9007199254740993e0" },
    { "last_exit_code", "2147483647", "2147483648" },
    { "last_exit_signal", "-2147483648", "-2147483649" },
    { "last_state_change", "0", "null" },
    { "current_restart_delay_ms", "18446744073709551615", "99999999999999999999999999999999999999999" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint bad = 0; bad < 2; bad++) {
      const char *value = bad ? rows[i].bad : rows[i].good;
      g_autofree char *members = g_strdup_printf ("\"%s\": %s, ", rows[i].field, value);
      g_autofree char *written = g_strdup_printf ("\"%s\": %s", rows[i].field, value);
      g_autoptr (GString) service = g_string_new (", " SERVICE);
      g_autofree char *text = NULL;
      g_autofree char *printed = NULL;
      g_autofree char *own = g_strdup_printf (", \"%s\": ", rows[i].field);
      char *at = strstr (service->str, own);

      /* The field's usual value makes way. */
      if (at != NULL)
        g_string_erase (service, at - service->str,
                        (gssize)(strlen (own) + strcspn (at + strlen (own), ",")));
      g_string_erase (service, 0, 2);
      g_string_prepend (service, members);
      text = state_text (service->str);
      printed = canonical (FALSE, text, strlen (text), NULL);
      if (bad)
        g_assert_null (printed);
      else
        g_assert_nonnull (strstr (printed, written));
    }
  }
}

static void
test_canonical_bytes (void)
{
  static const char text[] =
      "{\"socket_path\":\"/s\",\"config_dir\":\"/\\u00e4\\/\",\"x\":[],\"services\":{\"b\":{" SERVICE
      ",\"pid\":12,\"config\":{\"logging\":{},\"dependencies\":{\"wants\":[],\"after\":[\"x\",\"y\"]},"
      "\"zzz\":1,\"service\":{\"env\":{\"B\":\"1\",\"A\":\"2\",\"B\":\"3\"},\"exec\":\"e\",\"name\":\"b\","
      "\"user\":\"u\"},\"health\":null}},\"B\":{" SERVICE ",\"config\":null}},\"boot_time\":2,\"saved_at\":1,"
      "\"version\":0}";
  static const char fds_text[] =
      "{\"socket_activated\":{\"b\":-3,\"a\":4},\"services\":{\"w\":{}},\"version\":9}";
  static const char service[] = "      \"name\": \"web\",\n"
                                "      \"state\": \"running\",\n"
                                "      \"pid\": %s,\n"
                                "      \"restart_count\": 0,\n"
                                "      \"current_restart_delay_ms\": 1000,\n"
                                "      \"last_exit_code\": null,\n"
                                "      \"last_exit_signal\": null,\n"
                                "      \"started_at\": null,\n"
                                "      \"last_state_change\": 5,\n"
                                "      \"ephemeral\": false";
  g_auto (GStrv) halves = g_strsplit (service, "%s", 2);
  g_autofree char *expected = g_strconcat (
      "{\n  \"version\": 0,\n  \"saved_at\": 1,\n  \"boot_time\": 2,\n  \"services\": {\n    \"B\": {\n",
      halves[0], "null", halves[1], "\n    },\n    \"b\": {\n", halves[0], "12", halves[1],
      ",\n      \"config\": {\n        \"service\": {\n          \"name\": \"b\",\n          \"exec\": "
      "\"e\",\n"
      "          \"env\": {\n            \"A\": \"2\",\n            \"B\": \"3\"\n          }\n        },\n"
      "        \"dependencies\": {\n          \"after\": [\n            \"x\",\n            \"y\"\n          "
      "],\n"
      "          \"wants\": []\n        },\n        \"health\": null,\n        \"logging\": {}\n      }\n"
      "    }\n  },\n  \"config_dir\": \"/ä/\",\n  \"socket_path\": \"/s\"\n}\n",
      NULL);
  g_autofree char *printed = canonical (FALSE, text, strlen (text), NULL);
  g_autofree char *fds = canonical (TRUE, fds_text, strlen (fds_text), NULL);

  g_assert_cmpstr (printed, ==, expected);
  g_assert_cmpstr (fds, ==,
                   "{\n  \"version\": 9,\n  \"rpc_socket\": null,\n  \"services\": {\n    \"w\": {\n"
                   "      \"stdout_pipe\": null,\n      \"stderr_pipe\": null\n    }\n  },\n"
                   "  \"socket_activated\": {\n    \"a\": 4,\n    \"b\": -3\n  }\n}\n");
}

static void
test_strings (void)
{
  static const char *const escapes[] = {
    ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r",
  };

  for (guint byte = 1; byte < 0x80; byte++) {
    g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
    g_autoptr (ZinitSavedState) again = NULL;
    g_autofree char *form = NULL;
    g_autofree char *expected = NULL;
    g_autofree char *printed = NULL;

    if (byte < G_N_ELEMENTS (escapes) && escapes[byte] != NULL)
      form = g_strdup (escapes[byte]);
    else if (byte < 0x20)
      form = g_strdup_printf ("\\u%04x", byte);
    else
      form = g_strdup_printf ("%s%c", byte == '"' || byte == '\\' ? "\\" : "", (char)byte);
    expected = g_strdup_printf ("\"config_dir\": \"a%sb\"", form);
    g_free (state->config_dir);
    state->config_dir = g_strdup_printf ("a%cb", (char)byte);
    printed = zinit_saved_state_print (state, NULL);
    g_assert_nonnull (strstr (printed, expected));
    again = parse_good (printed);
    g_assert_cmpstr (again->config_dir, ==, state->config_dir);
  }
}

/* Of equal names in a map the last one counts; the first has to be right as well. */
static void
test_names_twice (void)
{
  static const char text[] =
      "{\"version\": 1, \"saved_at\": 7, \"boot_time\": 6, \"services\": {\"a\": {" SERVICE ", \"pid\": %s}, "
      "\"b\": {" SERVICE "}, \"\\u0061\": {" SERVICE "}}, \"config_dir\": \"/c\", \"socket_path\": \"/s\"}";
  g_auto (GStrv) halves = g_strsplit (text, "%s", 2);
  g_autofree char *good = g_strjoin ("7", halves[0], halves[1], NULL);
  g_autofree char *bad = g_strjoin ("-7", halves[0], halves[1], NULL);
  g_autoptr (ZinitSavedState) state = parse_good (good);
  const ZinitSavedService *service = g_tree_lookup (state->services, "a");

  g_assert_cmpint (g_tree_nnodes (state->services), ==, 2);
  g_assert_false (service->has_pid);
  assert_refused (bad, "services.a.pid: -7 is given; a number from 0 to 4294967295 is allowed");
}

/* A path may be any bytes, the file has to be UTF-8. */
static void
test_not_utf8 (void)
{
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  g_autoptr (ZinitSavedState) again = NULL;
  g_autofree char *printed = NULL;

  g_free (state->config_dir);
  state->config_dir = g_strdup ("/\xff\n");
  printed = zinit_saved_state_print (state, NULL);
  again = parse_good (printed);
  g_assert_cmpstr (again->config_dir, ==, "/\xef\xbf\xbd\n");
}

static void
test_rules (void)
{
  static const struct {
    guint32 version;
    guint64 saved_at, now;
    const char *message;
  } rows[] = {
    { 0, 1000000, 1000000, NULL },
    { 1, 1000000, 1000001, NULL },
    { 1, 1000000, 1300000, NULL },
    { 1, 1000000, 1300001, "saved_at: 300001 ms old; at most 300000 ms are allowed" },
    { 1, 0, G_MAXUINT64, "saved_at: 18446744073709551615 ms old; at most 300000 ms are allowed" },
    { 1, 1000001, 1000000, NULL },
    { 1, G_MAXUINT64, 0, NULL },
    { 2, 1000000, 1000000, "version: 2 is not known; at most 1 is allowed" },
    { G_MAXUINT32, 0, 1000000, "version: 4294967295 is not known; at most 1 is allowed" },
  };
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    state->version = rows[i].version;
    state->saved_at = rows[i].saved_at;
    g_assert_cmpint (zinit_saved_state_check (state, rows[i].now, &error), ==, rows[i].message == NULL);
    g_assert_cmpstr (error != NULL ? error->message : NULL, ==, rows[i].message);
    fds->version = rows[i].version;
    g_assert_cmpint (zinit_saved_fds_check (fds, NULL), ==, rows[i].version <= 1);
  }
}

static void
test_restored (void)
{
  static const struct {
    ZinitState saved, without;
  } rows[] = {
    { ZINIT_STATE_INACTIVE, ZINIT_STATE_INACTIVE }, { ZINIT_STATE_BLOCKED, ZINIT_STATE_BLOCKED },
    { ZINIT_STATE_STARTING, ZINIT_STATE_INACTIVE }, { ZINIT_STATE_RUNNING, ZINIT_STATE_EXITED },
    { ZINIT_STATE_STOPPING, ZINIT_STATE_EXITED },   { ZINIT_STATE_EXITED, ZINIT_STATE_EXITED },
    { ZINIT_STATE_FAILED, ZINIT_STATE_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpint (zinit_saved_state_restored (rows[i].saved, TRUE), ==, rows[i].saved);
    g_assert_cmpint (zinit_saved_state_restored (rows[i].saved, FALSE), ==, rows[i].without);
  }
}

/* What the format skips may be of any depth; nothing here may use the stack for it. */
static void
test_depth (void)
{
  g_autofree char *deep = g_strnfill (300000, '[');
  g_autofree char *open = NULL;
  g_autofree char *service = NULL;
  g_autofree char *text = NULL;
  g_autoptr (ZinitSavedState) state = NULL;

  memset (deep + 150000, ']', 150000);
  service = g_strconcat (SERVICE ", \"x\": ", deep, NULL);
  text = state_text (service);
  state = parse_good (text);
  open = g_strndup (deep, 150000);
  g_free (service);
  service = g_strconcat (SERVICE ", \"x\": ", open, NULL);
  g_free (text);
  text = state_text (service);
  g_assert_null (parse (text, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/state-format/vectors", test_vectors);
  g_test_add_func ("/state-format/refusals", test_refusals);
  g_test_add_func ("/state-format/numbers", test_numbers);
  g_test_add_func ("/state-format/canonical-bytes", test_canonical_bytes);
  g_test_add_func ("/state-format/strings", test_strings);
  g_test_add_func ("/state-format/names-twice", test_names_twice);
  g_test_add_func ("/state-format/not-utf8", test_not_utf8);
  g_test_add_func ("/state-format/rules", test_rules);
  g_test_add_func ("/state-format/restored", test_restored);
  g_test_add_func ("/state-format/depth", test_depth);
  return g_test_run ();
}
