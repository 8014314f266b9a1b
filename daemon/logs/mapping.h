/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that is mapped for writing while others may cut it short: the next access to a page that is gone is
 * a SIGBUS. Here it costs the file, not the process. It does not know what is in the file.
 */
#pragma once

#include <signal.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  char *bytes; /* NULL = not open */
  gsize length;
  volatile sig_atomic_t is_damaged; /* pages were gone; what stands in their place is in no file */
} ZinitMapping;

/* Maps the first @length bytes of @fd, which has to have them, all of them there and writable. A @mapping
 * that is open is closed if that succeeds, and stays as it is if not. 0 or an errno. */
int zinit_mapping_open (ZinitMapping *mapping, int fd, gsize length);
void zinit_mapping_close (ZinitMapping *mapping);

/* To be called before bytes of an open @mapping are touched. Until it is called for another one, an empty
 * page comes in place of each that is gone. Not for threads: one mapping is in use at a time. */
void zinit_mapping_use (ZinitMapping *mapping);

G_END_DECLS
