/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents' tables, their memory, and the checks of a whole document. Their text is read in
 * state-reader.c and written in state-writer.c.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/state-fields.h"

#include <string.h>

#include "model/error.h"
#include "model/machine.h"

static const char *const clock_words[] = { "realtime", "monotonic", "boottime", NULL };
G_STATIC_ASSERT (G_N_ELEMENTS (clock_words) == ZINIT_N_SAVED_CLOCKS + 1);

#define FIELD(Struct, rule, type, member) #member, type, rule, G_STRUCT_OFFSET(Struct, member)
#define NEEDED(Struct, type, member) FIELD (Struct, ZINIT_FIELD_NEEDED, type, member)
#define NULLABLE(Struct, type, member)                                                                       \
  FIELD (Struct, ZINIT_FIELD_NULLABLE, type, member), G_STRUCT_OFFSET (Struct, has_##member)
#define OWN(Struct, type, member) FIELD (Struct, ZINIT_FIELD_OWN, type, member)

static const ZinitField service_fields[] = {
  { NEEDED (ZinitSavedService, ZINIT_FIELD_STRING, name) },
  { NEEDED (ZinitSavedService, ZINIT_FIELD_WORD, state), .words = zinit_state_words },
  { NULLABLE (ZinitSavedService, ZINIT_FIELD_U32, pid) },
  { NEEDED (ZinitSavedService, ZINIT_FIELD_U32, restart_count) },
  { NEEDED (ZinitSavedService, ZINIT_FIELD_U64, current_restart_delay_ms) },
  { NULLABLE (ZinitSavedService, ZINIT_FIELD_I32, last_exit_code) },
  { NULLABLE (ZinitSavedService, ZINIT_FIELD_I32, last_exit_signal) },
  { NULLABLE (ZinitSavedService, ZINIT_FIELD_U64, started_at) },
  { NEEDED (ZinitSavedService, ZINIT_FIELD_U64, last_state_change) },
  { NEEDED (ZinitSavedService, ZINIT_FIELD_BOOLEAN, ephemeral) },
  { FIELD (ZinitSavedService, ZINIT_FIELD_OPTIONAL, ZINIT_FIELD_CONFIG, config), .is_split = TRUE },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, run) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, pid_start_ticks) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, stdout_inode) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, stderr_inode) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, definition_hash) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_OBJECT, definition), .is_split = TRUE },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_OBJECT, pending_definition) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_STRING, file) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_STRING, said) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_WORD, wanted_status), .words = zinit_wanted_words },
  { "failure_reason", ZINIT_FIELD_FAILURE, ZINIT_FIELD_OWN, G_STRUCT_OFFSET (ZinitStateExtensions, failure) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_WORD, clock), .words = clock_words },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, started_at_usec) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_U63, deadline_at) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_WORD, stop_cause), .words = zinit_stop_cause_words },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, exit_unknown) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, main_ended) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, stop_due) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, stop_asked) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, start_timed_out) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, kill_needed) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, start_after) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, comes_back) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, keeps_place) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_BOOLEAN, remove_when_down) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_STRING, started_for) },
  { OWN (ZinitStateExtensions, ZINIT_FIELD_STRING, failures) },
};

G_STATIC_ASSERT (G_N_ELEMENTS (service_fields) <= ZINIT_MAX_FIELDS);

const ZinitFieldTable zinit_saved_service_table = {
  .fields = service_fields,
  .n_fields = G_N_ELEMENTS (service_fields),
  .item_size = sizeof (ZinitSavedService),
  .free_item = (GDestroyNotify)zinit_saved_service_free,
  .offset_of_extra = G_STRUCT_OFFSET (ZinitSavedService, extra),
};

static const ZinitField state_fields[] = {
  { NEEDED (ZinitSavedState, ZINIT_FIELD_U32, version) },
  { NEEDED (ZinitSavedState, ZINIT_FIELD_U64, saved_at) },
  { NEEDED (ZinitSavedState, ZINIT_FIELD_U64, boot_time) },
  { NEEDED (ZinitSavedState, ZINIT_FIELD_OBJECTS, services), .items = &zinit_saved_service_table,
    .is_split = TRUE },
  { NEEDED (ZinitSavedState, ZINIT_FIELD_STRING, config_dir) },
  { NEEDED (ZinitSavedState, ZINIT_FIELD_STRING, socket_path) },
  { OWN (ZinitSavedState, ZINIT_FIELD_STRING, boot_id) },
  { OWN (ZinitSavedState, ZINIT_FIELD_U63, init_start_ticks) },
  { OWN (ZinitSavedState, ZINIT_FIELD_STRING, instance) },
  { OWN (ZinitSavedState, ZINIT_FIELD_U63, saved_boottime) },
  { OWN (ZinitSavedState, ZINIT_FIELD_U63, record_sequence) },
  { OWN (ZinitSavedState, ZINIT_FIELD_BOOLEAN, shutting_down) },
};
G_STATIC_ASSERT (G_N_ELEMENTS (state_fields) <= ZINIT_MAX_FIELDS);

