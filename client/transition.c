/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of state.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/transition.h"

#include "client/json.h"
#include "client/output.h"

#include <glib/gi18n.h>

gboolean
zinit_transition_read (ZinitTransitionInfo *transition, GVariant *parameters)
{
  *transition = (ZinitTransitionInfo){ NULL };
  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sossa{sv})")))
    return FALSE;
  transition->parameters = g_variant_ref (parameters);
  g_variant_get (parameters, "(&s&o&s&s@a{sv})", &transition->name, NULL, &transition->old_state,
                 &transition->new_state, &transition->details);
  transition->sub_state = "";
  g_variant_lookup (transition->details, "sub_state", "&s", &transition->sub_state);
  g_variant_lookup (transition->details, "sequence", "t", &transition->sequence);
  if (!g_variant_lookup (transition->details, "time_usec", "t", &transition->time_usec))
    transition->time_usec = g_get_real_time ();
  return TRUE;
}

void
zinit_transition_clear (ZinitTransitionInfo *transition)
{
  g_clear_pointer (&transition->details, g_variant_unref);
  g_clear_pointer (&transition->parameters, g_variant_unref);
}

/* "exited" itself says half of it. */
static char *
describe_last_exit (GVariant *details, const char *new_state)
{
  g_autoptr (GVariant) last_exit = g_variant_lookup_value (details, "last_exit", G_VARIANT_TYPE ("(si)"));
  const char *kind = "none";
  gint32 number = -1;
  if (last_exit != NULL)
    g_variant_get (last_exit, "(&si)", &kind, &number);
  if (g_str_equal (new_state, "exited") && g_str_equal (kind, "exited") && number >= 0)
    return g_strdup_printf (_ (" with code %d"), number);
  g_autofree char *ended = zinit_describe_exit (last_exit);
  return *ended != '\0' ? g_strdup_printf (": %s", ended) : g_strdup ("");
}

/* What the details say about the new state; "" for nothing. */
static char *
describe_details (GVariant *details, const char *new_state)
{
  const char *reason = NULL, *message = NULL;
  guint32 pid = 0;
  g_autofree const char **waiting_on = NULL;

  if (g_variant_lookup (details, "message", "&s", &message) ||
      g_variant_lookup (details, "reason", "&s", &reason))
    return g_strdup_printf (": %s", message != NULL ? message : reason);
  if (g_variant_lookup (details, "waiting_on", "^a&s", &waiting_on) && waiting_on[0] != NULL) {
    g_autofree char *names = g_strjoinv (", ", (char **)waiting_on);
    g_autofree char *waits = g_strdup_printf (_ ("waits for %s"), names);
    return g_strconcat (": ", waits, NULL);
  }
  if (g_variant_lookup (details, "pid", "u", &pid) && pid != 0)
    return g_strdup_printf (_ (" (pid %u)"), pid);
  return describe_last_exit (details, new_state);
}

char *
zinit_transition_to_line (const ZinitTransitionInfo *transition)
{
  g_autofree char *name = zinit_output_safe (transition->name);
  g_autofree char *old_state = zinit_output_safe (transition->old_state);
  g_autofree char *new_state = zinit_output_safe (transition->new_state);
  g_autofree char *painted = zinit_output_paint (zinit_output_state_style (transition->new_state), new_state);
  g_autofree char *details = describe_details (transition->details, transition->new_state);
  g_autofree char *safe = zinit_output_safe (details);
  g_autofree char *sub_state = zinit_output_safe (transition->sub_state);
  gboolean is_plain = *sub_state == '\0' || g_str_equal (sub_state, transition->new_state);
  return g_strdup_printf ("%s: %s %s %s%s%s%s", name, old_state, zinit_output_arrow (), painted,
                          is_plain ? "" : ", ", is_plain ? "" : sub_state, safe);
}

void
zinit_transition_to_json (const ZinitTransitionInfo *transition, GString *json)
{
  g_string_append_c (json, '{');
  zinit_json_key (json, "service");
  zinit_json_string (json, transition->name);
  zinit_json_key (json, "old");
  zinit_json_string (json, transition->old_state);
  zinit_json_key (json, "new");
  zinit_json_string (json, transition->new_state);
  zinit_json_properties (json, transition->details);
  g_string_append_c (json, '}');
}
