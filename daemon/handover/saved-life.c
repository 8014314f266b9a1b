/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a life, read together. Normally each has what the others have; where one is missing or
 * damaged, the others replace it.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/saved-life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "handover/leftovers.h"
#include "handover/process-identity.h"
#include "model/error.h"
#include "paths.h"
#include "persist/state-file.h"

#define INSTANCE_BYTES 16
#define MAX_INSTANCE_FILE_BYTES 256
#define UNKNOWN_BOOT "-" /* in that file */

/* Which start of the machine, or of the container, something belongs to. */
typedef struct {
  char *boot_id;            /* NULL = not known */
  guint64 init_start_ticks; /* of process 1; 0 = not known */
} Boot;

static void
boot_clear (Boot *boot)
{
  g_clear_pointer (&boot->boot_id, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Boot, boot_clear)

/* The errno @reason leaves open what is there. What is broken for good has to be done without in the end. */
static gboolean
is_to_be_tried_again (int reason, gboolean is_last_try)
{
  return zinit_error_passes (reason) || (zinit_error_is_transient (reason) && !is_last_try);
}

/* FALSE when it cannot be told now. What can never be read (a container may hide it) is not known. */
static gboolean
read_boot (Boot *ret_boot, gboolean is_last_try, GError **error)
{
  gboolean is_known;

  ret_boot->boot_id = zinit_identity_read_boot_id ();
  is_known = ret_boot->boot_id != NULL || !is_to_be_tried_again (errno, is_last_try);
  if (is_known) {
    ret_boot->init_start_ticks = zinit_identity_read_start_ticks (1);
    is_known = ret_boot->init_start_ticks != 0 || !is_to_be_tried_again (errno, is_last_try);
  }
  if (is_known)
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the boot of this machine cannot be read: %s",
               g_strerror (errno));
  return FALSE;
}

/* A machine has another boot, a container that was started anew another first process. What is not known is
 * no difference: it would end a life whose processes live. */
static gboolean
is_same_boot (const Boot *now, const char *boot_id, guint64 init_start_ticks)
{
  return (boot_id == NULL || now->boot_id == NULL || g_str_equal (boot_id, now->boot_id)) &&
         (init_start_ticks == 0 || now->init_start_ticks == 0 || init_start_ticks == now->init_start_ticks);
}

guint64
zinit_saved_life_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (guint64)now.tv_sec * 1000 + (guint64)now.tv_nsec / 1000000;
}

static gboolean
is_instance (const char *text)
{
  return strlen (text) == 2 * INSTANCE_BYTES && strspn (text, "0123456789abcdef") == 2 * INSTANCE_BYTES;
}

/* The one line of the file: the instance, and the boot that it is of. NULL with errno when there is none. */
static char *
read_instance (const ZinitRuntimeFolder *folder, Boot *ret_boot)
{
  gsize length;
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  errno = 0;
  text =
      zinit_runtime_folder_read (folder, ZINIT_INSTANCE_FILE, MAX_INSTANCE_FILE_BYTES, &length, NULL, NULL);
  if (text == NULL)
    return NULL;
  words = g_strsplit (g_strstrip (text), " ", 4);
  errno = 0;
  if (g_strv_length (words) != 3 || !is_instance (words[0]))
    return NULL;
  ret_boot->boot_id = g_str_equal (words[1], UNKNOWN_BOOT) ? NULL : g_strdup (words[1]);
  ret_boot->init_start_ticks = g_ascii_strtoull (words[2], NULL, 10);
  return g_strdup (words[0]);
}

