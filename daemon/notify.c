/* SPDX-License-Identifier: Apache-2.0
 *
 * One datagram to the service manager, as sd_notify(3) describes it. A manager that does not listen is no
 * error of ours.
 */
#define G_LOG_DOMAIN "zinit-main"

#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/error.h"

/* FALSE when it has to be tried again. */
static gboolean
send_state (const char *state, const struct sockaddr_un *address, socklen_t length)
{
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int reason = 0;

  if (fd < 0 ||
      sendto (fd, state, strlen (state), MSG_NOSIGNAL, (const struct sockaddr *)address, length) < 0)
    reason = errno;
  if (fd >= 0)
    close (fd);
  if (reason != 0)
    g_debug ("cannot tell the service manager \"%s\": %s", state, g_strerror (reason));
  return !zinit_error_is_transient (reason);
}

gboolean
zinit_notify (const char *state)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gsize length = path != NULL ? strlen (path) : 0;

  if (length == 0 || length >= sizeof address.sun_path)
    return TRUE;
  memcpy (address.sun_path, path, length);
  /* '@' stands for the NUL byte of an abstract name. */
  if (address.sun_path[0] == '@')
    address.sun_path[0] = '\0';
  return send_state (state, &address, (socklen_t)(offsetof (struct sockaddr_un, sun_path) + length));
}
