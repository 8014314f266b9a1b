/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a record log: what each record does to a state, and that one which is damaged or incomplete
 * costs nothing that stands before it.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "persist/record-log.h"

static GLogWriterOutput
drop_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  return G_LOG_WRITER_HANDLED;
}

static void
add_service (GString *text, guint sequence, const char *name, ZinitState state)
{
  g_autoptr (ZinitSavedService) service = zinit_saved_service_new (name);
  g_autofree char *body = NULL;
  gsize length, definition_at;

  service->state = state;
  service->extra = zinit_state_extensions_new ();
  body = zinit_saved_service_print (service, &length, &definition_at);
  g_string_append_printf (text, "service %u %" G_GSIZE_FORMAT "\n{%s}\n", sequence, length + 1, body + 1);
}

/* A record of each kind, and a service in two of them. Transfer full. */
static GString *
make_records (void)
{
  GString *text = g_string_new ("started 1 web 7 4711 47110\n");

  add_service (text, 3, "db", ZINIT_STATE_EXITED);
  g_string_append (text, "started 4 app 1 4712 47120\naborted 5 app 1 4712 47120\nremoved 6 db\n");
  add_service (text, 7, "web", ZINIT_STATE_EXITED);
  g_string_append (text, "started 8 db 2 4713 47130\n");
  return text;
}

/* Of @length bytes of @text. */
static char *
apply (const char *text, gsize length, gsize *ret_good)
{
  g_autofree char *exact = g_memdup2 (text, length);
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  gsize good = zinit_records_apply (exact, length, state, &state->record_sequence);

  g_assert_cmpuint (good, <=, length);
  if (ret_good != NULL)
    *ret_good = good;
  return zinit_saved_state_print (state, NULL);
}

static ZinitSavedState *
parse_records (const char *text)
{
  ZinitSavedState *state = zinit_saved_state_new ();
  guint64 sequence;

  g_assert_cmpuint (zinit_records_apply (text, strlen (text), state, &sequence), ==, strlen (text));
  return state;
}

static const ZinitSavedService *
find (ZinitSavedState *state, const char *name)
{
  return g_tree_lookup (state->services, name);
}

/* A start undoes what was recorded of the run before, and a wish to be down. */
static void
test_started (void)
{
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  ZinitSavedService *web = zinit_saved_service_new ("web");
  static const char text[] = "started 1 web 5 77 1234\n";
  guint64 sequence;

  web->state = ZINIT_STATE_FAILED;
  web->has_started_at = TRUE;
  web->started_at = 1;
  web->restart_count = 4;
  web->extra = zinit_state_extensions_new ();
  web->extra->wanted_status = ZINIT_WANTED_STOP;
  web->extra->failure.type = ZINIT_FAILURE_STOP_TIMEOUT;
  web->extra->stop_asked = web->extra->kill_needed = web->extra->exit_unknown = TRUE;
  web->extra->deadline_at = 9;
  web->extra->stdout_inode = 3;
  g_tree_insert (state->services, g_strdup ("web"), web);
  g_assert_cmpuint (zinit_records_apply (text, strlen (text), state, &sequence), ==, strlen (text));
  g_assert_cmpint (web->state, ==, ZINIT_STATE_STARTING);
  g_assert_true (web->has_pid);
  g_assert_cmpuint (web->pid, ==, 77);
  g_assert_false (web->has_started_at);
  g_assert_cmpuint (web->restart_count, ==, 4);
  g_assert_cmpuint (web->extra->run, ==, 5);
  g_assert_cmpuint (web->extra->pid_start_ticks, ==, 1234);
  g_assert_cmpint (web->extra->wanted_status, ==, ZINIT_WANTED_START);
  g_assert_cmpint (web->extra->failure.type, ==, ZINIT_FAILURE_NONE);
  g_assert_false (web->extra->stop_asked || web->extra->kill_needed || web->extra->exit_unknown);
  g_assert_cmpuint (web->extra->deadline_at, ==, 0);
  g_assert_cmpuint (web->extra->stdout_inode, ==, 0);
}

/* It is no run: the start is made anew. */
static void
test_aborted (void)
{
  g_autoptr (ZinitSavedState) state =
      parse_records ("started 1 web 5 77 1234\naborted 2 web 5 77 1234\nstarted 3 db 1 78 1235\n");

  g_assert_cmpint (find (state, "web")->state, ==, ZINIT_STATE_INACTIVE);
  g_assert_false (find (state, "web")->has_pid);
  g_assert_cmpuint (find (state, "web")->extra->pid_start_ticks, ==, 0);
  g_assert_true (find (state, "web")->extra->start_after);
  g_assert_cmpint (find (state, "db")->state, ==, ZINIT_STATE_STARTING);
}

