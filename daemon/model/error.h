/* SPDX-License-Identifier: Apache-2.0
 *
 * The one error domain of zinit. Every fallible function of the daemon that can be reached from outside
 * reports in it; the bus maps each code to org.zinit.Error.* or org.freedesktop.DBus.Error.* (bus/errors.c).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ZINIT_ERROR (zinit_error_quark ())

/* The order is that of the table in bus/errors.c, which a static assertion holds together. */
typedef enum {
  ZINIT_ERROR_FAILED,            /* none of the others */
  ZINIT_ERROR_NO_SUCH_SERVICE,   /* no service of that name */
  ZINIT_ERROR_SERVICE_EXISTS,    /* a service of that name is there already */
  ZINIT_ERROR_INVALID_CONFIG,    /* a definition is wrong; the message says what, where, what is allowed */
  ZINIT_ERROR_CYCLIC_DEPENDENCY, /* the message shows the chain, "a → b → a" */
  ZINIT_ERROR_ALREADY_RUNNING,   /* the service is active and may not be for this request */
  ZINIT_ERROR_NOT_RUNNING,       /* the service has no process */
  ZINIT_ERROR_CANNOT_START,      /* a start that was waited for did not end in running */
  ZINIT_ERROR_SPAWN_FAILED,   /* the process could not be made; the message names the step and errno's text */
  ZINIT_ERROR_INVALID_SIGNAL, /* no such signal */
  ZINIT_ERROR_SHUTTING_DOWN,  /* the daemon is on its way out */
  ZINIT_ERROR_LIMIT_EXCEEDED, /* a documented limit (model/limits.h) was passed */
  ZINIT_ERROR_TIMED_OUT,      /* something was waited for in vain */
  ZINIT_ERROR_INVALID_ARGS,   /* an argument or option of a call is wrong */
  ZINIT_ERROR_ACCESS_DENIED,  /* the caller has not the right */
  ZINIT_ERROR_NOT_SUPPORTED,  /* known, but not in this version */
  ZINIT_N_ERRORS
} ZinitError;

GQuark zinit_error_quark (void);

/* The errno @reason says nothing about what was asked for: the kernel lacked something for an answer, and may
 * have it at the next try. */
gboolean zinit_error_is_transient (int reason);
/* The same, and no matter how often it has been tried: a device may be broken, but descriptors and memory
 * come back. */
gboolean zinit_error_passes (int reason);

G_END_DECLS
