/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a run-time folder say of the life that they belong to: which one of them is believed when
 * others are missing, damaged, old or of another boot.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover/process-identity.h"
#include "load-life.h"

#define INSTANCE "0123456789abcdef0123456789abcdef"
#define OTHER_INSTANCE "ffffffffffffffffffffffffffffffff"
#define OTHER_BOOT "00000000-0000-4000-8000-000000000000"

typedef struct {
  char *path;
  char *boot;
  guint64 init_ticks;
  ZinitRuntimeFolder *folder;
  ZinitRecordLog *records;
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
  place->path = g_dir_make_tmp ("zinit-life-XXXXXX", NULL);
  g_assert_nonnull (place->path);
  place->boot = zinit_identity_read_boot_id ();
  place->init_ticks = zinit_identity_read_start_ticks (1);
  place->folder = zinit_runtime_folder_new (place->path);
  g_assert_true (zinit_runtime_folder_open (place->folder, NULL, NULL));
  place->records = zinit_record_log_new (place->folder, "records");
  n_warnings = 0;
}

static void
tear_down (Place *place, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (place->path, 0, NULL);
  const char *name;

  zinit_record_log_free (place->records);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (place->path, name, NULL);

    g_remove (path);
  }
  g_assert_cmpint (g_rmdir (place->path), ==, 0);
  zinit_runtime_folder_free (place->folder);
  g_free (place->path);
  g_free (place->boot);
}

static void
write_file (const Place *place, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (place->path, name, NULL);

  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static char *
read_file (const Place *place, const char *name)
{
  g_autofree char *path = g_build_filename (place->path, name, NULL);
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static gboolean
has_file (const Place *place, const char *name)
{
  g_autofree char *text = read_file (place, name);

  return text != NULL;
}

static void
write_instance (const Place *place, const char *instance, const char *boot, guint64 init_ticks)
{
  g_autofree char *text = g_strdup_printf ("%s %s %" G_GUINT64_FORMAT "\n", instance, boot, init_ticks);

  write_file (place, "instance", text);
}

/* Of this boot and of now; a test changes what it is about. Transfer full. */
static ZinitSavedState *
make_state (const Place *place, const char *service)
{
  ZinitSavedState *state = zinit_saved_state_new ();
  ZinitSavedService *saved = zinit_saved_service_new (service);

  state->saved_at = (guint64)g_get_real_time () / 1000;
  state->boot_id = g_strdup (place->boot);
  state->init_start_ticks = place->init_ticks;
  state->instance = g_strdup (INSTANCE);
  state->saved_boottime = zinit_saved_life_now ();
  state->record_sequence = 10;
  saved->state = ZINIT_STATE_INACTIVE;
  g_tree_insert (state->services, g_strdup (service), saved);
  return state;
}

static void
write_state (const Place *place, const char *name, const ZinitSavedState *state)
{
  g_autofree char *text = zinit_saved_state_print (state, NULL);

  write_file (place, name, text);
}

static void
write_good_state (const Place *place)
{
  g_autoptr (ZinitSavedState) state = make_state (place, "web");

  write_state (place, "state.json", state);
}

static ZinitSavedLife *
load (const Place *place)
{
  ZinitSavedLife *life = load_life (place->folder, place->records, NULL);

  g_assert_nonnull (life);
  g_assert_cmpuint (strlen (life->instance), ==, 32);
  g_assert_cmpuint (strspn (life->instance, "0123456789abcdef"), ==, 32);
  return life;
}

static gboolean
knows (const ZinitSavedLife *life, const char *service)
{
  return life->state != NULL && g_tree_lookup (life->state->services, service) != NULL;
}

/* The first one of a folder, and the same one again: it is on file for this user alone. */
static void
test_first (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedLife) life = load (place);
  g_autoptr (ZinitSavedLife) again = load (place);
  g_autofree char *path = g_build_filename (place->path, "instance", NULL);
  g_autofree char *expected = NULL;
  g_autofree char *text = NULL;
  struct stat status;

  g_assert_cmpstr (again->instance, ==, life->instance);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  expected =
      g_strdup_printf ("%s %s %" G_GUINT64_FORMAT "\n", life->instance, place->boot, place->init_ticks);
  text = read_file (place, "instance");
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (n_warnings, ==, 0);
}

/* Two folders do not have the same one. */
static void
test_random (Place *place, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 50; i++) {
    g_autoptr (ZinitSavedLife) life = load (place);

    g_assert_true (g_hash_table_add (seen, g_strdup (life->instance)));
    zinit_saved_life_end (place->folder);
    g_assert_false (has_file (place, "instance"));
  }
}

