/* SPDX-License-Identifier: Apache-2.0
 *
 * Every file of /proc is opened here, and counted.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/error.h"
#include "process/in-child.h"

#define MAX_PATH_BYTES 64
#define MAX_STATUS_BYTES (64 << 10)  /* a line of it names all groups of the process */
#define FORKED_AND_NOT_EXECUTED 0x40 /* PF_FORKNOEXEC of linux/sched.h, which no header for programs has */
#define START_TICKS_FIELD 22         /* of /proc/PID/stat, proc(5) */
#define FIELD_ENV_START 50
#define FIELD_EXIT_CODE 52

/* @after_name is where field 2 ends. -1 when there is no such field. */
static gint64
parse_field (const char *after_name, guint number)
{
  const char *at = after_name;

  for (guint field = 2; at != NULL && field < number; field++)
    at = strchr (at + 1, ' ');
  return at != NULL ? g_ascii_strtoll (at, NULL, 10) : -1;
}

gboolean
zinit_proc_parse_stat (const char *text, ZinitProcEntry *ret_entry)
{
  /* A process chooses its name, which may hold spaces and parentheses. */
  const char *open = strchr (text, '(');
  const char *close = strrchr (text, ')');
  gsize length;
  char state;
  guint64 user_ticks, system_ticks;
  gint64 pages;
  guint flags;

  *ret_entry = (ZinitProcEntry){ 0 };
  if (open == NULL || close == NULL || close < open)
    return FALSE;
  length = MIN ((gsize)(close - open - 1), sizeof ret_entry->name - 1);
  memcpy (ret_entry->name, open + 1, length);
  if (sscanf (text, "%d", &ret_entry->pid) != 1 ||
      sscanf (close + 1,
              " %c %d %d %d %*d %*d %u %*u %*u %*u %*u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
              " %*d %*d %*d %*d %*d %*d %" G_GUINT64_FORMAT " %*u %" G_GINT64_FORMAT,
              &state, &ret_entry->parent, &ret_entry->group, &ret_entry->session, &flags, &user_ticks,
              &system_ticks, &ret_entry->start_ticks, &pages) != 9)
    return FALSE;
  ret_entry->is_dead = state == 'Z' || state == 'X' || state == 'x';
  ret_entry->has_executed = (flags & FORKED_AND_NOT_EXECUTED) == 0;
  ret_entry->exit_status = ret_entry->is_dead ? (int)parse_field (close, FIELD_EXIT_CODE) : -1;
  ret_entry->cpu_ticks = user_ticks + system_ticks;
  ret_entry->resident_pages = (guint64)MAX (pages, 0);
  return TRUE;
}

static guint64 n_opens;

guint64
zinit_proc_get_n_opens (void)
{
  return n_opens;
}

static int
open_counted (int folder_fd, const char *path, int flags)
{
  n_opens++;
  return openat (folder_fd, path, flags | O_CLOEXEC);
}

int
zinit_proc_open (pid_t pid, const char *name, int flags)
{
  char path[MAX_PATH_BYTES];

  g_snprintf (path, sizeof path, "/proc/%d/%s", (int)pid, name);
  return open_counted (AT_FDCWD, path, flags);
}

int
zinit_proc_reopen (int fd, int flags)
{
  char path[MAX_PATH_BYTES];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return open (path, flags | O_CLOEXEC);
}

/* Nothing to be read is a process that has gone meanwhile. FALSE with errno. */
static gboolean
read_text (int fd, char *text, gsize size)
{
  gssize length;
  int reason;

  if (fd < 0)
    return FALSE;
  length = read (fd, text, size - 1);
  reason = length < 0 ? errno : ESRCH;
  close (fd);
  errno = reason;
  if (length <= 0)
    return FALSE;
  text[length] = '\0';
  return TRUE;
}

