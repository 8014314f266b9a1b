/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, writing and renaming aside definition files. What a definition may say is in the schema, how a
 * file is read without harm is file.c's.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "model/error.h"
#include "model/limits.h"

#define MAX_FILE_ERRORS 50 /* of one file, so that it does not hide those of others */

static void
config_entry_free (gpointer data)
{
  ZinitConfigEntry *entry = data;

  g_free (entry->path);
  zinit_definition_unref (entry->definition);
  zinit_definition_unref (entry->older);
  g_free (entry);
}

static void
config_error_free (gpointer data)
{
  ZinitConfigError *error = data;

  g_free (error->path);
  g_free (error->name);
  g_free (error->message);
  g_free (error);
}

static ZinitConfigSet *
config_set_new (void)
{
  ZinitConfigSet *set = g_new0 (ZinitConfigSet, 1);

  set->entries = g_ptr_array_new_with_free_func (config_entry_free);
  set->errors = g_ptr_array_new_with_free_func (config_error_free);
  return set;
}

void
zinit_config_set_free (ZinitConfigSet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->entries);
  g_ptr_array_unref (set->errors);
  g_free (set);
}

static void
add_message (ZinitConfigSet *set, const char *path, const char *name, ZinitPlace place, const char *what)
{
  g_autofree char *shown = g_filename_display_name (path);
  ZinitConfigError *error;

  if (set->errors->len >= ZINIT_MAX_CONFIG_ERRORS)
    return;
  error = g_new (ZinitConfigError, 1);
  error->path = g_strdup (path);
  error->name = g_strdup (name);
  error->message = place.line > 0 ? g_strdup_printf ("%s:%u:%u: %s", shown, place.line, place.column, what)
                                  : g_strdup_printf ("%s: %s", shown, what);
  g_ptr_array_add (set->errors, error);
}

void
zinit_config_set_add_error (ZinitConfigSet *set, const char *path, const char *name, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  add_message (set, path, name, (ZinitPlace){ 0, 0 }, what);
}

/* "a.toml" → "a"; NULL when @file_name is no definition's. */
static char *
stem_of (const char *file_name)
{
  const char *dot = strrchr (file_name, '.');

  if (dot == NULL || dot == file_name || *file_name == '.')
    return NULL;
  if (!g_str_equal (dot, ".toml") && !g_str_equal (dot, ".json"))
    return NULL;
  return g_strndup (file_name, (gsize)(dot - file_name));
}

/* Adds the definition of @path, unless an earlier file has its name. */
static void
add_entry (ZinitConfigSet *set, GHashTable *paths_by_name, const char *path, ZinitDefinition *definition)
{
  const char *first = g_hash_table_lookup (paths_by_name, definition->name);

  if (first != NULL) {
    g_autofree char *shown = g_filename_display_name (first);

    zinit_config_set_add_error (set, path, definition->name,
                                "service.name: \"%s\" is defined in %s already; a name is allowed once",
                                definition->name, shown);
  } else if (set->entries->len >= ZINIT_MAX_SERVICES) {
    zinit_config_set_add_error (set, path, definition->name, "one definition too many; %d are allowed",
                                ZINIT_MAX_SERVICES);
  } else {
    ZinitConfigEntry *entry = g_new0 (ZinitConfigEntry, 1);

    entry->path = g_strdup (path);
    entry->definition = zinit_definition_ref (definition);
    g_ptr_array_add (set->entries, entry);
    g_hash_table_insert (paths_by_name, definition->name, entry->path);
  }
}

static void
note_reason (ZinitConfigSet *set, int reason)
{
  if (zinit_error_is_transient (reason))
    set->reason = reason;
}

/* Adds what the file @path says, or all that is wrong with it. One that was removed since the folder was
 * listed is not wrong, it is gone. */
