/* SPDX-License-Identifier: Apache-2.0
 *
 * Reexecute and PrepareRestart on the bus: the call is answered and everything sent before the daemon hands
 * over.
 */
#pragma once

#include "bus/call.h"

G_BEGIN_DECLS

gboolean zinit_bus_handle_reexecute (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                     GError **error);
gboolean zinit_bus_handle_prepare_restart (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                           GError **error);

G_END_DECLS
