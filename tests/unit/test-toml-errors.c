/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person is told of a TOML file that is wrong: all of it at once, with the place, and in words that
 * say what is missing.
 */
#include "config/format.h"
#include "model/error.h"

#include <string.h>

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

/* A text with one mistake of syntax, and all that is said of it. */
static void
test_syntax (void)
{
  static const struct {
    const char *text;
    const char *expected;
  } rows[] = {
    { "[service]\nexec = \"sleep 5\nname = 'y'\n",
      "2:8: service.exec: the closing quote \" of the text is missing" },
    { "[service]\nexec = 'sleep 5", "2:8: service.exec: the closing quote ' of the text is missing" },
    { "[service]\nexec = \"\"\"a\nb\n", "3:2: service.exec: the closing \"\"\" of the text is missing" },
    { "[service]\nexec = /bin/sleep 5 # five\n",
      "2:8: service.exec: the text is not in quotes; write exec = \"/bin/sleep 5\"" },
    { "service.exec = sleep\n",
      "1:16: service.exec: the text is not in quotes; write service.exec = \"sleep\"" },
    { "[service]\nexec = 'x'\noneshot = yes\n",
      "3:11: service.oneshot: yes was given; true or false is wanted" },
    { "[service]\nexec = 'x'\n[lifecycle]\nmax_restarts = 5x\n",
      "4:16: lifecycle.max_restarts: 5x was given; a whole number from 0 to 4294967295 is wanted" },
    { "[service]\nexec = 'x'\n[dependencies]\nafter = db\n",
      "4:9: dependencies.after: the text is neither in quotes nor in a list; write after = [\"db\"]" },
    { "[service]\nexec = 'x'\n[dependencies]\nafter = [db]\n",
      "4:10: dependencies.after: a text in the list is not in quotes; write \"db\"" },
    { "[service]\nexec = 'x'\n[lifecycle]\nsuccess_exit_codes = [3, 64-78]\n",
      "4:26: lifecycle.success_exit_codes: a text in the list is not in quotes; write \"64-78\"" },
    { "[service]\nexec = 'x'\n[dependencies]\nafter = [\n  \"a,\n]\n",
      "5:3: dependencies.after: the closing quote \" of the text is missing" },
    { "[service]\nexec = \"say \"hi\"\"\n",
      "2:14: service.exec: something follows the closing quote; a text with \" in it is written in single "
      "quotes, or with \\\" for each" },
    { "[service]\nexec \"x\"\n",
      "2:6: service.exec: the '=' after the key is missing; KEY = VALUE is wanted" },
    { "[service]\nexec =\n", "2:7: service.exec: the value after '=' is missing" },
    { "[service]\nExecStart=/bin/x\n",
      "2:1: unknown key \"ExecStart\" in [service]; did you mean \"exec\"?\n"
      "2:11: service.ExecStart: the text is not in quotes; write exec = \"/bin/x\"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *all = list_problems (rows[i].text, strlen (rows[i].text), "stem");

    g_assert_cmpstr (all, ==, rows[i].expected);
  }
}

/* One reading reports everything, in the order of the text, and nothing that only follows from it. */
static void
test_all_at_once (void)
{
  static const char text[] = "[Service]\n"
                             "WorkingDirectory = \"/srv\"\n"
                             "exec = \"/bin/web\n"
                             "oneshot = maybe\n"
                             "Restart = \"always\"\n"
                             "[dependencies]\n"
                             "after = [3]\n"
                             "requires = [\"a\", 1979-05-27]\n"
                             "[lifecycle]\n"
                             "restart_delay_ms = -1\n"
                             "restart_delay_max_ms = 2\n"
                             "restart = \"sometimes\"\n"
                             "restart = \"never\"\n"
                             "[health]\n"
                             "type = \"http\"\n"
                             "[logging]\n"
                             "zzz = 1\nyyy = 2\n";
  static const char expected[] =
      "1:2: unknown section \"Service\"; did you mean [service]?\n"
      "2:1: unknown key \"WorkingDirectory\" in [service]; did you mean \"dir\"?\n"
      "3:8: Service.exec: the closing quote \" of the text is missing\n"
      "4:11: Service.oneshot: maybe was given; true or false is wanted\n"
      "5:1: unknown key \"Restart\" in [service]; did you mean \"restart\" in [lifecycle]?\n"
      "7:10: dependencies.after: item 1: a number was given; a service's name as a string is wanted\n"
      "8:18: a date or time has no place in a definition; put it in quotes to make it a string\n"
      "10:1: lifecycle.restart_delay_ms: -1 was given; a whole number from 1 to 9007199254740992 ms is "
      "wanted\n"
      "12:1: lifecycle.restart: \"sometimes\" was given; one of \"always\", \"on-failure\", \"never\" is "
      "wanted\n"
      "13:11: lifecycle.restart: Error while parsing key-value pair: cannot redefine existing string "
      "'restart'\n"
      "14:2: health.url: is missing; health.type = \"http\" needs it\n"
      "17:1: unknown key \"zzz\" in [logging]; keys are buffer_lines\n"
      "18:1: unknown key \"yyy\" in [logging]; keys are buffer_lines";
  g_autofree char *all = list_problems (text, strlen (text), "stem");

  g_assert_cmpstr (all, ==, expected);
}

/* The usual words of systemd lead to ours. */
static void
test_foreign_words (void)
{
  static const char *const rows[][3] = {
    { "service", "ExecStart", "\"exec\"?" },
    { "service", "ExecStop", "\"stop_signal\" in [lifecycle]?" },
    { "service", "WorkingDirectory", "\"dir\"?" },
    { "service", "User", "\"user\"?" },
    { "service", "Restart", "\"restart\" in [lifecycle]?" },
    { "service", "Environment", "\"env\"?" },
    { "service", "After", "\"after\" in [dependencies]?" },
    { "dependencies", "Requires", "\"requires\"?" },
    { "dependencies", "Wants", "\"wants\"?" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *all = NULL;
    g_autofree char *text = g_strdup_printf ("[%s]\n%s = 'x'\n", rows[i][0], rows[i][1]);
    g_autofree char *said = g_strdup_printf ("2:1: unknown key \"%s\" in [%s]; did you mean %s", rows[i][1],
                                             rows[i][0], rows[i][2]);

    all = list_problems (text, strlen (text), "stem");
    g_assert_nonnull (strstr (all, said));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/toml-errors/syntax", test_syntax);
  g_test_add_func ("/toml-errors/all-at-once", test_all_at_once);
  g_test_add_func ("/toml-errors/foreign-words", test_foreign_words);
  return g_test_run ();
}
