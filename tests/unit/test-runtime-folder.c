/* SPDX-License-Identifier: Apache-2.0
 *
 * The run-time folder: made, opened, refused; its files; its lock. What belongs to somebody else needs root,
 * who alone can give a file away.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"
#include "persist/runtime-lock.h"

#define OTHER 65534
#define NAME "zinitd.lock"

typedef struct {
  char *top;
  char *path;
  ZinitRuntimeFolder *folder;
} Place;

static guint n_warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
  return G_LOG_WRITER_HANDLED;
}

static void
set_up (Place *place, gconstpointer data)
{
  place->top = g_dir_make_tmp ("zinit-folder-XXXXXX", NULL);
  g_assert_nonnull (place->top);
  place->path = g_build_filename (place->top, "above", "zinit", NULL);
  place->folder = zinit_runtime_folder_new (place->path);
  n_warnings = 0;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *below = g_build_filename (path, name, NULL);

    if (g_file_test (below, G_FILE_TEST_IS_DIR) && !g_file_test (below, G_FILE_TEST_IS_SYMLINK))
      remove_tree (below);
    else
      g_unlink (below);
  }
  g_rmdir (path);
}

static void
tear_down (Place *place, gconstpointer data)
{
  zinit_runtime_folder_free (place->folder);
  remove_tree (place->top);
  g_assert_false (g_file_test (place->top, G_FILE_TEST_EXISTS));
  g_free (place->path);
  g_free (place->top);
}

static char *
below (const Place *place, const char *name)
{
  return g_build_filename (place->top, name, NULL);
}

static void
open_folder (Place *place)
{
  g_autoptr (GError) error = NULL;

  zinit_runtime_folder_open (place->folder, NULL, &error);
  g_assert_no_error (error);
}

/* A folder that is opened for the first time. */
static void
assert_opens (const char *path, const char *refusal)
{
  g_autoptr (ZinitRuntimeFolder) folder = zinit_runtime_folder_new (path);
  g_autofree char *begin = g_strdup_printf ("the run-time folder %s: ", path);
  g_autoptr (GError) error = NULL;
  gboolean is_unwritable = TRUE;

  g_assert_cmpint (zinit_runtime_folder_open (folder, &is_unwritable, &error), ==, refusal == NULL);
  g_assert_false (is_unwritable);
  g_assert_cmpint (zinit_runtime_folder_get_fd (folder) >= 0, ==, refusal == NULL);
  if (refusal == NULL) {
    g_assert_no_error (error);
    return;
  }
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_true (g_str_has_prefix (error->message, begin));
  if (strstr (error->message, refusal) == NULL)
    g_error ("%s does not say %s", error->message, refusal);
}

static void
assert_mode (const char *path, mode_t mode)
{
  struct stat status;

  g_assert_cmpint (lstat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, mode);
}

static void
test_made (Place *place, gconstpointer data)
{
  mode_t mode = geteuid () == 0 ? 0755 : 0700, before = umask (022);
  g_autofree char *above = below (place, "above");

  g_assert_cmpint (zinit_runtime_folder_get_fd (place->folder), ==, -1);
  g_assert_false (zinit_runtime_folder_is_current (place->folder));
  open_folder (place);
  umask (before);
  assert_mode (above, mode);
  assert_mode (place->path, mode);
  g_assert_cmpint (fcntl (zinit_runtime_folder_get_fd (place->folder), F_GETFD), ==, FD_CLOEXEC);
  g_assert_true (zinit_runtime_folder_is_current (place->folder));
  assert_opens (place->path, NULL);
}

static void
test_modes (Place *place, gconstpointer data)
{
  static const struct {
    mode_t above, own;
    const char *refusal;
  } rows[] = {
    { 0700, 0700, NULL },
    { 0755, 0755, NULL },
    { 01777, 0700, NULL },
    { 01770, 0755, NULL },
    { 0777, 0700,
      "/above may be written by others (mode 0777); above it that is allowed only with the sticky" },
    { 0775, 0700, "/above may be written by others (mode 0775)" },
    { 0757, 0700, "/above may be written by others" },
    { 0700, 0777, "/above/zinit may be written by others (mode 0777); only a folder that user" },
    { 0700, 0720, "/above/zinit may be written by others" },
    { 0700, 0702, "/above/zinit may be written by others" },
    { 0700, 01777, "/above/zinit may be written by others (mode 1777)" },
  };
  g_autofree char *above = below (place, "above");

  open_folder (place);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpint (g_chmod (above, rows[i].above), ==, 0);
    g_assert_cmpint (g_chmod (place->path, rows[i].own), ==, 0);
    assert_opens (place->path, rows[i].refusal);
  }
}

