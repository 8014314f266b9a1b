/* SPDX-License-Identifier: Apache-2.0
 *
 * What a definition may ask for only where the daemon has the right to give it.
 */
#pragma once

#include "model/schema.h"

G_BEGIN_DECLS

/* Reports what this process may not set in a child: capabilities. */
void zinit_rights_validate (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data);

G_END_DECLS
