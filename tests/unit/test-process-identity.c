/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a saved number is taken for. The test has no child, so it asks about its parent, which is a process
 * like any other: there, not ours, and of a known name.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handover/process-identity.h"

/* The executable's path of the parent. */
static char *
read_parent_exe (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/exe", (int)getppid ());
  g_autoptr (GError) error = NULL;
  char *target = g_file_read_link (path, &error);

  g_assert_no_error (error);
  return target;
}

static gboolean
is_proven (guint32 pid, guint64 ticks, const char *exec)
{
  int fd;
  ZinitIdentity proof = zinit_identity_open (pid, ticks, exec, &fd);

  g_assert_cmpint (proof, !=, ZINIT_IDENTITY_UNKNOWN);
  if (proof == ZINIT_IDENTITY_DEAD) {
    g_assert_cmpint (fd, ==, -1);
    return FALSE;
  }
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  close (fd);
  return TRUE;
}

#define assert_proven(pid, ticks, exec) g_assert_true (is_proven (pid, ticks, exec))
#define assert_refused(pid, ticks, exec) g_assert_false (is_proven (pid, ticks, exec))

static void
test_start_ticks (void)
{
  guint64 own = zinit_identity_read_start_ticks (getpid ());
  g_autofree char *uptime = NULL;
  double now_s;

  /* Not later than now, and not long ago: the test has only just begun. */
  g_assert_true (g_file_get_contents ("/proc/uptime", &uptime, NULL, NULL));
  now_s = g_ascii_strtod (uptime, NULL);
  g_assert_cmpfloat ((double)own / (double)sysconf (_SC_CLK_TCK), <=, now_s + 0.1);
  g_assert_cmpfloat ((double)own / (double)sysconf (_SC_CLK_TCK), >, now_s - 600);
  g_assert_cmpuint (zinit_identity_read_start_ticks (getppid ()), <=, own);
  g_assert_cmpuint (zinit_identity_read_start_ticks (1), >, 0);
  g_assert_cmpuint (zinit_identity_read_start_ticks (1), <, own);
  g_assert_cmpuint (zinit_identity_read_start_ticks (0), ==, 0);
  g_assert_cmpuint (zinit_identity_read_start_ticks (G_MAXINT32), ==, 0);
}

/* A process may call itself anything; the fields are counted from the last bracket. */
static void
test_start_ticks_of_odd_names (void)
{
  static const char *const names[] = { "a b c", ") 1 2 3 4", "((", "x) S 1 (y", "\n" };
  guint64 before = zinit_identity_read_start_ticks (getpid ());
  char own[32] = "";
  int fd = open ("/proc/self/comm", O_RDWR | O_CLOEXEC);

  g_assert_cmpint (read (fd, own, sizeof own - 1), >, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_assert_cmpint (write (fd, names[i], strlen (names[i])), ==, strlen (names[i]));
    g_assert_cmpuint (zinit_identity_read_start_ticks (getpid ()), ==, before);
  }
  g_assert_cmpint (write (fd, own, strcspn (own, "\n")), >, 0);
  close (fd);
}

static void
test_boot_id (void)
{
  g_autofree char *id = zinit_identity_read_boot_id ();
  g_autofree char *again = zinit_identity_read_boot_id ();

  g_assert_nonnull (id);
  g_assert_cmpuint (strlen (id), ==, 36);
  g_assert_cmpuint (strspn (id, "0123456789abcdef-"), ==, 36);
  g_assert_cmpstr (id, ==, again);
}

/* Known start ticks decide alone, whatever the process calls itself now. */
static void
test_ticks_decide (void)
{
  guint32 parent = (guint32)getppid ();
  guint64 ticks = zinit_identity_read_start_ticks (getppid ());
  g_autofree char *exe = read_parent_exe ();

  assert_proven (parent, ticks, exe);
  assert_proven (parent, ticks, "/opt/something/else");
  assert_proven (parent, ticks, "");
  assert_proven (parent, ticks, NULL);
  assert_refused (parent, ticks - 1, exe);
  assert_refused (parent, ticks + 1, exe);
  assert_refused (parent, G_MAXUINT64, exe);
}

static int
open_parent (void)
{
  int fd;

  g_assert_cmpint (
      zinit_identity_open ((guint32)getppid (), zinit_identity_read_start_ticks (getppid ()), NULL, &fd), ==,
      ZINIT_IDENTITY_ALIVE);
  return fd;
}

