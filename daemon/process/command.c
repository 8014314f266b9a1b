/* SPDX-License-Identifier: Apache-2.0
 *
 * Decides whether a command line means the same without a shell, and finds the file that a shell would run.
 * When in doubt the shell gets it: a line is plain only if nothing in it could be special to any /bin/sh.
 */
#define G_LOG_DOMAIN "zinit-process"

#include "process/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What dash uses when PATH is not set. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Words that a shell does not look up as files: keywords and built-ins of the POSIX shell, dash, bash, ksh
 * and busybox. Sorted bytewise. */
static const char *const shell_words[] = {
  "!",       ".",        ":",      "[",       "[[",       "]]",      "alias",     "bg",       "bind",
  "break",   "builtin",  "caller", "case",    "cd",       "chdir",   "command",   "compgen",  "complete",
  "compopt", "continue", "coproc", "declare", "dirs",     "disown",  "do",        "done",     "echo",
  "elif",    "else",     "enable", "esac",    "eval",     "exec",    "exit",      "export",   "false",
  "fc",      "fg",       "fi",     "for",     "function", "getopts", "hash",      "help",     "history",
  "if",      "in",       "jobs",   "kill",    "let",      "local",   "logout",    "mapfile",  "newgrp",
  "popd",    "print",    "printf", "pushd",   "pwd",      "read",    "readarray", "readonly", "return",
  "select",  "set",      "shift",  "shopt",   "source",   "suspend", "test",      "then",     "time",
  "times",   "trap",     "true",   "type",    "typeset",  "ulimit",  "umask",     "unalias",  "unset",
  "until",   "wait",     "whence", "while",   "{",        "}",
};

static int
compare_words (const void *a, const void *b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
is_shell_word (const char *word)
{
  return bsearch (&word, shell_words, G_N_ELEMENTS (shell_words), sizeof shell_words[0], compare_words) !=
         NULL;
}

/* Means itself to a shell wherever it stands unquoted. */
static gboolean
is_safe (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("_@%+:,./=-", c) != NULL);
}

/* Appends what the quotes at *@at hold and moves *@at past them. FALSE when they do not end, or hold what a
 * shell would expand. */
static gboolean
parse_quoted (const char **at, GString *word)
{
  char quote = **at;
  const char *start = *at + 1;
  const char *end = strchr (start, quote);
  gsize length;

  if (end == NULL)
    return FALSE;
  length = (gsize)(end - start);
  if (quote == '"' && strcspn (start, "$`\\") < length)
    return FALSE;
  g_string_append_len (word, start, (gssize)length);
  *at = end + 1;
  return TRUE;
}

static gboolean
parse_word (const char **at, GString *word)
{
  while (**at != '\0' && **at != ' ' && **at != '\t') {
    if (is_safe (**at))
      g_string_append_c (word, *(*at)++);
    else if ((**at != '\'' && **at != '"') || !parse_quoted (at, word))
      return FALSE;
  }
  return TRUE;
}

char **
zinit_command_split_plain (const char *exec)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *line = g_strdup (exec);
  const char *at = line;
  const char *first;

  /* Line feeds around a command mean nothing to a shell; inside they end it. */
  at += strspn (at, " \t\n");
  for (gsize length = strlen (line); length > 0 && strchr (" \t\n", line[length - 1]) != NULL; length--)
    line[length - 1] = '\0';
  while (*at != '\0') {
    g_autoptr (GString) word = g_string_new (NULL);

    if (!parse_word (&at, word))
      return NULL;
    g_ptr_array_add (words, g_string_free (g_steal_pointer (&word), FALSE));
    at += strspn (at, " \t");
  }
  if (words->len == 0)
    return NULL;
  first = words->pdata[0];
  if (*first == '\0' || strchr (first, '=') != NULL || is_shell_word (first))
    return NULL;
  g_ptr_array_add (words, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

char **
zinit_command_to_argv (const char *exec)
{
  char **plain = zinit_command_split_plain (exec);
  g_autoptr (GStrvBuilder) builder = NULL;

  if (plain != NULL)
    return plain;
  builder = g_strv_builder_new ();
  g_strv_builder_add_many (builder, "/bin/sh", "-c", NULL);
  if (*exec == '-' || *exec == '+') /* would be taken for options of the shell */
    g_strv_builder_add (builder, "--");
  g_strv_builder_add (builder, exec);
  return g_strv_builder_end (builder);
}

/* errno says why not. */
static gboolean
is_executable_file (const char *path)
{
  struct stat status;

  if (access (path, X_OK) != 0 || stat (path, &status) != 0)
    return FALSE;
  if (S_ISREG (status.st_mode))
    return TRUE;
  errno = EACCES;
  return FALSE;
}

char *
zinit_command_find (const char *word, const char *path, const char *working_directory)
{
  g_auto (GStrv) folders = NULL;
  int reason = ENOENT;

  if (strchr (word, '/') != NULL)
    return g_strdup (word);
  folders = g_strsplit (path == NULL ? DEFAULT_PATH : path, ":", -1);
  for (guint i = 0; folders[i] != NULL; i++) {
    /* An empty part of PATH is the working directory, and so is one without a leading slash below it. */
    g_autofree char *candidate = g_build_filename (*folders[i] == '\0' ? "." : folders[i], word, NULL);
    g_autofree char *absolute = NULL;

    if (*candidate != '/' && working_directory != NULL)
      absolute = g_build_filename (working_directory, candidate, NULL);
    if (is_executable_file (absolute != NULL ? absolute : candidate))
      return g_steal_pointer (&candidate);
    if (errno == EACCES)
      reason = EACCES;
  }
  errno = reason;
  return NULL;
}
