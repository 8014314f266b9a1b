/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service carries in state.json beyond its plain fields: its definition, read as the format's first
 * reader does and carried through unchanged, and zinit's own extra fields, of which none may cost the
 * document.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "config/format.h"
#include "config/strict-json.h"
#include "model/error.h"
#include "persist/state-format.h"

static guint n_warnings;

/* Warnings are expected here, and counted. */
static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & G_LOG_LEVEL_MASK) != G_LOG_LEVEL_WARNING)
    return g_log_writer_default (level, fields, n_fields, data);
  n_warnings++;
  return G_LOG_WRITER_HANDLED;
}

/* A state document with one service "web", whose last members are @members. */
static ZinitSavedState *
parse (const char *members, ZinitExtras extras, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "{\"version\": 1, \"saved_at\": 7, \"boot_time\": 6, \"services\": {\"web\": {\"name\": \"web\", "
      "\"state\": \"running\", \"restart_count\": 0, \"current_restart_delay_ms\": 1000, "
      "\"last_state_change\": 5, \"ephemeral\": true, %s}}, \"config_dir\": \"/c\", \"socket_path\": \"/s\"}",
      members);

  return zinit_saved_state_parse (text, strlen (text), extras, error);
}

static ZinitSavedService *
web_of (const ZinitSavedState *state)
{
  return g_tree_lookup (state->services, "web");
}

#define MINIMAL "\"service\": {\"name\": \"w\", \"exec\": \"x\"}"

