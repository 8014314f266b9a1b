/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything of a spawn that happens in the daemon, before and after the child itself.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loop/reserve.h"
#include "model/error.h"
#include "model/ready.h"
#include "process/child.h"
#include "process/command.h"
#include "process/env-file.h"
#include "process/environment.h"
#include "process/procfs.h"
#include "zinit-config.h"

#if HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define STACK_BYTES (64 * 1024)
#define MAX_TAGS 8
#define WATCHDOG_PID "WATCHDOG_PID="
#define MAX_ANNOUNCEMENTS 4
#define MAX_VARIABLES 2
#define READY_SLOT ZINIT_N_STREAMS
#define PID_TAG "ZINIT_PID="

static const char *const step_words[] = { "none",          "pipe",         "user",         "group",
                                          "clone",         "session",      "stdio",        "groups",
                                          "chdir",         "exec",         "daemon",       "nice",
                                          "oom_score_adj", "no_new_privs", "capabilities", "limit" };

G_STATIC_ASSERT (G_N_ELEMENTS (step_words) == ZINIT_STEP_LIMIT + 1);

/* "STEP WHAT: errno's text" */
static gboolean
fail (GError **error, ZinitStep step, const char *what, int reason)
{
  if (reason == EMFILE && (step == ZINIT_STEP_PIPE || step == ZINIT_STEP_CLONE)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED,
                 "no descriptors left (limit %" G_GUINT64_FORMAT ")", zinit_descriptor_limit ());
    return FALSE;
  }
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED, "%s %s: %s",
               step_words[MIN (step, ZINIT_STEP_LIMIT)], what, g_strerror (reason));
  return FALSE;
}

static gboolean
fail_init (GError **error, const char *what)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "cannot prepare to start processes: %s: %s", what,
               g_strerror (errno));
  return FALSE;
}

static gboolean
init_slots (ZinitSpawner *spawner, GError **error)
{
  int fd;

  /* A standard descriptor that is closed would be given to a pipe and then overwritten in the child. */
  do
    fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd < 3);
  spawner->null_fd = fd;
  if (fd < 0)
    return fail_init (error, "/dev/null");
  for (guint i = 0; i < G_N_ELEMENTS (spawner->slots); i++) {
    spawner->slots[i] = fcntl (fd, F_DUPFD_CLOEXEC, 3);
    if (spawner->slots[i] < 0)
      return fail_init (error, "/dev/null");
  }
  return TRUE;
}