/* The state names it too, and the file is made again. */
static void
test_instance_lost (Place *place, gconstpointer data)
{
  static const char *const texts[] = {
    NULL,
    "",
    "\n",
    "x y z\n",
    INSTANCE "\n",
    "0123456789ABCDEF0123456789ABCDEF - 0\n",
    "0123456789abcdef - 0\n",
    INSTANCE " a b c\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (ZinitSavedLife) life = NULL;
    g_autofree char *text = NULL;

    zinit_saved_life_end (place->folder);
    write_good_state (place);
    if (texts[i] != NULL)
      write_file (place, "instance", texts[i]);
    life = load (place);
    g_assert_true (life->goes_on);
    g_assert_true (knows (life, "web"));
    g_assert_cmpstr (life->instance, ==, INSTANCE);
    text = read_file (place, "instance");
    g_assert_true (g_str_has_prefix (text, INSTANCE " "));
  }
}

/* Nothing else names one: it is a new one, never the damaged text. */
static void
test_instance_and_state_lost (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedLife) life = NULL;

  write_file (place, "instance", "../../etc/passwd - 0\n");
  life = load (place);
  g_assert_cmpstr (life->instance, !=, INSTANCE);
  g_assert_true (life->goes_on);
}

/* The file and the state disagree: the file is what processes were given. */
static void
test_instance_wins (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedLife) life = NULL;

  write_good_state (place);
  write_instance (place, OTHER_INSTANCE, place->boot, place->init_ticks);
  life = load (place);
  g_assert_cmpstr (life->instance, ==, OTHER_INSTANCE);
  g_assert_true (knows (life, "web"));
}

/* Of a boot that could not be read then: that is no other one. */
static void
test_unknown_boot (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedLife) life = NULL;

  write_good_state (place);
  write_instance (place, INSTANCE, "-", 0);
  life = load (place);
  g_assert_true (life->goes_on);
  g_assert_true (knows (life, "web"));
  g_assert_cmpstr (life->instance, ==, INSTANCE);
}

static void
check_new_life (const Place *place)
{
  g_autoptr (ZinitSavedLife) life = NULL;

  write_file (place, "records", "started 11 app 1 4711 47110\n");
  life = load (place);
  g_assert_false (life->goes_on);
  g_assert_null (life->state);
  g_assert_cmpstr (life->instance, !=, INSTANCE);
  g_assert_false (has_file (place, "state.json"));
  g_assert_cmpint (zinit_record_log_get_size (place->records), ==, 0);
}

/* Another boot of the machine, and another start of the container: nothing of it can live. */
static void
test_other_boot (Place *place, gconstpointer data)
{
  write_good_state (place);
  write_instance (place, INSTANCE, OTHER_BOOT, place->init_ticks);
  check_new_life (place);

  zinit_saved_life_end (place->folder);
  write_good_state (place);
  write_instance (place, INSTANCE, place->boot, place->init_ticks + 100);
  check_new_life (place);
}

/* The same by the state alone. */
static void
test_state_of_other_boot (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedState) state = make_state (place, "web");

  g_free (state->boot_id);
  state->boot_id = g_strdup (OTHER_BOOT);
  write_state (place, "state.json", state);
  check_new_life (place);

  zinit_saved_life_end (place->folder);
  g_free (state->boot_id);
  state->boot_id = g_strdup (place->boot);
  state->init_start_ticks = place->init_ticks + 100;
  write_state (place, "state.json", state);
  check_new_life (place);
}

typedef struct {
  gboolean has_boot_id;
  gint64 boottime_age_ms; /* -1 = no saved_boottime */
  gint64 saved_age_ms;
  gboolean is_old;
  gboolean is_foreign;
} Age;

/* CLOCK_BOOTTIME decides; without our fields the format's own rule is all there is. */
static void
test_age (Place *place, gconstpointer data)
{
  static const Age ages[] = {
    { TRUE, 0, 0, FALSE, FALSE },
    { TRUE, 0, 86400000, FALSE, FALSE },
    { TRUE, 0, -86400000, FALSE, FALSE },
    { TRUE, 299000, 0, FALSE, FALSE },
    { TRUE, 301000, 0, TRUE, FALSE },
    /* From the future, by a clock that nobody sets. */
    { TRUE, -1000000, 0, FALSE, FALSE },
    { TRUE, -1, 301000, TRUE, FALSE },
    { TRUE, -1, 299000, FALSE, FALSE },
    { FALSE, -1, 301000, FALSE, TRUE },
    { FALSE, -1, 299000, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ages); i++) {
    g_autoptr (ZinitSavedState) state = make_state (place, "web");
    g_autoptr (ZinitSavedLife) life = NULL;

    if (ages[i].boottime_age_ms > (gint64)state->saved_boottime)
      continue;
    if (!ages[i].has_boot_id)
      g_clear_pointer (&state->boot_id, g_free);
    state->saved_at -= (guint64)ages[i].saved_age_ms;
    state->saved_boottime -= (guint64)ages[i].boottime_age_ms;
    if (ages[i].boottime_age_ms == -1)
      state->saved_boottime = 0;
    zinit_saved_life_end (place->folder);
    write_state (place, "state.json", state);
    life = load (place);
    g_assert_true (life->goes_on);
    g_assert_true (knows (life, "web"));
    g_assert_cmpint (life->is_old, ==, ages[i].is_old);
    g_assert_cmpint (life->is_foreign, ==, ages[i].is_foreign);
  }
}

