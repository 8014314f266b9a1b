/* SPDX-License-Identifier: Apache-2.0
 *
 * zinitd: options, wiring, signals, exit code. Everything else is in the folders beside this file.
 */
#define G_LOG_DOMAIN "zinit-main"

#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "bus/bus.h"
#include "claim.h"
#include "config/check.h"
#include "handover/handover.h"
#include "handover/restore.h"
#include "log-writer.h"
#include "loop/reserve.h"
#include "model/log-level.h"
#include "notify.h"
#include "options.h"
#include "persist/check.h"
#include "persist/runtime-lock.h"
#include "model/error.h"
#include "supervisor/supervisor.h"
#include "zinit-config.h"

#define EXIT_USAGE 2
#define TRY_MS 20
#define NOTIFY_MS 100
#define MAX_TRIES 250  /* then what cannot be read counts as damaged */
#define MAX_LEAVES 100 /* then what cannot be saved is lost */

typedef struct {
  const ZinitOptions *options;
  ZinitPaths *paths;
  ZinitRuntimeFolder *folder;
  char *program; /* the file that runs, to be executed anew */
  char **argv;
  int lock_fd;
  guint64 file_limit; /* the soft RLIMIT_NOFILE that it was started with */
  ZinitLoop *loop;
  ZinitProcesses *processes;
  ZinitHostContext host_context;
  ZinitSupervisor *supervisor;
  ZinitRecordLog *records;
  ZinitSavedLife *life;    /* until all processes of it are known */
  ZinitRestorer *restorer; /* the same */
  ZinitRuntimeLock *lock;
  ZinitAutosave *autosave;
  ZinitHandover *handover;
  ZinitInherited *inherited;
  ZinitBus *bus;
  GMainLoop *main_loop;
  ZinitWatch signal_watch;
  int signal_fd;
  guint n_tries;  /* to learn what an earlier daemon has left */
  guint n_leaves; /* tries to save all for the next one */
} Daemon;

/* Runs before GLib's constructors, which is the only time for this. Its slice allocator would keep the memory
 * of one large reply for ever; malloc gives it back. From GLib 2.76 on it does nothing. */
static void
prefer_malloc (void)
{
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  g_slice_set_config (G_SLICE_CONFIG_ALWAYS_MALLOC, TRUE);
  G_GNUC_END_IGNORE_DEPRECATIONS
}

__attribute__ ((section (".preinit_array"),
                used)) static void (*const before_constructors) (void) = prefer_malloc;

static gboolean
quit (gpointer data)
{
  Daemon *daemon = data;

  g_main_loop_quit (daemon->main_loop);
  return G_SOURCE_REMOVE;
}

/* What is not saved by then is lost, so it is tried for some time. */
static gboolean
leave (gpointer data)
{
  Daemon *daemon = data;
  g_autoptr (GError) error = NULL;

  if (zinit_handover_leave (daemon->handover, &error))
    return quit (daemon);
  if (++daemon->n_leaves < MAX_LEAVES) {
    g_timeout_add (TRY_MS, leave, daemon);
    return G_SOURCE_REMOVE;
  }
  g_warning ("what has happened in the last moment is not saved: %s", error->message);
  return quit (daemon);
}

static void
on_shutdown_begun (gpointer data)
{
  Daemon *daemon = data;

  g_message ("shutting down");
  zinit_notify ("STOPPING=1");
  zinit_runtime_lock_unwatch (daemon->lock);
}

static void
on_shutdown_done (gpointer data)
{
  Daemon *daemon = data;

  zinit_bus_finish (daemon->bus, quit, daemon);
}

static const ZinitObserver observer = {
  .shutdown_begun = on_shutdown_begun,
  .shutdown_done = on_shutdown_done,
};

static void
on_folder_made (gpointer data)
{
  Daemon *daemon = data;

  zinit_record_log_open (daemon->records, NULL);
  if (daemon->autosave != NULL)
    zinit_autosave_save_soon (daemon->autosave);
  zinit_supervisor_renew_logs (daemon->supervisor);
  zinit_bus_listen_again (daemon->bus);
}

static void
on_folder_lost (gpointer data)
{
  quit (data);
}

static const ZinitRuntimeLockEvents lock_events = { .made = on_folder_made, .lost = on_folder_lost };

static void
reload (Daemon *daemon)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitReloadResult) result = NULL;

  result = zinit_supervisor_reload (daemon->supervisor, FALSE, &error);
  if (result == NULL)
    g_warning ("nothing was reloaded: %s", error->message);
  else
    g_message ("reloaded: %u added, %u changed, %u removed, %u refused", g_strv_length (result->added),
               g_strv_length (result->changed), g_strv_length (result->removed), result->errors->len);
}