static void
test_removed (void)
{
  g_autoptr (ZinitSavedState) state =
      parse_records ("started 1 a 1 77 1\nremoved 2 a\nremoved 3 never-there\nstarted 4 b 1 78 1\n"
                     "removed 5 b\nstarted 6 b 1 79 2\n");

  g_assert_null (find (state, "a"));
  g_assert_cmpint (g_tree_nnodes (state->services), ==, 1);
  g_assert_cmpuint (find (state, "b")->pid, ==, 79);
}

/* Records come whole or not at all, so the texts of two cuts differ only where a record ends. */
static void
test_prefixes (void)
{
  g_autoptr (GString) text = make_records ();
  g_autofree char *last = apply (text->str, 0, NULL);
  gsize last_good = 0;
  guint n_records = 0;

  for (gsize cut = 1; cut <= text->len; cut++) {
    gsize good;
    g_autofree char *now = apply (text->str, cut, &good);

    g_assert_true (good == cut || good == last_good);
    if (good == last_good) {
      g_assert_cmpstr (now, ==, last);
      continue;
    }
    n_records++;
    last_good = good;
    g_free (last);
    last = g_steal_pointer (&now);
  }
  g_assert_cmpuint (n_records, ==, 7);
}

/* Lengths that are not those of a body, and bodies that are no services. */
static void
test_damaged_services (void)
{
  static const char *const damages[] = {
    "service 9 2\n{}x",
    "service 9 3\n{}\n",
    "service 9 9223372036854775807\n{}\n",
    "service 9 18446744073709551615\n{}\n",
    "service 9 -1\n{}\n",
    "service 9 1\n{\n",
    "service 9 2\n[]\n",
    "service 9 11\n{\"web\": 17}\n",
    "service 9\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *text = g_strconcat ("started 1 a 1 77 1\n", damages[i], "started 11 b 1 78 1\n", NULL);
    g_autofree char *state = NULL;
    gsize good;

    state = apply (text, strlen (text), &good);
    g_assert_cmpuint (good, ==, strlen ("started 1 a 1 77 1\n"));
    g_assert_nonnull (strstr (state, "\"a\""));
    g_assert_null (strstr (state, "\"b\""));
  }
}

/* A service that can be read, and something behind it that cannot: nothing of the record counts. */
static void
test_half_a_service (void)
{
  g_autoptr (GString) text = g_string_new ("started 1 web 7 4711 47110\n");
  g_autofree char *before = apply (text->str, text->len, NULL);
  g_autofree char *after = NULL;
  gsize good;

  add_service (text, 2, "web", ZINIT_STATE_EXITED);
  text->str[text->len - 2] = '#';
  after = apply (text->str, text->len, &good);
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpuint (good, ==, strlen ("started 1 web 7 4711 47110\n"));
}

/* Bytes by chance, and a log in which some are by chance: nothing ends the daemon, and what was believed is
 * believed again. */
static void
test_random (void)
{
  g_autoptr (GString) text = make_records ();

  for (guint i = 0; i < 2000; i++) {
    g_autofree char *bytes = g_memdup2 (text->str, text->len);
    g_autofree char *first = NULL, *second = NULL;
    gsize good, again;

    for (int n = i % 8 == 0 ? (int)text->len : g_test_rand_int_range (1, 4); n > 0; n--)
      bytes[g_test_rand_int_range (0, (gint32)text->len)] = (char)g_test_rand_int_range (0, 256);
    first = apply (bytes, text->len, &good);
    second = apply (bytes, good, &again);
    g_assert_cmpuint (again, ==, good);
    g_assert_cmpstr (second, ==, first);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (drop_warnings, NULL, NULL);
  g_test_add_func ("/record-replay/started", test_started);
  g_test_add_func ("/record-replay/aborted", test_aborted);
  g_test_add_func ("/record-replay/removed", test_removed);
  g_test_add_func ("/record-replay/prefixes", test_prefixes);
  g_test_add_func ("/record-replay/damaged-services", test_damaged_services);
  g_test_add_func ("/record-replay/half-a-service", test_half_a_service);
  g_test_add_func ("/record-replay/random", test_random);
  return g_test_run ();
}
