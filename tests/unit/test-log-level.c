/* SPDX-License-Identifier: Apache-2.0
 *
 * The level of the daemon's own messages.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "model/error.h"
#include "model/log-level.h"

static const GLogLevelFlags levels[] = { G_LOG_LEVEL_ERROR, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE,
                                         G_LOG_LEVEL_INFO, G_LOG_LEVEL_DEBUG };

/* Each word lets through its own level and those before it. */
static void
test_levels (void)
{
  g_assert_cmpstr (zinit_log_level_get (), ==, "message");
  for (guint word = 0; zinit_log_level_words[word] != NULL; word++) {
    g_autoptr (GError) error = NULL;

    g_assert_true (zinit_log_level_set (zinit_log_level_words[word], &error));
    g_assert_no_error (error);
    g_assert_cmpstr (zinit_log_level_get (), ==, zinit_log_level_words[word]);
    for (guint level = 0; level < G_N_ELEMENTS (levels); level++)
      g_assert_cmpint (zinit_log_level_allows (levels[level]), ==, level <= word);
    g_assert_cmpint (zinit_log_level_allows (G_LOG_LEVEL_CRITICAL), ==, word >= 1);
    g_assert_true (zinit_log_level_allows (G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL));
    g_assert_cmpint (zinit_log_level_allows (G_LOG_LEVEL_DEBUG | G_LOG_FLAG_FATAL), ==, word >= 4);
  }
}

static void
test_refused (void)
{
  static const char *const words[] = { "", "loud", "Debug", "debug ", "warn" };

  g_assert_true (zinit_log_level_set ("info", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (zinit_log_level_set (words[i], &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS);
    g_assert_nonnull (strstr (error->message, "error, warning, message, info and debug"));
    g_assert_cmpstr (zinit_log_level_get (), ==, "info");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log-level/levels", test_levels);
  g_test_add_func ("/log-level/refused", test_refused);
  return g_test_run ();
}
