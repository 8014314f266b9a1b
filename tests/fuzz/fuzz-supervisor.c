/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole supervisor on a host that is no machine, driven by bytes: definitions, requests, ends of
 * processes, time, and daemons that end at any moment. After each step the rules of world-check.h hold. With
 * ZINIT_FUZZ_TRACE each step is printed.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include <signal.h>
#include <stdlib.h>

#include <glib/gstdio.h>

#include "config/format.h"
#include "target.h"
#include "world-check.h"

enum { N_SERVICES = 8, N_EXECS = 4, MAX_STEPS = 200 };

typedef struct {
  World world;
  const guint8 *bytes;
  const guint8 *end;
  gboolean is_trying;      /* a restoration after every step */
  gboolean is_file_edited; /* since the folder was read */
} Run;

static char *config_dir;

static guint8
next_byte (Run *run)
{
  return run->bytes < run->end ? *run->bytes++ : 0;
}

static void trace (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
trace (const char *format, ...)
{
  va_list list;

  if (g_getenv ("ZINIT_FUZZ_TRACE") == NULL)
    return;
  va_start (list, format);
  vfprintf (stderr, format, list);
  va_end (list);
  fputc ('\n', stderr);
}

static char *
name_of (guint number)
{
  return g_strdup_printf ("s%u", number);
}

static char *
path_of (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".toml", NULL);

  return g_build_filename (config_dir, file, NULL);
}

static ZinitService *
pick (Run *run)
{
  g_autofree char *name = name_of (next_byte (run) % N_SERVICES);

  return zinit_supervisor_find (run->world.supervisor, name, NULL);
}

/* A bit for each service, of those that are @allowed. */
static char **
next_names (Run *run, guint allowed)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint bits = next_byte (run) & allowed;

  if (bits == 0)
    return NULL;
  for (guint i = 0; i < N_SERVICES; i++)
    if ((bits & (1u << i)) != 0) {
      g_autofree char *name = name_of (i);

      g_strv_builder_add (builder, name);
    }
  return g_strv_builder_end (builder);
}

/* Most wait for those of lower numbers, so that few go in a circle. */
static void
next_lists (Run *run, ZinitDefinition *definition, guint own)
{
  guint lists = next_byte (run);
  guint others = ~(1u << own);
  guint lower = (lists & 16) != 0 ? others : (1u << own) - 1;
  guint higher = (lists & 16) != 0 ? others : others & ~lower;

  if ((lists & 1) != 0)
  definition->requires = next_names (run, lower);
  if ((lists & 2) != 0)
    definition->after = next_names (run, lower);
  if ((lists & 4) != 0)
    definition->conflicts = next_names (run, others);
  if ((lists & 8) != 0)
    definition->wants = next_names (run, others);
  if ((lists & 32) != 0)
    definition->before = next_names (run, higher);
  if ((lists & 64) != 0)
    definition->binds_to = next_names (run, lower);
}

static ZinitDefinition *
next_definition (Run *run)
{
  ZinitDefinition *definition = zinit_definition_new ();
  guint own = next_byte (run) % N_SERVICES, kind = next_byte (run), times = next_byte (run);

  definition->name = name_of (own);
  definition->exec = g_strdup_printf ("exec%u", times % N_EXECS);
  definition->oneshot = (kind & 3) == 3;
  definition->restart = (int)(kind >> 2 & 3) % ZINIT_N_RESTARTS;
  definition->max_restarts = (kind >> 4 & 3) == 3 ? 2 : 0;
  definition->status = (kind >> 6) == 3 ? ZINIT_WANTED_IGNORE : (kind >> 6) == 2 ? ZINIT_WANTED_STOP : 0;
  definition->service_class = (times & 4) != 0 ? ZINIT_CLASS_SYSTEM : ZINIT_CLASS_USER;
  definition->restart_delay_ms = 50u << (times >> 3 & 3);
  definition->restart_delay_max_ms = 400;
  definition->stability_period_ms = 100u << (times >> 5 & 3);
  definition->stop_timeout_ms = 300;
  definition->start_timeout_ms = 500;
  definition->buffer_lines = 0;
  next_lists (run, definition, own);
  return definition;
}

