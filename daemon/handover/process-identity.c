/* SPDX-License-Identifier: Apache-2.0
 *
 * Identity of processes from /proc. The pidfd comes first and the questions after it, so that the process
 * that is checked is the one that is opened.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/process-identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/error.h"
#include "process/procfs.h"

#define MAX_PROC_BYTES (128 * 1024) /* of arguments that are looked at */

char *
zinit_identity_read_boot_id (void)
{
  char text[64];
  int fd = open ("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  gssize length = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  int reason = errno;

  if (fd >= 0)
    close (fd);
  errno = reason;
  if (length <= 0)
    return NULL;
  text[length] = '\0';
  return g_strdup (g_strstrip (text));
}

guint64
zinit_identity_read_start_ticks (pid_t pid)
{
  ZinitProcEntry entry;

  return zinit_proc_read (pid, &entry) ? entry.start_ticks : 0;
}

/* Read once: it is asked for thousands of times in a row, and a machine does not lower it. */
static guint64
read_pid_max (void)
{
  static guint64 pid_max;
  g_autofree char *text = NULL;

  if (pid_max == 0)
    pid_max = g_file_get_contents ("/proc/sys/kernel/pid_max", &text, NULL, NULL)
                  ? g_ascii_strtoull (text, NULL, 10)
                  : G_MAXINT32;
  return pid_max;
}

/* Unicode's White_Space, as the format defines it: GLib does not count these two. */
static gboolean
is_white_space (const char *at)
{
  gunichar character = g_utf8_get_char (at);

  return g_unichar_isspace (character) || character == 0x0b || character == 0x85;
}

static char *
first_word (const char *exec)
{
  const char *end;

  while (*exec != '\0' && is_white_space (exec))
    exec = g_utf8_next_char (exec);
  for (end = exec; *end != '\0' && !is_white_space (end); end = g_utf8_next_char (end))
    ;
  return g_strndup (exec, (gsize)(end - exec));
}

static gboolean
matches_executable (pid_t pid, const char *word)
{
  char target[4096];

  if (!zinit_proc_read_link (pid, "exe", target, sizeof target) || *target == '\0')
    return FALSE;
  return strstr (target, word) != NULL || strstr (word, target) != NULL;
}

/* Whether the file that the process knows as @name begins as what needs an interpreter. Looked at before it
 * is opened: the name may be that of a device. */
static gboolean
is_script (pid_t pid, const char *name)
{
  int cwd = zinit_proc_open (pid, "cwd", O_PATH | O_DIRECTORY);
  int place = openat (cwd, name, O_PATH | O_CLOEXEC);
  struct stat status;
  char mark[2];
  int fd = -1;
  gboolean is_good;

  if (place >= 0 && fstat (place, &status) == 0 && S_ISREG (status.st_mode))
    fd = zinit_proc_reopen (place, O_RDONLY | O_NONBLOCK);
  is_good = fd >= 0 && read (fd, mark, sizeof mark) == sizeof mark && memcmp (mark, "#!", sizeof mark) == 0;
  for (guint i = 0; i < 3; i++) {
    int used = (const int[]){ fd, place, cwd }[i];

    if (used >= 0)
      close (used);
  }
  return is_good;
}

/* The kernel makes a script an argument of its interpreter, behind one option at most. What else stands there
 * is only what the process works on. */
static gboolean
matches_arguments (pid_t pid, const char *word)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *at;

  if (!zinit_proc_read_file (pid, "cmdline", MAX_PROC_BYTES, text))
    return FALSE;
  at = text->str;
  for (guint i = 0; i < 3 && at < text->str + text->len; i++, at += strlen (at) + 1) {
    if (!g_utf8_validate (at, -1, NULL))
      return FALSE;
    if (strstr (at, word) != NULL && (i == 0 || is_script (pid, at)))
      return TRUE;
  }
  return FALSE;
}

/* By the format's own rule, for a state that does not say when the process started. */
static ZinitIdentity
compare_exec (pid_t pid, const char *exec)
{
  g_autofree char *word = exec != NULL && g_utf8_validate (exec, -1, NULL) ? first_word (exec) : NULL;

  if (word == NULL || *word == '\0')
    return ZINIT_IDENTITY_DEAD;
  errno = 0;
  if (matches_executable (pid, word) || matches_arguments (pid, word))
    return ZINIT_IDENTITY_ALIVE;
  return zinit_error_is_transient (errno) ? ZINIT_IDENTITY_UNKNOWN : ZINIT_IDENTITY_DEAD;
}

/* A process that /proc does not show may live: with the mount option hidepid it hides living ones. */
static ZinitIdentity
compare_start (pid_t pid, guint64 start_ticks)
{
  ZinitProcEntry entry;

  if (!zinit_proc_read (pid, &entry))
    return ZINIT_IDENTITY_UNKNOWN;
  return entry.start_ticks == start_ticks ? ZINIT_IDENTITY_ALIVE : ZINIT_IDENTITY_DEAD;
}

/* Had it ended and its number been given away meanwhile, signal 0 would find no process behind the pidfd. */
static ZinitIdentity
confirm (ZinitIdentity proof, int pidfd)
{
  int reason = errno;

  if (proof == ZINIT_IDENTITY_DEAD || pidfd_send_signal (pidfd, 0, NULL, 0) == 0 || errno == EPERM) {
    errno = reason;
    return proof;
  }
  return errno == ESRCH ? ZINIT_IDENTITY_DEAD : ZINIT_IDENTITY_UNKNOWN;
}

ZinitIdentity
zinit_identity_open (guint32 pid, guint64 start_ticks, const char *exec, int *ret_pidfd)
{
  ZinitIdentity proof;
  int pidfd, reason;

  *ret_pidfd = -1;
  if (pid < 2 || pid > read_pid_max () || (pid_t)pid == getpid ())
    return ZINIT_IDENTITY_DEAD;
  pidfd = pidfd_open ((pid_t)pid, 0);
  /* The numbers of threads are refused: EINVAL, from Linux 6.14 on ENOENT. */
  if (pidfd < 0)
    return errno == ESRCH || errno == EINVAL || errno == ENOENT ? ZINIT_IDENTITY_DEAD
                                                                : ZINIT_IDENTITY_UNKNOWN;
  proof = start_ticks != 0 ? compare_start ((pid_t)pid, start_ticks) : compare_exec ((pid_t)pid, exec);
  proof = confirm (proof, pidfd);
  if (proof == ZINIT_IDENTITY_ALIVE) {
    *ret_pidfd = pidfd;
    return proof;
  }
  reason = errno;
  close (pidfd);
  errno = reason;
  return proof;
}

int
zinit_identity_open_child (pid_t pid)
{
  siginfo_t info = { 0 };

  if (pid < 2 || waitid (P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return -1;
  return pidfd_open (pid, 0);
}
