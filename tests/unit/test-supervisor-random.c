/* SPDX-License-Identifier: Apache-2.0
 *
 * Random sequences of everything that can happen to a set of services, on the fake host, against what must
 * always hold: never two processes of one service, nothing of it left when it is down, no state without a way
 * out, an orderly end. A failing run is repeated with --seed.
 */
#include <signal.h>

#include "fake-fixture.h"

#define N_SERVICES 8
#define N_RUNS 300
#define N_STEPS 400

static char *
random_definition (guint number)
{
  static const char *const restarts[] = { "always", "on-failure", "never" };
  static const char *const kinds[] = { "requires", "binds_to", "after", "before", "wants", "conflicts" };
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (
      text,
      "service.name='s%u'\nservice.exec='exec%d'\nservice.oneshot=%s\n"
      "lifecycle.restart='%s'\nlifecycle.max_restarts=%d\nlifecycle.restart_delay_ms=100\n"
      "lifecycle.stop_timeout_ms=500\nlifecycle.stability_period_ms=%d\n",
      number, g_test_rand_int_range (0, 3), g_test_rand_int_range (0, 4) == 0 ? "true" : "false",
      restarts[g_test_rand_int_range (0, 3)], g_test_rand_int_range (0, 4), g_test_rand_int_range (0, 1000));
  if (g_test_rand_int_range (0, 3) == 0)
    g_string_append (text, "lifecycle.kill_mode='mixed'\n");
  if (g_test_rand_int_range (0, 4) == 0)
    g_string_append (text, "lifecycle.success_exit_codes=[1]\nlifecycle.permanent_exit_codes=['SIGKILL']\n");
  if (g_test_rand_int_range (0, 3) == 0)
    g_string_append_printf (text, "lifecycle.on_failure=['s%d','s%d']\n",
                            g_test_rand_int_range (0, N_SERVICES + 1) + 10,
                            g_test_rand_int_range (0, N_SERVICES) + 10);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_test_rand_int_range (0, 3) == 0)
      g_string_append_printf (text, "dependencies.%s=['s%d','s%d']\n", kinds[i],
                              g_test_rand_int_range (0, N_SERVICES + 1) + 10,
                              g_test_rand_int_range (0, N_SERVICES) + 10);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static ZinitService *
pick (Fixture *fixture)
{
  g_autofree char *name = g_strdup_printf ("s%d", g_test_rand_int_range (0, N_SERVICES) + 10);

  return zinit_supervisor_find (fixture->supervisor, name, NULL);
}

/* Definitions may be refused: that is one of the things that can happen. */
static void
define (Fixture *fixture)
{
  g_autofree char *text = random_definition ((guint)g_test_rand_int_range (0, N_SERVICES) + 10);
  g_autoptr (ZinitDefinition) definition =
      zinit_definition_parse (text, strlen (text), FALSE, NULL, NULL, NULL);

  if (definition != NULL)
    zinit_supervisor_add (fixture->supervisor, definition, ZINIT_ADD_REPLACE, NULL);
}

static void
end_one (Fixture *fixture)
{
  static const ZinitExit exits[] = { { ZINIT_EXIT_EXITED, 0 },
                                     { ZINIT_EXIT_EXITED, 1 },
                                     { ZINIT_EXIT_KILLED, SIGKILL },
                                     { ZINIT_EXIT_UNKNOWN, 0 } };
  const ZinitExit *exit = &exits[g_test_rand_int_range (0, G_N_ELEMENTS (exits))];
  GPtrArray *processes = fixture->host.processes;
  FakeProcess *process;

  if (processes->len == 0)
    return;
  process = processes->pdata[g_test_rand_int_range (0, (gint32)processes->len)];
  if (process->is_released)
    return;
  if (process->has_main) {
    process->has_others = g_test_rand_int_range (0, 3) == 0;
    fake_process_end (process, exit->kind, exit->value);
  } else if (process->has_others) {
    fake_process_empty (process);
  }
}

