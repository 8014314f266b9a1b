/* SPDX-License-Identifier: Apache-2.0
 *
 * The record log as a file and as a text: what was recorded is applied, and what a kill, a full disk or a
 * stranger has left of it costs nothing that stands before the damage.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"
#include "persist/record-log.h"

#define NAME "records"

typedef struct {
  char *path;
  char *file;
  ZinitRuntimeFolder *folder;
  ZinitRecordLog *log; /* open */
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->path = g_dir_make_tmp ("zinit-records-XXXXXX", NULL);
  g_assert_nonnull (place->path);
  place->file = g_build_filename (place->path, NAME, NULL);
  place->folder = zinit_runtime_folder_new (place->path);
  g_assert_true (zinit_runtime_folder_open (place->folder, NULL, NULL));
  place->log = zinit_record_log_new (place->folder, NAME);
  g_assert_true (zinit_record_log_open (place->log, NULL));
}

static void
tear_down (Place *place, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, NULL);
  const char *name;

  zinit_record_log_free (place->log);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (place->path, name, NULL);

    g_remove (path);
  }
  g_assert_cmpint (g_rmdir (place->path), ==, 0);
  zinit_runtime_folder_free (place->folder);
  g_free (place->path);
  g_free (place->file);
}

/* As the child of a start does it. */
static void
write_line (int fd, const char *head, guint pid, const char *end)
{
  g_autofree char *text = g_strdup_printf ("%s%u %u%s", head, pid, pid * 10, end);

  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
}

static void
record_start (ZinitRecordLog *log, const char *service, guint64 run, guint pid, gboolean is_aborted)
{
  ZinitRecordedStart start;

  zinit_record_log_begin_start (log, service, run, &start);
  write_line (start.fd, start.started, pid, "\n");
  if (is_aborted)
    write_line (start.fd, start.aborted, pid, "\n");
  g_assert_true (zinit_record_log_end_start (log, &start, NULL));
}

static void
gather_service (ZinitRecordLog *log, const char *name, ZinitWanted wanted, char **ret_text)
{
  g_autoptr (ZinitSavedService) service = zinit_saved_service_new (name);
  gsize length, definition_at;

  service->state = ZINIT_STATE_EXITED;
  service->extra = zinit_state_extensions_new ();
  service->extra->wanted_status = (int)wanted;
  *ret_text = zinit_saved_service_print (service, &length, &definition_at);
  zinit_record_log_add_service (log, *ret_text, length);
}

static void
record_service (ZinitRecordLog *log, const char *name, ZinitWanted wanted)
{
  g_autofree char *text = NULL;

  gather_service (log, name, wanted, &text);
  g_assert_true (zinit_record_log_commit (log, NULL));
}

static void
record_removal (ZinitRecordLog *log, const char *name)
{
  zinit_record_log_add_removal (log, name);
  g_assert_true (zinit_record_log_commit (log, NULL));
}

/* A record of each kind, and a service in two of them. */
static void
record_all (ZinitRecordLog *log)
{
  record_start (log, "web", 7, 4711, FALSE);
  record_service (log, "db", ZINIT_WANTED_STOP);
  record_start (log, "app", 1, 4712, TRUE);
  record_removal (log, "db");
  record_service (log, "web", ZINIT_WANTED_STOP);
  record_start (log, "db", 2, 4713, FALSE);
}

