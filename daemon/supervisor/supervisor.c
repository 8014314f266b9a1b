/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor itself: its life, its observers, the queue of services that have to look again, and
 * questions about the whole set. What happens to a service is in the files beside this one.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include "model/limits.h"
#include "process/tags.h"

/* Waking those that depend on a service is what this folder observes itself. */
static void
on_transition (const ZinitTransition *transition, gpointer data)
{
  if (transition->old_state == ZINIT_STATE_STOPPING)
    zinit_supervisor_end_stop (data);
  zinit_outlook_update (transition->service);
  zinit_supervisor_enqueue_dependents (data, transition->service);
}

static const ZinitObserver own_observer = { .transition = on_transition };

ZinitSupervisor *
zinit_supervisor_new (const ZinitHost *host, gpointer host_data, const char *config_dir)
{
  ZinitSupervisor *supervisor = g_new0 (ZinitSupervisor, 1);

  supervisor->host = host;
  supervisor->host_data = host_data;
  supervisor->config_dir = g_strdup (config_dir);
  supervisor->services =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)zinit_service_free);
  supervisor->by_name = g_ptr_array_new ();
  supervisor->dependents =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  supervisor->observers = g_array_new (FALSE, FALSE, sizeof (ZinitObserverEntry));
  supervisor->config_errors = g_ptr_array_new ();
  supervisor->awaiting_ends = g_ptr_array_new ();
  g_queue_init (&supervisor->queue);
  g_queue_init (&supervisor->dirty);
  zinit_supervisor_add_observer (supervisor, &own_observer, supervisor);
  supervisor->boot_time_usec = host->realtime_usec (host_data);
  return supervisor;
}

void
zinit_supervisor_set_instance (ZinitSupervisor *supervisor, const char *instance, const char *folder)
{
  g_free (supervisor->instance_tag);
  g_free (supervisor->folder_tag);
  supervisor->folder_tag = g_strconcat (ZINIT_TAG_FOLDER "=", folder, NULL);
  supervisor->instance_tag = g_strconcat (ZINIT_TAG_INSTANCE "=", instance, NULL);
}

void
zinit_supervisor_set_log_folder (ZinitSupervisor *supervisor, int parent_fd, const char *path)
{
  supervisor->log_folder = zinit_log_folder_new (parent_fd, path);
}

void
zinit_supervisor_set_has_bus (ZinitSupervisor *supervisor, gboolean has_bus)
{
  supervisor->has_no_bus = !has_bus;
}

void
zinit_supervisor_free (ZinitSupervisor *supervisor)
{
  supervisor->host->disarm (supervisor->host_data, &supervisor->queue_timer);
  g_hash_table_unref (supervisor->dependents);
  g_ptr_array_unref (supervisor->by_name);
  g_hash_table_unref (supervisor->services);
  g_array_unref (supervisor->observers);
  g_ptr_array_unref (supervisor->config_errors);
  g_ptr_array_unref (supervisor->awaiting_ends);
  zinit_log_folder_free (supervisor->log_folder);
  zinit_config_set_free (supervisor->read_ahead);
  g_free (supervisor->config_dir);
  g_free (supervisor->instance_tag);
  g_free (supervisor->folder_tag);
  g_free (supervisor);
}

void
zinit_supervisor_add_observer (ZinitSupervisor *supervisor, const ZinitObserver *observer, gpointer data)
{
  ZinitObserverEntry entry = { observer, data };

  g_array_append_val (supervisor->observers, entry);
}

void
zinit_supervisor_remove_observer (ZinitSupervisor *supervisor, const ZinitObserver *observer, gpointer data)
{
  for (guint i = 0; i < supervisor->observers->len; i++) {
    const ZinitObserverEntry *entry = &g_array_index (supervisor->observers, ZinitObserverEntry, i);

    if (entry->observer == observer && entry->data == data) {
      g_array_remove_index (supervisor->observers, i);
      return;
    }
  }
}

void
zinit_supervisor_for_each_observer (ZinitSupervisor *supervisor, GFunc func, gpointer data)
{
  for (guint i = 0; i < supervisor->observers->len; i++)
    func (&g_array_index (supervisor->observers, ZinitObserverEntry, i), data);
}

static void
report_manager_changed (gpointer observer, gpointer changes)
{
  const ZinitObserverEntry *entry = observer;

  if (entry->observer->manager_changed != NULL)
    entry->observer->manager_changed (GPOINTER_TO_UINT (changes), entry->data);
}

void
zinit_supervisor_notify (ZinitSupervisor *supervisor, ZinitManagerChanges changes)
{
  zinit_supervisor_for_each_observer (supervisor, report_manager_changed, GUINT_TO_POINTER (changes));
}

static gboolean
run_slice (ZinitSupervisor *supervisor)
{
  for (guint i = 0; i < ZINIT_SERVICES_PER_TURN && !g_queue_is_empty (&supervisor->queue); i++) {
    GList *link = g_queue_pop_head_link (&supervisor->queue);
    ZinitService *service = g_steal_pointer (&link->data);

    zinit_lifecycle_process (service);
  }
  return g_queue_is_empty (&supervisor->queue);
}

static void
run_queue (ZinitTimer *timer)
{
  ZinitSupervisor *supervisor = ZINIT_OWNER_OF (timer, ZinitSupervisor, queue_timer);

  if (!run_slice (supervisor)) {
    zinit_supervisor_wake (supervisor);
  } else {
    if (!supervisor->is_started) {
      supervisor->is_started = TRUE;
      zinit_supervisor_notify (supervisor, ZINIT_MANAGER_CHANGED_STATE);
    }
    zinit_stop_check (supervisor);
  }
  zinit_supervisor_flush (supervisor);
}