static void
test_refused (void)
{
  static const struct {
    const char *config, *message;
  } rows[] = {
    { "", "services.web.config.service: missing; it has to be given" },
    { "\"service\": {}", "services.web.config.service.name: missing; it has to be given" },
    { "\"service\": {\"name\": \"w\"}", "services.web.config.service.exec: missing; it has to be given" },
    { "\"service\": null", "services.web.config.service: null is given; an object is allowed" },
    { MINIMAL ", " MINIMAL, "services.web.config.service: given twice; it is allowed once" },
    { "\"service\": {\"exec\": \"x\", \"exec\": \"x\"}",
      "services.web.config.service.exec: given twice; it is allowed once" },
    { "\"service\": {\"exec\": null}",
      "services.web.config.service.exec: null is given; a string is allowed" },
    { "\"service\": {\"oneshot\": 1}",
      "services.web.config.service.oneshot: a number is given; true and false are allowed" },
    { "\"service\": {\"status\": \"Start\"}",
      "services.web.config.service.status: \"Start\" is given; start, stop, ignore are allowed" },
    { "\"service\": {\"env\": {\"A\": 1}}",
      "services.web.config.service.env.A: a number is given; a string is allowed" },
    { "\"service\": {\"env\": {\"A\": null, \"A\": \"1\"}}",
      "services.web.config.service.env.A: null is given; a string is allowed" },
    { MINIMAL ", \"dependencies\": {\"after\": null}",
      "services.web.config.dependencies.after: null is given; a list of strings is allowed" },
    { MINIMAL ", \"dependencies\": {\"wants\": [\"a\", 1]}",
      "services.web.config.dependencies.wants: a number is given; a string is allowed" },
    { MINIMAL ", \"lifecycle\": {\"max_restarts\": 4294967296}",
      "services.web.config.lifecycle.max_restarts: 4294967296 is given; a number from 0 to 4294967295 is "
      "allowed" },
    { MINIMAL ", \"lifecycle\": {\"stop_signal\": 15}",
      "services.web.config.lifecycle.stop_signal: a number is given; a string is allowed" },
    { MINIMAL ", \"health\": {}", "services.web.config.health.type: missing; it has to be given" },
    { MINIMAL ", \"health\": []", "services.web.config.health: an array is given; an object is allowed" },
    { MINIMAL ", \"health\": {\"type\": \"none\"}",
      "services.web.config.health.type: \"none\" is given; tcp, http, exec are allowed" },
    { MINIMAL ", \"health\": {\"type\": \"tcp\", \"type\": \"tcp\"}",
      "services.web.config.health.type: given twice; it is allowed once" },
    { MINIMAL ", \"logging\": {\"buffer_lines\": -1}",
      "services.web.config.logging.buffer_lines: -1 is given; a number from 0 to 18446744073709551615 is "
      "allowed" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *members = g_strdup_printf ("\"config\": {%s}", rows[i].config);
    g_autoptr (GError) error = NULL;

    g_assert_null (parse (members, ZINIT_EXTRAS_SKIP, &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
    g_assert_cmpstr (error->message, ==, rows[i].message);
  }
}

/* What is no JSON is told with the innermost field that it is in, be it read or passed over. */
static void
test_no_json (void)
{
  static const struct {
    const char *config, *field;
  } rows[] = {
    { MINIMAL ", \"dependencies\": {\"after\": [\"a\" \"b\"]}", "dependencies.after" },
    { MINIMAL ", \"dependencies\": {\"zzz\": [01]}", "dependencies.zzz" },
    { MINIMAL ", \"zzz\": 01", "zzz" },
    { "\"service\": {\"env\": {\"A\": \"1\" \"B\": \"2\"}}", "service.env" },
    { "\"service\": {\"env\": {\"\\u0000\": \"1\"}}", "service.env" },
    { MINIMAL ", \"health\": {\"type\": \"tcp\",}", "health" },
    { MINIMAL ", \"health\": {\"type\": \"tcp\", \"x\": [1,]}", "health.x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *members = g_strdup_printf ("\"config\": {%s}", rows[i].config);
    g_autofree char *beginning = g_strdup_printf ("services.web.config.%s: 1:", rows[i].field);
    g_autoptr (GError) error = NULL;

    g_assert_null (parse (members, ZINIT_EXTRAS_SKIP, &error));
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, beginning));
  }
}

/* A health check is not known to the last field, so all of it comes back: numbers by their digits too. */
static void
test_health (void)
{
  static const char expected[] = "\"health\": {\n"
                                 "          \"a\": {\n            \"b\": [\n              1.50e3,\n"
                                 "              18446744073709551615\n            ]\n          },\n"
                                 "          \"type\": \"exec\"\n        }";
  g_autoptr (ZinitSavedState) state =
      parse ("\"config\": {" MINIMAL ", \"health\": {\"t\\u0079pe\": \"exec\", \"a\": {\"b\": [1.50e3, "
             "18446744073709551615]}}}",
             ZINIT_EXTRAS_SKIP, NULL);

  g_assert_nonnull (strstr (web_of (state)->config, expected));
}

/* The format's first reader gives up at 128 containers around each other: 4 are around the health check. */
static void
test_health_depth (void)
{
  for (guint depth = 122; depth <= 123; depth++) {
    g_autofree char *open = g_strnfill (depth, '[');
    g_autofree char *close = g_strnfill (depth, ']');
    g_autofree char *members = g_strdup_printf (
        "\"config\": {" MINIMAL ", \"health\": {\"type\": \"tcp\", \"x\": %s%s}}", open, close);
    g_autoptr (GError) error = NULL;
    g_autoptr (ZinitSavedState) state = parse (members, ZINIT_EXTRAS_SKIP, &error);

    g_assert_cmpint (state != NULL, ==, depth == 122);
    if (state == NULL)
      g_assert_true (g_str_has_prefix (error->message, "services.web.config.health.x: "));
  }
}

/* user is an option of zinit's that the format does not have; nobody has the others. */
static void
test_own_options (void)
{
  static const char members[] = "\"config\": {\"service\": {\"user\": \"u\", \"name\": \"w\", \"zzz\": 1, "
                                "\"exec\": \"x\"}, \"zzz\": {}}";
  g_autoptr (ZinitSavedState) kept = parse (members, ZINIT_EXTRAS_READ, NULL);
  g_autoptr (ZinitSavedState) skipped = parse (members, ZINIT_EXTRAS_SKIP, NULL);
  g_autoptr (ZinitSavedState) broken = NULL;

  g_assert_cmpstr (web_of (kept)->config, ==,
                   "{\n        \"service\": {\n          \"name\": \"w\",\n          \"exec\": \"x\",\n"
                   "          \"user\": \"u\"\n        }\n      }");
  g_assert_null (strstr (web_of (skipped)->config, "user"));
  n_warnings = 0;
  broken = parse ("\"config\": {\"service\": {\"name\": \"w\", \"exec\": \"x\", \"user\": \"\\ud800\"}}",
                  ZINIT_EXTRAS_READ, NULL);
  g_assert_nonnull (broken);
  g_assert_null (strstr (web_of (broken)->config, "user"));
  g_assert_cmpuint (n_warnings, ==, 1);
}

/* The format has no section of that name: who reads no more than the format passes over whatever it is. */
static void
test_own_section (void)
{
  static const char members[] = "\"config\": {" MINIMAL ", \"limits\": {\"nofile\": \"7\"}}";
  static const char foreign[] = "\"config\": {" MINIMAL ", \"limits\": 7}";
  g_autoptr (ZinitSavedState) kept = parse (members, ZINIT_EXTRAS_READ, NULL);
  g_autoptr (ZinitSavedState) skipped = parse (members, ZINIT_EXTRAS_SKIP, NULL);
  g_autoptr (ZinitSavedState) passed_over = parse (foreign, ZINIT_EXTRAS_SKIP, NULL);

  g_assert_nonnull (strstr (web_of (kept)->config, "\"nofile\": \"7\""));
  g_assert_null (strstr (web_of (skipped)->config, "limits"));
  g_assert_null (strstr (web_of (passed_over)->config, "limits"));
}

/* From a definition to the file and back. */
static void
test_definition (void)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (ZinitDefinition) again = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) read = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *config = NULL;
  g_autofree char *members = NULL;
  g_autoptr (ZinitSavedState) state = NULL;

  definition->name = g_strdup ("web");
  definition->exec = g_strdup ("/bin/web \"ä\" \x1f");
  definition->user = g_strdup ("nobody");
  definition->env = g_strsplit ("A=1 B=", " ", -1);
  definition->after = g_strsplit ("z a", " ", -1);
  definition->restart_delay_max_ms = (guint64)1 << 53;
  definition->health_type = ZINIT_HEALTH_TCP;
  definition->health_address = g_strdup ("127.0.0.1:80");
  node = zinit_definition_to_json (definition);
  config = zinit_saved_config_from_json (node, &error);
  g_assert_no_error (error);
  members = g_strconcat ("\"config\": ", config, NULL);
  state = parse (members, ZINIT_EXTRAS_READ, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (web_of (state)->config, ==, config);
  read = zinit_strict_json_parse (config, strlen (config), &error);
  g_assert_no_error (error);
  again = zinit_definition_from_json (read, NULL, ZINIT_KEYS_LAX, &error);
  g_assert_no_error (error);
  g_assert_true (zinit_definition_equal (again, definition));
}

