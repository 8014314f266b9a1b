/* SPDX-License-Identifier: Apache-2.0
 *
 * The hand-over itself: check, save, execute. What is saved is in snapshot.c, restoring it in restore.c.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "handover/inherited.h"
#include "persist/state-file.h"

#define MAX_COMPLAINT_BYTES 2000 /* of the program's error message */
#define CHECK_TIMEOUT_MS 10000

struct _ZinitHandover {
  ZinitSupervisor *supervisor;
  ZinitProcesses *processes;
  ZinitAutosave *autosave;
  ZinitRuntimeLock *lock;
  const ZinitPaths *paths;
  const ZinitRuntimeFolder *folder;
  char *program;
  char **argv;

  ZinitProcess *preflight; /* NULL = no check under way */
  guint preflight_timeout;
  ZinitExit verdict;
  GString *complaint;
  ZinitHandoverFunc done;
  gpointer done_data;
};

ZinitHandover *
zinit_handover_new (ZinitSupervisor *supervisor, ZinitProcesses *processes, ZinitAutosave *autosave,
                    ZinitRuntimeLock *lock, const ZinitPaths *paths, const ZinitRuntimeFolder *folder,
                    const char *program, char **argv)
{
  ZinitHandover *handover = g_new0 (ZinitHandover, 1);

  handover->supervisor = supervisor;
  handover->processes = processes;
  handover->autosave = autosave;
  handover->lock = lock;
  handover->paths = paths;
  handover->folder = folder;
  handover->program = g_strdup (program);
  handover->argv = g_strdupv (argv);
  handover->complaint = g_string_new (NULL);
  return handover;
}

void
zinit_handover_free (ZinitHandover *handover)
{
  g_clear_handle_id (&handover->preflight_timeout, g_source_remove);
  zinit_process_free (handover->preflight);
  g_string_free (handover->complaint, TRUE);
  g_strfreev (handover->argv);
  g_free (handover->program);
  g_free (handover);
}

static void
on_preflight_output (ZinitProcess *process, ZinitStream stream, const char *bytes, gsize length,
                     gpointer data)
{
  ZinitHandover *handover = data;
  gsize room = MAX_COMPLAINT_BYTES - handover->complaint->len;

  if (stream == ZINIT_STREAM_STDERR)
    g_string_append_len (handover->complaint, bytes, (gssize)MIN (length, room));
}

static void
on_preflight_ended (ZinitProcess *process, const ZinitExit *exit, gpointer data)
{
  ((ZinitHandover *)data)->verdict = *exit;
}

static void
on_preflight_gone (ZinitProcess *process, gpointer data)
{
  ZinitHandover *handover = data;
  g_autoptr (GError) error = NULL;

  g_clear_handle_id (&handover->preflight_timeout, g_source_remove);
  zinit_process_free (g_steal_pointer (&handover->preflight));
  g_strchomp (handover->complaint->str);
  /* A shutdown is the later request, and removes the state that is being checked. */
  if (!zinit_supervisor_is_open (handover->supervisor, &error)) {
    handover->done (error, handover->done_data);
    return;
  }
  if (handover->verdict.kind != ZINIT_EXIT_EXITED || handover->verdict.value != 0)
    g_set_error (&error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s does not accept the state (%s %d): %s",
                 handover->program, zinit_exit_kind_to_string (handover->verdict.kind),
                 handover->verdict.value,
                 *handover->complaint->str != '\0' ? handover->complaint->str : "it does not say why");
  handover->done (error, handover->done_data);
}

static const ZinitProcessEvents preflight_events = {
  .main_ended = on_preflight_ended,
  .group_empty = on_preflight_gone,
  .output = on_preflight_output,
};

