/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions as JSON: in files, where every key has to be known, and in state files, where that of other
 * versions is passed over.
 */
#include "config/format.h"
#include "config/strict-json.h"
#include "model/error.h"
#include "model/limits.h"

#include <string.h>

static guint n_warnings;
static char *last_warning;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (!(level & G_LOG_LEVEL_WARNING))
    return g_log_writer_default (level, fields, n_fields, data);
  n_warnings++;
  for (gsize i = 0; i < n_fields; i++) {
    if (strcmp (fields[i].key, "MESSAGE") == 0) {
      g_free (last_warning);
      last_warning = g_strdup (fields[i].value);
    }
  }
  return G_LOG_WRITER_HANDLED;
}

static ZinitDefinition *
read_as (const char *text, ZinitKeyRule rule, GError **error)
{
  g_autoptr (JsonNode) node = zinit_strict_json_parse (text, strlen (text), error);

  return node != NULL ? zinit_definition_from_json (node, NULL, rule, error) : NULL;
}

static void
refuse (const char *text, ZinitKeyRule rule, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_as (text, rule, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
}

#define COMPLETE                                                                                             \
  "{\"service\":{\"name\":\"web\",\"exec\":\"/usr/bin/web --port 80\",\"dir\":\"/srv\",\"oneshot\":false,"   \
  "\"env\":{\"A\":\"1\",\"B\":\"zwei\"},\"inherit_env\":true,\"status\":\"stop\",\"class\":\"user\","        \
  "\"critical\":false,"                                                                                      \
  "\"no_new_privs\":false},"                                                                                 \
  "\"dependencies\":{\"after\":[\"net\",\"log\"],\"requires\":[\"db\"],\"wants\":[],\"conflicts\":[\"old\"]" \
  "},"                                                                                                       \
  "\"lifecycle\":{\"restart\":\"on-failure\",\"restart_delay_ms\":1000,\"restart_delay_max_ms\":300000,"     \
  "\"max_restarts\":10,\"stability_period_ms\":10000,\"start_timeout_ms\":30000,"                            \
  "\"watchdog_ms\":0,\"stop_timeout_ms\":9007199254740992,\"stop_signal\":\"SIGTERM\",\"kill_mode\":"        \
  "\"tree\"},"

static void
test_complete (void)
{
  static const char plain[] = COMPLETE "\"logging\":{\"buffer_lines\":1000}}";
  static const char checked[] = COMPLETE
      "\"health\":{\"type\":\"http\",\"url\":\"http://h/\",\"interval_ms\":10000,"
      "\"timeout_ms\":5000,\"retries\":3,\"start_period_ms\":0},\"logging\":{\"buffer_lines\":1000}}";
  const char *const texts[] = { plain, checked };

  /* Written in full and in the order of the table, so the text itself comes back. */
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ZinitDefinition) definition = read_as (texts[i], ZINIT_KEYS_STRICT, &error);
    g_autoptr (JsonNode) node = NULL;
    g_autofree char *written = NULL;

    g_assert_no_error (error);
    node = zinit_definition_to_json (definition);
    written = json_to_string (node, FALSE);
    g_assert_cmpstr (written, ==, texts[i]);
  }
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition =
      read_as ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"}}", ZINIT_KEYS_LAX, &error);
  g_autoptr (ZinitDefinition) expected = zinit_definition_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (ZinitDefinition) back = NULL;

  g_assert_no_error (error);
  expected->name = g_strdup ("w");
  expected->exec = g_strdup ("x");
  g_assert_true (zinit_definition_equal (definition, expected));
  node = zinit_definition_to_json (definition);
  g_assert_true (json_object_has_member (json_node_get_object (node), "logging"));
  g_assert_false (json_object_has_member (json_node_get_object (node), "health"));
  back = zinit_definition_from_json (node, NULL, ZINIT_KEYS_STRICT, &error);
  g_assert_no_error (error);
  g_assert_true (zinit_definition_equal (definition, back));
}

