/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the process of a service that an earlier daemon started. Its record decides; the process tags are
 * the second line. What happens to the service is decided elsewhere.
 */
#pragma once

#include "handover/inherited.h"
#include "handover/leftovers.h"
#include "handover/room.h"
#include "model/definition.h"

G_BEGIN_DECLS

/* Where to look. All is borrowed. */
typedef struct {
  const char *instance;
  const GPtrArray *leftovers; /* ZinitLeftover */
  ZinitInherited *inherited;  /* NULL = nothing */
  GHashTable *claimed;        /* pids that are found already; what is found is added */
  ZinitRoom *room;
  /* This very process wrote the state a moment ago: a child of it is what the state says. */
  gboolean is_own_state;
} ZinitFinder;

typedef enum {
  ZINIT_FOUND_NONE,    /* nothing of it lives */
  ZINIT_FOUND_MAIN,    /* its main process, alive or a zombie */
  ZINIT_FOUND_REST,    /* the main process has ended, others of its run have not */
  ZINIT_FOUND_UNKNOWN, /* cannot be told now */
} ZinitFound;

/* Looks for the process of service @name. @saved NULL: nothing is known of it but its tags. @definition is
 * the one it was started with. *@ret_adoption is filled with what was found, but for its tags. With
 * ZINIT_FOUND_UNKNOWN errno tells why; *@ret_by_tags is TRUE when @saved does not name what was found. */
ZinitFound zinit_find_process (const ZinitFinder *finder, const char *name, const ZinitSavedService *saved,
                               const ZinitDefinition *definition, ZinitAdoption *ret_adoption,
                               gboolean *ret_by_tags);

G_END_DECLS
