/* SPDX-License-Identifier: Apache-2.0
 *
 * `zinit add`, `remove`, `reload`, `config`: the definitions the daemon has. */
#define G_LOG_DOMAIN "zinit-client"

#include "client/command.h"
#include "client/definition.h"
#include "client/json.h"
#include "client/output.h"
#include "client/service-names.h"
#include "client/standard-input.h"
#include "client/toml.h"
#include "names.h"

#include <glib/gi18n.h>

static void
print_added (ZinitClient *client, GVariant *definition, const char *path)
{
  const char *name = "";
  g_autoptr (GVariant) section = g_variant_lookup_value (definition, "service", G_VARIANT_TYPE_VARDICT);
  if (section != NULL)
    g_variant_lookup (section, "name", "&s", &name);
  if (!client->json) {
    zinit_output_print (_ ("%s: added\n"), name);
    return;
  }
  GString *json = g_string_new ("{");
  zinit_json_key (json, "service");
  zinit_json_string (json, name);
  zinit_json_key (json, "path");
  zinit_json_string (json, path);
  zinit_json_print (g_string_append_c (json, '}'));
}

ZinitExitCode
zinit_command_add (ZinitClient *client, int argc, char **argv)
{
  gboolean persist = FALSE, replace = FALSE;
  const GOptionEntry entries[] = {
    { "persist", 'p', 0, G_OPTION_ARG_NONE, &persist,
      N_ ("Also save it as a file in the daemon's folder of definitions"), NULL },
    { "replace", 'r', 0, G_OPTION_ARG_NONE, &replace,
      N_ ("If a service with this name exists, replace its definition"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 1, 1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) definition = g_str_equal (words[0], "-")
                                        ? zinit_definition_read_standard_input (&error)
                                        : zinit_definition_read (words[0], &error);
  if (definition == NULL)
    return zinit_command_fail (error);
  g_variant_ref_sink (definition);

  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "persist", "b", persist);
  g_variant_dict_insert (&options, "replace", "b", replace);
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "AddService", g_variant_new ("(@a{sa{sv}}@a{sv})", definition, g_variant_dict_end (&options)),
      "(o)", &error);
  if (reply == NULL && zinit_command_is_error (error, "ServiceExists")) {
    zinit_output_print_error (
        _ ("a service with this name exists already; use --replace to give it this definition"));
    return ZINIT_EXIT_FAILED;
  }
  if (reply == NULL)
    return zinit_command_fail (error);
  const char *path = NULL;
  g_variant_get (reply, "(&o)", &path);
  print_added (client, definition, path);
  return ZINIT_EXIT_DONE;
}

static ZinitExitCode
remove_one (ZinitClient *client, const char *name, gboolean stop, GString *json)
{
  g_autoptr (GError) error = NULL;
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "stop", "b", stop);
  g_autoptr (GVariant) reply =
      zinit_command_call (client, "RemoveService",
                          g_variant_new ("(s@a{sv})", name, g_variant_dict_end (&options)), NULL, &error);
  if (client->json) {
    zinit_json_next (json);
    g_string_append_c (json, '{');
    zinit_json_key (json, "service");
    zinit_json_string (json, name);
    zinit_command_append_result (json, error);
    g_string_append_c (json, '}');
    return zinit_command_exit_code (error);
  }
  if (reply == NULL && zinit_command_is_error (error, "AlreadyRunning")) {
    zinit_output_print_error (_ ("%s is running; stop it first, or remove it with --stop"), name);
    return ZINIT_EXIT_FAILED;
  }
  if (reply == NULL)
    return zinit_names_fail (client, name, error);
  zinit_output_print (_ ("%s: removed\n"), name);
  return ZINIT_EXIT_DONE;
}