static void
test_definition_refused (void)
{
  g_autoptr (JsonNode) node = zinit_strict_json_parse ("{\"service\": {\"name\": \"w\"}}", 26, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (zinit_saved_config_from_json (node, &error));
  g_assert_cmpstr (error->message, ==, "service.exec: missing; it has to be given");
}

static void
test_extras (void)
{
  for (guint i = 0; i < 2 * ZINIT_N_FAILURES; i++) {
    g_autoptr (ZinitSavedState) state = parse ("\"pid\": 1", ZINIT_EXTRAS_READ, NULL);
    g_autoptr (ZinitSavedState) again = NULL;
    g_autoptr (ZinitSavedState) skipped = NULL;
    g_autofree char *printed = NULL;
    g_autofree char *plain = zinit_saved_state_print (state, NULL);
    g_autofree char *plain_again = NULL;
    g_autofree char *printed_again = NULL;
    ZinitStateExtensions *extra = zinit_state_extensions_new ();

    g_assert_null (web_of (state)->extra);
    web_of (state)->extra = extra;
    state->boot_id = g_strdup ("boot \"1\"");
    state->init_start_ticks = 17;
    extra->failure.type = (ZinitFailureType)(i % ZINIT_N_FAILURES);
    if (zinit_failure_field_is_text (extra->failure.type))
      extra->failure.text = g_strdup ("text\n");
    else if (zinit_failure_field_name (extra->failure.type) != NULL)
      extra->failure.number = i % 2 ? G_MININT32 : G_MAXINT32;
    extra->pid_start_ticks = G_MAXINT64;
    extra->definition_hash = i + 1;
    extra->definition = i % 2 ? g_strdup ("{\"service\": {\"name\": \"web\"}}") : NULL;
    extra->wanted_status = (int)(i % (ZINIT_N_WANTED + 1)) - 1;
    extra->clock = i % ZINIT_N_SAVED_CLOCKS;
    extra->deadline_at = 1700000000000;
    extra->exit_unknown = i % 2;
    extra->main_ended = extra->remove_when_down = i % 3 == 0;
    extra->stop_due = extra->comes_back = i % 5 == 0;
    extra->stop_asked = extra->start_after = i % 5 == 1;
    extra->start_timed_out = extra->kill_needed = i % 5 == 2;
    printed = zinit_saved_state_print (state, NULL);
    again = zinit_saved_state_parse (printed, strlen (printed), ZINIT_EXTRAS_READ, NULL);
    g_assert_cmpstr (again->boot_id, ==, state->boot_id);
    g_assert_cmpuint (again->init_start_ticks, ==, 17);
    printed_again = zinit_saved_state_print (again, NULL);
    g_assert_cmpstr (printed_again, ==, printed);
    /* Who does not know them reads what there would be without them. */
    skipped = zinit_saved_state_parse (printed, strlen (printed), ZINIT_EXTRAS_SKIP, NULL);
    plain_again = zinit_saved_state_print (skipped, NULL);
    g_assert_cmpstr (plain_again, ==, plain);
  }
}

static void
test_bad_extras (void)
{
  static const char *const members[] = {
    "\"pid_start_ticks\": -1",
    "\"pid_start_ticks\": 1.0",
    "\"pid_start_ticks\": \"1\"",
    "\"wanted_status\": \"up\"",
    "\"wanted_status\": null",
    "\"failure_reason\": {}",
    "\"failure_reason\": []",
    "\"failure_reason\": {\"type\": \"exit_code\"}",
    "\"failure_reason\": {\"type\": \"exit_code\", \"code\": 2147483648}",
    "\"failure_reason\": {\"type\": \"spawn_error\", \"message\": 1}",
    "\"failure_reason\": {\"type\": \"x\", \"type\": \"x\"}",
    "\"clock\": \"sundial\"",
    "\"deadline_at\": 18446744073709551615",
    "\"deadline_at\": 1e999",
    "\"stop_asked\": 1",
    "\"comes_back\": \"\\ud800\"",
    "\"file\": \"\\ud800\"",
    "\"file\": \"a\\u0000b\"",
    "\"clock\": \"\\ud800\"",
    "\"definition\": []",
    "\"pending_definition\": \"{}\"",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ZinitSavedState) state = NULL;
    g_autofree char *printed = NULL;
    g_autofree char *expected = NULL;

    n_warnings = 0;
    state = parse (members[i], ZINIT_EXTRAS_READ, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (n_warnings, ==, 1);
    printed = zinit_saved_state_print (state, NULL);
    zinit_state_extensions_free (web_of (state)->extra);
    web_of (state)->extra = zinit_state_extensions_new ();
    expected = zinit_saved_state_print (state, NULL);
    g_assert_cmpstr (printed, ==, expected);
  }
}

static void
test_bad_origin (void)
{
  static const char text[] = "{\"version\": 1, \"saved_at\": 7, \"boot_time\": 6, \"services\": {}, "
                             "\"config_dir\": \"/c\", \"socket_path\": \"/s\", \"boot_id\": 7, "
                             "\"init_start_ticks\": -1}";
  g_autoptr (ZinitSavedState) state = NULL;

  n_warnings = 0;
  state = zinit_saved_state_parse (text, strlen (text), ZINIT_EXTRAS_READ, NULL);
  g_assert_nonnull (state);
  g_assert_null (state->boot_id);
  g_assert_cmpuint (state->init_start_ticks, ==, 0);
  g_assert_cmpuint (n_warnings, ==, 2);
}

/* A malformed field costs time by its own length, not by its place in the document, or this takes minutes. */
static void
test_many_bad_extras (void)
{
  g_autoptr (GString) members = g_string_new ("\"pid\": 1");
  g_autoptr (ZinitSavedState) state = NULL;

  for (guint i = 0; i < 100000; i++)
    g_string_append (members, ",\n\"file\": \"\\ud800\"");
  n_warnings = 0;
  state = parse (members->str, ZINIT_EXTRAS_READ, NULL);
  g_assert_nonnull (state);
  g_assert_cmpuint (n_warnings, ==, 100000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  g_test_add_func ("/saved-config/refused", test_refused);
  g_test_add_func ("/saved-config/no-json", test_no_json);
  g_test_add_func ("/saved-config/health", test_health);
  g_test_add_func ("/saved-config/health-depth", test_health_depth);
  g_test_add_func ("/saved-config/own-options", test_own_options);
  g_test_add_func ("/saved-config/own-section", test_own_section);
  g_test_add_func ("/saved-config/definition", test_definition);
  g_test_add_func ("/saved-config/definition-refused", test_definition_refused);
  g_test_add_func ("/saved-config/extras", test_extras);
  g_test_add_func ("/saved-config/bad-extras", test_bad_extras);
  g_test_add_func ("/saved-config/many-bad-extras", test_many_bad_extras);
  g_test_add_func ("/saved-config/bad-origin", test_bad_origin);
  return g_test_run ();
}