static void
test_null (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition =
      read_as ("{\"service\":{\"name\":\"w\",\"exec\":\"x\",\"dir\":null,\"user\":null},\"health\":null}",
               ZINIT_KEYS_STRICT, &error);

  g_assert_no_error (error);
  g_assert_null (definition->dir);
  g_assert_cmpint (definition->health_type, ==, ZINIT_HEALTH_NONE);

  /* The specification takes null for nothing else. */
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":null}}", ZINIT_KEYS_LAX, "service.exec: null was given");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"dependencies\":null}", ZINIT_KEYS_LAX,
          "dependencies: null was given; a section with keys is wanted");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"lifecycle\":{\"max_restarts\":null}}",
          ZINIT_KEYS_LAX, "lifecycle.max_restarts: null was given");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\",\"env\":{\"A\":null}}}", ZINIT_KEYS_LAX,
          "service.env: \"A\": null was given");
}

static void
test_lax (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition = NULL;

  n_warnings = 0;
  definition = read_as ("{\"service\":{\"name\":\"w\",\"exec\":\"x\",\"ports\":[80]},\"future\":{\"a\":1},"
                        "\"more\":3}",
                        ZINIT_KEYS_LAX, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (definition->exec, ==, "x");
  g_assert_cmpuint (n_warnings, ==, 3);
  g_assert_nonnull (strstr (last_warning, "\"more\""));

  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\",\"ports\":[80]}}", ZINIT_KEYS_STRICT, "\"ports\"");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"future\":{}}", ZINIT_KEYS_STRICT, "\"future\"");
}

/* A check that another version understands must not cost the service. */
static void
test_lax_health (void)
{
  static const char foreign[] =
      "{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"health\":{\"type\":\"tcp\",\"target\":\"h:80\"}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition = NULL;

  n_warnings = 0;
  definition = read_as (foreign, ZINIT_KEYS_LAX, &error);
  g_assert_no_error (error);
  g_assert_cmpint (definition->health_type, ==, ZINIT_HEALTH_NONE);
  g_assert_cmpuint (n_warnings, ==, 2);
  g_assert_nonnull (strstr (last_warning, "the health check of w is ignored"));

  refuse (foreign, ZINIT_KEYS_STRICT, "\"target\"");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"health\":{\"type\":\"icmp\"}}", ZINIT_KEYS_LAX,
          "one of \"tcp\", \"http\", \"exec\" is wanted");
}

/* The format allows every number of 64 bits, and any two delays beside each other. */
static void
test_lax_numbers (void)
{
  static const char foreign[] =
      "{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"lifecycle\":{\"restart_delay_ms\":0,"
      "\"restart_delay_max_ms\":1,\"stop_timeout_ms\":9223372036854775807},\"logging\":{\"buffer_lines\":"
      "5000000}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition = NULL;

  n_warnings = 0;
  definition = read_as (foreign, ZINIT_KEYS_LAX, &error);
  g_assert_no_error (error);
  /* What is too small is mostly 0 and means "none", to which nothing is near. */
  g_assert_cmpuint (definition->restart_delay_ms, ==, 1000);
  g_assert_cmpuint (definition->restart_delay_max_ms, ==, 1000);
  g_assert_cmpuint (definition->stop_timeout_ms, ==, ZINIT_MAX_DELAY_MS);
  g_assert_cmpuint (definition->buffer_lines, ==, ZINIT_MAX_BUFFER_LINES);
  g_assert_cmpuint (n_warnings, ==, 4);

  refuse (foreign, ZINIT_KEYS_STRICT, "lifecycle.restart_delay_ms: 0 was given");
}

