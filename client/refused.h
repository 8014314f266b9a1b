/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions that the daemon refuses, or of which it runs an older version: the property ConfigErrors.
 */
#pragma once

#include "client/command.h"

G_BEGIN_DECLS

/* a(sss): file, service or "", message. NULL when there is none, or no daemon to say. Transfer full. */
GVariant *zinit_refused_fetch (ZinitClient *client);
/* What is wrong with the definition of service @name; NULL for nothing. Borrowed from @refused, which may be
 * NULL. */
const char *zinit_refused_find (GVariant *refused, const char *name);
/* "2 definitions refused: web.toml, db.toml; …" for people; NULL for nothing. Transfer full. */
char *zinit_refused_describe (GVariant *refused);

G_END_DECLS