static gboolean
on_preflight_timeout (gpointer data)
{
  ZinitHandover *handover = data;

  handover->preflight_timeout = 0;
  g_string_assign (handover->complaint, "it took too long");
  zinit_process_signal (handover->preflight, SIGKILL, ZINIT_WHOM_ALL, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
start_preflight (ZinitHandover *handover, GError **error)
{
  g_autofree char *program = g_shell_quote (handover->program);
  g_autofree char *state = g_shell_quote (handover->paths->state);
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  ZinitSpawnRequest request = { .definition = definition, .is_mute = TRUE, .uses_reserve = TRUE };
  g_autoptr (GError) reason = NULL;

  definition->name = g_strdup ("check-state");
  definition->exec = g_strdup_printf ("%s --check-state %s --at now", program, state);
  handover->verdict = (ZinitExit){ ZINIT_EXIT_NONE, 0 };
  g_string_truncate (handover->complaint, 0);
  handover->preflight =
      zinit_process_spawn (handover->processes, &request, &preflight_events, handover, &reason);
  if (handover->preflight == NULL) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s cannot check the state: %s", handover->program,
                 reason->message);
    return FALSE;
  }
  handover->preflight_timeout = g_timeout_add (CHECK_TIMEOUT_MS, on_preflight_timeout, handover);
  return TRUE;
}

/* The program will check the run-time folder as every start does. */
static gboolean
would_open (ZinitHandover *handover, GError **error)
{
  g_autoptr (ZinitRuntimeFolder) there =
      zinit_runtime_folder_new (zinit_runtime_folder_get_path (handover->folder));

  return zinit_runtime_folder_open (there, NULL, error);
}

gboolean
zinit_handover_check (ZinitHandover *handover, ZinitHandoverFunc done, gpointer data, GError **error)
{
  if (handover->preflight != NULL) {
    g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "a re-execution is under way already");
    return FALSE;
  }
  /* All that can fail on a full disk is tried while the caller can still get the error. */
  if (!zinit_supervisor_is_open (handover->supervisor, error) || !would_open (handover, error) ||
      !zinit_autosave_save (handover->autosave, error) ||
      !zinit_supervisor_sync_logs (handover->supervisor, error))
    return FALSE;
  handover->done = done;
  handover->done_data = data;
  return start_preflight (handover, error);
}

static void
add_pipe (int fd, gboolean *has, gint32 *value)
{
  *has = fd >= 0;
  *value = fd;
}

static ZinitSavedFds *
collect_fds (ZinitHandover *handover, int listener_fd)
{
  ZinitSavedFds *fds = zinit_saved_fds_new ();
  g_autoptr (GPtrArray) services = zinit_supervisor_list (handover->supervisor);

  add_pipe (listener_fd, &fds->has_rpc_socket, &fds->rpc_socket);
  for (guint i = 0; i < services->len; i++) {
    const ZinitProcess *process = zinit_service_get_process (services->pdata[i]);
    ZinitSavedPipes *pipes;

    if (process == NULL)
      continue;
    pipes = g_new0 (ZinitSavedPipes, 1);
    add_pipe (zinit_process_get_output (process, ZINIT_STREAM_STDOUT), &pipes->has_stdout_pipe,
              &pipes->stdout_pipe);
    add_pipe (zinit_process_get_output (process, ZINIT_STREAM_STDERR), &pipes->has_stderr_pipe,
              &pipes->stderr_pipe);
    g_tree_insert (fds->services, g_strdup (zinit_service_get_name (services->pdata[i])), pipes);
  }
  return fds;
}

static void
keep_open (int fd, gboolean is_kept)
{
  if (fd >= 0)
    fcntl (fd, F_SETFD, is_kept ? 0 : FD_CLOEXEC);
}

static gboolean
keep_pipes_open (gpointer key, gpointer value, gpointer is_kept)
{
  const ZinitSavedPipes *pipes = value;

  keep_open (pipes->has_stdout_pipe ? pipes->stdout_pipe : -1, GPOINTER_TO_INT (is_kept));
  keep_open (pipes->has_stderr_pipe ? pipes->stderr_pipe : -1, GPOINTER_TO_INT (is_kept));
  return FALSE;
}

static void
offer_clear (ZinitOffer *offer)
{
  g_hash_table_unref (offer->non_children);
  g_hash_table_unref (offer->ready);
  g_hash_table_unref (offer->notify);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitOffer, offer_clear)

