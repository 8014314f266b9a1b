/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds the source against the rules of the house, which are in CONTRIBUTING.md: who may include whom, how a
 * file begins, how long a file and a function may be, which functions the daemon must not use.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib.h>
#include <string.h>

enum { MAX_FILE_LINES = 500, MAX_FUNCTION_LINES = 60 };

/* A folder may include its own headers, those of the folders named here and, if it says so, the contract
 * (dbus-interfaces). Headers of the contract and those beside main.c are written without a folder. */
static const struct {
  const char *folder;
  const char *allowed; /* separated by blanks */
  gboolean contract;
} layers[] = {
  { "daemon/model", "common", FALSE },
  { "daemon/loop", "model", FALSE },
  { "daemon/config", "model loop", FALSE },
  { "daemon/process", "config model loop", FALSE },
  { "daemon/logs", "config model loop", FALSE },
  { "daemon/persist", "config model loop", FALSE },
  { "daemon/supervisor", "process logs persist config model loop", FALSE },
  { "daemon/handover", "supervisor process logs persist config model loop", TRUE },
  { "daemon/bus", "handover supervisor process logs persist config model loop common", TRUE },
  { "daemon", "bus handover supervisor process logs persist config model loop", TRUE },
  { "client", "common", TRUE },
  { "dbus-interfaces", "", TRUE },
  { "common", "", FALSE },
};

/* What the daemon has its own for: GLib's take SIGCHLD or report success for a process that is not a child;
 * or they take a thread or a wake-up when they are called, and end the daemon where there is none. */
static const char *const forbidden_words[] = {
  "g_child_watch_",
  "g_spawn_",
  "g_subprocess_",
  "g_bus_get",
  "g_bus_own_name",
  "g_bus_watch_name",
  "_call_sync (",
  "g_dbus_connection_flush (",
  "g_dbus_connection_new_for_address",
  "g_task_",
  "g_resolver_",
  "g_socket_client_",
};

/* GIO is D-Bus, threads and files; below the bus there is no need for it. */
static const char *const folders_without_gio[] = { "daemon/model",     "daemon/loop", "daemon/config",
                                                   "daemon/process",   "daemon/logs", "daemon/persist",
                                                   "daemon/supervisor" };

typedef struct {
  char *name; /* with the folder, as "daemon/bus/bus.c" */
  char *folder;
  char *text;
  char **lines;
} Source;

static void
source_free (Source *source)
{
  g_free (source->name);
  g_free (source->folder);
  g_free (source->text);
  g_strfreev (source->lines);
  g_free (source);
}

static char *
build_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "..", name, NULL);
}

static gboolean
is_source_name (const char *name)
{
  return g_str_has_suffix (name, ".c") || g_str_has_suffix (name, ".h") || g_str_has_suffix (name, ".cc") ||
         g_str_has_suffix (name, ".cpp");
}

static Source *
source_read (const char *folder, const char *name)
{
  Source *source = g_new0 (Source, 1);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  source->name = g_strdup_printf ("%s/%s", folder, name);
  source->folder = g_strdup (folder);
  path = build_path (source->name);
  g_file_get_contents (path, &source->text, NULL, &error);
  g_assert_no_error (error);
  source->lines = g_strsplit (source->text, "\n", -1);
  return source;
}

/* Adds the sources of @folder and of those below it. */
static void
collect (GPtrArray *sources, const char *folder)
{
  g_autofree char *path = build_path (folder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *below = g_strdup_printf ("%s/%s", folder, name);
    g_autofree char *below_path = build_path (below);

    if (g_file_test (below_path, G_FILE_TEST_IS_DIR))
      collect (sources, below);
    else if (is_source_name (name))
      g_ptr_array_add (sources, source_read (folder, name));
  }
}

static GPtrArray *
collect_all (const char *const *folders)
{
  GPtrArray *sources = g_ptr_array_new_with_free_func ((GDestroyNotify)source_free);

  for (gsize i = 0; folders[i] != NULL; i++)
    collect (sources, folders[i]);
  g_assert_cmpuint (sources->len, >, 0);
  return sources;
}

static const char *const product_folders[] = { "daemon", "client", "common", "dbus-interfaces", NULL };
static const char *const all_folders[] = { "daemon", "client", "common", "dbus-interfaces", "tests", NULL };

/* Reports a broken rule and goes on, so that one run names all of them. */
static void
warn_once (const Source *source, gsize line, const char *what)
{
  g_test_message ("%s:%" G_GSIZE_FORMAT ": %s", source->name, line, what);
  g_test_fail ();
}

