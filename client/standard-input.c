/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts standard input into a file of its own, and takes that file's name out of messages again.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/standard-input.h"

#include "client/definition.h"

#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* The daemon's limit of a definition is far below it. */
#define MAX_BYTES (16 * 1024 * 1024)
/* A service without a name of its own is called after its file: no service can be meant by this one. */
#define STEM "-"

static GBytes *
read_all (GError **error)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  gssize length = g_output_stream_splice (output, input, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, error);
  if (length < 0)
    return NULL;
  if (length > MAX_BYTES) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("standard input is too long for a definition; at most %d MiB are read"),
                 MAX_BYTES / (1024 * 1024));
    return NULL;
  }
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (output));
}

static gboolean
is_json (GBytes *bytes)
{
  gsize length = 0;
  const char *text = g_bytes_get_data (bytes, &length);
  gsize i = 0;
  while (i < length && g_ascii_isspace (text[i]))
    i++;
  return i < length && text[i] == '{';
}

static gboolean
has_name (GVariant *definition)
{
  const char *name = NULL;
  g_autoptr (GVariant) section = g_variant_lookup_value (definition, "service", G_VARIANT_TYPE_VARDICT);
  return section != NULL && g_variant_lookup (section, "name", "&s", &name) && !g_str_equal (name, STEM);
}

static GVariant *
read_file (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  GVariant *definition = zinit_definition_read (path, &local);
  if (definition == NULL) {
    g_auto (GStrv) parts = g_strsplit (local->message, path, -1);
    g_autofree char *message = g_strjoinv (_ ("standard input"), parts);
    g_set_error_literal (error, local->domain, local->code, message);
    return NULL;
  }
  if (has_name (definition))
    return definition;
  g_variant_unref (g_variant_ref_sink (definition));
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("a definition from standard input must have a name: name = \"...\" in [service]"));
  return NULL;
}

GVariant *
zinit_definition_read_standard_input (GError **error)
{
  g_autoptr (GBytes) bytes = read_all (error);
  g_autofree char *folder = bytes != NULL ? g_dir_make_tmp ("zinit-XXXXXX", error) : NULL;
  if (folder == NULL)
    return NULL;
  g_autofree char *path = g_build_filename (folder, is_json (bytes) ? STEM ".json" : STEM ".toml", NULL);
  GVariant *definition = NULL;
  gsize length = 0;
  const char *text = g_bytes_get_data (bytes, &length);
  if (g_file_set_contents (path, text != NULL ? text : "", (gssize)length, error))
    definition = read_file (path, error);
  g_unlink (path);
  g_rmdir (folder);
  return definition;
}
