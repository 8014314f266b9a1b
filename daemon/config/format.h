/* SPDX-License-Identifier: Apache-2.0
 *
 * A service definition in its three spellings: TOML text, JSON, and the D-Bus dictionary a{sa{sv}}. Each
 * walks the schema table; none knows a key by name.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "config/problem.h"
#include "model/definition.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_KEYS_STRICT, /* an unknown section or key is an error that names the nearest known one */
  /* It is ignored with a warning, and so is what a state file may hold and our schema does not allow: another
   * number is used, a health check is dropped. */
  ZINIT_KEYS_LAX,
} ZinitKeyRule;

/* Text to a complete and valid definition, unknown keys refused: what a definition file says. @is_json tells
 * the format; TOML 1.0, or strict JSON (config/strict-json.h). @default_name (may be NULL) is taken when
 * service.name is not given. @ret_name (may be NULL) is set even on error: service.name as far as it could be
 * read and is a valid name, else @default_name; transfer full. NULL with everything that is wrong in
 * @problems (may be NULL), in the order of the text. Transfer full. */
ZinitDefinition *zinit_definition_parse (const char *text, gsize length, gboolean is_json,
                                         const char *default_name, char **ret_name, GPtrArray *problems);

/* @default_name (may be NULL) is taken when service.name is not given. The result is complete and valid.
 * A null means "not given" for an optional text and for all of health, and is refused elsewhere. With
 * ZINIT_KEYS_LAX an incomplete health check is dropped with a warning: another version may know it. Errors:
 * ZINIT_ERROR_INVALID_CONFIG, "section.key: what; what is allowed", a line for each. Transfer full. */
ZinitDefinition *zinit_definition_from_json (JsonNode *node, const char *default_name, ZinitKeyRule rule,
                                             GError **error);
/* The same of the D-Bus dictionary a{sa{sv}}, unknown keys refused; numbers may be of any integer type. */
ZinitDefinition *zinit_definition_from_variant (GVariant *dictionary, GError **error);

/* Every section and every field that has a value, `health` only if there is one. Transfer full. */
JsonNode *zinit_definition_to_json (const ZinitDefinition *definition);
/* The same for the format of the state file, in which exec is a string: where it is a list, its words quoted
 * for a shell, and the list stands in the same section under ZINIT_SAVED_ARGV. zinit_definition_from_json()
 * with ZINIT_KEYS_LAX reads that. */
JsonNode *zinit_definition_to_saved_json (const ZinitDefinition *definition);
#define ZINIT_SAVED_ARGV "exec_argv"
/* a{sa{sv}}, every field that has a value; numbers as `t`. @with_secrets FALSE leaves out options flagged
 * ZINIT_OPTION_SECRET (service.env). Floating reference. */
GVariant *zinit_definition_to_variant (const ZinitDefinition *definition, gboolean with_secrets);
/* A TOML file that reads back as the same definition; only what differs from the defaults, and name and exec.
 * Transfer full. */
char *zinit_definition_to_toml (const ZinitDefinition *definition);

G_END_DECLS
