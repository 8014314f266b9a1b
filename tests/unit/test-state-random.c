/* SPDX-License-Identifier: Apache-2.0
 *
 * Random state and descriptor documents: what is written is read back the same, field by field. The framework
 * prints the seed; --seed repeats a run.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "persist/state-format.h"

static char *
random_text (void)
{
  GString *text = g_string_new (NULL);

  for (int n = g_test_rand_int_range (0, 12); n > 0; n--) {
    /* Mostly what has to be escaped and where UTF-8 changes its length. */
    static const gunichar limits[] = { 0x20, 0x80, 0x800, 0xd800, 0x110000 };
    gunichar character =
        (gunichar)g_test_rand_int_range (1, (gint32)limits[g_test_rand_int_range (0, G_N_ELEMENTS (limits))]);

    if (character < 0xd800 || character > 0xdfff)
      g_string_append_unichar (text, character);
  }
  return g_string_free (text, FALSE);
}

static guint64
random_u64 (void)
{
  guint64 number = (guint64)(guint32)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();

  return number >> g_test_rand_int_range (0, 64);
}

static ZinitSavedService *
random_service (void)
{
  ZinitSavedService *service = g_new0 (ZinitSavedService, 1);

  service->name = random_text ();
  service->state = (ZinitState)g_test_rand_int_range (0, ZINIT_N_STATES);
  if ((service->has_pid = g_test_rand_bit ()))
    service->pid = (guint32)random_u64 ();
  service->restart_count = (guint32)random_u64 ();
  service->current_restart_delay_ms = random_u64 ();
  if ((service->has_last_exit_code = g_test_rand_bit ()))
    service->last_exit_code = g_test_rand_int ();
  if ((service->has_last_exit_signal = g_test_rand_bit ()))
    service->last_exit_signal = g_test_rand_int ();
  if ((service->has_started_at = g_test_rand_bit ()))
    service->started_at = random_u64 ();
  service->last_state_change = random_u64 ();
  service->ephemeral = g_test_rand_bit ();
  return service;
}

static void
assert_same_service (const ZinitSavedService *a, const ZinitSavedService *b)
{
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpint (a->state, ==, b->state);
  g_assert_cmpint (a->has_pid, ==, b->has_pid);
  g_assert_cmpuint (a->pid, ==, b->pid);
  g_assert_cmpuint (a->restart_count, ==, b->restart_count);
  g_assert_cmpuint (a->current_restart_delay_ms, ==, b->current_restart_delay_ms);
  g_assert_cmpint (a->has_last_exit_code, ==, b->has_last_exit_code);
  g_assert_cmpint (a->last_exit_code, ==, b->last_exit_code);
  g_assert_cmpint (a->has_last_exit_signal, ==, b->has_last_exit_signal);
  g_assert_cmpint (a->last_exit_signal, ==, b->last_exit_signal);
  g_assert_cmpint (a->has_started_at, ==, b->has_started_at);
  g_assert_cmpuint (a->started_at, ==, b->started_at);
  g_assert_cmpuint (a->last_state_change, ==, b->last_state_change);
  g_assert_cmpint (a->ephemeral, ==, b->ephemeral);
  g_assert_cmpstr (a->config, ==, b->config);
}

static void
test_random_states (void)
{
  for (guint round = 0; round < 300; round++) {
    g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
    g_autoptr (ZinitSavedState) again = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *printed = NULL;
    GTreeNode *a, *b;

    state->version = (guint32)random_u64 ();
    state->saved_at = random_u64 ();
    state->boot_time = random_u64 ();
    g_free (state->config_dir);
    state->config_dir = random_text ();
    for (int n = g_test_rand_int_range (0, 8); n > 0; n--)
      g_tree_replace (state->services, random_text (), random_service ());
    printed = zinit_saved_state_print (state, NULL);
    again = zinit_saved_state_parse (printed, strlen (printed), ZINIT_EXTRAS_SKIP, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (again->version, ==, state->version);
    g_assert_cmpuint (again->saved_at, ==, state->saved_at);
    g_assert_cmpuint (again->boot_time, ==, state->boot_time);
    g_assert_cmpstr (again->config_dir, ==, state->config_dir);
    g_assert_cmpstr (again->socket_path, ==, state->socket_path);
    g_assert_cmpint (g_tree_nnodes (again->services), ==, g_tree_nnodes (state->services));
    a = g_tree_node_first (state->services);
    b = g_tree_node_first (again->services);
    for (; a != NULL; a = g_tree_node_next (a), b = g_tree_node_next (b)) {
      g_assert_cmpstr (g_tree_node_key (a), ==, g_tree_node_key (b));
      assert_same_service (g_tree_node_value (a), g_tree_node_value (b));
    }
  }
}

static void
test_random_fds (void)
{
  for (guint round = 0; round < 200; round++) {
    g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_new ();
    g_autoptr (ZinitSavedFds) again = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *printed = NULL;
    g_autofree char *name = random_text ();
    ZinitSavedPipes *pipes = g_new0 (ZinitSavedPipes, 1);
    ZinitSavedPipes *read;
    gint32 listener = g_test_rand_int ();

    if ((fds->has_rpc_socket = g_test_rand_bit ()))
      fds->rpc_socket = g_test_rand_int ();
    if ((pipes->has_stdout_pipe = g_test_rand_bit ()))
      pipes->stdout_pipe = g_test_rand_int ();
    if ((pipes->has_stderr_pipe = g_test_rand_bit ()))
      pipes->stderr_pipe = g_test_rand_int ();
    g_tree_replace (fds->services, g_strdup (name), pipes);
    g_tree_replace (fds->socket_activated, g_strdup (name), GINT_TO_POINTER (listener));
    printed = zinit_saved_fds_print (fds, NULL);
    again = zinit_saved_fds_parse (printed, strlen (printed), &error);
    g_assert_no_error (error);
    g_assert_cmpint (again->has_rpc_socket, ==, fds->has_rpc_socket);
    g_assert_cmpint (again->rpc_socket, ==, fds->rpc_socket);
    read = g_tree_lookup (again->services, name);
    g_assert_cmpmem (read, sizeof *read, pipes, sizeof *pipes);
    g_assert_cmpint (GPOINTER_TO_INT (g_tree_lookup (again->socket_activated, name)), ==, listener);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/state-random/states", test_random_states);
  g_test_add_func ("/state-random/fds", test_random_fds);
  return g_test_run ();
}
