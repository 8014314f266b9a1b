/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows WhyBlocked, and the reason of a failure, from service to service.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/cause.h"

#include "client/describe.h"
#include "client/format.h"
#include "client/parse.h"
#include "client/refused.h"
#include "client/service-names.h"

#include <glib/gi18n.h>

/* A chain that is longer is not read to its end by anybody. */
#define MAX_LINKS 100

typedef struct {
  ZinitClient *client;
  GPtrArray *causes;
} Search;

static void
cause_free (gpointer data)
{
  ZinitCause *cause = data;
  g_free (cause->service);
  g_free (cause->kind);
  g_clear_pointer (&cause->info, zinit_service_info_free);
  g_free (cause);
}

static gboolean
is_known (Search *search, const char *name)
{
  for (guint i = 0; i < search->causes->len; i++)
    if (g_str_equal (((ZinitCause *)g_ptr_array_index (search->causes, i))->service, name))
      return TRUE;
  return FALSE;
}

static gboolean
is_up (const ZinitServiceInfo *info)
{
  static const char *const words[] = { "done", "listening", "skipped", NULL };
  return g_str_equal (info->state, "running") || g_strv_contains (words, info->sub_state);
}

/* Its own end, not that of another one. */
static gboolean
failed_by_itself (const ZinitServiceInfo *info)
{
  const char *type = NULL;
  return g_str_equal (info->state, "failed") && info->failure_reason != NULL &&
         g_variant_lookup (info->failure_reason, "type", "&s", &type) &&
         !g_str_equal (type, "dependency_failed") && !g_str_equal (type, "missing_dependency");
}

/* The other service of dependency_failed or missing_dependency; NULL for another reason. */
static const char *
get_failed_dependency (const ZinitServiceInfo *info)
{
  const char *name = NULL;
  if (!g_str_equal (info->state, "failed") || info->failure_reason == NULL)
    return NULL;
  if (!g_variant_lookup (info->failure_reason, "service", "&s", &name))
    g_variant_lookup (info->failure_reason, "dependency", "&s", &name);
  return name;
}

static gboolean visit (Search *search, const char *name, const char *kind, guint depth, GError **error);

/* FALSE when nothing below @info holds it. */
static gboolean
visit_blockers (Search *search, const ZinitServiceInfo *info, guint depth)
{
  g_autoptr (GVariant) reply =
      zinit_command_call (search->client, "WhyBlocked", g_variant_new ("(s)", info->name), "(a(sss))", NULL);
  g_autoptr (GVariant) blockers = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
  gsize count = blockers != NULL ? g_variant_n_children (blockers) : 0;
  for (gsize i = 0; i < count; i++) {
    const char *kind = NULL, *service = NULL;
    g_variant_get_child (blockers, i, "(&s&s&s)", &kind, &service, NULL);
    visit (search, service, kind, depth, NULL);
  }
  const char *dependency = get_failed_dependency (info);
  if (count == 0 && dependency != NULL)
    visit (search, dependency, "requires", depth, NULL);
  return count > 0 || dependency != NULL;
}

static gboolean
visit (Search *search, const char *name, const char *kind, guint depth, GError **error)
{
  if (search->causes->len >= MAX_LINKS || is_known (search, name))
    return TRUE;
  g_autoptr (GError) local = NULL;
  ZinitServiceInfo *info = zinit_model_fetch_one (search->client, name, &local);
  if (info == NULL && (depth == 0 || !zinit_command_is_error (local, "NoSuchService"))) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  ZinitCause *cause = g_new0 (ZinitCause, 1);
  cause->service = g_strdup (name);
  cause->kind = g_strdup (kind);
  cause->depth = depth;
  cause->info = info;
  g_ptr_array_add (search->causes, cause);
  /* One that is in the way because it runs is the root itself. */
  gboolean goes_on = info != NULL && !is_up (info) && g_strcmp0 (kind, "conflicts") != 0;
  cause->is_root = !goes_on || !visit_blockers (search, info, depth + 1) || failed_by_itself (info);
  return TRUE;
}

GPtrArray *
zinit_cause_find (ZinitClient *client, const char *name, GError **error)
{
  g_autoptr (GPtrArray) causes = g_ptr_array_new_with_free_func (cause_free);
  Search search = { .client = client, .causes = causes };
  if (!visit (&search, name, NULL, 0, error))
    return NULL;
  return g_steal_pointer (&causes);
}

const ZinitCause *
zinit_cause_get_root (GPtrArray *causes)
{
  /* The deepest one: a service that failed by itself may be held by another one meanwhile. */
  for (guint i = causes->len; i > 0; i--) {
    const ZinitCause *cause = g_ptr_array_index (causes, i - 1);
    if (cause->is_root && (cause->info == NULL || failed_by_itself (cause->info)))
      return cause;
  }
  for (guint i = 0; i < causes->len; i++)
    if (((ZinitCause *)g_ptr_array_index (causes, i))->is_root)
      return g_ptr_array_index (causes, i);
  return g_ptr_array_index (causes, 0);
}

/* When it ended; a next try, and what a held one waits for, are said with the state. */
static char *
describe_since (const ZinitServiceInfo *info)
{
  guint64 now_usec = (guint64)g_get_real_time ();
  if (info->next_restart_usec != 0 || g_str_equal (info->sub_state, "inactive") ||
      g_str_equal (info->sub_state, "held") || info->state_changed_at_usec == 0 ||
      info->state_changed_at_usec > now_usec)
    return g_strdup ("");
  g_autofree char *ago = zinit_format_duration (now_usec - info->state_changed_at_usec);
  return g_strdup_printf (_ (", %s ago"), ago);
}