/* The one before it, and all that was recorded since. */
static void
test_damaged_state (Place *place, gconstpointer data)
{
  static const char *const texts[] = { NULL, "", "{", "{\"version\": 7}", "[]" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (ZinitSavedState) old = make_state (place, "older");
    g_autoptr (ZinitSavedLife) life = NULL;

    zinit_saved_life_end (place->folder);
    write_state (place, "state.json.old", old);
    write_file (place, "records", "started 10 included 1 77 1\nstarted 11 later 1 78 1\nremoved 12 older\n");
    if (texts[i] != NULL)
      write_file (place, "state.json", texts[i]);
    life = load (place);
    g_assert_true (life->goes_on);
    g_assert_true (knows (life, "later"));
    g_assert_false (knows (life, "included"));
    g_assert_false (knows (life, "older"));
    g_assert_cmpuint (life->state->record_sequence, ==, 12);
    g_assert_cmpstr (life->instance, ==, INSTANCE);
    g_assert_true (has_file (place, "state.json.refused") == (texts[i] != NULL));
    g_assert_false (has_file (place, "state.json"));
  }
}

/* There is no state at all. */
static void
test_records_alone (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedLife) life = NULL;

  write_instance (place, INSTANCE, place->boot, place->init_ticks);
  write_file (place, "records", "started 1 web 1 77 1\nstarted 2 app 1 78 1\nhalf a rec");
  life = load (place);
  g_assert_true (life->goes_on);
  g_assert_true (knows (life, "web"));
  g_assert_true (knows (life, "app"));
  g_assert_cmpstr (life->instance, ==, INSTANCE);
  g_assert_cmpuint (zinit_record_log_get_sequence (place->records), ==, 2);
  g_assert_cmpuint (n_warnings, ==, 0);
}

static void
test_damaged_records (Place *place, gconstpointer data)
{
  g_autoptr (ZinitSavedLife) life = NULL;

  write_good_state (place);
  write_file (place, "records", "started 11 app 1 77 1\ngarbage\nstarted 12 db 1 78 1\n");
  life = load (place);
  g_assert_true (knows (life, "web"));
  g_assert_true (knows (life, "app"));
  g_assert_false (knows (life, "db"));
  g_assert_cmpuint (n_warnings, ==, 1);
}

/* Which files are there cannot be told now: it is asked again, and nothing was changed meanwhile. */
static void
test_not_now (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitSavedLife) life = NULL;
  struct rlimit old, none;

  write_good_state (place);
  write_instance (place, INSTANCE, place->boot, place->init_ticks);
  write_file (place, "records", "started 11 app 1 77 1\n");
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  none = (struct rlimit){ 0, old.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_null (zinit_saved_life_load (place->folder, place->records, FALSE, &error));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
  g_assert_nonnull (error);
  life = load (place);
  g_assert_true (knows (life, "web"));
  g_assert_true (knows (life, "app"));
  g_assert_cmpstr (life->instance, ==, INSTANCE);
  g_assert_cmpuint (n_warnings, ==, 0);
}

/* Nothing of it is left but what others keep in the folder. */
static void
test_end (Place *place, gconstpointer data)
{
  static const char *const names[] = { "state.json", "state.json.old", "fds.json", "records", "instance" };
  g_autoptr (ZinitSavedLife) life = NULL, next = NULL;

  write_good_state (place);
  write_file (place, "other", "");
  life = load (place);
  write_file (place, "fds.json", "");
  write_file (place, "state.json.old", "");
  zinit_saved_life_end (place->folder);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_false (has_file (place, names[i]));
  g_assert_true (has_file (place, "other"));
  next = load (place);
  g_assert_cmpstr (next->instance, !=, life->instance);
  g_assert_false (knows (next, "web"));
}

#define ADD(path, func) g_test_add ("/saved-life/" path, Place, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (count_warnings, NULL, NULL);
  ADD ("first", test_first);
  ADD ("random", test_random);
  ADD ("instance-lost", test_instance_lost);
  ADD ("instance-and-state-lost", test_instance_and_state_lost);
  ADD ("instance-wins", test_instance_wins);
  ADD ("unknown-boot", test_unknown_boot);
  ADD ("other-boot", test_other_boot);
  ADD ("state-of-other-boot", test_state_of_other_boot);
  ADD ("age", test_age);
  ADD ("damaged-state", test_damaged_state);
  ADD ("records-alone", test_records_alone);
  ADD ("damaged-records", test_damaged_records);
  ADD ("not-now", test_not_now);
  ADD ("end", test_end);
  return g_test_run ();
}