static void
step (Fixture *fixture)
{
  ZinitService *service = pick (fixture);
  int what = g_test_rand_int_range (0, 100);

  if (what < 12)
    define (fixture);
  else if (what < 40)
    end_one (fixture);
  else if (what < 65)
    fake_host_advance_ms (&fixture->host, (guint64)g_test_rand_int_range (0, 300));
  else if (what < 66)
    g_strfreev (zinit_supervisor_start_all (fixture->supervisor, NULL));
  else if (what < 67)
    g_strfreev (zinit_supervisor_stop_all (fixture->supervisor, NULL));
  else if (service == NULL)
    return;
  else if (what < 80)
    zinit_supervisor_start (fixture->supervisor, service, what < 72, NULL);
  else if (what < 88)
    zinit_supervisor_stop (fixture->supervisor, service, NULL);
  else if (what < 95)
    zinit_supervisor_restart (fixture->supervisor, service, FALSE, NULL);
  else
    zinit_supervisor_remove (fixture->supervisor, service, what < 98, NULL);
}

static void
check_service (Fixture *fixture, ZinitService *service)
{
  const char *name = zinit_service_get_name (service);
  ZinitState state = zinit_service_get_status (service)->state;
  guint n_living = fake_host_count_living (&fixture->host, name);

  g_assert_cmpuint (n_living, ==,
                    zinit_state_is_active (state) || zinit_service_get_undying_pid (service) != 0 ? 1 : 0);
  g_assert_cmpint (zinit_service_get_status (service)->pid != 0, ==, zinit_state_is_active (state));
  g_assert_cmpint (state == ZINIT_STATE_FAILED, ==,
                   zinit_service_get_status (service)->failure.type != ZINIT_FAILURE_NONE);
  if (state != ZINIT_STATE_BLOCKED)
    g_assert_null (zinit_service_get_status (service)->waiting_on);
  else
    g_assert_nonnull (zinit_service_get_status (service)->waiting_on);
  if (zinit_service_get_status (service)->next_restart_usec != 0) {
    g_assert_true (state == ZINIT_STATE_EXITED || state == ZINIT_STATE_FAILED);
    g_assert_cmpint (zinit_service_get_status (service)->next_restart_usec, >=, fixture->host.now_usec);
  }
}

static void
check_all (Fixture *fixture)
{
  g_autoptr (GPtrArray) services = NULL;
  guint n_failed = 0;

  fake_host_settle (&fixture->host);
  services = zinit_supervisor_list (fixture->supervisor);
  for (guint i = 0; i < services->len; i++) {
    check_service (fixture, services->pdata[i]);
    n_failed += zinit_service_get_status (services->pdata[i])->state == ZINIT_STATE_FAILED;
  }
  g_assert_cmpuint (zinit_supervisor_count_failed (fixture->supervisor), ==, n_failed);
}

/* Everything that is told to end does: the stubborn by SIGKILL. Then all must be down in bounded time. */
static void
check_orderly_end (Fixture *fixture)
{
  zinit_supervisor_shutdown (fixture->supervisor);
  for (guint round = 0; fixture->n_shutdowns_done == 0; round++) {
    g_assert_cmpuint (round, <, 10 * N_SERVICES);
    for (guint i = 0; i < fixture->host.processes->len; i++) {
      FakeProcess *process = fixture->host.processes->pdata[i];
      ZinitService *service = zinit_supervisor_find (fixture->supervisor, process->name, NULL);

      if (process->is_released || service == NULL ||
          zinit_service_get_status (service)->state != ZINIT_STATE_STOPPING)
        continue;
      if (process->has_others)
        fake_process_empty (process);
      if (!process->is_released && process->has_main)
        fake_process_end (process, ZINIT_EXIT_KILLED, SIGTERM);
    }
    fake_host_settle (&fixture->host);
  }
  g_assert_cmpuint (fixture->n_shutdowns_done, ==, 1);
}

static void
test_random (void)
{
  for (guint run = 0; run < N_RUNS; run++) {
    Fixture fixture;

    fixture_init (&fixture);
    for (guint i = 0; i < N_STEPS; i++) {
      step (&fixture);
      check_all (&fixture);
    }
    check_orderly_end (&fixture);
    fixture_clear (&fixture);
  }
}

/* Thousands of crashes are told in the log; they are no use here. */
static GLogWriterOutput
drop_messages (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR))
    return g_log_writer_default (level, fields, n_fields, data);
  return G_LOG_WRITER_HANDLED;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (drop_messages, NULL, NULL);
  g_test_add_func ("/supervisor/random", test_random);
  return g_test_run ();
}
