/* SPDX-License-Identifier: Apache-2.0
 *
 * state.json and fds.json as files, in a temporary folder: saved whole or not at all, loaded or refused, put
 * aside, removed; and what the checks at the command line say.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"
#include "persist/check.h"
#include "persist/state-file.h"

#define STATE "state.json"
#define FDS "fds.json"

typedef struct {
  char *folder;
  ZinitRuntimeFolder *runtime; /* the same */
  char *state;
  char *fds;
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->folder = g_dir_make_tmp ("zinit-state-XXXXXX", NULL);
  g_assert_nonnull (place->folder);
  place->runtime = zinit_runtime_folder_new (place->folder);
  g_assert_true (zinit_runtime_folder_open (place->runtime, NULL, NULL));
  place->state = g_build_filename (place->folder, "state.json", NULL);
  place->fds = g_build_filename (place->folder, "fds.json", NULL);
}

static void
tear_down (Place *place, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (place->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (place->folder, name, NULL);

    g_remove (path);
  }
  g_assert_cmpint (g_rmdir (place->folder), ==, 0);
  zinit_runtime_folder_free (place->runtime);
  g_free (place->folder);
  g_free (place->state);
  g_free (place->fds);
}

/* The names in the folder, sorted, with blanks between them. */
static char *
list (const Place *place)
{
  g_autoptr (GDir) dir = g_dir_open (place->folder, 0, NULL);
  g_autoptr (GTree) names = zinit_saved_map_new (NULL);
  GString *all = g_string_new (NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_tree_replace (names, g_strdup (name), NULL);
  for (GTreeNode *node = g_tree_node_first (names); node != NULL; node = g_tree_node_next (node))
    g_string_append_printf (all, "%s%s", all->len > 0 ? " " : "", (const char *)g_tree_node_key (node));
  return g_string_free (all, FALSE);
}

static void
assert_list (const Place *place, const char *expected)
{
  g_autofree char *names = list (place);

  g_assert_cmpstr (names, ==, expected);
}

static gboolean
save_at (const Place *place, const ZinitSavedState *state, GError **error)
{
  gsize length;
  g_autofree char *text = zinit_saved_state_print (state, &length);
  /* A part without anything in it, and more of them than one call takes. */
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (struct iovec));

  for (gsize i = 0; i < 3000; i++) {
    gsize begin = MIN (i, length - 1);
    struct iovec part = { text + begin, i + 1 < 3000 ? MIN (1, length - 1 - begin) : length - begin };

    g_array_append_val (parts, part);
  }
  return zinit_saved_state_save (place->runtime, STATE, (const struct iovec *)(gpointer)parts->data,
                                 parts->len, error);
}

static void
save (const Place *place, guint64 saved_at)
{
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  g_autoptr (GError) error = NULL;

  state->saved_at = saved_at;
  g_assert_true (save_at (place, state, &error));
  g_assert_no_error (error);
}

static guint64
saved_at (const Place *place, const char *name)
{
  g_autoptr (ZinitSavedState) state = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (zinit_saved_state_load (place->runtime, name, 0, ZINIT_EXTRAS_READ, &state, &error), ==,
                   ZINIT_LOAD_GOOD);
  g_assert_no_error (error);
  return state->saved_at;
}

