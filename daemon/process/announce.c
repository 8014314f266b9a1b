/* SPDX-License-Identifier: Apache-2.0
 *
 * Anybody who may write to the socket can send anything to it: who sent a message the kernel says
 * (SCM_CREDENTIALS, unix(7)), and a process that is not of the tree is not listened to. Descriptors that come
 * along are closed, which is what BARRIER=1 of sd_notify(3) waits for.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/error.h"
#include "model/limits.h"
#include "model/ready.h"
#include "process/strays.h"
#include "process/tree.h"

#define FOLDER "notify"
#define MAX_MESSAGES 16 /* of one service in one turn of the loop */
#define MAX_READS 16    /* of a readiness descriptor, the same */
#define MAX_FDS 253     /* that one message can carry, unix(7) */
/* So long after its readiness descriptor was closed without a line a process still lives: it is not its end
 * that closed it. The end is often seen after the descriptor's. */
#define CLOSED_USEC (100 * 1000)
#define DIGEST_DIGITS 16

static int
fail (const char *what, GError **error)
{
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED, "NOTIFY_SOCKET %s: %s", what,
               g_strerror (errno));
  return -1;
}

/* The path has to fit into an address, here and in the service; a name that is too long for that becomes its
 * digest. Transfer full; NULL with errno when even that does not fit. */
static char *
find_place (const char *folder, const char *name)
{
  const gsize max_bytes = sizeof ((struct sockaddr_un *)NULL)->sun_path - 1;
  g_autofree char *path = g_strdup_printf ("%s/" FOLDER "/%s", folder, name);
  g_autofree char *digest = NULL;

  if (strlen (path) <= max_bytes)
    return g_steal_pointer (&path);
  digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  digest[DIGEST_DIGITS] = '\0';
  g_free (path);
  path = g_strdup_printf ("%s/" FOLDER "/%s", folder, digest);
  errno = ENAMETOOLONG;
  return strlen (path) <= max_bytes ? g_steal_pointer (&path) : NULL;
}

/* Whoever is in the folder's place meanwhile, it is in our run-time folder. -1 with errno. */
static int
open_folder (const ZinitProcesses *processes)
{
  if (mkdirat (processes->folder_fd, FOLDER, 0755) != 0 && errno != EEXIST)
    return -1;
  return openat (processes->folder_fd, FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A user of any service may send: who did, the kernel says. FALSE with errno. */
static gboolean
bind_in (int folder_fd, const char *name, int fd)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int yes = 1;

  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder_fd, name);
  if (unlinkat (folder_fd, name, 0) != 0 && errno != ENOENT)
    return FALSE;
  return setsockopt (fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0 &&
         bind (fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
         fchmodat (folder_fd, name, 0666, 0) == 0;
}

static ZinitReady
get_ready (const ZinitDefinition *definition)
{
  ZinitReady ready = { .kind = ZINIT_READY_EXEC };

  if (definition != NULL && !definition->oneshot)
    zinit_ready_parse (definition->ready, &ready, NULL);
  return ready;
}

gboolean
zinit_announce_is_by_socket (const ZinitDefinition *definition)
{
  return get_ready (definition).kind == ZINIT_READY_NOTIFY ||
         (definition != NULL && !definition->oneshot && definition->watchdog_ms != 0);
}

int
zinit_announce_bind (const ZinitProcesses *processes, const char *name, char **ret_path, GError **error)
{
  g_autofree char *path = processes->folder != NULL ? find_place (processes->folder, name) : NULL;
  g_autofree char *base = path != NULL ? g_path_get_basename (path) : NULL;
  int folder_fd, fd;

  errno = processes->folder == NULL ? ENOENT : errno;
  if (path == NULL)
    return fail (name, error);
  folder_fd = open_folder (processes);
  if (folder_fd < 0)
    return fail (path, error);
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || !bind_in (folder_fd, base, fd)) {
    fail (path, error);
    if (fd >= 0)
      close (fd);
    fd = -1;
  }
  close (folder_fd);
  if (fd >= 0)
    *ret_path = g_steal_pointer (&path);
  return fd;
}

static void
close_channel (ZinitProcess *process, ZinitChannel *channel)
{
  if (channel->fd < 0)
    return;
  zinit_loop_unwatch (process->processes->loop, &channel->watch);
  close (channel->fd);
  channel->fd = -1;
}

static gboolean
report_line (ZinitProcess *process, const char *line)
{
  zinit_process_enter (process);
  if (process->events.ready != NULL)
    process->events.ready (process, line, process->data);
  return zinit_process_leave (process);
}

static void
closed_due (ZinitTimer *timer)
{
  ZinitProcess *process = ZINIT_OWNER_OF (timer, ZinitProcess, closed_timer);

  if (process->has_main)
    report_line (process, NULL);
}

/* FALSE when @process was freed in the callback. */
static gboolean
take_line (ZinitProcess *process, gsize length)
{
  g_autofree char *text = g_string_free (g_steal_pointer (&process->ready_line), FALSE);
  g_autofree char *line = NULL;

  text[length] = '\0';
  line = g_utf8_make_valid (text, -1);
  close_channel (process, &process->ready);
  return report_line (process, line);
}

/* What is in the pipe @fd, which stays there. -1 with errno. */
static gssize
peek (int fd, char *bytes, gsize size)
{
  int fds[2];
  gssize length;
  int reason;

  if (pipe2 (fds, O_CLOEXEC | O_NONBLOCK) != 0)
    return -1;
  length = tee (fd, fds[1], size, SPLICE_F_NONBLOCK);
  if (length > 0)
    length = read (fds[0], bytes, size);
  reason = errno;
  close (fds[0]);
  close (fds[1]);
  errno = reason;
  return length;
}

/* The line is left in the pipe: should the daemon be killed before it is on record that the service is ready,
 * the next one finds it there. */
static gboolean
has_whole_line (ZinitProcess *process, gsize *ret_length)
{
  char bytes[1024];
  gssize length = process->ready_line->len == 0 ? peek (process->ready.fd, bytes, sizeof bytes) : -1;
  const char *feed = length > 0 ? memchr (bytes, '\n', (gsize)length) : NULL;

  if (feed == NULL)
    return FALSE;
  *ret_length = (gsize)(feed - bytes);
  g_string_append_len (process->ready_line, bytes, length);
  return TRUE;
}

/* FALSE when @process was freed in a callback. */
static gboolean
read_ready (ZinitProcess *process)
{
  char bytes[1024];
  gssize length = 1;
  gsize line_length;

  if (process->ready_line == NULL)
    process->ready_line = g_string_new (NULL);
  if (has_whole_line (process, &line_length))
    return take_line (process, line_length);
  for (guint n = 0; n < MAX_READS && length > 0; n++) {
    const char *feed;

    length = read (process->ready.fd, bytes, sizeof bytes);
    if (length <= 0)
      break;

    g_string_append_len (process->ready_line, bytes, length);
    feed = memchr (process->ready_line->str, '\n', process->ready_line->len);
    if (feed != NULL)
      return take_line (process, (gsize)(feed - process->ready_line->str));
    /* Without a line feed, and far too long for a line: it is not listened to any more. */
    if (process->ready_line->len > ZINIT_MAX_READY_LINE_BYTES) {
      close_channel (process, &process->ready);
      return TRUE;
    }
  }
  if (length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR)))
    return TRUE;
  close_channel (process, &process->ready);
  zinit_loop_arm (process->processes->loop, &process->closed_timer, g_get_monotonic_time () + CLOSED_USEC,
                  closed_due);
  return TRUE;
}

