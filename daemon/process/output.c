/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the pipes of services. A pipe that gives more than its share is not looked at until its next period:
 * it fills, its writer waits, and no byte is lost, while the daemon has time for everything else.
 */
#define G_LOG_DOMAIN "zinit-process"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "process/announce.h"

/* A pipe's share: 10 MiB/s. */
#define PERIOD_USEC (100 * 1000)
#define PERIOD_BYTES (1024 * 1024)

void
zinit_output_close (ZinitProcess *process, ZinitStream stream)
{
  ZinitOutput *output = &process->outputs[stream];

  if (output->fd < 0)
    return;
  zinit_loop_unwatch (process->processes->loop, &output->watch);
  close (output->fd);
  output->fd = -1;
}

/* How much there is to be read now. Asked for first, so that nothing is read that has no place yet, and no
 * place is made for nothing; that no writer is left only poll(2) tells then. */
static gsize
measure (ZinitProcess *process, ZinitStream stream)
{
  struct pollfd poll_fd = { .fd = process->outputs[stream].fd, .events = POLLIN };
  int left = 0;

  if (ioctl (poll_fd.fd, FIONREAD, &left) == 0 && left > 0)
    return (gsize)left;
  if (poll (&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) == 0)
    zinit_output_close (process, stream);
  return 0;
}

static char *
find_place (ZinitProcess *process, ZinitStream stream, gsize *size)
{
  gsize wanted = MIN (*size, ZINIT_OUTPUT_BUFFER_BYTES);
  char *place = NULL;

  *size = wanted;
  if (process->events.reserve != NULL)
    place = process->events.reserve (process, stream, wanted, size, process->data);
  if (place != NULL)
    return place;
  *size = wanted;
  return process->processes->buffer;
}

/* FALSE when @process was freed in the callback. @ret_length is 0 when there was nothing. */
static gboolean
read_once (ZinitProcess *process, ZinitStream stream, gsize limit, gsize *ret_length)
{
  ZinitOutput *output = &process->outputs[stream];
  gsize size = MIN (limit, measure (process, stream));
  gssize length;
  char *place;

  *ret_length = 0;
  if (size == 0)
    return TRUE;
  place = find_place (process, stream, &size);
  length = TEMP_FAILURE_RETRY (read (output->fd, place, size));
  /* The place may be in a file that was cut short just now; the bytes are still in the pipe. */
  if (length < 0 && errno == EFAULT) {
    place = process->processes->buffer;
    length = TEMP_FAILURE_RETRY (read (output->fd, place, MIN (size, ZINIT_OUTPUT_BUFFER_BYTES)));
  }
  if (length < 0 && errno == EAGAIN)
    return TRUE;
  if (length <= 0) {
    zinit_output_close (process, stream);
    return TRUE;
  }
  output->period_bytes += (guint)length;
  *ret_length = (gsize)length;
  zinit_process_enter (process);
  process->events.output (process, stream, place, (gsize)length, process->data);
  return zinit_process_leave (process);
}

/* Leaves the pipe alone until its period is over. */
static void
pause_output (ZinitProcess *process, ZinitOutput *output)
{
  gint64 resume_usec = output->period_usec + PERIOD_USEC;

  zinit_loop_unwatch (process->processes->loop, &output->watch);
  if (!zinit_timer_is_armed (&process->resume_timer))
    zinit_loop_arm (process->processes->loop, &process->resume_timer, resume_usec, zinit_output_resume);
}

static void
output_readable (ZinitProcess *process, ZinitStream stream)
{
  ZinitOutput *output = &process->outputs[stream];
  gint64 now_usec = g_get_monotonic_time ();
  gsize length;

  if (now_usec - output->period_usec >= PERIOD_USEC) {
    output->period_usec = now_usec;
    output->period_bytes = 0;
  }
  if (output->period_bytes >= PERIOD_BYTES)
    pause_output (process, output);
  else
    read_once (process, stream, ZINIT_OUTPUT_BUFFER_BYTES, &length);
}

static void
stdout_readable (ZinitWatch *watch, guint32 events)
{
  output_readable (ZINIT_OWNER_OF (watch, ZinitProcess, outputs[ZINIT_STREAM_STDOUT].watch),
                   ZINIT_STREAM_STDOUT);
}

static void
stderr_readable (ZinitWatch *watch, guint32 events)
{
  output_readable (ZINIT_OWNER_OF (watch, ZinitProcess, outputs[ZINIT_STREAM_STDERR].watch),
                   ZINIT_STREAM_STDERR);
}

static gboolean
watch (ZinitProcess *process, ZinitStream stream)
{
  ZinitOutput *output = &process->outputs[stream];

  return zinit_loop_watch (process->processes->loop, &output->watch, output->fd, EPOLLIN, ZINIT_BULK,
                           stream == ZINIT_STREAM_STDOUT ? stdout_readable : stderr_readable);
}

static gboolean
watch_missing (ZinitProcess *process)
{
  gboolean is_complete = !process->is_unheard || !process->has_main || zinit_reaper_watch (process);

  process->is_unheard = !is_complete;
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    if (process->outputs[stream].fd >= 0 && !process->outputs[stream].watch.is_active)
      is_complete = watch (process, stream) && is_complete;
  is_complete = zinit_announce_watch (process) && is_complete;
  if (!is_complete)
    zinit_loop_arm (process->processes->loop, &process->resume_timer, g_get_monotonic_time () + PERIOD_USEC,
                    zinit_output_resume);
  return is_complete;
}

void
zinit_output_resume (ZinitTimer *timer)
{
  watch_missing (ZINIT_OWNER_OF (timer, ZinitProcess, resume_timer));
}

void
zinit_output_watch_all (ZinitProcess *process)
{
  process->is_unheard = process->has_main && process->pidfd >= 0;
  if (!watch_missing (process))
    g_message ("process %d cannot be waited for yet, which is tried again: limit epoll: %s", process->pid,
               g_strerror (errno));
}

/* The amount is asked for first: a process that inherited the pipe may write as fast as it is read. */
static gboolean
drain_stream (ZinitProcess *process, ZinitStream stream)
{
  gsize length = 1;
  int left = 0;

  if (process->outputs[stream].fd < 0 || ioctl (process->outputs[stream].fd, FIONREAD, &left) != 0)
    return TRUE;
  /* Another one that has the pipe open may have taken some of it. */
  while (left > 0 && length > 0) {
    if (!read_once (process, stream, (gsize)left, &length))
      return FALSE;
    left -= (int)length;
  }
  return TRUE;
}

gboolean
zinit_output_drain (ZinitProcess *process)
{
  for (ZinitStream stream = 0; stream < ZINIT_N_STREAMS; stream++)
    if (!drain_stream (process, stream))
      return FALSE;
  return TRUE;
}
