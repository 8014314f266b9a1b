/* SPDX-License-Identifier: Apache-2.0
 *
 * The quark behind ZINIT_ERROR. What each code becomes on the bus is bus/errors.c's matter.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/error.h"

G_DEFINE_QUARK (zinit - error - quark, zinit_error)
