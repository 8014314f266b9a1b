/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition that comes from standard input.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* As zinit_definition_read(), which takes files alone: what is read is in one meanwhile. TOML, or JSON when
 * it begins with a brace. It must give its service's name. Transfer full. */
GVariant *zinit_definition_read_standard_input (GError **error);

G_END_DECLS
