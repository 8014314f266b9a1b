/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler of SIGBUS knows the one mapping that is in use. A fault there is answered with a page of
 * memory, and the instruction goes on; any other one ends the process as it would without the handler.
 */
#define G_LOG_DOMAIN "zinit-logs"

#include "logs/mapping.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static ZinitMapping *volatile used;
static gsize page_bytes;

/* Only system calls, and nothing that another instruction may be in the middle of. */
static void
on_sigbus (int signo, siginfo_t *info, void *context)
{
  ZinitMapping *mapping = used;
  const char *at = info->si_addr;
  int saved_errno = errno;

  /* A child that shares our memory gets here only by kill(2), which has no address. */
  if (info->si_code > 0 && mapping != NULL && at >= mapping->bytes && at < mapping->bytes + mapping->length) {
    char *page = mapping->bytes + ((gsize)(at - mapping->bytes) & ~(page_bytes - 1));

    if (mmap (page, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        page) {
      mapping->is_damaged = TRUE;
      errno = saved_errno;
      return;
    }
  }
  signal (signo, SIG_DFL);
  raise (signo);
}

static void
handle_sigbus (void)
{
  struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

  if (page_bytes != 0)
    return;
  page_bytes = (gsize)sysconf (_SC_PAGESIZE);
  sigaction (SIGBUS, &action, NULL);
}

int
zinit_mapping_open (ZinitMapping *mapping, int fd, gsize length)
{
  char *bytes = mmap (NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  if (bytes == MAP_FAILED)
    return errno;
  if (madvise (bytes, length, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) {
    int reason = errno;

    munmap (bytes, length);
    return reason;
  }
  /* A child that runs our code for another user has nothing to write there. */
  madvise (bytes, length, MADV_DONTFORK);
  zinit_mapping_close (mapping);
  mapping->bytes = bytes;
  mapping->length = length;
  handle_sigbus ();
  return 0;
}

void
zinit_mapping_close (ZinitMapping *mapping)
{
  if (used == mapping)
    used = NULL;
  if (mapping->bytes != NULL)
    munmap (mapping->bytes, mapping->length);
  mapping->bytes = NULL;
  mapping->length = 0;
  mapping->is_damaged = FALSE;
}

void
zinit_mapping_use (ZinitMapping *mapping)
{
  used = mapping;
  atomic_signal_fence (memory_order_seq_cst);
}
