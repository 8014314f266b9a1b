/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of calls that several clients made at the same time, and the check of it: is there an order of
 * the calls, each at some moment between its call and its reply, that gives every reply and what was seen at
 * the end? A call without a reply may have had its effect or not. It knows no D-Bus and no process.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* All that the check knows of one service. */
typedef enum {
  HISTORY_ABSENT,
  HISTORY_LEAVING, /* removed, and its process has not ended yet: it is absent at some moment by itself */
  HISTORY_WANTED,  /* there, and to be running */
  HISTORY_STOPPED, /* there, and to stay down */
  HISTORY_N_STATES
} HistoryState;

typedef enum {
  HISTORY_START,
  HISTORY_STOP,
  HISTORY_RESTART,
  HISTORY_ADD,
  HISTORY_REPLACE,
  HISTORY_REMOVE,   /* with "stop" */
  HISTORY_STOP_ALL, /* a stop of each service that is there */
  HISTORY_RELOAD,   /* changes nothing: nobody else writes the folder */
  HISTORY_N_KINDS
} HistoryKind;

typedef struct {
  HistoryKind kind;
  char *service;      /* NULL = all */
  char *result;       /* "ok", or the last word of the error's name; NULL = no reply */
  gint64 called_usec; /* CLOCK_MONOTONIC */
  gint64 replied_usec;
} HistoryCall;

void history_call_free (HistoryCall *call);
const char *history_kind_to_string (HistoryKind kind);
const char *history_state_to_string (HistoryState state);

/* @calls (HistoryCall) were made while @service was @before first; @after is what was seen when all was over.
 * At most 64 of them may be about one service. FALSE with the calls of that service in @ret_story (transfer
 * full) when no order explains it. */
gboolean history_explains (GPtrArray *calls, const char *service, HistoryState before, HistoryState after,
                           char **ret_story);
/* All calls about @service, or about all of them with NULL, a line each. Transfer full. */
char *history_tell (GPtrArray *calls, const char *service);

G_END_DECLS
