/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a life, lets the next daemon come where the attacked one has ended, and has the truth checked.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "truth.h"

/* A life has some calls more or less than another. */
enum { MAX_FAILURES = 10, MAX_MISSED = 5, LOG_BYTES = 3000 };

void
attack_reap_orphans (void)
{
  int status = 0;
  pid_t tests, ended;

  prctl (PR_SET_CHILD_SUBREAPER, 1);
  tests = fork ();
  if (tests == 0) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    return;
  }
  while ((ended = wait (&status)) != tests)
    if (ended < 0 && errno != EINTR)
      _exit (125);
  _exit (WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status));
}

Attack *
attack_new (void)
{
  Attack *attack = g_new0 (Attack, 1);
  int fd;

  attack->max_failed = MAX_FAILURES;
  if (g_getenv ("ZINIT_FAULT_FAILURES") != NULL)
    attack->max_failed = (guint)g_ascii_strtoull (g_getenv ("ZINIT_FAULT_FAILURES"), NULL, 10);
  attack->h = harness_new ();
  harness_stop_bus (attack->h);
  attack->control_path = harness_path (attack->h, "control");
  fd = open (attack->control_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (ftruncate (fd, sizeof (FaultControl)), ==, 0);
  attack->control = mmap (NULL, sizeof (FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (attack->control != MAP_FAILED);
  close (fd);
  return attack;
}

void
attack_free (Attack *attack)
{
  munmap (attack->control, sizeof (FaultControl));
  g_free (attack->control_path);
  harness_finish (attack->h);
  g_free (attack);
}

/* "open_pipe spawn.c:118 < launch spawn.c:163 < …", as far as the debugger's tools are there. */
static char *
describe_frames (const FaultCall *call)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *output = NULL;
  g_auto (GStrv) words = NULL;
  GString *text = g_string_new (NULL);

  g_string_append_printf (line, "addr2line -fse %s", g_getenv ("ZINITD"));
  for (int i = 0; i < FAULT_MAX_FRAMES; i++)
    if (call->frames[i] != 0)
      g_string_append_printf (line, " %lx", call->frames[i] - 1);
  if (!g_spawn_command_line_sync (line->str, &output, NULL, NULL, NULL))
    return g_string_free (text, FALSE);
  words = g_strsplit (g_strchomp (output), "\n", -1);
  for (char **word = words; *word != NULL && word[1] != NULL; word += 2)
    g_string_append_printf (text, "%s%s %s", text->len > 0 ? " < " : "", word[0], word[1]);
  return g_string_free (text, FALSE);
}

static char *
describe_standing (const Life *life)
{
  static const char *const names[LIFE_N_REQUESTS] = {
    "add extra",       "add brief",           "stop dep",      "run once again", "reload with late",
    "remove brief",    "reload without late", "replace extra", "replace hurt",   "reexecute",
    "prepare restart", "restart extra",       "shutdown"
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < LIFE_N_REQUESTS; i++)
    if (life->standing[i] != LIFE_NOT_ASKED)
      g_string_append_printf (text, "%s%s%s", text->len > 0 ? ", " : "", names[i],
                              life->standing[i] == LIFE_ASKED ? " (without a reply)" : "");
  return g_string_free (text, FALSE);
}

static char *
read_log (const Harness *h)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (h->log_path, &text, &length, NULL))
    return g_strdup ("");
  return g_strdup (length > LOG_BYTES ? text + length - LOG_BYTES : text);
}

static void
report (Attack *attack, const Life *life, const char *options, const char *wrong)
{
  const FaultCall *hit = &attack->control->hit;
  g_autofree char *frames = describe_frames (hit);
  g_autofree char *standing = describe_standing (life);
  g_autofree char *log = read_log (attack->h);
  const char *call = calls_name (hit->call);

  attack->n_failed++;
  g_test_message ("call %lu, %s, the %lu. of step %s, by %s: %s", hit->number, call != NULL ? call : "?",
                  hit->in_step, life_step_name (hit->step), hit->is_main ? "the first thread" : "a thread",
                  frames);
  g_test_message ("tool's options: %s; again: --step %u --nth %lu, or --step %u --place %lx", options,
                  hit->step, hit->in_step, hit->step, hit->place);
  g_test_message ("acknowledged: %s", standing);
  g_test_message ("wrong:\n%s", wrong);
  g_test_message ("the daemon's log:\n%s", log);
  g_test_fail_printf ("call %lu, %s in step %s: %s", hit->number, call != NULL ? call : "?",
                      life_step_name (hit->step), wrong);
}

/* The system's loader dies of a signal when its first mmap(2) fails, before the program's first instruction.
 */
static gboolean
has_died_in_loader (const Life *life)
{
  const FaultCall *hit = &life->control->hit;

  return WTERMSIG (life->status) == SIGSEGV && !life->was_ready && hit->frames[0] == 0 &&
         g_strcmp0 (calls_name (hit->call), "mmap") == 0;
}

