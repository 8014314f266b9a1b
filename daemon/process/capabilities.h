/* SPDX-License-Identifier: Apache-2.0
 *
 * Which capabilities a process keeps (rule H6): a process of another user has them as its ambient ones, and
 * none can ever have more. The daemon reads the definition, the child sets what was read.
 */
#pragma once

#include "model/definition.h"

G_BEGIN_DECLS

typedef struct {
  gboolean is_given; /* FALSE = the daemon's */
  guint64 kept;      /* a bit for each */
  int n_known;       /* by the kernel */
  gboolean sets_uid; /* the child changes its user */
} ZinitCapabilities;

void zinit_capabilities_read (const ZinitDefinition *definition, gboolean sets_uid,
                              ZinitCapabilities *ret_capabilities);

/* Both in the child, before and after it changes its user. FALSE with errno set. */
gboolean zinit_capabilities_bound (const ZinitCapabilities *capabilities);
gboolean zinit_capabilities_set (const ZinitCapabilities *capabilities);

G_END_DECLS
