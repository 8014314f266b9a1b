/* SPDX-License-Identifier: Apache-2.0
 *
 * Many services in one answer.
 */
#pragma once

#include "bus/call.h"

G_BEGIN_DECLS

gboolean zinit_bus_handle_list (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error);
gboolean zinit_bus_handle_list_stats (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                      GError **error);

G_END_DECLS
