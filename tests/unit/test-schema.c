/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options, and what values may go through it.
 */
#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"

#include <signal.h>
#include <string.h>

static const ZinitValue an_exec = { .kind = ZINIT_VALUE_STRING, .string = "/bin/true" };
static const ZinitValue a_name = { .kind = ZINIT_VALUE_STRING, .string = "web" };

/* Sets "section.key" and expects success. */
static void
set (ZinitDefinition *definition, const char *section, const char *key, ZinitValue value)
{
  g_autoptr (GError) error = NULL;
  const ZinitOption *option = zinit_schema_find (section, key);

  g_assert_nonnull (option);
  zinit_schema_set (definition, option, &value, &error);
  g_assert_no_error (error);
}

/* Sets it and expects a refusal whose message holds @part and begins with "section.key: ". */
static void
refuse (const char *section, const char *key, ZinitValue value, const char *part)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (ZinitDefinition) before = zinit_definition_copy (definition);
  g_autoptr (GError) error = NULL;
  g_autofree char *prefix = g_strdup_printf ("%s.%s: ", section, key);

  g_assert_false (zinit_schema_set (definition, zinit_schema_find (section, key), &value, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
  g_test_message ("%s", error->message);
  g_assert_true (g_str_has_prefix (error->message, prefix));
  g_assert_nonnull (strstr (error->message, part));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_true (zinit_definition_equal (definition, before));
}

static ZinitValue
text (const char *string)
{
  return (ZinitValue){ .kind = ZINIT_VALUE_STRING, .string = string };
}

static ZinitValue
number (guint64 magnitude)
{
  return (ZinitValue){ .kind = ZINIT_VALUE_INTEGER, .magnitude = magnitude };
}

static ZinitValue
strings (ZinitValueKind kind, const char *const *items)
{
  return (ZinitValue){ .kind = kind, .strings = items };
}

static ZinitDefinition *
new_complete (void)
{
  ZinitDefinition *definition = zinit_definition_new ();

  set (definition, "service", "name", a_name);
  set (definition, "service", "exec", an_exec);
  return definition;
}

static void
test_table (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gsize covered = 0;

  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];

    g_assert_true (g_hash_table_add (seen, g_strconcat (option->section, ".", option->key, NULL)));
    g_assert_true (zinit_schema_find (option->section, option->key) == option);
    g_assert_true (zinit_schema_has_section (option->section));
    g_assert_cmpuint (strlen (option->help), >, 10);
    g_assert_cmpint (option->type == ZINIT_TYPE_CHOICE, ==, option->choices != NULL);
    if (option->type == ZINIT_TYPE_NUMBER) {
      g_assert_cmpuint (option->default_number, >=, option->minimum);
      g_assert_cmpuint (option->default_number, <=, option->maximum);
    }
    covered |= option->offset == 0;
  }
  /* No row lost its field: the reference count stands there. */
  g_assert_cmpuint (covered, ==, 0);
  g_assert_cmpuint (zinit_n_options, ==, 55);
  g_assert_null (zinit_schema_find ("service", "restart"));
  g_assert_null (zinit_schema_find ("nothing", "name"));
  g_assert_false (zinit_schema_has_section ("Service"));
  g_assert_cmpstr (zinit_schema_find_meant ("service", "stop_signal")->section, ==, "lifecycle");
  g_assert_cmpstr (zinit_schema_find_meant (NULL, "exec")->section, ==, "service");
  g_assert_null (zinit_schema_find_meant ("service", "nothing"));
}

