/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of survival share.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "survival.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "processes.h"

void
survival_start (Harness *harness)
{
  const char *const options[] = { "--no-bus", NULL };

  harness_start_with (harness, options);
  /* Once a call is answered, the daemon knows us, and we miss no signal. */
  g_variant_unref (client_get (harness->client, NULL, "Version"));
}

void
survival_crash (Harness *harness)
{
  int status;

  g_assert_cmpint (kill (harness->daemon_pid, SIGKILL), ==, 0);
  status = harness_wait_exit (harness);
  g_assert_true (WIFSIGNALED (status));
}

void
survival_start_again (Harness *harness)
{
  survival_crash (harness);
  survival_start (harness);
}

char *
survival_path (Harness *harness, const char *name)
{
  return g_build_filename (harness->runtime_dir, name, NULL);
}

/* The field's value as text; NULL when there is no such thing. */
static char *
read_saved (Harness *harness, const char *service, const char *field)
{
  g_autofree char *path = survival_path (harness, "state.json");
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object;
  JsonNode *node;

  if (!json_parser_load_from_file (parser, path, NULL))
    return NULL;
  object = json_node_get_object (json_parser_get_root (parser));
  object = json_object_get_object_member (object, "services");
  node = json_object_get_member (object, service);
  if (node == NULL)
    return NULL;
  node = json_object_get_member (json_node_get_object (node), field);
  return node != NULL ? json_to_string (node, FALSE) : NULL;
}

void
survival_wait_saved (Harness *harness, const char *service, const char *field, const char *text)
{
  for (gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);;) {
    g_autofree char *value = read_saved (harness, service, field);

    if (g_strcmp0 (value, text) == 0)
      return;
    if (g_get_monotonic_time () > deadline)
      client_fail (harness->client, "the state file says %s of %s is %s, waited in vain for %s", field,
                   service, value, text);
    g_usleep (2000);
  }
}

gboolean
survival_has_saved (Harness *harness, const char *service, const char *field)
{
  g_autofree char *value = read_saved (harness, service, field);

  return value != NULL;
}

void
survival_edit_state (Harness *harness, const char *from, const char *to)
{
  g_autofree char *path = survival_path (harness, "state.json");
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *edited = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  parts = g_strsplit (text, from, -1);
  g_assert_cmpuint (g_strv_length (parts), >, 1);
  edited = g_strjoinv (to, parts);
  g_file_set_contents (path, edited, -1, &error);
  g_assert_no_error (error);
}

/* @field is a number of ms in the head of the state file, as it stands there. */
static void
age_field (Harness *harness, const char *field, gint64 ms)
{
  g_autofree char *path = survival_path (harness, "state.json");
  g_autofree char *text = NULL;
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;
  const char *at;
  gint64 value_ms;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  at = strstr (text, field);
  g_assert_nonnull (at);
  value_ms = g_ascii_strtoll (at + strlen (field), NULL, 10);
  g_assert_cmpint (value_ms, >, ms);
  from = g_strdup_printf ("%s%" G_GINT64_FORMAT, field, value_ms);
  to = g_strdup_printf ("%s%" G_GINT64_FORMAT, field, value_ms - ms);
  survival_edit_state (harness, from, to);
}

void
survival_age_state (Harness *harness, gint64 ms)
{
  age_field (harness, "\"saved_at\": ", ms);
}

void
survival_age_state_by_boottime (Harness *harness, gint64 ms)
{
  age_field (harness, "\"saved_at\": ", ms);
  age_field (harness, "\"saved_boottime\": ", ms);
}

guint
survival_count_said (Harness *harness, const char *text)
{
  g_autofree char *log = NULL;
  guint count = 0;

  g_assert_true (g_file_get_contents (harness->log_path, &log, NULL, NULL));
  for (const char *at = log; (at = strstr (at, text)) != NULL; at++)
    count++;
  return count;
}

void
survival_wait_said (Harness *harness, const char *text, guint times)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  while (survival_count_said (harness, text) < times) {
    if (g_get_monotonic_time () > deadline)
      g_error ("the daemon has said %u times, not %u: %s", survival_count_said (harness, text), times, text);
    g_usleep (2000);
  }
}

/* The value of @name in the environment of @pid. Transfer full. */
static char *
read_variable (pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/environ", (int)pid);
  g_autofree char *text = NULL;
  gsize length = 0, name_length = strlen (name);

  if (!g_file_get_contents (path, &text, &length, NULL))
    return NULL;
  for (const char *item = text; item < text + length; item += strlen (item) + 1)
    if (strncmp (item, name, name_length) == 0 && item[name_length] == '=')
      return g_strdup (item + name_length + 1);
  return NULL;
}

/* Living processes of each service, by the mark in their environment: name → number. */
static GHashTable *
count_processes (Harness *harness)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) pids = processes_with_mark (harness->mark);

  for (guint i = 0; i < pids->len; i++) {
    char *service = read_variable (g_array_index (pids, pid_t, i), "ZINIT_SERVICE");
    guint count;

    if (service == NULL)
      continue;
    count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, service));
    g_hash_table_insert (counts, service, GUINT_TO_POINTER (count + 1));
  }
  return counts;
}

void
survival_check_at_most_once_each (Harness *harness, guint *ret_count)
{
  g_autoptr (GHashTable) counts = count_processes (harness);
  GHashTableIter iter;
  gpointer service, processes;

  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &service, &processes))
    if (GPOINTER_TO_UINT (processes) != 1)
      g_error ("%s has %u processes", (char *)service, GPOINTER_TO_UINT (processes));
  if (ret_count != NULL)
    *ret_count = g_hash_table_size (counts);
}

void
survival_check_once_each (Harness *harness, guint count)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  guint actual;

  /* The kernel shows the environment of a new process a little later than the process. */
  for (;;) {
    survival_check_at_most_once_each (harness, &actual);
    if (actual == count)
      return;
    g_assert_cmpuint (actual, <, count);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (2000);
  }
}
