/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a life goes on, by what its folder says of the boot that it began in, and by what is left in it
 * when its end fails.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "handover/process-identity.h"
#include "load-life.h"
#include "paths.h"

#define INSTANCE "0123456789abcdef0123456789abcdef"

/* The life that a daemon would be in that finds the file of the instance with @boot_id. Transfer full. */
static char *
read_life (const char *boot_id)
{
  g_autofree char *path = g_dir_make_tmp ("zinit-saved-life-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (path, ZINIT_INSTANCE_FILE, NULL);
  g_autofree char *log = g_build_filename (path, ZINIT_RECORDS_FILE, NULL);
  g_autofree char *text =
      g_strdup_printf (INSTANCE " %s %" G_GUINT64_FORMAT "\n", boot_id, zinit_identity_read_start_ticks (1));
  g_autoptr (ZinitRuntimeFolder) folder = zinit_runtime_folder_new (path);
  g_autoptr (ZinitRecordLog) records = zinit_record_log_new (folder, ZINIT_RECORDS_FILE);
  g_autoptr (ZinitSavedLife) life = NULL;
  g_autoptr (GError) error = NULL;
  char *instance;

  g_assert_true (g_file_set_contents_full (file, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error));
  zinit_runtime_folder_open (folder, NULL, &error);
  g_assert_no_error (error);
  life = load_life (folder, records, NULL);
  g_assert_nonnull (life->instance);
  g_assert_cmpint (life->goes_on, ==, g_str_equal (life->instance, INSTANCE));
  instance = g_strdup (life->instance);
  unlink (file);
  unlink (log);
  rmdir (path);
  return instance;
}

static void
test_boot (void)
{
  g_autofree char *boot_id = zinit_identity_read_boot_id ();
  g_autofree char *same = read_life (boot_id);
  g_autofree char *other = read_life ("01234567-89ab-cdef-0123-456789abcdef");
  /* The kernel did not tell when the life began. */
  g_autofree char *unknown = read_life ("-");

  g_assert_cmpstr (same, ==, INSTANCE);
  g_assert_cmpstr (other, !=, INSTANCE);
  g_assert_cmpstr (unknown, ==, INSTANCE);
}

static guint n_warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
  return G_LOG_WRITER_HANDLED;
}

static gboolean
set_immutable (const char *path, gboolean is_immutable)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  int flags = 0;
  gboolean is_set = ioctl (fd, FS_IOC_GETFLAGS, &flags) == 0;

  flags = is_immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  is_set = is_set && ioctl (fd, FS_IOC_SETFLAGS, &flags) == 0;
  close (fd);
  return is_set;
}

/* Ends a life whose file @lasting cannot be removed. Which of its files are left then, transfer full; NULL
 * when the system cannot have such a file. */
static char *
end_life (const char *lasting)
{
  static const char *const names[] = { ZINIT_RECORDS_FILE, ZINIT_STATE_FILE, ZINIT_STATE_FILE ".old",
                                       ZINIT_INSTANCE_FILE };
  g_autofree char *path = g_dir_make_tmp ("zinit-saved-life-XXXXXX", NULL);
  g_autofree char *last = g_build_filename (path, lasting, NULL);
  g_autoptr (ZinitRuntimeFolder) folder = zinit_runtime_folder_new (path);
  GString *left = g_string_new (NULL);
  gboolean is_set;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *file = g_build_filename (path, names[i], NULL);

    g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  }
  g_assert_true (zinit_runtime_folder_open (folder, NULL, NULL));
  is_set = set_immutable (last, TRUE);
  n_warnings = 0;
  zinit_saved_life_end (folder);
  g_assert_cmpuint (n_warnings, ==, is_set ? 1 : 0);
  g_assert_true (set_immutable (last, FALSE) || !is_set);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *file = g_build_filename (path, names[i], NULL);

    if (unlink (file) == 0)
      g_string_append_printf (left, "%s ", names[i]);
  }
  rmdir (path);
  return g_string_free (left, !is_set);
}

/* What goes on is whole: neither records without their state nor an older state in place of the newest. */
static void
test_end_fails (void)
{
  g_autofree char *records = end_life (ZINIT_RECORDS_FILE);
  g_autofree char *old = end_life (ZINIT_STATE_FILE ".old");

  if (records == NULL || old == NULL) {
    g_test_skip ("there are no immutable files here");
    return;
  }
  g_assert_cmpstr (records, ==, "records state.json state.json.old instance ");
  g_assert_cmpstr (old, ==, "state.json state.json.old instance ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  g_test_add_func ("/saved-boot/boot", test_boot);
  g_test_add_func ("/saved-boot/end-fails", test_end_fails);
  return g_test_run ();
}
