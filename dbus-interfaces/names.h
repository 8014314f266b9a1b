/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of the D-Bus contract, shared by daemon and client: bus name, paths, interfaces, errors.
 */
#pragma once

#define ZINIT_BUS_NAME "org.zinit"
#define ZINIT_ROOT_PATH "/org/zinit"
#define ZINIT_MANAGER_PATH "/org/zinit/Manager"
#define ZINIT_SERVICE_PREFIX "/org/zinit/service"

#define ZINIT_MANAGER_INTERFACE "org.zinit.Manager"
#define ZINIT_SERVICE_INTERFACE "org.zinit.Service"
#define ZINIT_OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define ZINIT_PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

#define ZINIT_ERROR_PREFIX "org.zinit.Error."

/* Rises by one when the contract grows. */
#define ZINIT_INTERFACE_VERSION 2
