/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that say what a service's process is, from the definition to the process: by file and over
 * D-Bus, across the death of a daemon, and when a start cannot do what they say.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <sys/resource.h>

#include "names.h"
#include "survival.h"

/* GetConfig as text. Transfer full. */
static char *
get_config (Harness *h, const char *service)
{
  g_autofree char *path = client_service_path (service);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (h->client, path, ZINIT_SERVICE_INTERFACE, "GetConfig", NULL, &error);

  g_assert_no_error (error);
  return g_variant_print (reply, TRUE);
}

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no \"%s\" in: %s", part, text);
}

/* Adds an ephemeral service; @options are more members of its section, each with a comma before it. */
static void
add (Harness *h, const char *name, const char *exec, const char *options)
{
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'%s'>, 'exec': <%s>%s}}, " NO_OPTIONS ")", name, exec,
                              options));
}

/* What a service that has no file says of itself is the same after a daemon was killed, and so is its next
 * process. */
static void
check_comes_back (Harness *h, const char *name, const char *expected)
{
  g_autofree char *before = get_config (h, name);
  g_autofree char *after = NULL;
  g_auto (GStrv) first = harness_wait_lines (h, name, 1);
  g_auto (GStrv) second = NULL;

  g_assert_cmpstr (first[0], ==, expected);
  survival_wait_saved (h, name, "ephemeral", "true");
  survival_start_again (h);
  after = get_config (h, name);
  g_assert_cmpstr (after, ==, before);
  assert_property (h->client, name, "NeedsRestart", "false");
  g_variant_unref (client_ok (h->client, "RestartService", "('%s', {'wait': <true>})", name));
  second = harness_wait_lines (h, name, 2);
  g_assert_cmpstr (second[1], ==, expected);
}

static void
test_attributes (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "web");
  g_autofree char *exec = g_strdup_printf ("'echo $(umask) $(cut -d\" \" -f19 /proc/self/stat) "
                                           "$(cat /proc/self/oom_score_adj) >>%s; exec sleep 1000'",
                                           path);
  g_autofree char *config = NULL;

  survival_start (h);
  add (h, "web", exec,
       ", 'umask': <'0077'>, 'nice': <19>, 'oom_score_adj': <int64 900>, 'no_new_privs': <true>");
  client_wait_state (h->client, "web", "running");
  config = get_config (h, "web");
  assert_has (config, "'nice': <int64 19>");
  assert_has (config, "'oom_score_adj': <int64 900>");
  assert_has (config, "'umask': <'0077'>");
  assert_has (config, "'no_new_privs': <true>");
  check_comes_back (h, "web", "0077 19 900");
}

static void
test_limits (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "web");

  harness_write (h, "web.toml",
                 "[service]\nexec = \"echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -c) >>%s; exec sleep 1000\"\n"
                 "[limits]\nnofile = \"64:128\"\ncore = 0\n",
                 path);
  survival_start (h);
  g_strfreev (harness_wait_lines (h, "web", 1));
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'own'>, 'exec': <'echo $(ulimit -Sn) $(ulimit -Hn) "
                              ">>%s/own; exec sleep 1000'>}, "
                              "'limits': {'nofile': <uint64 77>}}, " NO_OPTIONS ")",
                              h->directory));
  client_wait_state (h->client, "own", "running");
  check_comes_back (h, "own", "77 77");
  {
    g_auto (GStrv) lines = harness_wait_lines (h, "web", 1);

    g_assert_cmpstr (lines[0], ==, "64 128 0");
  }
  /* A running process keeps what it was started with. */
  harness_write (h, "web.toml",
                 "[service]\nexec = \"echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -c) >>%s; exec sleep 1000\"\n"
                 "[limits]\nnofile = \"64:129\"\ncore = 0\n",
                 path);
  g_free (harness_reload (h));
  assert_property (h->client, "web", "NeedsRestart", "true");
}

/* No process may have that many descriptors. */
static void
test_spawn_error (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *failure = NULL;

  harness_write (h, "web.toml",
                 "[service]\nexec = \"sleep 1000\"\n[limits]\nnofile = \"infinity\"\n"
                 "[lifecycle]\nrestart = \"never\"\n");
  harness_start (h);
  client_wait_state (h->client, "web", "failed");
  failure = client_failure (h->client, "web");
  g_assert_cmpstr (failure, ==, "spawn_error message=limit nofile infinity: Operation not permitted");
}

