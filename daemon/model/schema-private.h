/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the schema share among themselves: the checks of single texts that rows point to.
 */
#pragma once

#include "model/schema.h"

G_BEGIN_DECLS

/* One line for people: at most ZINIT_MAX_DESCRIPTION_BYTES, no control characters. */
gboolean zinit_check_description (const char *text, GError **error);
/* A user or group by name or number: 1-256 bytes, no blank, ':', '/' or control character, no leading '-'; a
 * number is at most 4294967294, as the one after it means "leave unchanged" to the kernel. */
gboolean zinit_check_account (const char *text, GError **error);
/* HOST:PORT, [IPV6]:PORT or the absolute path of a Unix socket. */
gboolean zinit_check_address (const char *text, GError **error);
/* http://HOST[:PORT][/PATH], without blanks. */
gboolean zinit_check_url (const char *text, GError **error);
/* An absolute path, or '-' and one. */
gboolean zinit_check_env_file (const char *text, GError **error);
/* The name of a capability, with CAP_. */
gboolean zinit_check_capability (const char *text, GError **error);
/* 1 to 4 octal digits, at most 0777. */
gboolean zinit_check_umask (const char *text, GError **error);
/* What zinit_resource_limit_parse() takes. */
gboolean zinit_check_limit (const char *text, GError **error);
/* What zinit_ready_parse() takes. */
gboolean zinit_check_ready (const char *text, GError **error);

G_END_DECLS
