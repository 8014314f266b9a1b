/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, writing and putting aside definition files, in a temporary folder of real files: what is read, in
 * which order, and every way in which a file can be wrong.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "config/folder.h"
#include "model/error.h"
#include "model/limits.h"

#define NOBODY 65534

typedef struct {
  char *path;
} Folder;

static void
set_up (Folder *folder, gconstpointer data)
{
  folder->path = g_dir_make_tmp ("zinit-folder-XXXXXX", NULL);
  g_assert_nonnull (folder->path);
  g_assert_cmpint (g_chmod (folder->path, 0755), ==, 0);
}

static void
tear_down (Folder *folder, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (folder->path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder->path, name, NULL);

    g_remove (path);
  }
  g_assert_cmpint (g_rmdir (folder->path), ==, 0);
  g_free (folder->path);
}

static char *
path_of (const Folder *folder, const char *name)
{
  return g_build_filename (folder->path, name, NULL);
}

static void
put_bytes (const Folder *folder, const char *name, const char *bytes, gsize length)
{
  g_autofree char *path = path_of (folder, name);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, bytes, (gssize)length, &error);
  g_assert_no_error (error);
}

static void
put (const Folder *folder, const char *name, const char *text)
{
  put_bytes (folder, name, text, strlen (text));
}

/* Reads the folder, in which nothing but one file is wrong, and checks the error: its name, and the message
 * after the path. */
static void
assert_only_error (const Folder *folder, const char *file_name, const char *name, const char *rest)
{
  g_autoptr (ZinitConfigSet) set = zinit_config_read_folder (folder->path);
  g_autofree char *path = path_of (folder, file_name);
  const ZinitConfigError *error;

  g_assert_cmpuint (set->entries->len, ==, 0);
  g_assert_cmpuint (set->errors->len, ==, 1);
  error = g_ptr_array_index (set->errors, 0);
  g_assert_cmpstr (error->path, ==, path);
  g_assert_cmpstr (error->name, ==, name);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_cmpstr (error->message + strlen (path), ==, rest);
}

static void
test_good (Folder *folder, gconstpointer data)
{
  static const char *const expected[][2] = {
    { "a", "/a" }, { "b.c", "/b" }, { "link", "/b2" }, { "named", "/n" }
  };
  g_autofree char *link = path_of (folder, "link.json");
  g_autoptr (ZinitConfigSet) set = NULL;

  put (folder, "z.toml", "[service]\nname = \"named\"\nexec = \"/n\"\n");
  put (folder, "b.c.toml", "[service]\nexec = \"/b\"\n");
  put (folder, "a.json", "{\"service\": {\"exec\": \"/a\"}}");
  put (folder, "target", "{\"service\": {\"exec\": \"/b2\"}}");
  g_assert_cmpint (symlink ("target", link), ==, 0);
  put (folder, ".hidden.toml", "junk");
  put (folder, ".toml", "junk");
  put (folder, "README", "junk");
  put (folder, "a.toml.removed", "junk");
  put (folder, "a.TOML", "junk");
  set = zinit_config_read_folder (folder->path);
  g_assert_cmpuint (set->errors->len, ==, 0);
  g_assert_cmpuint (set->entries->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < set->entries->len; i++) {
    const ZinitConfigEntry *entry = g_ptr_array_index (set->entries, i);

    g_assert_cmpstr (entry->definition->name, ==, expected[i][0]);
    g_assert_cmpstr (entry->definition->exec, ==, expected[i][1]);
    g_assert_true (g_str_has_prefix (entry->path, folder->path));
  }
}

static void
test_no_folder (Folder *folder, gconstpointer data)
{
  g_autofree char *none = path_of (folder, "none");
  g_autofree char *file = path_of (folder, "file");
  g_autoptr (ZinitConfigSet) set = zinit_config_read_folder (none);
  g_autoptr (ZinitConfigSet) bad = NULL;
  const ZinitConfigError *error;

  g_assert_cmpuint (set->entries->len + set->errors->len, ==, 0);
  put (folder, "file", "");
  bad = zinit_config_read_folder (file);
  g_assert_cmpuint (bad->errors->len, ==, 1);
  error = g_ptr_array_index (bad->errors, 0);
  g_assert_cmpstr (error->path, ==, file);
  g_assert_true (g_str_has_suffix (error->message, ": the folder cannot be read: Not a directory"));
}