static void
add_file (ZinitConfigSet *set, GHashTable *paths_by_name, const char *path, gboolean may_be_missing)
{
  g_autoptr (GPtrArray) problems = zinit_problems_new ();
  g_autofree char *file_name = g_path_get_basename (path);
  g_autofree char *stem = stem_of (file_name);
  /* Whatever the file is called, its name is shown to clients. */
  g_autofree char *default_name = g_utf8_make_valid (stem != NULL ? stem : file_name, -1);
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;
  g_autoptr (ZinitDefinition) definition = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  int reason;

  errno = 0;
  text = zinit_file_read (path, ZINIT_MAX_DEFINITION_BYTES, &length, NULL, &error);
  reason = errno;
  if (text == NULL) {
    note_reason (set, reason);
    if (reason != ENOENT || !may_be_missing)
      zinit_config_set_add_error (set, path, default_name, "%s", error->message);
    return;
  }
  definition = zinit_definition_parse (text, length, g_str_has_suffix (file_name, ".json"), default_name,
                                       &name, problems);
  if (definition != NULL)
    add_entry (set, paths_by_name, path, definition);
  for (guint i = 0; i < problems->len; i++) {
    const ZinitProblem *problem = problems->pdata[i];

    if (i == MAX_FILE_ERRORS) {
      zinit_config_set_add_error (set, path, name, "there are %u problems more", problems->len - i);
      break;
    }
    add_message (set, path, name, problem->place, problem->message);
  }
}

ZinitConfigSet *
zinit_config_read_file (const char *path)
{
  ZinitConfigSet *set = config_set_new ();
  g_autoptr (GHashTable) paths_by_name = g_hash_table_new (g_str_hash, g_str_equal);

  add_file (set, paths_by_name, path, FALSE);
  return set;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* The names of the definition files in @directory, sorted; what is wrong with the folder goes to @set. */
static GPtrArray *
list_folder (const char *directory, ZinitConfigSet *set)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  DIR *folder = opendir (directory);
  struct dirent *item;
  int number = errno;

  if (folder != NULL) {
    while ((errno = 0, item = readdir (folder)) != NULL) {
      g_autofree char *stem = stem_of (item->d_name);

      if (stem != NULL)
        g_ptr_array_add (names, g_strdup (item->d_name));
    }
    number = errno;
    closedir (folder);
  } else if (number == ENOENT) {
    number = 0;
  }
  if (number != 0)
    zinit_config_set_add_error (set, directory, "", "the folder cannot be read: %s", g_strerror (number));
  note_reason (set, number);
  set->is_empty = number == 0 && names->len == 0;
  g_ptr_array_sort (names, compare_names);
  return names;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const ZinitConfigEntry *const *first = a;
  const ZinitConfigEntry *const *second = b;

  return strcmp ((*first)->definition->name, (*second)->definition->name);
}

ZinitConfigSet *
zinit_config_read_folder (const char *directory)
{
  ZinitConfigSet *set = config_set_new ();
  g_autoptr (GPtrArray) names = list_folder (directory, set);
  g_autoptr (GHashTable) paths_by_name = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (directory, g_ptr_array_index (names, i), NULL);

    add_file (set, paths_by_name, path, TRUE);
  }
  g_ptr_array_sort (set->entries, compare_entries);
  return set;
}

/* @what has just failed at @path. */
static gboolean
fail (GError **error, const char *path, const char *what)
{
  int number = errno;
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: %s: %s", shown, what, g_strerror (number));
  return FALSE;
}

gboolean
zinit_config_write (const char *directory, const ZinitDefinition *definition, gboolean overwrite,
                    char **ret_path, GError **error)
{
  g_autofree char *file_name = g_strconcat (definition->name, ".toml", NULL);
  g_autofree char *path = g_build_filename (directory, file_name, NULL);
  /* Hidden, so that no reader takes it for a definition. */
  g_autofree char *hidden = g_strconcat (".", file_name, ".tmp", NULL);
  g_autofree char *text = zinit_definition_to_toml (definition);
  struct iovec part = { text, strlen (text) };
  gboolean is_written;
  int fd;

  if (g_mkdir_with_parents (directory, 0755) < 0)
    return fail (error, directory, "the folder cannot be made");
  fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return fail (error, directory, "the folder cannot be opened");
  is_written = zinit_file_write (fd, file_name, hidden, &part, 1,
                                 overwrite ? ZINIT_FILE_OVERWRITE : ZINIT_FILE_NEW, error);
  close (fd);
  if (!is_written) {
    g_autofree char *shown = g_filename_display_name (directory);

    g_prefix_error (error, "%s/", shown);
    return FALSE;
  }
  if (ret_path != NULL)
    *ret_path = g_steal_pointer (&path);
  return TRUE;
}

gboolean
zinit_config_rename_aside (const char *path, GError **error)
{
  g_autofree char *aside = g_strconcat (path, ".removed", NULL);

  if (rename (path, aside) == 0 || errno == ENOENT)
    return TRUE;
  return fail (error, path, "cannot be put aside");
}
