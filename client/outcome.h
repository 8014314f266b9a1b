/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request has come to, for people and as JSON.
 */
#pragma once

#include "client/wait.h"

G_BEGIN_DECLS

/* One service's result: @error NULL = what was asked for is so. @info NULL = the service is not known (any
 * more). @said: as of zinit_outcome_say_waiting(), or NULL. */
void zinit_outcome_print (ZinitClient *client, const ZinitWaitRequest *request, const char *name,
                          const ZinitServiceInfo *info, const GError *error, const char *said);
/* {"service": …}; appended. */
void zinit_outcome_append_json (GString *json, const char *name, const ZinitServiceInfo *info,
                                const GError *error);
/* On standard error what blocked service @name waits for and what would help; nothing when that is what was
 * @said last.
 */
void zinit_outcome_say_waiting (ZinitClient *client, const ZinitWaitRequest *request, const char *name,
                                char **said);
/* On standard error what keeps @name down: the service at the root of it, its last output, commands to type;
 * nothing when that is what was @said. */
void zinit_outcome_explain (ZinitClient *client, const ZinitWaitRequest *request, const char *name,
                            const char *said);

G_END_DECLS
