/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges definition files without a daemon: each for itself, and all of a folder for cycles and for what they
 * require. For `zinitd
 * --check-config`, which the command `zinit check` runs.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

G_BEGIN_DECLS

/* @path is a folder or a file. Writes good services to @out and problems to @err, a line each; or with
 * @as_json one object { "services": [{ "name", "path", "definition" }], "errors": [{ "path", "message" }] }
 * to @out. Of a folder it says besides which services of requires and on_failure no file defines, as
 * JSON in "missing": [{ "service", "kind", "missing" }], kind being the option. That is a hint: the service
 * may be added without a file. Returns TRUE when there is no problem. */
gboolean zinit_check_config (const char *path, gboolean as_json, FILE *out, FILE *err);

G_END_DECLS
