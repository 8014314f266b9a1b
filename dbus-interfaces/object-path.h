/* SPDX-License-Identifier: Apache-2.0
 *
 * Service names as object path elements and back: every byte outside [A-Za-z0-9], and a leading digit, is
 * written as `_xx` in lower-case hexadecimal.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "web@1" → "web_401". Transfer full. */
char *zinit_object_path_escape (const char *name);
/* The name, or NULL when @element is not what zinit_object_path_escape() writes. Transfer full. */
char *zinit_object_path_unescape (const char *element);
/* "/org/zinit/service/web_401". Transfer full. */
char *zinit_object_path_for_service (const char *name);

G_END_DECLS
