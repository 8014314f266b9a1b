/* SPDX-License-Identifier: Apache-2.0
 *
 * The definition that a service carries in state.json. It is kept as text: what it says has to come back as
 * it was, fields that are absent and health checks of others included, and a ZinitDefinition would fill in
 * what was never said.
 */
#pragma once

#include "persist/decoder.h"

G_BEGIN_DECLS

/* Reads the next value of @decoder as such a definition into *@ret_text, which is owned and replaced. */
gboolean zinit_saved_config_read (ZinitDecoder *decoder, char **ret_text);

G_END_DECLS
