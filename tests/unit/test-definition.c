/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions as values: copied, compared and counted, row by row; and what a service may be called.
 */
#include "model/error.h"
#include "model/schema.h"

#include <string.h>

static ZinitDefinition *
new_web (void)
{
  ZinitDefinition *definition = zinit_definition_new ();

  definition->name = g_strdup ("web");
  definition->exec = g_strdup ("/bin/true");
  return definition;
}

/* One that is not the default of @option. */
static ZinitValue
make_other (const ZinitOption *option)
{
  static const char *const items[] = { "K1=x", "K2=y", NULL };
  static const char *const capabilities[] = { "CAP_KILL", NULL };
  static const char *const paths[] = { "/etc/one", "-/etc/two", NULL };
  static const char *const names[] = { "one", "two", NULL };
  static const char *const codes[] = { "3", "64-78", NULL };
  ZinitValue value = { .kind = ZINIT_VALUE_STRING, .string = "other" };

  if (option->type == ZINIT_TYPE_BOOLEAN)
    value = (ZinitValue){ .kind = ZINIT_VALUE_BOOLEAN, .boolean = !option->default_number };
  else if (option->type == ZINIT_TYPE_NUMBER)
    value = (ZinitValue){ .kind = ZINIT_VALUE_INTEGER, .magnitude = option->default_number + 1 };
  else if (option->type == ZINIT_TYPE_SIGNED)
    value = (ZinitValue){ .kind = ZINIT_VALUE_INTEGER, .negative = TRUE, .magnitude = 5 };
  else if (option->type == ZINIT_TYPE_CHOICE)
    value.string = option->choices[1];
  else if (option->type == ZINIT_TYPE_SIGNAL)
    value.string = "SIGHUP";
  else if (option->type == ZINIT_TYPE_LIST)
    value = (ZinitValue){ .kind = ZINIT_VALUE_LIST, .strings = option->check != NULL ? codes : names };
  else if (option->type == ZINIT_TYPE_STRINGS)
    value = (ZinitValue){ .kind = ZINIT_VALUE_LIST,
                          .strings = strcmp (option->key, "env_file") == 0       ? paths
                                     : strcmp (option->key, "capabilities") == 0 ? capabilities
                                                                                 : names };
  else if (option->type == ZINIT_TYPE_TABLE)
    value = (ZinitValue){ .kind = ZINIT_VALUE_TABLE, .strings = items };
  else if (strcmp (option->key, "address") == 0)
    value.string = "/socket";
  else if (strcmp (option->key, "url") == 0)
    value.string = "http://host/";
  else if (strcmp (option->key, "ready") == 0)
    value.string = "notify";
  else if (strcmp (option->key, "umask") == 0)
    value.string = "0027";
  else if (option->flags & ZINIT_OPTION_NUMERIC)
    value.string = "5:infinity";
  return value;
}

/* Every row makes a difference, is copied deeply, and is read back as it was set. */
static void
test_every_row (void)
{
  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    g_autoptr (ZinitDefinition) plain = zinit_definition_new ();
    g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
    g_autoptr (ZinitDefinition) copy = NULL;
    ZinitValue value = make_other (option), back;

    if (strcmp (option->section, "health") == 0 && strcmp (option->key, "type") != 0)
      plain->health_type = definition->health_type = ZINIT_HEALTH_EXEC;

    g_assert_true (zinit_schema_set (definition, option, &value, NULL));
    g_assert_false (zinit_schema_is_equal (plain, definition, option));
    g_assert_false (zinit_definition_equal (plain, definition));
    g_assert_cmpuint (zinit_definition_hash (plain), !=, zinit_definition_hash (definition));
    copy = zinit_definition_copy (definition);
    g_assert_true (zinit_definition_equal (copy, definition));
    g_assert_cmpuint (zinit_definition_hash (copy), ==, zinit_definition_hash (definition));
    g_assert_true (zinit_schema_get (copy, option, &back));
    g_assert_cmpint (back.kind, ==, value.kind);
    g_assert_cmpstr (back.string, ==, value.string);
    g_assert_cmpint (back.boolean, ==, value.boolean);
    g_assert_cmpint (back.negative, ==, value.negative);
    g_assert_cmpuint (back.magnitude, ==, value.magnitude);
    if (value.strings != NULL)
      g_assert_cmpstrv (back.strings, value.strings);
  }
}

