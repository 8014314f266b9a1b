/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit logs -f`: reads the pipe that FollowLogs gives, one JSON object a line. Signals are not used: a pipe
 * holds back who writes too fast for us, a bus would not.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/logs.h"

#include "client/output.h"
#include "names.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <unistd.h>

/* -1 with @error set. */
static int
open_stream (ZinitClient *client, const ZinitLogsRequest *request, GError **error)
{
  ZinitConnection *connection = zinit_command_connect (client, error);
  if (connection == NULL)
    return -1;
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "lines", "u", (guint32)request->lines);

  g_autoptr (GUnixFDList) descriptors = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_with_unix_fd_list_sync (
      zinit_connection_get_bus (connection), zinit_connection_get_destination (connection),
      ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, "FollowLogs",
      g_variant_new ("(^as@a{sv})", request->names, g_variant_dict_end (&options)), G_VARIANT_TYPE ("(h)"),
      G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1, NULL, &descriptors, NULL, error);
  if (reply == NULL)
    return -1;
  gint32 index = -1;
  g_variant_get (reply, "(h)", &index);
  if (descriptors == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("the daemon's answer holds no descriptor to read lines from"));
    return -1;
  }
  return g_unix_fd_list_get (descriptors, index, error);
}

/* The string member, or @otherwise when there is none. Borrowed. */
static const char *
get_string (JsonObject *object, const char *member, const char *otherwise)
{
  JsonNode *node = json_object_get_member (object, member);
  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : otherwise;
}

static void
show_line (const ZinitLogsRequest *request, gboolean as_json, JsonParser *parser, const char *text,
           gssize length)
{
  g_autoptr (GError) error = NULL;
  JsonNode *root = NULL;
  if (json_parser_load_from_data (parser, text, length, &error))
    root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    zinit_output_print_error (_ ("a line from the daemon cannot be read: %s"),
                              error != NULL ? error->message : _ ("it is not an object"));
    return;
  }
  JsonObject *object = json_node_get_object (root);
  JsonNode *time = json_object_get_member (object, "time_usec");
  ZinitLine line = {
    .service = get_string (object, "service", "?"),
    .stream = get_string (object, "stream", "stdout"),
    .text = get_string (object, "text", ""),
    .time_usec =
        time != NULL && json_node_get_value_type (time) == G_TYPE_INT64 ? json_node_get_int (time) : 0,
  };
  if (line.time_usec < request->since_usec ||
      (request->stream != NULL && !g_str_equal (line.stream, request->stream)))
    return;
  if (as_json)
    zinit_line_print_json (&line);
  else
    zinit_line_print (&line, request->with_names, request->raw);
  zinit_output_flush ();
}

ZinitExitCode
zinit_logs_follow (ZinitClient *client, const ZinitLogsRequest *request)
{
  g_autoptr (GError) error = NULL;
  int descriptor = open_stream (client, request, &error);
  if (descriptor < 0)
    return zinit_command_fail (error);
  FILE *stream = fdopen (descriptor, "r");
  if (stream == NULL) {
    zinit_output_print_error ("%s", g_strerror (errno));
    close (descriptor);
    return ZINIT_EXIT_FAILED;
  }

  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  char *text = NULL; /* getline's own */
  size_t size = 0;
  ssize_t length = 0;
  while ((length = getline (&text, &size, stream)) > 0)
    show_line (request, client->json, parser, text, length);
  free (text);
  fclose (stream);
  zinit_output_print_error (_ ("the daemon stopped sending lines"));
  return ZINIT_EXIT_NO_DAEMON;
}
