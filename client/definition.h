/* SPDX-License-Identifier: Apache-2.0
 *
 * A service definition out of a file, as the bus takes it. The daemon's own program reads the file: there is
 * one reader of definitions, and the client has no second opinion.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Reads the one definition in file @path as a{sa{sv}}. The error names each problem in a line of its own.
 * Transfer full. */
GVariant *zinit_definition_read (const char *path, GError **error);
/* {section: {key: value}} as a{sa{sv}}: strings s, lists of strings as, objects of strings a{ss}, booleans b,
 * whole numbers t (negative ones x). Floating reference. */
GVariant *zinit_definition_from_json (JsonNode *node, GError **error);

G_END_DECLS
