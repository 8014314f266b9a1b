/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that say what a service's process is: which values they take, and that these come back from
 * every form that a definition has.
 */
#include "config/definition-build.h"
#include "config/strict-json.h"
#include "model/capability.h"
#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"
#include "persist/state-format.h"

#include <string.h>

static char *last_warning;

static GLogWriterOutput
keep_warning (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & G_LOG_LEVEL_MASK) != G_LOG_LEVEL_WARNING)
    return g_log_writer_default (level, fields, n_fields, data);
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0) {
      g_free (last_warning);
      last_warning = g_strdup (fields[i].value);
    }
  return G_LOG_WRITER_HANDLED;
}

/* The definition of a file with @more behind "[service] exec". Transfer full. */
static ZinitDefinition *
read_toml (const char *more, GError **error)
{
  g_autofree char *text = g_strdup_printf ("[service]\nname = \"web\"\n%s%s\n",
                                           strstr (more, "exec") == NULL ? "exec = \"x\"\n" : "", more);
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  ZinitDefinition *definition = zinit_definition_parse (text, strlen (text), FALSE, "web", NULL, problems);

  if (definition == NULL)
    zinit_problems_to_error (problems, error);
  return definition;
}

/* Expects a refusal whose message has @part. */
static void
refuse (const char *more, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition = read_toml (more, &error);

  g_assert_null (definition);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
}

static void
assert_same (const ZinitDefinition *definition, ZinitDefinition *other, const GError *error)
{
  g_assert_no_error (error);
  g_assert_true (zinit_definition_equal (definition, other));
  zinit_definition_unref (other);
}

/* Through TOML, JSON, D-Bus and the state file. */
static void
check_forms (const ZinitDefinition *definition)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *toml = zinit_definition_to_toml (definition);
  g_autoptr (JsonNode) json = zinit_definition_to_json (definition);
  g_autoptr (GVariant) variant = g_variant_ref_sink (zinit_definition_to_variant (definition, TRUE));
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  g_autoptr (JsonNode) saved_json = NULL;
  g_autofree char *saved = NULL;
  g_autoptr (JsonNode) read = NULL;

  g_test_message ("%s", toml);
  assert_same (definition, zinit_definition_parse (toml, strlen (toml), FALSE, "web", NULL, problems), NULL);
  assert_same (definition, zinit_definition_from_json (json, NULL, ZINIT_KEYS_STRICT, &error), error);
  assert_same (definition, zinit_definition_from_variant (variant, &error), error);
  saved_json = zinit_definition_to_saved_json (definition);
  saved = zinit_saved_config_from_json (saved_json, &error);
  g_assert_no_error (error);
  read = zinit_strict_json_parse (saved, strlen (saved), &error);
  g_assert_no_error (error);
  assert_same (definition, zinit_definition_from_json (read, NULL, ZINIT_KEYS_LAX, &error), error);
}

/* What @more gives is taken, and comes back from every form. Transfer full. */
static ZinitDefinition *
check (const char *more)
{
  g_autoptr (GError) error = NULL;
  ZinitDefinition *definition = read_toml (more, &error);

  g_assert_no_error (error);
  check_forms (definition);
  return definition;
}

static void
test_signed (void)
{
  g_autoptr (ZinitDefinition) lowest = check ("nice = -20\noom_score_adj = -1000");
  g_autoptr (ZinitDefinition) zero = check ("nice = 0\noom_score_adj = 0");
  g_autoptr (ZinitDefinition) highest = check ("nice = 19\noom_score_adj = 1000");
  g_autoptr (ZinitDefinition) absent = check ("");
  g_autoptr (GVariant) variant = g_variant_ref_sink (zinit_definition_to_variant (lowest, FALSE));
  g_autofree char *text = g_variant_print (variant, TRUE);

  g_assert_cmpint (lowest->nice.number, ==, -20);
  g_assert_cmpint (lowest->oom_score_adj.number, ==, -1000);
  g_assert_cmpint (highest->nice.number, ==, 19);
  g_assert_true (zero->nice.is_given);
  g_assert_false (absent->nice.is_given);
  g_assert_false (zinit_definition_equal (zero, absent));
  g_assert_nonnull (strstr (text, "'nice': <int64 -20>"));
  refuse ("nice = -21", "service.nice: -21 was given; a whole number from -20 to 19 is wanted");
  refuse ("nice = 20", "service.nice: 20 was given");
  refuse ("nice = -9223372036854775808", "service.nice: -9223372036854775808 was given");
  refuse ("nice = \"5\"", "service.nice: a string was given; a whole number from -20 to 19 is wanted");
  refuse ("nice = low", "low was given; a whole number from -20 to 19 is wanted");
  refuse ("oom_score_adj = 1001", "from -1000 to 1000 is wanted");
}