static void
trace_definition (const ZinitDefinition *definition)
{
  g_autofree char *text =
      g_getenv ("ZINIT_FUZZ_TRACE") != NULL ? zinit_definition_to_toml (definition) : NULL;

  if (text != NULL)
    trace ("%s", text);
}

static void
add (Run *run)
{
  guint flags = next_byte (run) & (ZINIT_ADD_PERSIST | ZINIT_ADD_REPLACE);
  g_autoptr (ZinitDefinition) definition = next_definition (run);
  g_autoptr (GError) error = NULL;

  trace_definition (definition);
  zinit_supervisor_add (run->world.supervisor, definition, flags, &error);
  trace ("add %s%s%s: %s", definition->name, flags & ZINIT_ADD_PERSIST ? " persist" : "",
         flags & ZINIT_ADD_REPLACE ? " replace" : "", error != NULL ? error->message : "ok");
}

static void
lose_file (Run *run)
{
  g_autofree char *name = name_of (next_byte (run) % N_SERVICES);
  g_autofree char *path = path_of (name);

  trace ("the file of %s is removed", name);
  if (g_unlink (path) == 0)
    run->is_file_edited = TRUE;
}

static void
reload (Run *run)
{
  g_autoptr (GError) error = NULL;
  ZinitReloadResult *result = zinit_supervisor_reload (run->world.supervisor, TRUE, &error);

  trace ("reload: %s", error != NULL ? error->message : "ok");
  if (result != NULL) {
    zinit_reload_result_free (result);
    run->is_file_edited = FALSE;
  }
}

/* The process ends, or those that it has left behind do. */
static void
end_process (FakeProcess *process, guint how)
{
  static const ZinitExit exits[] = { { ZINIT_EXIT_EXITED, 0 },
                                     { ZINIT_EXIT_EXITED, 1 },
                                     { ZINIT_EXIT_KILLED, SIGKILL },
                                     { ZINIT_EXIT_UNKNOWN, -1 } };
  const ZinitExit *exit = &exits[how & 3];

  trace ("process %d of %s ends: %s %d", (int)process->pid, process->name,
         zinit_exit_kind_to_string (exit->kind), exit->value);
  if (!process->has_main) {
    fake_process_empty (process);
    return;
  }
  process->has_others = (how & 12) == 12;
  process->awaits_exit = exit->kind == ZINIT_EXIT_UNKNOWN && (how & 16) != 0;
  fake_process_end (process, exit->kind, exit->value);
}

static void
end_one (Run *run)
{
  g_autofree char *name = name_of (next_byte (run) % N_SERVICES);
  guint how = next_byte (run);
  FakeProcess *process = fake_host_find (&run->world.host, name);

  if (process != NULL && (process->has_main || process->has_others))
    end_process (process, how);
}

/* How one ended is told long after its end. */
static void
tell_exit (Run *run)
{
  for (guint i = 0; i < run->world.host.processes->len; i++) {
    FakeProcess *process = run->world.host.processes->pdata[i];

    if (process->awaits_exit && !process->is_released && !process->has_main) {
      trace ("how process %d of %s ended is known", (int)process->pid, process->name);
      fake_process_tell_exit (process, next_byte (run) % 2 == 0 ? ZINIT_EXIT_EXITED : ZINIT_EXIT_UNKNOWN, 0);
      return;
    }
  }
}

