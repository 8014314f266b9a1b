/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit check`: becomes the daemon's own program, which judges. It needs no daemon that runs, and it reads
 * what the daemon would read.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/command.h"
#include "client/output.h"
#include "client/program.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

ZinitExitCode
zinit_command_check (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) words = zinit_command_parse (client, NULL, 1, 1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  const char *checker = zinit_program_get_daemon ();
  const char *const arguments[] = { checker, "--check-config", words[0], client->json ? "--json" : NULL,
                                    NULL };
  execv (checker, (char **)arguments);
  zinit_output_print_error (_ ("%s cannot be run: %s"), checker, g_strerror (errno));
  return ZINIT_EXIT_FAILED;
}
