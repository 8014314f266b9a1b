/* SPDX-License-Identifier: Apache-2.0
 *
 * For each service what must be, by the books, and what is.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "truth.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"
#include "processes.h"

#define TOO_OFTEN "too often"

typedef enum { NO, YES, EITHER } Answer;

typedef struct {
  const char *name;
  const char *replaced; /* its file after it was replaced; NULL = never */
  Answer known;         /* to the daemon */
  Answer runs;
  guint starts_min;
  guint starts_max;
} Expectation;

/* What the daemon says of a service; NULL when it has none of that name. Transfer full. */
static char *
ask_property (Life *life, const char *service, const char *property)
{
  g_autofree char *path = client_service_path (service);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) value = NULL;

  if (life->h->client == NULL)
    return NULL;
  reply = client_call_on (life->h->client, path, ZINIT_PROPERTIES_INTERFACE, "Get",
                          g_variant_new ("(ss)", ZINIT_SERVICE_INTERFACE, property), NULL);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(v)", &value);
  return g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ? g_variant_dup_string (value, NULL)
                                                             : g_variant_print (value, FALSE);
}

static Answer
standing_to_answer (LifeStanding standing)
{
  return standing == LIFE_ACKNOWLEDGED ? YES : standing == LIFE_ASKED ? EITHER : NO;
}

/* Both were asked for in this order. */
static Answer
added_and_removed (LifeStanding added, LifeStanding removed)
{
  if (removed == LIFE_NOT_ASKED)
    return standing_to_answer (added);
  return removed == LIFE_ASKED ? EITHER : NO;
}

/* A shutdown that came to its end forgets what was asked for; one that was cut short does not, but has
 * stopped some, which are started again. */
static gboolean
is_new_life (Life *life)
{
  g_autofree char *wanted = ask_property (life, "extra", "WantedStatus");

  return life->standing[LIFE_SHUTDOWN] != LIFE_NOT_ASKED && !life->left_services && wanted == NULL;
}

static gboolean
ended_unseen (Life *life, const char *service)
{
  g_autofree char *exit = ask_property (life, service, "LastExit");

  return g_strcmp0 (exit, "('exited', -1)") == 0;
}

/* A stop that has come as far as the signal, and that nobody knows of afterwards, is an end like others,
 * after which the service is started again. */
static guint
is_open (const Life *life, LifeRequest request)
{
  return life->standing[request] == LIFE_ASKED ? 1 : 0;
}

/* Each start reads the folder; without one it is a Reload that may have come to nothing. */
static Answer
expect_late (const Life *life)
{
  if (life->is_new_daemon || (!is_open (life, LIFE_RELOAD_LATE) && !is_open (life, LIFE_RELOAD_GONE)))
    return life->late_exists ? YES : NO;
  return EITHER;
}

enum { N_EXPECTATIONS = 8 };