static void
test_get_absent (void)
{
  g_autoptr (ZinitDefinition) definition = new_web ();
  g_autoptr (ZinitDefinition) other = new_web ();
  ZinitValue value;

  g_assert_false (zinit_schema_get (definition, zinit_schema_find ("service", "dir"), &value));
  for (gsize i = 0; i < zinit_n_options; i++)
    if (strcmp (zinit_options[i].section, "health") == 0)
      g_assert_false (zinit_schema_get (definition, &zinit_options[i], &value));

  /* What a health check would have is nothing while there is none. */
  other->health_retries = 99;
  g_assert_true (zinit_definition_equal (definition, other));
  g_assert_cmpuint (zinit_definition_hash (definition), ==, zinit_definition_hash (other));
  other->health_type = ZINIT_HEALTH_EXEC;
  g_assert_false (zinit_definition_equal (definition, other));
  g_assert_cmpuint (zinit_definition_hash (definition), !=, zinit_definition_hash (other));
}

static void
test_reference_count (void)
{
  ZinitDefinition *definition = new_web ();
  ZinitDefinition *same = zinit_definition_ref (definition);

  g_assert_true (same == definition);
  zinit_definition_unref (definition);
  g_assert_cmpstr (same->name, ==, "web");
  zinit_definition_unref (same);
  zinit_definition_unref (NULL);
}

static void
test_names (void)
{
  static const char *const good[] = { "a", "A-Z_09", "getty@tty1", "a.b", "-", "_" };
  static const struct {
    const char *name;
    const char *part;
  } bad[] = { { "", "has 0" },        { ".a", "byte 1 of the service name is '.'" },
              { "a@", "byte 2" },     { "a b", "byte 2 of the service name is ' '" },
              { "a/b", "is '/'" },    { "a\nb", "is 0x0a" },
              { "\xc3\xa4", "0xc3" }, { "@", "byte 1" } };
  g_autofree char *longest = g_strnfill (128, 'a');
  g_autofree char *too_long = g_strnfill (129, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (zinit_name_is_valid (good[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (zinit_name_is_valid (bad[i].name, &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, bad[i].part));
  }
  g_assert_true (zinit_name_is_valid (longest, NULL));
  g_assert_false (zinit_name_is_valid (too_long, NULL));
}

static void
test_needs (void)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (GString) needs = g_string_new (NULL);
  ZinitNeedIter iter = { 0 }, none = { 0 };
  const char *need;

  g_assert_null (zinit_definition_next_need (definition, &none));
  g_assert_null (zinit_definition_next_need (definition, &none));
  definition->binds_to = g_strsplit ("c a", " ", -1);
  g_assert_true (zinit_definition_needs (definition, "c"));
  definition->requires = g_strsplit ("a b", " ", -1);
  while ((need = zinit_definition_next_need (definition, &iter)) != NULL)
    g_string_append (needs, need);
  g_assert_cmpstr (needs->str, ==, "abca");
  g_assert_true (zinit_definition_needs (definition, "b"));
  g_assert_false (zinit_definition_needs (definition, "d"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/definition/every-row", test_every_row);
  g_test_add_func ("/definition/get-absent", test_get_absent);
  g_test_add_func ("/definition/reference-count", test_reference_count);
  g_test_add_func ("/definition/names", test_names);
  g_test_add_func ("/definition/needs", test_needs);
  return g_test_run ();
}