static void
test_defaults (void)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();

  g_assert_null (definition->name);
  g_assert_null (definition->exec);
  g_assert_null (definition->dir);
  g_assert_null (definition->env);
  g_assert_null (definition->requires);
  g_assert_false (definition->oneshot);
  g_assert_false (definition->critical);
  g_assert_cmpint (definition->status, ==, ZINIT_WANTED_START);
  g_assert_cmpint (definition->service_class, ==, ZINIT_CLASS_USER);
  g_assert_cmpint (definition->restart, ==, ZINIT_RESTART_ALWAYS);
  g_assert_cmpuint (definition->restart_delay_ms, ==, 1000);
  g_assert_cmpuint (definition->restart_delay_max_ms, ==, 60000);
  g_assert_cmpuint (definition->max_restarts, ==, 0);
  g_assert_cmpuint (definition->stability_period_ms, ==, 10000);
  g_assert_cmpuint (definition->start_timeout_ms, ==, 30000);
  g_assert_cmpuint (definition->stop_timeout_ms, ==, 10000);
  g_assert_cmpint (definition->stop_signal, ==, SIGTERM);
  g_assert_cmpint (definition->kill_mode, ==, ZINIT_KILL_MODE_TREE);
  g_assert_cmpint (definition->health_type, ==, ZINIT_HEALTH_NONE);
  g_assert_cmpuint (definition->health_interval_ms, ==, 10000);
  g_assert_cmpuint (definition->health_timeout_ms, ==, 5000);
  g_assert_cmpuint (definition->health_retries, ==, 3);
  g_assert_cmpuint (definition->health_start_period_ms, ==, 0);
  g_assert_cmpuint (definition->buffer_lines, ==, 1000);
}

static void
test_nearest (void)
{
  static const struct {
    const char *section;
    const char *word;
    const char *nearest;
  } rows[] = {
    { "lifecycle", "restart_dely_ms", "restart_delay_ms" },
    { "lifecycle", "restart-delay-ms", "restart_delay_ms" },
    { "lifecycle", "stop_timeout", "stop_timeout_ms" },
    { "service", "exce", "exec" },
    { "service", "EXEC", "exec" },
    { "service", "xyzzy", NULL },
    { "service", "", NULL },
    { "dependencies", "require", "requires" },
    { NULL, "servise", "service" },
    { NULL, "Lifecycle", "lifecycle" },
    { NULL, "unit", NULL },
  };
  g_autofree char *longest = g_strnfill (100000, 'e');

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("%s", rows[i].word);
    g_assert_cmpstr (zinit_schema_nearest (rows[i].section, rows[i].word), ==, rows[i].nearest);
  }
  g_assert_null (zinit_schema_nearest ("service", longest));
}

static void
test_quote (void)
{
  g_autofree char *plain = zinit_schema_quote ("a b");
  g_autofree char *control = zinit_schema_quote ("a\n\033[2Jb");
  g_autofree char *broken = zinit_schema_quote ("a\xff");
  g_autofree char *long_text = g_strnfill (1000, 'x');
  g_autofree char *cut = zinit_schema_quote (long_text);
  g_autofree char *exact = g_strndup (long_text, 64);
  g_autofree char *kept = zinit_schema_quote (exact);

  g_assert_cmpstr (plain, ==, "\"a b\"");
  g_assert_cmpstr (control, ==, "\"a��[2Jb\"");
  g_assert_cmpstr (broken, ==, "\"a�\"");
  g_assert_cmpuint (strlen (cut), ==, 1 + 64 + strlen ("…\""));
  g_assert_true (g_str_has_suffix (cut, "…\""));
  g_assert_cmpuint (strlen (kept), ==, 66);
}

static void
test_wrong_types (void)
{
  const ZinitValue a_boolean = { .kind = ZINIT_VALUE_BOOLEAN, .boolean = TRUE };
  const ZinitValue other = { .kind = ZINIT_VALUE_OTHER, .type_name = "null" };
  const ZinitValue bad_item = { .kind = ZINIT_VALUE_LIST, .bad_part = "item 2", .type_name = "a number" };
  const ZinitValue bad_pair = { .kind = ZINIT_VALUE_TABLE, .bad_part = "\"PORT\"", .type_name = "a number" };

  refuse ("service", "exec", number (3), "a number was given; a string or a list of strings is wanted");
  refuse ("service", "oneshot", text ("yes"), "a string was given; true or false is wanted");
  refuse ("service", "env", strings (ZINIT_VALUE_LIST, NULL),
          "a list was given; a table of strings is wanted");
  refuse ("service", "status", a_boolean, "one of \"start\", \"stop\", \"ignore\" is wanted");
  refuse ("dependencies", "after", text ("net"), "a string was given; a list of service names is wanted");
  refuse ("lifecycle", "max_restarts", text ("5"), "a whole number from 0 to 4294967295 is wanted");
  refuse ("lifecycle", "stop_signal", a_boolean, "\"SIGTERM\" or its number from 1 to 31 is wanted");
  refuse ("logging", "buffer_lines", other, "null was given; a whole number from 0 to 1000000 lines");
  refuse ("dependencies", "wants", bad_item, "item 2: a number was given; a service's name as a string");
  refuse ("service", "env", bad_pair, "\"PORT\": a number was given; a string is wanted");
  refuse ("service", "env", bad_item, "a list was given; a table of strings is wanted");
}