static void
expect (Life *life, Expectation *all)
{
  const LifeStanding *standing = life->standing;
  gboolean is_new = is_new_life (life);
  guint again = standing[LIFE_SHUTDOWN] != LIFE_NOT_ASKED || life->may_fail ? 1 : 0;
  guint n_runs = 1 + (is_new ? 1 : 0), n_more = standing[LIFE_RUN_ONCE] != LIFE_NOT_ASKED ? 1 : 0;
  Answer extra = is_new ? NO : standing_to_answer (standing[LIFE_ADD_EXTRA]);
  Answer brief = is_new ? NO : added_and_removed (standing[LIFE_ADD_BRIEF], standing[LIFE_REMOVE_BRIEF]);
  Answer late = expect_late (life);
  Answer dep = is_new || standing[LIFE_STOP_DEP] == LIFE_NOT_ASKED ? YES
               : standing[LIFE_STOP_DEP] == LIFE_ASKED             ? EITHER
                                                                   : NO;
  guint n_restarts = standing[LIFE_RESTART_EXTRA] != LIFE_NOT_ASKED ? 1 : 0;

  /* What requires a oneshot whose success nobody saw waits for somebody to decide. */
  if (dep == YES && ended_unseen (life, "once"))
    dep = EITHER;
  all[0] = (Expectation){ "base", NULL, YES, YES, 1, 1 + again };
  all[1] = (Expectation){ "talk", NULL, YES, YES, 1, 1 + again };
  /* A shutdown takes it down with all others, also one that was cut short; nothing else has it run again. */
  all[2] = (Expectation){ "once", NULL, YES, NO, n_runs, 1 + n_more };
  if (standing[LIFE_SHUTDOWN] != LIFE_NOT_ASKED)
    all[2].starts_max++;
  if (standing[LIFE_RUN_ONCE] == LIFE_ACKNOWLEDGED)
    all[2].starts_min++;
  all[3] =
      (Expectation){ "dep", NULL, YES, dep, dep == YES ? 1 : 0, 1 + again + is_open (life, LIFE_STOP_DEP) };
  all[4] = (Expectation){ "hurt", "hurt-new", YES, YES, 1 + life->n_hurt, 1 + life->n_hurt + again };
  all[5] = (Expectation){ "extra", "extra-new", extra, extra, 0, 1 + n_restarts + again };
  if (standing[LIFE_RESTART_EXTRA] == LIFE_ACKNOWLEDGED)
    all[5].starts_min = 2;
  all[6] = (Expectation){ "brief", NULL, brief, brief, 0, 1 + again + is_open (life, LIFE_REMOVE_BRIEF) };
  all[7] = (Expectation){ "late", NULL, late, late, 0, 1 + again };
}

static gboolean
contains (const GArray *pids, pid_t pid)
{
  for (guint i = 0; i < pids->len; i++)
    if (g_array_index (pids, pid_t, i) == pid)
      return TRUE;
  return FALSE;
}

/* The mark proves that the number has not been given to somebody else meanwhile. */
static void
add_living (Life *life, const char *file, const GArray *marked, GArray *living, guint *n_starts)
{
  g_autoptr (GArray) starts = life_starts (life, file);

  *n_starts += starts->len;
  for (guint i = 0; i < starts->len; i++) {
    pid_t pid = g_array_index (starts, pid_t, i);

    if (contains (marked, pid))
      g_array_append_val (living, pid);
  }
}

static void
say (GString *wrong, const char *format, ...)
{
  va_list list;

  va_start (list, format);
  g_string_append (wrong, "  ");
  g_string_append_vprintf (wrong, format, list);
  g_string_append_c (wrong, '\n');
  va_end (list);
}

/* What the daemon says must fit what is. */
static void
check_agreement (Life *life, const Expectation *expected, GArray *living, GString *wrong)
{
  g_autofree char *pid = ask_property (life, expected->name, "Pid");
  g_autofree char *wanted = ask_property (life, expected->name, "WantedStatus");
  g_autofree char *state = ask_property (life, expected->name, "State");
  g_autofree char *text = ask_property (life, expected->name, "StatusText");
  g_autofree char *sub_state = ask_property (life, expected->name, "SubState");
  gboolean is_known = wanted != NULL;
  /* As it came to look first: both are left to somebody's decision. */
  gboolean is_stuck = g_strcmp0 (state, "blocked") == 0 || g_strcmp0 (sub_state, "held") == 0;

  if (expected->known != EITHER && is_known != (expected->known == YES))
    say (wrong, "%s is %s to the daemon", expected->name, is_known ? "known" : "not known");
  if (!is_known && living->len > 0)
    say (wrong, "%s is not known to the daemon and runs", expected->name);
  if (is_known && living->len == 1 && atoi (pid) != g_array_index (living, pid_t, 0))
    say (wrong, "%s runs as %d and the daemon says pid %s", expected->name, g_array_index (living, pid_t, 0),
         pid);
  if (is_known && expected->runs == EITHER && (living->len == 0) != (g_strcmp0 (wanted, "stop") == 0) &&
      !is_stuck)
    say (wrong, "%s is wanted %s, is %s, %s, and has %u processes", expected->name, wanted, state, sub_state,
         living->len);
  if (is_known && expected->runs == YES && living->len != 1)
    say (wrong, "the daemon says of %s: %s, wanted %s, pid %s, %s", expected->name, state, wanted, pid, text);
}

