/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of tests, and questions about where a service stands.
 */
#include "fake-steps.h"

void
steps_assert_sub_state (Fixture *fixture, const char *name, const char *expected)
{
  fake_host_settle (&fixture->host);
  g_assert_cmpstr (
      zinit_sub_state_to_string (zinit_service_get_status (fixture_get (fixture, name))->sub_state), ==,
      expected);
}

void
steps_assert_text (Fixture *fixture, const char *name, const char *part)
{
  const char *text = zinit_service_get_status (fixture_get (fixture, name))->text;

  if (strstr (text, part) == NULL)
    g_error ("%s says \"%s\", and not \"%s\"", name, text, part);
}

void
steps_start (Fixture *fixture, const char *name, gboolean tree)
{
  g_autoptr (GError) error = NULL;

  zinit_supervisor_start (fixture->supervisor, fixture_get (fixture, name), tree, &error);
  g_assert_no_error (error);
}

void
steps_stop (Fixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;

  zinit_supervisor_stop (fixture->supervisor, fixture_get (fixture, name), &error);
  g_assert_no_error (error);
}

void
steps_restart (Fixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;

  zinit_supervisor_restart (fixture->supervisor, fixture_get (fixture, name), FALSE, &error);
  g_assert_no_error (error);
}

void
steps_end_well (Fixture *fixture, const char *name)
{
  fixture_end (fixture, name, ZINIT_EXIT_EXITED, 0);
}

char *
steps_answer (Fixture *fixture, const char *name)
{
  ZinitService *service = fixture_get (fixture, name);
  g_autoptr (GError) error = NULL;

  fake_host_settle (&fixture->host);
  if (!zinit_service_start_is_settled (service))
    return NULL;
  if (zinit_service_start_succeeded (service, &error))
    return g_strdup ("");
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_CANNOT_START);
  return g_strdup (error->message);
}

void
steps_assert_answer (Fixture *fixture, const char *name, const char *part)
{
  g_autofree char *message = steps_answer (fixture, name);

  if (message == NULL || strstr (message, part) == NULL || (*part == '\0' && *message != '\0'))
    g_error ("a start of %s is answered \"%s\", and not \"%s\"", name, message, part);
}

void
steps_assert_cyclic (Fixture *fixture, const char *text, const char *part)
{
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (text, strlen (text), FALSE, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (definition);
  g_assert_null (zinit_supervisor_add (fixture->supervisor, definition, 0, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_CYCLIC_DEPENDENCY);
  g_assert_nonnull (strstr (error->message, part));
}

static GLogWriterOutput
drop_messages (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level <= G_LOG_LEVEL_CRITICAL)
    return g_log_writer_default (level, fields, n_fields, data);
  return G_LOG_WRITER_HANDLED;
}

void
steps_init (void)
{
  g_log_set_writer_func (drop_messages, NULL, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
}
