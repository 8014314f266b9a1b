/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors and texts on their way out: each error of the daemon has a name on the bus, and what goes there is
 * UTF-8.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* "org.zinit.Error.NoSuchService", …; org.zinit.Error.Failed for a domain that has no names. Transfer full.
 */
char *zinit_bus_error_name (const GError *error);
/* An `s` of any bytes: what is not UTF-8 becomes U+FFFD; NULL becomes "". Floating. */
GVariant *zinit_bus_string (const char *text);
/* An `as` of a NULL-terminated list; NULL becomes the empty one. Floating. */
GVariant *zinit_bus_strings (const char *const *list);

G_END_DECLS