static void
test_save (Place *place, gconstpointer data)
{
  struct stat status;

  save (place, 1);
  assert_list (place, "state.json");
  g_assert_cmpint (stat (place->state, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  save (place, 2);
  save (place, 3);
  assert_list (place, "state.json state.json.old");
  g_assert_cmpuint (saved_at (place, STATE), ==, 3);
  g_assert_cmpuint (saved_at (place, STATE ".old"), ==, 2);
}

/* What an attacker may have left at the names that are written is replaced, never followed. */
static void
test_save_follows_no_link (Place *place, gconstpointer data)
{
  static const char *const endings[] = { "", ".tmp", ".old" };
  g_autofree char *victim = g_build_filename (place->folder, "victim", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (victim, "kept", -1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *path = g_strconcat (place->state, endings[i], NULL);

    g_remove (path);
    g_assert_cmpint (symlink ("victim", path), ==, 0);
  }
  save (place, 1);
  g_assert_false (g_file_test (place->state, G_FILE_TEST_IS_SYMLINK));
  g_assert_true (g_file_get_contents (victim, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "kept");
  assert_list (place, "state.json state.json.old victim");
}

/* A save that fails leaves what was there, and nothing half-written. */
static void
test_save_fails (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();
  const struct rlimit small = { 4, RLIM_INFINITY };
  g_autoptr (GError) error = NULL;
  struct rlimit before;

  save (place, 1);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (save_at (place, state, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_true (g_str_has_prefix (error->message, place->state));
  g_assert_nonnull (strstr (error->message, ".tmp: cannot be written: "));
  g_assert_cmpuint (saved_at (place, STATE), ==, 1);
  assert_list (place, "state.json");
}

/* Folders at the names that are written are out of the way afterwards. */
static void
test_save_clears_folders (Place *place, gconstpointer data)
{
  static const char *const endings[] = { "", ".tmp", ".old" };

  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *path = g_strconcat (place->state, endings[i], NULL);

    g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  }
  save (place, 1);
  save (place, 2);
  assert_list (place, "state.json state.json.old state.json.refused");
  g_assert_cmpuint (saved_at (place, STATE), ==, 2);
}

static void
test_load (Place *place, gconstpointer data)
{
  static const struct {
    guint64 now;
    ZinitLoadResult result;
  } rows[] = {
    { 0, ZINIT_LOAD_GOOD },
    { 1300000, ZINIT_LOAD_GOOD },
    { 1300001, ZINIT_LOAD_STALE },
  };
  g_autofree char *text = NULL;
  g_autoptr (ZinitSavedState) state = NULL;

  g_assert_cmpint (zinit_saved_state_load (place->runtime, STATE, 0, ZINIT_EXTRAS_READ, &state, NULL), ==,
                   ZINIT_LOAD_MISSING);
  g_assert_null (state);
  save (place, 1000000);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (ZinitSavedState) loaded = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (
        zinit_saved_state_load (place->runtime, STATE, rows[i].now, ZINIT_EXTRAS_READ, &loaded, &error), ==,
        rows[i].result);
    g_assert_nonnull (loaded);
    g_assert_cmpint (error == NULL, ==, rows[i].result == ZINIT_LOAD_GOOD);
  }
  assert_list (place, "state.json");
}

static void
test_load_refused (Place *place, gconstpointer data)
{
  static const struct {
    const char *text, *message;
  } rows[] = {
    { "", ": document: 1:1: the text ends; a value is expected" },
    { "{\"version\": 1", ": document: 1:14: the text ends; ',' or '}' is expected" },
    { "{\"version\": 2, \"saved_at\": 0, \"boot_time\": 6, \"services\": {}, \"config_dir\": \"\", "
      "\"socket_path\": \"\"}",
      ": version: 2 is not known; at most 1 is allowed" },
  };
  g_autoptr (ZinitSavedState) state = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_true (g_file_set_contents (place->state, rows[i].text, -1, NULL));
    g_assert_cmpint (
        zinit_saved_state_load (place->runtime, STATE, 1000000, ZINIT_EXTRAS_READ, &state, &error), ==,
        ZINIT_LOAD_REFUSED);
    g_assert_null (state);
    g_assert_true (g_str_has_prefix (error->message, place->state));
    g_assert_cmpstr (error->message + strlen (place->state), ==, rows[i].message);
    g_clear_error (&error);
  }
  g_assert_true (zinit_runtime_folder_rename_aside (place->runtime, STATE));
  assert_list (place, "state.json.refused");
  g_assert_true (zinit_runtime_folder_rename_aside (place->runtime, STATE));
  g_assert_cmpint (mkfifo (place->state, 0600), ==, 0);
  g_assert_cmpint (zinit_saved_state_load (place->runtime, STATE, 0, ZINIT_EXTRAS_READ, &state, &error), ==,
                   ZINIT_LOAD_REFUSED);
  g_assert_true (g_str_has_suffix (error->message, ": a FIFO; only regular files are allowed"));
}

static void
test_fds (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_new ();
  g_autoptr (ZinitSavedFds) read = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (zinit_saved_fds_load (place->runtime, FDS, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_clear_error (&error);
  fds->has_rpc_socket = TRUE;
  fds->rpc_socket = 5;
  g_assert_true (zinit_saved_fds_save (place->runtime, FDS, fds, &error));
  g_assert_true (zinit_saved_fds_save (place->runtime, FDS, fds, &error));
  assert_list (place, "fds.json");
  read = zinit_saved_fds_load (place->runtime, FDS, &error);
  g_assert_no_error (error);
  g_assert_cmpint (read->rpc_socket, ==, 5);
  fds->version = 2;
  g_assert_true (zinit_saved_fds_save (place->runtime, FDS, fds, &error));
  g_assert_null (zinit_saved_fds_load (place->runtime, FDS, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
}

static void
test_remove (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_new ();
  g_autofree char *temporary = g_strconcat (place->state, ".tmp", NULL);

  save (place, 1);
  save (place, 2);
  g_assert_true (zinit_saved_fds_save (place->runtime, FDS, fds, NULL));
  g_assert_true (g_file_set_contents (temporary, "", -1, NULL));
  assert_list (place, "fds.json state.json state.json.old state.json.tmp");
  zinit_saved_file_remove (place->runtime, STATE);
  assert_list (place, "fds.json state.json.tmp");
  zinit_saved_file_remove (place->runtime, FDS);
  assert_list (place, "state.json.tmp");
  zinit_saved_file_remove (place->runtime, FDS);
}

/* Runs a check and returns its exit code, with what it wrote. */
static int
check (const char *path, gboolean is_fds, const char *at, char **ret_out, char **ret_err)
{
  gsize out_length, err_length;
  FILE *out = open_memstream (ret_out, &out_length);
  FILE *err = open_memstream (ret_err, &err_length);
  int code = is_fds ? zinit_check_fds_file (path, out, err) : zinit_check_state_file (path, at, out, err);

  fclose (out);
  fclose (err);
  return code;
}

static void
test_check (Place *place, gconstpointer data)
{
  static const struct {
    const char *text, *at;
    gboolean is_fds;
    int code;
    const char *rest; /* of the message, after the path */
  } rows[] = {
    { "1000", NULL, FALSE, 0, NULL },
    { "1000", "301000", FALSE, 0, NULL },
    { "1000", "301001", FALSE, 1, ": saved_at: 300001 ms old; at most 300000 ms are allowed\n" },
    { "1000", "0", FALSE, 0, NULL },
    { "18446744073709551615", "now", FALSE, 0, NULL },
    { "-5", NULL, FALSE, 1, ": saved_at: -5 is given; a number from 0 to 18446744073709551615 is allowed\n" },
    { "1000", NULL, TRUE, 1, ": socket_activated: missing; it has to be given\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf (
        "{\n  \"version\": 1,\n  \"saved_at\": %s,\n  \"boot_time\": 6,\n  \"services\": {},\n"
        "  \"config_dir\": \"/c\",\n  \"socket_path\": \"/s\"\n}\n",
        rows[i].text);
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    g_assert_true (g_file_set_contents (place->state, text, -1, NULL));
    g_assert_cmpint (check (place->state, rows[i].is_fds, rows[i].at, &out, &err), ==, rows[i].code);
    if (rows[i].code == 0) {
      g_assert_cmpstr (out, ==, text);
      g_assert_cmpstr (err, ==, "");
    } else {
      g_autofree char *message = g_strconcat (place->state, rows[i].rest, NULL);

      g_assert_cmpstr (out, ==, "");
      g_assert_cmpstr (err, ==, message);
    }
    assert_list (place, "state.json");
  }
}

static void
test_check_usage (Place *place, gconstpointer data)
{
  static const char *const bad[] = { "", "-1", "+1", " 1", "1x", "NOW", "18446744073709551616" };
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autofree char *message =
      g_strconcat (place->fds, ": cannot be opened: No such file or directory\n", NULL);

  g_assert_cmpint (check (place->fds, TRUE, NULL, &out, &err), ==, 1);
  g_assert_cmpstr (err, ==, message);
  save (place, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *nothing = NULL;
    g_autofree char *usage = NULL;

    g_assert_cmpint (check (place->state, FALSE, bad[i], &nothing, &usage), ==, 2);
    g_assert_cmpstr (nothing, ==, "");
    g_assert_nonnull (strstr (usage, "milliseconds since 1970 are allowed"));
  }
}

/* A check whose output is lost must not look good. */
static void
test_check_lost_output (Place *place, gconstpointer data)
{
  g_autofree char *message = NULL;
  gsize length;
  FILE *full = fopen ("/dev/full", "we");
  FILE *err = open_memstream (&message, &length);

  save (place, 1);
  g_assert_nonnull (full);
  g_assert_cmpint (zinit_check_state_file (place->state, NULL, full, err), ==, 1);
  fclose (full);
  fclose (err);
  g_assert_cmpstr (message, ==, "standard output: No space left on device\n");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Place *, gconstpointer);
  } tests[] = {
    { "/state-file/save", test_save },
    { "/state-file/save-follows-no-link", test_save_follows_no_link },
    { "/state-file/save-fails", test_save_fails },
    { "/state-file/save-clears-folders", test_save_clears_folders },
    { "/state-file/load", test_load },
    { "/state-file/load-refused", test_load_refused },
    { "/state-file/fds", test_fds },
    { "/state-file/remove", test_remove },
    { "/state-file/check", test_check },
    { "/state-file/check-usage", test_check_usage },
    { "/state-file/check-lost-output", test_check_lost_output },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Place, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