static void
test_umask (void)
{
  static const char *const wrong[] = { "\"0800\"", "\"1000\"", "\"00027\"", "\"-27\"", "\"0o27\"", "\"rw\"" };
  g_autoptr (ZinitDefinition) short_one = check ("umask = \"7\"");
  g_autoptr (ZinitDefinition) highest = check ("umask = \"0777\"");

  g_assert_cmpstr (highest->umask, ==, "0777");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *more = g_strconcat ("umask = ", wrong[i], NULL);

    refuse (more, "is not a mask of permissions; octal digits from \"0000\" to \"0777\" are wanted");
  }
  /* Decimal digits would be read as octal ones. */
  refuse ("umask = 27", "service.umask: a number was given; a string is wanted");
}

static void
test_limits (void)
{
  static const char *const wrong[] = {
    "\"unlimited\"", "\"\"",   "-1",     "\"4:3\"", "\"infinity:3\"",
    "\"1:2:3\"",     "\"1:\"", "\":1\"", "\" 1\"",  "\"18446744073709551615\""
  };
  g_autoptr (ZinitDefinition) all = check ("[limits]\nnofile = 1024\nnproc = \"1:2\"\ncore = 0\n"
                                           "fsize = \"infinity\"\nmemlock = \"0:infinity\"\nas = 9\n"
                                           "stack = \"18446744073709551614\"");
  struct rlimit limit;

  g_assert_cmpstr (all->limits[ZINIT_RESOURCE_NOFILE], ==, "1024");
  g_assert_true (zinit_resource_limit_parse (all->limits[ZINIT_RESOURCE_NPROC], &limit, NULL));
  g_assert_cmpuint (limit.rlim_cur, ==, 1);
  g_assert_cmpuint (limit.rlim_max, ==, 2);
  g_assert_true (zinit_resource_limit_parse (all->limits[ZINIT_RESOURCE_FSIZE], &limit, NULL));
  g_assert_true (limit.rlim_cur == RLIM_INFINITY && limit.rlim_max == RLIM_INFINITY);
  g_assert_true (zinit_resource_limit_parse (all->limits[ZINIT_RESOURCE_MEMLOCK], &limit, NULL));
  g_assert_true (limit.rlim_cur == 0 && limit.rlim_max == RLIM_INFINITY);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *more = g_strconcat ("[limits]\nnofile = ", wrong[i], NULL);

    refuse (more, i == 1 ? "it is empty" : "a whole number, \"infinity\" or \"SOFT:HARD\" of these two");
  }
  refuse ("[limits]\ncore = true", "limits.core: true was given; a whole number or a string is wanted");
  refuse ("[limits]\nnfile = 1", "unknown key \"nfile\" in [limits]; did you mean \"nofile");
  refuse ("LimitNOFILE = 1", "did you mean \"nofile\" in [limits]?");
}