/* An error is no answer: with no descriptor left nobody is dead. */
static void
test_unknown (void)
{
  guint64 ticks = zinit_identity_read_start_ticks (getppid ());
  struct rlimit before, none = { 0, 0 };
  int fd;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  none.rlim_max = before.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_cmpint (zinit_identity_open ((guint32)getppid (), ticks, NULL, &fd), ==, ZINIT_IDENTITY_UNKNOWN);
  g_assert_cmpint (errno, ==, EMFILE);
  g_assert_cmpint (fd, ==, -1);
  /* One descriptor is enough for the pidfd, and not for /proc. */
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  none.rlim_cur = (rlim_t)dup (0) + 1;
  close ((int)none.rlim_cur - 1);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_cmpint (zinit_identity_open ((guint32)getppid (), ticks, NULL, &fd), ==, ZINIT_IDENTITY_UNKNOWN);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_cmpint (zinit_identity_open ((guint32)getppid (), ticks, NULL, &fd), ==, ZINIT_IDENTITY_ALIVE);
  close (fd);
}

/* The pidfd is of the process that was asked for. */
static void
test_pidfd (void)
{
  int fd = open_parent ();
  g_autofree char *path = g_strdup_printf ("/proc/self/fdinfo/%d", fd);
  g_autofree char *wanted = g_strdup_printf ("\nPid:\t%d\n", (int)getppid ());
  g_autofree char *info = NULL;
  struct pollfd poll_fd = { fd, POLLIN, 0 };

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_file_get_contents (path, &info, NULL, NULL));
  g_assert_nonnull (strstr (info, wanted));
  g_assert_cmpint (poll (&poll_fd, 1, 0), ==, 0);
  close (fd);
}

/* Numbers that are no process's, or whose signalling would reach others. */
static void
test_numbers (void)
{
  guint64 ticks = zinit_identity_read_start_ticks (1);
  g_autofree char *text = NULL;
  guint32 pid_max;

  g_assert_true (g_file_get_contents ("/proc/sys/kernel/pid_max", &text, NULL, NULL));
  pid_max = (guint32)g_ascii_strtoull (text, NULL, 10);
  assert_refused (0, 0, "/");
  assert_refused (0, ticks, "/");
  assert_refused (1, ticks, "/");
  assert_refused (1, 0, "/");
  assert_refused ((guint32)getpid (), zinit_identity_read_start_ticks (getpid ()), "/");
  assert_refused (pid_max + 1, 0, "/");
  assert_refused (G_MAXINT32, 0, "/");
  assert_refused ((guint32)G_MAXINT32 + 1, 0, "/");
  /* As a pid_t: all processes, and our parent's group. */
  assert_refused (G_MAXUINT32, 0, "/");
  assert_refused ((guint32)-getppid (), zinit_identity_read_start_ticks (getppid ()), "/");
}

typedef struct {
  GAsyncQueue *to_test;
  GAsyncQueue *to_thread;
} Queues;

static gpointer
tell_tid (gpointer data)
{
  const Queues *queues = data;

  g_async_queue_push (queues->to_test, GINT_TO_POINTER ((int)syscall (SYS_gettid)));
  g_async_queue_pop (queues->to_thread);
  return NULL;
}

static void
test_thread (void)
{
  Queues queues = { g_async_queue_new (), g_async_queue_new () };
  GThread *thread = g_thread_new ("other", tell_tid, &queues);
  guint32 tid = GPOINTER_TO_UINT (g_async_queue_pop (queues.to_test));
  guint64 ticks = zinit_identity_read_start_ticks ((pid_t)tid);

  g_assert_cmpuint (tid, !=, (guint32)getpid ());
  g_assert_cmpuint (ticks, >, 0);
  assert_refused (tid, ticks, "/");
  assert_refused (tid, 0, "/");
  g_async_queue_push (queues.to_thread, GINT_TO_POINTER (1));
  g_thread_join (thread);
  g_async_queue_unref (queues.to_test);
  g_async_queue_unref (queues.to_thread);
}

