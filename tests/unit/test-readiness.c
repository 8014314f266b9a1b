/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules D of zinit-behaviour(7) on a fake host: what a service says of itself, and what follows.
 */
#include <signal.h>

#include <string.h>

#include "config/format.h"
#include "fake-steps.h"
#include "model/error.h"

#define SERVICE(name, more) "service.name='" name "'\nservice.exec='" name "'\nservice.status='ignore'\n" more
#define READY(how) "service.ready='" how "'\n"
#define ONCE "lifecycle.restart='never'\n"

static void
notify (Fixture *fixture, const char *name, const char *text)
{
  FakeProcess *process = fake_host_find (&fixture->host, name);
  g_auto (ZinitNotifyMessage) message = { 0 };

  g_assert_true (zinit_notify_message_parse (text, strlen (text), &message));
  process->events->notified ((ZinitProcess *)process, &message, process->data);
}

static void
write_line (Fixture *fixture, const char *name, const char *line)
{
  FakeProcess *process = fake_host_find (&fixture->host, name);

  process->events->ready ((ZinitProcess *)process, line, process->data);
}

static void
test_d3_notify (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("notify")));
  fixture_add (fixture, SERVICE ("app", "dependencies.requires=['web']\n"));
  steps_start (fixture, "app", TRUE);
  steps_assert_sub_state (fixture, "web", "starting");
  steps_assert_sub_state (fixture, "app", "waiting");
  steps_assert_text (fixture, "web", "READY=1");
  g_assert_null (steps_answer (fixture, "app"));
  /* What is not READY=1 makes nothing ready; neither does what another kind of readiness would. */
  notify (fixture, "web", "STATUS=reading\nSTOPPING=1");
  write_line (fixture, "web", "hello");
  steps_assert_text (fixture, "web", "reading");
  steps_assert_sub_state (fixture, "web", "starting");
  notify (fixture, "web", "READY=1");
  steps_assert_sub_state (fixture, "web", "running");
  steps_assert_sub_state (fixture, "app", "running");
  steps_assert_answer (fixture, "app", "");
  /* Said again it means nothing. */
  notify (fixture, "web", "READY=1\nSTATUS=");
  fixture_assert_transitions (fixture, "web:inactive>starting app:inactive>blocked web:starting>running "
                                       "app:blocked>starting app:starting>running");
}

/* What it said was said of the run that is over. */
static void
test_d3_status (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("notify") ONCE));
  steps_start (fixture, "web", FALSE);
  notify (fixture, "web", "READY=1\nSTATUS=3 clients");
  fake_host_settle (&fixture->host);
  g_assert_cmpstr (zinit_service_get_status (fixture_get (fixture, "web"))->text, ==, "3 clients");
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
  fake_host_settle (&fixture->host);
  g_assert_cmpstr (zinit_service_get_status (fixture_get (fixture, "web"))->text, ==, "");
  steps_start (fixture, "web", FALSE);
  steps_assert_text (fixture, "web", "waits for READY=1");
}

static void
test_d3_descriptor (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("fd:3") ONCE));
  steps_start (fixture, "web", FALSE);
  notify (fixture, "web", "READY=1");
  steps_assert_sub_state (fixture, "web", "starting");
  write_line (fixture, "web", "");
  steps_assert_sub_state (fixture, "web", "running");
  steps_stop (fixture, "web");
  steps_end_well (fixture, "web");
  steps_start (fixture, "web", FALSE);
  write_line (fixture, "web", NULL);
  steps_assert_sub_state (fixture, "web", "stopping");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  steps_assert_sub_state (fixture, "web", "failed");
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->failure.type, ==,
                   ZINIT_FAILURE_NOT_READY);
  steps_assert_text (fixture, "web", "without a line");
}

static void
test_d3_alive (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("alive:500") ONCE));
  steps_start (fixture, "web", FALSE);
  fake_host_advance_ms (&fixture->host, 499);
  steps_assert_sub_state (fixture, "web", "starting");
  fake_host_advance_ms (&fixture->host, 1);
  steps_assert_sub_state (fixture, "web", "running");
}

static void
test_d1_timeout (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("notify") ONCE "lifecycle.start_timeout_ms=300\n"));
  steps_start (fixture, "web", FALSE);
  fake_host_advance_ms (&fixture->host, 200);
  notify (fixture, "web", "EXTEND_TIMEOUT_USEC=500000");
  /* Never shorter. */
  notify (fixture, "web", "EXTEND_TIMEOUT_USEC=1000");
  fake_host_advance_ms (&fixture->host, 499);
  steps_assert_sub_state (fixture, "web", "starting");
  fake_host_advance_ms (&fixture->host, 1);
  steps_assert_sub_state (fixture, "web", "stopping");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  steps_assert_text (fixture, "web", "start timeout: without READY=1");
  steps_assert_answer (fixture, "web", "without READY=1");
}

static void
test_d5_ended (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("notify") "lifecycle.restart_delay_ms=100\n"));
  steps_start (fixture, "web", FALSE);
  fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 1);
  steps_assert_sub_state (fixture, "web", "restarting");
  steps_assert_answer (fixture, "web", "exited with code 1");
  fake_host_advance_ms (&fixture->host, 100);
  steps_assert_sub_state (fixture, "web", "starting");
}