/* What a service says on that it is ready: for one that does not run yet nothing of it may be lost. */
static void
collect_of_service (const ZinitService *service, ZinitOffer *offer)
{
  const ZinitProcess *process = zinit_service_get_process (service);
  gpointer name = (gpointer)zinit_service_get_name (service);
  int pidfd = zinit_process_get_non_child (process);
  int ready_fd = zinit_process_get_ready_fd (process), notify_fd = zinit_process_get_notify_fd (process);

  if (pidfd >= 0)
    g_hash_table_insert (offer->non_children, GINT_TO_POINTER (zinit_process_get_pid (process)),
                         GINT_TO_POINTER (pidfd));
  if (ready_fd >= 0)
    g_hash_table_insert (offer->ready, name, GINT_TO_POINTER (ready_fd));
  if (notify_fd >= 0 && zinit_service_get_status (service)->state == ZINIT_STATE_STARTING)
    g_hash_table_insert (offer->notify, name, GINT_TO_POINTER (notify_fd));
}

static ZinitOffer
collect_offer (ZinitHandover *handover)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (handover->supervisor);
  ZinitOffer offer = { .non_children = g_hash_table_new (NULL, NULL),
                       .ready = g_hash_table_new (g_str_hash, g_str_equal),
                       .notify = g_hash_table_new (g_str_hash, g_str_equal),
                       .lock = zinit_runtime_lock_get_lock (handover->lock),
                       .lock_watch = zinit_runtime_lock_get_watch (handover->lock),
                       .file_limit = zinit_processes_get_file_limit (handover->processes) };

  for (guint i = 0; i < services->len; i++)
    if (zinit_service_get_process (services->pdata[i]) != NULL)
      collect_of_service (services->pdata[i], &offer);
  return offer;
}

static void
keep_each_open (GHashTable *fds, gboolean is_kept)
{
  GHashTableIter iter;
  gpointer fd;

  g_hash_table_iter_init (&iter, fds);
  while (g_hash_table_iter_next (&iter, NULL, &fd))
    keep_open (GPOINTER_TO_INT (fd), is_kept);
}

static void
keep_all_open (const ZinitSavedFds *fds, const ZinitOffer *offer, gboolean is_kept)
{
  keep_each_open (offer->non_children, is_kept);
  keep_each_open (offer->ready, is_kept);
  keep_each_open (offer->notify, is_kept);
  g_tree_foreach (fds->services, keep_pipes_open, GINT_TO_POINTER (is_kept));
  keep_open (fds->has_rpc_socket ? fds->rpc_socket : -1, is_kept);
  keep_open (offer->lock, is_kept);
  keep_open (offer->lock_watch, is_kept);
}

/* Mostly the file is current; not when something has changed since. */
static gboolean
save_changes (ZinitHandover *handover, GError **error)
{
  zinit_supervisor_flush (handover->supervisor);
  return zinit_autosave_save_changes (handover->autosave, error);
}

gboolean
zinit_handover_execute (ZinitHandover *handover, int listener_fd, GError **error)
{
  g_autoptr (ZinitSavedFds) fds = collect_fds (handover, listener_fd);
  g_auto (ZinitOffer) offer = collect_offer (handover);
  int reason;

  if (!zinit_supervisor_is_open (handover->supervisor, error) || !save_changes (handover, error) ||
      !zinit_saved_fds_save (handover->folder, ZINIT_FDS_FILE, fds, error) ||
      !zinit_supervisor_sync_logs (handover->supervisor, error))
    return FALSE;
  zinit_inherited_offer (fds, &offer);
  keep_all_open (fds, &offer, TRUE);
  execv (handover->program, handover->argv);
  reason = errno;
  keep_all_open (fds, &offer, FALSE);
  zinit_inherited_withdraw ();
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s cannot be executed: %s", handover->program,
               g_strerror (reason));
  return FALSE;
}

gboolean
zinit_handover_release (ZinitHandover *handover, int listener_fd, GError **error)
{
  g_autoptr (ZinitSavedFds) fds = collect_fds (handover, listener_fd);

  return zinit_supervisor_is_open (handover->supervisor, error) &&
         zinit_autosave_save (handover->autosave, error) &&
         zinit_saved_fds_save (handover->folder, ZINIT_FDS_FILE, fds, error) &&
         zinit_supervisor_sync_logs (handover->supervisor, error);
}

gboolean
zinit_handover_leave (ZinitHandover *handover, GError **error)
{
  return save_changes (handover, error) && zinit_supervisor_sync_logs (handover->supervisor, error);
}
