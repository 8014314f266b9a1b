/* SPDX-License-Identifier: Apache-2.0
 *
 * The records that the child writes. Texts are put together by hand, since nothing of libc that might
 * allocate, lock or use the daemon's buffers may be called here.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/child-record.h"
#include "model/limits.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_DIGITS 20
#define START_TICKS_FIELD 22 /* of /proc/PID/stat, proc(5) */

ZINIT_IN_CHILD static char *
append_number (char *at, guint64 number)
{
  char digits[MAX_DIGITS];
  guint n = 0;

  do
    digits[n++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (n > 0)
    *at++ = digits[--n];
  return at;
}

ZINIT_IN_CHILD static char *
append_text (char *at, const char *text)
{
  while (*text != '\0')
    *at++ = *text++;
  return at;
}

ZINIT_IN_CHILD static const char *
skip_name (const char *text, gssize length)
{
  /* A process chooses its name, which may hold spaces and parentheses. */
  while (length > 0 && text[length - 1] != ')')
    length--;
  return text + length;
}

/* 0 when it cannot be read. */
ZINIT_IN_CHILD static guint64
read_start_ticks (void)
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

/* Mostly the child was made within the tick in which the daemon looked at the clock last. */
ZINIT_IN_CHILD static guint64
get_start_ticks (const ZinitChildPlan *plan)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  if (zinit_child_ticks_at (&now, plan->ticks_per_second) == plan->before_ticks)
    return plan->before_ticks;
  return read_start_ticks ();
}

ZINIT_IN_CHILD static void
append_record (const ZinitChildPlan *plan, const char *head)
{
  char text[ZINIT_MAX_RECORD_BYTES];
  char *at = append_text (text, head);

  at = append_number (at, (guint64)getpid ());
  *at++ = ' ';
  at = append_number (at, get_start_ticks (plan));
  at = append_text (at, plan->record->end);
  /* One write to a file is whole, or the file system is full. */
  if (write (plan->record->fd, text, (gsize)(at - text)) < 0)
    return;
}

ZINIT_IN_CHILD void
zinit_child_record_start (const ZinitChildPlan *plan)
{
  if (plan->pid_variable != NULL)
    *append_number (plan->pid_variable, (guint64)getpid ()) = '\0';
  if (plan->record != NULL)
    append_record (plan, plan->record->started);
}

ZINIT_IN_CHILD void
zinit_child_record_abort (const ZinitChildPlan *plan)
{
  if (plan->record != NULL)
    append_record (plan, plan->record->aborted);
}
