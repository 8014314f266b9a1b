/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, judging and printing one file for a person or a script at the command line.
 */
#define G_LOG_DOMAIN "zinit-persist"

#include "persist/check.h"

#include <errno.h>

#include "config/file.h"
#include "model/limits.h"
#include "persist/state-format.h"

#define EXIT_GOOD 0
#define EXIT_REFUSED 1
#define EXIT_USAGE 2

static int
refuse (const char *path, const GError *error, FILE *err)
{
  fprintf (err, "%s: %s\n", path, error->message);
  return EXIT_REFUSED;
}

/* A document that did not reach its reader must not look like one that did. */
static int
print (const char *text, gsize length, FILE *out, FILE *err)
{
  if (fwrite (text, 1, length, out) == length && fflush (out) == 0)
    return EXIT_GOOD;
  fprintf (err, "standard output: %s\n", g_strerror (errno));
  return EXIT_REFUSED;
}

/* Reads "now" or decimal digits. A clock before 1970 reads as 0. */
static gboolean
parse_time (const char *at, guint64 *ret_now_ms)
{
  if (g_str_equal (at, "now")) {
    *ret_now_ms = (guint64)MAX (g_get_real_time (), 0) / 1000;
    return TRUE;
  }
  return g_ascii_string_to_unsigned (at, 10, 0, G_MAXUINT64, ret_now_ms, NULL);
}

int
zinit_check_state_file (const char *path, const char *at, FILE *out, FILE *err)
{
  g_autoptr (ZinitSavedState) state = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *canonical = NULL;
  guint64 now_ms = 0;
  gsize length;

  if (at != NULL && !parse_time (at, &now_ms)) {
    fprintf (err, "%s: no time; \"now\" or milliseconds since 1970 are allowed\n", at);
    return EXIT_USAGE;
  }
  text = zinit_file_read (path, ZINIT_MAX_STATE_BYTES, &length, NULL, &error);
  if (text != NULL)
    state = zinit_saved_state_parse (text, length, ZINIT_EXTRAS_SKIP, &error);
  if (state == NULL || (at != NULL && !zinit_saved_state_check (state, now_ms, &error)))
    return refuse (path, error, err);
  canonical = zinit_saved_state_print (state, &length);
  return print (canonical, length, out, err);
}

int
zinit_check_fds_file (const char *path, FILE *out, FILE *err)
{
  g_autoptr (ZinitSavedFds) fds = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *canonical = NULL;
  gsize length;

  text = zinit_file_read (path, ZINIT_MAX_STATE_BYTES, &length, NULL, &error);
  if (text != NULL)
    fds = zinit_saved_fds_parse (text, length, &error);
  if (fds == NULL)
    return refuse (path, error, err);
  canonical = zinit_saved_fds_print (fds, &length);
  return print (canonical, length, out, err);
}