/* Rules H1 and H5: files are read at each start, a later one wins over an earlier, and env over all. */
static void
test_env_file (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *exec = g_strdup_printf (
      "'echo \"$OUTSIDE $A $B $C $D $ZINIT_SERVICE\" >>%s/web; exec sleep 1000'", h->directory);
  g_autofree char *options = g_strdup_printf (
      ", 'env_file': <['%s/one.env', '-%s/none.env', '%s/two.env']>, 'env': <{'C': 'env', 'D': '$A'}>",
      h->config_dir, h->config_dir, h->config_dir);
  g_auto (GStrv) lines = NULL;

  harness_setenv (h, "OUTSIDE", "daemon");
  harness_setenv (h, "A", "daemon");
  harness_write (h, "one.env", "# of the first\nA=one\nB=one\nC=one\nZINIT_SERVICE=other\n");
  harness_write (h, "two.env", "B='two  $A'\n");
  survival_start (h);
  add (h, "web", exec, options);
  check_comes_back (h, "web", "daemon one two  $A env $A web");
  harness_write (h, "two.env", "A=new\n");
  g_variant_unref (client_ok (h->client, "RestartService", "('web', {'wait': <true>})"));
  lines = harness_wait_lines (h, "web", 3);
  g_assert_cmpstr (lines[2], ==, "daemon new one env $A web");
}

static void
test_env_file_wrong (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *options =
      g_strdup_printf ("env_file = [\"%s/web.env\"]\n[lifecycle]\nrestart = \"never\"\n", h->config_dir);
  g_autofree char *missing =
      g_strdup_printf ("spawn_error message=env_file %s/web.env: No such file or directory", h->config_dir);
  g_autofree char *wrong = g_strdup_printf ("spawn_error message=env_file %s/web.env:2: there is no '='; "
                                            "KEY=VALUE, a comment after # or nothing is wanted",
                                            h->config_dir);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  harness_service (h, "web", "wait", options);
  harness_start (h);
  client_wait_state (h->client, "web", "failed");
  first = client_failure (h->client, "web");
  g_assert_cmpstr (first, ==, missing);
  harness_write (h, "web.env", "A=1\nB\n");
  g_free (client_fails (h->client, "SpawnFailed", "StartService", "('web', {'wait': <true>})"));
  second = client_failure (h->client, "web");
  g_assert_cmpstr (second, ==, wrong);
  harness_write (h, "web.env", "A=1\n");
  g_variant_unref (client_ok (h->client, "StartService", "('web', {'wait': <true>})"));
}

/* Rule H1: the clean set. */
static void
test_inherit_env (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *path = harness_path (h, "report");
  g_autofree char *orders = g_strdup_printf ("report %s wait", path);
  static const char *const kept[] = {
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"
  };
  g_autofree char *text = NULL;

  for (guint i = 1; i < G_N_ELEMENTS (kept); i++)
    harness_setenv (h, kept[i], "kept");
  harness_setenv (h, "SECRET", "daemon's");
  harness_setenv (h, "LC_ALL", "C");
  harness_service (h, "web", orders, "inherit_env = false\n[service.env]\nOWN = \"1\"\nHOME = \"/srv\"\n");
  harness_start (h);
  text = harness_read_when_there (h, "report");
  for (guint i = 2; i < G_N_ELEMENTS (kept); i++) {
    g_autofree char *line = g_strdup_printf ("\nenv %s=kept\n", kept[i]);

    assert_has (text, line);
  }
  assert_has (text, "\nenv PATH=");
  assert_has (text, "\nenv HOME=/srv\n");
  assert_has (text, "\nenv OWN=1\n");
  g_assert_null (strstr (text, "\nenv HOME=kept\n"));
  g_assert_null (strstr (text, "env SECRET="));
  g_assert_null (strstr (text, "env LC_ALL="));
}

