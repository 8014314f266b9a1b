/* SPDX-License-Identifier: Apache-2.0
 *
 * How a supervised process of the tests says that it is ready: the protocol of sd_notify(3), written anew.
 */
#include "child-announce.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
die (const char *what)
{
  fprintf (stderr, "child: %s: %s\n", what, strerror (errno));
  _exit (111);
}

static void
send_message (const char *bytes, size_t length, int fd)
{
  const char *path = getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  union {
    char bytes[CMSG_SPACE (sizeof fd)];
    struct cmsghdr aligned;
  } control = { { 0 } };
  struct iovec part = { (void *)bytes, length };
  struct msghdr header = { &address, sizeof address, &part, 1, NULL, 0, 0 };
  int sender = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (path == NULL || strlen (path) >= sizeof address.sun_path)
    die ("NOTIFY_SOCKET");
  memcpy (address.sun_path, path, strlen (path) + 1);
  if (fd >= 0) {
    struct cmsghdr *item;

    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    item = CMSG_FIRSTHDR (&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN (sizeof fd);
    memcpy (CMSG_DATA (item), &fd, sizeof fd);
  }
  if (sender < 0)
    die ("socket");
  /* Nobody hears it when the daemon has been killed; a service goes on then. */
  if (sendmsg (sender, &header, 0) < 0)
    fprintf (stderr, "child: %s: %s\n", path, strerror (errno));
  close (sender);
}

void
child_notify (const char *text)
{
  char *bytes = strdup (text), *to = bytes;

  for (const char *at = text; *at != '\0'; at++) {
    int is_feed = at[0] == '\\' && at[1] == 'n';

    *to++ = is_feed ? '\n' : *at;
    at += is_feed;
  }
  send_message (bytes, (size_t)(to - bytes), -1);
  free (bytes);
}

void
child_notify_barrier (void)
{
  struct pollfd end = { .events = 0 };
  int fds[2];

  if (pipe (fds) != 0)
    die ("pipe");
  send_message ("BARRIER=1", 9, fds[1]);
  close (fds[1]);
  end.fd = fds[0];
  if (poll (&end, 1, 10000) != 1)
    die ("the barrier");
  close (fds[0]);
}

int
child_find_descriptor (const char *word)
{
  const char *value = getenv (word);

  return atoi (value != NULL ? value : word);
}
