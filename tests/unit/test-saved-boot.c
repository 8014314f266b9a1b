/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a life goes on, by what its folder says of the boot that it began in.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <unistd.h>

#include "handover/process-identity.h"
#include "handover/saved-life.h"
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
  life = zinit_saved_life_load (folder, records, FALSE, &error);
  g_assert_no_error (error);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/saved-boot/boot", test_boot);
  return g_test_run ();
}