static void
test_d3_bus_name (Fixture *fixture, gconstpointer data)
{
  ZinitService *web = fixture_add (fixture, SERVICE ("web", READY ("dbus:org.example.Web") ONCE));

  g_assert_null (zinit_service_get_bus_name (web));
  steps_start (fixture, "web", FALSE);
  g_assert_cmpstr (zinit_service_get_bus_name (web), ==, "org.example.Web");
  fake_host_find (&fixture->host, "web")->background_pid = 777;
  zinit_service_bus_name_owned (web, 0);
  steps_assert_sub_state (fixture, "web", "starting");
  zinit_service_bus_name_owned (web, 778);
  steps_assert_sub_state (fixture, "web", "starting");
  steps_assert_text (fixture, "web", "process 778 owns");
  zinit_service_bus_name_owned (web, 777);
  steps_assert_sub_state (fixture, "web", "running");
  /* It is said, and ends nothing. */
  zinit_service_bus_name_owned (web, 0);
  zinit_service_bus_name_owned (web, 778);
  steps_assert_sub_state (fixture, "web", "running");
}

static void
test_d3_no_bus (Fixture *fixture, gconstpointer data)
{
  static const char text[] = SERVICE ("web", READY ("dbus:org.example.Web"));
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (text, strlen (text), FALSE, NULL, NULL, NULL);

  zinit_supervisor_set_has_bus (fixture->supervisor, FALSE);
  g_assert_null (zinit_supervisor_add (fixture->supervisor, definition, 0, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
  g_assert_nonnull (strstr (error->message, "message bus"));
}

#define WATCHED READY ("notify") ONCE "lifecycle.watchdog_ms=200\n"

static void
test_i3_watchdog (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", WATCHED));
  steps_start (fixture, "web", FALSE);
  /* It counts from running on. */
  fake_host_advance_ms (&fixture->host, 1000);
  notify (fixture, "web", "READY=1");
  for (guint i = 0; i < 5; i++) {
    fake_host_advance_ms (&fixture->host, 199);
    notify (fixture, "web", "WATCHDOG=1");
  }
  fake_host_advance_ms (&fixture->host, 199);
  steps_assert_sub_state (fixture, "web", "running");
  fake_host_advance_ms (&fixture->host, 1);
  steps_assert_sub_state (fixture, "web", "stopping");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  g_assert_cmpint (zinit_service_get_status (fixture_get (fixture, "web"))->failure.type, ==,
                   ZINIT_FAILURE_WATCHDOG);
}

/* It may say so itself, and choose another period; that is of this run alone. */
static void
test_i3_messages (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", WATCHED));
  steps_start (fixture, "web", FALSE);
  notify (fixture, "web", "WATCHDOG=trigger");
  steps_assert_sub_state (fixture, "web", "starting");
  notify (fixture, "web", "READY=1\nWATCHDOG_USEC=5000000");
  fake_host_advance_ms (&fixture->host, 4999);
  steps_assert_sub_state (fixture, "web", "running");
  notify (fixture, "web", "WATCHDOG=trigger");
  steps_assert_sub_state (fixture, "web", "stopping");
  fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
  steps_start (fixture, "web", FALSE);
  notify (fixture, "web", "READY=1");
  fake_host_advance_ms (&fixture->host, 200);
  steps_assert_sub_state (fixture, "web", "stopping");
  /* What is being stopped need not be well. */
  fake_host_advance_ms (&fixture->host, 1000);
  steps_assert_sub_state (fixture, "web", "stopping");
}

/* Without one it means nothing. */
static void
test_i3_none (Fixture *fixture, gconstpointer data)
{
  fixture_add (fixture, SERVICE ("web", READY ("notify")));
  steps_start (fixture, "web", FALSE);
  notify (fixture, "web", "READY=1");
  notify (fixture, "web", "WATCHDOG=trigger\nWATCHDOG_USEC=1");
  fake_host_advance_ms (&fixture->host, 60000);
  steps_assert_sub_state (fixture, "web", "running");
}

/* Which process is the service after the first one it says itself; a process that is not its own is not
 * believed. */
static void
test_main_pid (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    FakeProcess *process;
    const ZinitServiceStatus *status;

    fixture_add (fixture, SERVICE ("web", READY ("notify") ONCE));
    steps_start (fixture, "web", FALSE);
    process = fake_host_find (&fixture->host, "web");
    process->has_others = TRUE;
    process->background_pid = 777;
    notify (fixture, "web", i == 0 ? "READY=1\nMAINPID=777" : "READY=1\nMAINPID=778");
    fake_host_advance_ms (&fixture->host, 60000);
    fixture_end (fixture, "web", ZINIT_EXIT_EXITED, 0);
    fake_host_settle (&fixture->host);
    status = zinit_service_get_status (fixture_get (fixture, "web"));
    g_assert_cmpstr (zinit_state_to_string (status->state), ==, i == 0 ? "running" : "stopping");
    if (i == 0) {
      g_assert_cmpint (status->pid, ==, 777);
      steps_stop (fixture, "web");
      fixture_end (fixture, "web", ZINIT_EXIT_KILLED, SIGTERM);
    }
    if (process->has_others)
      fake_process_empty (process);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  steps_init ();
  fixture_add_test ("/rules/D3/notify", test_d3_notify);
  fixture_add_test ("/rules/D3/status", test_d3_status);
  fixture_add_test ("/rules/D3/descriptor", test_d3_descriptor);
  fixture_add_test ("/rules/D3/alive", test_d3_alive);
  fixture_add_test ("/rules/D3/bus-name", test_d3_bus_name);
  fixture_add_test ("/rules/D3/no-bus", test_d3_no_bus);
  fixture_add_test ("/rules/I3/watchdog", test_i3_watchdog);
  fixture_add_test ("/rules/I3/messages", test_i3_messages);
  fixture_add_test ("/rules/I3/none", test_i3_none);
  fixture_add_test ("/rules/D1/timeout", test_d1_timeout);
  fixture_add_test ("/rules/D5/ended", test_d5_ended);
  fixture_add_test ("/readiness/main-pid", test_main_pid);
  return g_test_run ();
}