static void
test_bad_text (Folder *folder, gconstpointer data)
{
  static const struct {
    const char *file_name, *bytes;
    gsize length;
    const char *name, *rest;
  } rows[] = {
    { "a.toml", "[service]\nx\0y", 13, "a", ":2:2: a NUL byte; only text is allowed" },
    { "a.toml", "[service]\n\xff", 11, "a", ":2:1: byte 0xff is not UTF-8; only UTF-8 text is allowed" },
    { "a.json", "{\"service\": \"\xc3\"}", 16, "a",
      ":1:14: byte 0xc3 is not UTF-8; only UTF-8 text is allowed" },
    { "a.json", "", 0, "a", ":1:1: the text ends; a value is expected" },
    { "a.json", "{}\n}", 4, "a", ":2:1: '}'; the end of the text is expected" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = path_of (folder, rows[i].file_name);

    put_bytes (folder, rows[i].file_name, rows[i].bytes, rows[i].length);
    assert_only_error (folder, rows[i].file_name, rows[i].name, rows[i].rest);
    g_remove (path);
  }
}

/* Errors of the definition itself: their words are the schema's, the path and the name are checked here. */
static void
test_bad_definition (Folder *folder, gconstpointer data)
{
  static const struct {
    const char *file_name, *text, *name, *part;
  } rows[] = {
    { "a.toml", "", "a", "service.exec: " },
    { "a.toml", "[service\n", "a", ".toml:1:" },
    { "a.toml", "[service]\nname = \"other\"\nexec = 5\n", "other", ".toml:3:" },
    { "a.json", "{\"service\": {\"exec\": \"x\", \"exce\": 1}}", "a", ".json:1:35: " },
    { "no name.toml", "[service]\nexec = \"x\"\n", "no name", "service.name: " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = path_of (folder, rows[i].file_name);
    g_autoptr (ZinitConfigSet) set = NULL;
    const ZinitConfigError *error;

    put (folder, rows[i].file_name, rows[i].text);
    set = zinit_config_read_file (path);
    g_assert_cmpuint (set->entries->len, ==, 0);
    g_assert_cmpuint (set->errors->len, ==, 1);
    error = set->errors->pdata[0];
    g_test_message ("%s", error->message);
    g_assert_cmpstr (error->name, ==, rows[i].name);
    g_assert_true (g_str_has_prefix (error->message, path));
    g_assert_nonnull (strstr (error->message, rows[i].part));
    g_remove (path);
  }
}

/* Each problem of a file is an error, but one file does not push out the others. */
static void
test_several_errors (Folder *folder, gconstpointer data)
{
  g_autoptr (GString) many = g_string_new ("[service]\n");
  g_autoptr (ZinitConfigSet) set = NULL;
  const ZinitConfigError *last;

  put (folder, "a.toml", "[service]\naaa = 1\nexec = 5\n");
  for (guint i = 0; i < 100; i++)
    g_string_append_printf (many, "zz%u = 1\n", i);
  put (folder, "b.toml", many->str);
  set = zinit_config_read_folder (folder->path);
  g_assert_cmpuint (set->errors->len, ==, 2 + 51);
  g_assert_nonnull (
      strstr (((ZinitConfigError *)set->errors->pdata[0])->message, "a.toml:2:1: unknown key \"aaa\""));
  g_assert_nonnull (
      strstr (((ZinitConfigError *)set->errors->pdata[1])->message, "a.toml:3:1: service.exec: "));
  last = set->errors->pdata[52];
  g_assert_cmpstr (last->name, ==, "b");
  g_assert_true (g_str_has_suffix (last->message, "b.toml: there are 51 problems more"));
}

static void
test_bad_files (Folder *folder, gconstpointer data)
{
  g_autofree char *path = path_of (folder, "a.toml");
  g_autofree char *large = g_strnfill (ZINIT_MAX_DEFINITION_BYTES + 1, '#');
  uid_t me = geteuid ();

  g_assert_cmpint (symlink ("nowhere", path), ==, 0);
  assert_only_error (folder, "a.toml", "a", ": a link to a file that is not there");
  g_remove (path);
  g_assert_cmpint (symlink ("a.toml", path), ==, 0);
  assert_only_error (folder, "a.toml", "a", ": cannot be opened: Too many levels of symbolic links");
  g_remove (path);
  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
  assert_only_error (folder, "a.toml", "a", ": a folder; only regular files are allowed");
  g_rmdir (path);
  g_assert_cmpint (mkfifo (path, 0644), ==, 0);
  assert_only_error (folder, "a.toml", "a", ": a FIFO; only regular files are allowed");
  g_remove (path);
  g_assert_cmpint (symlink ("/dev/zero", path), ==, 0);
  assert_only_error (folder, "a.toml", "a", ": not a regular file; only regular files are allowed");
  g_remove (path);
  put (folder, "a.toml", large);
  assert_only_error (folder, "a.toml", "a", ": the file is too large; at most 1048576 bytes are allowed");
  put (folder, "a.toml", "[service]\nexec = \"x\"\n");
  g_assert_cmpint (g_chmod (path, 0), ==, 0);
  /* Root may read everything, so it has to be somebody else for a moment. */
  if (me == 0)
    g_assert_cmpint (seteuid (NOBODY), ==, 0);
  assert_only_error (folder, "a.toml", "a", ": cannot be opened: Permission denied");
  if (me == 0)
    g_assert_cmpint (seteuid (me), ==, 0);
}

static void
test_largest (Folder *folder, gconstpointer data)
{
  g_autofree char *text = g_strnfill (ZINIT_MAX_DEFINITION_BYTES, '#');
  g_autofree char *path = path_of (folder, "a.toml");
  g_autoptr (ZinitConfigSet) set = NULL;

  memcpy (text, "[service]\nexec = \"x\"\n", 21);
  put (folder, "a.toml", text);
  set = zinit_config_read_file (path);
  g_assert_cmpuint (set->errors->len, ==, 0);
  g_assert_cmpstr (((ZinitConfigEntry *)set->entries->pdata[0])->definition->exec, ==, "x");
}

static void
test_same_name (Folder *folder, gconstpointer data)
{
  g_autoptr (ZinitConfigSet) set = NULL;
  g_autofree char *first = path_of (folder, "B.toml");
  g_autofree char *second = path_of (folder, "a.json");
  g_autofree char *message = g_strdup_printf (
      "%s: service.name: \"a\" is defined in %s already; a name is allowed once", second, first);
  const ZinitConfigEntry *entry;
  const ZinitConfigError *error;

  put (folder, "a.json", "{\"service\": {\"exec\": \"/second\"}}");
  put (folder, "B.toml", "[service]\nname = \"a\"\nexec = \"/first\"\n");
  set = zinit_config_read_folder (folder->path);
  g_assert_cmpuint (set->entries->len, ==, 1);
  g_assert_cmpuint (set->errors->len, ==, 1);
  entry = g_ptr_array_index (set->entries, 0);
  g_assert_cmpstr (entry->path, ==, first);
  g_assert_cmpstr (entry->definition->exec, ==, "/first");
  error = g_ptr_array_index (set->errors, 0);
  g_assert_cmpstr (error->path, ==, second);
  g_assert_cmpstr (error->name, ==, "a");
  g_assert_cmpstr (error->message, ==, message);
}

/* Names and messages go to clients as text, so they have to be text. */
static void
test_name_not_utf8 (Folder *folder, gconstpointer data)
{
  g_autoptr (ZinitConfigSet) set = NULL;
  g_autofree char *path = path_of (folder, "a\xff.toml");
  const ZinitConfigError *error;

  put (folder, "a\xff.toml", "[service]\nexec = \"x\"\n");
  set = zinit_config_read_folder (folder->path);
  g_assert_cmpuint (set->entries->len, ==, 0);
  g_assert_cmpuint (set->errors->len, ==, 1);
  error = g_ptr_array_index (set->errors, 0);
  g_assert_cmpstr (error->path, ==, path);
  g_assert_cmpstr (error->name, ==, "a\xef\xbf\xbd");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, "service.name: "));
}