static void
test_strings (void)
{
  g_autoptr (ZinitDefinition) given =
      check ("env_file = [\"/a\", \"-/b\", \"/a\"]\ngroups = [\"audio\", \"4\"]");
  g_autoptr (ZinitDefinition) empty = check ("env_file = []\ngroups = []\ninherit_env = false");
  g_autoptr (GString) many = g_string_new ("groups = [\"0\"");

  g_assert_cmpstrv (given->env_file, ((const char *const[]){ "/a", "-/b", "/a", NULL }));
  g_assert_cmpstrv (given->groups, ((const char *const[]){ "audio", "4", NULL }));
  g_assert_true (given->inherit_env);
  g_assert_null (empty->env_file);
  g_assert_null (empty->groups);
  g_assert_false (empty->inherit_env);
  refuse ("env_file = \"/a\"", "service.env_file: a string was given; a list of strings is wanted");
  refuse ("env_file = [\"/a\", 1]", "service.env_file: item 2: a number was given; a string is wanted");
  refuse ("env_file = [\"/a\", \"b\"]", "service.env_file: item 2: \"b\" is not an absolute path");
  refuse ("env_file = [\"-\"]",
          "is not an absolute path; one is wanted, after a '-' if it need not be there");
  refuse ("env_file = [\" \"]", "service.env_file: item 1: it is empty; a text is wanted");
  refuse ("env_file = /a", "write env_file = [\"/a\"]");
  refuse ("groups = [\"a b\"]", "service.groups: item 1: \"a b\" is no user or group");
  for (guint i = 1; i < ZINIT_MAX_GROUPS; i++)
    g_string_append (many, ", \"0\"");
  g_string_append (many, "]");
  zinit_definition_unref (check (many->str));
  g_string_truncate (many, many->len - 1);
  g_string_append (many, ", \"0\"]");
  refuse (many->str, "service.groups: more than 256 items were given");
}

/* A list comes back word by word, and what is shown of it is what a shell would need. */
static void
test_words (void)
{
  g_autoptr (ZinitDefinition) list =
      check ("exec = [\"/bin/x\", \"a b\", \"\", \"it's\", \"$HOME;\", \"--k=v\", \"tab\\there\"]");
  g_autoptr (ZinitDefinition) one = check ("exec = [\"x\"]");
  g_autoptr (ZinitDefinition) line = check ("exec = \"x\"");
  g_autoptr (ZinitDefinition) again = zinit_definition_copy (line);
  g_autoptr (ZinitDefinition) live = zinit_definition_new_live (list, line);
  const ZinitOption *exec = zinit_schema_find ("service", "exec");
  g_autofree char *longest = g_strnfill (ZINIT_MAX_STRING_BYTES - 4, 'x');
  g_autofree char *too_long = g_strdup_printf ("exec = [\"%s\", \"' \"]", longest);
  g_autoptr (GString) many = g_string_new ("exec = [\"x\"");

  g_assert_cmpstr (list->exec, ==, "/bin/x 'a b' '' 'it'\\''s' '$HOME;' '--k=v' 'tab\there'");
  g_assert_cmpuint (g_strv_length (list->argv), ==, 7);
  g_assert_cmpstr (one->exec, ==, line->exec);
  g_assert_false (zinit_definition_equal (one, line));
  g_assert_cmpuint (zinit_definition_hash (one), !=, zinit_definition_hash (line));
  /* A line in the place of a list, and the other way round; what a run keeps. */
  g_assert_true (
      zinit_schema_set (one, exec, &(ZinitValue){ .kind = ZINIT_VALUE_STRING, .string = "x" }, NULL));
  g_assert_true (zinit_definition_equal (one, line));
  g_assert_true (zinit_schema_set (
      again, exec, &(ZinitValue){ .kind = ZINIT_VALUE_LIST, .strings = (const char *const *)list->argv },
      NULL));
  g_assert_true (zinit_definition_equal (again, list));
  g_assert_cmpstrv (live->argv, list->argv);

  refuse ("exec = []", "service.exec: it is empty; a string or a list of strings is wanted");
  refuse ("exec = [\" \", \"x\"]", "service.exec: its first item, the program, is empty");
  refuse ("exec = [\"x\", 1]", "service.exec: item 2: a number was given; a string is wanted");
  refuse (too_long, "service.exec: its items have 65540 bytes, quoted; at most 65536 are allowed");
  for (guint i = 0; i < ZINIT_MAX_ARGUMENTS; i++)
    g_string_append (many, ", \"\"");
  g_string_append (many, "]");
  refuse (many->str, "service.exec: more than 4096 items were given");
}

