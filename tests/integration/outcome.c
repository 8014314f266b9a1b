/* SPDX-License-Identifier: Apache-2.0
 *
 * One GetManagedObjects and one walk of /proc; see outcome.h.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "outcome.h"

#include <string.h>

#include "names.h"
#include "processes.h"

static void
outcome_free (gpointer data)
{
  Outcome *outcome = data;

  g_free (outcome->wanted);
  g_free (outcome->state);
  g_free (outcome->exec);
  g_free (outcome);
}

static Outcome *
outcome_new (GVariant *properties)
{
  Outcome *outcome = g_new0 (Outcome, 1);

  g_assert_true (g_variant_lookup (properties, "WantedStatus", "s", &outcome->wanted));
  g_assert_true (g_variant_lookup (properties, "State", "s", &outcome->state));
  g_assert_true (g_variant_lookup (properties, "Exec", "s", &outcome->exec));
  g_assert_true (g_variant_lookup (properties, "Pid", "u", &outcome->pid));
  g_assert_true (g_variant_lookup (properties, "NeedsRestart", "b", &outcome->needs_restart));
  g_assert_true (g_variant_lookup (properties, "CanStart", "b", &outcome->can_start));
  return outcome;
}

/* NULL while the daemon is not through with the first starts. Transfer full. */
static GHashTable *
read_outcomes (Harness *harness)
{
  g_autoptr (GHashTable) outcomes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, outcome_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      client_call_on (harness->client, ZINIT_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                      "GetManagedObjects", NULL, &error);
  g_autoptr (GVariantIter) objects = NULL;
  GVariant *interfaces;
  gboolean is_through = FALSE;

  g_assert_no_error (error);
  g_variant_get (reply, "(a{oa{sa{sv}}})", &objects);
  while (g_variant_iter_next (objects, "{&o@a{sa{sv}}}", NULL, &interfaces)) {
    g_autoptr (GVariant) service =
        g_variant_lookup_value (interfaces, ZINIT_SERVICE_INTERFACE, G_VARIANT_TYPE_VARDICT);
    g_autoptr (GVariant) manager =
        g_variant_lookup_value (interfaces, ZINIT_MANAGER_INTERFACE, G_VARIANT_TYPE_VARDICT);
    char *text;

    if (service != NULL && g_variant_lookup (service, "Name", "s", &text))
      g_hash_table_insert (outcomes, text, outcome_new (service));
    if (manager != NULL && g_variant_lookup (manager, "State", "s", &text)) {
      is_through = g_str_equal (text, "running");
      g_free (text);
    }
    g_variant_unref (interfaces);
  }
  return is_through ? g_steal_pointer (&outcomes) : NULL;
}

/* The first service that is still on its way; NULL = none. Borrowed. */
static const char *
find_unsettled (GHashTable *outcomes)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, outcomes);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Outcome *outcome = value;
    gboolean is_up = g_str_equal (outcome->state, "running");
    gboolean is_down = g_str_equal (outcome->state, "inactive") || g_str_equal (outcome->state, "exited") ||
                       g_str_equal (outcome->state, "failed");

    /* One that is down and cannot be started is about to be removed. */
    if (g_str_equal (outcome->wanted, "start") ? !is_up : !is_down || !outcome->can_start)
      return name;
  }
  return NULL;
}

/* The value of ZINIT_SERVICE in the environment of @pid; NULL = none. Transfer full. */
static char *
read_service (pid_t pid)
{
  static const char name[] = "ZINIT_SERVICE=";
  g_autofree char *path = g_strdup_printf ("/proc/%d/environ", (int)pid);
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, NULL))
    return NULL;
  for (const char *item = text; item < text + length; item += strlen (item) + 1)
    if (g_str_has_prefix (item, name))
      return g_strdup (item + strlen (name));
  return NULL;
}

/* Service → pid of its process. The walk takes a moment, so that of two that are found one after the other
 * the first may have ended meanwhile; both at one time is an error. Transfer full. */
static GHashTable *
read_processes (Harness *harness)
{
  GHashTable *found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) pids = processes_with_mark (harness->mark);

  for (guint i = 0; i < pids->len; i++) {
    pid_t pid = g_array_index (pids, pid_t, i);
    char *service = read_service (pid);
    pid_t other;

    if (service == NULL)
      continue;
    other = (pid_t)GPOINTER_TO_INT (g_hash_table_lookup (found, service));
    if (other != 0 && processes_is_alive (pid) && processes_is_alive (other))
      g_error ("%s has two processes, %d and %d", service, (int)other, (int)pid);
    g_hash_table_insert (found, service, GINT_TO_POINTER (pid));
  }
  return found;
}

/* What is wrong about the processes; NULL = nothing. Transfer full. */
static char *
compare_processes (GHashTable *outcomes, GHashTable *processes)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, processes);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Outcome *outcome = g_hash_table_lookup (outcomes, name);

    if (outcome == NULL)
      return g_strdup_printf ("process %d belongs to %s, which the daemon does not know",
                              GPOINTER_TO_INT (value), (char *)name);
    if (outcome->pid != (guint32)GPOINTER_TO_INT (value))
      return g_strdup_printf ("process %d belongs to %s, which is %s with process %u",
                              GPOINTER_TO_INT (value), (char *)name, outcome->state, outcome->pid);
  }
  g_hash_table_iter_init (&iter, outcomes);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Outcome *outcome = value;

    if (outcome->pid != 0 && !g_hash_table_contains (processes, name))
      return g_strdup_printf ("%s is %s with process %u, which is not there", (char *)name, outcome->state,
                              outcome->pid);
  }
  return NULL;
}

GHashTable *
outcome_try_wait (Harness *harness, char **ret_wrong)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autoptr (GHashTable) outcomes = read_outcomes (harness);
    const char *unsettled = outcomes != NULL ? find_unsettled (outcomes) : NULL;
    g_autoptr (GHashTable) processes = NULL;
    g_autofree char *wrong = NULL;

    if (outcomes == NULL) {
      wrong = g_strdup ("the daemon is not through with the first starts");
    } else if (unsettled != NULL) {
      const Outcome *outcome = g_hash_table_lookup (outcomes, unsettled);

      wrong = g_strdup_printf ("%s, wanted %s, is %s", unsettled, outcome->wanted, outcome->state);
    } else {
      processes = read_processes (harness);
      wrong = compare_processes (outcomes, processes);
    }
    if (wrong == NULL)
      return g_steal_pointer (&outcomes);
    if (g_get_monotonic_time () > deadline) {
      *ret_wrong = g_steal_pointer (&wrong);
      return NULL;
    }
    g_usleep (2000);
  }
}

GHashTable *
outcome_wait (Harness *harness)
{
  g_autofree char *wrong = NULL;
  GHashTable *outcomes = outcome_try_wait (harness, &wrong);

  if (outcomes == NULL)
    g_error ("%s", wrong);
  return outcomes;
}

const Outcome *
outcome_find (GHashTable *outcomes, const char *service)
{
  return g_hash_table_lookup (outcomes, service);
}