/* Other users must not be able to guess it: with it they could tag processes. */
static char *
make_instance (void)
{
  guint8 bytes[INSTANCE_BYTES];
  GString *text = g_string_new (NULL);

  while (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    continue;
  for (guint i = 0; i < sizeof bytes; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

static void
write_instance (const ZinitRuntimeFolder *folder, const char *instance, const Boot *boot)
{
  g_autofree char *text =
      g_strdup_printf ("%s %s %" G_GUINT64_FORMAT "\n", instance,
                       boot->boot_id != NULL ? boot->boot_id : UNKNOWN_BOOT, boot->init_start_ticks);
  const struct iovec part = { text, strlen (text) };
  g_autoptr (GError) error = NULL;

  if (!zinit_runtime_folder_write (folder, ZINIT_INSTANCE_FILE, &part, 1, ZINIT_FILE_OVERWRITE, &error))
    g_warning ("%s; the next zinitd can find processes by the state file alone", error->message);
}

/* Without our fields only the format's rule on age can be used; with them CLOCK_BOOTTIME, which cannot be
 * set, decides. */
static void
judge_age (ZinitSavedLife *life, ZinitLoadResult result)
{
  const ZinitSavedState *state = life->state;
  guint64 now_ms = zinit_saved_life_now ();

  if (state == NULL)
    return;
  life->is_foreign = state->boot_id == NULL && result == ZINIT_LOAD_STALE &&
                     (state->instance == NULL || g_strcmp0 (state->instance, life->instance) != 0);
  if (state->saved_boottime != 0)
    life->is_old = now_ms > state->saved_boottime && now_ms - state->saved_boottime > ZINIT_STATE_MAX_AGE_MS;
  else
    life->is_old = !life->is_foreign && result == ZINIT_LOAD_STALE;
}

/* Uses the state file before the newest one: it is a moment older, and has what processes cannot tell. */
static void
load_old (ZinitSavedLife *life, const ZinitRuntimeFolder *folder, guint64 now_ms)
{
  static const char old[] = ZINIT_STATE_FILE ".old";
  ZinitLoadResult result =
      zinit_saved_state_load (folder, old, now_ms, ZINIT_EXTRAS_READ, &life->state, NULL);

  judge_age (life, result);
  if (life->state != NULL && !life->is_foreign)
    g_message ("%s/%s, the one before it, is used", zinit_runtime_folder_get_path (folder), old);
  else
    g_clear_pointer (&life->state, zinit_saved_state_free);
  life->is_foreign = FALSE;
}

/* FALSE when it cannot be told now. */
static gboolean
load_state (ZinitSavedLife *life, const ZinitRuntimeFolder *folder, const Boot *boot, gboolean is_last_try,
            GError **error)
{
  g_autoptr (GError) reason = NULL;
  guint64 now_ms = (guint64)MAX (g_get_real_time (), 0) / 1000;
  ZinitLoadResult result =
      zinit_saved_state_load (folder, ZINIT_STATE_FILE, now_ms, ZINIT_EXTRAS_READ, &life->state, &reason);

  if (result == ZINIT_LOAD_UNKNOWN && is_to_be_tried_again (errno, is_last_try)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  judge_age (life, result);
  if (result == ZINIT_LOAD_REFUSED || result == ZINIT_LOAD_UNKNOWN || life->is_foreign) {
    g_warning ("the saved state is not used: %s", reason->message);
    if (!zinit_runtime_folder_rename_aside (folder, ZINIT_STATE_FILE))
      g_warning ("%s cannot be renamed: %s", ZINIT_STATE_FILE, g_strerror (errno));
  }
  if (life->state == NULL)
    load_old (life, folder, now_ms);
  if (life->state == NULL || is_same_boot (boot, life->state->boot_id, life->state->init_start_ticks))
    return TRUE;
  g_message ("the saved state is from before this machine or container was started; nothing of it can live");
  life->goes_on = FALSE;
  return TRUE;
}

/* FALSE when it cannot be told now. */
static gboolean
load_records (ZinitSavedLife *life, ZinitRecordLog *records, gboolean is_last_try, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gboolean is_damaged;

  if (life->state == NULL) {
    life->state = zinit_saved_state_new ();
  } else if (life->state->instance == NULL && life->state->record_sequence == 0) {
    /* Another program wrote it after the last record, and knows better. */
    zinit_record_log_clear (records);
    return TRUE;
  }
  if (!zinit_record_log_replay (records, life->state, &is_damaged, &reason)) {
    if (is_to_be_tried_again (errno, is_last_try)) {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
    g_warning ("%s; its records are not used", reason->message);
  } else if (is_damaged) {
    g_warning ("the record log is damaged; its last records are lost");
  }
  return TRUE;
}

/* Of the main processes that were started from this folder; NULL = there are none. FALSE when it cannot be
 * told now. */
static gboolean
find_instance (const ZinitRuntimeFolder *folder, gboolean is_last_try, char **ret_instance, GError **error)
{
  g_autofree char *path = realpath (zinit_runtime_folder_get_path (folder), NULL);

  *ret_instance = NULL;
  if ((path == NULL || !zinit_leftovers_find_instance (path, ret_instance)) &&
      is_to_be_tried_again (errno, is_last_try)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "/proc cannot be read: %s", g_strerror (errno));
    return FALSE;
  }
  if (*ret_instance != NULL && !is_instance (*ret_instance))
    g_clear_pointer (ret_instance, g_free);
  return TRUE;
}

/* FALSE when it cannot be told now. */
static gboolean
begin_life (ZinitSavedLife *life, const ZinitRuntimeFolder *folder, ZinitRecordLog *records, const Boot *boot,
            gboolean is_last_try, GError **error)
{
  if (life->instance == NULL && life->goes_on && life->state != NULL && life->state->instance != NULL &&
      is_instance (life->state->instance))
    life->instance = g_strdup (life->state->instance);
  else if (life->instance != NULL && life->goes_on)
    return TRUE;
  if (!life->goes_on) {
    g_clear_pointer (&life->state, zinit_saved_state_free);
    g_clear_pointer (&life->instance, g_free);
    zinit_saved_file_remove (folder, ZINIT_STATE_FILE);
    zinit_saved_file_remove (folder, ZINIT_FDS_FILE);
    zinit_record_log_clear (records);
  }
  /* The files of a life that goes on were removed. */
  if (life->instance == NULL && life->goes_on && !find_instance (folder, is_last_try, &life->instance, error))
    return FALSE;
  life->is_new = life->instance == NULL;
  if (life->is_new)
    life->instance = make_instance ();
  write_instance (folder, life->instance, boot);
  return TRUE;
}

static gboolean
open_records (ZinitRecordLog *records, gboolean is_last_try, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (zinit_record_log_open (records, &reason))
    return TRUE;
  if (is_to_be_tried_again (errno, is_last_try)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  g_warning ("%s; programs are started without a record", reason->message);
  return TRUE;
}

ZinitSavedLife *
zinit_saved_life_load (const ZinitRuntimeFolder *folder, ZinitRecordLog *records, gboolean is_last_try,
                       GError **error)
{
  g_autoptr (ZinitSavedLife) life = g_new0 (ZinitSavedLife, 1);
  g_auto (Boot) boot = { NULL };
  g_auto (Boot) of_instance = { NULL };

  life->goes_on = TRUE;
  if (!read_boot (&boot, is_last_try, error) || !open_records (records, is_last_try, error))
    return NULL;
  life->instance = read_instance (folder, &of_instance);
  if (life->instance == NULL && is_to_be_tried_again (errno, is_last_try)) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "%s: %s", ZINIT_INSTANCE_FILE, g_strerror (errno));
    return NULL;
  }
  if (life->instance != NULL && !is_same_boot (&boot, of_instance.boot_id, of_instance.init_start_ticks))
    life->goes_on = FALSE;
  if (life->goes_on && !load_state (life, folder, &boot, is_last_try, error))
    return NULL;
  if (life->goes_on && !load_records (life, records, is_last_try, error))
    return NULL;
  if (!begin_life (life, folder, records, &boot, is_last_try, error))
    return NULL;
  /* Its descriptor numbers mean nothing from now on. */
  zinit_saved_file_remove (folder, ZINIT_FDS_FILE);
  return g_steal_pointer (&life);
}

void
zinit_saved_life_free (ZinitSavedLife *life)
{
  if (life == NULL)
    return;
  zinit_saved_state_free (life->state);
  g_free (life->instance);
  g_free (life);
}

void
zinit_saved_life_end (const ZinitRuntimeFolder *folder)
{
  zinit_saved_file_remove (folder, ZINIT_FDS_FILE);
  /* The instance last, and none before the one ahead of it is gone: should the daemon be killed in between,
   * or one of them stay, what is left is still of one life, and the records never without their state. */
  if (!zinit_runtime_folder_remove (folder, ZINIT_RECORDS_FILE) ||
      !zinit_saved_file_remove (folder, ZINIT_STATE_FILE) ||
      !zinit_runtime_folder_remove (folder, ZINIT_INSTANCE_FILE))
    g_warning (
        "the files of this life cannot be removed: %s; the next zinitd goes on as after a shutdown that "
        "was cut short",
        g_strerror (errno));
}