static void
test_numbers (void)
{
  static const char *const from_one[] = { "restart_delay_ms", "restart_delay_max_ms", "start_timeout_ms",
                                          "stop_timeout_ms" };
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  ZinitValue negative = { .kind = ZINIT_VALUE_INTEGER, .negative = TRUE, .magnitude = 5 };

  for (guint i = 0; i < G_N_ELEMENTS (from_one); i++) {
    refuse ("lifecycle", from_one[i], number (0), "0 was given; a whole number from 1 to ");
    refuse ("lifecycle", from_one[i], number (ZINIT_MAX_DELAY_MS + 1), "9007199254740993 was given");
    set (definition, "lifecycle", from_one[i], number (1));
    set (definition, "lifecycle", from_one[i], number (ZINIT_MAX_DELAY_MS));
  }
  refuse ("health", "interval_ms", number (0), "from 1 to");
  refuse ("health", "timeout_ms", number (0), "from 1 to");
  refuse ("lifecycle", "stability_period_ms", negative, "-5 was given");
  refuse ("lifecycle", "max_restarts", number ((guint64)G_MAXUINT32 + 1), "4294967296 was given");
  refuse ("logging", "buffer_lines", number (ZINIT_MAX_BUFFER_LINES + 1), "1000001 was given");
  set (definition, "lifecycle", "stability_period_ms", number (0));
  set (definition, "logging", "buffer_lines", number (0));
  set (definition, "lifecycle", "max_restarts", number (G_MAXUINT32));
  g_assert_cmpuint (definition->stability_period_ms, ==, 0);
  g_assert_cmpuint (definition->buffer_lines, ==, 0);
  g_assert_cmpuint (definition->max_restarts, ==, G_MAXUINT32);
  g_assert_cmpuint (definition->stop_timeout_ms, ==, ZINIT_MAX_DELAY_MS);
}

static void
test_texts (void)
{
  static const char *const accounts[] = { "www-data", "0", "4294967294", "user@REALM", "jürgen" };
  static const char *const no_accounts[] = { "a b", "a:b", "-x", "a/b", "4294967295", "99999999999", "a\n" };
  static const char *const addresses[] = { "localhost:80", "127.0.0.1:65535", "[::1]:1", "/run/x.sock" };
  static const char *const no_addresses[] = { "localhost", ":80",    "localhost:0", "localhost:65536",
                                              "::1:80",    "a b:80", "[]:80",       "x.sock",
                                              "[::1]80",   "a:b:80" };
  static const char *const urls[] = { "http://localhost", "http://localhost:8080/health?x=1", "http://[::1]/",
                                      "http://[::1]:80" };
  static const char *const no_urls[] = { "https://localhost", "localhost",       "http://",    "http:///x",
                                         "http://a b/",       "http://a:99999/", "http://:80/" };
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autofree char *longest = g_strnfill (ZINIT_MAX_STRING_BYTES, 'x');
  g_autofree char *too_long = g_strnfill (ZINIT_MAX_STRING_BYTES + 1, 'x');

  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++)
    set (definition, "service", i % 2 == 0 ? "user" : "group", text (accounts[i]));
  for (guint i = 0; i < G_N_ELEMENTS (no_accounts); i++)
    refuse ("service", i % 2 == 0 ? "user" : "group", text (no_accounts[i]), "");
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    set (definition, "health", "address", text (addresses[i]));
  for (guint i = 0; i < G_N_ELEMENTS (no_addresses); i++)
    refuse ("health", "address", text (no_addresses[i]), "HOST:PORT");
  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    set (definition, "health", "url", text (urls[i]));
  for (guint i = 0; i < G_N_ELEMENTS (no_urls); i++)
    refuse ("health", "url", text (no_urls[i]), "http://HOST");

  set (definition, "service", "exec", text (longest));
  refuse ("service", "exec", text (too_long), "65537 bytes");
  refuse ("service", "exec", text (" \t\n"), "it is empty");
  refuse ("service", "dir", text (""), "it is empty");
  refuse ("service", "exec", text ("a\xff"), "not UTF-8");
  refuse ("service", "name", text ("a b"), "byte 2");
}