static void
on_signal (ZinitWatch *watch, guint32 events)
{
  Daemon *daemon = ZINIT_OWNER_OF (watch, Daemon, signal_watch);
  struct signalfd_siginfo info;

  /* Not before it is known what an earlier daemon has left. They stay pending until then. */
  if (daemon->autosave == NULL) {
    zinit_loop_unwatch (daemon->loop, watch);
    return;
  }

  while (read (daemon->signal_fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP)
      reload (daemon);
    else if (info.ssi_signo == SIGUSR1)
      zinit_bus_reexecute (daemon->bus);
    else
      zinit_supervisor_shutdown (daemon->supervisor);
  }
}

/* By descriptor, so that nothing of ours runs between other code. Blocked before the first thread is made, as
 * threads inherit the mask. */
static gboolean
watch_signals (Daemon *daemon, GError **error)
{
  sigset_t mask;

  sigemptyset (&mask);
  sigaddset (&mask, SIGTERM);
  sigaddset (&mask, SIGINT);
  sigaddset (&mask, SIGHUP);
  sigaddset (&mask, SIGUSR1);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  signal (SIGPIPE, SIG_IGN);
  /* A file as long as RLIMIT_FSIZE allows is an error like others. */
  signal (SIGXFSZ, SIG_IGN);
  daemon->signal_fd = signalfd (-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (daemon->signal_fd >= 0 && zinit_loop_watch (daemon->loop, &daemon->signal_watch, daemon->signal_fd,
                                                  EPOLLIN, ZINIT_URGENT, on_signal))
    return TRUE;
  g_set_error_literal (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "cannot watch signals");
  return FALSE;
}

static int
steal_fd (int *fd)
{
  int stolen = *fd;

  *fd = -1;
  return stolen;
}

static gboolean
set_up (Daemon *daemon, const ZinitOptions *options, GError **error)
{
  daemon->loop = zinit_loop_new (NULL, error);
  if (daemon->loop == NULL || !watch_signals (daemon, error))
    return FALSE;
  daemon->processes = zinit_processes_new (daemon->loop, error);
  if (daemon->processes == NULL)
    return FALSE;
  zinit_processes_set_file_limit (daemon->processes, daemon->inherited->file_limit != 0
                                                         ? daemon->inherited->file_limit
                                                         : daemon->file_limit);
  zinit_processes_set_lock (daemon->processes, daemon->lock_fd);
  zinit_processes_set_folder (daemon->processes, zinit_runtime_folder_get_path (daemon->folder),
                              zinit_runtime_folder_get_fd (daemon->folder));
  daemon->records = zinit_record_log_new (daemon->folder, ZINIT_RECORDS_FILE);
  daemon->host_context = (ZinitHostContext){ daemon->loop, daemon->processes, daemon->records };
  daemon->supervisor =
      zinit_supervisor_new (&zinit_host_default, &daemon->host_context, daemon->paths->config_dir);
  zinit_supervisor_set_log_folder (daemon->supervisor, zinit_runtime_folder_get_fd (daemon->folder),
                                   daemon->paths->logs);
  zinit_supervisor_set_has_bus (daemon->supervisor, !daemon->options->no_bus);
  zinit_supervisor_add_observer (daemon->supervisor, &observer, daemon);
  daemon->lock = zinit_runtime_lock_new (daemon->loop, daemon->folder, ZINIT_LOCK_FILE, daemon->lock_fd,
                                         steal_fd (&daemon->inherited->lock_watch), &lock_events, daemon);
  daemon->bus = zinit_bus_new (daemon->supervisor, daemon->paths, daemon->folder, error);
  if (daemon->bus == NULL)
    return FALSE;
  return zinit_bus_listen (daemon->bus, steal_fd (&daemon->inherited->listener), error);
}

/* FALSE when the kernel does not tell now what an earlier daemon has left: nothing may be started then. */
static gboolean
read_life (Daemon *daemon, gboolean is_last_try, GError **error)
{
  /* One folder may be named in several ways, /var/run and /run. */
  g_autofree char *path = realpath (daemon->paths->runtime_dir, NULL);

  daemon->life = zinit_saved_life_load (daemon->folder, daemon->records, is_last_try, error);
  if (daemon->life == NULL)
    return FALSE;
  zinit_supervisor_set_instance (daemon->supervisor, daemon->life->instance,
                                 path != NULL ? path : daemon->paths->runtime_dir);
  daemon->restorer = zinit_restorer_new (daemon->supervisor, &zinit_host_default, &daemon->host_context,
                                         daemon->life, daemon->inherited, error);
  if (daemon->restorer != NULL)
    return TRUE;
  g_clear_pointer (&daemon->life, zinit_saved_life_free);
  return FALSE;
}

/* What is there first, then the observer: the autosave writes over the state that was restored. */
static void
restore (Daemon *daemon)
{
  g_autoptr (ZinitReloadResult) loaded = NULL;
  guint n_adopted;

  zinit_restorer_prepare (daemon->restorer);
  loaded = zinit_supervisor_load (daemon->supervisor);
  n_adopted = zinit_restorer_run (daemon->restorer, loaded->errors);

  if (n_adopted > 0)
    g_message ("adopted the processes of %u services that an earlier zinitd had started", n_adopted);
  if (zinit_restorer_is_done (daemon->restorer)) {
    g_clear_pointer (&daemon->restorer, zinit_restorer_free);
    g_clear_pointer (&daemon->life, zinit_saved_life_free);
  }
  g_clear_pointer (&daemon->inherited, zinit_inherited_free);
  g_message ("zinitd %s: %u services from %s, %u refused; private socket %s", ZINIT_VERSION,
             g_strv_length (loaded->added), daemon->paths->config_dir, loaded->errors->len,
             daemon->paths->socket);
  daemon->autosave = zinit_autosave_new (daemon->supervisor, &zinit_host_default, &daemon->host_context,
                                         daemon->paths, daemon->folder, daemon->records);
  daemon->handover =
      zinit_handover_new (daemon->supervisor, daemon->processes, daemon->autosave, daemon->lock,
                          daemon->paths, daemon->folder, daemon->program, daemon->argv);
  zinit_bus_set_handover (daemon->bus, daemon->handover, daemon->autosave, leave, daemon);
}

/* Without it a service manager would think that the start failed. */
static gboolean
tell_ready (gpointer unused)
{
  return zinit_notify ("READY=1") ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
begin (Daemon *daemon)
{
  restore (daemon);
  zinit_bus_own_name (daemon->bus);
  if (!daemon->signal_watch.is_active &&
      !zinit_loop_watch (daemon->loop, &daemon->signal_watch, daemon->signal_fd, EPOLLIN, ZINIT_URGENT,
                         on_signal))
    g_warning ("signals are not heard: %s", g_strerror (errno));
  if (!tell_ready (NULL))
    return;
  g_timeout_add (NOTIFY_MS, tell_ready, NULL);
}

static gboolean
try_to_begin (gpointer data)
{
  Daemon *daemon = data;
  g_autoptr (GError) error = NULL;

  gboolean is_last_try = ++daemon->n_tries >= MAX_TRIES;

  /* An error is no answer here either: a service whose file cannot be read now would not be started. */
  if (zinit_supervisor_read_ahead (daemon->supervisor, is_last_try, &error) &&
      read_life (daemon, is_last_try, &error)) {
    begin (daemon);
    return G_SOURCE_REMOVE;
  }
  if (daemon->n_tries == 1)
    g_warning (
        "nothing is started before it is known what is there, and what an earlier zinitd has left, which is "
        "tried again: %s",
        error->message);
  return G_SOURCE_CONTINUE;
}

static gboolean
try_to_begin_again (gpointer data)
{
  Daemon *daemon = data;
  gboolean result = try_to_begin (daemon);

  if (result == G_SOURCE_REMOVE)
    zinit_bus_pause (daemon->bus, FALSE);
  return result;
}

static gboolean
start_life (gpointer data)
{
  Daemon *daemon = data;

  if (try_to_begin (daemon) == G_SOURCE_CONTINUE)
    g_timeout_add (TRY_MS, try_to_begin_again, daemon);
  else
    zinit_bus_pause (daemon->bus, FALSE);
  return G_SOURCE_REMOVE;
}

/* The bus is greeted first: then the name is owned before the first service is started, and what happens then
 * can be seen. Nobody but its own user can be on the session's bus. */
static void
run (Daemon *daemon)
{
  const ZinitOptions *options = daemon->options;

  zinit_bus_pause (daemon->bus, TRUE);
  if (options->no_bus) {
    start_life (daemon);
  } else {
    g_autofree char *address = zinit_options_get_address (options);
    gboolean is_own = options->scope == ZINIT_SCOPE_SESSION && options->address == NULL;

    zinit_bus_connect (daemon->bus, address, is_own, start_life, daemon);
  }
  g_main_loop_run (daemon->main_loop);
}

static void
tear_down (Daemon *daemon)
{
  g_clear_pointer (&daemon->bus, zinit_bus_free);
  g_clear_pointer (&daemon->handover, zinit_handover_free);
  g_clear_pointer (&daemon->autosave, zinit_autosave_free);
  g_clear_pointer (&daemon->lock, zinit_runtime_lock_free);
  g_clear_pointer (&daemon->restorer, zinit_restorer_free);
  g_clear_pointer (&daemon->supervisor, zinit_supervisor_free);
  g_clear_pointer (&daemon->processes, zinit_processes_free);
  g_clear_pointer (&daemon->records, zinit_record_log_free);
  g_clear_pointer (&daemon->life, zinit_saved_life_free);
  if (daemon->loop != NULL)
    zinit_loop_unwatch (daemon->loop, &daemon->signal_watch);
  if (daemon->signal_fd >= 0)
    close (daemon->signal_fd);
  g_clear_pointer (&daemon->loop, zinit_loop_free);
  g_clear_pointer (&daemon->main_loop, g_main_loop_unref);
  g_clear_pointer (&daemon->inherited, zinit_inherited_free);
}

static int
supervise (const ZinitOptions *options, char **argv)
{
  guint64 file_limit = zinit_descriptor_limit_raise ();
  g_autoptr (ZinitPaths) paths =
      zinit_paths_new (options->scope, options->config_dir, options->runtime_dir, options->socket);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  Daemon daemon = { .options = options,
                    .paths = paths,
                    .program = program,
                    .argv = argv,
                    .lock_fd = -1,
                    .signal_fd = -1,
                    .file_limit = file_limit,
                    .folder = zinit_runtime_folder_new (paths->runtime_dir) };
  g_autoptr (GError) error = NULL;
  int code = EXIT_SUCCESS;

  daemon.inherited = zinit_inherited_take (daemon.folder);
  zinit_claim_descriptors ();
  daemon.main_loop = g_main_loop_new (NULL, FALSE);
  switch (zinit_runtime_lock_claim (daemon.folder, ZINIT_LOCK_FILE, steal_fd (&daemon.inherited->lock),
                                    &daemon.lock_fd, &error)) {
  case ZINIT_LOCK_BUSY:
    g_message ("another zinitd serves %s; nothing to do", paths->runtime_dir);
    break;
  case ZINIT_LOCK_TAKEN:
    if (set_up (&daemon, options, &error)) {
      run (&daemon);
      break;
    }
    G_GNUC_FALLTHROUGH;
  default:
    g_printerr ("zinitd: %s\n", error->message);
    code = EXIT_FAILURE;
  }
  tear_down (&daemon);
  zinit_runtime_folder_free (daemon.folder);
  if (daemon.lock_fd >= 0)
    close (daemon.lock_fd);
  return code;
}

static int
obey (const ZinitOptions *options, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (options->version) {
    g_print ("zinitd %s\n", ZINIT_VERSION);
    return EXIT_SUCCESS;
  }
  if (options->log_level != NULL && !zinit_log_level_set (options->log_level, &error)) {
    g_printerr ("zinitd: --log-level: %s\n", error->message);
    return EXIT_USAGE;
  }
  if (options->check_config != NULL)
    return zinit_check_config (options->check_config, options->json, stdout, stderr) ? EXIT_SUCCESS
                                                                                     : EXIT_FAILURE;
  if (options->check_state != NULL)
    return zinit_check_state_file (options->check_state, options->at, stdout, stderr);
  if (options->check_fds != NULL)
    return zinit_check_fds_file (options->check_fds, stdout, stderr);
  return supervise (options, argv);
}

int
main (int argc, char *argv[])
{
  /* Parsing takes words out of it. */
  g_auto (GStrv) all_argv = g_strdupv (argv);
  ZinitOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  int code;

  /* For the first number GLib makes its locale, under a lock. Waiting for it sets errno, which GLib takes for
   * an error of the number. */
  g_ascii_strtoull ("0", NULL, 10);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, ZINIT_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  /* One arena: there is one thread of ours, and GDBus's make little. */
  mallopt (M_ARENA_MAX, 1);
  /* Setting it keeps it: a large reply or state file is then mapped, and given back when it is freed. */
  mallopt (M_MMAP_THRESHOLD, 128 * 1024);
  zinit_log_writer_install ();

  if (zinit_options_parse (&options, &argc, &argv, &error)) {
    code = obey (&options, all_argv);
  } else {
    g_printerr ("zinitd: %s\n", error->message);
    code = EXIT_USAGE;
  }
  zinit_options_clear (&options);
  return code;
}
