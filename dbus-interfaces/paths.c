/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the paths of one daemon from options, environment and defaults. It makes no folder and opens no file;
 * it looks only whether two of the candidates are there.
 */
#define G_LOG_DOMAIN "zinit-contract"

#include "paths.h"

#include <string.h>
#include <unistd.h>

/* NULL when @variable is not set or empty. */
static const char *
environment (const char *variable)
{
  const char *value = g_getenv (variable);
  return value != NULL && *value != '\0' ? value : NULL;
}

/* A service manager gives several folders as one colon-separated list; the first is ours. */
static char *
first_of_list (const char *list)
{
  return g_strndup (list, strcspn (list, ":"));
}

static char *
default_config_dir (ZinitScope scope)
{
  if (scope == ZINIT_SCOPE_SYSTEM)
    return g_strdup ("/etc/zinit/services");

  /* The XDG base directory specification tells to pass over a relative path. g_get_user_config_dir() would
   * remember its first answer for ever. */
  const char *base = environment ("XDG_CONFIG_HOME");
  if (base != NULL && g_path_is_absolute (base))
    return g_build_filename (base, "zinit", "services", NULL);
  return g_build_filename (g_get_home_dir (), ".config", "zinit", "services", NULL);
}

static char *
find_config_dir (ZinitScope scope)
{
  const char *own = environment ("ZINIT_CONFIG_DIR");
  if (own != NULL)
    return g_strdup (own);

  const char *list = environment ("CONFIGURATION_DIRECTORY");
  g_autofree char *folder = list != NULL ? first_of_list (list) : NULL;
  if (folder == NULL || *folder == '\0')
    return default_config_dir (scope);

  g_autofree char *services = g_build_filename (folder, "services", NULL);
  return g_file_test (services, G_FILE_TEST_IS_DIR) ? g_steal_pointer (&services) : g_steal_pointer (&folder);
}

static char *
default_runtime_dir (ZinitScope scope)
{
  if (scope == ZINIT_SCOPE_SYSTEM)
    return g_strdup ("/run/zinit");

  const char *base = environment ("XDG_RUNTIME_DIR");
  if (base != NULL && g_path_is_absolute (base))
    return g_build_filename (base, "zinit", NULL);

  g_autofree char *usual = g_strdup_printf ("/run/user/%u", (guint)getuid ());
  /* Whoever makes the name in the temporary folder first owns it: nothing of root's goes there. */
  if (getuid () == 0 || g_file_test (usual, G_FILE_TEST_IS_DIR))
    return g_build_filename (usual, "zinit", NULL);

  g_autofree char *own = g_strdup_printf ("zinit-%u", (guint)getuid ());
  return g_build_filename (g_get_tmp_dir (), own, NULL);
}

static char *
find_runtime_dir (ZinitScope scope)
{
  const char *own = environment ("ZINIT_RUNTIME_DIR");
  if (own != NULL)
    return g_strdup (own);

  const char *list = environment ("RUNTIME_DIRECTORY");
  g_autofree char *folder = list != NULL ? first_of_list (list) : NULL;
  return folder != NULL && *folder != '\0' ? g_steal_pointer (&folder) : default_runtime_dir (scope);
}

ZinitPaths *
zinit_paths_new (ZinitScope scope, const char *config_dir, const char *runtime_dir, const char *socket)
{
  g_autofree char *config = config_dir != NULL ? g_strdup (config_dir) : find_config_dir (scope);
  g_autofree char *runtime = runtime_dir != NULL ? g_strdup (runtime_dir) : find_runtime_dir (scope);
  if (socket == NULL)
    socket = environment ("ZINIT_SOCKET");

  ZinitPaths *paths = g_new0 (ZinitPaths, 1);
  paths->config_dir = g_canonicalize_filename (config, NULL);
  paths->runtime_dir = g_canonicalize_filename (runtime, NULL);
  paths->socket = socket != NULL ? g_canonicalize_filename (socket, NULL)
                                 : g_build_filename (paths->runtime_dir, ZINIT_SOCKET_FILE, NULL);
  paths->state = g_build_filename (paths->runtime_dir, ZINIT_STATE_FILE, NULL);
  paths->fds = g_build_filename (paths->runtime_dir, ZINIT_FDS_FILE, NULL);
  paths->logs = g_build_filename (paths->runtime_dir, ZINIT_LOGS_FOLDER, NULL);
  return paths;
}

char *
zinit_paths_find_socket (ZinitScope scope, gboolean use_environment)
{
  const char *socket = use_environment ? environment ("ZINIT_SOCKET") : NULL;
  const char *folder = use_environment ? environment ("ZINIT_RUNTIME_DIR") : NULL;
  g_autofree char *runtime = folder != NULL ? g_strdup (folder) : default_runtime_dir (scope);
  g_autofree char *path =
      socket != NULL ? g_strdup (socket) : g_build_filename (runtime, ZINIT_SOCKET_FILE, NULL);

  return g_canonicalize_filename (path, NULL);
}

void
zinit_paths_free (ZinitPaths *paths)
{
  if (paths == NULL)
    return;
  g_free (paths->config_dir);
  g_free (paths->runtime_dir);
  g_free (paths->socket);
  g_free (paths->state);
  g_free (paths->fds);
  g_free (paths->logs);
  g_free (paths);
}