static void
test_description (void)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autofree char *longest = g_strnfill (ZINIT_MAX_DESCRIPTION_BYTES, 'x');
  g_autofree char *too_long = g_strnfill (ZINIT_MAX_DESCRIPTION_BYTES + 1, 'x');

  set (definition, "service", "description", text ("Täglich: die Sicherung"));
  set (definition, "service", "description", text (longest));
  refuse ("service", "description", text (too_long), "513 bytes were given; at most 512 are allowed");
  refuse ("service", "description", text ("two\nlines"), "a control character; one line of text is wanted");
  refuse ("service", "description", text ("\033[2J"), "a control character");
  refuse ("service", "description", text ("\xc2\x85"), "a control character");
  refuse ("service", "description", text (" "), "it is empty");
}

static void
test_choices_and_signals (void)
{
  g_autoptr (ZinitDefinition) definition = new_complete ();
  ZinitValue value;

  set (definition, "lifecycle", "restart", text ("on-failure"));
  g_assert_cmpint (definition->restart, ==, ZINIT_RESTART_ON_FAILURE);
  refuse ("lifecycle", "restart", text ("on_failure"),
          "\"on_failure\" was given; one of \"always\", \"on-failure\", \"never\" is wanted");
  refuse ("lifecycle", "restart", text (""), "\"\" was given");
  refuse ("health", "type", text ("none"), "one of \"tcp\", \"http\", \"exec\" is wanted");

  set (definition, "lifecycle", "stop_signal", text ("usr1"));
  g_assert_cmpint (definition->stop_signal, ==, SIGUSR1);
  set (definition, "lifecycle", "stop_signal", number (9));
  g_assert_cmpint (definition->stop_signal, ==, SIGKILL);
  g_assert_true (zinit_schema_get (definition, zinit_schema_find ("lifecycle", "stop_signal"), &value));
  g_assert_cmpstr (value.string, ==, "SIGKILL");
  refuse ("lifecycle", "stop_signal", number (64), "\"64\" is not a signal");
  refuse ("lifecycle", "stop_signal", text ("SIGFOO"), "\"SIGFOO\" is not a signal");
}

static void
test_lists (void)
{
  static const char *const repeated[] = { "b", "a", "b", "a@1.x", "a", NULL };
  static const char *const kept[] = { "b", "a", "a@1.x", NULL };
  static const char *const wrong[] = { "ok", ".no", NULL };
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (GPtrArray) many = g_ptr_array_new_with_free_func (g_free);

  set (definition, "dependencies", "requires", strings (ZINIT_VALUE_LIST, repeated));
  g_assert_cmpstrv (definition->requires, kept);
  set (definition, "dependencies", "requires", strings (ZINIT_VALUE_LIST, repeated + 5));
  g_assert_null (definition->requires);
  set (definition, "dependencies", "requires", strings (ZINIT_VALUE_LIST, NULL));
  g_assert_null (definition->requires);
  refuse ("dependencies", "after", strings (ZINIT_VALUE_LIST, wrong), "item 2: byte 1");

  for (guint i = 0; i < ZINIT_MAX_LIST_ITEMS; i++)
    g_ptr_array_add (many, g_strdup_printf ("s%u", i));
  g_ptr_array_add (many, NULL);
  set (definition, "dependencies", "wants", strings (ZINIT_VALUE_LIST, (const char *const *)many->pdata));
  g_assert_cmpuint (g_strv_length (definition->wants), ==, ZINIT_MAX_LIST_ITEMS);
  many->pdata[ZINIT_MAX_LIST_ITEMS] = g_strdup ("one-more");
  g_ptr_array_add (many, NULL);
  refuse ("dependencies", "wants", strings (ZINIT_VALUE_LIST, (const char *const *)many->pdata),
          "more than 4096 items");
}

