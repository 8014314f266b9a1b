/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict JSON reader: what it reads as a tree is the same after it was written, and what can be read can
 * be passed over and copied as well.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include <string.h>

#include "config/json-writer.h"
#include "config/strict-json.h"
#include "target.h"

/* The text of the whole document in the fixed layout, or NULL. */
static char *
copy (const char *text, gsize length)
{
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (text, length, 100);
  g_autoptr (GString) out = g_string_new (NULL);

  if (!zinit_json_copy_value (reader, out, 0) || !zinit_json_reader_end (reader))
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static gboolean
can_skip (const char *text, gsize length)
{
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (text, length, 0);

  return zinit_json_reader_skip (reader, NULL, NULL) && zinit_json_reader_end (reader);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *text = (const char *)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) tree = zinit_strict_json_parse (text, size, &error);
  g_autofree char *copied = copy (text, size);

  g_assert_true ((tree == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
  if (tree != NULL) {
    g_autoptr (GString) written = g_string_new (NULL);
    g_autoptr (JsonNode) again = NULL;

    g_assert_nonnull (copied);
    zinit_json_write_node (written, tree, 0);
    again = zinit_strict_json_parse (written->str, written->len, NULL);
    g_assert_nonnull (again);
    g_assert_true (json_node_equal (again, tree));
  }
  if (copied != NULL) {
    g_autofree char *twice = copy (copied, strlen (copied));

    g_assert_true (can_skip (text, size));
    g_assert_cmpstr (twice, ==, copied);
  }
  return 0;
}
