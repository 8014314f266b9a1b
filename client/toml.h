/* SPDX-License-Identifier: Apache-2.0
 *
 * A definition from the bus as TOML text.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @definition: a{sa{sv}}. Reads back as the same definition; control characters are escaped, so that it is
 * harmless on a terminal. Empty lists and tables are left out. Transfer full. */
char *zinit_toml_from_definition (GVariant *definition);

G_END_DECLS
