/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits, priorities and masks that a definition gives to its process, in each way in which a process is
 * made; and that the daemon, with which it may share its memory until it executes, keeps its own.
 */
#include "process-harness.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/error.h"
#include "zinit-config.h"

#if HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* What this process has of all that the tests change in a service. */
typedef struct {
  struct rlimit limits[ZINIT_N_RESOURCES];
  mode_t mask;
  int nice;
  int no_new_privs;
  char oom_score_adj[16];
  struct __user_cap_data_struct capabilities[_LINUX_CAPABILITY_U32S_3];
} Own;

static char *
read_oom_score_adj (void)
{
  char *text = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/oom_score_adj", &text, NULL, NULL));
  return g_strchomp (text);
}

static void
read_own (Own *own)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  g_autofree char *score = read_oom_score_adj ();

  memset (own, 0, sizeof *own);
  for (int i = 0; i < ZINIT_N_RESOURCES; i++)
    getrlimit ((enum __rlimit_resource)zinit_resource_numbers[i], &own->limits[i]);
  g_assert_cmpint (syscall (SYS_capget, &header, own->capabilities), ==, 0);
  own->mask = umask (022);
  umask (own->mask);
  own->nice = getpriority (PRIO_PROCESS, 0);
  own->no_new_privs = prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  g_strlcpy (own->oom_score_adj, score, sizeof own->oom_score_adj);
}

/* Root of a container does not have all of root's rights. */
static gboolean
has_capability (int number)
{
  g_autofree char *status = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  return (g_ascii_strtoull (strstr (status, "CapEff:") + strlen ("CapEff:"), NULL, 16) >> number & 1) != 0;
}

static void
assert_says (Fixture *fixture, const ZinitDefinition *definition, const char *expected)
{
  g_auto (Service) service = { 0 };
  Own before, after;

  read_own (&before);
  run_definition (fixture, &service, definition);
  g_assert_cmpstr (said (&service), ==, expected);
  read_own (&after);
  g_assert_cmpmem (&after, sizeof after, &before, sizeof before);
}