/* GLib gives up when there is no memory, and cannot do without its wake-ups and threads: that is an end like
 * any other. So is a start that is refused with a message. */
static gboolean
may_have_ended (const Life *life)
{
  static const char *const last_words[] = { "failed to allocate", "GWakeup", "creating thread",
                                            "pthread_create" };
  g_autofree char *log = read_log (life->h);

  if (WIFEXITED (life->status)) {
    guint step = life->control->hit.step;

    return (WEXITSTATUS (life->status) != 0 && !life->was_ready) ||
           (WEXITSTATUS (life->status) == 0 && (life->standing[LIFE_SHUTDOWN] != LIFE_NOT_ASKED ||
                                                strcmp (life_step_name (step), "prepare-restart") == 0));
  }
  if (WTERMSIG (life->status) != SIGTRAP && WTERMSIG (life->status) != SIGABRT)
    return WTERMSIG (life->status) == SIGKILL || has_died_in_loader (life);
  for (gsize i = 0; i < G_N_ELEMENTS (last_words); i++)
    if (strstr (log, last_words[i]) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
is_to_end (const Life *life)
{
  return life->standing[LIFE_SHUTDOWN] != LIFE_NOT_ASKED ||
         (life->standing[LIFE_PREPARE_RESTART] != LIFE_NOT_ASKED &&
          strcmp (life_step_name (life->control->hit.step), "prepare-restart") == 0);
}

static void
judge (Life *life, gboolean is_kill, GString *wrong)
{
  life->control->stop = 1;
  if (is_kill && !life_wait_gone (life))
    g_string_append (wrong, "  the daemon was killed and lives\n");
  /* Errors may have slowed down what it was asked for. */
  if (is_to_end (life))
    life_wait_gone (life);
  /* It may take an error's consequence only now. */
  if (!life_connect (life) && !life_is_gone (life))
    g_string_append_printf (wrong, "  the daemon does not answer: %s\n", life->complaint->str);
  if (life_is_gone (life)) {
    if (!may_have_ended (life))
      g_string_append_printf (wrong, "  the daemon ended with wait status 0x%x\n", life->status);
    life->is_new_daemon = TRUE;
    if (!life_start (life, NULL))
      g_string_append_printf (wrong, "  the next daemon does not start (wait status 0x%x): %s\n",
                              life->status, life->complaint->str);
  }
  truth_check (life, wrong);
}

gboolean
attack_once (Attack *attack, const char *options)
{
  g_autofree char *all = g_strdup_printf ("--control %s %s", attack->control_path, options);
  g_autoptr (Life) life = life_new (attack->h, attack->control);
  g_autoptr (GString) wrong = g_string_new (NULL);
  gboolean is_hit;

  attack->n_lives++;
  life->may_fail = strstr (options, "--fail") != NULL;
  life_run (life, all);
  is_hit = attack->control->n_hits > 0;
  /* A daemon that is killed answers nobody; that is no complaint. */
  if (life->complaint->len > 0 && !(is_hit && life_is_gone (life)))
    g_string_append_printf (wrong, "  %s\n", life->complaint->str);
  g_string_truncate (life->complaint, 0);
  if (is_hit)
    judge (life, !life->may_fail, wrong);
  else
    truth_check_nothing_left (life, wrong);
  /* Else lives that end at once would count as good. */
  if (!is_hit && life->standing[LIFE_SHUTDOWN] != LIFE_ACKNOWLEDGED)
    g_string_append (wrong, "  nothing was hit, and the life did not come to its shutdown\n");
  if (wrong->len > 0)
    report (attack, life, options, wrong->str);
  return is_hit;
}

void
attack_unseen (Attack *attack, const char *options)
{
  while (attack->n_failed < attack->max_failed && attack_once (attack, options))
    continue;
}

void
attack_all_calls (Attack *attack, const char *options)
{
  guint n_missed = 0;

  for (guint i = 1; attack->n_failed < attack->max_failed && n_missed < MAX_MISSED; i++) {
    g_autofree char *all = g_strdup_printf ("%s --nth %u", options, i);

    n_missed = attack_once (attack, all) ? 0 : n_missed + 1;
  }
}

static void
test_by_hand (void)
{
  g_autoptr (Attack) attack = NULL;

  attack = attack_new ();
  if (!attack_once (attack, g_getenv ("ZINIT_FAULT")))
    g_test_message ("nothing was hit");
}

void
attack_add_by_hand (const char *prefix)
{
  g_autofree char *path = g_strconcat (prefix, "/by-hand", NULL);

  if (g_getenv ("ZINIT_FAULT") != NULL)
    g_test_add_func (path, test_by_hand);
}
