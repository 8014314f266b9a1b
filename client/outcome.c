/* SPDX-License-Identifier: Apache-2.0
 *
 * Says how it went, and when it went wrong, why: of the service that failed, not of the one that waited for
 * it.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/outcome.h"

#include "client/cause.h"
#include "client/describe.h"
#include "client/json.h"
#include "client/logs.h"
#include "client/output.h"
#include "client/service-names.h"
#include "names.h"

#include <glib/gi18n.h>

#define FAILURE_LOG_LINES 5

void
zinit_outcome_append_json (GString *json, const char *name, const ZinitServiceInfo *info, const GError *error)
{
  zinit_json_next (json);
  g_string_append_c (json, '{');
  zinit_json_key (json, "service");
  zinit_json_string (json, name);
  zinit_command_append_result (json, error);
  zinit_json_key (json, "state");
  zinit_json_string (json, info != NULL ? info->state : NULL);
  zinit_json_key (json, "sub_state");
  zinit_json_string (json, info != NULL ? info->sub_state : NULL);
  zinit_json_key (json, "pid");
  g_string_append_printf (json, "%u", info != NULL ? info->pid : 0);
  zinit_json_key (json, "failure_reason");
  if (info != NULL && info->failure_reason != NULL && g_variant_n_children (info->failure_reason) > 0)
    zinit_json_value (json, info->failure_reason);
  else
    g_string_append (json, "null");
  g_string_append_c (json, '}');
}

/* "10 s": how long the daemon waited before SIGKILL; NULL when it does not say. */
static char *
fetch_stop_timeout (ZinitClient *client, const char *name)
{
  g_autoptr (GVariant) found =
      zinit_command_call (client, "GetService", g_variant_new ("(s)", name), "(o)", NULL);
  const char *path = NULL;
  guint64 ms = 0;
  if (found == NULL)
    return NULL;
  g_variant_get (found, "(&o)", &path);
  g_autoptr (GVariant) reply = zinit_command_call_object (client, path, ZINIT_SERVICE_INTERFACE, "GetConfig",
                                                          NULL, "(a{sa{sv}})", NULL);
  g_autoptr (GVariant) definition = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
  g_autoptr (GVariant) lifecycle =
      definition != NULL ? g_variant_lookup_value (definition, "lifecycle", G_VARIANT_TYPE_VARDICT) : NULL;
  if (lifecycle == NULL || !g_variant_lookup (lifecycle, "stop_timeout_ms", "t", &ms))
    return NULL;
  return ms % 1000 == 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT " s", ms / 1000)
                        : g_strdup_printf ("%" G_GUINT64_FORMAT " ms", ms);
}

static char *
describe_done (ZinitClient *client, const ZinitWaitRequest *request, const ZinitServiceInfo *info)
{
  if (info == NULL)
    return g_strdup (_ ("removed"));
  if (request->request == ZINIT_REQUEST_STOP && zinit_describe_is_killed (info)) {
    g_autofree char *after = fetch_stop_timeout (client, info->name);
    return after != NULL ? g_strdup_printf (_ ("stopped; had to be killed after %s"), after)
                         : g_strdup (_ ("stopped; had to be killed"));
  }
  return zinit_describe_state (info);
}

void
zinit_outcome_print (ZinitClient *client, const ZinitWaitRequest *request, const char *name,
                     const ZinitServiceInfo *info, const GError *error, const char *said)
{
  if (error != NULL) {
    g_autofree char *message = zinit_names_explain (client, name, error);
    zinit_output_print_error ("%s", message);
    /* Its last words tell most, but not when it was only not found or not allowed. */
    if (info != NULL && request->request != ZINIT_REQUEST_STOP &&
        (zinit_command_is_error (error, "CannotStart") || zinit_command_is_error (error, "SpawnFailed")))
      zinit_outcome_explain (client, request, name, said);
    return;
  }
  g_autofree char *safe_name = zinit_output_safe (name);
  g_autofree char *state = describe_done (client, request, info);
  g_autofree char *safe = zinit_output_safe (state);
  if (request->no_wait)
    zinit_output_print (_ ("%s: requested; now %s\n"), safe_name, safe);
  else
    zinit_output_print ("%s: %s\n", safe_name, safe);
}

/* In one line; what was typed just now would not help a second time. */
static void
print_help (const ZinitWaitRequest *request, GPtrArray *causes)
{
  g_auto (GStrv) help = zinit_cause_get_help (causes);
  const ZinitCause *top = g_ptr_array_index (causes, 0);
  g_autofree char *typed = g_strdup_printf ("zinit start %s", top->service);
  GString *line = g_string_new (NULL);
  for (gsize i = 0; help[i] != NULL; i++)
    if (!request->tree || !g_str_equal (help[i], typed))
      g_string_append_printf (line, "%s%s", line->len > 0 ? "; " : "", help[i]);
  if (line->len > 0)
    zinit_output_print_detail (_ ("Try: %s"), line->str);
  g_string_free (line, TRUE);
}

static void
print_root (ZinitClient *client, GPtrArray *causes)
{
  const ZinitCause *root = zinit_cause_get_root (causes);
  /* Of one that only runs, or that nobody started, all has been said with its name. */
  if (root->depth == 0 || (root->info != NULL && !zinit_cause_has_failed (root)))
    return;
  g_autofree char *text = zinit_cause_describe (client, root);
  if (*text != '\0')
    zinit_output_print_detail ("%s: %s", root->service, text);
}

static void
explain (ZinitClient *client, const ZinitWaitRequest *request, GPtrArray *causes)
{
  const ZinitCause *root = zinit_cause_get_root (causes);
  print_root (client, causes);
  if (zinit_cause_has_failed (root))
    zinit_logs_print_last (client, root->info, FAILURE_LOG_LINES, TRUE);
  print_help (request, causes);
}

/* "requires db, which is failed; comes after net, which is starting"; NULL when nothing holds it any more. */
static char *
describe_links (GPtrArray *causes)
{
  GString *links = g_string_new (NULL);
  for (guint i = 1; i < causes->len; i++) {
    const ZinitCause *cause = g_ptr_array_index (causes, i);
    if (cause->depth != 1)
      continue;
    g_autofree char *link = zinit_cause_describe_link (cause, NULL);
    g_string_append_printf (links, "%s%s", links->len > 0 ? "; " : "", link);
  }
  return g_string_free (links, links->len == 0);
}

void
zinit_outcome_explain (ZinitClient *client, const ZinitWaitRequest *request, const char *name,
                       const char *said)
{
  g_autoptr (GPtrArray) causes = zinit_cause_find (client, name, NULL);
  g_autofree char *links = causes != NULL ? describe_links (causes) : NULL;
  if (causes == NULL || (said != NULL && g_strcmp0 (links, said) == 0))
    return;
  explain (client, request, causes);
}

void
zinit_outcome_say_waiting (ZinitClient *client, const ZinitWaitRequest *request, const char *name,
                           char **said)
{
  g_autoptr (GPtrArray) causes = zinit_cause_find (client, name, NULL);
  g_autofree char *links = causes != NULL ? describe_links (causes) : NULL;
  if (links == NULL || g_strcmp0 (links, *said) == 0)
    return;
  zinit_output_print_detail (_ ("%s is waiting: it %s"), name, links);
  explain (client, request, causes);
  g_free (*said);
  *said = g_steal_pointer (&links);
}
