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
#include "config/check.h"
#include "handover/handover.h"
#include "handover/hold.h"
#include "handover/restore.h"
#include "log-writer.h"
#include "loop/reserve.h"
#include "model/log-level.h"
#include "notify.h"
#include "options.h"
#include "persist/check.h"
#include "persist/lock.h"
#include "supervisor/supervisor.h"
#include "zinit-config.h"

#define EXIT_USAGE 2
#define LOCK_RETRY_USEC G_USEC_PER_SEC
/* What the main loop and the watches of this file and of handover/ take, without services and clients. */
#define ESSENTIAL_DESCRIPTORS 16

typedef struct {
  ZinitPaths *paths;
  char *program; /* the file that runs, to be executed anew */
  char **argv;
  int lock_fd;
  guint64 file_limit; /* the soft RLIMIT_NOFILE that it was started with */
  ZinitLoop *loop;
  ZinitProcesses *processes;
  ZinitHostContext host_context;
  ZinitSupervisor *supervisor;
  ZinitHold *hold;
  ZinitKeeper *keeper;
  ZinitHandover *handover;
  ZinitInherited *inherited;
  ZinitBus *bus;
  GMainLoop *main_loop;
  ZinitWatch signal_watch;
  int signal_fd;
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

static gboolean
leave (gpointer data)
{
  Daemon *daemon = data;

  zinit_handover_leave (daemon->handover);
  return quit (daemon);
}

static void
on_shutdown_begun (gpointer data)
{
  g_message ("shutting down");
  zinit_notify ("STOPPING=1");
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

  zinit_keeper_save_soon (daemon->keeper);
  zinit_supervisor_renew_logs (daemon->supervisor);
  zinit_bus_listen_again (daemon->bus);
}

static void
on_folder_lost (gpointer data)
{
  quit (data);
}

static const ZinitHoldEvents hold_events = { .made = on_folder_made, .lost = on_folder_lost };

static void
reload (Daemon *daemon)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitReloadResult) result = NULL;

  result = zinit_supervisor_reload (daemon->supervisor, &error);
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
take_fd (int *fd)
{
  int taken = *fd;

  *fd = -1;
  return taken;
}

static gboolean
set_up (Daemon *daemon, const ZinitOptions *options, GError **error)
{
  g_autofree char *instance = NULL;

  daemon->loop = zinit_loop_new (NULL, error);
  if (daemon->loop == NULL || !watch_signals (daemon, error))
    return FALSE;
  daemon->processes = zinit_processes_new (daemon->loop, error);
  if (daemon->processes == NULL)
    return FALSE;
  zinit_processes_set_file_limit (daemon->processes, daemon->inherited->file_limit != 0
                                                         ? daemon->inherited->file_limit
                                                         : daemon->file_limit);
  daemon->host_context = (ZinitHostContext){ daemon->loop, daemon->processes };
  /* One folder may be named in several ways, /var/run and /run. */
  instance = realpath (daemon->paths->runtime_dir, NULL);
  daemon->supervisor =
      zinit_supervisor_new (&zinit_host_default, &daemon->host_context, daemon->paths->config_dir,
                            instance != NULL ? instance : daemon->paths->runtime_dir);
  zinit_supervisor_set_log_folder (daemon->supervisor, daemon->paths->logs);
  zinit_supervisor_add_observer (daemon->supervisor, &observer, daemon);
  daemon->hold = zinit_hold_new (daemon->loop, daemon->paths->lock, daemon->lock_fd,
                                 take_fd (&daemon->inherited->lock_watch), &hold_events, daemon);
  daemon->bus = zinit_bus_new (daemon->supervisor, daemon->paths, error);
  if (daemon->bus == NULL)
    return FALSE;
  return zinit_bus_listen (daemon->bus, take_fd (&daemon->inherited->listener), error);
}

/* What is there first, then who watches it: the keeper writes over the state that was taken up. */
static void
take_up (Daemon *daemon)
{
  g_autoptr (ZinitReloadResult) loaded = zinit_supervisor_load (daemon->supervisor);
  guint n_adopted = zinit_restore (daemon->supervisor, daemon->paths, daemon->inherited, loaded->errors);

  if (n_adopted > 0)
    g_message ("took up %u services that an earlier zinitd had started", n_adopted);
  g_message ("zinitd %s: %u services from %s, %u refused; private socket %s", ZINIT_VERSION,
             g_strv_length (loaded->added), daemon->paths->config_dir, loaded->errors->len,
             daemon->paths->socket);
  daemon->keeper =
      zinit_keeper_new (daemon->supervisor, &zinit_host_default, &daemon->host_context, daemon->paths);
  daemon->handover = zinit_handover_new (daemon->supervisor, daemon->processes, daemon->keeper, daemon->hold,
                                         daemon->paths, daemon->program, daemon->argv);
  zinit_bus_set_handover (daemon->bus, daemon->handover, leave, daemon);
}

