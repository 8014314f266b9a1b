/* SPDX-License-Identifier: Apache-2.0
 *
 * What `zinitd --check-state` and `--check-fds` do: judge a file without touching anything, and show what
 * would be restored.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

G_BEGIN_DECLS

/* Judges the state file @path. @at is the time to judge version and age at, "now" or ms since 1970 in decimal
 * digits; NULL = the document alone is judged. Returns the exit code: 0, and the canonical document, the
 * format's fields only, is on @out; 1, and "PATH: field: what; what is allowed" is on @err; 2, with a message
 * there, when @at is no time. */
int zinit_check_state_file (const char *path, const char *at, FILE *out, FILE *err);
/* The same for a descriptor map, which has no age and whose version nobody asks for. */
int zinit_check_fds_file (const char *path, FILE *out, FILE *err);

G_END_DECLS
