/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options, and finding one's way in it: by section and key, and the nearest known word to one
 * that is misspelt. How a value gets into a definition is schema-value.c, what may not go together is
 * schema-validate.c.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/schema-private.h"
#include "model/exit-codes.h"
#include "model/limits.h"

#include "common/edit-distance.h"

#include <signal.h>
#include <string.h>

/* Marks a text for translation by those who show it. */
#define N_(text) (text)

#define FIELD(name) .offset = G_STRUCT_OFFSET (ZinitDefinition, name)
#define CHOICE(words) .type = ZINIT_TYPE_CHOICE, .choices = words
#define NUMBER(from, to, normal)                                                                             \
  .type = ZINIT_TYPE_NUMBER, .minimum = from, .maximum = to, .default_number = normal
#define EXIT_CODES                                                                                           \
  .type = ZINIT_TYPE_LIST, .maximum = ZINIT_MAX_EXIT_CODE, .item = "exit code or signal",                    \
  .items = "exit codes and signals", .check = zinit_exit_codes_check
#define SIGNED(from, to) .type = ZINIT_TYPE_SIGNED, .minimum = (guint64)(from), .maximum = (guint64)(to)
#define STRINGS(most) .type = ZINIT_TYPE_STRINGS, .maximum = most
#define LIMIT(resource)                                                                                      \
  .type = ZINIT_TYPE_STRING, .flags = FIXED | ZINIT_OPTION_NUMERIC, .check = zinit_check_limit,              \
  FIELD (limits[resource])
#define DELAY_MS(from, normal) NUMBER (from, ZINIT_MAX_DELAY_MS, normal), .unit = "ms"

#define SPECIFIED ZINIT_OPTION_SPECIFIED
#define FIXED ZINIT_OPTION_FIXED

