/* SPDX-License-Identifier: Apache-2.0
 *
 * Which command lines need a shell, what they become, where a shell would find the file; the environment of
 * the child; lines of /proc/PID/stat.
 */
#include "process/command.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process/environment.h"
#include "process/procfs.h"

static void
assert_words (const char *exec, const char *expected)
{
  g_auto (GStrv) words = zinit_command_split_plain (exec);
  g_autofree char *joined = words == NULL ? g_strdup ("shell") : g_strjoinv ("|", words);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_plain (void)
{
  assert_words ("sleep 10", "sleep|10");
  assert_words ("  /usr/bin/redis-server\t--port  6379 \n", "/usr/bin/redis-server|--port|6379");
  assert_words ("\n\nsleep 1\n", "sleep|1");
  assert_words ("env A=1 B:2,c@d%e+f", "env|A=1|B:2,c@d%e+f");
  assert_words ("prog 'a b' \"c d\" x'y'\"z\"", "prog|a b|c d|xyz");
  assert_words ("prog '' \"\"", "prog||");
  assert_words ("prog '$HOME `x` \\ \" * ; é'", "prog|$HOME `x` \\ \" * ; é");
  assert_words ("prog \"it's * ; é\"", "prog|it's * ; é");
  assert_words ("prog 'two\nlines'", "prog|two\nlines");
  assert_words ("'/opt/my prog/run' x", "/opt/my prog/run|x");
}

static void
test_needs_shell (void)
{
  static const char *const lines[] = {
    "",           "  \n",    "a; b",     "a && b",   "a | b",     "a > /dev/null", "a < b",    "a &",
    "echo $HOME", "p $HOME", "p `x`",    "p \"$x\"", "p \"`x`\"", "p \"a\\b\"",    "p a\\ b",  "p *",
    "p ?",        "p [a]",   "p ~",      "p ~/x",    "p {a,b}",   "p # no",        "A=1 p",    "A=1",
    "'A=1' p",    "p 'open", "p \"open", "p (x)",    "p !x",      "p ^x",          "p a\nq b", "p a\rb",
    "p é",        "'' x",    "p \1",     "p 'a' \"",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    assert_words (lines[i], "shell");
}

static void
test_shell_words (void)
{
  static const char *const words[] = {
    "!",      ".",      ":",     "[",        "[[",       "alias",   "bg",     "break",   "builtin",
    "case",   "cd",     "chdir", "command",  "continue", "declare", "do",     "done",    "echo",
    "elif",   "else",   "esac",  "eval",     "exec",     "exit",    "export", "false",   "fc",
    "fg",     "fi",     "for",   "function", "getopts",  "hash",    "if",     "in",      "jobs",
    "kill",   "let",    "local", "popd",     "printf",   "pushd",   "pwd",    "read",    "readonly",
    "return", "select", "set",   "shift",    "source",   "suspend", "test",   "then",    "time",
    "times",  "trap",   "true",  "type",     "typeset",  "ulimit",  "umask",  "unalias", "unset",
    "until",  "wait",   "while", "{",        "}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autofree char *line = g_strconcat (words[i], " x", NULL);
    g_autofree char *longer = g_strconcat ("/bin/", words[i], NULL);
    g_auto (GStrv) split = zinit_command_split_plain (longer);

    assert_words (line, "shell");
    assert_words (words[i], "shell");
    g_assert_true (split != NULL || strpbrk (words[i], "![]{}") != NULL);
  }
  assert_words ("truely x", "truely|x");
}

static void
test_argv (void)
{
  g_auto (GStrv) plain = zinit_command_to_argv ("sleep 10");
  g_auto (GStrv) shell = zinit_command_to_argv (" a | b ");
  g_auto (GStrv) dash = zinit_command_to_argv ("-x $y");

  g_assert_cmpstrv (plain, ((const char *const[]){ "sleep", "10", NULL }));
  g_assert_cmpstrv (shell, ((const char *const[]){ "/bin/sh", "-c", " a | b ", NULL }));
  g_assert_cmpstrv (dash, ((const char *const[]){ "/bin/sh", "-c", "--", "-x $y", NULL }));
}

static void
add_file (const char *folder, const char *name, int mode)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, "#!/bin/sh\n", -1, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
}

static void
assert_found (const char *word, const char *path, const char *dir, const char *expected, int reason)
{
  g_autofree char *found = (errno = 0, zinit_command_find (word, path, dir));
  int errsv = errno;

  g_assert_cmpstr (found, ==, expected);
  if (expected == NULL)
    g_assert_cmpint (errsv, ==, reason);
}

static void
test_find (void)
{
  g_autofree char *root = g_dir_make_tmp ("zinit-command-XXXXXX", NULL);
  g_autofree char *a = g_build_filename (root, "a", NULL);
  g_autofree char *b = g_build_filename (root, "b", NULL);
  g_autofree char *folder = g_build_filename (a, "both", NULL);
  g_autofree char *both = g_build_filename (b, "both", NULL);
  g_autofree char *path = g_strdup_printf ("/nonexistent:%s:%s", a, b);
  g_autofree char *empty_first = g_strdup_printf (":%s", b);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0); /* a folder of that name is passed over */
  g_assert_cmpint (g_mkdir (b, 0755), ==, 0);
  add_file (b, "both", 0755);
  add_file (a, "plain", 0644);
  assert_found ("both", path, NULL, both, 0);
  assert_found ("plain", path, NULL, NULL, EACCES);
  assert_found ("none", path, NULL, NULL, ENOENT);
  assert_found ("both", a, NULL, NULL, EACCES);
  assert_found ("./both", path, NULL, "./both", 0);
  assert_found ("/no/such", path, NULL, "/no/such", 0);
  assert_found ("both", "b", root, "b/both", 0);
  assert_found ("both", "b", "/nonexistent", NULL, ENOENT);
  assert_found ("both", empty_first, b, "./both", 0);
  assert_found ("sh", NULL, NULL, g_file_test ("/usr/bin/sh", G_FILE_TEST_EXISTS) ? "/usr/bin/sh" : "/bin/sh",
                0);
  g_assert_cmpint (g_remove (both), ==, 0);
  g_assert_cmpint (g_remove (folder), ==, 0);
  g_free (both);
  both = g_build_filename (a, "plain", NULL);
  g_assert_cmpint (g_remove (both), ==, 0);
  g_assert_cmpint (g_remove (a) | g_remove (b) | g_remove (root), ==, 0);
}

