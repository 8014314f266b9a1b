/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions as a{sa{sv}}: what a client may send, and what it gets back.
 */
#include "config/format.h"
#include "model/error.h"
#include "model/schema.h"

#include <string.h>

/* @text is a GVariant in text form. */
static ZinitDefinition *
read_variant (const char *text, GError **error)
{
  g_autoptr (GError) syntax = NULL;
  g_autoptr (GVariant) variant = g_variant_parse (NULL, text, NULL, NULL, &syntax);

  g_assert_no_error (syntax);
  return zinit_definition_from_variant (variant, error);
}

static void
refuse (const char *text, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_variant (text, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
}

#define COMPLETE                                                                                             \
  "{'service': {'name': <'web'>, 'exec': <'x'>, 'dir': <'/srv'>, 'oneshot': <true>, "                        \
  "'env': <{'A': '1', 'B': 'zwei'}>, 'status': <'ignore'>, 'class': <'system'>, 'critical': <true>, "        \
  "'no_new_privs': <true>, 'inherit_env': <false>, "                                                         \
  "'user': <'u'>, 'group': <'g'>}, "                                                                         \
  "'dependencies': {'requires': <['a', 'b']>, 'after': <@as []>, 'wants': <['c']>, 'conflicts': <['d']>}, "  \
  "'lifecycle': {'restart': <'never'>, 'restart_delay_ms': <uint64 5>, 'restart_delay_max_ms': <uint64 6>, " \
  "'max_restarts': <uint64 7>, 'stability_period_ms': <uint64 8>, 'start_timeout_ms': <uint64 9>, "          \
  "'watchdog_ms': <uint64 11>, 'stop_timeout_ms': <uint64 10>, 'stop_signal': <'SIGINT'>, 'kill_mode': "     \
  "<'mixed'>}, "                                                                                             \
  "'health': {'type': <'tcp'>, 'address': <'h:80'>, 'interval_ms': <uint64 11>, 'timeout_ms': <uint64 12>, " \
  "'retries': <uint64 13>, 'start_period_ms': <uint64 14>}, 'logging': {'buffer_lines': <uint64 15>}}"

static void
test_complete (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition = read_variant (COMPLETE, &error);
  g_autoptr (ZinitDefinition) back = NULL;
  g_autoptr (GVariant) expected = NULL;
  g_autoptr (GVariant) written = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (definition->exec, ==, "x");
  g_assert_cmpuint (definition->health_retries, ==, 13);
  g_assert_null (definition->after);

  written = g_variant_ref_sink (zinit_definition_to_variant (definition, TRUE));
  g_assert_cmpstr (g_variant_get_type_string (written), ==, "a{sa{sv}}");
  for (guint i = 0; i < g_variant_n_children (written); i++) {
    g_autoptr (GVariant) keys = NULL;
    const char *section;
    gssize last = -1;

    /* The keys stand in the order of the table. */
    g_variant_get_child (written, i, "{&s@a{sv}}", &section, &keys);
    for (guint k = 0; k < g_variant_n_children (keys); k++) {
      const char *key;
      gssize row;

      g_variant_get_child (keys, k, "{&sv}", &key, NULL);
      row = zinit_schema_find (section, key) - zinit_options;
      g_assert_cmpint (row, >, last);
      last = row;
    }
  }
  back = zinit_definition_from_variant (written, &error);
  g_assert_no_error (error);
  g_assert_true (zinit_definition_equal (definition, back));

  /* The same sections with the same keys, whatever their order. */
  expected = g_variant_parse (G_VARIANT_TYPE ("a{sa{sv}}"), COMPLETE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (written), ==, g_variant_n_children (expected));
  for (guint i = 0; i < g_variant_n_children (expected); i++) {
    const char *name;
    g_autoptr (GVariant) keys = NULL;
    g_autoptr (GVariant) got = NULL;
    GVariantIter iter;
    const char *key;
    GVariant *value;

    g_variant_get_child (expected, i, "{&s@a{sv}}", &name, &keys);
    got = g_variant_lookup_value (written, name, G_VARIANT_TYPE_VARDICT);
    g_assert_nonnull (got);
    g_assert_cmpuint (g_variant_n_children (got), ==, g_variant_n_children (keys));
    g_variant_iter_init (&iter, keys);
    while (g_variant_iter_next (&iter, "{&sv}", &key, &value)) {
      g_autoptr (GVariant) same = g_variant_lookup_value (got, key, NULL);

      g_assert_cmpvariant (same, value);
      g_variant_unref (value);
    }
  }
}

static void
test_integer_types (void)
{
  static const char *const types[] = { "byte 7",   "int16 7", "uint16 7", "int32 7",
                                       "uint32 7", "int64 7", "uint64 7" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf ("{'service': {'name': <'w'>, 'exec': <'x'>}, 'lifecycle': "
                                             "{'max_restarts': <%s>, 'stop_signal': <%s>}}",
                                             types[i], types[i]);
    g_autoptr (ZinitDefinition) definition = read_variant (text, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (definition->max_restarts, ==, 7);
    g_assert_cmpint (definition->stop_signal, ==, 7);
  }
  refuse ("{'lifecycle': {'max_restarts': <int64 -9223372036854775808>}}", "-9223372036854775808 was given");
  refuse ("{'lifecycle': {'max_restarts': <uint64 18446744073709551615>}}", "9223372036854775807 was given");
  refuse ("{'lifecycle': {'max_restarts': <int16 -1>}}", "-1 was given");
  refuse ("{'lifecycle': {'stop_signal': <int16 -9>}}", "\"-9\" is not a signal");
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition =
      read_variant ("{'service': {'name': <'w'>, 'exec': <'x'>}, 'logging': @a{sv} {}}", &error);
  g_autoptr (GVariant) written = NULL;
  g_autoptr (GVariant) service = NULL;
  g_autoptr (GVariant) dependencies = NULL;
  g_autoptr (GVariant) env = NULL;
  g_autoptr (GVariant) after = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (definition->buffer_lines, ==, 1000);
  written = g_variant_ref_sink (zinit_definition_to_variant (definition, TRUE));
  service = g_variant_lookup_value (written, "service", NULL);
  dependencies = g_variant_lookup_value (written, "dependencies", NULL);
  env = g_variant_lookup_value (service, "env", G_VARIANT_TYPE ("a{ss}"));
  after = g_variant_lookup_value (dependencies, "after", G_VARIANT_TYPE ("as"));
  g_assert_cmpuint (g_variant_n_children (env), ==, 0);
  g_assert_cmpuint (g_variant_n_children (after), ==, 0);
  g_assert_false (g_variant_lookup (service, "dir", "s", NULL));
  g_assert_null (g_variant_lookup_value (written, "health", NULL));
}

static void
test_secrets (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition = read_variant (COMPLETE, &error);
  g_autoptr (GVariant) open = g_variant_ref_sink (zinit_definition_to_variant (definition, FALSE));
  g_autofree char *text = g_variant_print (open, FALSE);

  g_assert_no_error (error);
  g_assert_null (strstr (text, "'env'"));
  g_assert_null (strstr (text, "zwei"));
  g_assert_nonnull (strstr (text, "'dir'"));
}

static void
test_mistakes (void)
{
  refuse ("@a{sv} {}", "a value of type a{sv} was given; a definition of type a{sa{sv}} is wanted");
  refuse ("@a{sa{sv}} {}", "service.name: is missing");
  refuse ("{'service': {'name': <'w'>}}", "service.exec: is missing");
  refuse ("{'servce': {'name': <'w'>}}", "did you mean [service]?");
  refuse ("{'service': {'nmae': <'w'>}}", "did you mean \"name\"?");
  refuse ("{'service': {'name': <'w'>, 'name': <'v'>}}", "service.name: is given twice");
  refuse ("{'service': {'exec': <@o '/a'>}}", "service.exec: an object path was given; a string,");
  refuse ("{'service': {'exec': <<'a'>>}}", "service.exec: a value of another type was given");
  refuse ("{'service': {'env': <{'A': <'1'>}>}}", "a dictionary that is not a{ss} was given");
  refuse ("{'service': {'env': <{'A=B': '1'}>}}", "\"A=B\" is not a name");
  refuse ("{'service': {'env': <{'A': '1', 'A': '2'}>}}", "service.env.A: is given twice");
  refuse ("{'dependencies': {'after': <[1, 2]>}}", "a list that is not of strings was given");
  refuse ("{'dependencies': {'after': <['a', 'b c']>}}", "item 2: byte 2");
  refuse ("{'logging': {'buffer_lines': <1.5>}}", "a floating-point number was given");
  refuse ("{'logging': {'buffer_lines': <handle 3>}}", "a file descriptor was given");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/definition-variant/complete", test_complete);
  g_test_add_func ("/definition-variant/integer-types", test_integer_types);
  g_test_add_func ("/definition-variant/defaults", test_defaults);
  g_test_add_func ("/definition-variant/secrets", test_secrets);
  g_test_add_func ("/definition-variant/mistakes", test_mistakes);
  return g_test_run ();
}
