/* SPDX-License-Identifier: Apache-2.0
 *
 * A head, then for each service the lengths of its name and of its log, and the two. The head says which
 * build wrote it: another one may see the log otherwise.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/saved-logs.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head[16] = "zinit logs 1\n";

typedef struct {
  guint64 name_length;
  guint64 log_length;
} Section;

static gboolean
write_all (int fd, const guint8 *bytes, gsize length)
{
  while (length > 0) {
    gssize written = write (fd, bytes, length);

    if (written < 0 && errno != EINTR)
      return FALSE;
    if (written > 0) {
      bytes += written;
      length -= (gsize)written;
    }
  }
  return TRUE;
}

static gboolean
write_service (int fd, const ZinitService *service)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  const char *name = zinit_service_get_name (service);
  Section section = { .name_length = strlen (name) };

  g_byte_array_append (bytes, (const guint8 *)&section, sizeof section);
  g_byte_array_append (bytes, (const guint8 *)name, (guint)section.name_length);
  zinit_log_save (zinit_service_get_log (service), bytes);
  section.log_length = bytes->len - sizeof section - section.name_length;
  memcpy (bytes->data, &section, sizeof section);
  return write_all (fd, bytes->data, bytes->len);
}

int
zinit_saved_logs_write (ZinitSupervisor *supervisor, GError **error)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (supervisor);
  int fd = memfd_create ("zinit-logs", MFD_CLOEXEC);
  gboolean is_written = fd >= 0 && write_all (fd, (const guint8 *)head, sizeof head);

  for (guint i = 0; is_written && i < services->len; i++)
    is_written = zinit_log_get_total (zinit_service_get_log (services->pdata[i])) == 0 &&
                         zinit_log_get_bytes (zinit_service_get_log (services->pdata[i])) == 0
                     ? TRUE
                     : write_service (fd, services->pdata[i]);
  if (is_written)
    return fd;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the logs cannot be kept: %s", g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
read_sections (ZinitSupervisor *supervisor, const guint8 *at, gsize left)
{
  while (left > 0) {
    g_autofree char *name = NULL;
    ZinitService *service;
    Section section;

    if (left < sizeof section)
      return FALSE;
    memcpy (&section, at, sizeof section);
    at += sizeof section;
    left -= sizeof section;
    if (section.name_length > left || section.log_length > left - section.name_length)
      return FALSE;
    name = g_strndup ((const char *)at, section.name_length);
    service = zinit_supervisor_find (supervisor, name, NULL);
    if (service != NULL && !zinit_log_load (zinit_service_get_writable_log (service),
                                            at + section.name_length, section.log_length))
      return FALSE;
    at += section.name_length + section.log_length;
    left -= section.name_length + section.log_length;
  }
  return TRUE;
}

void
zinit_saved_logs_read (ZinitSupervisor *supervisor, int fd)
{
  struct stat info;
  guint8 *bytes;

  if (fstat (fd, &info) != 0 || info.st_size < (off_t)sizeof head)
    return;
  bytes = mmap (NULL, (gsize)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    return;
  if (memcmp (bytes, head, sizeof head) != 0 ||
      !read_sections (supervisor, bytes + sizeof head, (gsize)info.st_size - sizeof head))
    g_warning ("the logs of the earlier image cannot be read, or not all of them");
  munmap (bytes, (gsize)info.st_size);
}