/* A key of ours may be known to another version with another meaning. */
static void
test_lax_health_values (void)
{
  static const char *const foreign[] = {
    "\"type\":\"exec\",\"command\":[\"a\",\"b\"]",
    "\"type\":\"http\",\"url\":\"no address\"",
    "\"type\":\"tcp\",\"address\":{\"host\":\"h\"},\"interval_ms\":1.5",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++) {
    g_autofree char *text =
        g_strdup_printf ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"health\":{%s}}", foreign[i]);
    g_autoptr (GError) error = NULL;
    g_autoptr (ZinitDefinition) definition = read_as (text, ZINIT_KEYS_LAX, &error);

    g_assert_no_error (error);
    g_assert_cmpint (definition->health_type, ==, ZINIT_HEALTH_NONE);
    refuse (text, ZINIT_KEYS_STRICT, "health.");
  }
}

static void
test_mistakes (void)
{
  refuse ("[]", ZINIT_KEYS_STRICT, "a list was given; an object");
  refuse ("3", ZINIT_KEYS_STRICT, "an object with the sections");
  refuse ("{}", ZINIT_KEYS_LAX, "service.name: is missing");
  refuse ("{\"service\":{\"exec\":\"x\"}}", ZINIT_KEYS_LAX, "service.name: is missing");
  refuse ("{\"service\":[]}", ZINIT_KEYS_LAX, "service: a list was given");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\"},\"dependencies\":{\"after\":\"net\"}}",
          ZINIT_KEYS_LAX, "dependencies.after: a string was given; a list");
  refuse ("{\"service\":{\"name\":\"w\",\"exec\":\"x\",\"env\":{\"PORT\":80}}}", ZINIT_KEYS_LAX,
          "\"PORT\": a number was given; a string is wanted");
  refuse ("{\"lifecycle\":{\"restart\":\"on_failure\"}}", ZINIT_KEYS_LAX, "\"on_failure\" was given");
  refuse ("{\"lifecycle\":{\"max_restarts\":7.0}}", ZINIT_KEYS_LAX, "a fraction or exponent was given");
  refuse ("{\"lifecycle\":{\"max_restarts\":-1}}", ZINIT_KEYS_LAX, "-1 was given");
  refuse ("{\"lifecycle\":{\"max_restarts\":-9223372036854775808}}", ZINIT_KEYS_LAX,
          "-9223372036854775808 was given");
  refuse ("{\"lifecycle\":{\"max_restarts\":true}}", ZINIT_KEYS_LAX, "true was given");
}

static void
test_positions (void)
{
  static const struct {
    const char *text;
    const char *message;
  } rows[] = {
    { "{\n \"service\": {\n  \"exec\": 3}}",
      "3:11: service.exec: a number was given; a string or a list of strings is wanted" },
    { "{\"service\": {\"name\": \"w\",\n \"exec\": \"x\", \"env\": {\"A\": 1}}}",
      "2:28: service.env: \"A\": a number was given; a string is wanted" },
    { "{\"dependencies\": {\"after\": [\"ä\"]}}", "1:28: dependencies.after: item 1: byte 1" },
    { "{\"dependencies\": {\"after\": [\"a\",\n [1]]}}",
      "2:2: dependencies.after: item 2: a list was given" },
    { "{\"service\": {\"name\": \"w\"}}", "1:13: service.exec: is missing" },
    { "{\"lifecycle\": 3}", "1:15: lifecycle: a number was given" },
    { "[1]", "1:1: a list was given; an object with the sections of a definition is wanted" },
    { "{}", "service.exec: is missing" },
    { "{\"service\":", "1:12: " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) problems = zinit_problems_new ();
    g_autoptr (GError) error = NULL;

    g_assert_null (
        zinit_definition_parse (rows[i].text, strlen (rows[i].text), TRUE, "stem", NULL, problems));
    zinit_problems_to_error (problems, &error);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, rows[i].message));
  }
}