static void
test_owners (Place *place, gconstpointer data)
{
  g_autofree char *above = below (place, "above");

  if (geteuid () != 0) {
    g_test_skip ("only root can give a folder away");
    return;
  }
  open_folder (place);
  g_assert_cmpint (chown (place->path, OTHER, OTHER), ==, 0);
  assert_opens (place->path, "/above/zinit belongs to user 65534; only a folder of user 0 is allowed");
  g_assert_cmpint (chown (place->path, 0, 0), ==, 0);
  g_assert_cmpint (chown (above, OTHER, OTHER), ==, 0);
  assert_opens (place->path, "/above belongs to user 65534; above it only what belongs to root");
  /* For its owner both root's and his own are good above it, and root's is not his. */
  g_assert_cmpint (chmod (place->top, 0755), ==, 0);
  g_assert_cmpint (seteuid (OTHER), ==, 0);
  assert_opens (place->path, "/above/zinit belongs to user 0; only a folder of user 65534 is allowed");
  g_assert_cmpint (seteuid (0), ==, 0);
  g_assert_cmpint (chown (place->path, OTHER, OTHER), ==, 0);
  g_assert_cmpint (seteuid (OTHER), ==, 0);
  assert_opens (place->path, NULL);
  g_assert_cmpint (seteuid (0), ==, 0);
}

static void
test_links (Place *place, gconstpointer data)
{
  g_autofree char *link = below (place, "link");
  g_autofree char *through = g_build_filename (link, "zinit", NULL);
  g_autofree char *last = below (place, "last");
  g_autofree char *loop = below (place, "loop");
  g_autofree char *file = below (place, "file");

  open_folder (place);
  /* Links of our own lead there, also as the last step, absolute or with "..". */
  g_assert_cmpint (symlink (place->path, last), ==, 0);
  g_assert_cmpint (symlink ("above/../above/.", link), ==, 0);
  assert_opens (last, NULL);
  assert_opens (through, NULL);
  g_assert_cmpint (symlink ("loop", loop), ==, 0);
  assert_opens (loop, "a symbolic link cannot be followed");
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  assert_opens (file, "/file is not a folder");
  if (geteuid () != 0)
    return;
  g_assert_cmpint (lchown (link, OTHER, OTHER), ==, 0);
  assert_opens (through, "/link belongs to user 65534; above it only what belongs to root");
  g_assert_cmpint (lchown (last, OTHER, OTHER), ==, 0);
  assert_opens (last, "/last belongs to user 65534");
}

/* What is at @name: "fifo", "link", "folder", "writable", "other"; FALSE = it takes root. */
static gboolean
put (const Place *place, const char *name, const char *kind)
{
  g_autofree char *path = g_build_filename (place->path, name, NULL);
  int result = 0;

  if (g_str_equal (kind, "fifo"))
    result = mkfifo (path, 0600);
  else if (g_str_equal (kind, "link"))
    result = symlink ("/etc/hostname", path);
  else if (g_str_equal (kind, "folder"))
    result = mkdir (path, 0700);
  else
    g_assert_true (g_file_set_contents (path, "text", -1, NULL));
  if (g_str_equal (kind, "writable"))
    result = chmod (path, 0622);
  g_assert_cmpint (result, ==, 0);
  return !g_str_equal (kind, "other") || (geteuid () == 0 && chown (path, OTHER, OTHER) == 0);
}

static const struct {
  const char *kind, *refusal;
} obstacles[] = {
  { "fifo", ": a FIFO; only regular files are allowed" },
  { "link", ": a symbolic link; only regular files are allowed" },
  { "folder", ": a folder; only regular files are allowed" },
  { "writable", ": others may write it (mode 0622); only files that user" },
  { "other", ": belongs to user 65534; only files of user 0 are allowed" },
};