static gsize
find_layer (const char *folder)
{
  gsize i = 0;

  while (i < G_N_ELEMENTS (layers) && strcmp (layers[i].folder, folder) != 0)
    i++;
  g_assert_cmpuint (i, <, G_N_ELEMENTS (layers));
  return i;
}

static gboolean
exists (const char *folder, const char *name)
{
  g_autofree char *both = g_strdup_printf ("%s/%s", folder, name);
  g_autofree char *path = build_path (both);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

static gboolean
may_include (const Source *source, const char *header)
{
  gsize layer = find_layer (source->folder);
  g_auto (GStrv) allowed = g_strsplit (layers[layer].allowed, " ", -1);
  const char *own = strrchr (source->folder, '/');
  const char *slash = strchr (header, '/');
  g_autofree char *folder = NULL;

  if (strcmp (header, "zinit-config.h") == 0 || strcmp (header, "bus-resources.h") == 0)
    return TRUE; /* made by the build */
  if (slash == NULL)
    return (layers[layer].contract && exists ("dbus-interfaces", header)) ||
           (strcmp (source->folder, "daemon") == 0 && exists ("daemon", header));
  folder = g_strndup (header, slash - header);
  return strcmp (folder, own == NULL ? source->folder : own + 1) == 0 ||
         g_strv_contains ((const char *const *)allowed, folder);
}

static void
test_layers (void)
{
  g_autoptr (GPtrArray) sources = collect_all (product_folders);

  for (gsize i = 0; i < sources->len; i++) {
    const Source *source = g_ptr_array_index (sources, i);

    for (gsize line = 0; source->lines[line] != NULL; line++) {
      g_auto (GStrv) parts = g_strsplit (source->lines[line], "\"", 3);
      g_autofree char *directive = g_strdup (parts[0] == NULL ? "" : parts[0]);

      if (strcmp (g_strstrip (directive), "#include") == 0 && g_strv_length (parts) == 3 &&
          !may_include (source, parts[1]))
        warn_once (source, line + 1, "includes what its layer must not know");
    }
  }
}

static void
test_forbidden (void)
{
  g_autoptr (GPtrArray) sources = collect_all ((const char *const[]){ "daemon", NULL });

  for (gsize i = 0; i < sources->len; i++) {
    const Source *source = g_ptr_array_index (sources, i);

    for (gsize word = 0; word < G_N_ELEMENTS (forbidden_words); word++)
      if (strstr (source->text, forbidden_words[word]) != NULL)
        warn_once (source, 1, forbidden_words[word]);
    for (gsize j = 0; j < G_N_ELEMENTS (folders_without_gio); j++)
      if (strcmp (source->folder, folders_without_gio[j]) == 0 && strstr (source->text, "<gio/") != NULL)
        warn_once (source, 1, "includes GIO");
  }
}

static void
test_licence (void)
{
  g_autoptr (GPtrArray) sources = collect_all (all_folders);

  for (gsize i = 0; i < sources->len; i++) {
    const Source *source = g_ptr_array_index (sources, i);

    if (!g_str_has_prefix (source->text, "/* SPDX-License-Identifier: Apache-2.0\n"))
      warn_once (source, 1, "does not begin with its licence");
    else if (!g_str_has_prefix (strchr (source->text, '\n'), "\n *\n * "))
      warn_once (source, 2, "does not say what it owns");
  }
}

/* A function's braces are the only ones that stand alone in the first column. */
static void
test_length (void)
{
  g_autoptr (GPtrArray) sources = collect_all (all_folders);

  for (gsize i = 0; i < sources->len; i++) {
    const Source *source = g_ptr_array_index (sources, i);
    gsize start = 0;
    gsize n_lines;

    for (n_lines = 0; source->lines[n_lines] != NULL; n_lines++) {
      if (strcmp (source->lines[n_lines], "{") == 0)
        start = n_lines;
      else if (strcmp (source->lines[n_lines], "}") == 0 && n_lines - start - 1 > MAX_FUNCTION_LINES)
        warn_once (source, start + 1, "a function is longer than 60 lines");
    }
    /* The text ends in a line feed, so the last line of all is empty. */
    if (n_lines > MAX_FILE_LINES + 1)
      warn_once (source, n_lines - 1, "the file is longer than 500 lines");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions ();
  g_test_add_func ("/layers/includes", test_layers);
  g_test_add_func ("/layers/forbidden", test_forbidden);
  g_test_add_func ("/layers/licence", test_licence);
  g_test_add_func ("/layers/length", test_length);
  return g_test_run ();
}