static void
test_tables (void)
{
  static const char *const pairs[] = { "B=2", "A_B=3", "A=1", "A-=x=y", "C=", NULL };
  static const char *const sorted[] = { "A=1", "A-=x=y", "A_B=3", "B=2", "C=", NULL };
  static const char *const twice[] = { "A=1", "B=2", "A=3", NULL };
  static const char *const unnamed[] = { "A=1", "=2", NULL };
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (GPtrArray) many = g_ptr_array_new_with_free_func (g_free);

  set (definition, "service", "env", strings (ZINIT_VALUE_TABLE, pairs));
  g_assert_cmpstrv (definition->env, sorted);
  refuse ("service", "env", strings (ZINIT_VALUE_TABLE, twice), "\"A\" is given twice");
  refuse ("service", "env", strings (ZINIT_VALUE_TABLE, unnamed), "empty name");
  set (definition, "service", "env", strings (ZINIT_VALUE_TABLE, NULL));
  g_assert_null (definition->env);

  for (guint i = 0; i <= ZINIT_MAX_ENV_ITEMS; i++)
    g_ptr_array_add (many, g_strdup_printf ("V%u=x", i));
  g_ptr_array_add (many, NULL);
  refuse ("service", "env", strings (ZINIT_VALUE_TABLE, (const char *const *)many->pdata),
          "more than 4096 variables");
}

static void
gather (const ZinitOption *option, const char *message, gpointer data)
{
  g_autofree char *beginning = g_strconcat (option->section, ".", option->key, ": ", NULL);

  g_assert_true (g_str_has_prefix (message, beginning));
  g_ptr_array_add (data, g_strdup (message));
}

/* Expects zinit_schema_validate() to find just what @parts (NULL-terminated) are parts of, in this order. */
static void
check_whole (const ZinitDefinition *definition, const char *first, ...)
{
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
  const char *part = first;
  va_list parts;

  zinit_schema_validate (definition, gather, messages);
  va_start (parts, first);
  for (guint i = 0; i < messages->len; i++, part = va_arg (parts, const char *)) {
    g_test_message ("%s", (char *)messages->pdata[i]);
    g_assert_nonnull (part);
    g_assert_nonnull (strstr (messages->pdata[i], part));
  }
  va_end (parts);
  g_assert_null (part);
}

static void
test_exit_codes (void)
{
  static const char *const items[] = { "143", "64-78", "SIGTERM", "143", NULL };
  static const char *const kept[] = { "143", "64-78", "SIGTERM", NULL };
  static const char *const wrong[] = { "1", "256", NULL };
  static const char *const range[] = { "70-80", "SIGHUP", NULL };
  static const char *const same[] = { "15", NULL };
  static const char *const zero[] = { "0-3", NULL };
  static const char *const term[] = { "sigterm", NULL };
  const ZinitValue bad_item = { .kind = ZINIT_VALUE_LIST,
                                .bad_part = "item 2",
                                .type_name = "true or false" };
  g_autoptr (ZinitDefinition) definition = new_complete ();

  set (definition, "lifecycle", "success_exit_codes", strings (ZINIT_VALUE_LIST, items));
  g_assert_cmpstrv (definition->success_exit_codes, kept);
  refuse ("lifecycle", "success_exit_codes", strings (ZINIT_VALUE_LIST, wrong), "item 2: \"256\" is not an");
  refuse ("lifecycle", "permanent_exit_codes", text ("3"), "a list of exit codes and signals is wanted");
  refuse ("lifecycle", "permanent_exit_codes", bad_item, "item 2: true or false was given; an exit code");

  set (definition, "lifecycle", "permanent_exit_codes", strings (ZINIT_VALUE_LIST, same));
  check_whole (definition, NULL);
  set (definition, "lifecycle", "permanent_exit_codes", strings (ZINIT_VALUE_LIST, range));
  check_whole (definition, "lifecycle.permanent_exit_codes: code 70 is in lifecycle.success_exit_codes",
               NULL);
  set (definition, "lifecycle", "permanent_exit_codes", strings (ZINIT_VALUE_LIST, term));
  check_whole (definition, "lifecycle.permanent_exit_codes: SIGTERM is in lifecycle.success", NULL);
  set (definition, "lifecycle", "permanent_exit_codes", strings (ZINIT_VALUE_LIST, zero));
  check_whole (definition, "lifecycle.permanent_exit_codes: code 0 is a success", NULL);
  /* It is no name of a service. */
  set (definition, "service", "name", text ("143"));
  set (definition, "lifecycle", "permanent_exit_codes", strings (ZINIT_VALUE_LIST, NULL));
  check_whole (definition, NULL);
}

