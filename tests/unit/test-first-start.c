/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of /proc a start looks into: with thousands of processes on the machine that is what it costs. The
 * calls are counted on their way into the C library.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-fixture.h"
#include "handover/restore.h"
#include "load-life.h"
#include "paths.h"
#include "process/tags.h"

#define INSTANCE "0123456789abcdef0123456789abcdef"
#define FOLDER "/run/zinit-test"
#define MAX_TRIES 100

DIR *__real_opendir (const char *path);
DIR *__wrap_opendir (const char *path);
int __real_openat64 (int folder, const char *path, int flags, ...);
int __wrap_openat64 (int folder, const char *path, int flags, ...);

static guint n_walks, n_user_ids;

DIR *
__wrap_opendir (const char *path)
{
  n_walks += g_str_equal (path, "/proc");
  return __real_opendir (path);
}

int
__wrap_openat64 (int folder, const char *path, int flags, ...)
{
  va_list list;
  mode_t mode;

  va_start (list, flags);
  mode = (flags & O_CREAT) != 0 ? va_arg (list, mode_t) : 0;
  va_end (list);
  n_user_ids += g_str_has_prefix (path, "/proc/") && g_str_has_suffix (path, "/status");
  return __real_openat64 (folder, path, flags, mode);
}

/* What a daemon does that starts in the folder at @path. How often it walks over /proc. */
static guint
count_walks (Fixture *fixture, const char *path)
{
  g_autoptr (ZinitRuntimeFolder) folder = zinit_runtime_folder_new (path);
  g_autoptr (ZinitRecordLog) records = zinit_record_log_new (folder, ZINIT_RECORDS_FILE);
  ZinitInherited inherited = { .listener = -1, .lock = -1, .lock_watch = -1 };
  g_autoptr (ZinitSavedLife) life = NULL;
  g_autoptr (GError) error = NULL;
  ZinitRestorer *restorer = NULL;
  guint n_walks_before;

  g_assert_true (zinit_runtime_folder_open (folder, NULL, &error));
  life = load_life (folder, records, &n_walks);
  /* A process that is being executed just then cannot be read; the daemon tries again, too. */
  n_walks_before = n_walks;
  for (guint n = 0; n < MAX_TRIES && restorer == NULL; n++) {
    g_clear_error (&error);
    n_walks = n_walks_before;
    restorer = zinit_restorer_new (fixture->supervisor, &fake_host, &fixture->host, life, &inherited, &error);
  }
  g_assert_no_error (error);
  zinit_restorer_free (restorer);
  return n_walks;
}

/* The first one asks whether a life has lost its files. Its instance is on no process, so nothing is looked
 * for by that. The second one knows its instance, and looks by it. */
static void
test_walks_once (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_dir_make_tmp ("zinit-first-start-XXXXXX", NULL);
  g_autofree char *instance = g_build_filename (path, ZINIT_INSTANCE_FILE, NULL);
  g_autofree char *records = g_build_filename (path, ZINIT_RECORDS_FILE, NULL);

  g_assert_cmpuint (count_walks (fixture, path), ==, 1);
  g_assert_cmpuint (count_walks (fixture, path), ==, 1);
  g_assert_cmpint (g_unlink (instance) | g_unlink (records) | g_rmdir (path), ==, 0);
}

/* A process that waits, with @folder as its tag, or none. */
static pid_t
start_tagged (const char *folder)
{
  int done[2];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe2 (done, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0) {
    g_autofree char *tag = g_strconcat (ZINIT_TAG_FOLDER "=", folder, NULL);
    g_autofree char *own = g_strdup_printf (ZINIT_TAG_PID "=%d", (int)getpid ());
    char instance[] = ZINIT_TAG_INSTANCE "=" INSTANCE;
    char *const environment[] = { folder != NULL ? tag : NULL, own, instance, NULL };

    execle ("/bin/sleep", "sleep", "1000", NULL, environment);
    _exit (1);
  }
  close (done[1]);
  /* Closed by the execution. */
  g_assert_cmpint (read (done[0], &byte, 1), ==, 0);
  close (done[0]);
  return pid;
}

static void
assert_instance (const char *folder, const char *instance, guint user_ids)
{
  pid_t pid = start_tagged (folder);
  g_autofree char *found = NULL;

  n_user_ids = 0;
  errno = EMFILE;
  found = zinit_tags_read_instance (pid, FOLDER);
  g_assert_cmpint (instance != NULL ? 0 : errno, ==, 0);
  g_assert_cmpstr (found, ==, instance);
  g_assert_cmpuint (n_user_ids, ==, user_ids);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

/* Few processes have the tags of the folder, and only of those the user is asked for. */
static void
test_tags_first (Fixture *fixture, gconstpointer data)
{
  assert_instance (NULL, NULL, 0);
  assert_instance ("/run/other", NULL, 0);
  assert_instance (FOLDER, INSTANCE, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fixture_add_test ("/first-start/walks-once", test_walks_once);
  fixture_add_test ("/first-start/tags-first", test_tags_first);
  return g_test_run ();
}