static void
run (Daemon *daemon, const ZinitOptions *options)
{
  take_up (daemon);
  g_clear_pointer (&daemon->inherited, zinit_inherited_free);
  if (!options->no_bus) {
    g_autofree char *address = zinit_options_get_address (options);

    zinit_bus_connect (daemon->bus, address);
  }
  zinit_notify ("READY=1");
  g_main_loop_run (daemon->main_loop);
}

static void
tear_down (Daemon *daemon)
{
  g_clear_pointer (&daemon->bus, zinit_bus_free);
  g_clear_pointer (&daemon->handover, zinit_handover_free);
  g_clear_pointer (&daemon->keeper, zinit_keeper_free);
  g_clear_pointer (&daemon->hold, zinit_hold_free);
  g_clear_pointer (&daemon->supervisor, zinit_supervisor_free);
  g_clear_pointer (&daemon->processes, zinit_processes_free);
  if (daemon->loop != NULL)
    zinit_loop_unwatch (daemon->loop, &daemon->signal_watch);
  if (daemon->signal_fd >= 0)
    close (daemon->signal_fd);
  g_clear_pointer (&daemon->loop, zinit_loop_free);
  g_clear_pointer (&daemon->main_loop, g_main_loop_unref);
  g_clear_pointer (&daemon->inherited, zinit_inherited_free);
}

/* A folder that has no lock and takes none has no state of an earlier daemon either; that one may live,
 * though, as when the folder was put over its own. To supervise there without a lock might be to do so twice,
 * so it is waited for; services lose less by that than by an end, after which a service manager soon gives
 * up. */
static ZinitLockResult
wait_for_lock (Daemon *daemon, GError **error)
{
  ZinitLockResult result = zinit_lock_take (daemon->paths->lock, &daemon->lock_fd, error);

  if (result == ZINIT_LOCK_UNWRITABLE)
    g_warning ("nothing is supervised before the run-time folder is locked, which is tried again: %s",
               (*error)->message);
  while (result == ZINIT_LOCK_UNWRITABLE) {
    g_clear_error (error);
    g_usleep (LOCK_RETRY_USEC);
    result = zinit_lock_take (daemon->paths->lock, &daemon->lock_fd, error);
  }
  return result;
}

/* The lock outlives an execution; otherwise it is to be had from nobody. */
static ZinitLockResult
lock (Daemon *daemon, GError **error)
{
  if (daemon->inherited->lock < 0)
    return wait_for_lock (daemon, error);
  daemon->lock_fd = take_fd (&daemon->inherited->lock);
  return ZINIT_LOCK_TAKEN;
}

/* GLib ends the process when it gets none for the main loop. The machine may have run out of them for a
 * moment. */
static void
wait_for_descriptors (void)
{
  gboolean has_warned = FALSE;

  while (!zinit_descriptors_are_left (ESSENTIAL_DESCRIPTORS)) {
    if (!has_warned)
      g_warning ("nothing is supervised before there are %d free descriptors (limit %" G_GUINT64_FORMAT
                 "): %s; it is tried again",
                 ESSENTIAL_DESCRIPTORS, zinit_descriptor_limit (), g_strerror (errno));
    has_warned = TRUE;
    g_usleep (LOCK_RETRY_USEC);
  }
}

static int
supervise (const ZinitOptions *options, char **argv)
{
  guint64 file_limit = zinit_descriptor_limit_raise ();
  g_autoptr (ZinitPaths) paths =
      zinit_paths_new (options->scope, options->config_dir, options->runtime_dir, options->socket);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  Daemon daemon = { .paths = paths,
                    .program = program,
                    .argv = argv,
                    .lock_fd = -1,
                    .signal_fd = -1,
                    .file_limit = file_limit,
                    .inherited = zinit_inherited_take (paths->fds) };
  g_autoptr (GError) error = NULL;
  int code = EXIT_SUCCESS;

  wait_for_descriptors ();
  daemon.main_loop = g_main_loop_new (NULL, FALSE);
  switch (lock (&daemon, &error)) {
  case ZINIT_LOCK_BUSY:
    g_message ("another zinitd serves %s; nothing to do", paths->runtime_dir);
    break;
  case ZINIT_LOCK_TAKEN:
    if (set_up (&daemon, options, &error)) {
      run (&daemon, options);
      break;
    }
    G_GNUC_FALLTHROUGH;
  default:
    g_printerr ("zinitd: %s\n", error->message);
    code = EXIT_FAILURE;
  }
  tear_down (&daemon);
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