/* Every key that is unknown and every value that is wrong. */
static void
test_all_at_once (void)
{
  static const char text[] = "{\"service\": {\"aaa\": 1, \"exec\": 3, \"bbb\": 2},\n \"zzz\": {},\n"
                             " \"health\": {\"retries\": 1}}";
  static const char expected[] = "1:21: unknown key \"aaa\" in [service]; keys are ";
  g_autoptr (GPtrArray) problems = zinit_problems_new ();

  g_assert_null (zinit_definition_parse (text, strlen (text), TRUE, "stem", NULL, problems));
  g_assert_cmpuint (problems->len, ==, 5);
  {
    g_autoptr (GError) error = NULL;

    zinit_problems_to_error (problems, &error);
    g_assert_true (g_str_has_prefix (error->message, expected));
    g_assert_nonnull (strstr (error->message, "\n1:32: service.exec: a number was given"));
    g_assert_nonnull (strstr (error->message, "\n1:42: unknown key \"bbb\""));
    g_assert_nonnull (strstr (error->message, "\n2:9: unknown section \"zzz\""));
    g_assert_nonnull (strstr (error->message, "\n3:12: health.type: is missing"));
  }
}

static void
test_parse (void)
{
  static const char text[] = "{\"service\": {\"exec\": \"x\"}}";
  g_autofree char *huge = g_strnfill (ZINIT_MAX_DEFINITION_BYTES + 1, ' ');
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (text, strlen (text), TRUE, "stem", &name, problems);

  g_assert_nonnull (definition);
  g_assert_cmpuint (problems->len, ==, 0);
  g_assert_cmpstr (definition->name, ==, "stem");
  g_assert_cmpstr (name, ==, "stem");
  g_assert_null (zinit_definition_parse (huge, ZINIT_MAX_DEFINITION_BYTES + 1, TRUE, NULL, NULL, problems));
  g_assert_nonnull (strstr (((ZinitProblem *)problems->pdata[0])->message, "at most 1048576"));
}

/* What each row may be at most comes back from its JSON. */
static void
test_round_trip_of_texts (void)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (ZinitDefinition) back = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  definition->name = g_strdup ("a@b.c");
  definition->exec = g_strdup ("\"\\\n\t\001 \177 ä 😀 /");
  definition->env = g_strdupv ((char **)(const char *const[]){ "A=b=c", "Ü=", "ä b=\n", NULL });
  definition->before = g_strsplit ("z a@1", " ", -1);
  definition->binds_to = g_strsplit ("y", " ", -1);
  definition->health_type = ZINIT_HEALTH_EXEC;
  definition->health_command = g_strdup ("=");
  node = zinit_definition_to_json (definition);
  back = zinit_definition_from_json (node, "other", ZINIT_KEYS_STRICT, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (back->name, ==, "a@b.c");
  g_assert_cmpstrv (back->env, definition->env);
  g_assert_cmpstrv (back->before, definition->before);
  g_assert_cmpstrv (back->binds_to, definition->binds_to);
  g_assert_true (zinit_definition_equal (definition, back));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  g_test_add_func ("/definition-json/complete", test_complete);
  g_test_add_func ("/definition-json/defaults", test_defaults);
  g_test_add_func ("/definition-json/null", test_null);
  g_test_add_func ("/definition-json/lax", test_lax);
  g_test_add_func ("/definition-json/lax-health", test_lax_health);
  g_test_add_func ("/definition-json/lax-numbers", test_lax_numbers);
  g_test_add_func ("/definition-json/lax-health-values", test_lax_health_values);
  g_test_add_func ("/definition-json/mistakes", test_mistakes);
  g_test_add_func ("/definition-json/positions", test_positions);
  g_test_add_func ("/definition-json/all-at-once", test_all_at_once);
  g_test_add_func ("/definition-json/parse", test_parse);
  g_test_add_func ("/definition-json/round-trip-of-texts", test_round_trip_of_texts);
  result = g_test_run ();
  g_free (last_warning);
  return result;
}
