/* SPDX-License-Identifier: Apache-2.0
 *
 * Which zinitd belongs to this command: the one that reads definitions for it, and that a person would start.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* $ZINIT_DAEMON; else the one of the build folder that this command was built in; else the installed one,
 * which may not be there. Static. */
const char *zinit_program_get_daemon (void);

G_END_DECLS