/* Without ticks: the first word and the executable's path contain one another. */
static void
test_words (void)
{
  guint32 parent = (guint32)getppid ();
  g_autofree char *exe = read_parent_exe ();
  g_autofree char *base = g_path_get_basename (exe);
  g_autofree char *part = g_strndup (base, strlen (base) - 1);
  g_autofree char *with_arguments = g_strconcat ("  ", exe, "\t-x 'y z'", NULL);
  g_autofree char *longer = g_strconcat (exe, ".old --all", NULL);
  g_autofree char *quoted = g_strconcat ("\"", exe, "\" 9", NULL);
  g_autofree char *wide = g_strconcat ("\342\200\203", exe, "\342\200\203zzz", NULL);

  assert_proven (parent, 0, exe);
  assert_proven (parent, 0, base);
  assert_proven (parent, 0, part);
  assert_proven (parent, 0, with_arguments);
  assert_proven (parent, 0, longer);
  assert_proven (parent, 0, quoted);
  assert_proven (parent, 0, wide);
  assert_refused (parent, 0, "/no/such/program-of-anybody");
  assert_refused (parent, 0, "/no/such/program-of-anybody and more");
}

/* What would match anything matches nothing. */
static void
test_empty_exec (void)
{
  static const char *const execs[] = { NULL, "", " ", " \t\n ", "\342\200\203", "\377\376" };

  for (gsize i = 0; i < G_N_ELEMENTS (execs); i++)
    assert_refused ((guint32)getppid (), 0, execs[i]);
}

/* The first argument may name it, and the two behind it if they are a script: not any text further on. */
static void
test_arguments (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int)getppid ());
  g_autofree char *exe = read_parent_exe ();
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  for (char *at = text; at < text + length; at += strlen (at) + 1)
    g_ptr_array_add (arguments, at);
  g_assert_cmpuint (arguments->len, >, 0);
  for (guint n = 0; n < arguments->len; n++) {
    const char *argument = arguments->pdata[n];
    gboolean may_be_script = FALSE;

    if (*argument == '\0' || strpbrk (argument, " \t\n") != NULL)
      continue;
    for (guint i = 1; i < MIN (arguments->len, 3); i++)
      may_be_script = may_be_script || strstr (arguments->pdata[i], argument) != NULL;
    if (strstr (exe, argument) != NULL || strstr (argument, exe) != NULL || strstr (text, argument) != NULL)
      assert_proven ((guint32)getppid (), 0, argument);
    else if (!may_be_script)
      assert_refused ((guint32)getppid (), 0, argument);
  }
}

/* That we may not signal it does not make it dead. */
static void
test_no_right_to_signal (void)
{
  guint32 parent = (guint32)getppid ();
  guint64 ticks = zinit_identity_read_start_ticks (getppid ());
  gboolean is_proved, is_mistaken;

  if (geteuid () != 0) {
    /* Somebody else's process; nobody else has to be there, but number 2 is the kernel's if it is. */
    g_assert_true (zinit_identity_read_start_ticks (2) == 0 ||
                   is_proven (2, zinit_identity_read_start_ticks (2), NULL));
    return;
  }
  g_assert_cmpint (syscall (SYS_setresuid, 65534, 65534, 0), ==, 0);
  is_proved = is_proven (parent, ticks, NULL);
  is_mistaken = is_proven (parent, ticks + 1, NULL);
  g_assert_cmpint (syscall (SYS_setresuid, 0, 0, 0), ==, 0);
  g_assert_true (is_proved);
  g_assert_false (is_mistaken);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process-identity/start-ticks", test_start_ticks);
  g_test_add_func ("/process-identity/start-ticks-of-odd-names", test_start_ticks_of_odd_names);
  g_test_add_func ("/process-identity/boot-id", test_boot_id);
  g_test_add_func ("/process-identity/ticks-decide", test_ticks_decide);
  g_test_add_func ("/rules/G3/an-error-is-no-answer", test_unknown);
  g_test_add_func ("/process-identity/pidfd", test_pidfd);
  g_test_add_func ("/process-identity/numbers", test_numbers);
  g_test_add_func ("/process-identity/thread", test_thread);
  g_test_add_func ("/process-identity/words", test_words);
  g_test_add_func ("/process-identity/empty-exec", test_empty_exec);
  g_test_add_func ("/process-identity/arguments", test_arguments);
  g_test_add_func ("/process-identity/no-right-to-signal", test_no_right_to_signal);
  return g_test_run ();
}
