/* SPDX-License-Identifier: Apache-2.0
 *
 * Words for states and reasons.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/describe.h"

#include "client/format.h"
#include "common/signals.h"

#include <glib/gi18n.h>

char *
zinit_describe_signal (int signal_number)
{
  const char *name = zinit_signal_to_string (signal_number);
  return name != NULL ? g_strdup_printf ("%s (%d)", name, signal_number)
                      : g_strdup_printf ("%d", signal_number);
}

/* The integer of @key whatever integer type the daemon chose for it. */
static gint64
lookup_number (GVariant *dictionary, const char *key)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (dictionary, key, NULL);
  if (value == NULL)
    return 0;
  switch (g_variant_classify (value)) {
  case G_VARIANT_CLASS_INT32:
    return g_variant_get_int32 (value);
  case G_VARIANT_CLASS_UINT32:
    return g_variant_get_uint32 (value);
  case G_VARIANT_CLASS_INT64:
    return g_variant_get_int64 (value);
  case G_VARIANT_CLASS_UINT64:
    return (gint64)g_variant_get_uint64 (value);
  default:
    return 0;
  }
}

char *
zinit_describe_failure (GVariant *reason)
{
  const char *type = NULL, *text = "";
  if (reason == NULL || !g_variant_lookup (reason, "type", "&s", &type))
    return g_strdup ("");

  if (g_str_equal (type, "exit_code"))
    return g_strdup_printf (_ ("exited with code %d"), (int)lookup_number (reason, "code"));
  if (g_str_equal (type, "signal")) {
    g_autofree char *name = zinit_describe_signal ((int)lookup_number (reason, "signal"));
    return g_strdup_printf (_ ("killed by %s"), name);
  }
  if (g_str_equal (type, "start_timeout"))
    return g_strdup (_ ("did not start in time"));
  if (g_str_equal (type, "stop_timeout"))
    return g_strdup (_ ("did not stop in time and was killed"));
  if (g_str_equal (type, "health_check_failed")) {
    int attempts = (int)lookup_number (reason, "attempts");
    return g_strdup_printf (
        ngettext ("health check failed %d time", "health check failed %d times", attempts), attempts);
  }
  if (g_str_equal (type, "dependency_failed") && g_variant_lookup (reason, "service", "&s", &text))
    return g_strdup_printf (_ ("needs %s, which failed"), text);
  if (g_str_equal (type, "missing_dependency") && g_variant_lookup (reason, "dependency", "&s", &text))
    return g_strdup_printf (_ ("needs %s, which does not exist"), text);
  if (g_str_equal (type, "spawn_error") && g_variant_lookup (reason, "message", "&s", &text))
    return g_strdup (text);
  return g_strdup (type);
}

char *
zinit_describe_exit (GVariant *last_exit)
{
  const char *kind = "none";
  gint32 number = 0;
  if (last_exit != NULL)
    g_variant_get (last_exit, "(&si)", &kind, &number);
  if (g_str_equal (kind, "exited"))
    return number >= 0 ? g_strdup_printf (_ ("exited with code %d"), number)
                       : g_strdup (_ ("ended in an unknown way"));
  if (!g_str_equal (kind, "killed"))
    return g_strdup ("");
  g_autofree char *name = zinit_describe_signal (number);
  return g_strdup_printf (_ ("killed by %s"), name);
}

static char *
describe_waiting (const ZinitServiceInfo *info)
{
  if (info->waiting_on == NULL || info->waiting_on[0] == NULL)
    return g_strdup ("");
  g_autofree char *names = g_strjoinv (", ", (char **)info->waiting_on);
  return g_strdup_printf (_ ("waits for %s"), names);
}

/* The one sentence that belongs to the state itself. */
static char *
describe_cause (const ZinitServiceInfo *info)
{
  if (g_str_equal (info->state, "failed"))
    return zinit_describe_failure (info->failure_reason);
  if (g_str_equal (info->state, "exited"))
    return zinit_describe_exit (info->last_exit);
  if (g_str_equal (info->state, "blocked"))
    return describe_waiting (info);
  return g_strdup ("");
}

gboolean
zinit_describe_is_killed (const ZinitServiceInfo *info)
{
  const char *type = NULL;
  return g_str_equal (info->state, "failed") && info->failure_reason != NULL &&
         g_variant_lookup (info->failure_reason, "type", "&s", &type) && g_str_equal (type, "stop_timeout");
}

/* "exited with code 0" is all of its state, "failed" is said beside its cause. */
static char *
describe_end (const ZinitServiceInfo *info)
{
  g_autofree char *cause = describe_cause (info);
  if (*cause == '\0')
    return g_strdup (info->state);
  return g_str_equal (info->state, "exited") ? g_steal_pointer (&cause)
                                             : g_strdup_printf ("%s: %s", info->state, cause);
}

/* Of a service that is down: how it ended, and what that means for it. */
static char *
describe_down (const ZinitServiceInfo *info)
{
  if (g_str_equal (info->sub_state, "done"))
    return g_strdup (_ ("done"));
  if (g_str_equal (info->sub_state, "stopped"))
    return g_strdup (zinit_describe_is_killed (info) ? _ ("stopped; had to be killed") : _ ("stopped"));

  if (g_str_equal (info->sub_state, "held"))
    return g_strdup (_ ("held; starts again when the service it requires is up"));

  g_autofree char *end = describe_end (info);
  if (g_str_equal (info->sub_state, "restarting")) {
    gint64 usec = (gint64)info->next_restart_usec - g_get_real_time ();
    g_autofree char *in = zinit_format_duration ((guint64)MAX (usec, 0));
    return g_strdup_printf (_ ("%s; next restart in %s"), end, in);
  }
  if (g_str_equal (info->sub_state, "given-up"))
    return g_strdup_printf (
        ngettext ("%s; given up after %u restart", "%s; given up after %u restarts", info->restart_count),
        end, info->restart_count);
  return g_steal_pointer (&end);
}

char *
zinit_describe_state (const ZinitServiceInfo *info)
{
  gboolean is_plain = g_str_equal (info->sub_state, info->state);
  if (info->pid != 0)
    return is_plain ? g_strdup_printf (_ ("%s (pid %u)"), info->state, info->pid)
                    : g_strdup_printf (_ ("%s, %s (pid %u)"), info->state, info->sub_state, info->pid);
  if (g_str_equal (info->state, "exited") || g_str_equal (info->state, "failed"))
    return describe_down (info);
  if (g_str_equal (info->state, "blocked"))
    return describe_end (info);
  if (is_plain)
    return g_strdup (info->state);
  return *info->status_text != '\0' ? g_strdup_printf ("%s: %s", info->sub_state, info->status_text)
                                    : g_strdup (info->sub_state);
}
