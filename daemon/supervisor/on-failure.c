/* SPDX-License-Identifier: Apache-2.0
 *
 * Services that are started because another one has failed for good (rule E4). Such a cause is kept as
 * "NAME=REASON", the service that failed and the type of its failure, also in the state file.
 */
#define G_LOG_DOMAIN "zinit-supervisor"

#include "supervisor/internal.h"

#include <string.h>

#include "model/limits.h"

#define SERVICE_VARIABLE "ZINIT_FAILED_SERVICE"
#define REASON_VARIABLE "ZINIT_FAILED_REASON"

/* What was saved may say anything. Transfer full. */
static gboolean
parse_cause (const char *cause, char **ret_name, const char **ret_reason)
{
  const char *equals = strchr (cause, '=');
  g_autofree char *name = g_strndup (cause, equals != NULL ? (gsize)(equals - cause) : 0);
  ZinitFailureType type;

  if (!zinit_name_is_valid (name, NULL) || !zinit_failure_type_from_string (equals + 1, &type))
    return FALSE;
  *ret_name = g_steal_pointer (&name);
  *ret_reason = zinit_failure_type_to_string (type);
  return TRUE;
}

char **
zinit_on_failure_make_variables (const ZinitService *service)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *name = NULL, *service_variable = NULL, *reason_variable = NULL;
  const char *reason;

  if (service->started_for == NULL || !parse_cause (service->started_for, &name, &reason))
    return NULL;
  service_variable = g_strconcat (SERVICE_VARIABLE "=", name, NULL);
  reason_variable = g_strconcat (REASON_VARIABLE "=", reason, NULL);
  g_strv_builder_add_many (builder, service_variable, reason_variable, NULL);
  return g_strv_builder_end (builder);
}

/* An older failure of the same service is replaced. */
static void
add_cause (ZinitService *handler, const ZinitService *failed)
{
  g_autofree char *prefix = g_strconcat (zinit_service_get_name (failed), "=", NULL);
  g_autofree char *cause =
      g_strconcat (prefix, zinit_failure_type_to_string (failed->status.failure.type), NULL);
  g_auto (GStrv) before = g_strsplit (handler->failures != NULL ? handler->failures : "", " ", -1);
  g_autoptr (GPtrArray) causes = g_ptr_array_new ();

  for (char **other = before; *other != NULL; other++)
    if (!g_str_has_prefix (*other, prefix))
      g_ptr_array_add (causes, *other);
  if (causes->len >= ZINIT_MAX_WAITING_FAILURES) {
    g_warning ("%s: not started because %s failed: %u failures wait for its end already",
               zinit_service_get_name (handler), zinit_service_get_name (failed), causes->len);
    return;
  }
  g_ptr_array_add (causes, cause);
  g_ptr_array_add (causes, NULL);
  g_free (handler->failures);
  handler->failures = g_strjoinv (" ", (char **)causes->pdata);
  zinit_service_mark (handler, ZINIT_CHANGED_ASKED);
}

void
zinit_on_failure_report (ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;
  char **names = service->definition->on_failure;

  if (names == NULL || service->supervisor->is_shutting_down || service->started_for != NULL ||
      status->state != ZINIT_STATE_FAILED || status->next_restart_usec != 0 ||
      status->next != ZINIT_NEXT_REST || status->wanted == ZINIT_WANTED_STOP)
    return;
  for (; *names != NULL; names++) {
    ZinitService *handler = g_hash_table_lookup (service->supervisor->services, *names);

    if (handler == NULL || handler->status.wanted == ZINIT_WANTED_STOP) {
      g_message ("%s: its failure does not start %s, which %s", zinit_service_get_name (service), *names,
                 handler == NULL ? "does not exist" : "is stopped");
      continue;
    }
    add_cause (handler, service);
    zinit_on_failure_look (handler);
  }
}

void
zinit_on_failure_look (ZinitService *service)
{
  if (service->failures != NULL)
    zinit_supervisor_enqueue (service->supervisor, service);
}

/* It is down, and neither about to start nor to try again what the failure before it has caused. */
static gboolean
may_begin (const ZinitService *service)
{
  const ZinitServiceStatus *status = &service->status;

  return service->failures != NULL && !service->supervisor->is_shutting_down && !service->stop_pending &&
         status->next == ZINIT_NEXT_REST &&
         (status->state == ZINIT_STATE_INACTIVE || status->state == ZINIT_STATE_EXITED ||
          (status->state == ZINIT_STATE_FAILED && status->next_restart_usec == 0));
}

/* The first of the causes that wait. NULL = none that makes sense. Transfer full. */
static char *
take_cause (ZinitService *service)
{
  while (service->failures != NULL) {
    g_auto (GStrv) causes = g_strsplit (service->failures, " ", 2);
    g_autofree char *name = NULL;
    const char *reason;

    g_free (service->failures);
    service->failures = causes[0] != NULL ? g_strdup (causes[1]) : NULL;
    if (causes[0] != NULL && parse_cause (causes[0], &name, &reason)) {
      g_message ("%s: started because %s failed (%s)", zinit_service_get_name (service), name, reason);
      return g_strdup (causes[0]);
    }
  }
  return NULL;
}

void
zinit_on_failure_begin (ZinitService *service)
{
  char *cause = may_begin (service) ? take_cause (service) : NULL;

  if (cause == NULL)
    return;
  zinit_service_reset_backoff (service);
  zinit_service_set_wanted (service, ZINIT_WANTED_START);
  zinit_service_set_next (service, ZINIT_NEXT_START);
  g_free (service->started_for);
  service->started_for = cause;
  zinit_service_mark (service, ZINIT_CHANGED_ASKED);
}

void
zinit_on_failure_forget_cause (ZinitService *service)
{
  if (service->started_for == NULL)
    return;
  g_clear_pointer (&service->started_for, g_free);
  zinit_service_mark (service, ZINIT_CHANGED_ASKED);
}

void
zinit_on_failure_forget (ZinitService *service)
{
  zinit_on_failure_forget_cause (service);
  if (service->failures == NULL)
    return;
  g_clear_pointer (&service->failures, g_free);
  zinit_service_mark (service, ZINIT_CHANGED_ASKED);
}

void
zinit_on_failure_check_names (ZinitSupervisor *supervisor)
{
  for (guint i = 0; i < supervisor->by_name->len; i++) {
    const ZinitService *service = supervisor->by_name->pdata[i];
    char **names = zinit_service_get_next_definition (service)->on_failure;

    for (; names != NULL && *names != NULL; names++)
      if (g_hash_table_lookup (supervisor->services, *names) == NULL)
        g_warning ("%s: lifecycle.on_failure names %s, which does not exist",
                   zinit_service_get_name (service), *names);
  }
}