/* What may be behind a name that no service has; "" for nothing. */
static char *
describe_unknown (ZinitClient *client, const char *name)
{
  g_autoptr (GVariant) refused = zinit_refused_fetch (client);
  const char *problem = zinit_refused_find (refused, name);
  if (problem != NULL)
    return g_strdup_printf (_ ("its definition was refused: %s"), problem);
  g_auto (GStrv) known = zinit_names_list (client, NULL);
  const char *nearest = known != NULL ? zinit_parse_nearest (name, (const char *const *)known) : NULL;
  return nearest != NULL ? g_strdup_printf (_ ("did you mean \"%s\"?"), nearest) : g_strdup ("");
}

/* It has a process and is not ready: what is missing, and for how long. */
static char *
describe_starting (const ZinitServiceInfo *info, const char *state)
{
  gint64 usec = g_get_real_time () - (gint64)info->state_changed_at_usec;
  g_autofree char *age = zinit_format_duration ((guint64)MAX (usec, 0));
  return g_strdup_printf (_ ("%s for %s: %s"), state, age, info->status_text);
}

char *
zinit_cause_describe (ZinitClient *client, const ZinitCause *cause)
{
  if (cause->info == NULL)
    return describe_unknown (client, cause->service);
  g_autofree char *state = zinit_describe_state (cause->info);
  if (g_str_equal (cause->info->state, "starting") && *cause->info->status_text != '\0')
    return describe_starting (cause->info, state);
  if (cause->info->pid != 0 || g_str_equal (cause->info->state, "blocked"))
    return g_steal_pointer (&state);
  g_autofree char *since = describe_since (cause->info);
  return g_strconcat (state, since, NULL);
}

static char *
describe_missing (const ZinitCause *cause, const char *text)
{
  g_autofree char *link =
      g_str_equal (cause->kind, "requires") || g_str_equal (cause->kind, "binds_to")
          ? g_strdup_printf (_ ("requires %s, which does not exist"), cause->service)
          : g_strdup_printf (_ ("%s %s, which does not exist"), cause->kind, cause->service);
  return text != NULL && *text != '\0' ? g_strdup_printf ("%s: %s", link, text) : g_steal_pointer (&link);
}

char *
zinit_cause_describe_link (const ZinitCause *cause, const char *text)
{
  if (cause->info == NULL)
    return describe_missing (cause, text);
  const char *state = text != NULL ? text : cause->info->sub_state;
  if (g_str_equal (cause->kind, "conflicts"))
    return g_strdup_printf (_ ("conflicts with %s, which is %s"), cause->service, state);
  if (g_str_equal (cause->kind, "requires"))
    return g_strdup_printf (_ ("requires %s, which is %s"), cause->service, state);
  if (g_str_equal (cause->kind, "binds_to"))
    return g_strdup_printf (_ ("binds to %s, which is %s"), cause->service, state);
  if (g_str_equal (cause->kind, "bound_by"))
    return g_strdup_printf (_ ("waits for %s, which goes down with it and is %s"), cause->service, state);
  if (g_str_equal (cause->kind, "after"))
    return g_strdup_printf (_ ("comes after %s, which is %s"), cause->service, state);
  return g_strdup_printf (_ ("%s %s, which is %s"), cause->kind, cause->service, state);
}

gboolean
zinit_cause_has_failed (const ZinitCause *cause)
{
  static const char *const by_itself[] = { "ended", "restarting", "given-up", "failed", NULL };
  return cause->info != NULL && g_strv_contains (by_itself, cause->info->sub_state);
}

static void
add_help (GPtrArray *help, const char *command, const char *name)
{
  char *line = g_strdup_printf ("zinit %s %s", command, name);
  if (g_ptr_array_find_with_equal_func (help, line, g_str_equal, NULL))
    g_free (line);
  else
    g_ptr_array_add (help, line);
}

/* @top is the one that was asked about: starting it starts what it requires. */
static void
add_help_for (GPtrArray *help, const ZinitCause *cause, const ZinitCause *top)
{
  const ZinitServiceInfo *info = cause->info;
  const char *kind = "none";
  gint32 number = 0;
  if (info == NULL) {
    g_ptr_array_add (help, g_strdup ("zinit reload"));
    return;
  }
  if (info->last_exit != NULL)
    g_variant_get (info->last_exit, "(&si)", &kind, &number);
  if (g_strcmp0 (cause->kind, "conflicts") == 0)
    add_help (help, "stop", cause->service);
  else if (info->oneshot && g_str_equal (info->state, "exited") && number < 0)
    add_help (help, "restart", cause->service);
  else if (g_str_equal (info->state, "failed") || g_str_equal (info->state, "exited") ||
           g_str_equal (info->sub_state, "inactive")) {
    if (g_str_equal (info->state, "failed"))
      add_help (help, "logs", cause->service);
    if (!g_str_equal (info->sub_state, "restarting"))
      add_help (help, "start", g_strcmp0 (cause->kind, "after") == 0 ? cause->service : top->service);
  }
}

char **
zinit_cause_get_help (GPtrArray *causes)
{
  GPtrArray *help = g_ptr_array_new ();
  const ZinitCause *top = g_ptr_array_index (causes, 0);
  for (guint i = 0; i < causes->len; i++) {
    const ZinitCause *cause = g_ptr_array_index (causes, i);
    if (cause->is_root && (i > 0 || !is_up (cause->info)))
      add_help_for (help, cause, top);
  }
  g_ptr_array_add (help, NULL);
  return (char **)g_ptr_array_free (help, FALSE);
}
