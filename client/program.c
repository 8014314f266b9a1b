/* SPDX-License-Identifier: Apache-2.0
 *
 * Knows a build folder when it is run from one.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "zinit-config.h"

#include "client/program.h"

#include <string.h>
#include <unistd.h>

/* The build folder that this command is in; NULL when it is installed. */
static const char *
get_build_folder (void)
{
  static char *folder;
  static gboolean is_known;
  if (is_known)
    return folder;
  is_known = TRUE;
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  if (self != NULL && g_str_has_suffix (self, "/client/zinit"))
    folder = g_strndup (self, strlen (self) - strlen ("/client/zinit"));
  return folder;
}

/* PART/NAME of the build folder, if it is there; else @installed. */
static const char *
find_part (const char *part, const char *name, const char *installed)
{
  if (get_build_folder () == NULL)
    return installed;
  char *path = g_build_filename (get_build_folder (), part, name, NULL);
  if (access (path, F_OK) == 0)
    return path;
  g_free (path);
  return installed;
}

const char *
zinit_program_get_daemon (void)
{
  static const char *program;
  const char *named = g_getenv ("ZINIT_DAEMON");
  if (named != NULL && *named != '\0')
    return named;
  if (program == NULL)
    program = find_part ("daemon", "zinitd", ZINIT_DAEMON_PATH);
  return program;
}

const char *
zinit_program_get_locale_folder (void)
{
  static const char *folder;
  if (folder == NULL)
    folder = find_part ("po", "", ZINIT_LOCALE_DIR);
  return folder;
}
