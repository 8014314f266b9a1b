/* SPDX-License-Identifier: Apache-2.0
 *
 * Which option, variable or default wins for each path.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "paths.h"

static const char *const variables[] = {
  "ZINIT_CONFIG_DIR",  "ZINIT_RUNTIME_DIR", "ZINIT_SOCKET",    "CONFIGURATION_DIRECTORY",
  "RUNTIME_DIRECTORY", "XDG_CONFIG_HOME",   "XDG_RUNTIME_DIR",
};

static void
clear_environment (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

static void
test_system_defaults (void)
{
  g_autoptr (ZinitPaths) paths = NULL;

  clear_environment ();
  paths = zinit_paths_new (ZINIT_SCOPE_SYSTEM, NULL, NULL, NULL);
  g_assert_cmpstr (paths->config_dir, ==, "/etc/zinit/services");
  g_assert_cmpstr (paths->runtime_dir, ==, "/run/zinit");
  g_assert_cmpstr (paths->socket, ==, "/run/zinit/zinit.sock");
  g_assert_cmpstr (paths->state, ==, "/run/zinit/state.json");
  g_assert_cmpstr (paths->fds, ==, "/run/zinit/fds.json");
  g_assert_cmpstr (paths->logs, ==, "/run/zinit/logs");
}

static void
test_session_defaults (void)
{
  g_autoptr (ZinitPaths) paths = NULL;

  clear_environment ();
  g_setenv ("XDG_CONFIG_HOME", "/c", TRUE);
  g_setenv ("XDG_RUNTIME_DIR", "/r", TRUE);
  paths = zinit_paths_new (ZINIT_SCOPE_SESSION, NULL, NULL, NULL);
  g_assert_cmpstr (paths->config_dir, ==, "/c/zinit/services");
  g_assert_cmpstr (paths->runtime_dir, ==, "/r/zinit");
  g_assert_cmpstr (paths->socket, ==, "/r/zinit/zinit.sock");
}

/* Without the variables, or with relative ones, which the XDG specification says to ignore. */
static void
test_session_without_xdg (void)
{
  g_autofree char *usual = g_strdup_printf ("/run/user/%u/zinit", (guint)getuid ());
  g_autofree char *leaf = g_strdup_printf ("zinit-%u", (guint)getuid ());
  g_autofree char *own = g_build_filename (g_get_tmp_dir (), leaf, NULL);
  g_autofree char *config = g_build_filename (g_get_home_dir (), ".config", "zinit", "services", NULL);
  g_autofree char *parent = g_path_get_dirname (usual);

  /* Nothing of root's is in a folder where others may be first. */
  gboolean is_usual = getuid () == 0 || g_file_test (parent, G_FILE_TEST_IS_DIR);

  for (int relative = 0; relative < 2; relative++) {
    g_autoptr (ZinitPaths) paths = NULL;

    clear_environment ();
    if (relative) {
      g_setenv ("XDG_CONFIG_HOME", "c", TRUE);
      g_setenv ("XDG_RUNTIME_DIR", "r", TRUE);
    }
    paths = zinit_paths_new (ZINIT_SCOPE_SESSION, NULL, NULL, NULL);
    g_assert_cmpstr (paths->config_dir, ==, config);
    g_assert_cmpstr (paths->runtime_dir, ==, is_usual ? usual : own);
  }
}

