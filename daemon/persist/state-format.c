/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents' tables, their memory, and the checks of a whole document. Their text is read in
 * state-reader.c and written in state-writer.c.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/state-fields.h"

#include <string.h>

#include "model/error.h"

#define NEEDED(Struct, type, member)                                                                         \
  {                                                                                                          \
#member, type, TRUE, G_STRUCT_OFFSET(Struct, member)                                                     \
  }
#define OPTIONAL(Struct, type, member)                                                                       \
  {                                                                                                          \
#member, type, FALSE, G_STRUCT_OFFSET(Struct, member), G_STRUCT_OFFSET(Struct, has_##member)             \
  }
#define MAP(Struct, type, member, table)                                                                     \
  {                                                                                                          \
#member, type, TRUE, G_STRUCT_OFFSET(Struct, member), 0, table                                           \
  }

static const ZinitField service_fields[] = {
  NEEDED (ZinitSavedService, ZINIT_FIELD_STRING, name),
  NEEDED (ZinitSavedService, ZINIT_FIELD_STATE, state),
  OPTIONAL (ZinitSavedService, ZINIT_FIELD_U32, pid),
  NEEDED (ZinitSavedService, ZINIT_FIELD_U32, restart_count),
  NEEDED (ZinitSavedService, ZINIT_FIELD_U64, current_restart_delay_ms),
  OPTIONAL (ZinitSavedService, ZINIT_FIELD_I32, last_exit_code),
  OPTIONAL (ZinitSavedService, ZINIT_FIELD_I32, last_exit_signal),
  OPTIONAL (ZinitSavedService, ZINIT_FIELD_U64, started_at),
  NEEDED (ZinitSavedService, ZINIT_FIELD_U64, last_state_change),
  NEEDED (ZinitSavedService, ZINIT_FIELD_BOOLEAN, ephemeral),
  { "config", ZINIT_FIELD_CONFIG, FALSE, G_STRUCT_OFFSET (ZinitSavedService, config) },
};

static gpointer
new_unnamed_service (void)
{
  return g_new0 (ZinitSavedService, 1);
}

const ZinitFieldTable zinit_saved_service_table = {
  .fields = service_fields,
  .n_fields = G_N_ELEMENTS (service_fields),
  .new_item = new_unnamed_service,
  .free_item = (GDestroyNotify)zinit_saved_service_free,
  .offset_of_extra = G_STRUCT_OFFSET (ZinitSavedService, extra),
};

static const ZinitField state_fields[] = {
  NEEDED (ZinitSavedState, ZINIT_FIELD_U32, version),
  NEEDED (ZinitSavedState, ZINIT_FIELD_U64, saved_at),
  NEEDED (ZinitSavedState, ZINIT_FIELD_U64, boot_time),
  MAP (ZinitSavedState, ZINIT_FIELD_OBJECTS, services, &zinit_saved_service_table),
  NEEDED (ZinitSavedState, ZINIT_FIELD_STRING, config_dir),
  NEEDED (ZinitSavedState, ZINIT_FIELD_STRING, socket_path),
};

const ZinitFieldTable zinit_saved_state_table = {
  .fields = state_fields,
  .n_fields = G_N_ELEMENTS (state_fields),
};

static const ZinitField pipes_fields[] = {
  OPTIONAL (ZinitSavedPipes, ZINIT_FIELD_I32, stdout_pipe),
  OPTIONAL (ZinitSavedPipes, ZINIT_FIELD_I32, stderr_pipe),
};

static gpointer
new_pipes (void)
{
  return g_new0 (ZinitSavedPipes, 1);
}

static const ZinitFieldTable pipes_table = {
  .fields = pipes_fields,
  .n_fields = G_N_ELEMENTS (pipes_fields),
  .new_item = new_pipes,
  .free_item = g_free,
};

static const ZinitField fds_fields[] = {
  NEEDED (ZinitSavedFds, ZINIT_FIELD_U32, version),
  OPTIONAL (ZinitSavedFds, ZINIT_FIELD_I32, rpc_socket),
  MAP (ZinitSavedFds, ZINIT_FIELD_OBJECTS, services, &pipes_table),
  MAP (ZinitSavedFds, ZINIT_FIELD_LISTENERS, socket_activated, NULL),
};

const ZinitFieldTable zinit_saved_fds_table = {
  .fields = fds_fields,
  .n_fields = G_N_ELEMENTS (fds_fields),
};

#define ORIGIN(type, member)                                                                                 \
  {                                                                                                          \
#member, type, G_STRUCT_OFFSET(ZinitSavedState, member)                                                  \
  }

const ZinitOriginField zinit_origin_fields[] = {
  ORIGIN (ZINIT_ORIGIN_TEXT, boot_id),
  ORIGIN (ZINIT_ORIGIN_NUMBER, init_start_ticks),
  ORIGIN (ZINIT_ORIGIN_TEXT, instance),
  ORIGIN (ZINIT_ORIGIN_NUMBER, saved_boottime),
  ORIGIN (ZINIT_ORIGIN_NUMBER, record_sequence),
  ORIGIN (ZINIT_ORIGIN_FLAG, shutting_down),
  { NULL },
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