static void
test_validate (void)
{
  static const char *const self[] = { "db", "web", NULL };
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();

  check_whole (definition, "service.name: is missing", "service.exec: is missing", NULL);
  set (definition, "service", "name", a_name);
  check_whole (definition, "service.exec: is missing", NULL);
  set (definition, "service", "exec", an_exec);
  check_whole (definition, NULL);

  set (definition, "lifecycle", "restart_delay_ms", number (60000));
  check_whole (definition, NULL);
  set (definition, "lifecycle", "restart_delay_ms", number (60001));
  check_whole (definition, "lifecycle.restart_delay_max_ms: 60000 ms is below", NULL);
  set (definition, "lifecycle", "restart_delay_ms", number (1));

  set (definition, "dependencies", "conflicts", strings (ZINIT_VALUE_LIST, self));
  check_whole (definition, "dependencies.conflicts: names the service itself", NULL);
}

static void
test_validate_health (void)
{
  static const struct {
    const char *type;
    const char *key;
    const char *text;
  } rows[] = { { "tcp", "address", "localhost:80" },
               { "http", "url", "http://localhost/" },
               { "exec", "command", "/bin/true" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (ZinitDefinition) definition = new_complete ();
    guint other = (i + 1) % G_N_ELEMENTS (rows);
    g_autofree char *missing = g_strdup_printf ("health.%s: is missing", rows[i].key);
    g_autofree char *foreign = g_strdup_printf ("health.%s: does not go with", rows[other].key);

    set (definition, "health", rows[i].key, text (rows[i].text));
    check_whole (definition, "does not go with", NULL);
    g_clear_pointer (&definition->health_address, g_free);
    g_clear_pointer (&definition->health_url, g_free);
    g_clear_pointer (&definition->health_command, g_free);

    set (definition, "health", "type", text (rows[i].type));
    check_whole (definition, missing, NULL);
    set (definition, "health", rows[i].key, text (rows[i].text));
    check_whole (definition, NULL);
    set (definition, "health", rows[other].key, text (rows[other].text));
    check_whole (definition, foreign, NULL);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schema/table", test_table);
  g_test_add_func ("/schema/defaults", test_defaults);
  g_test_add_func ("/schema/nearest", test_nearest);
  g_test_add_func ("/schema/quote", test_quote);
  g_test_add_func ("/schema/wrong-types", test_wrong_types);
  g_test_add_func ("/schema/numbers", test_numbers);
  g_test_add_func ("/schema/texts", test_texts);
  g_test_add_func ("/schema/description", test_description);
  g_test_add_func ("/schema/choices-and-signals", test_choices_and_signals);
  g_test_add_func ("/schema/lists", test_lists);
  g_test_add_func ("/schema/tables", test_tables);
  g_test_add_func ("/schema/exit-codes", test_exit_codes);
  g_test_add_func ("/schema/validate", test_validate);
  g_test_add_func ("/schema/validate-health", test_validate_health);
  return g_test_run ();
}
