/* SPDX-License-Identifier: Apache-2.0
 *
 * Running the command `zinit` against a test's daemon.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "command.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
command_result_free (CommandResult *result)
{
  g_free (result->out);
  g_free (result->err);
  g_free (result);
}

static char **
make_argv (Harness *harness, const char *options, const char *format, va_list list)
{
  g_autofree char *words = g_strdup_vprintf (format, list);
  g_autofree char *line = g_strdup_printf ("'%s' %s %s", harness_zinit (), options ? options : "", words);
  g_autoptr (GError) error = NULL;
  char **argv = NULL;

  g_shell_parse_argv (line, NULL, &argv, &error);
  g_assert_no_error (error);
  return argv;
}

static char *
bus_option (Harness *harness)
{
  return g_strdup_printf ("--address '%s'", harness->bus_address);
}

static CommandResult *
run (Harness *harness, char **argv)
{
  CommandResult *result = g_new0 (CommandResult, 1);
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (harness->directory, argv, harness->environment, G_SPAWN_DEFAULT, NULL, NULL, &result->out,
                &result->err, &status, &error);
  g_assert_no_error (error);
  result->code = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  return result;
}

CommandResult *
command_run (Harness *harness, const char *format, ...)
{
  g_autofree char *options = bus_option (harness);
  g_auto (GStrv) argv = NULL;
  va_list list;

  va_start (list, format);
  argv = make_argv (harness, options, format, list);
  va_end (list);
  return run (harness, argv);
}

CommandResult *
command_run_plain (Harness *harness, const char *format, ...)
{
  g_auto (GStrv) argv = NULL;
  va_list list;

  va_start (list, format);
  argv = make_argv (harness, NULL, format, list);
  va_end (list);
  return run (harness, argv);
}

JsonNode *
command_run_json (Harness *harness, int code, const char *format, ...)
{
  g_autofree char *bus = bus_option (harness), *options = g_strconcat (bus, " --json", NULL);
  g_autoptr (CommandResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) argv = NULL;
  JsonNode *node;
  va_list list;

  va_start (list, format);
  argv = make_argv (harness, options, format, list);
  va_end (list);
  result = run (harness, argv);
  command_check (result, code);
  node = json_from_string (result->out, &error);
  if (error || node == NULL)
    g_error ("no JSON (%s): %s", error ? error->message : "empty", result->out);
  return node;
}

static char *
print (Harness *harness, int code, char **argv)
{
  g_autoptr (CommandResult) result = run (harness, argv);

  command_check (result, code);
  return g_strconcat (result->out, result->err, NULL);
}

char *
command_print (Harness *harness, int code, const char *format, ...)
{
  g_autofree char *options = bus_option (harness);
  g_auto (GStrv) argv = NULL;
  va_list list;

  va_start (list, format);
  argv = make_argv (harness, options, format, list);
  va_end (list);
  return print (harness, code, argv);
}

char *
command_print_plain (Harness *harness, int code, const char *format, ...)
{
  g_auto (GStrv) argv = NULL;
  va_list list;

  va_start (list, format);
  argv = make_argv (harness, NULL, format, list);
  va_end (list);
  return print (harness, code, argv);
}

void
command_assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no \"%s\" in: %s", part, text);
}

void
command_assert_lacks (const char *text, const char *part)
{
  if (strstr (text, part) != NULL)
    g_error ("\"%s\" in: %s", part, text);
}

GPid
command_start (Harness *harness, const char *name, const char *format, ...)
{
  g_autofree char *options = bus_option (harness), *path = harness_path (harness, name);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  GPid pid = 0;
  va_list list;

  va_start (list, format);
  argv = make_argv (harness, options, format, list);
  va_end (list);
  g_spawn_async_with_fds (NULL, argv, harness->environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, -1,
                          fd, fd, &error);
  g_assert_no_error (error);
  close (fd);
  return pid;
}

void
command_check (const CommandResult *result, int code)
{
  if (result->code != code)
    g_error ("zinit ended with %d, not %d\nout: %s\nerr: %s", result->code, code, result->out, result->err);
}