/* Returns how many processes it has. */
static guint
check_service (Life *life, const Expectation *expected, const GArray *marked, GString *wrong)
{
  g_autoptr (GArray) living = g_array_new (FALSE, FALSE, sizeof (pid_t));
  guint n_starts = 0;

  add_living (life, expected->name, marked, living, &n_starts);
  if (expected->replaced != NULL)
    add_living (life, expected->replaced, marked, living, &n_starts);
  if (living->len > 1)
    say (wrong, "%s has %u processes", expected->name, living->len);
  if (expected->runs == YES && living->len == 0)
    say (wrong, "%s does not run", expected->name);
  if (expected->runs == NO && living->len > 0)
    say (wrong, "%s runs", expected->name);
  if (n_starts < expected->starts_min)
    say (wrong, "%s was started %u times, and %u were asked for", expected->name, n_starts,
         expected->starts_min);
  if (n_starts > expected->starts_max)
    say (wrong, "%s was started " TOO_OFTEN ": %u times, and %u were asked for", expected->name, n_starts,
         expected->starts_max);
  check_agreement (life, expected, living, wrong);
  return living->len;
}

/* All of what must be now; once it is so, it stays so. */
static void
check_now (Life *life, GString *wrong)
{
  Expectation all[N_EXPECTATIONS];
  g_autoptr (GArray) marked = processes_with_mark (life->h->mark);
  g_autofree char *described = NULL;
  guint n = 0;

  expect (life, all);
  for (guint i = 0; i < N_EXPECTATIONS; i++)
    n += check_service (life, &all[i], marked, wrong);
  described = processes_describe (marked);
  /* The daemon carries the mark too. */
  if (marked->len != n + 1)
    say (wrong, "%u processes are there, and %u belong to services:\n%s", marked->len, n, described);
}

static void
wait_truth (Life *life, GString *wrong)
{
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);

  for (;;) {
    g_autoptr (GString) now = g_string_new (NULL);

    if (life_is_gone (life)) {
      say (wrong, "the daemon ended with wait status 0x%x", life->status);
      return;
    }
    check_now (life, now);
    if (now->len == 0)
      return;
    /* What was started cannot be taken back; the rest may come yet. */
    if (strstr (now->str, TOO_OFTEN) != NULL)
      deadline = MIN (deadline, g_get_monotonic_time () + G_USEC_PER_SEC / 4);
    if (g_get_monotonic_time () > deadline) {
      g_string_append_len (wrong, now->str, (gssize)now->len);
      return;
    }
    g_usleep (5000);
  }
}

/* The lines that the daemon has of a service. Transfer full; NULL when it does not tell. */
static char **
get_lines (Life *life, const char *service)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) iter = NULL;
  const char *text;

  if (life->h->client != NULL)
    reply = client_call_on (life->h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "GetLogs",
                            g_variant_new_parsed ("(%s, {'lines': <uint32 100000>})", service), NULL);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(a(tss))", &iter);
  while (g_variant_iter_next (iter, "(t&s&s)", NULL, NULL, &text))
    g_strv_builder_add (builder, text);
  return g_strv_builder_end (builder);
}

/* Every number once, in order, from 0 to the end. After a shutdown that was cut short a second run begins
 * anew, and the first one ends anywhere. */
static void
check_numbers (Life *life, char **lines, GString *wrong)
{
  gboolean may_begin_anew = life->standing[LIFE_SHUTDOWN] != LIFE_NOT_ASKED;
  g_autofree char *before = NULL;
  long expected = 0;

  for (char **line = lines; *line != NULL && strcmp (*line, "end") != 0; line++) {
    g_autofree char *number = g_strdup_printf ("%ld", expected);

    if (strcmp (*line, number) != 0) {
      /* The last line of the first run may have come half. */
      if (may_begin_anew && g_str_has_prefix (number, *line) && g_strcmp0 (line[1], "0") == 0)
        continue;
      if (!may_begin_anew || strcmp (*line, "0") != 0) {
        say (wrong, "of the output of talk, line %ld is \"%s\", and the one before is \"%s\"", expected,
             *line, before != NULL ? before : "");
        return;
      }
      may_begin_anew = FALSE;
      expected = 0;
    }
    g_free (before);
    before = g_strdup (*line);
    expected++;
  }
}

