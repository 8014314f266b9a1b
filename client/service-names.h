/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of services as people type them: patterns, and what to say of a name that the daemon does not know.
 */
#pragma once

#include "client/command.h"

G_BEGIN_DECLS

/* @words with each pattern (*, ?, [...]) replaced by the names of the services that match it, each name once.
 * For a pattern that matches nothing a message is printed and @exit_code becomes worse. NULL when there is no
 * daemon, or when nothing is left of words that were given. Transfer full. */
char **zinit_names_expand (ZinitClient *client, char **words, ZinitExitCode *exit_code);
/* The text of @error about service @name: for one that does not exist also why, or which one may be meant.
 * Transfer full. */
char *zinit_names_explain (ZinitClient *client, const char *name, const GError *error);
/* Prints zinit_names_explain(). Returns the exit code of @error. */
ZinitExitCode zinit_names_fail (ZinitClient *client, const char *name, const GError *error);
/* All names, sorted. Transfer full. */
char **zinit_names_list (ZinitClient *client, GError **error);

G_END_DECLS
