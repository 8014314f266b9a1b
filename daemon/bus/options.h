/* SPDX-License-Identifier: Apache-2.0
 *
 * The `options` of calls, a{sv}: one table says which there are, each method which of them it knows.
 */
#pragma once

#include <gio/gio.h>

#include "process/process.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_CALL_WAIT = 1 << 0,
  ZINIT_CALL_TREE = 1 << 1,
  ZINIT_CALL_WHOM = 1 << 2,
  ZINIT_CALL_PERSIST = 1 << 3,
  ZINIT_CALL_REPLACE = 1 << 4,
  ZINIT_CALL_STOP = 1 << 5,
  ZINIT_CALL_LINES = 1 << 6,
  ZINIT_CALL_SINCE = 1 << 7,
  ZINIT_CALL_STREAM = 1 << 8,
  ZINIT_CALL_ALLOW_EMPTY = 1 << 9,
  ZINIT_CALL_TIMEOUT = 1 << 10,
  ZINIT_CALL_NAMES = 1 << 11,
  ZINIT_CALL_STATES = 1 << 12,
  ZINIT_CALL_SUB_STATES = 1 << 13,
  ZINIT_CALL_CLASS = 1 << 14,
} ZinitCallOption;

/* Of calls that can wait. */
#define ZINIT_CALL_WAITING (ZINIT_CALL_WAIT | ZINIT_CALL_TIMEOUT)

/* The values of one call. */
typedef struct {
  guint given; /* bits of ZinitCallOption */
  gboolean wait;
  gboolean tree;
  gboolean persist;
  gboolean replace;
  gboolean stop;
  gboolean allow_empty;
  guint32 lines;
  guint32 timeout_ms; /* of a call that waits; 0 = none */
  guint64 since_usec; /* since 1970 */
  int whom;           /* ZinitWhom; all unless given */
  int stream;         /* ZinitStream */
  int service_class;  /* ZinitClass */
  char **names;       /* each of the lists: NULL = not given */
  char **states;
  char **sub_states;
} ZinitCallOptions;

void zinit_call_options_clear (ZinitCallOptions *options);

/* Reads @dictionary (a{sv}). Numbers may be of any integer type, as in definitions; lists have at
 * most ZINIT_MAX_SERVICES items. To be cleared also after an error. @allowed: bits of
 * ZinitCallOption. ZINIT_ERROR_INVALID_ARGS names the option and what is allowed. */
gboolean zinit_call_options_parse (GVariant *dictionary, guint allowed, ZinitCallOptions *ret_options,
                                   GError **error);

G_END_DECLS