static void
assert_refused (Fixture *fixture, const ZinitDefinition *definition, const char *message)
{
  g_auto (Service) service = { 0 };
  g_autoptr (GError) error = NULL;
  Own before, after;

  read_own (&before);
  g_assert_false (start_definition (fixture, &service, definition, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED);
  g_assert_cmpstr (error->message, ==, message);
  read_own (&after);
  g_assert_cmpmem (&after, sizeof after, &before, sizeof before);
}

static void
test_umask (Fixture *fixture, gconstpointer unused)
{
  ZinitDefinition definition = { .exec = (char *)"umask", .umask = (char *)"0027" };

  assert_says (fixture, &definition, "0027\n");
  definition.umask = NULL;
  assert_says (fixture, &definition, "0022\n");
}

static void
test_priority (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *score = read_oom_score_adj ();
  ZinitDefinition definition = { .exec =
                                     (char *)"cut -d' ' -f19 /proc/self/stat; cat /proc/self/oom_score_adj",
                                 .nice = { TRUE, 19 },
                                 .oom_score_adj = { TRUE, 987 } };
  g_autofree char *own = g_strdup_printf ("%d\n%s\n", getpriority (PRIO_PROCESS, 0), score);

  assert_says (fixture, &definition, "19\n987\n");
  definition.nice.is_given = definition.oom_score_adj.is_given = FALSE;
  assert_says (fixture, &definition, own);
  if (has_capability (CAP_SYS_NICE))
    return;
  definition.nice = (ZinitSigned){ TRUE, -20 };
  assert_refused (fixture, &definition, "nice -20: Permission denied");
}

static void
test_no_new_privs (Fixture *fixture, gconstpointer unused)
{
  ZinitDefinition definition = { .exec = (char *)"sed -n s/NoNewPrivs:.//p /proc/self/status",
                                 .no_new_privs = TRUE };

  assert_says (fixture, &definition, "1\n");
  definition.no_new_privs = FALSE;
  assert_says (fixture, &definition, "0\n");
}

static void
test_limits (Fixture *fixture, gconstpointer unused)
{
  static const struct {
    ZinitResource resource;
    const char *text;
    const char *line; /* of /proc/PID/limits */
  } rows[] = { { ZINIT_RESOURCE_NOFILE, "100:200", "Max open files +100 +200 " },
               { ZINIT_RESOURCE_NPROC, "5000:6000", "Max processes +5000 +6000 " },
               { ZINIT_RESOURCE_CORE, "0", "Max core file size +0 +0 " },
               { ZINIT_RESOURCE_FSIZE, "1048576", "Max file size +1048576 +1048576 " },
               { ZINIT_RESOURCE_MEMLOCK, "4096:8192", "Max locked memory +4096 +8192 " },
               { ZINIT_RESOURCE_AS, "1073741824:2147483648", "Max address space +1073741824 +2147483648 " },
               { ZINIT_RESOURCE_STACK, "1048576:2097152", "Max stack size +1048576 +2097152 " } };
  ZinitDefinition definition = { .exec = (char *)"cat /proc/self/limits" };
  g_auto (Service) service = { 0 };
  Own before, after;

  if (RUNNING_ON_VALGRIND) {
    g_test_skip ("valgrind only pretends to set some of these limits");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    definition.limits[rows[i].resource] = (char *)rows[i].text;
  read_own (&before);
  run_definition (fixture, &service, &definition);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (!g_regex_match_simple (rows[i].line, said (&service), 0, 0))
      g_error ("no \"%s\" in %s", rows[i].line, said (&service));
  read_own (&after);
  g_assert_cmpmem (&after, sizeof after, &before, sizeof before);
}

/* What is above its hard limit needs root's rights. */
static void
test_above (Fixture *fixture, gconstpointer unused)
{
  ZinitDefinition definition = { .exec = (char *)"true; ulimit -Hn" };
  struct rlimit own;
  g_autofree char *text = NULL;
  g_autofree char *message = NULL;
  g_autofree char *expected = NULL;

  getrlimit (RLIMIT_NOFILE, &own);
  text = g_strdup_printf ("10:%llu", (unsigned long long)own.rlim_max + 1);
  message = g_strdup_printf ("limit nofile %s: Operation not permitted", text);
  expected = g_strdup_printf ("%llu\n", (unsigned long long)own.rlim_max + 1);
  definition.limits[ZINIT_RESOURCE_NOFILE] = text;
  if (!has_capability (CAP_SYS_RESOURCE))
    assert_refused (fixture, &definition, message);
  else if (!RUNNING_ON_VALGRIND)
    assert_says (fixture, &definition, expected);
  /* More than the kernel ever allows. */
  definition.limits[ZINIT_RESOURCE_NOFILE] = (char *)"infinity";
  if (!RUNNING_ON_VALGRIND)
    assert_refused (fixture, &definition, "limit nofile infinity: Operation not permitted");
}

/* Rule H6. The sets of a process are lines of its status, and a bit of a set is a capability. */
static void
test_capabilities (Fixture *fixture, gconstpointer unused)
{
  char *kept[] = { (char *)"CAP_KILL", (char *)"CAP_NET_BIND_SERVICE", NULL };
  char *none[] = { NULL };
  ZinitDefinition definition = { .exec = (char *)"sed -n s/^Cap...:.//p /proc/self/status",
                                 .capabilities = kept };

  if (!has_capability (CAP_SETPCAP)) {
    assert_refused (fixture, &definition,
                    "capabilities CAP_KILL, CAP_NET_BIND_SERVICE: Operation not permitted");
    return;
  }
  /* Inheritable, permitted, effective, bounding, ambient. */
  assert_says (fixture, &definition,
               "0000000000000420\n0000000000000420\n0000000000000420\n0000000000000420\n"
               "0000000000000000\n");
  definition.user = (char *)"nobody";
  assert_says (fixture, &definition,
               "0000000000000420\n0000000000000420\n0000000000000420\n0000000000000420\n"
               "0000000000000420\n");
  definition.capabilities = none;
  assert_says (fixture, &definition,
               "0000000000000000\n0000000000000000\n0000000000000000\n0000000000000000\n"
               "0000000000000000\n");
  definition.user = NULL;
  assert_says (fixture, &definition,
               "0000000000000000\n0000000000000000\n0000000000000000\n0000000000000000\n"
               "0000000000000000\n");
}

/* The size of files is limited when the failure is recorded: that is no reason to die of a signal. */
static void
test_record_too_long (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("zinit-records-XXXXXX", &path, NULL);
  ZinitStartRecord record = { .fd = fd, .started = "start ", .aborted = "abort ", .end = "\n" };
  ZinitDefinition definition = { .exec = (char *)"/nonexistent/program" };
  ZinitSpawnRequest request = { .definition = &definition, .record = &record };
  static const ZinitProcessEvents events = { 0 };
  g_autoptr (GError) error = NULL;

  definition.limits[ZINIT_RESOURCE_FSIZE] = (char *)"0";
  g_assert_null (zinit_process_spawn (fixture->processes, &request, &events, NULL, &error));
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_SPAWN_FAILED);
  g_assert_cmpstr (error->message, ==, "exec /nonexistent/program: No such file or directory");
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpint (unlink (path), ==, 0);
}

static const ProcessTest tests[] = {
  { "umask", test_umask },
  { "priority", test_priority },
  { "no-new-privs", test_no_new_privs },
  { "limits", test_limits },
  { "above", test_above },
  { "capabilities", test_capabilities },
  { "record-too-long", test_record_too_long },
};

int
main (int argc, char **argv)
{
  umask (022);
  return process_test_main (argc, argv, tests, G_N_ELEMENTS (tests));
}