static void
test_many_errors (Folder *folder, gconstpointer data)
{
  g_autoptr (ZinitConfigSet) set = NULL;

  for (guint i = 0; i < ZINIT_MAX_CONFIG_ERRORS + 2; i++) {
    g_autofree char *name = g_strdup_printf ("s%u.json", i);
    g_autofree char *path = path_of (folder, name);

    g_assert_cmpint (symlink ("nowhere", path), ==, 0);
  }
  set = zinit_config_read_folder (folder->path);
  g_assert_cmpuint (set->errors->len, ==, ZINIT_MAX_CONFIG_ERRORS);
}

static ZinitDefinition *
definition_of (const char *name, const char *exec)
{
  ZinitDefinition *definition = zinit_definition_new ();

  definition->name = g_strdup (name);
  definition->exec = g_strdup (exec);
  return definition;
}

static ZinitDefinition *
read_one (const char *path)
{
  g_autoptr (ZinitConfigSet) set = zinit_config_read_file (path);

  g_assert_cmpuint (set->errors->len, ==, 0);
  return zinit_definition_ref (((ZinitConfigEntry *)set->entries->pdata[0])->definition);
}

static void
test_write (Folder *folder, gconstpointer data)
{
  g_autoptr (ZinitDefinition) definition = definition_of ("web", "/one");
  g_autoptr (ZinitDefinition) other = definition_of ("web", "/two");
  g_autoptr (ZinitDefinition) read = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *below = path_of (folder, "new");
  g_autofree char *path = NULL;
  struct stat status;

  g_assert_true (zinit_config_write (below, definition, FALSE, &path, &error));
  g_assert_no_error (error);
  g_assert_true (g_str_has_suffix (path, "/new/web.toml"));
  g_assert_cmpint (lstat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_cmpint (stat (below, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0700, ==, 0700);

  g_assert_false (zinit_config_write (below, other, FALSE, NULL, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SERVICE_EXISTS);
  g_clear_error (&error);
  read = read_one (path);
  g_assert_cmpstr (read->exec, ==, "/one");
  g_assert_true (zinit_config_write (below, other, TRUE, NULL, &error));
  g_clear_pointer (&read, zinit_definition_unref);
  read = read_one (path);
  g_assert_true (zinit_definition_equal (read, other));

  g_assert_true (zinit_config_rename_aside (path, &error));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (zinit_config_rename_aside (path, &error));
  g_free (path);
  path = g_build_filename (below, "web.toml.removed", NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
  /* Nothing else is left: no temporary file. */
  g_assert_cmpint (g_rmdir (below), ==, 0);
}

/* Whatever waits at the names that are written, nothing outside of the folder is. */
static void
test_write_follows_no_link (Folder *folder, gconstpointer data)
{
  g_autoptr (ZinitDefinition) definition = definition_of ("web", "/one");
  g_autofree char *victim = path_of (folder, "victim");
  g_autofree char *path = path_of (folder, "web.toml");
  g_autofree char *temporary = path_of (folder, ".web.toml.tmp");
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  put (folder, "victim", "kept");
  g_assert_cmpint (symlink ("victim", path), ==, 0);
  g_assert_cmpint (symlink ("victim", temporary), ==, 0);
  g_assert_false (zinit_config_write (folder->path, definition, FALSE, NULL, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SERVICE_EXISTS);
  g_clear_error (&error);
  g_assert_cmpint (symlink ("victim", temporary), ==, 0);
  g_assert_true (zinit_config_write (folder->path, definition, TRUE, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  g_assert_false (g_file_test (temporary, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_get_contents (victim, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "kept");
}

static void
test_write_fails (Folder *folder, gconstpointer data)
{
  g_autoptr (ZinitDefinition) definition = definition_of ("web", "/one");
  g_autofree char *file = path_of (folder, "file");
  g_autofree char *blocked = path_of (folder, "web.toml");
  g_autofree char *temporary = path_of (folder, ".web.toml.tmp");
  g_autoptr (GError) error = NULL;

  put (folder, "file", "");
  g_assert_false (zinit_config_write (file, definition, TRUE, NULL, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_cmpint (g_mkdir (blocked, 0755), ==, 0);
  g_assert_false (zinit_config_write (folder->path, definition, TRUE, NULL, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "web.toml: cannot be replaced: Is a directory"));
  g_assert_false (g_file_test (temporary, G_FILE_TEST_EXISTS));
}

/* A folder without definitions, one that is not there and one that cannot be read now are three matters. */
static void
test_empty_or_unreadable (Folder *folder, gconstpointer data)
{
  g_autofree char *elsewhere = path_of (folder, "elsewhere");
  g_autoptr (ZinitConfigSet) empty = NULL, missing = zinit_config_read_folder (elsewhere);
  g_autoptr (ZinitConfigSet) unreadable = NULL, bad = NULL;
  struct rlimit limit, none;

  put (folder, "readme.txt", "x");
  empty = zinit_config_read_folder (folder->path);
  g_assert_true (empty->is_empty && missing->is_empty);
  g_assert_cmpint (empty->reason | missing->reason, ==, 0);

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  none = (struct rlimit){ 0, limit.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  unreadable = zinit_config_read_folder (folder->path);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_false (unreadable->is_empty);
  g_assert_cmpint (unreadable->reason, ==, EMFILE);
  g_assert_cmpuint (unreadable->errors->len, ==, 1);

  /* What is wrong for good does not pass. */
  put (folder, "web.toml", "[service]\nexec = \"x\"\nuser = 5\n");
  bad = zinit_config_read_folder (folder->path);
  g_assert_false (bad->is_empty);
  g_assert_cmpint (bad->reason, ==, 0);
  g_assert_cmpuint (bad->errors->len, >, 0);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Folder *, gconstpointer);
  } tests[] = {
    { "/folder/good", test_good },
    { "/folder/no-folder", test_no_folder },
    { "/folder/bad-text", test_bad_text },
    { "/folder/bad-definition", test_bad_definition },
    { "/folder/several-errors", test_several_errors },
    { "/folder/bad-files", test_bad_files },
    { "/folder/largest", test_largest },
    { "/folder/same-name", test_same_name },
    { "/folder/name-not-utf8", test_name_not_utf8 },
    { "/folder/many-errors", test_many_errors },
    { "/folder/write", test_write },
    { "/folder/write-follows-no-link", test_write_follows_no_link },
    { "/folder/write-fails", test_write_fails },
    { "/folder/empty-or-unreadable", test_empty_or_unreadable },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Folder, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
