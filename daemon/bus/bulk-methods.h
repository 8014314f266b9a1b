/* SPDX-License-Identifier: Apache-2.0
 *
 * One request over several services.
 */
#pragma once

#include "bus/call.h"

G_BEGIN_DECLS

gboolean zinit_bus_handle_start_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                          GError **error);
gboolean zinit_bus_handle_stop_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                         GError **error);
gboolean zinit_bus_handle_restart_services (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                            GError **error);
gboolean zinit_bus_handle_start_all (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                     GError **error);
gboolean zinit_bus_handle_stop_all (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                    GError **error);
gboolean zinit_bus_handle_remove_all (ZinitCall *call, ZinitService *service, GVariant **ret_reply,
                                      GError **error);

G_END_DECLS
