/* SPDX-License-Identifier: Apache-2.0
 *
 * The fixture of fake-fixture.h: it observes the supervisor and writes down what it is told.
 */
#include "fake-fixture.h"

#include "config/format.h"

static void
on_transition (const ZinitTransition *transition, gpointer data)
{
  Fixture *fixture = data;

  g_string_append_printf (fixture->transitions, "%s:%s>%s ", zinit_service_get_name (transition->service),
                          zinit_state_to_string (transition->old_state),
                          zinit_state_to_string (transition->new_state));
  g_assert_cmpint (zinit_service_get_status (transition->service)->state, ==, transition->new_state);
  g_assert_cmpuint (transition->sequence, ==, zinit_supervisor_get_sequence (fixture->supervisor));
}

static void
on_shutdown_done (gpointer data)
{
  ((Fixture *)data)->n_shutdowns_done++;
}

static const ZinitObserver observer = { .transition = on_transition, .shutdown_done = on_shutdown_done };

void
fixture_init (Fixture *fixture)
{
  *fixture = (Fixture){ 0 };
  fake_host_init (&fixture->host);
  fixture->transitions = g_string_new (NULL);
  fixture->supervisor = zinit_supervisor_new (&fake_host, &fixture->host, NULL);
  zinit_supervisor_add_observer (fixture->supervisor, &observer, fixture);
}

void
fixture_clear (Fixture *fixture)
{
  zinit_supervisor_free (fixture->supervisor);
  g_string_free (fixture->transitions, TRUE);
  fake_host_clear (&fixture->host);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture_init (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  fixture_clear (fixture);
}

void
fixture_add_test (const char *path, void (*func) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

ZinitService *
fixture_add (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (text, strlen (text), FALSE, NULL, NULL, NULL);
  ZinitService *service;

  g_assert_nonnull (definition);
  service = zinit_supervisor_add (fixture->supervisor, definition, ZINIT_ADD_REPLACE, &error);
  g_assert_no_error (error);
  return service;
}

ZinitService *
fixture_get (Fixture *fixture, const char *name)
{
  ZinitService *service = zinit_supervisor_find (fixture->supervisor, name, NULL);

  g_assert_nonnull (service);
  return service;
}

const char *
fixture_state (Fixture *fixture, const char *name)
{
  fake_host_settle (&fixture->host);
  return zinit_state_to_string (zinit_service_get_status (fixture_get (fixture, name))->state);
}

void
fixture_end (Fixture *fixture, const char *name, ZinitExitKind kind, gint32 value)
{
  FakeProcess *process = fake_host_find (&fixture->host, name);

  g_assert_nonnull (process);
  fake_process_end (process, kind, value);
  fake_host_settle (&fixture->host);
}

static void
assert_and_forget (GString *text, const char *expected)
{
  g_strchomp (text->str);
  g_assert_cmpstr (text->str, ==, expected);
  g_string_truncate (text, 0);
}

void
fixture_assert_transitions (Fixture *fixture, const char *expected)
{
  fake_host_settle (&fixture->host);
  assert_and_forget (fixture->transitions, expected);
}

void
fixture_assert_acts (Fixture *fixture, const char *expected)
{
  fake_host_settle (&fixture->host);
  assert_and_forget (fixture->host.acts, expected);
}