/* clang-format off */
const ZinitOption zinit_options[] = {
  { "service", "name", ZINIT_TYPE_STRING, SPECIFIED | FIXED | ZINIT_OPTION_REQUIRED, FIELD (name),
    .check = zinit_name_is_valid,
    .help = N_("Name of the service; if not given, the file's name without its ending") },
  { "service", "description", ZINIT_TYPE_STRING, 0, FIELD (description), .check = zinit_check_description,
    .help = N_("What it is, in one line for people") },
  { "service", "exec", ZINIT_TYPE_COMMAND, SPECIFIED | FIXED | ZINIT_OPTION_REQUIRED, FIELD (exec),
    .help = N_("Command line to run, by /bin/sh -c when it is more than plain words; or the list of its words") },
  { "service", "dir", ZINIT_TYPE_STRING, SPECIFIED | FIXED, FIELD (dir),
    .help = N_("Working directory; if not given, the daemon's") },
  { "service", "oneshot", ZINIT_TYPE_BOOLEAN, SPECIFIED | FIXED, FIELD (oneshot),
    .help = N_("Runs once: an exit with code 0 satisfies the services that require it") },
  { "service", "ready", ZINIT_TYPE_STRING, FIXED, FIELD (ready), .check = zinit_check_ready,
    .help = N_("What makes it running: exec (if not given), alive:MS, notify, fd:N, fd:VARIABLE or dbus:NAME") },
  { "service", "env", ZINIT_TYPE_TABLE, SPECIFIED | FIXED | ZINIT_OPTION_SECRET, FIELD (env),
    .help = N_("Environment variables, added to those of the daemon") },
  { "service", "env_file", STRINGS (ZINIT_MAX_ENV_FILES), .flags = FIXED, FIELD (env_file),
    .check = zinit_check_env_file,
    .help = N_("Files of KEY=VALUE lines for its environment, read at each start; env wins over them") },
  { "service", "inherit_env", ZINIT_TYPE_BOOLEAN, FIXED, FIELD (inherit_env), .default_number = TRUE,
    .help = N_("Whether it gets the environment of the daemon, or a few variables of it") },
  { "service", "status", CHOICE (zinit_wanted_words), .flags = SPECIFIED | FIXED, FIELD (status),
    .default_number = ZINIT_WANTED_START,
    .help = N_("What is wanted: kept up (start), kept down (stop) or left to hand (ignore)") },
  { "service", "class", CHOICE (zinit_class_words), .flags = SPECIFIED, FIELD (service_class),
    .default_number = ZINIT_CLASS_USER,
    .help = N_("Calls that act on all services pass over those of class system") },
  { "service", "critical", ZINIT_TYPE_BOOLEAN, SPECIFIED, FIELD (critical),
    .help = N_("As process 1 only: its failure ends the boot") },
  { "service", "user", ZINIT_TYPE_STRING, FIXED, FIELD (user), .check = zinit_check_account,
    .help = N_("User to run as, by name or number; if not given, the daemon's") },
  { "service", "group", ZINIT_TYPE_STRING, FIXED, FIELD (group), .check = zinit_check_account,
    .help = N_("Group to run as, by name or number; if not given, the first of the user") },
  { "service", "groups", STRINGS (ZINIT_MAX_GROUPS), .flags = FIXED, FIELD (groups), .check = zinit_check_account,
    .help = N_("Groups that it is in besides those of its user, by name or number") },
  { "service", "umask", ZINIT_TYPE_STRING, FIXED, FIELD (umask), .check = zinit_check_umask,
    .help = N_("Permissions that its new files do not get, in octal digits; if not given, the daemon's") },
  { "service", "nice", SIGNED (-20, 19), .flags = FIXED, FIELD (nice),
    .help = N_("Priority, from -20 (first) to 19 (last); if not given, the daemon's") },
  { "service", "oom_score_adj", SIGNED (-1000, 1000), .flags = FIXED, FIELD (oom_score_adj),
    .help = N_("How soon the kernel kills it when memory runs out: -1000 never, 1000 first; if not given, as the daemon") },
  { "service", "no_new_privs", ZINIT_TYPE_BOOLEAN, FIXED, FIELD (no_new_privs),
    .help = N_("Nothing that it executes gives it more rights: set-user-ID bits and capabilities of files mean nothing") },
  { "service", "capabilities", STRINGS (ZINIT_MAX_CAPABILITIES), .flags = FIXED | ZINIT_OPTION_EMPTY,
    FIELD (capabilities), .check = zinit_check_capability,
    .help = N_("Capabilities that it keeps, none with an empty list; if not given, the daemon's") },

  { "dependencies", "after", ZINIT_TYPE_LIST, SPECIFIED, FIELD (after),
    .help = N_("Services whose start must have been tried before this one starts") },
  { "dependencies", "requires", ZINIT_TYPE_LIST, SPECIFIED, FIELD (requires),
    .help = N_("Services that must be running, or have ended with code 0, before this one starts") },
  { "dependencies", "wants", ZINIT_TYPE_LIST, SPECIFIED, FIELD (wants),
    .help = N_("Services that are started along, but never waited for") },
  { "dependencies", "conflicts", ZINIT_TYPE_LIST, SPECIFIED, FIELD (conflicts),
    .help = N_("Services that may not be active at the same time") },
  { "dependencies", "before", ZINIT_TYPE_LIST, 0, FIELD (before),
    .help = N_("Services that start after this one, as if they had it in their own list after") },
  { "dependencies", "binds_to", ZINIT_TYPE_LIST, 0, FIELD (binds_to),
    .help = N_("Services that this one requires, and goes down with also when they crash") },

  { "lifecycle", "restart", CHOICE (zinit_restart_words), .flags = SPECIFIED, FIELD (restart),
    .default_number = ZINIT_RESTART_ALWAYS,
    .help = N_("When to start it again after it ended by itself; a oneshot that ended with code 0 stays down") },
  { "lifecycle", "restart_delay_ms", DELAY_MS (1, 1000), .flags = SPECIFIED, FIELD (restart_delay_ms),
    .help = N_("Delay before the first restart; doubled for each one that follows") },
  { "lifecycle", "restart_delay_max_ms", DELAY_MS (1, 60000), .flags = SPECIFIED, FIELD (restart_delay_max_ms),
    .help = N_("Longest delay before a restart") },
  { "lifecycle", "max_restarts", NUMBER (0, G_MAXUINT32, 0), .flags = SPECIFIED, FIELD (max_restarts),
    .help = N_("Restarts in a row before it is given up; 0 means no limit") },
  { "lifecycle", "stability_period_ms", DELAY_MS (0, 10000), .flags = SPECIFIED, FIELD (stability_period_ms),
    .help = N_("Running this long, the count and the delay of restarts begin anew") },
  { "lifecycle", "success_exit_codes", EXIT_CODES, FIELD (success_exit_codes),
    .help = N_("Exit codes and signals that count as code 0") },
  { "lifecycle", "permanent_exit_codes", EXIT_CODES, FIELD (permanent_exit_codes),
    .help = N_("Exit codes and signals after which it is not started again") },
  { "lifecycle", "on_failure", ZINIT_TYPE_LIST, FIELD (on_failure),
    .help = N_("Services that are started when it has failed and is not started again") },
  { "lifecycle", "start_timeout_ms", DELAY_MS (1, 30000), .flags = SPECIFIED, FIELD (start_timeout_ms),
    .help = N_("Longest time a start may take") },
  { "lifecycle", "watchdog_ms", DELAY_MS (0, 0), .flags = 0, FIELD (watchdog_ms),
    .help = N_("Time after which it has failed when it has not sent WATCHDOG=1; 0 means no limit") },
  { "lifecycle", "stop_timeout_ms", DELAY_MS (1, 10000), .flags = SPECIFIED, FIELD (stop_timeout_ms),
    .help = N_("Longest time a stop may take before what is left is killed") },
  { "lifecycle", "stop_signal", ZINIT_TYPE_SIGNAL, SPECIFIED, FIELD (stop_signal), .default_number = SIGTERM,
    .help = N_("Signal that asks it to stop") },
  { "lifecycle", "kill_mode", CHOICE (zinit_kill_mode_words), FIELD (kill_mode),
    .default_number = ZINIT_KILL_MODE_TREE,
    .help = N_("Processes that a stop is for: all (tree), the main one first (mixed), that one alone (main)") },

  { "health", "type", CHOICE (zinit_health_words), FIELD (health_type),
    .default_number = ZINIT_HEALTH_NONE, .minimum = ZINIT_HEALTH_TCP,
    .help = N_("How to check that it works: a TCP connection, an HTTP request or a command") },
  { "health", "address", ZINIT_TYPE_STRING, FIELD (health_address), .check = zinit_check_address,
    .help = N_("HOST:PORT or Unix socket to connect to, with type tcp") },
  { "health", "url", ZINIT_TYPE_STRING, FIELD (health_url), .check = zinit_check_url,
    .help = N_("Address to request, with type http") },
  { "health", "command", ZINIT_TYPE_STRING, FIELD (health_command),
    .help = N_("Command line to run, with type exec; code 0 is healthy") },
  { "health", "interval_ms", DELAY_MS (1, 10000), FIELD (health_interval_ms),
    .help = N_("Time from one check to the next") },
  { "health", "timeout_ms", DELAY_MS (1, 5000), FIELD (health_timeout_ms),
    .help = N_("Longest time a check may take") },
  { "health", "retries", NUMBER (0, G_MAXUINT32, 3), FIELD (health_retries),
    .help = N_("Failed checks in a row that are forgiven") },
  { "health", "start_period_ms", DELAY_MS (0, 0), FIELD (health_start_period_ms),
    .help = N_("Time after the start in which failed checks do not count") },

  { "logging", "buffer_lines", NUMBER (0, ZINIT_MAX_BUFFER_LINES, 1000), .unit = "lines", .flags = SPECIFIED,
    FIELD (buffer_lines),
    .help = N_("Lines of output kept in memory; 0 keeps none") },

  { "limits", "nofile", LIMIT (ZINIT_RESOURCE_NOFILE),
    .help = N_("Number above the highest of its file descriptors") },
  { "limits", "nproc", LIMIT (ZINIT_RESOURCE_NPROC),
    .help = N_("Processes and threads of its user, others of that user included") },
  { "limits", "core", LIMIT (ZINIT_RESOURCE_CORE),
    .help = N_("Bytes of a core file; 0 writes none") },
  { "limits", "fsize", LIMIT (ZINIT_RESOURCE_FSIZE),
    .help = N_("Bytes of a file that it writes") },
  { "limits", "memlock", LIMIT (ZINIT_RESOURCE_MEMLOCK),
    .help = N_("Bytes of memory that it may lock") },
  { "limits", "as", LIMIT (ZINIT_RESOURCE_AS),
    .help = N_("Bytes of address space of each of its processes") },
  { "limits", "stack", LIMIT (ZINIT_RESOURCE_STACK),
    .help = N_("Bytes of the stack of its main thread") },
};
/* clang-format on */

