/* SPDX-License-Identifier: Apache-2.0
 *
 * The records that the child writes. Texts are put together by hand, since nothing of libc that might
 * allocate, lock or use the daemon's buffers may be called here.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/child-record.h"
#include "model/limits.h"
#include "process/procfs.h"

#include <time.h>
#include <unistd.h>

#define MAX_DIGITS 20

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

/* Mostly the child was made within the tick in which the daemon looked at the clock last. */
ZINIT_IN_CHILD static guint64
get_start_ticks (const ZinitChildPlan *plan)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  if (zinit_child_ticks_at (&now, plan->ticks_per_second) == plan->before_ticks)
    return plan->before_ticks;
  return zinit_proc_read_own_start_ticks ();
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
  if (plan->watchdog_pid != NULL)
    *append_number (plan->watchdog_pid, (guint64)getpid ()) = '\0';
  if (plan->record != NULL)
    append_record (plan, plan->record->started);
}

ZINIT_IN_CHILD void
zinit_child_record_abort (const ZinitChildPlan *plan)
{
  if (plan->record != NULL)
    append_record (plan, plan->record->aborted);
}