/* Its process writes "end" when the file is there, and everything before it must have arrived. */
static void
check_output (Life *life, GString *wrong)
{
  gint64 deadline = processes_deadline (LIFE_PATIENCE_SECONDS);
  g_autofree char *end = life_path (life, "talk-end");

  g_file_set_contents (end, "", 0, NULL);
  for (;;) {
    g_auto (GStrv) lines = get_lines (life, "talk");
    guint n = lines != NULL ? g_strv_length (lines) : 0;

    if (n > 0 && strcmp (lines[n - 1], "end") == 0) {
      check_numbers (life, lines, wrong);
      return;
    }
    if (g_get_monotonic_time () > deadline || life_is_gone (life)) {
      say (wrong, "the last line of talk has not arrived; %u lines have", n);
      return;
    }
    g_usleep (2000);
  }
}

/* A process that lives has had its line kept, once for each start. */
static void
check_line_each (Life *life, const char *service, GString *wrong)
{
  g_autoptr (GArray) starts = life_starts (life, service);
  g_auto (GStrv) lines = get_lines (life, service);
  guint n = lines != NULL ? g_strv_length (lines) : 0;

  if (n != starts->len)
    say (wrong, "%s has written %u lines, and %u are kept", service, starts->len, n);
}

/* An acknowledged replacement is in force at the latest after a restart. */
static void
check_replaced (Life *life, LifeRequest request, const char *name, const char *file, GString *wrong)
{
  g_autofree char *line = g_strdup_printf ("('%s', {'wait': <true>})", name);
  g_autoptr (GArray) before = life_starts (life, file);
  g_autoptr (GArray) after = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  if (life->standing[request] != LIFE_ACKNOWLEDGED || life->h->client == NULL || is_new_life (life))
    return;
  reply = client_call_on (life->h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "RestartService",
                          g_variant_new_parsed (line), &error);
  if (reply == NULL) {
    say (wrong, "%s cannot be restarted: %s", name, error->message);
    return;
  }
  /* It writes its line a little later than it is executed. */
  for (gint64 deadline = processes_deadline (1); g_get_monotonic_time () < deadline; g_usleep (1000)) {
    g_clear_pointer (&after, g_array_unref);
    after = life_starts (life, file);
    if (after->len > before->len)
      return;
  }
  say (wrong, "the definition of %s was replaced, which was acknowledged, and it starts with the older one",
       name);
}

void
truth_check_nothing_left (Life *life, GString *wrong)
{
  gint64 deadline = processes_deadline (1);

  for (;;) {
    g_autoptr (GArray) marked = processes_with_mark (life->h->mark);
    g_autofree char *described = processes_describe (marked);

    if (marked->len == 0)
      return;
    if (g_get_monotonic_time () > deadline) {
      say (wrong, "after the shutdown these are left:\n%s", described);
      return;
    }
    g_usleep (2000);
  }
}

static void
shut_down (Life *life, GString *wrong)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  if (life->h->client == NULL)
    return;
  reply = client_call_on (life->h->client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "Shutdown",
                          g_variant_new_parsed ("(" NO_OPTIONS ",)"), &error);
  if (reply == NULL)
    say (wrong, "Shutdown fails: %s", error->message);
  else if (!life_wait_gone (life))
    say (wrong, "the daemon does not end after Shutdown");
  else if (!WIFEXITED (life->status) || WEXITSTATUS (life->status) != 0)
    say (wrong, "the daemon ended with wait status 0x%x after Shutdown", life->status);
}

void
truth_check (Life *life, GString *wrong)
{
  wait_truth (life, wrong);
  if (wrong->len == 0) {
    check_output (life, wrong);
    if (life->standing[LIFE_SHUTDOWN] == LIFE_NOT_ASKED)
      check_line_each (life, "base", wrong);
    check_replaced (life, LIFE_REPLACE_EXTRA, "extra", "extra-new", wrong);
    check_replaced (life, LIFE_REPLACE_HURT, "hurt", "hurt-new", wrong);
  }
  shut_down (life, wrong);
  if (wrong->len == 0)
    truth_check_nothing_left (life, wrong);
}