void
zinit_supervisor_wake (ZinitSupervisor *supervisor)
{
  if (!zinit_timer_is_armed (&supervisor->queue_timer))
    supervisor->host->arm (supervisor->host_data, &supervisor->queue_timer,
                           supervisor->host->monotonic_usec (supervisor->host_data), run_queue);
}

void
zinit_supervisor_enqueue (ZinitSupervisor *supervisor, ZinitService *service)
{
  if (service->queue_link.data == NULL) {
    service->queue_link.data = service;
    g_queue_push_tail_link (&supervisor->queue, &service->queue_link);
  }
  zinit_supervisor_wake (supervisor);
}

static void
enqueue_if_waiting (ZinitSupervisor *supervisor, ZinitService *service)
{
  if (service->status.state == ZINIT_STATE_BLOCKED || service->stop_pending ||
      zinit_service_is_held (service))
    zinit_supervisor_enqueue (supervisor, service);
}

void
zinit_supervisor_await_end (ZinitSupervisor *supervisor, ZinitService *service)
{
  if (!g_ptr_array_find (supervisor->awaiting_ends, service, NULL))
    g_ptr_array_add (supervisor->awaiting_ends, service);
}

void
zinit_supervisor_end_stop (ZinitSupervisor *supervisor)
{
  for (guint i = 0; i < supervisor->awaiting_ends->len; i++)
    enqueue_if_waiting (supervisor, supervisor->awaiting_ends->pdata[i]);
  g_ptr_array_set_size (supervisor->awaiting_ends, 0);
}

static void
enqueue_names (ZinitSupervisor *supervisor, char **names)
{
  for (; names != NULL && *names != NULL; names++) {
    ZinitService *service = g_hash_table_lookup (supervisor->services, *names);

    if (service != NULL)
      enqueue_if_waiting (supervisor, service);
  }
}

void
zinit_supervisor_enqueue_dependents (ZinitSupervisor *supervisor, ZinitService *service)
{
  GPtrArray *dependents = zinit_registry_dependents (supervisor, zinit_service_get_name (service));

  for (guint i = 0; dependents != NULL && i < dependents->len; i++)
    enqueue_if_waiting (supervisor, dependents->pdata[i]);
  /* A conflict holds both ways, and what it needs may wait for its end. */
  enqueue_names (supervisor, service->definition->conflicts);
  enqueue_names (supervisor, service->definition->before);
  if (supervisor->n_stop_pending > 0) {
    enqueue_names (supervisor, service->definition->requires);
    enqueue_names (supervisor, service->definition->binds_to);
    enqueue_names (supervisor, service->definition->after);
  }
  if (supervisor->is_shutting_down)
    zinit_supervisor_wake (supervisor);
}

void
zinit_supervisor_flush (ZinitSupervisor *supervisor)
{
  while (!g_queue_is_empty (&supervisor->dirty))
    zinit_service_report (g_queue_peek_head (&supervisor->dirty));
}

gboolean
zinit_supervisor_is_open (ZinitSupervisor *supervisor, GError **error)
{
  if (!supervisor->is_shutting_down)
    return TRUE;
  g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_SHUTTING_DOWN, "the daemon is shutting down");
  return FALSE;
}

ZinitService *
zinit_supervisor_find (ZinitSupervisor *supervisor, const char *name, GError **error)
{
  ZinitService *service = g_hash_table_lookup (supervisor->services, name);

  if (service == NULL)
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_NO_SUCH_SERVICE, "there is no service \"%.*s\"",
                 ZINIT_MAX_NAME_BYTES, name);
  return service;
}

GPtrArray *
zinit_supervisor_list (ZinitSupervisor *supervisor)
{
  return g_ptr_array_copy (supervisor->by_name, NULL, NULL);
}

guint
zinit_supervisor_count (ZinitSupervisor *supervisor)
{
  return g_hash_table_size (supervisor->services);
}

guint
zinit_supervisor_count_failed (ZinitSupervisor *supervisor)
{
  return supervisor->n_failed;
}

guint64
zinit_supervisor_get_sequence (ZinitSupervisor *supervisor)
{
  return supervisor->sequence;
}

gint64
zinit_supervisor_get_boot_time (ZinitSupervisor *supervisor)
{
  return supervisor->boot_time_usec;
}

const char *
zinit_supervisor_get_config_dir (ZinitSupervisor *supervisor)
{
  return supervisor->config_dir;
}

const char *
zinit_supervisor_get_instance (ZinitSupervisor *supervisor)
{
  return supervisor->instance_tag != NULL ? supervisor->instance_tag + strlen (ZINIT_TAG_INSTANCE "=") : NULL;
}

gboolean
zinit_supervisor_is_starting (ZinitSupervisor *supervisor)
{
  return !supervisor->is_started && !supervisor->is_shutting_down;
}

const char *
zinit_supervisor_get_state (ZinitSupervisor *supervisor)
{
  if (supervisor->is_shutting_down)
    return "stopping";
  return supervisor->is_started ? "running" : "starting";
}

GPtrArray *
zinit_supervisor_why_blocked (ZinitSupervisor *supervisor, ZinitService *service)
{
  GPtrArray *blockers = NULL;

  if (zinit_state_is_active (service->status.state))
    return g_ptr_array_new_with_free_func ((GDestroyNotify)zinit_blocker_free);
  zinit_registry_may_start (service, &blockers, NULL);
  return blockers;
}

const GPtrArray *
zinit_supervisor_get_config_errors (ZinitSupervisor *supervisor)
{
  return supervisor->config_errors;
}
