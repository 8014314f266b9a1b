/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a record log applied to a saved state. A record is applied when it is whole; replay ends at
 * the first one that is not.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include <string.h>

#include "model/error.h"
#include "model/limits.h"
#include "persist/record-log.h"

#define MAX_LINE_BYTES ZINIT_MAX_RECORD_BYTES

typedef enum { RECORD_STARTED, RECORD_ABORTED, RECORD_SERVICE, RECORD_REMOVED, N_RECORDS } RecordKind;

static const struct {
  const char *word;
  guint n_words; /* on the line */
} kinds[N_RECORDS] = {
  [RECORD_STARTED] = { "started", 6 },
  [RECORD_ABORTED] = { "aborted", 6 },
  [RECORD_SERVICE] = { "service", 3 },
  [RECORD_REMOVED] = { "removed", 3 },
};

typedef struct {
  RecordKind kind;
  guint64 sequence;
  char **words;
} Record;

static gboolean
parse_number (const char *text, guint64 *number)
{
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, number, NULL);
}

/* @line owns the words. */
static gboolean
parse_line (char **words, Record *ret_record)
{
  guint n_words = g_strv_length (words);

  ret_record->words = words;
  for (ret_record->kind = 0; ret_record->kind < N_RECORDS; ret_record->kind++)
    if (n_words == kinds[ret_record->kind].n_words && g_str_equal (words[0], kinds[ret_record->kind].word))
      return parse_number (words[1], &ret_record->sequence);
  return FALSE;
}

static ZinitSavedService *
find_service (ZinitSavedState *state, const char *name)
{
  ZinitSavedService *service = g_tree_lookup (state->services, name);

  if (service == NULL) {
    service = zinit_saved_service_new (name);
    service->state = ZINIT_STATE_INACTIVE;
    g_tree_insert (state->services, g_strdup (name), service);
  }
  if (service->extra == NULL)
    service->extra = zinit_state_extensions_new ();
  return service;
}

/* What was saved of the run before is not true any more. A service that was started was wanted, even if the
 * record of the request is missing. */
static gboolean
apply_started (ZinitSavedState *state, char **words)
{
  guint64 run, pid, start_ticks;
  ZinitSavedService *service;
  ZinitStateExtensions *extra;

  if (!parse_number (words[3], &run) || !parse_number (words[4], &pid) || pid > G_MAXUINT32 ||
      !parse_number (words[5], &start_ticks))
    return FALSE;
  service = find_service (state, words[2]);
  extra = service->extra;
  /* It was executed; that is all that a service without `ready` needs. */
  service->state = ZINIT_STATE_STARTING;
  service->has_pid = TRUE;
  service->pid = (guint32)pid;
  service->has_started_at = FALSE;
  service->started_at = 0;
  extra->run = run;
  extra->pid_start_ticks = start_ticks;
  extra->stdout_inode = extra->stderr_inode = extra->deadline_at = 0;
  zinit_failure_clear (&extra->failure);
  extra->exit_unknown = extra->main_ended = extra->stop_due = extra->stop_asked = FALSE;
  extra->stop_cause = -1;
  extra->keeps_place = FALSE;
  extra->start_timed_out = extra->kill_needed = extra->start_after = extra->comes_back = FALSE;
  if (extra->wanted_status == ZINIT_WANTED_STOP)
    extra->wanted_status = ZINIT_WANTED_START;
  return TRUE;
}

/* The program did not run, so the start is to be made again. */
static void
apply_aborted (ZinitSavedState *state, char **words)
{
  ZinitSavedService *service = find_service (state, words[2]);

  service->state = ZINIT_STATE_INACTIVE;
  service->has_pid = FALSE;
  service->pid = 0;
  service->extra->pid_start_ticks = 0;
  service->extra->start_after = TRUE;
}

static gboolean
apply (ZinitSavedState *state, const Record *record, const char *body, gsize body_length)
{
  g_autoptr (GError) error = NULL;

  switch (record->kind) {
  case RECORD_STARTED:
    return apply_started (state, record->words);
  case RECORD_ABORTED:
    apply_aborted (state, record->words);
    return TRUE;
  case RECORD_REMOVED:
    g_tree_remove (state->services, record->words[2]);
    return TRUE;
  default:
    if (zinit_saved_state_merge (state, body, body_length, &error))
      return TRUE;
    g_warning ("a record of a service is damaged: %s", error->message);
    return FALSE;
  }
}

/* Where the record that begins at @text ends; NULL when it is not whole, or cannot be applied. */
static const char *
apply_one (const char *text, const char *end, ZinitSavedState *state, guint64 *ret_sequence)
{
  const char *line_end = memchr (text, '\n', (gsize)(MIN (end - text, MAX_LINE_BYTES)));
  g_autofree char *line = line_end != NULL ? g_strndup (text, (gsize)(line_end - text)) : NULL;
  g_auto (GStrv) words = line != NULL ? g_strsplit (line, " ", 8) : NULL;
  guint64 body_length = 0;
  const char *next;
  Record record;

  if (words == NULL || !parse_line (words, &record) ||
      (record.kind == RECORD_SERVICE && !parse_number (words[2], &body_length)))
    return NULL;
  next = line_end + 1;
  if (record.kind == RECORD_SERVICE) {
    if (body_length >= (guint64)(end - next) || next[body_length] != '\n')
      return NULL;
    next += body_length + 1;
  }
  if (record.sequence > state->record_sequence && !apply (state, &record, line_end + 1, body_length))
    return NULL;
  *ret_sequence = MAX (*ret_sequence, record.sequence);
  return next;
}

gsize
zinit_records_apply (const char *text, gsize length, ZinitSavedState *state, guint64 *ret_sequence)
{
  const char *end = text + length;
  const char *at = text;

  *ret_sequence = state->record_sequence;
  while (at < end) {
    const char *next = apply_one (at, end, state, ret_sequence);

    if (next == NULL)
      break;
    at = next;
  }
  return (gsize)(at - text);
}
