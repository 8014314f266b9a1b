/* SPDX-License-Identifier: Apache-2.0
 *
 * Which services a request moves besides the named ones: what they need, or what needs them.
 */
#pragma once

#include "client/wait.h"

G_BEGIN_DECLS

/* Names, those of @request among them. Transfer full. */
GHashTable *zinit_concern_find (ZinitClient *client, const ZinitWaitRequest *request);

G_END_DECLS