/* Everything that was told to end does; a stubborn process only by SIGKILL. */
static void
obey (Run *run)
{
  GPtrArray *processes = run->world.host.processes;
  guint n = processes->len;

  for (guint i = 0; i < n; i++) {
    FakeProcess *process = processes->pdata[i];
    ZinitService *service = zinit_supervisor_find (run->world.supervisor, process->name, NULL);
    ZinitServiceRecord record;

    if (process->is_released || (!process->has_main && !process->has_others) || service == NULL)
      continue;
    zinit_service_get_record (service, &record);
    if (record.state != ZINIT_STATE_STOPPING || (process->is_stubborn && !record.sigkill_sent))
      continue;
    if (process->has_main && process->has_others)
      fake_process_empty (process);
    end_process (process, record.sigkill_sent ? 2 : 0);
  }
}

static void
toggle_stubborn (Run *run)
{
  g_autofree char *name = name_of (next_byte (run) % N_SERVICES);
  FakeProcess *process = fake_host_find (&run->world.host, name);

  if (process != NULL)
    process->is_stubborn = !process->is_stubborn;
}

static void
toggle_spawn (Run *run)
{
  guint number = next_byte (run) % N_EXECS;

  g_free (run->world.host.broken_exec);
  run->world.host.broken_exec = number > 0 ? g_strdup_printf ("exec%u", number) : NULL;
}

/* Another daemon, which knows all: nothing changes, and nothing follows. */
static void
restart_daemon (Run *run)
{
  World *world = &run->world;
  g_autofree char *before = NULL, *after = NULL, *later = NULL, *text = NULL;
  gboolean is_same = world_is_all_saved (world) && !world->is_shutting_down && !run->is_file_edited;

  trace ("restart of the daemon");
  before = world_describe (world);
  text = world_save (world);
  world_crash (world);
  world_restore (world, text);
  world_check_restored (world);
  run->is_file_edited = FALSE;
  if (!is_same)
    return;
  after = world_describe (world);
  world_check_same (before, after, "a service restored from what was saved is another");
  fake_host_settle (&world->host);
  later = world_describe (world);
  world_check_same (before, later, "the next daemon does something though nothing has happened");
}

/* All processes that the bits name end while nobody looks. */
static void
end_unseen (Run *run, guint bits)
{
  for (guint i = 0; i < run->world.host.processes->len; i++) {
    FakeProcess *process = run->world.host.processes->pdata[i];
    guint number = (guint)process->name[1] - '0';

    if ((bits & (1u << number)) != 0 && (process->has_main || process->has_others)) {
      trace ("process %d of %s ends unseen", (int)process->pid, process->name);
      process->has_others = process->has_main && process->has_others;
      process->has_main = FALSE;
    }
  }
}

/* Only what was saved is known afterwards; requests were. */
static void
kill_daemon (Run *run)
{
  World *world = &run->world;
  g_autofree char *before = NULL, *after = NULL, *saved = NULL;
  gboolean is_same = world_is_all_saved (world) && !world->is_shutting_down && !run->is_file_edited;

  trace ("kill -9 of the daemon");
  before = world_describe_requests (world);
  world_crash (world);
  end_unseen (run, next_byte (run));
  world->host.now_usec += (gint64)next_byte (run) * 4000;
  saved = g_strdup (world->saved);
  world_restore (world, saved);
  world_check_restored (world);
  run->is_file_edited = FALSE;
  after = world_describe_requests (world);
  if (is_same)
    world_check_kept (before, after, "a request did not outlive the daemon");
}

static void
advance (Run *run, guint64 ms)
{
  trace ("%" G_GUINT64_FORMAT " ms pass", ms);
  fake_host_advance_ms (&run->world.host, ms);
  world_commit (&run->world, ms >= 100);
}

