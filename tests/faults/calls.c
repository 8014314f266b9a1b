/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of calls and errors. The list of names is made from the system's headers.
 */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define N_ELEMENTS(array) (sizeof (array) / sizeof (array)[0])

static const char *const names[] = {
#include "call-names.inc"
};

static const struct {
  const char *name;
  int value;
} errors[] = {
  { "ENOMEM", ENOMEM }, { "EMFILE", EMFILE }, { "ENFILE", ENFILE }, { "ENOSPC", ENOSPC },
  { "EIO", EIO },       { "EAGAIN", EAGAIN }, { "EINTR", EINTR },
};

/* By the manual pages. Where a signal cannot interrupt (a wait with SA_RESTART, a call that does not sleep),
 * EINTR is left out; so is EAGAIN where nothing is non-blocking, as code that cannot meet an error need not
 * handle it. futex(2) is left out as its errors are answers of its protocol: a wait that did not wait, where
 * somebody has to wake up, is a lost wake-up that no kernel makes. */
static const struct {
  const char *call;
  int errors[6];
} may_fail[] = {
  { "accept4", { EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR } },
  { "bind", { ENOMEM, ENOSPC, EIO } },
  { "chdir", { ENOMEM, EIO } },
  { "chmod", { ENOMEM, EIO } },
  { "clone", { ENOMEM, EAGAIN } },
  { "clone3", { ENOMEM, EAGAIN } },
  { "close", { EIO, EINTR } },
  { "connect", { EAGAIN } },
  { "dup3", { EMFILE } },
  { "epoll_create1", { EMFILE, ENFILE, ENOMEM } },
  { "epoll_ctl", { ENOMEM, ENOSPC } },
  { "epoll_wait", { EINTR } },
  { "eventfd2", { EMFILE, ENFILE, ENOMEM } },
  { "execve", { ENOMEM, EMFILE, ENFILE, EIO, EAGAIN } },
  { "fallocate", { ENOSPC, EIO, EINTR } },
  { "fchmod", { EIO } },
  { "fdatasync", { EIO, ENOSPC } },
  { "fsync", { EIO, ENOSPC } },
  { "ftruncate", { EIO, EINTR, ENOSPC } },
  { "getdents64", { EIO, ENOMEM } },
  { "inotify_add_watch", { ENOMEM, ENOSPC } },
  { "inotify_init1", { EMFILE, ENFILE, ENOMEM } },
  { "link", { ENOMEM, ENOSPC, EIO } },
  { "linkat", { ENOMEM, ENOSPC, EIO } },
  { "madvise", { ENOMEM } },
  { "memfd_create", { EMFILE, ENFILE, ENOMEM } },
  { "mkdir", { ENOMEM, ENOSPC, EIO } },
  { "mkdirat", { ENOMEM, ENOSPC, EIO } },
  { "mmap", { ENOMEM } },
  { "mprotect", { ENOMEM } },
  { "mremap", { ENOMEM } },
  { "msync", { EIO, ENOMEM } },
  { "newfstatat", { ENOMEM, EIO } },
  { "open", { EMFILE, ENFILE, ENOMEM, ENOSPC, EIO, EINTR } },
  { "openat", { EMFILE, ENFILE, ENOMEM, ENOSPC, EIO, EINTR } },
  { "pidfd_open", { EMFILE, ENFILE, ENOMEM } },
  { "pipe2", { EMFILE, ENFILE, ENOMEM } },
  { "poll", { EINTR, ENOMEM } },
  { "ppoll", { EINTR, ENOMEM } },
  { "pread64", { EIO, EINTR } },
  { "pwrite64", { EIO, EINTR, ENOSPC } },
  { "pwritev", { EIO, EINTR, ENOSPC } },
  { "read", { EIO, EINTR } },
  { "readlink", { ENOMEM, EIO } },
  { "readlinkat", { ENOMEM, EIO } },
  { "recvmsg", { EAGAIN, EINTR, ENOMEM } },
  { "rename", { ENOMEM, ENOSPC, EIO } },
  { "renameat", { ENOMEM, ENOSPC, EIO } },
  { "renameat2", { ENOMEM, ENOSPC, EIO } },
  { "sendmsg", { EAGAIN, EINTR, ENOMEM } },
  { "sendto", { EAGAIN, ENOMEM } },
  { "signalfd4", { EMFILE, ENFILE, ENOMEM } },
  { "socket", { EMFILE, ENFILE, ENOMEM } },
  { "statx", { ENOMEM, EIO } },
  { "timerfd_create", { EMFILE, ENFILE, ENOMEM } },
  { "unlink", { ENOMEM, EIO } },
  { "unlinkat", { ENOMEM, EIO } },
  { "wait4", { EINTR } },
  { "waitid", { EINTR } },
  { "write", { ENOSPC, EIO, EINTR } },
  { "writev", { ENOSPC, EIO, EINTR } },
};

/* Only a file system has something to write back in close(2): for a socket, a pipe or an epoll descriptor the
 * kernel has no error to give, and GLib would close the number again, which another thread may have by then.
 */
bool
calls_fails_on_files (long number, int error)
{
  static const char *const on_descriptors[] = { "read", "write", "writev", "pread64", "pwrite64", "pwritev" };
  const char *name = calls_name (number);

  if (name != NULL && strcmp (name, "close") == 0)
    return true;

  for (size_t i = 0; name != NULL && i < N_ELEMENTS (on_descriptors); i++)
    if (strcmp (name, on_descriptors[i]) == 0)
      return error == EIO || error == ENOSPC;
  return false;
}

const char *
calls_name (long number)
{
  return number >= 0 && (size_t)number < N_ELEMENTS (names) ? names[number] : NULL;
}

long
calls_number (const char *name)
{
  for (size_t i = 0; i < N_ELEMENTS (names); i++)
    if (names[i] != NULL && strcmp (names[i], name) == 0)
      return (long)i;
  return -1;
}

int
calls_errno (const char *name)
{
  for (size_t i = 0; i < N_ELEMENTS (errors); i++)
    if (strcmp (errors[i].name, name) == 0)
      return errors[i].value;
  return 0;
}

const char *
calls_errno_name (int error)
{
  for (size_t i = 0; i < N_ELEMENTS (errors); i++)
    if (errors[i].value == error)
      return errors[i].name;
  return "no error";
}

/* A file that is not made takes no room, poll(2) has room for so few descriptors on its stack, and to forget
 * one needs none. */
static bool
fits_arguments (long number, int error, const uint64_t *arguments)
{
  enum { POLL_ON_STACK = 8 };

  if (error == ENOSPC && number == SYS_open)
    return (arguments[1] & O_CREAT) != 0;
  if (error == ENOSPC && number == SYS_openat)
    return (arguments[2] & O_CREAT) != 0;
  if (error == ENOMEM && (number == SYS_poll || number == SYS_ppoll))
    return arguments[1] > POLL_ON_STACK;
  if (number == SYS_epoll_ctl)
    return arguments[1] != EPOLL_CTL_DEL;
  return true;
}

bool
calls_may_fail (long number, int error, const uint64_t *arguments)
{
  const char *name = calls_name (number);

  if (!fits_arguments (number, error, arguments))
    return false;
  for (size_t i = 0; name != NULL && i < N_ELEMENTS (may_fail); i++) {
    if (strcmp (may_fail[i].call, name) != 0)
      continue;
    for (size_t j = 0; j < N_ELEMENTS (may_fail[i].errors); j++)
      if (may_fail[i].errors[j] == error)
        return true;
    return false;
  }
  return false;
}
