/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes the answer apart: by hand when it comes over the private socket, as a value from a message bus.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/rows.h"

#include "client/wire.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE "a(sosssutttus)"

static ZinitRow
read_row (ZinitWire *wire)
{
  ZinitRow row;
  zinit_wire_align (wire, 8);
  row.name = zinit_wire_read_string (wire);
  zinit_wire_read_string (wire); /* its object */
  row.state = zinit_wire_read_string (wire);
  row.sub_state = zinit_wire_read_string (wire);
  row.health = zinit_wire_read_string (wire);
  row.pid = zinit_wire_read_uint32 (wire);
  row.state_changed_at_usec = zinit_wire_read_uint64 (wire);
  row.started_at_usec = zinit_wire_read_uint64 (wire);
  row.next_restart_usec = zinit_wire_read_uint64 (wire);
  row.restart_count = zinit_wire_read_uint32 (wire);
  row.status_text = zinit_wire_read_string (wire);
  return row;
}

static gboolean
read_bytes (ZinitRows *rows, GError **error)
{
  gsize length = 0;
  const guchar *bytes = g_bytes_get_data (rows->bytes, &length);
  ZinitWire wire = { .bytes = bytes, .length = length };
  gsize end = zinit_wire_enter_array (&wire, 8);
  while (!wire.is_broken && wire.at < end) {
    ZinitRow row = read_row (&wire);
    g_array_append_val (rows->rows, row);
  }
  if (!wire.is_broken)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _ ("the daemon's list of services cannot be read"));
  return FALSE;
}

static void
read_value (ZinitRows *rows)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (rows->value, 0);
  GVariantIter iter;
  ZinitRow row;
  g_variant_iter_init (&iter, list);
  while (g_variant_iter_next (&iter, "(&s&o&s&s&sutttu&s)", &row.name, NULL, &row.state, &row.sub_state,
                              &row.health, &row.pid, &row.state_changed_at_usec, &row.started_at_usec,
                              &row.next_restart_usec, &row.restart_count, &row.status_text))
    g_array_append_val (rows->rows, row);
}

static GVariant *
make_options (char **names)
{
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  if (names != NULL && *names != NULL)
    g_variant_dict_insert (&options, "names", "^as", names);
  return g_variant_new ("(@a{sv})", g_variant_dict_end (&options));
}

ZinitRows *
zinit_rows_fetch (ZinitClient *client, char **names, GError **error)
{
  g_autoptr (ZinitRows) rows = g_new0 (ZinitRows, 1);
  rows->rows = g_array_new (FALSE, FALSE, sizeof (ZinitRow));
  if (zinit_command_call_raw (client, "List", make_options (names), SIGNATURE, &rows->bytes, error))
    return read_bytes (rows, error) ? g_steal_pointer (&rows) : NULL;
  if (*error != NULL)
    return NULL;
  rows->value = zinit_command_call (client, "List", make_options (names), "(" SIGNATURE ")", error);
  if (rows->value == NULL)
    return NULL;
  /* Serialised, so that strings lent by its children stay where they are. */
  g_variant_get_data (rows->value);
  read_value (rows);
  return g_steal_pointer (&rows);
}

void
zinit_rows_free (ZinitRows *rows)
{
  g_array_unref (rows->rows);
  g_clear_pointer (&rows->bytes, g_bytes_unref);
  g_clear_pointer (&rows->value, g_variant_unref);
  g_free (rows);
}

static int
compare_with_name (gconstpointer name, gconstpointer row)
{
  return strcmp (name, ((const ZinitRow *)row)->name);
}

const ZinitRow *
zinit_rows_find (const ZinitRows *rows, const char *name)
{
  if (rows->rows->len == 0)
    return NULL;
  return bsearch (name, rows->rows->data, rows->rows->len, sizeof (ZinitRow), compare_with_name);
}
