/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of variables for the environment of a service (rule H5), read at each of its starts.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The variables of @text in their order, appended to @variables as "KEY=value" (transfer full): a line each,
 * blank ones and those that begin with # passed over; a value may stand in single or double quotes, and
 * nothing in it is expanded. FALSE with *@ret_line (from 1) and what is wrong with it, which shows no value.
 */
gboolean zinit_env_file_parse (const char *text, gsize length, GPtrArray *variables, guint *ret_line,
                               char **ret_problem);

/* Reads @paths one after the other (a leading '-': it need not be there) and puts @env over them, sorted by
 * key bytewise: the variables of all, NULL-terminated. NULL with ZINIT_ERROR_SPAWN_FAILED, "env_file
 * PATH:LINE: why". Transfer full. */
GPtrArray *zinit_env_files_read (const char *const *paths, const char *const *env, GError **error);

G_END_DECLS
