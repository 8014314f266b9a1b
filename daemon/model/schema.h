/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of what a service definition may hold. TOML, JSON, a{sa{sv}}, validation, the man page's
 * option list and "what changed" all walk it; a new option is one row here and its use. Formats convert their
 * native values to ZinitValue and back; type, range and choice are checked here, once for all.
 */
#pragma once

#include "model/definition.h"

G_BEGIN_DECLS

typedef enum {
  ZINIT_TYPE_STRING,  /* char *; NULL = not given */
  ZINIT_TYPE_COMMAND, /* char *, and behind it char ** when a list was given; a string or a list of strings */
  ZINIT_TYPE_BOOLEAN, /* gboolean */
  ZINIT_TYPE_NUMBER,  /* guint64, minimum … maximum */
  ZINIT_TYPE_SIGNED,  /* ZinitSigned, minimum … maximum, both gint64 */
  ZINIT_TYPE_CHOICE,  /* int, index into choices */
  ZINIT_TYPE_SIGNAL,  /* int, 1-31; text or number in a file, "SIGTERM" when written */
  ZINIT_TYPE_LIST,    /* char **, without repeats; service names unless the row says what else */
  ZINIT_TYPE_STRINGS, /* char **, at most maximum strings as they were given; NULL = not given */
  ZINIT_TYPE_TABLE,   /* char **, "KEY=value" */
} ZinitOptionType;

typedef enum {
  ZINIT_OPTION_REQUIRED = 1 << 0, /* must be given (service.exec; the name may come from the file's stem) */
  ZINIT_OPTION_SECRET = 1 << 1,   /* may hold secrets: shown to root and the daemon's own user alone */
  ZINIT_OPTION_FIXED = 1 << 3,    /* a run keeps it; what has no such flag counts at once when it changes */
  /* In the specification's `config`, where it stands in the table's order; a number is of 32 bits there if
   * its maximum is G_MAXUINT32, else of 64 */
  ZINIT_OPTION_SPECIFIED = 1 << 2,
  ZINIT_OPTION_EMPTY = 1 << 5,   /* strings only: an empty list is not the same as none */
  ZINIT_OPTION_NUMERIC = 1 << 4, /* string only: a whole number may be given as well, and is its digits */
} ZinitOptionFlags;

/* TRUE when @text may be the value; else @error says what is wrong and what is allowed, without the key. */
typedef gboolean (*ZinitTextCheck) (const char *text, GError **error);

typedef struct {
  const char *section;
  const char *key;
  ZinitOptionType type;
  ZinitOptionFlags flags;
  gsize offset;           /* of the field in ZinitDefinition */
  guint64 default_number; /* number, boolean, choice, signal */
  /* numbers: both allowed; choice: minimum is the first index that may be given; list: numbers up to maximum,
   * unless that is 0, may stand in it as such, and are kept as text; strings: how many at most */
  guint64 minimum, maximum;
  const char *unit;           /* "ms", "lines", or NULL */
  const char *const *choices; /* choice only */
  const char *item;           /* list only: one of it, for messages; NULL = "service's name" */
  const char *items;          /* the same, more of them: "service names" */
  /* string, and each of strings: NULL = any text that is not blank; list: of each item, NULL = a name */
  ZinitTextCheck check;
  const char *help; /* one line for the man page and messages, marked N_() */
} ZinitOption;

#define ZINIT_MAX_OPTIONS 64 /* rows of the table, so that a set of them fits in a guint64 */

extern const ZinitOption zinit_options[];
extern const gsize zinit_n_options;

/* A value in transit between a format and a definition. Strings are borrowed for the time of the call. */
typedef enum {
  ZINIT_VALUE_STRING,
  ZINIT_VALUE_BOOLEAN,
  ZINIT_VALUE_INTEGER,
  ZINIT_VALUE_LIST,  /* strings */
  ZINIT_VALUE_TABLE, /* "KEY=value" strings; the keys are without '=' already */
  ZINIT_VALUE_OTHER, /* anything a definition has no use for; type_name says what it was */
} ZinitValueKind;

typedef struct {
  ZinitValueKind kind;
  const char *string;
  gboolean boolean;
  gboolean negative; /* an integer is sign and magnitude, so that every 64-bit type fits */
  guint64 magnitude;
  const char *const *strings; /* list and table; NULL-terminated, may be NULL for empty */
  const char *bad_part;  /* list and table: the first part that is no string ("item 2", "PORT"), or NULL */
  const char *type_name; /* for messages, of that part or with ZINIT_VALUE_OTHER: "a number", "null", … */
} ZinitValue;

/* NULL when there is none. @section may be known while the key is not: see zinit_schema_has_section(). */
const ZinitOption *zinit_schema_find (const char *section, const char *key);
gboolean zinit_schema_has_section (const char *section);
/* The known section (@section NULL) or key of @section that is nearest to @word by edit distance, or NULL
 * when none is near enough to be meant. Static. */
const char *zinit_schema_nearest (const char *section, const char *word);
/* The option that is meant by @key, which @section (NULL = outside of any) does not have: one of another
 * section with that name, the one that does what systemd has under that name, or the nearest of @section;
 * NULL when none is. Static. */
const ZinitOption *zinit_schema_find_meant (const char *section, const char *key);
/* What @option takes, for messages: "a list of service names". Transfer full. */
char *zinit_schema_describe_wanted (const ZinitOption *option);
/* @text from outside as it may stand in a message: in quotes, at most 64 characters, valid UTF-8, control
 * characters replaced. Transfer full. */
char *zinit_schema_quote (const char *text);

/* Sets one field. On FALSE the definition is unchanged and @error is ZINIT_ERROR_INVALID_CONFIG with a
 * message "section.key: what is wrong; what is allowed" (no file or line: the caller knows those). */
gboolean zinit_schema_set (ZinitDefinition *definition, const ZinitOption *option, const ZinitValue *value,
                           GError **error);
/* Reads one field into @ret_value. Borrowed from @definition. A signal is given as a string. Returns FALSE
 * when an optional string, list of strings or signed number, or a list that the specification does not have,
 * is not given (and for every health row when there is no [health]). */
gboolean zinit_schema_get (const ZinitDefinition *definition, const ZinitOption *option,
                           ZinitValue *ret_value);
gboolean zinit_schema_is_equal (const ZinitDefinition *a, const ZinitDefinition *b,
                                const ZinitOption *option);
/* Takes one thing that is wrong: the option that it is about, and "section.key: what; what is allowed". */
typedef void (*ZinitReportFunc) (const ZinitOption *option, const char *message, gpointer data);
/* Reports all that one field alone cannot tell: name and exec given, maximum delay ≥ first delay, health
 * fields that go with health.type, no dependency on itself. */
void zinit_schema_validate (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data);

G_END_DECLS
