/* SPDX-License-Identifier: Apache-2.0
 *
 * Definition files, TOML and JSON: what is accepted reads back the same from either spelling, and an error is
 * text.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include <string.h>

#include "config/format.h"
#include "target.h"

static void
check_again (const ZinitDefinition *definition)
{
  g_autofree char *toml = zinit_definition_to_toml (definition);
  g_autoptr (JsonNode) json = zinit_definition_to_json (definition);
  g_autoptr (ZinitDefinition) from_toml = NULL;
  g_autoptr (ZinitDefinition) from_json = NULL;
  g_autoptr (GError) error = NULL;

  from_toml = zinit_definition_parse (toml, strlen (toml), FALSE, NULL, NULL, NULL);
  g_assert_nonnull (from_toml);
  g_assert_true (zinit_definition_equal (from_toml, definition));
  from_json = zinit_definition_from_json (json, NULL, ZINIT_KEYS_STRICT, &error);
  g_assert_no_error (error);
  g_assert_true (zinit_definition_equal (from_json, definition));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  for (guint is_json = 0; is_json < 2; is_json++) {
    g_autoptr (GPtrArray) problems = zinit_problems_new ();
    g_autofree char *name = NULL;
    g_autoptr (ZinitDefinition) definition =
        zinit_definition_parse ((const char *)data, size, is_json, "default", &name, problems);

    g_assert_nonnull (name);
    g_assert_true ((definition == NULL) == (problems->len > 0));
    if (definition != NULL)
      check_again (definition);
    else
      for (guint i = 0; i < problems->len; i++)
        g_assert_true (g_utf8_validate (((ZinitProblem *)problems->pdata[i])->message, -1, NULL));
  }
  return 0;
}