const ZinitFieldTable zinit_saved_state_table = {
  .fields = state_fields,
  .n_fields = G_N_ELEMENTS (state_fields),
};

static const ZinitField pipes_fields[] = {
  { NULLABLE (ZinitSavedPipes, ZINIT_FIELD_I32, stdout_pipe) },
  { NULLABLE (ZinitSavedPipes, ZINIT_FIELD_I32, stderr_pipe) },
};

static const ZinitFieldTable pipes_table = {
  .fields = pipes_fields,
  .n_fields = G_N_ELEMENTS (pipes_fields),
  .item_size = sizeof (ZinitSavedPipes),
  .free_item = g_free,
};

static const ZinitField fds_fields[] = {
  { NEEDED (ZinitSavedFds, ZINIT_FIELD_U32, version) },
  { NULLABLE (ZinitSavedFds, ZINIT_FIELD_I32, rpc_socket) },
  { NEEDED (ZinitSavedFds, ZINIT_FIELD_OBJECTS, services), .items = &pipes_table },
  { NEEDED (ZinitSavedFds, ZINIT_FIELD_LISTENERS, socket_activated) },
};

const ZinitFieldTable zinit_saved_fds_table = {
  .fields = fds_fields,
  .n_fields = G_N_ELEMENTS (fds_fields),
};

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

GTree *
zinit_saved_map_new (GDestroyNotify free_value)
{
  return g_tree_new_full (compare_keys, NULL, g_free, free_value);
}

ZinitSavedState *
zinit_saved_state_new (void)
{
  ZinitSavedState *state = g_new0 (ZinitSavedState, 1);

  state->version = ZINIT_STATE_VERSION;
  state->services = zinit_saved_map_new (zinit_saved_service_table.free_item);
  state->config_dir = g_strdup ("");
  state->socket_path = g_strdup ("");
  return state;
}

ZinitSavedService *
zinit_saved_service_new (const char *name)
{
  ZinitSavedService *service = g_new0 (ZinitSavedService, 1);

  service->name = g_strdup (name);
  return service;
}

ZinitSavedFds *
zinit_saved_fds_new (void)
{
  ZinitSavedFds *fds = g_new0 (ZinitSavedFds, 1);

  fds->version = ZINIT_FDS_VERSION;
  fds->services = zinit_saved_map_new (pipes_table.free_item);
  fds->socket_activated = zinit_saved_map_new (NULL);
  return fds;
}

void
zinit_saved_state_free (ZinitSavedState *state)
{
  if (state == NULL)
    return;
  g_tree_unref (state->services);
  g_free (state->config_dir);
  g_free (state->socket_path);
  g_free (state->boot_id);
  g_free (state->instance);
  g_free (state);
}

void
zinit_saved_service_free (ZinitSavedService *service)
{
  if (service == NULL)
    return;
  g_free (service->name);
  g_free (service->config);
  zinit_state_extensions_free (service->extra);
  g_free (service);
}

ZinitStateExtensions *
zinit_state_extensions_new (void)
{
  ZinitStateExtensions *extra = g_new0 (ZinitStateExtensions, 1);

  extra->wanted_status = extra->stop_cause = -1;
  return extra;
}

void
zinit_state_extensions_free (ZinitStateExtensions *extra)
{
  if (extra == NULL)
    return;
  zinit_failure_clear (&extra->failure);
  g_free (extra->definition);
  g_free (extra->pending_definition);
  g_free (extra->file);
  g_free (extra->said);
  g_free (extra->started_for);
  g_free (extra->failures);
  g_free (extra);
}

void
zinit_saved_fds_free (ZinitSavedFds *fds)
{
  if (fds == NULL)
    return;
  g_tree_unref (fds->services);
  g_tree_unref (fds->socket_activated);
  g_free (fds);
}

static gboolean
check_version (guint32 version, guint32 newest, GError **error)
{
  if (version <= newest)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
               "version: %" G_GUINT32_FORMAT " is not known; at most %" G_GUINT32_FORMAT " is allowed",
               version, newest);
  return FALSE;
}

gboolean
zinit_saved_state_check (const ZinitSavedState *state, guint64 now_ms, GError **error)
{
  guint64 age_ms = now_ms > state->saved_at ? now_ms - state->saved_at : 0;

  if (!check_version (state->version, ZINIT_STATE_VERSION, error))
    return FALSE;
  if (age_ms <= ZINIT_STATE_MAX_AGE_MS)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG,
               "saved_at: %" G_GUINT64_FORMAT " ms old; at most %d ms are allowed", age_ms,
               ZINIT_STATE_MAX_AGE_MS);
  return FALSE;
}

gboolean
zinit_saved_fds_check (const ZinitSavedFds *fds, GError **error)
{
  return check_version (fds->version, ZINIT_FDS_VERSION, error);
}

ZinitState
zinit_saved_state_restored (ZinitState saved, gboolean has_process)
{
  if (has_process || !zinit_state_is_active (saved))
    return saved;
  return saved == ZINIT_STATE_STARTING ? ZINIT_STATE_INACTIVE : ZINIT_STATE_EXITED;
}