static ZinitExitCode
remove_all (ZinitClient *client, GString *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "RemoveAll", g_variant_new ("(@a{sv})", zinit_command_no_options ()), "(as)", &error);
  if (reply == NULL)
    return zinit_command_fail (error);
  g_autofree const char **names = NULL;
  g_variant_get (reply, "(^a&s)", &names);
  for (gsize i = 0; names[i] != NULL; i++) {
    if (!client->json) {
      zinit_output_print (_ ("%s: removed\n"), names[i]);
      continue;
    }
    zinit_json_next (json);
    g_string_append_c (json, '{');
    zinit_json_key (json, "service");
    zinit_json_string (json, names[i]);
    zinit_command_append_result (json, NULL);
    g_string_append_c (json, '}');
  }
  return ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_remove (ZinitClient *client, int argc, char **argv)
{
  gboolean stop = FALSE, all = FALSE;
  const GOptionEntry entries[] = {
    { "stop", 's', 0, G_OPTION_ARG_NONE, &stop, N_ ("Stop them first if they are running"), NULL },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &all, N_ ("Stop and remove all services of class user"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 0, -1, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  if (all && *words != NULL)
    return zinit_command_usage_error (client, _ ("--all and names cannot be used together"));
  if (!all && *words == NULL)
    return zinit_command_usage_error (client, _ ("the name of a service is missing"));

  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  g_auto (GStrv) names = zinit_names_expand (client, words, &exit_code);
  if (names == NULL)
    return exit_code;
  g_autoptr (GString) json = g_string_new ("[");
  if (all)
    exit_code = remove_all (client, json);
  for (gsize i = 0; names[i] != NULL && exit_code != ZINIT_EXIT_NO_DAEMON; i++)
    exit_code = zinit_command_worse (exit_code, remove_one (client, names[i], stop, json));
  if (client->json)
    zinit_json_print (g_string_append_c (g_steal_pointer (&json), ']'));
  return exit_code;
}

static void
print_reload_list (const char *format, GVariant *reply, gsize index)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (reply, index);
  for (gsize i = 0; i < g_variant_n_children (list); i++) {
    const char *name = NULL;
    g_variant_get_child (list, i, "&s", &name);
    zinit_output_print ("%s: %s\n", name, format);
  }
}

static void
print_reload (GVariant *reply)
{
  print_reload_list (_ ("added"), reply, 0);
  print_reload_list (_ ("changed"), reply, 1);
  print_reload_list (_ ("removed"), reply, 2);
  g_autoptr (GVariant) errors = g_variant_get_child_value (reply, 3);
  gsize n_errors = g_variant_n_children (errors);
  for (gsize i = 0; i < n_errors; i++) {
    const char *path = NULL, *message = NULL;
    g_variant_get_child (errors, i, "(&s&s)", &path, &message);
    /* A message that begins with its place needs no second path. */
    if (*path == '\0' || g_str_has_prefix (message, path))
      zinit_output_print_error ("%s", message);
    else
      zinit_output_print_error ("%s: %s", path, message);
  }
  gsize changes = n_errors;
  for (gsize i = 0; i < 3; i++) {
    g_autoptr (GVariant) list = g_variant_get_child_value (reply, i);
    changes += g_variant_n_children (list);
  }
  if (changes == 0)
    zinit_output_print (_ ("nothing changed\n"));
}

static void
print_reload_json (GVariant *reply)
{
  static const char *const keys[] = { "added", "changed", "removed" };
  GString *json = g_string_new ("{");
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autoptr (GVariant) list = g_variant_get_child_value (reply, i);
    zinit_json_key (json, keys[i]);
    zinit_json_value (json, list);
  }
  zinit_json_key (json, "errors");
  g_string_append_c (json, '[');
  g_autoptr (GVariant) errors = g_variant_get_child_value (reply, 3);
  for (gsize i = 0; i < g_variant_n_children (errors); i++) {
    const char *path = NULL, *message = NULL;
    g_variant_get_child (errors, i, "(&s&s)", &path, &message);
    zinit_json_next (json);
    g_string_append_c (json, '{');
    zinit_json_key (json, "file");
    zinit_json_string (json, path);
    zinit_json_key (json, "message");
    zinit_json_string (json, message);
    g_string_append_c (json, '}');
  }
  zinit_json_print (g_string_append (json, "]}"));
}

ZinitExitCode
zinit_command_reload (ZinitClient *client, int argc, char **argv)
{
  gboolean allow_empty = FALSE;
  const GOptionEntry entries[] = {
    { "allow-empty", 0, 0, G_OPTION_ARG_NONE, &allow_empty,
      N_ ("If no definition file is left, remove every service that had one"), NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = zinit_command_parse (client, entries, 0, 0, argc, argv);
  if (words == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  if (allow_empty)
    g_variant_dict_insert (&options, "allow_empty", "b", TRUE);
  g_autoptr (GVariant) reply = zinit_command_call (
      client, "Reload", g_variant_new ("(@a{sv})", g_variant_dict_end (&options)), "(asasasa(ss))", &error);
  if (reply == NULL)
    return zinit_command_fail (error);
  if (client->json)
    print_reload_json (reply);
  else
    print_reload (reply);
  g_autoptr (GVariant) errors = g_variant_get_child_value (reply, 3);
  return g_variant_n_children (errors) > 0 ? ZINIT_EXIT_FAILED : ZINIT_EXIT_DONE;
}

ZinitExitCode
zinit_command_config (ZinitClient *client, int argc, char **argv)
{
  g_auto (GStrv) names = zinit_command_parse (client, NULL, 1, 1, argc, argv);
  if (names == NULL)
    return ZINIT_EXIT_USAGE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) found =
      zinit_command_call (client, "GetService", g_variant_new ("(s)", names[0]), "(o)", &error);
  if (found == NULL)
    return zinit_names_fail (client, names[0], error);
  const char *path = NULL;
  g_variant_get (found, "(&o)", &path);
  g_autoptr (GVariant) reply = zinit_command_call_object (client, path, ZINIT_SERVICE_INTERFACE, "GetConfig",
                                                          NULL, "(a{sa{sv}})", &error);
  if (reply == NULL)
    return zinit_command_fail (error);

  g_autoptr (GVariant) definition = g_variant_get_child_value (reply, 0);
  if (client->json) {
    GString *json = g_string_new (NULL);
    zinit_json_value (json, definition);
    zinit_json_print (json);
  } else {
    g_autofree char *text = zinit_toml_from_definition (definition);
    zinit_output_print ("%s", text);
  }
  return ZINIT_EXIT_DONE;
}
