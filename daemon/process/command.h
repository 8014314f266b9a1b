/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns a command line into what execve(2) takes: plain words are executed directly, anything a shell would
 * treat specially goes to /bin/sh -c, with the same result either way. No process is made here.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The words of @exec when it is plain (unquoted safe characters, or quotes without anything to expand inside,
 * and not an assignment, keyword or built-in of the shell first), else NULL: it needs a shell. Transfer full.
 */
char **zinit_command_split_plain (const char *exec);
/* The argument vector to execute. Transfer full. */
char **zinit_command_to_argv (const char *exec);
/* The file that a shell would execute for @word: itself if it has a slash, else the first executable one of
 * @path (colon separated, NULL = the system's default). NULL when there is none. Transfer full. */
char *zinit_command_find (const char *word, const char *path, const char *working_directory);

G_END_DECLS