static void
request (Run *run, guint what)
{
  static const char *const words[] = { "start", "start tree", "stop", "restart", "remove", "remove stop" };
  ZinitSupervisor *supervisor = run->world.supervisor;
  ZinitService *service = pick (run);
  g_autoptr (GError) error = NULL;

  if (service == NULL)
    return;
  trace ("%s %s", words[what], zinit_service_get_name (service));
  if (what == 0 || what == 1)
    zinit_supervisor_start (supervisor, service, what == 1, &error);
  else if (what == 2)
    zinit_supervisor_stop (supervisor, service, &error);
  else if (what == 3)
    zinit_supervisor_restart (supervisor, service, FALSE, &error);
  else
    zinit_supervisor_remove (supervisor, service, what == 5, &error);
  trace ("  %s", error != NULL ? error->message : "ok");
}

static void
request_all (Run *run, guint what)
{
  static const char *const words[] = { "start all", "stop all", "remove all" };
  static char **(*const functions[]) (ZinitSupervisor *, GError **) = { zinit_supervisor_start_all,
                                                                        zinit_supervisor_stop_all,
                                                                        zinit_supervisor_remove_all };

  trace ("%s", words[what]);
  g_strfreev (functions[what](run->world.supervisor, NULL));
}

static void
step (Run *run)
{
  guint what = next_byte (run) % 32;

  if (what < 6)
    add (run);
  else if (what < 12)
    request (run, what - 6);
  else if (what < 15)
    request_all (run, what - 12);
  else if (what < 18)
    end_one (run);
  else if (what < 20)
    obey (run);
  else if (what < 22)
    advance (run, next_byte (run));
  else if (what == 22)
    advance (run, 1000);
  else if (what == 23)
    toggle_stubborn (run);
  else if (what == 24)
    toggle_spawn (run);
  else if (what == 25)
    tell_exit (run);
  else if (what == 26)
    reload (run);
  else if (what == 27)
    lose_file (run);
  else if (what == 28)
    restart_daemon (run);
  else if (what < 31)
    kill_daemon (run);
  else if (next_byte (run) % 8 == 0) {
    trace ("shutdown");
    zinit_supervisor_shutdown (run->world.supervisor);
  }
}

/* All that is told to end does: a shutdown has an end, and nothing is up then. */
static void
check_orderly_end (Run *run)
{
  zinit_supervisor_shutdown (run->world.supervisor);
  fake_host_settle (&run->world.host);
  for (guint round = 0; !run->world.is_down; round++) {
    g_assert_cmpuint (round, <, 10 * N_SERVICES);
    obey (run);
    fake_host_advance_ms (&run->world.host, 400);
  }
  for (guint i = 0; i < N_SERVICES; i++) {
    g_autofree char *name = name_of (i);

    g_assert_cmpuint (fake_host_count_living (&run->world.host, name), ==, 0);
  }
}

static void
clear_folder (void)
{
  g_autoptr (GDir) folder = g_dir_open (config_dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *path = g_build_filename (config_dir, name, NULL);

    g_unlink (path);
  }
}

static void
remove_folder (void)
{
  clear_folder ();
  g_rmdir (config_dir);
}

/* In memory, as there are many files. */
static void
make_folder (void)
{
  config_dir = g_strdup ("/dev/shm/zinit-fuzz-XXXXXX");
  if (g_mkdtemp (config_dir) == NULL) {
    g_free (config_dir);
    config_dir = g_dir_make_tmp (NULL, NULL);
  }
  g_assert_nonnull (config_dir);
  atexit (remove_folder);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Run run = { .bytes = data, .end = data + size };

  if (config_dir == NULL)
    make_folder ();
  clear_folder ();
  world_init (&run.world, config_dir, &world_check_observer);
  run.is_trying = (next_byte (&run) & 1) != 0;
  for (guint i = 0; i < MAX_STEPS && run.bytes < run.end; i++) {
    step (&run);
    fake_host_settle (&run.world.host);
    world_check (&run.world);
    world_commit (&run.world, FALSE);
    if (run.is_trying)
      restart_daemon (&run);
    fake_host_settle (&run.world.host);
    world_check (&run.world);
  }
  check_orderly_end (&run);
  world_clear (&run.world);
  return 0;
}