static void
test_files (Place *place, gconstpointer data)
{
  g_autofree char *path = g_build_filename (place->path, "file", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean is_missing;
  gsize length;

  open_folder (place);
  g_assert_null (zinit_runtime_folder_read (place->folder, "file", 10, &length, &is_missing, NULL));
  g_assert_true (is_missing);
  for (gsize i = 0; i < G_N_ELEMENTS (obstacles); i++) {
    if (!put (place, "file", obstacles[i].kind))
      break;
    g_assert_null (zinit_runtime_folder_read (place->folder, "file", 10, &length, &is_missing, &error));
    g_assert_false (is_missing);
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
    g_assert_true (g_str_has_prefix (error->message, path));
    g_assert_true (g_str_has_prefix (error->message + strlen (path), obstacles[i].refusal));
    g_clear_error (&error);
    g_assert_true (zinit_runtime_folder_rename_aside (place->folder, "file"));
    g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  }
  g_remove (path);
  g_assert_true (g_file_set_contents (path, "text", -1, NULL));
  text = zinit_runtime_folder_read (place->folder, "file", 10, &length, NULL, NULL);
  g_assert_cmpstr (text, ==, "text");
  zinit_runtime_folder_remove (place->folder, "file");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (zinit_runtime_folder_rename_aside (place->folder, "file"));
}

static ZinitLockResult
take (Place *place, int *fd)
{
  g_autoptr (GError) error = NULL;
  ZinitLockResult result = zinit_runtime_lock_take (place->folder, NAME, fd, &error);

  g_assert_cmpint (error != NULL, ==, result == ZINIT_LOCK_UNWRITABLE || result == ZINIT_LOCK_ERROR);
  return result;
}

static void
test_lock (Place *place, gconstpointer data)
{
  int first, second, folder_fd;
  g_autofree char *aside = below (place, "aside");

  g_assert_cmpint (take (place, &first), ==, ZINIT_LOCK_TAKEN);
  g_assert_cmpint (take (place, &second), ==, ZINIT_LOCK_BUSY);
  g_assert_cmpint (second, ==, -1);
  close (first);
  g_assert_cmpint (take (place, &first), ==, ZINIT_LOCK_TAKEN);

  /* Another folder of the same name, and the same number. */
  folder_fd = zinit_runtime_folder_get_fd (place->folder);
  g_assert_cmpint (g_rename (place->path, aside), ==, 0);
  g_assert_false (zinit_runtime_folder_is_current (place->folder));
  g_assert_cmpint (take (place, &second), ==, ZINIT_LOCK_TAKEN);
  g_assert_true (zinit_runtime_folder_is_current (place->folder));
  g_assert_cmpint (zinit_runtime_folder_get_fd (place->folder), ==, folder_fd);
  close (first);
  close (second);

  g_assert_cmpint (g_chmod (place->path, 0777), ==, 0);
  g_assert_cmpint (take (place, &first), ==, ZINIT_LOCK_ERROR);
}

/* None of these makes a start hang or fail, or gives the lock to somebody else. */
static void
test_lock_obstacles (Place *place, gconstpointer data)
{
  g_autofree char *path = g_build_filename (place->path, NAME, NULL);
  g_autofree char *aside = g_strconcat (path, ".refused", NULL);
  int lock, foreign;

  open_folder (place);
  for (gsize i = 0; i < G_N_ELEMENTS (obstacles) && put (place, NAME, obstacles[i].kind); i++) {
    n_warnings = 0;
    g_assert_cmpint (take (place, &lock), ==, ZINIT_LOCK_TAKEN);
    g_assert_cmpuint (n_warnings, ==, 1);
    assert_mode (path, 0600);
    g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS) || g_file_test (aside, G_FILE_TEST_IS_SYMLINK));
    close (lock);
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  /* The lock of a daemon that was made another's a moment ago. */
  g_remove (path);
  put (place, NAME, "writable");
  foreign = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (flock (foreign, LOCK_EX), ==, 0);
  g_assert_cmpint (take (place, &lock), ==, ZINIT_LOCK_BUSY);
  close (foreign);
}

typedef struct {
  guint n_made, n_lost;
} Told;

static void
on_made (gpointer data)
{
  ((Told *)data)->n_made++;
}

static void
on_lost (gpointer data)
{
  ((Told *)data)->n_lost++;
}

/* Somebody has it when it is to be made again: the loop goes on while that is waited for. */
static void
test_lock_lost (Place *place, gconstpointer data)
{
  static const ZinitRuntimeLockEvents events = { on_made, on_lost };
  g_autofree char *path = g_build_filename (place->path, NAME, NULL);
  g_autoptr (ZinitLoop) loop = zinit_loop_new (NULL, NULL);
  g_autoptr (ZinitRuntimeLock) lock = NULL;
  Told told = { 0 };
  guint n_turns = 0;
  int fd, other;

  g_assert_cmpint (take (place, &fd), ==, ZINIT_LOCK_TAKEN);
  lock = zinit_runtime_lock_new (loop, place->folder, NAME, fd, -1, &events, &told);
  for (guint round = 0; round < 2; round++) {
    g_assert_cmpint (g_unlink (path), ==, 0);
    put (place, NAME, "file");
    other = open (path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint (flock (other, LOCK_EX), ==, 0);
    for (n_turns = 0; told.n_lost == 0 && told.n_made == round; n_turns++) {
      if (round == 0 && n_turns == 5)
        close (other);
      g_main_context_iteration (NULL, TRUE);
    }
    g_assert_cmpuint (n_turns, >, 5);
    g_assert_cmpuint (told.n_made, ==, 1);
    g_assert_cmpuint (told.n_lost, ==, round);
    /* On the way out it is noticed all the same. */
    if (round == 0)
      zinit_runtime_lock_unwatch (lock);
  }
  g_assert_cmpuint (n_turns, >, 20);
  close (other);
  close (fd);
}

#define ADD(path, func) g_test_add ("/runtime-folder/" path, Place, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  ADD ("made", test_made);
  ADD ("modes", test_modes);
  ADD ("owners", test_owners);
  ADD ("links", test_links);
  ADD ("files", test_files);
  ADD ("lock", test_lock);
  ADD ("lock-obstacles", test_lock_obstacles);
  ADD ("lock-lost", test_lock_lost);
  return g_test_run ();
}