static void
write_file (const Place *place, const char *text, gsize length)
{
  int fd;

  g_assert_cmpint (g_unlink (place->file), ==, 0);
  fd = open (place->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (write (fd, text, length), ==, (gssize)length);
  close (fd);
}

/* What a daemon knows that finds the file now, above the records up to @sequence. */
static char *
replay_above (const Place *place, guint64 sequence, gboolean *ret_is_damaged)
{
  g_autoptr (ZinitRecordLog) log = zinit_record_log_new (place->folder, NAME);
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  g_autoptr (GError) error = NULL;

  state->record_sequence = sequence;
  g_assert_true (zinit_record_log_open (log, &error));
  g_assert_true (zinit_record_log_replay (log, state, ret_is_damaged, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (state->record_sequence, ==, zinit_record_log_get_sequence (log));
  return zinit_saved_state_print (state, NULL);
}

static char *
replay (const Place *place)
{
  gboolean is_damaged;
  char *text = replay_above (place, 0, &is_damaged);

  g_assert_false (is_damaged);
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

static const ZinitSavedService *
find (ZinitSavedState *state, const char *name)
{
  return g_tree_lookup (state->services, name);
}

static void
test_all_kinds (Place *place, gconstpointer data)
{
  g_autoptr (ZinitRecordLog) log = zinit_record_log_new (place->folder, NAME);
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  gboolean is_damaged = TRUE;

  record_all (place->log);
  g_assert_true (zinit_record_log_open (log, NULL));
  g_assert_true (zinit_record_log_replay (log, state, &is_damaged, NULL));
  g_assert_false (is_damaged);
  g_assert_cmpint (g_tree_nnodes (state->services), ==, 3);
  g_assert_cmpint (find (state, "web")->extra->wanted_status, ==, ZINIT_WANTED_STOP);
  g_assert_cmpint (find (state, "web")->state, ==, ZINIT_STATE_EXITED);
  g_assert_cmpint (find (state, "app")->state, ==, ZINIT_STATE_INACTIVE);
  g_assert_cmpint (find (state, "db")->state, ==, ZINIT_STATE_STARTING);
  g_assert_cmpuint (find (state, "db")->pid, ==, 4713);
  g_assert_cmpuint (find (state, "db")->extra->pid_start_ticks, ==, 47130);
  g_assert_cmpuint (find (state, "db")->extra->run, ==, 2);
  g_assert_cmpint (zinit_record_log_get_size (log), ==, zinit_record_log_get_size (place->log));
}

/* The state includes them: what they say has been overtaken. */
static void
test_older_than_state (Place *place, gconstpointer data)
{
  gboolean is_damaged;
  guint64 last;

  record_start (place->log, "web", 1, 4711, FALSE);
  record_service (place->log, "db", ZINIT_WANTED_STOP);
  last = zinit_record_log_get_sequence (place->log);
  record_start (place->log, "app", 1, 4712, FALSE);
  for (guint64 sequence = 0; sequence <= last + 2; sequence++) {
    g_autofree char *text = replay_above (place, sequence, &is_damaged);

    g_assert_false (is_damaged);
    g_assert_true ((strstr (text, "\"web\"") != NULL) == (sequence < 1));
    g_assert_true ((strstr (text, "\"db\"") != NULL) == (sequence < last));
    g_assert_true ((strstr (text, "\"app\"") != NULL) == (sequence <= last));
  }
}

/* A kill may leave any beginning of it. Nothing before the last record is lost, nobody is alarmed, and what
 * is recorded next is read. */
static void
test_torn_anywhere (Place *place, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize length;

  record_start (place->log, "app", 1, 4712, TRUE);
  record_service (place->log, "db", ZINIT_WANTED_STOP);
  record_removal (place->log, "app");
  g_assert_true (g_file_get_contents (place->file, &text, &length, NULL));
  for (gsize cut = 0; cut <= length; cut++) {
    g_autoptr (ZinitRecordLog) log = zinit_record_log_new (place->folder, NAME);
    g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
    g_autofree char *before = NULL, *after = NULL, *expected = NULL;
    gboolean is_damaged = TRUE;
    gsize good;

    expected = apply (text, cut, &good);
    g_assert_true (cut < length || good == length);
    write_file (place, text, cut);
    g_assert_true (zinit_record_log_open (log, NULL));
    g_assert_true (zinit_record_log_replay (log, state, &is_damaged, NULL));
    g_assert_false (is_damaged);
    before = zinit_saved_state_print (state, NULL);
    g_assert_cmpstr (before, ==, expected);
    g_assert_cmpint (zinit_record_log_get_size (log), ==, (goffset)good);
    record_start (log, "late", 9, 4799, FALSE);
    after = replay (place);
    g_assert_nonnull (strstr (after, "\"late\""));
  }
}

/* What stands before the damage counts, nothing behind it, and it is said. */
static void
test_damaged_middle (Place *place, gconstpointer data)
{
  static const char *const damages[] = {
    "garbage\n",
    "\n",
    " \n",
    "started 9 web 1 2\n",
    "started x web 1 2 3\n",
    "started 9 web 1 2 3 4\n",
    "started 9 web 1 99999999999 3\n",
    "started -9 web 1 2 3\n",
    "removed 9\n",
    "started 9 web 18446744073709551616 2 3\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *text = g_strconcat ("started 1 a 1 77 1\n", damages[i], "started 11 b 1 78 1\n", NULL);
    g_autofree char *first = NULL, *second = NULL;
    gboolean is_damaged;

    write_file (place, text, strlen (text));
    first = replay_above (place, 0, &is_damaged);
    g_assert_true (is_damaged);
    g_assert_nonnull (strstr (first, "\"a\""));
    g_assert_null (strstr (first, "\"b\""));
    /* It has been cut off. */
    second = replay (place);
    g_assert_cmpstr (second, ==, first);
  }
}

/* The child could not write, or not all: what it left is taken away, and it is reported once. */
static void
test_start_not_written (Place *place, gconstpointer data)
{
  ZinitRecordedStart start;
  g_autoptr (GError) error = NULL;
  g_autofree char *state = NULL;
  goffset size_bytes;

  record_start (place->log, "web", 1, 4711, FALSE);
  size_bytes = zinit_record_log_get_size (place->log);
  zinit_record_log_begin_start (place->log, "web", 2, &start);
  g_assert_cmpint (start.size_bytes, ==, size_bytes);
  write_line (start.fd, start.started, 4712, "");
  g_assert_false (zinit_record_log_end_start (place->log, &start, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_cmpint (zinit_record_log_get_size (place->log), ==, size_bytes);
  g_clear_error (&error);

  zinit_record_log_begin_start (place->log, "web", 3, &start);
  g_assert_true (zinit_record_log_end_start (place->log, &start, &error));
  record_start (place->log, "web", 4, 4713, FALSE);
  zinit_record_log_begin_start (place->log, "web", 5, &start);
  g_assert_false (zinit_record_log_end_start (place->log, &start, NULL));
  state = replay (place);
  g_assert_nonnull (strstr (state, "4713"));
}

static void
limit_files (rlim_t bytes, struct rlimit *old)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, old), ==, 0);
  limit = *old;
  limit.rlim_cur = bytes;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* Of what does not fit nothing counts and nothing stays, and later there is room again. */
static void
test_full (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *state = NULL;
  guint64 sequence;
  struct rlimit old;
  goffset size_bytes;

  record_start (place->log, "web", 1, 4711, FALSE);
  size_bytes = zinit_record_log_get_size (place->log);
  sequence = zinit_record_log_get_sequence (place->log);
  signal (SIGXFSZ, SIG_IGN);
  limit_files ((rlim_t)size_bytes + 20, &old);
  gather_service (place->log, "db", ZINIT_WANTED_STOP, &text);
  g_assert_false (zinit_record_log_commit (place->log, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_cmpint (zinit_record_log_get_size (place->log), ==, size_bytes);
  g_assert_cmpuint (zinit_record_log_get_sequence (place->log), ==, sequence);
  record_service (place->log, "app", ZINIT_WANTED_STOP);
  state = replay (place);
  g_assert_null (strstr (state, "\"db\""));
  g_assert_nonnull (strstr (state, "\"app\""));
}

/* Many at once are more than one call writes. */
static void
test_many_at_once (Place *place, gconstpointer data)
{
  enum { N = 1500 };
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  gboolean is_damaged;

  for (guint i = 0; i < N; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);
    char *text = NULL;

    gather_service (place->log, name, ZINIT_WANTED_STOP, &text);
    g_ptr_array_add (texts, text);
  }
  zinit_record_log_add_removal (place->log, "s7");
  g_assert_true (zinit_record_log_commit (place->log, NULL));
  g_assert_true (zinit_record_log_replay (place->log, state, &is_damaged, NULL));
  g_assert_false (is_damaged);
  g_assert_cmpint (g_tree_nnodes (state->services), ==, N - 1);
  g_assert_cmpuint (state->record_sequence, ==, N + 1);
}

/* A small log stays when a state is saved: with it the state before that one is as good. */
static void
test_cut (Place *place, gconstpointer data)
{
  guint64 sequence;

  record_start (place->log, "web", 1, 4711, FALSE);
  zinit_record_log_cut (place->log);
  g_assert_cmpint (zinit_record_log_get_size (place->log), >, 0);
  for (guint run = 2; zinit_record_log_get_size (place->log) < 16 * 1024; run++)
    record_start (place->log, "web", run, 4711, FALSE);
  sequence = zinit_record_log_get_sequence (place->log);
  zinit_record_log_cut (place->log);
  g_assert_cmpint (zinit_record_log_get_size (place->log), ==, 0);
  g_assert_cmpuint (zinit_record_log_get_sequence (place->log), ==, sequence);
  record_start (place->log, "web", 1, 4711, FALSE);
  zinit_record_log_clear (place->log);
  g_assert_cmpint (zinit_record_log_get_size (place->log), ==, 0);
}

static int
get_fd (ZinitRecordLog *log)
{
  ZinitRecordedStart start;

  zinit_record_log_begin_start (log, "web", 1, &start);
  zinit_record_log_end_start (log, &start, NULL);
  return start.fd;
}

/* The number of the descriptor stays, and no program inherits it. */
static void
test_opened_again (Place *place, gconstpointer data)
{
  int fd = get_fd (place->log);
  g_autofree char *state = NULL;

  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (g_unlink (place->file), ==, 0);
  g_assert_true (zinit_record_log_open (place->log, NULL));
  g_assert_cmpint (get_fd (place->log), ==, fd);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  record_start (place->log, "web", 1, 4711, FALSE);
  state = replay (place);
  g_assert_nonnull (strstr (state, "4711"));
}

enum { FOLDER, FIFO, LINK, N_OBSTACLES };

static int
make_obstacle (int kind, const char *path)
{
  return kind == FOLDER ? g_mkdir (path, 0700)
         : kind == FIFO ? mkfifo (path, 0600)
                        : symlink ("/dev/null", path);
}

/* What is no regular file of ours is put aside, never followed and never waited for. */
static void
test_obstacle (Place *place, gconstpointer data)
{
  for (int kind = 0; kind < N_OBSTACLES; kind++) {
    g_autofree char *aside = g_strconcat (place->file, ".refused", NULL);
    struct stat status;

    g_unlink (place->file);
    g_assert_cmpint (make_obstacle (kind, place->file), ==, 0);
    g_assert_true (zinit_record_log_open (place->log, NULL));
    g_assert_cmpint (lstat (place->file, &status), ==, 0);
    g_assert_true (S_ISREG (status.st_mode));
    g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
    g_assert_cmpint (lstat (aside, &status), ==, 0);
    g_assert_cmpint (g_remove (aside), ==, 0);
  }
}

/* Nothing is open: starts go on without a record, and requests are told that there is none. */
static void
test_not_open (Place *place, gconstpointer data)
{
  g_autoptr (ZinitRecordLog) log = zinit_record_log_new (place->folder, "others");
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  ZinitRecordedStart start;
  gboolean is_damaged;

  zinit_record_log_begin_start (log, "web", 1, &start);
  g_assert_cmpint (start.fd, ==, -1);
  g_assert_false (zinit_record_log_end_start (log, &start, NULL));
  g_assert_true (zinit_record_log_commit (log, NULL));
  zinit_record_log_add_removal (log, "web");
  g_assert_false (zinit_record_log_commit (log, NULL));
  g_assert_cmpint (errno, ==, EROFS);
  g_assert_true (zinit_record_log_replay (log, state, &is_damaged, NULL));
  zinit_record_log_clear (log);
  /* A state was saved, so it can be written by now. */
  zinit_record_log_cut (log);
  record_start (log, "web", 1, 4711, FALSE);
}

#define ADD(path, func) g_test_add ("/record-log/" path, Place, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  /* A run-time folder is in memory, as /run is. */
  if (g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR))
    g_setenv ("TMPDIR", "/dev/shm", FALSE);
  g_test_init (&argc, &argv, NULL);
  ADD ("all-kinds", test_all_kinds);
  ADD ("older-than-state", test_older_than_state);
  ADD ("torn-anywhere", test_torn_anywhere);
  ADD ("damaged-middle", test_damaged_middle);
  ADD ("start-not-written", test_start_not_written);
  ADD ("full", test_full);
  ADD ("many-at-once", test_many_at_once);
  ADD ("cut", test_cut);
  ADD ("opened-again", test_opened_again);
  ADD ("obstacle", test_obstacle);
  ADD ("not-open", test_not_open);
  return g_test_run ();
}
