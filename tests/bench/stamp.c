/* SPDX-License-Identifier: Apache-2.0
 *
 * The service of the benchmarks: writes the monotonic time in ns as the INDEX-th number of FILE, then does
 * nothing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  struct timespec now;
  int64_t ns;
  int fd;

  if (argc != 3)
    return 2;
  clock_gettime (CLOCK_MONOTONIC, &now);
  ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  fd = open (argv[1], O_WRONLY | O_CLOEXEC);
  if (fd < 0 || pwrite (fd, &ns, sizeof ns, atol (argv[2]) * (off_t)sizeof ns) != sizeof ns)
    return 1;
  close (fd);
  for (;;)
    pause ();
}