gboolean
zinit_spawner_init (ZinitSpawner *spawner, GError **error)
{
  gsize page = (gsize)sysconf (_SC_PAGESIZE);

  *spawner = (ZinitSpawner){
    .null_fd = -1, .slots = { -1, -1, -1 }, .lock_fd = -1, .is_isolated = RUNNING_ON_VALGRIND != 0
  };
  if (getrlimit (RLIMIT_NOFILE, &spawner->files) != 0)
    return fail_init (error, "RLIMIT_NOFILE");
  spawner->environment = zinit_environment_inherit (environ);
  spawner->clean_environment = zinit_environment_inherit_clean (environ, TRUE);
  spawner->foreign_environment = zinit_environment_inherit_clean (environ, FALSE);
  spawner->stack =
      mmap (NULL, STACK_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (spawner->stack == MAP_FAILED) {
    spawner->stack = NULL;
    return fail_init (error, "stack");
  }
  if (mprotect (spawner->stack, page, PROT_NONE) != 0)
    return fail_init (error, "stack");
  zinit_descriptor_limit_raise ();
  return init_slots (spawner, error);
}

void
zinit_spawner_clear (ZinitSpawner *spawner)
{
  struct rlimit current;

  if (getrlimit (RLIMIT_NOFILE, &current) == 0) {
    current.rlim_cur = spawner->files.rlim_cur;
    setrlimit (RLIMIT_NOFILE, &current);
  }
  for (guint i = 0; i < G_N_ELEMENTS (spawner->slots); i++)
    if (spawner->slots[i] >= 0)
      close (spawner->slots[i]);
  if (spawner->null_fd >= 0)
    close (spawner->null_fd);
  if (spawner->stack != NULL)
    munmap (spawner->stack, STACK_BYTES + (gsize)sysconf (_SC_PAGESIZE));
  g_free (spawner->environment);
  g_free (spawner->clean_environment);
  g_free (spawner->foreign_environment);
}

/* Signals that do not have their default disposition are found out once, before the first spawn. Those that a
 * daemon like this one may change later are reset in any case. */
static void
find_resets (ZinitSpawner *spawner)
{
  static const int always[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD, SIGWINCH };
  struct sigaction action;

  spawner->knows_resets = TRUE;
  sigemptyset (&spawner->resets);
  for (int signo = 1; signo < NSIG; signo++)
    if (sigaction (signo, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
      sigaddset (&spawner->resets, signo);
  for (guint i = 0; i < G_N_ELEMENTS (always); i++)
    sigaddset (&spawner->resets, always[i]);
}

/* Makes a pipe; the service's end goes into the slot. That end is opened anew, for
 * reading and writing: it never breaks when the daemon goes away, and it does not share the daemon's
 * O_NONBLOCK. The pipe belongs to the user of the service, who may then open it again by name, as
 * /dev/stderr. Returns the daemon's end, or -1 with errno set. */
static int
open_pipe (ZinitSpawner *spawner, guint slot, const ZinitCredentials *identity)
{
  int fds[2];
  int end, reason;

  if (pipe2 (fds, O_CLOEXEC | O_NONBLOCK) != 0)
    return -1;
  end = zinit_proc_reopen (fds[0], O_RDWR);
  if (end >= 0 && identity->sets_uid && fchown (end, identity->uid, (gid_t)-1) != 0)
    g_info ("a pipe cannot be given to user %u: %s", (guint)identity->uid, g_strerror (errno));
  if (end >= 0 && dup3 (end, spawner->slots[slot], O_CLOEXEC) >= 0) {
    close (end);
    close (fds[1]);
    return fds[0];
  }
  reason = errno;
  if (end >= 0)
    close (end);
  close (fds[0]);
  close (fds[1]);
  errno = reason;
  return -1;
}

/* From here on only the service holds its ends, so that their end of file means that it has let go. */
static void
release_slots (ZinitSpawner *spawner)
{
  for (guint i = 0; i < G_N_ELEMENTS (spawner->slots); i++)
    dup3 (spawner->null_fd, spawner->slots[i], O_CLOEXEC);
}

static gboolean
open_pipes (ZinitSpawner *spawner, const ZinitSpawnRequest *request, const ZinitChildPlan *plan,
            ZinitSpawned *spawned, GError **error)
{
  /* A slot that gets no pipe is /dev/null. */
  for (ZinitStream stream = request->is_mute ? ZINIT_STREAM_STDERR : ZINIT_STREAM_STDOUT;
       stream < ZINIT_N_STREAMS; stream++) {
    spawned->outputs[stream] = open_pipe (spawner, stream, plan->identity);
    if (spawned->outputs[stream] < 0)
      return fail (error, ZINIT_STEP_PIPE, zinit_stream_words[stream], errno);
  }
  if (plan->ready_fd < 0)
    return TRUE;
  spawned->ready_fd = open_pipe (spawner, READY_SLOT, plan->identity);
  return spawned->ready_fd >= 0 || fail (error, ZINIT_STEP_PIPE, "of its readiness", errno);
}

/* What the step was about, for people. Transfer full. */
static char *
describe_step (ZinitStep step, const ZinitDefinition *definition, const ZinitChildPlan *plan)
{
  guint resource = step - ZINIT_STEP_LIMIT;

  if (step >= ZINIT_STEP_LIMIT)
    return g_strdup_printf ("%s %s", zinit_resource_words[resource],
                            definition->limits[resource] != NULL ? definition->limits[resource]
                                                                 : "of the daemon");
  switch (step) {
  case ZINIT_STEP_GROUPS:
    if (definition->groups != NULL)
      return g_strjoinv (", ", definition->groups);
    return g_strdup (definition->user);
  case ZINIT_STEP_USER:
    return g_strdup (definition->user);
  case ZINIT_STEP_GROUP:
    return g_strdup (definition->group != NULL ? definition->group : definition->user);
  case ZINIT_STEP_CHDIR:
    return g_strdup (definition->dir);
  case ZINIT_STEP_CAPABILITIES:
    return g_strjoinv (", ", definition->capabilities);
  case ZINIT_STEP_NICE:
    return g_strdup_printf ("%d", plan->attributes->nice);
  case ZINIT_STEP_OOM_SCORE_ADJ:
    return g_strdup (plan->attributes->oom_score_adj);
  default:
    return g_strdup (plan->path);
  }
}

static gboolean
launch (ZinitSpawner *spawner, const ZinitSpawnRequest *request, const ZinitChildPlan *plan,
        ZinitSpawned *spawned, GError **error)
{
  g_autofree char *subject = NULL;
  ZinitStepFailure failure;
  gboolean has_pipes;

  if (!request->uses_reserve)
    zinit_reserve_lock (0);
  has_pipes = open_pipes (spawner, request, plan, spawned, error);
  if (has_pipes)
    spawned->pid = zinit_child_launch (plan, &spawned->pidfd, &failure);
  release_slots (spawner);
  zinit_reserve_unlock ();
  if (has_pipes && spawned->pid > 0)
    return TRUE;
  for (guint i = 0; i < ZINIT_N_STREAMS; i++)
    if (spawned->outputs[i] >= 0)
      close (spawned->outputs[i]);
  if (spawned->ready_fd >= 0)
    close (spawned->ready_fd);
  if (!has_pipes)
    return FALSE;
  subject = describe_step (failure.step, request->definition, plan);
  return fail (error, failure.step, subject, failure.reason);
}

guint64
zinit_spawner_now_ticks (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return zinit_child_ticks_at (&now, (guint64)sysconf (_SC_CLK_TCK));
}

/* The words to run @path with by /bin/sh. */
static const char **
make_shell_argv (const char *path, char **argv)
{
  GPtrArray *words = g_ptr_array_new ();

  g_ptr_array_add (words, (gpointer) "/bin/sh");
  g_ptr_array_add (words, (gpointer)path);
  for (guint i = 1; argv[i] != NULL; i++)
    g_ptr_array_add (words, argv[i]);
  g_ptr_array_add (words, NULL);
  return (const char **)(void *)g_ptr_array_free (words, FALSE);
}

/* The layers of rule H1; @variables are those of env_file and env. A shell would set PWD to where it runs. */
static const char **
make_environment (ZinitSpawner *spawner, const ZinitSpawnRequest *request, const ZinitCredentials *identity,
                  const char *const *variables, const char *const *announcements, const char *pid_variable,
                  char **pwd)
{
  const char **base = identity->sets_uid                 ? spawner->foreign_environment
                      : request->definition->inherit_env ? spawner->environment
                                                         : spawner->clean_environment;
  const char *user[G_N_ELEMENTS (identity->environment) + 1];
  const char *tags[MAX_TAGS + MAX_VARIABLES + MAX_ANNOUNCEMENTS + 2] = { NULL };
  guint n = 0;

  for (; n < MAX_TAGS && request->tags != NULL && request->tags[n] != NULL; n++)
    tags[n] = request->tags[n];
  if (n > 0)
    tags[n++] = pid_variable;
  for (guint i = 0; i < MAX_VARIABLES && request->variables != NULL && request->variables[i] != NULL; i++)
    tags[n++] = request->variables[i];
  for (; *announcements != NULL; announcements++)
    tags[n++] = *announcements;
  n = 0;

  for (; identity->environment[n] != NULL; n++)
    user[n] = identity->environment[n];
  if (request->definition->dir != NULL && g_path_is_absolute (request->definition->dir)) {
    *pwd = g_strconcat ("PWD=", request->definition->dir, NULL);
    user[n++] = *pwd;
  }
  user[n] = NULL;
  return zinit_environment_merge (base, user, variables, tags);
}

/* The low descriptors that a child keeps until exec; it has a copy of all up to the highest of them. */
static unsigned int
find_first_other (const ZinitSpawner *spawner, const ZinitSpawnRequest *request)
{
  const int kept[] = { spawner->null_fd,
                       spawner->slots[ZINIT_STREAM_STDOUT],
                       spawner->slots[ZINIT_STREAM_STDERR],
                       spawner->slots[READY_SLOT],
                       spawner->lock_fd,
                       request->record != NULL ? request->record->fd : -1 };
  int highest = 2;

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    highest = MAX (highest, kept[i]);
  return (unsigned int)highest + 1;
}

/* The variables that tell a service how to say what it has to say of itself, NULL-terminated (transfer full).
 * @ret_ready_fd is the number of its readiness descriptor, -1 = it has none. */
static char **
make_announcements (const ZinitDefinition *definition, const char *notify_path, int *ret_ready_fd)
{
  char **variables = g_new0 (char *, MAX_ANNOUNCEMENTS + 1);
  ZinitReady ready;
  guint n = 0;

  *ret_ready_fd = -1;
  if (notify_path != NULL)
    variables[n++] = g_strconcat ("NOTIFY_SOCKET=", notify_path, NULL);
  if (notify_path != NULL && definition->watchdog_ms != 0) {
    variables[n++] = g_strdup (WATCHDOG_PID "00000000000");
    variables[n++] = g_strdup_printf ("WATCHDOG_USEC=%" G_GUINT64_FORMAT, definition->watchdog_ms * 1000);
  }
  if (definition->oneshot || !zinit_ready_parse (definition->ready, &ready, NULL) ||
      ready.kind != ZINIT_READY_FD)
    return variables;
  *ret_ready_fd = ready.fd;
  if (ready.variable != NULL)
    variables[n++] = g_strdup_printf ("%s=%d", ready.variable, ready.fd);
  return variables;
}

/* @ret_variables is env with what its files say (transfer full); NULL = it has no files. */
static gboolean
read_env (const ZinitDefinition *definition, GPtrArray **ret_variables, GError **error)
{
  if (definition->env_file == NULL)
    return TRUE;
  *ret_variables = zinit_env_files_read ((const char *const *)definition->env_file,
                                         (const char *const *)definition->env, error);
  return *ret_variables != NULL;
}

/* Where the child writes its own number. */
static char *
find_watchdog_pid (char **announcements)
{
  for (; *announcements != NULL; announcements++)
    if (g_str_has_prefix (*announcements, WATCHDOG_PID))
      return *announcements + strlen (WATCHDOG_PID);
  return NULL;
}

static gboolean
resolve_identity (const ZinitDefinition *definition, ZinitCredentials *identity, GError **error)
{
  return zinit_credentials_resolve (definition->user, definition->group, identity, error) &&
         (definition->groups == NULL ||
          zinit_credentials_add_groups (identity, (const char *const *)definition->groups, error));
}

gboolean
zinit_spawner_spawn (ZinitSpawner *spawner, const ZinitSpawnRequest *request, const char *notify_path,
                     ZinitSpawned *ret_spawned, GError **error)
{
  const ZinitDefinition *definition = request->definition;
  g_auto (GStrv) argv =
      definition->argv != NULL ? g_strdupv (definition->argv) : zinit_command_to_argv (definition->exec);
  g_auto (ZinitCredentials) identity = { 0 };
  g_autofree char *pwd = NULL;
  int ready_fd;
  g_auto (GStrv) announcements = make_announcements (definition, notify_path, &ready_fd);
  g_autoptr (GPtrArray) read_variables = NULL;
  g_autofree const char **environment = NULL;
  g_autofree const char **shell_argv = NULL;
  g_autofree char *path = NULL;
  ZinitAttributes attributes;
  ZinitCapabilities capabilities;
  char pid_variable[sizeof PID_TAG + ZINIT_PID_DIGITS] = PID_TAG;

  *ret_spawned = (ZinitSpawned){ .pidfd = -1, .outputs = { -1, -1 }, .ready_fd = -1 };
  if (!resolve_identity (definition, &identity, error))
    return FALSE;
  ret_spawned->uid = identity.sets_uid ? identity.uid : geteuid ();
  if (!read_env (definition, &read_variables, error))
    return FALSE;
  environment = make_environment (spawner, request, &identity,
                                  read_variables != NULL ? (const char *const *)read_variables->pdata
                                                         : (const char *const *)definition->env,
                                  (const char *const *)announcements, pid_variable, &pwd);
  path = zinit_command_find (argv[0], zinit_environment_get (environment, "PATH"), definition->dir);
  if (path == NULL)
    return fail (error, ZINIT_STEP_EXEC, argv[0], errno);
  shell_argv = make_shell_argv (path, argv);
  if (!spawner->knows_resets)
    find_resets (spawner);
  zinit_attributes_read (definition, &spawner->files, &attributes);
  zinit_capabilities_read (definition, identity.sets_uid, &capabilities);
  ZinitChildPlan plan = {
    .path = path,
    .argv = (const char *const *)argv,
    .shell_argv = shell_argv,
    .environment = environment,
    .dir = definition->dir,
    .identity = &identity,
    .attributes = &attributes,
    .capabilities = &capabilities,
    .resets = spawner->resets,
    .stdio = { spawner->null_fd, spawner->slots[ZINIT_STREAM_STDOUT], spawner->slots[ZINIT_STREAM_STDERR] },
    .first_other = find_first_other (spawner, request),
    .ready_slot = spawner->slots[READY_SLOT],
    .ready_fd = ready_fd,
    .lock_fd = spawner->lock_fd,
    .stack = spawner->stack + STACK_BYTES + sysconf (_SC_PAGESIZE),
    .is_isolated = spawner->is_isolated || identity.sets_uid,
    .daemon_pid = getpid (),
    .record = request->record,
    .pid_variable = request->tags != NULL ? pid_variable + strlen (PID_TAG) : NULL,
    .watchdog_pid = find_watchdog_pid (announcements),
    .before_ticks = zinit_spawner_now_ticks (),
    .ticks_per_second = (guint64)sysconf (_SC_CLK_TCK),
  };
  return launch (spawner, request, &plan, ret_spawned, error);
}
