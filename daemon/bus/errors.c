/* SPDX-License-Identifier: Apache-2.0
 *
 * The table from codes to names. Nothing leaves the daemon as an unmapped GError.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/errors.h"

#include "model/error.h"
#include "names.h"

#define FREEDESKTOP_ERROR_PREFIX "org.freedesktop.DBus.Error."

static const char *const names[] = {
  [ZINIT_ERROR_FAILED] = ZINIT_ERROR_PREFIX "Failed",
  [ZINIT_ERROR_NO_SUCH_SERVICE] = ZINIT_ERROR_PREFIX "NoSuchService",
  [ZINIT_ERROR_SERVICE_EXISTS] = ZINIT_ERROR_PREFIX "ServiceExists",
  [ZINIT_ERROR_INVALID_CONFIG] = ZINIT_ERROR_PREFIX "InvalidConfig",
  [ZINIT_ERROR_CYCLIC_DEPENDENCY] = ZINIT_ERROR_PREFIX "CyclicDependency",
  [ZINIT_ERROR_ALREADY_RUNNING] = ZINIT_ERROR_PREFIX "AlreadyRunning",
  [ZINIT_ERROR_NOT_RUNNING] = ZINIT_ERROR_PREFIX "NotRunning",
  [ZINIT_ERROR_CANNOT_START] = ZINIT_ERROR_PREFIX "CannotStart",
  [ZINIT_ERROR_SPAWN_FAILED] = ZINIT_ERROR_PREFIX "SpawnFailed",
  [ZINIT_ERROR_INVALID_SIGNAL] = ZINIT_ERROR_PREFIX "InvalidSignal",
  [ZINIT_ERROR_SHUTTING_DOWN] = ZINIT_ERROR_PREFIX "ShuttingDown",
  [ZINIT_ERROR_LIMIT_EXCEEDED] = ZINIT_ERROR_PREFIX "LimitExceeded",
  [ZINIT_ERROR_TIMED_OUT] = ZINIT_ERROR_PREFIX "TimedOut",
  [ZINIT_ERROR_INVALID_ARGS] = FREEDESKTOP_ERROR_PREFIX "InvalidArgs",
  [ZINIT_ERROR_ACCESS_DENIED] = FREEDESKTOP_ERROR_PREFIX "AccessDenied",
  [ZINIT_ERROR_NOT_SUPPORTED] = FREEDESKTOP_ERROR_PREFIX "NotSupported",
};
G_STATIC_ASSERT (G_N_ELEMENTS (names) == ZINIT_N_ERRORS);

char *
zinit_bus_error_name (const GError *error)
{
  if (error->domain == ZINIT_ERROR && error->code >= 0 && error->code < ZINIT_N_ERRORS)
    return g_strdup (names[error->code]);
  if (error->domain == G_DBUS_ERROR)
    return g_dbus_error_encode_gerror (error);
  return g_strdup (names[ZINIT_ERROR_FAILED]);
}

GVariant *
zinit_bus_string (const char *text)
{
  if (text == NULL)
    return g_variant_new_string ("");
  if (g_utf8_validate (text, -1, NULL))
    return g_variant_new_string (text);
  return g_variant_new_take_string (g_utf8_make_valid (text, -1));
}

GVariant *
zinit_bus_strings (const char *const *list)
{
  static const char *const none[] = { NULL };

  return g_variant_new_strv (list != NULL ? list : none, -1);
}
