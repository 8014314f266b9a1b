/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing of files of variables, and reading them without ever waiting for one: only regular files of a
 * limited size are read. What is in them may be secret, so no message shows a value.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/env-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"
#include "model/limits.h"
#include "model/schema.h"
#include "process/environment.h"

#define BLANKS " \t\r\v\f"

static gboolean
is_name (const char *name)
{
  for (const char *c = name; *c != '\0'; c++)
    if ((guchar)*c <= ' ' || *c == 0x7f || *c == '"' || *c == '\'')
      return FALSE;
  return *name != '\0';
}

/* Takes the quotes from @value, which has no blanks around it. NULL or what is wrong; static. */
static const char *
unquote (char *value)
{
  char quote = *value;
  char *end;

  if (quote != '"' && quote != '\'')
    return NULL;
  end = strchr (value + 1, quote);
  if (end == NULL)
    return "the quotes are not closed on the line; they have to be";
  if (end[1] != '\0')
    return "there is something behind the closing quote; nothing is allowed there";
  *end = '\0';
  memmove (value, value + 1, (gsize)(end - value));
  return NULL;
}

/* @line is changed. NULL or what is wrong with it. Transfer full. */
static char *
parse_line (char *line, GPtrArray *variables)
{
  char *key = line + strspn (line, BLANKS);
  char *equals = strchr (key, '=');
  const char *problem;
  char *value;

  if (*key == '\0' || *key == '#')
    return NULL;
  if (equals == NULL)
    return g_strdup ("there is no '='; KEY=VALUE, a comment after # or nothing is wanted");
  *equals = '\0';
  if (!is_name (key)) {
    g_autofree char *shown = zinit_schema_quote (key);

    return g_strdup_printf ("%s is not a name; one without blanks and quotes is wanted", shown);
  }
  value = equals + 1 + strspn (equals + 1, BLANKS);
  for (gsize n = strlen (value); n > 0 && strchr (BLANKS, value[n - 1]) != NULL; n--)
    value[n - 1] = '\0';
  problem = unquote (value);
  if (problem != NULL)
    return g_strdup (problem);
  g_ptr_array_add (variables, g_strconcat (key, "=", value, NULL));
  return NULL;
}

gboolean
zinit_env_file_parse (const char *text, gsize length, GPtrArray *variables, guint *ret_line,
                      char **ret_problem)
{
  const char *end = text + length;

  *ret_line = 0;
  *ret_problem = NULL;
  while (text < end && *ret_problem == NULL) {
    const char *feed = memchr (text, '\n', (gsize)(end - text));
    gsize n_bytes = (gsize)((feed != NULL ? feed : end) - text);
    g_autofree char *line = g_strndup (text, n_bytes);

    ++*ret_line;
    *ret_problem =
        strlen (line) < n_bytes ? g_strdup ("a NUL byte; text is wanted") : parse_line (line, variables);
    text += n_bytes + 1;
  }
  return *ret_problem == NULL;
}

/* The whole of the file. NULL with errno set, or with *@ret_problem (static). Transfer full. */
static char *
read_bytes (int fd, gsize *ret_length, const char **ret_problem)
{
  struct stat status;
  g_autofree char *bytes = NULL;
  gssize n;

  if (fd < 0 || fstat (fd, &status) != 0)
    return NULL;
  if (!S_ISREG (status.st_mode)) {
    *ret_problem = "it is not a regular file; no other is read";
    return NULL;
  }
  /* Its size is what it says now; it may grow meanwhile. */
  bytes = g_malloc (ZINIT_MAX_ENV_FILE_BYTES + 1);
  *ret_length = 0;
  while (*ret_length <= ZINIT_MAX_ENV_FILE_BYTES) {
    n = read (fd, bytes + *ret_length, ZINIT_MAX_ENV_FILE_BYTES + 1 - *ret_length);
    if (n < 0 && errno != EINTR)
      return NULL;
    if (n == 0)
      return g_steal_pointer (&bytes);
    *ret_length += (gsize)MAX (n, 0);
  }
  *ret_problem = "it has more than " G_STRINGIFY (ZINIT_MAX_ENV_FILE_BYTES) " bytes; no more are allowed";
  return NULL;
}

static gboolean
read_file (const char *path, gboolean is_optional, GPtrArray *variables, GError **error)
{
  /* Opening a FIFO or a terminal must not wait for anybody, nor become ours. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const char *why = NULL;
  gsize length;
  g_autofree char *bytes = read_bytes (fd, &length, &why);
  g_autofree char *problem = NULL;
  int reason = errno;
  guint line;

  if (fd >= 0)
    close (fd);
  else if (is_optional && (reason == ENOENT || reason == ENOTDIR))
    return TRUE;
  if (bytes == NULL) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED, "env_file %s: %s", path,
                 why != NULL ? why : g_strerror (reason));
    return FALSE;
  }
  if (zinit_env_file_parse (bytes, length, variables, &line, &problem))
    return TRUE;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED, "env_file %s:%u: %s", path, line, problem);
  return FALSE;
}

GPtrArray *
zinit_env_files_read (const char *const *paths, const char *const *env, GError **error)
{
  g_autoptr (GPtrArray) variables = g_ptr_array_new_with_free_func (g_free);

  for (; *paths != NULL; paths++) {
    gboolean is_optional = **paths == '-';

    if (!read_file (*paths + (is_optional ? 1 : 0), is_optional, variables, error))
      return NULL;
  }
  for (; env != NULL && *env != NULL; env++)
    g_ptr_array_add (variables, g_strdup (*env));
  zinit_environment_sort (variables);
  g_ptr_array_add (variables, NULL);
  return g_steal_pointer (&variables);
}