/* The list of a state file that is none costs the list alone. */
static void
test_saved_words (void)
{
  static const struct {
    const char *list;
    const char *warning; /* NULL = it is taken */
  } rows[] = { { "[\"a\", \"b c\"]", NULL },
               { "\"a\"", "service.exec_argv: it is not a list of strings; ignored" },
               { "[\"a\", 1]", "service.exec_argv: it is not a list of strings; ignored" },
               { "[]", "service.exec: it is empty; a string or a list of strings is wanted; ignored" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf (
        "{\"service\": {\"exec_argv\": %s, \"name\": \"web\", \"exec\": \"a 'b c'\"}}", rows[i].list);
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = zinit_strict_json_parse (text, strlen (text), &error);
    g_autoptr (ZinitDefinition) definition = NULL;

    g_assert_no_error (error);
    g_clear_pointer (&last_warning, g_free);
    definition = zinit_definition_from_json (node, NULL, ZINIT_KEYS_LAX, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (last_warning, ==, rows[i].warning);
    g_assert_cmpstr (definition->exec, ==, "a 'b c'");
    g_assert_cmpint (definition->argv == NULL, ==, rows[i].warning != NULL);
    /* Only a saved definition has it. */
    g_assert_null (zinit_definition_from_json (node, NULL, ZINIT_KEYS_STRICT, NULL));
  }
}

/* What the daemon may do is asked for where it runs, so values are tried by the table. */
static void
test_capabilities (void)
{
  static const char *const names[] = { "CAP_KILL", "cap_net_bind_service", NULL };
  static const char *const wrong[] = { "CAP_KILL", "KILL", NULL };
  const ZinitOption *option = zinit_schema_find ("service", "capabilities");
  g_autoptr (ZinitDefinition) absent = zinit_definition_new ();
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  g_autoptr (ZinitDefinition) copy = NULL;
  g_autoptr (GError) error = NULL;
  ZinitValue value = { .kind = ZINIT_VALUE_LIST, .strings = names };
  g_autofree char *toml = NULL;

  g_assert_true (zinit_schema_set (definition, option, &value, NULL));
  g_assert_cmpstrv (definition->capabilities, names);
  g_assert_cmpuint (zinit_capability_set (names), ==, 1 << 5 | 1 << 10);
  value.strings = wrong;
  g_assert_false (zinit_schema_set (definition, option, &value, &error));
  g_assert_cmpstr (error->message, ==,
                   "service.capabilities: item 2: \"KILL\" is not a capability; a name such as "
                   "\"CAP_NET_BIND_SERVICE\" is wanted");
  /* None at all is not the same as not given. */
  value.strings = names + 2;
  g_assert_true (zinit_schema_set (definition, option, &value, NULL));
  g_assert_nonnull (definition->capabilities);
  g_assert_false (zinit_schema_is_equal (definition, absent, option));
  g_assert_cmpuint (zinit_definition_hash (definition), !=, zinit_definition_hash (absent));
  copy = zinit_definition_copy (definition);
  g_assert_true (zinit_definition_equal (copy, definition));
  toml = zinit_definition_to_toml (definition);
  g_assert_cmpstr (toml, ==, "[service]\ncapabilities = []\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (keep_warning, NULL, NULL);
  g_test_add_func ("/schema-process/signed", test_signed);
  g_test_add_func ("/schema-process/umask", test_umask);
  g_test_add_func ("/schema-process/limits", test_limits);
  g_test_add_func ("/schema-process/strings", test_strings);
  g_test_add_func ("/schema-process/words", test_words);
  g_test_add_func ("/schema-process/saved-words", test_saved_words);
  g_test_add_func ("/schema-process/capabilities", test_capabilities);
  return g_test_run ();
}