static void
drop (ZinitProcess *process, pid_t sender, const char *why)
{
  if (!process->has_warned)
    g_message ("%s: a message of process %d on its NOTIFY_SOCKET is dropped, as are others of this kind: %s",
               process->service != NULL ? process->service : "a process", (int)sender, why);
  process->has_warned = TRUE;
}

/* The sender, its pid 0 when the kernel does not say. */
static struct ucred
get_sender (struct msghdr *header)
{
  struct ucred sender = { 0 };

  for (struct cmsghdr *item = CMSG_FIRSTHDR (header); item != NULL; item = CMSG_NXTHDR (header, item))
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_CREDENTIALS &&
        item->cmsg_len >= CMSG_LEN (sizeof sender))
      memcpy (&sender, CMSG_DATA (item), sizeof sender);
  return sender;
}

/* Those that came along. A sender may wait for that and be gone then, so it is the last thing. */
static void
close_descriptors (struct msghdr *header)
{
  for (struct cmsghdr *item = CMSG_FIRSTHDR (header); item != NULL; item = CMSG_NXTHDR (header, item)) {
    gsize length = item->cmsg_len - CMSG_LEN (0);

    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
      continue;
    for (gsize at = 0; at + sizeof (int) <= length; at += sizeof (int)) {
      int fd;

      memcpy (&fd, CMSG_DATA (item) + at, sizeof fd);
      close (fd);
    }
  }
}

/* The tags of a process cost much to read, and another user can make them cost more. */
static gboolean
is_member (ZinitProcess *process, const struct ucred *sender)
{
  gboolean may_have_tags = sender->uid == 0 || !process->has_uid || sender->uid == process->uid;

  return zinit_tree_has_member (process, sender->pid, may_have_tags);
}

/* FALSE when @process was freed in the callback. */
static gboolean
judge (ZinitProcess *process, const char *bytes, gssize length, const struct msghdr *header,
       struct ucred sender)
{
  g_auto (ZinitNotifyMessage) message = { 0 };

  if ((header->msg_flags & MSG_TRUNC) != 0)
    drop (process, sender.pid, "it is too long");
  else if (sender.pid == 0 || !is_member (process, &sender))
    drop (process, sender.pid, "the sender is not a process of this service");
  else if (!zinit_notify_message_parse (bytes, (gsize)length, &message))
    drop (process, sender.pid, "it is not text");
  else {
    zinit_process_enter (process);
    if (process->events.notified != NULL)
      process->events.notified (process, &message, process->data);
    return zinit_process_leave (process);
  }
  return TRUE;
}

