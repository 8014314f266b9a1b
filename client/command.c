/* SPDX-License-Identifier: Apache-2.0
 *
 * Options, calls and errors, the same for every command.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "zinit-config.h"

#include "client/command.h"

#include "client/json.h"
#include "client/output.h"
#include "names.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

static struct {
  gboolean system;
  gboolean user;
  gboolean json;
  char *socket;
  char *address;
  char *color;
} globals;

const GOptionEntry *
zinit_command_global_entries (void)
{
  static const GOptionEntry entries[] = {
    { "system", 0, 0, G_OPTION_ARG_NONE, &globals.system,
      N_ ("Talk to the system's daemon (default as root)"), NULL },
    { "user", 0, 0, G_OPTION_ARG_NONE, &globals.user,
      N_ ("Talk to the user's own daemon (default otherwise)"), NULL },
    { "session", 0, 0, G_OPTION_ARG_NONE, &globals.user, N_ ("The same as --user"), NULL },
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &globals.socket,
      N_ ("Talk to the daemon of this private socket"), N_ ("PATH") },
    { "address", 0, 0, G_OPTION_ARG_STRING, &globals.address,
      N_ ("Talk to the daemon on this D-Bus message bus"), N_ ("ADDRESS") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &globals.json, N_ ("Print JSON"), NULL },
    { "color", 0, 0, G_OPTION_ARG_STRING, &globals.color, N_ ("Colour: auto, always or never"), N_ ("WHEN") },
    G_OPTION_ENTRY_NULL,
  };
  return entries;
}

static void
usage_error (GError **error, const char *message)
{
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
}

gboolean
zinit_command_take_globals (ZinitClient *client, GError **error)
{
  if (globals.system + globals.user + (globals.socket != NULL) + (globals.address != NULL) > 1) {
    usage_error (error,
                 _ ("only one of --system, --user (or --session), --socket and --address can be used"));
    return FALSE;
  }
  if (!zinit_output_set_color (globals.color != NULL ? globals.color : "auto")) {
    usage_error (error, _ ("--color must be auto, always or never"));
    return FALSE;
  }
  if (globals.address != NULL && !g_dbus_is_address (globals.address)) {
    usage_error (error,
                 _ ("--address must be a D-Bus address such as unix:path=/run/dbus/system_bus_socket"));
    return FALSE;
  }
  gboolean system = globals.system || (!globals.user && geteuid () == 0);
  client->options.scope = system ? ZINIT_SCOPE_SYSTEM : ZINIT_SCOPE_SESSION;
  client->options.is_explicit = globals.system || globals.user;
  client->options.socket = globals.socket;
  client->options.address = globals.address;
  client->json = globals.json;
  return TRUE;
}

ZinitExitCode
zinit_command_usage_error (ZinitClient *client, const char *message)
{
  zinit_output_print_error ("%s", message);
  if (client->command != NULL)
    zinit_output_print_detail (_ ("See \"zinit %s --help\"."), client->command->name);
  else
    zinit_output_print_detail (_ ("See \"zinit --help\"."));
  return ZINIT_EXIT_USAGE;
}

static gboolean
check_words (ZinitClient *client, char **words, int minimum, int maximum)
{
  int count = words != NULL ? (int)g_strv_length (words) : 0;
  if (count >= minimum && (maximum < 0 || count <= maximum))
    return TRUE;
  g_autofree char *message =
      count < minimum
          ? g_strdup_printf (_ ("%s: %s is missing"), client->command->name, _ (client->command->arguments))
          : g_strdup_printf (_ ("%s: unexpected argument \"%s\""), client->command->name, words[maximum]);
  zinit_command_usage_error (client, message);
  return FALSE;
}

char **
zinit_command_parse (ZinitClient *client, const GOptionEntry *entries, int minimum, int maximum, int argc,
                     char **argv)
{
  g_auto (GStrv) words = NULL;
  const char *arguments = client->command->arguments;
  const GOptionEntry rest[] = { { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL,
                                  *arguments != '\0' ? arguments : NULL },
                                G_OPTION_ENTRY_NULL };
  g_autofree char *name = g_strconcat ("zinit ", client->command->name, NULL);
  g_set_prgname (name);

  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, client->command->summary);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, zinit_command_global_entries (), GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, rest, GETTEXT_PACKAGE);

  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error) ||
      !zinit_command_take_globals (client, &error)) {
    zinit_command_usage_error (client, error->message);
    return NULL;
  }
  if (!check_words (client, words, minimum, maximum))
    return NULL;
  for (gsize i = 0; words != NULL && words[i] != NULL && !client->command->takes_files; i++)
    if (!g_utf8_validate (words[i], -1, NULL)) {
      zinit_command_usage_error (client, _ ("the name of a service must be valid UTF-8"));
      return NULL;
    }
  return words != NULL ? g_steal_pointer (&words) : g_new0 (char *, 1);
}

static ZinitConnection *
get_connection (ZinitClient *client, GError **error)
{
  if (client->connection == NULL)
    client->connection = zinit_connection_new (&client->options, error);
  return client->connection;
}

ZinitConnection *
zinit_command_connect (ZinitClient *client, GError **error)
{
  ZinitConnection *connection = get_connection (client, error);
  return connection != NULL && zinit_connection_open_bus (connection, error) ? connection : NULL;
}

GVariant *
zinit_command_call_object (ZinitClient *client, const char *path, const char *interface, const char *method,
                           GVariant *parameters, const char *reply_type, GError **error)
{
  g_autoptr (GVariant) owned = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  ZinitConnection *connection = get_connection (client, error);
  if (connection == NULL)
    return NULL;
  return zinit_connection_call (connection, path, interface, method, owned,
                                reply_type != NULL ? reply_type : "()", error);
}

gboolean
zinit_command_call_raw (ZinitClient *client, const char *method, GVariant *parameters, const char *signature,
                        GBytes **ret_body, GError **error)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  ZinitConnection *connection = get_connection (client, error);
  if (connection != NULL)
    *ret_body = zinit_connection_call_raw (connection, method, owned, signature, error);
  return *ret_body != NULL;
}

GVariant *
zinit_command_call (ZinitClient *client, const char *method, GVariant *parameters, const char *reply_type,
                    GError **error)
{
  return zinit_command_call_object (client, ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, method, parameters,
                                    reply_type, error);
}

gboolean
zinit_command_is_error (const GError *error, const char *name)
{
  g_autofree char *remote = g_dbus_error_get_remote_error (error);
  return remote != NULL && g_str_has_prefix (remote, ZINIT_ERROR_PREFIX) &&
         g_str_equal (remote + strlen (ZINIT_ERROR_PREFIX), name);
}

/* What an ended connection looks like, from this side and from a message bus. */
static gboolean
is_gone (const GError *error)
{
  static const GDBusError bus_codes[] = { G_DBUS_ERROR_SERVICE_UNKNOWN, G_DBUS_ERROR_NAME_HAS_NO_OWNER,
                                          G_DBUS_ERROR_DISCONNECTED, G_DBUS_ERROR_NO_REPLY };
  for (gsize i = 0; i < G_N_ELEMENTS (bus_codes); i++)
    if (g_error_matches (error, G_DBUS_ERROR, bus_codes[i]))
      return TRUE;
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

/* Refused by the daemon, by the bus, or at the socket. */
static gboolean
is_denied (const GError *error)
{
  g_autofree char *remote = g_dbus_error_get_remote_error (error);
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED) ||
         g_error_matches (error, ZINIT_CONNECTION_ERROR, ZINIT_CONNECTION_ERROR_NOT_ALLOWED) ||
         g_strcmp0 (remote, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired") == 0;
}

ZinitExitCode
zinit_command_worse (ZinitExitCode a, ZinitExitCode b)
{
  if (a == ZINIT_EXIT_NO_DAEMON || b == ZINIT_EXIT_NO_DAEMON)
    return ZINIT_EXIT_NO_DAEMON;
  return MAX (a, b);
}

ZinitExitCode
zinit_command_exit_code (const GError *error)
{
  if (error == NULL)
    return ZINIT_EXIT_DONE;
  if (is_denied (error))
    return ZINIT_EXIT_NOT_ALLOWED;
  if (error->domain == ZINIT_CONNECTION_ERROR || is_gone (error))
    return ZINIT_EXIT_NO_DAEMON;
  return zinit_command_is_error (error, "NoSuchService") ? ZINIT_EXIT_NO_SUCH_SERVICE : ZINIT_EXIT_FAILED;
}

char *
zinit_command_error_message (const GError *error)
{
  if (is_gone (error))
    return g_strdup (_ ("the connection to the daemon was lost"));
  g_autoptr (GError) copy = g_error_copy (error);
  g_dbus_error_strip_remote_error (copy);
  return g_strdup (copy->message);
}

ZinitExitCode
zinit_command_fail (const GError *error)
{
  g_autofree char *message = zinit_command_error_message (error);
  zinit_output_print_error ("%s", message);
  return zinit_command_exit_code (error);
}

void
zinit_command_append_result (GString *json, const GError *error)
{
  zinit_json_key (json, "ok");
  g_string_append (json, error == NULL ? "true" : "false");
  zinit_json_key (json, "error");
  if (error == NULL) {
    g_string_append (json, "null");
    return;
  }
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  g_autofree char *message = zinit_command_error_message (error);
  g_string_append_c (json, '{');
  zinit_json_key (json, "name");
  zinit_json_string (json, name);
  zinit_json_key (json, "message");
  zinit_json_string (json, message);
  g_string_append_c (json, '}');
}

GVariant *
zinit_command_no_options (void)
{
  return g_variant_new ("a{sv}", NULL);
}