static void
test_precedence (void)
{
  g_autoptr (ZinitPaths) managed = NULL;
  g_autoptr (ZinitPaths) own = NULL;
  g_autoptr (ZinitPaths) given = NULL;
  g_autoptr (ZinitPaths) empty = NULL;

  clear_environment ();
  g_setenv ("CONFIGURATION_DIRECTORY", "/managed/config:/second", TRUE);
  g_setenv ("RUNTIME_DIRECTORY", "/managed/run:/second", TRUE);
  managed = zinit_paths_new (ZINIT_SCOPE_SYSTEM, NULL, NULL, NULL);
  g_assert_cmpstr (managed->config_dir, ==, "/managed/config");
  g_assert_cmpstr (managed->runtime_dir, ==, "/managed/run");

  g_setenv ("ZINIT_CONFIG_DIR", "/own/config", TRUE);
  g_setenv ("ZINIT_RUNTIME_DIR", "/own/run", TRUE);
  g_setenv ("ZINIT_SOCKET", "/own/sock", TRUE);
  own = zinit_paths_new (ZINIT_SCOPE_SYSTEM, NULL, NULL, NULL);
  g_assert_cmpstr (own->config_dir, ==, "/own/config");
  g_assert_cmpstr (own->runtime_dir, ==, "/own/run");
  g_assert_cmpstr (own->socket, ==, "/own/sock");
  g_assert_cmpstr (own->state, ==, "/own/run/state.json");

  given = zinit_paths_new (ZINIT_SCOPE_SYSTEM, "/given/config", "/given/run", "/given/sock");
  g_assert_cmpstr (given->config_dir, ==, "/given/config");
  g_assert_cmpstr (given->runtime_dir, ==, "/given/run");
  g_assert_cmpstr (given->socket, ==, "/given/sock");
  g_assert_cmpstr (given->fds, ==, "/given/run/fds.json");

  /* A variable that is set to nothing is not set. */
  clear_environment ();
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_setenv (variables[i], "", TRUE);
  empty = zinit_paths_new (ZINIT_SCOPE_SYSTEM, NULL, NULL, NULL);
  g_assert_cmpstr (empty->config_dir, ==, "/etc/zinit/services");
  g_assert_cmpstr (empty->runtime_dir, ==, "/run/zinit");
  g_assert_cmpstr (empty->socket, ==, "/run/zinit/zinit.sock");
}

static void
test_services_subfolder (void)
{
  g_autofree char *folder = g_dir_make_tmp ("zinit-paths-XXXXXX", NULL);
  g_autofree char *services = g_build_filename (folder, "services", NULL);
  g_autoptr (ZinitPaths) without = NULL;
  g_autoptr (ZinitPaths) with = NULL;

  clear_environment ();
  g_setenv ("CONFIGURATION_DIRECTORY", folder, TRUE);
  without = zinit_paths_new (ZINIT_SCOPE_SYSTEM, NULL, NULL, NULL);
  g_assert_cmpstr (without->config_dir, ==, folder);

  g_assert_cmpint (g_mkdir (services, 0700), ==, 0);
  with = zinit_paths_new (ZINIT_SCOPE_SYSTEM, NULL, NULL, NULL);
  g_assert_cmpstr (with->config_dir, ==, services);

  g_rmdir (services);
  g_rmdir (folder);
}

static void
test_absolute (void)
{
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *config = g_build_filename (here, "config", NULL);
  g_autofree char *runtime = g_build_filename (here, "run", NULL);
  g_autofree char *socket = g_build_filename (runtime, "zinit.sock", NULL);
  g_autoptr (ZinitPaths) paths = NULL;

  clear_environment ();
  paths = zinit_paths_new (ZINIT_SCOPE_SYSTEM, "config", "./other/../run/", NULL);
  g_assert_cmpstr (paths->config_dir, ==, config);
  g_assert_cmpstr (paths->runtime_dir, ==, runtime);
  g_assert_cmpstr (paths->socket, ==, socket);
}

/* A client asks for a daemon: what it was told by option is no matter of the environment, and a service's own
 * folder says nothing about where zinitd is. */
static void
test_find_socket (void)
{
  static const struct {
    const char *variable, *value, *expected;
    gboolean use_environment;
  } cases[] = {
    { "RUNTIME_DIRECTORY", "/of/the/service", "/run/zinit/zinit.sock", TRUE },
    { "ZINIT_RUNTIME_DIR", "/own/run", "/own/run/zinit.sock", TRUE },
    { "ZINIT_SOCKET", "/own/sock", "/own/sock", TRUE },
    { "ZINIT_SOCKET", "/own/sock", "/run/zinit/zinit.sock", FALSE },
  };

  clear_environment ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *socket = NULL;

    g_setenv (cases[i].variable, cases[i].value, TRUE);
    socket = zinit_paths_find_socket (ZINIT_SCOPE_SYSTEM, cases[i].use_environment);
    g_assert_cmpstr (socket, ==, cases[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/paths/system-defaults", test_system_defaults);
  g_test_add_func ("/paths/session-defaults", test_session_defaults);
  g_test_add_func ("/paths/session-without-xdg", test_session_without_xdg);
  g_test_add_func ("/paths/precedence", test_precedence);
  g_test_add_func ("/paths/services-subfolder", test_services_subfolder);
  g_test_add_func ("/paths/absolute", test_absolute);
  g_test_add_func ("/paths/find-socket", test_find_socket);
  return g_test_run ();
}
