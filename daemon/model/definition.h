/* SPDX-License-Identifier: Apache-2.0
 *
 * A service definition as a value: what a file, a JSON object or a dictionary on the bus says of a service.
 * Immutable once shared, reference-counted, compared by content. Which keys there are is the schema's matter
 * (model/schema.h); reading formats is config's.
 */
#pragma once

#include "model/resource-limit.h"
#include "model/state.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_HEALTH_NONE, /* no [health] section */
  ZINIT_HEALTH_TCP,
  ZINIT_HEALTH_HTTP,
  ZINIT_HEALTH_EXEC,
  ZINIT_N_HEALTH
} ZinitHealthType;

/* "none", "tcp", "http", "exec"; NULL-terminated, in enum order. */
extern const char *const zinit_health_words[];

/* A number that may be below 0. All zero = not given. */
typedef struct {
  gboolean is_given;
  gint32 number;
} ZinitSigned;

/* Numbers are guint64 and choices int, so that the schema can reach every field by its offset. A list or
 * table that is empty is NULL: most services have none, and there may be thousands of them. */
typedef struct {
  gatomicrefcount ref_count;

  char *name;
  char *description; /* one line for people; NULL = none */
  char *exec;        /* a command line; of a list, its words as a shell would need them */
  char **argv;       /* the list, which never meets a shell; NULL = exec is a line */
  char *dir;         /* NULL = the daemon's */
  gboolean oneshot;
  char *ready;     /* as zinit_ready_parse() reads it; NULL = exec. Means nothing for a oneshot */
  char **env;      /* "KEY=value", sorted by key bytewise; NULL = none */
  char **env_file; /* paths, with a leading '-' when it need not be there; NULL = none */
  gboolean inherit_env;
  int status;        /* ZinitWanted */
  int service_class; /* ZinitClass */
  gboolean critical;
  char *user;    /* name or number; NULL = the daemon's */
  char *group;   /* name or number; NULL = the user's first group, or the daemon's */
  char **groups; /* names or numbers, besides the user's own; NULL = none */
  char *umask;   /* octal digits; NULL = the daemon's */
  ZinitSigned nice;
  ZinitSigned oom_score_adj;
  gboolean no_new_privs;
  char **capabilities; /* names; empty = none at all; NULL = the daemon's */

  char **requires; /* each list: names without repeats, in the order given; NULL = none */
  char **after;
  char **before;
  char **binds_to;
  char **wants;
  char **conflicts;

  int restart; /* ZinitRestart */
  guint64 restart_delay_ms;
  guint64 restart_delay_max_ms;
  guint64 max_restarts; /* 0 = no limit; fits in 32 bits */
  guint64 stability_period_ms;
  /* What zinit_exit_codes_contain() takes; NULL = none */
  char **success_exit_codes;
  char **permanent_exit_codes;
  char **on_failure; /* names, as those above */
  guint64 start_timeout_ms;
  gboolean start_timeout_is_given; /* not the default: a oneshot has no limit unless it is given one */
  guint64 watchdog_ms;             /* 0 = none */
  guint64 stop_timeout_ms;
  int stop_signal; /* 1-31 */
  int kill_mode;   /* ZinitKillMode */

  int health_type; /* ZinitHealthType */
  char *health_address;
  char *health_url;
  char *health_command;
  guint64 health_interval_ms;
  guint64 health_timeout_ms;
  guint64 health_retries; /* fits in 32 bits */
  guint64 health_start_period_ms;

  guint64 buffer_lines;

  /* Each as zinit_resource_limit_parse() reads it; NULL = the one that the daemon was started with */
  char *limits[ZINIT_N_RESOURCES];
} ZinitDefinition;

/* All defaults of the schema; name and exec are NULL still. Transfer full. */
ZinitDefinition *zinit_definition_new (void);
/* A deep copy with its own reference count of 1. Transfer full. */
ZinitDefinition *zinit_definition_copy (const ZinitDefinition *definition);
/* What counts at once of @changed while a process that was started with @running lives: @changed, but with
 * what a run keeps (ZINIT_OPTION_FIXED) of @running. Transfer full. */
ZinitDefinition *zinit_definition_new_live (const ZinitDefinition *running, const ZinitDefinition *changed);
ZinitDefinition *zinit_definition_ref (ZinitDefinition *definition);
void zinit_definition_unref (ZinitDefinition *definition); /* NULL is fine */
/* Of its content: equal definitions have the same, others hardly ever. From 1 to G_MAXINT64; may differ
 * between versions of zinit. */
guint64 zinit_definition_hash (const ZinitDefinition *definition);
gboolean zinit_definition_equal (const ZinitDefinition *a, const ZinitDefinition *b);

/* Where a walk over what a service needs stands; begins as { 0 }. */
typedef struct {
  guint list;
  guint index;
} ZinitNeedIter;

/* The next name of those that @definition needs: all that it requires, then all that it binds to. A name of
 * both comes twice. NULL at the end. Borrowed. */
const char *zinit_definition_next_need (const ZinitDefinition *definition, ZinitNeedIter *iter);
/* @definition requires or binds to @name. */
gboolean zinit_definition_needs (const ZinitDefinition *definition, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitDefinition, zinit_definition_unref)

/* TRUE when @name may name a service: 1-128 bytes of [A-Za-z0-9_-], also '.' and '@' but not as the first or
 * last byte. On FALSE @error is ZINIT_ERROR_INVALID_CONFIG and says which byte or length is wrong. */
gboolean zinit_name_is_valid (const char *name, GError **error);

G_END_DECLS