gboolean
zinit_proc_read_file (pid_t pid, const char *name, gsize max_bytes, GString *text)
{
  char buffer[4096];
  gssize length = 0;
  int fd = zinit_proc_open (pid, name, O_RDONLY);
  int reason;

  if (fd < 0)
    return FALSE;
  while (text->len < max_bytes && (length = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, length);
  reason = errno;
  close (fd);
  errno = reason;
  return length >= 0;
}

gboolean
zinit_proc_read_link (pid_t pid, const char *name, char *target, gsize size)
{
  char path[MAX_PATH_BYTES];
  gssize length;

  g_snprintf (path, sizeof path, "/proc/%d/%s", (int)pid, name);
  length = readlink (path, target, size - 1);
  if (length < 0)
    return FALSE;
  target[length] = '\0';
  return TRUE;
}

gboolean
zinit_proc_read_status (pid_t pid, const char *name, struct stat *ret_status)
{
  char path[MAX_PATH_BYTES];

  g_snprintf (path, sizeof path, "/proc/%d/%s", (int)pid, name);
  return lstat (path, ret_status) == 0;
}

gboolean
zinit_proc_read (pid_t pid, ZinitProcEntry *ret_entry)
{
  char text[1024];

  return read_text (zinit_proc_open (pid, "stat", O_RDONLY), text, sizeof text) &&
         zinit_proc_parse_stat (text, ret_entry);
}

gboolean
zinit_proc_is_executing (pid_t pid)
{
  char text[1024];
  const char *close;

  if (!read_text (zinit_proc_open (pid, "stat", O_RDONLY), text, sizeof text))
    return FALSE;
  close = strrchr (text, ')');
  return close != NULL && parse_field (close, FIELD_ENV_START) == 0;
}

gboolean
zinit_proc_is_of_our_namespace (pid_t pid)
{
  /* A process cannot change its own, so that is asked for once. */
  static char ours[MAX_PATH_BYTES];
  char its[MAX_PATH_BYTES];

  return (*ours != '\0' || zinit_proc_read_link (getpid (), "ns/pid", ours, sizeof ours)) &&
         zinit_proc_read_link (pid, "ns/pid", its, sizeof its) && g_str_equal (ours, its);
}

gboolean
zinit_proc_read_single_uid (pid_t pid, uid_t *ret_uid)
{
  static const char name[] = "\nUid:";
  char text[2048];
  guint real, effective, saved;
  const char *line;

  if (!read_text (zinit_proc_open (pid, "status", O_RDONLY), text, sizeof text))
    return FALSE;
  line = strstr (text, name);
  if (line == NULL || sscanf (line + strlen (name), "%u %u %u", &real, &effective, &saved) != 3)
    return FALSE;
  *ret_uid = (uid_t)real;
  return real == effective && real == saved;
}

/* The set of signals that the line @name of a status file has. */
static gboolean
parse_signals (const char *status, const char *name, guint64 *ret_signals)
{
  const char *line = strstr (status, name);

  return line != NULL && sscanf (line + strlen (name), "%" G_GINT64_MODIFIER "x", ret_signals) == 1;
}

gboolean
zinit_proc_has_default_action (pid_t pid, int signo)
{
  g_autoptr (GString) status = g_string_new (NULL);
  guint64 blocked, ignored, caught;

  if (!zinit_proc_read_file (pid, "status", MAX_STATUS_BYTES, status))
    return FALSE;
  errno = ESRCH;
  if (!parse_signals (status->str, "\nSigBlk:", &blocked) ||
      !parse_signals (status->str, "\nSigIgn:", &ignored) ||
      !parse_signals (status->str, "\nSigCgt:", &caught))
    return FALSE;
  errno = 0;
  return ((blocked | ignored | caught) & G_GUINT64_CONSTANT (1) << (signo - 1)) == 0;
}

ZINIT_IN_CHILD static const char *
skip_name (const char *text, gssize length)
{
  /* A process chooses its name, which may hold spaces and parentheses. */
  while (length > 0 && text[length - 1] != ')')
    length--;
  return text + length;
}

ZINIT_IN_CHILD guint64
zinit_proc_read_own_start_ticks (void)
{
  char text[512];
  int fd = open ("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  gssize length = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  guint64 ticks = 0;
  const char *at;

  if (fd >= 0)
    close (fd);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  at = skip_name (text, length);
  for (guint field = 2; *at != '\0' && field < START_TICKS_FIELD; at++)
    field += *at == ' ' ? 1 : 0;
  for (; *at >= '0' && *at <= '9'; at++)
    ticks = ticks * 10 + (guint64)(*at - '0');
  return ticks;
}

/* FALSE with errno when /proc/PID/task has no such file: the process has gone, or the kernel has none. */
static gboolean
read_children_of_thread (pid_t pid, const char *thread, GString *text)
{
  char name[MAX_PATH_BYTES];

  g_snprintf (name, sizeof name, "task/%s/children", thread);
  return zinit_proc_read_file (pid, name, G_MAXSIZE, text);
}

static gboolean
read_children (pid_t pid, GString *text)
{
  char leader[16];
  struct stat status;
  const struct dirent *item;
  DIR *folder;
  int fd;

  g_snprintf (leader, sizeof leader, "%d", (int)pid);
  /* One link a thread, beside "." and ".."; nearly all have just one. */
  if (zinit_proc_read_status (pid, "task", &status) && status.st_nlink <= 3)
    return read_children_of_thread (pid, leader, text);
  fd = zinit_proc_open (pid, "task", O_RDONLY | O_DIRECTORY);
  folder = fd >= 0 ? fdopendir (fd) : NULL;
  if (folder == NULL) {
    int reason = errno;

    if (fd >= 0)
      close (fd);
    errno = reason;
    return FALSE;
  }
  /* A thread that ends meanwhile gives its children to another one. */
  while ((item = readdir (folder)) != NULL)
    if (g_ascii_isdigit (item->d_name[0]))
      read_children_of_thread (pid, item->d_name, text);
  closedir (folder);
  return TRUE;
}

static gboolean
has_children_files (void)
{
  static int is_known = -1;

  if (is_known < 0) {
    g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/children", (int)getpid ());

    is_known = access (path, R_OK) == 0 || errno != ENOENT;
  }
  return is_known;
}

typedef struct {
  pid_t parent;
  GString *text;
} ParentSearch;

static void
note_child (const ZinitProcEntry *entry, gpointer data)
{
  const ParentSearch *search = data;

  if (entry->parent == search->parent)
    g_string_append_printf (search->text, "%d ", (int)entry->pid);
}

gboolean
zinit_proc_foreach_child (pid_t pid, ZinitProcNumberFunc func, gpointer data)
{
  g_autoptr (GString) text = g_string_new (NULL);
  ParentSearch search = { pid, text };
  char *at;

  if (has_children_files () ? !read_children (pid, text) : !zinit_proc_walk (NULL, note_child, &search))
    return FALSE;
  at = text->str;
  while (*at != '\0') {
    char *end;
    pid_t child = (pid_t)g_ascii_strtoll (at, &end, 10);

    if (end == at)
      break;
    func (child, data);
    at = end + strspn (end, " ");
  }
  return TRUE;
}

gboolean
zinit_proc_foreach_number (ZinitProcVisit func, gpointer data)
{
  DIR *folder = opendir ("/proc");
  const struct dirent *item;
  gboolean goes_on = TRUE;
  int reason;

  n_opens++;
  if (folder == NULL)
    return FALSE;
  while (goes_on && (errno = 0, item = readdir (folder)) != NULL)
    if (g_ascii_isdigit (item->d_name[0]))
      goes_on = func ((pid_t)g_ascii_strtoll (item->d_name, NULL, 10), data);
  reason = errno;
  closedir (folder);
  errno = reason;
  return goes_on && reason == 0;
}

typedef struct {
  ZinitProcFilter filter;
  ZinitProcFunc func;
  gpointer data;
} Walk;

static gboolean
visit (pid_t pid, gpointer data)
{
  const Walk *walk = data;
  ZinitProcEntry entry;

  if (walk->filter != NULL && !walk->filter (pid, walk->data))
    return TRUE;
  if (zinit_proc_read (pid, &entry)) {
    walk->func (&entry, walk->data);
    return TRUE;
  }
  /* One that has gone meanwhile is no error; one that cannot be read would be missing. */
  return !zinit_error_is_transient (errno);
}

gboolean
zinit_proc_walk (ZinitProcFilter filter, ZinitProcFunc func, gpointer data)
{
  Walk walk = { filter, func, data };

  return zinit_proc_foreach_number (visit, &walk);
}