static void
assert_merged (char *const *base, const char *const *user, const char *const *sorted,
               const char *const *marks, const char *expected)
{
  g_autofree const char **inherited = zinit_environment_inherit (base);
  g_autofree const char **merged = zinit_environment_merge (inherited, user, sorted, marks);
  g_autofree char *joined = g_strjoinv (" ", (char **)merged);

  g_assert_cmpstr (joined, ==, expected);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
test_environment (void)
{
  char *base[] = { (char *)"HOME=/root",
                   (char *)"NOTIFY_SOCKET=x",
                   (char *)"LISTEN_FDS=1",
                   (char *)"LISTEN_PID=1",
                   (char *)"LISTEN_FDNAMES=",
                   (char *)"ZINIT_FDS=x",
                   (char *)"WATCHDOG_USEC=1",
                   (char *)"WATCHDOG_PID=1",
                   (char *)"JOURNAL_STREAM=1:2",
                   (char *)"INVOCATION_ID=00",
                   (char *)"NOTIFY_SOCKETS=",
                   (char *)"A=1",
                   (char *)"AB=2",
                   (char *)"PATH=/bin",
                   NULL };
  const char *entries[] = { "EMPTY=", "A=1", NULL };

  assert_merged (base, NULL, NULL, NULL, "HOME=/root NOTIFY_SOCKETS= A=1 AB=2 PATH=/bin");
  assert_merged (base, LIST ("HOME=/u", "USER=u"), NULL, NULL,
                 "NOTIFY_SOCKETS= A=1 AB=2 PATH=/bin HOME=/u USER=u");
  assert_merged (base, LIST ("HOME=/u", "USER=u"), LIST ("A=9", "HOME=/x", "Z="), LIST ("Z=mark", "AB=mark"),
                 "NOTIFY_SOCKETS= PATH=/bin USER=u A=9 HOME=/x Z=mark AB=mark");
  g_assert_cmpstr (zinit_environment_get (entries, "A"), ==, "1");
  g_assert_cmpstr (zinit_environment_get (entries, "EMPTY"), ==, "");
  g_assert_null (zinit_environment_get (entries, "EMPT"));
}

/* Keys are compared, not whole entries: "A1=" sorts before "A=" as text, and after it as a key. */
static void
test_environment_sorted (void)
{
  char *base[] = { (char *)"A=0", (char *)"A1=0", (char *)"A_B=0", (char *)"B=0", (char *)"C=0", NULL };

  assert_merged (base, NULL, LIST ("A=1", "A1=1", "A_B=1", "B=1"), NULL, "C=0 A=1 A1=1 A_B=1 B=1");
}

/* Nobody looks for the end of a key that differs before: behind it there is nothing that may be read. */
static void
test_environment_end (void)
{
  gsize page = (gsize)sysconf (_SC_PAGESIZE);
  char *pages = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *last = pages + page - 2;
  const char *entries[] = { last, "BA=1", NULL };

  g_assert_true (pages != MAP_FAILED);
  g_assert_cmpint (mprotect (pages + page, page, PROT_NONE), ==, 0);
  memcpy (last, "BB", 2);
  g_assert_cmpstr (zinit_environment_get (entries, "BA"), ==, "1");
  g_assert_null (zinit_environment_get (entries, "A"));
  g_assert_cmpint (munmap (pages, 2 * page), ==, 0);
}

static void
test_stat (void)
{
  ZinitProcEntry entry;

  g_assert_true (zinit_proc_parse_stat (
      "77 (a) S (b)) S 5 70 71 0 -1 4194560 1 2 3 4 120 30 7 8 20 0 1 0 99 1000 256 18446744073709551615 1",
      &entry));
  g_assert_cmpint (entry.pid, ==, 77);
  g_assert_cmpint (entry.parent, ==, 5);
  g_assert_cmpint (entry.group, ==, 70);
  g_assert_cmpint (entry.session, ==, 71);
  g_assert_cmpuint (entry.cpu_ticks, ==, 150);
  g_assert_cmpuint (entry.resident_pages, ==, 256);
  g_assert_cmpstr (entry.name, ==, "a) S (b)");
  g_assert_false (entry.is_dead);
  g_assert_true (entry.has_executed);
  g_assert_true (zinit_proc_parse_stat ("8 (x) S 1 2 3 0 -1 4194368 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0", &entry));
  g_assert_false (entry.has_executed);
  g_assert_true (zinit_proc_parse_stat ("8 (x) Z 1 2 3 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0", &entry));
  g_assert_true (entry.is_dead);
  g_assert_false (zinit_proc_parse_stat ("", &entry));
  g_assert_false (zinit_proc_parse_stat ("8 (x", &entry));
  g_assert_false (zinit_proc_parse_stat ("8 )x( S 1", &entry));
  g_assert_false (zinit_proc_parse_stat ("8 (x) S 1 2", &entry));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/command/plain", test_plain);
  g_test_add_func ("/command/needs-shell", test_needs_shell);
  g_test_add_func ("/command/shell-words", test_shell_words);
  g_test_add_func ("/command/argv", test_argv);
  g_test_add_func ("/command/find", test_find);
  g_test_add_func ("/command/environment", test_environment);
  g_test_add_func ("/command/environment-sorted", test_environment_sorted);
  g_test_add_func ("/command/environment-end", test_environment_end);
  g_test_add_func ("/command/stat", test_stat);
  return g_test_run ();
}
