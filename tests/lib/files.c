/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of the real daemon: the files that tests write for it and those that its services write.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "processes.h"

char *
harness_path (Harness *harness, const char *name)
{
  return g_build_filename (harness->directory, name, NULL);
}

void
harness_write_bytes (Harness *harness, const char *name, const char *bytes, gssize length)
{
  g_autofree char *path = g_build_filename (harness->config_dir, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, bytes, length, &error);
  g_assert_no_error (error);
}

void
harness_write (Harness *harness, const char *name, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list list;

  va_start (list, format);
  text = g_strdup_vprintf (format, list);
  va_end (list);
  harness_write_bytes (harness, name, text, -1);
}

void
harness_service (Harness *harness, const char *name, const char *orders, const char *more)
{
  g_autofree char *file = g_strconcat (name, ".toml", NULL);

  harness_write (harness, file, "[service]\nexec = \"%s %s\"\n%s", harness_child (), orders, more);
}

void
harness_remove (Harness *harness, const char *name)
{
  g_autofree char *path = g_build_filename (harness->config_dir, name, NULL);

  g_assert_cmpint (unlink (path), ==, 0);
}

char *
harness_reload (Harness *harness)
{
  g_autoptr (GVariant) reply = client_ok (harness->client, "Reload", "(" NO_OPTIONS ",)");
  g_autoptr (GVariant) errors = g_variant_get_child_value (reply, 3);
  g_autofree char *added = NULL, *changed = NULL, *removed = NULL;
  const char **lists[3];

  if (g_variant_n_children (errors) > 0) {
    g_autofree char *text = g_variant_print (errors, FALSE);

    client_fail (harness->client, "Reload has errors: %s", text);
  }
  g_variant_get (reply, "(^a&s^a&s^a&sa(ss))", &lists[0], &lists[1], &lists[2], NULL);
  added = g_strjoinv (",", (char **)lists[0]);
  changed = g_strjoinv (",", (char **)lists[1]);
  removed = g_strjoinv (",", (char **)lists[2]);
  for (int i = 0; i < 3; i++)
    g_free (lists[i]);
  return g_strdup_printf ("+%s ~%s -%s", added, changed, removed);
}

GVariant *
harness_reload_errors (Harness *harness)
{
  g_autoptr (GVariant) reply = client_ok (harness->client, "Reload", "(" NO_OPTIONS ",)");

  g_assert_cmpstr (g_variant_get_type_string (reply), ==, "(asasasa(ss))");
  return g_variant_get_child_value (reply, 3);
}

/* A child cannot tell us when it has written, so this looks again every 2 ms until the deadline. */
static gboolean
look_again (gint64 deadline)
{
  g_usleep (2000);
  return g_get_monotonic_time () < deadline;
}

char *
harness_read_when_there (Harness *harness, const char *name)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  g_autofree char *path = harness_path (harness, name);
  char *text = NULL;

  while (!g_file_get_contents (path, &text, NULL, NULL)) {
    if (!look_again (deadline))
      client_fail (harness->client, "%s was never written", path);
  }
  return text;
}

char **
harness_wait_lines (Harness *harness, const char *name, guint count)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  g_autofree char *path = harness_path (harness, name);

  for (;;) {
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;

    if (g_file_get_contents (path, &text, NULL, NULL) && g_str_has_suffix (text, "\n")) {
      text[strlen (text) - 1] = '\0';
      lines = g_strsplit (text, "\n", -1);
      if (g_strv_length (lines) >= count)
        return g_steal_pointer (&lines);
    }
    if (!look_again (deadline))
      client_fail (harness->client, "%s does not get %u lines", path, count);
  }
}
