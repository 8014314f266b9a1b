/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds zinitd.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/program.h"

#include <unistd.h>

/* NULL unless this command is the one of a build folder. Transfer full. */
static char *
find_built (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  if (self == NULL || !g_str_has_suffix (self, "/client/zinit"))
    return NULL;
  g_autofree char *folder = g_path_get_dirname (self), *top = g_path_get_dirname (folder);
  g_autofree char *program = g_build_filename (top, "daemon", "zinitd", NULL);
  return access (program, X_OK) == 0 ? g_steal_pointer (&program) : NULL;
}

const char *
zinit_program_get_daemon (void)
{
  static char *built;
  const char *named = g_getenv ("ZINIT_DAEMON");
  if (named != NULL && *named != '\0')
    return named;
  if (built == NULL)
    built = find_built ();
  return built != NULL ? built : ZINIT_DAEMON_PATH;
}
