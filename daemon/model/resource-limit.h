/* SPDX-License-Identifier: Apache-2.0
 *
 * The resource limits of a service, setrlimit(2), as its definition words them.
 */
#pragma once

#include <glib.h>
#include <sys/resource.h>

G_BEGIN_DECLS

typedef enum {
  ZINIT_RESOURCE_NOFILE,
  ZINIT_RESOURCE_NPROC,
  ZINIT_RESOURCE_CORE,
  ZINIT_RESOURCE_FSIZE,
  ZINIT_RESOURCE_MEMLOCK,
  ZINIT_RESOURCE_AS,
  ZINIT_RESOURCE_STACK,
  ZINIT_N_RESOURCES
} ZinitResource;

/* The key of each in [limits]: "nofile"; in enum order. */
extern const char *const zinit_resource_words[];
/* The number of each for setrlimit(2); in enum order. */
extern const int zinit_resource_numbers[];

/* "N" (both), "infinity" (both) or "SOFT:HARD". FALSE with ZINIT_ERROR_INVALID_CONFIG, which says what is
 * allowed. */
gboolean zinit_resource_limit_parse (const char *text, struct rlimit *ret_limit, GError **error);

G_END_DECLS