/* FALSE when @process was freed in a callback. */
static gboolean
read_messages (ZinitProcess *process, guint max_messages)
{
  for (guint n = 0; n < max_messages && process->notify.fd >= 0; n++) {
    char bytes[ZINIT_MAX_NOTIFY_BYTES];
    union {
      char bytes[CMSG_SPACE (sizeof (struct ucred)) + CMSG_SPACE (MAX_FDS * sizeof (int))];
      struct cmsghdr aligned;
    } control;
    struct iovec part = { bytes, sizeof bytes };
    struct msghdr header = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    gssize length = recvmsg (process->notify.fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    gboolean is_there;

    if (length < 0)
      return TRUE;
    is_there = judge (process, bytes, length, &header, get_sender (&header));
    close_descriptors (&header);
    if (!is_there)
      return FALSE;
  }
  return TRUE;
}

static void
ready_readable (ZinitWatch *watch, guint32 events)
{
  read_ready (ZINIT_OWNER_OF (watch, ZinitProcess, ready.watch));
}

static void
notify_readable (ZinitWatch *watch, guint32 events)
{
  read_messages (ZINIT_OWNER_OF (watch, ZinitProcess, notify.watch), MAX_MESSAGES);
}

/* FALSE when it cannot be watched now. */
static gboolean
watch_channel (ZinitProcess *process, ZinitChannel *channel, ZinitWatchFunc func)
{
  return channel->fd < 0 || channel->watch.is_active ||
         /* Others may send, too, and as much as they like. */
         zinit_loop_watch (process->processes->loop, &channel->watch, channel->fd, EPOLLIN, ZINIT_BULK, func);
}

gboolean
zinit_announce_watch (ZinitProcess *process)
{
  gboolean is_watched = watch_channel (process, &process->ready, ready_readable);

  return watch_channel (process, &process->notify, notify_readable) && is_watched;
}

void
zinit_announce_begin (ZinitProcess *process, int ready_fd, int notify_fd, char *notify_path)
{
  process->ready.fd = ready_fd;
  process->notify.fd = notify_fd;
  process->notify_path = notify_path;
}

static void
resume_socket (ZinitProcess *process, const ZinitAdoption *adoption)
{
  const char *name = adoption->definition->name;
  g_autoptr (GError) error = NULL;

  process->notify.fd = adoption->notify_fd;
  if (adoption->notify_fd > 0) {
    process->notify_path = find_place (process->processes->folder, name);
    return;
  }
  process->notify.fd = zinit_announce_bind (process->processes, name, &process->notify_path, &error);
  if (process->notify.fd < 0)
    g_warning ("%s: what it says of itself is not heard: %s", name, error->message);
}

/* It is opened as the process has it, unless that has closed it. */
static void
resume_descriptor (ZinitProcess *process, const ZinitAdoption *adoption, int number)
{
  g_autofree char *name = g_strdup_printf ("fd/%d", number);
  struct stat info;

  process->ready.fd = adoption->ready_fd;
  if (adoption->ready_fd > 0)
    return;
  process->ready.fd = zinit_proc_open (process->pid, name, O_RDONLY | O_NONBLOCK);
  if (process->ready.fd >= 0 && (fstat (process->ready.fd, &info) != 0 || !S_ISFIFO (info.st_mode))) {
    close (process->ready.fd);
    process->ready.fd = -1;
  }
  if (process->ready.fd < 0)
    zinit_loop_arm (process->processes->loop, &process->closed_timer, g_get_monotonic_time () + CLOSED_USEC,
                    closed_due);
}

void
zinit_announce_resume (ZinitProcess *process, const ZinitAdoption *adoption)
{
  ZinitReady ready = get_ready (adoption->definition);

  if (zinit_announce_is_by_socket (adoption->definition))
    resume_socket (process, adoption);
  if (ready.kind == ZINIT_READY_FD && adoption->is_starting)
    resume_descriptor (process, adoption, ready.fd);
  if (process->ready.fd >= 0)
    fcntl (process->ready.fd, F_SETFD, FD_CLOEXEC);
  if (process->notify.fd >= 0)
    fcntl (process->notify.fd, F_SETFD, FD_CLOEXEC);
}

gboolean
zinit_announce_drain (ZinitProcess *process)
{
  zinit_loop_disarm (process->processes->loop, &process->closed_timer);
  if (process->ready.fd >= 0 && !read_ready (process))
    return FALSE;
  return read_messages (process, G_MAXUINT);
}

void
zinit_announce_end (ZinitProcess *process, gboolean is_over)
{
  zinit_loop_disarm (process->processes->loop, &process->closed_timer);
  close_channel (process, &process->ready);
  close_channel (process, &process->notify);
  if (is_over && process->notify_path != NULL)
    unlink (process->notify_path);
  g_clear_pointer (&process->notify_path, g_free);
  if (process->ready_line != NULL)
    g_string_free (g_steal_pointer (&process->ready_line), TRUE);
}