/* A list never meets a shell, whatever is in it, and is the same list in the next life. */
static void
test_words (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *script =
      g_strdup_printf ("#!/bin/sh\nprintf '[%%s]' \"$@\" >>%s/web\necho >>%s/web\nexec sleep 1000\n",
                       h->directory, h->directory);
  g_autofree char *path = harness_path (h, "script");
  g_autofree char *exec = g_strdup_printf ("['%s', 'a  b', '', '$HOME', '`id`;', \"it's\", '*', '-x']", path);
  g_autofree char *shown = g_strdup_printf ("%s 'a  b' '' '$HOME' '`id`;' 'it'\\''s' '*' -x", path);

  g_assert_true (g_file_set_contents_full (path, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  survival_start (h);
  add (h, "web", exec, "");
  client_wait_state (h->client, "web", "running");
  assert_property (h->client, "web", "Exec", shown);
  check_comes_back (h, "web", "[a  b][][$HOME][`id`;][it's][*][-x]");
  assert_property (h->client, "web", "Exec", shown);
}

/* A word that is a built-in command of the shell is a program all the same. */
static void
test_words_of_file (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *failure = NULL;

  harness_write (h, "web.toml", "[service]\nexec = [\"sleep\", \"1000\"]\n");
  harness_write (h, "cd.toml", "[service]\nexec = [\"alias\", \"/\"]\n[lifecycle]\nrestart = \"never\"\n");
  survival_start (h);
  client_wait_state (h->client, "web", "running");
  client_wait_state (h->client, "cd", "failed");
  failure = client_failure (h->client, "cd");
  g_assert_cmpstr (failure, ==, "spawn_error message=exec alias: No such file or directory");
  survival_start_again (h);
  assert_property (h->client, "web", "State", "running");
  assert_property (h->client, "web", "NeedsRestart", "false");
  harness_write (h, "web.toml", "[service]\nexec = \"sleep 1000\"\n");
  g_free (harness_reload (h));
  assert_property (h->client, "web", "NeedsRestart", "true");
}

/* Rule H6: refused when it is read where the daemon may not, and else what the process has. */
static void
test_capabilities (void)
{
  g_autoptr (Harness) h = harness_new ();
  g_autofree char *exec = g_strdup_printf (
      "'echo $(sed -n s/^CapBnd:.//p /proc/self/status) >>%s/web; exec sleep 1000'", h->directory);
  g_autofree char *status = NULL;
  g_auto (GStrv) lines = NULL;

  survival_start (h);
  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  if ((g_ascii_strtoull (strstr (status, "CapEff:") + strlen ("CapEff:"), NULL, 16) >> 8 & 1) == 0) {
    g_autofree char *message = client_fails (
        h->client, "InvalidConfig", "AddService",
        "({'service': {'name': <'web'>, 'exec': <'x'>, 'capabilities': <['CAP_KILL']>}}, " NO_OPTIONS ")");

    assert_has (message, "service.capabilities: this zinitd may not set capabilities");
    return;
  }
  add (h, "web", exec, ", 'capabilities': <['CAP_KILL']>");
  check_comes_back (h, "web", "0000000000000020");
  g_variant_unref (client_ok (h->client, "AddService",
                              "({'service': {'name': <'none'>, 'exec': <'sed -n s/^CapBnd:.//p "
                              "/proc/self/status >%s/none; sleep 1000'>, "
                              "'capabilities': <@as []>}}, " NO_OPTIONS ")",
                              h->directory));
  lines = harness_wait_lines (h, "none", 1);
  g_assert_cmpstr (lines[0], ==, "0000000000000000");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/process-options/attributes", test_attributes);
  g_test_add_func ("/process-options/limits", test_limits);
  g_test_add_func ("/process-options/spawn-error", test_spawn_error);
  g_test_add_func ("/rules/H5/env-file", test_env_file);
  g_test_add_func ("/rules/H5/env-file-wrong", test_env_file_wrong);
  g_test_add_func ("/rules/H1/inherit-env", test_inherit_env);
  g_test_add_func ("/process-options/words", test_words);
  g_test_add_func ("/process-options/words-of-file", test_words_of_file);
  g_test_add_func ("/rules/H6/capabilities", test_capabilities);
  return g_test_run ();
}