const gsize zinit_n_options = G_N_ELEMENTS (zinit_options);
G_STATIC_ASSERT (G_N_ELEMENTS (zinit_options) <= ZINIT_MAX_OPTIONS);

const ZinitOption *
zinit_schema_find (const char *section, const char *key)
{
  for (gsize i = 0; i < zinit_n_options; i++)
    if (strcmp (zinit_options[i].section, section) == 0 && strcmp (zinit_options[i].key, key) == 0)
      return &zinit_options[i];
  return NULL;
}

gboolean
zinit_schema_has_section (const char *section)
{
  for (gsize i = 0; i < zinit_n_options; i++)
    if (strcmp (zinit_options[i].section, section) == 0)
      return TRUE;
  return FALSE;
}

const char *
zinit_schema_nearest (const char *section, const char *word)
{
  gsize length = strlen (word);
  guint nearest_distance = length <= 3 ? 2 : length <= 8 ? 3 : 4; /* the first distance that is too far */
  const char *nearest = NULL;

  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    const char *known = section != NULL ? option->key : option->section;
    guint distance;

    if (section != NULL && strcmp (section, option->section) != 0)
      continue;
    distance = zinit_edit_distance (word, known);
    if (distance < nearest_distance) {
      nearest_distance = distance;
      nearest = known;
    }
  }
  return nearest;
}

