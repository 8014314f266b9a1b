/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over every file of the folders that are its arguments, and over each file cut short in
 * some places: the ends of texts are where readers go wrong. N_CUTS 1 leaves that out.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include "target.h"

#ifndef N_CUTS
#define N_CUTS 16
#endif

/* Runs the target on a copy of exactly @size bytes, so that reading past the end is seen. */
static void
run (const char *bytes, gsize size)
{
  g_autofree guint8 *exact = g_memdup2 (bytes, size);

  LLVMFuzzerTestOneInput (exact, size);
}

static void
replay_folder (gconstpointer data)
{
  const char *path = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = g_dir_open (path, 0, &error);
  const char *name;
  guint n_files = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (file, &bytes, &size, NULL));
    for (gsize i = 0; i <= N_CUTS; i++)
      run (bytes, size * i / N_CUTS);
    n_files++;
  }
  g_assert_cmpuint (n_files, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  LLVMFuzzerInitialize (&argc, &argv);
  for (int i = 1; i < argc; i++) {
    g_autofree char *name = g_path_get_basename (argv[i]);
    g_autofree char *test = g_strconcat ("/replay/", name, NULL);

    g_test_add_data_func (test, argv[i], replay_folder);
  }
  return g_test_run ();
}
