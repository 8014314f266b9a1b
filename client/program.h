/* SPDX-License-Identifier: Apache-2.0
 *
 * Which other files belong to this command: the zinitd that reads definitions for it, and that a person would
 * start; its translations.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* $ZINIT_DAEMON; else the one of the build folder that this command was built in; else the installed one,
 * which may not be there. Static. */
const char *zinit_program_get_daemon (void);
/* Where the translations of this command are, in the same way. Static. */
const char *zinit_program_get_locale_folder (void);

G_END_DECLS