/* The words of systemd.service(5) and systemd.exec(5), for people who come from there. */
static const struct {
  const char *word;
  const char *section;
  const char *key;
} foreign_words[] = {
  { "Description", "service", "description" },
  { "ExecStart", "service", "exec" },
  { "ExecStop", "lifecycle", "stop_signal" },
  { "KillSignal", "lifecycle", "stop_signal" },
  { "KillMode", "lifecycle", "kill_mode" },
  { "Type", "service", "oneshot" },
  { "WorkingDirectory", "service", "dir" },
  { "User", "service", "user" },
  { "Group", "service", "group" },
  { "Environment", "service", "env" },
  { "EnvironmentFile", "service", "env_file" },
  { "SupplementaryGroups", "service", "groups" },
  { "UMask", "service", "umask" },
  { "OOMScoreAdjust", "service", "oom_score_adj" },
  { "CapabilityBoundingSet", "service", "capabilities" },
  { "AmbientCapabilities", "service", "capabilities" },
  { "NoNewPrivileges", "service", "no_new_privs" },
  { "LimitNOFILE", "limits", "nofile" },
  { "LimitNPROC", "limits", "nproc" },
  { "LimitCORE", "limits", "core" },
  { "LimitFSIZE", "limits", "fsize" },
  { "LimitMEMLOCK", "limits", "memlock" },
  { "LimitAS", "limits", "as" },
  { "LimitSTACK", "limits", "stack" },
  { "Restart", "lifecycle", "restart" },
  { "RestartSec", "lifecycle", "restart_delay_ms" },
  { "SuccessExitStatus", "lifecycle", "success_exit_codes" },
  { "RestartPreventExitStatus", "lifecycle", "permanent_exit_codes" },
  { "OnFailure", "lifecycle", "on_failure" },
  { "StartLimitBurst", "lifecycle", "max_restarts" },
  { "TimeoutStartSec", "lifecycle", "start_timeout_ms" },
  { "TimeoutStopSec", "lifecycle", "stop_timeout_ms" },
  { "After", "dependencies", "after" },
  { "Before", "dependencies", "before" },
  { "BindsTo", "dependencies", "binds_to" },
  { "Requires", "dependencies", "requires" },
  { "Wants", "dependencies", "wants" },
  { "Conflicts", "dependencies", "conflicts" },
};

const ZinitOption *
zinit_schema_find_meant (const char *section, const char *key)
{
  const char *nearest;

  for (gsize i = 0; i < zinit_n_options; i++)
    if (strcmp (zinit_options[i].key, key) == 0)
      return &zinit_options[i];
  for (gsize i = 0; i < G_N_ELEMENTS (foreign_words); i++)
    if (g_ascii_strcasecmp (foreign_words[i].word, key) == 0)
      return zinit_schema_find (foreign_words[i].section, foreign_words[i].key);
  nearest = section != NULL ? zinit_schema_nearest (section, key) : NULL;
  return nearest != NULL ? zinit_schema_find (section, nearest) : NULL;
}
