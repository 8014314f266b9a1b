/* SPDX-License-Identifier: Apache-2.0
 *
 * The state format: a document that is read is the same after it was written, with the extra fields and
 * without; a refusal names a field and a reason in one line of text.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include <string.h>

#include "persist/state-format.h"
#include "target.h"

static void
check_refusal (const GError *error)
{
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, ": "));
  g_assert_null (strchr (error->message, '\n'));
}

/* Returns whether it was accepted. */
static gboolean
check_state (const char *text, gsize size, ZinitExtras extras)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitSavedState) state = zinit_saved_state_parse (text, size, extras, &error);
  g_autoptr (ZinitSavedState) again = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  if (state == NULL) {
    check_refusal (error);
    return FALSE;
  }
  first = zinit_saved_state_print (state, NULL);
  again = zinit_saved_state_parse (first, strlen (first), extras, &error);
  g_assert_no_error (error);
  second = zinit_saved_state_print (again, NULL);
  g_assert_cmpstr (second, ==, first);
  return TRUE;
}

static void
check_fds (const char *text, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitSavedFds) fds = zinit_saved_fds_parse (text, size, &error);
  g_autoptr (ZinitSavedFds) again = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  if (fds == NULL) {
    check_refusal (error);
    return;
  }
  first = zinit_saved_fds_print (fds, NULL);
  again = zinit_saved_fds_parse (first, strlen (first), &error);
  g_assert_no_error (error);
  second = zinit_saved_fds_print (again, NULL);
  g_assert_cmpstr (second, ==, first);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *text = (const char *)data;

  /* The extra fields never change the verdict. */
  g_assert_true (check_state (text, size, ZINIT_EXTRAS_SKIP) == check_state (text, size, ZINIT_EXTRAS_READ));
  check_fds (text, size);
  return 0;
}
