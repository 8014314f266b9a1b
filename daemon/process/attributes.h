/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process is beside its program, its folder and its user: limits, priorities, the mask of new files.
 * The daemon reads the definition, the child sets what was read.
 */
#pragma once

#include <sys/types.h>

#include "model/definition.h"
#include "process/step.h"

G_BEGIN_DECLS

/* What is not given stays the daemon's. */
typedef struct {
  gboolean has_limit[ZINIT_N_RESOURCES];
  struct rlimit limits[ZINIT_N_RESOURCES];
  gboolean has_umask;
  mode_t umask;
  gboolean has_nice;
  int nice;
  char oom_score_adj[8]; /* as the kernel's file takes it; "" = not given */
  gsize oom_score_adj_length;
  gboolean no_new_privs;
} ZinitAttributes;

/* @files is the limit of descriptors where @definition has none: the daemon's own is another than the one
 * that it was started with. */
void zinit_attributes_read (const ZinitDefinition *definition, const struct rlimit *files,
                            ZinitAttributes *ret_attributes);

/* In the child, before it changes its user: what is raised needs the daemon's rights. ZINIT_STEP_NONE, or the
 * step that failed with errno set. */
ZinitStep zinit_attributes_apply (const ZinitAttributes *attributes);

G_END_DECLS
