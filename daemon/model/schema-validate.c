/* SPDX-License-Identifier: Apache-2.0
 *
 * What a value may be beyond its type: the texts that have a form of their own, and what options of one
 * definition must be to each other. Whether a user, a path or another service exists is not asked here.
 */
#define G_LOG_DOMAIN "zinit-model"

#include "model/schema-private.h"
#include "model/capability.h"
#include "model/error.h"
#include "model/exit-codes.h"
#include "model/limits.h"
#include "model/ready.h"
#include "common/signals.h"

#include <string.h>

#define MAX_ACCOUNT_BYTES 256
#define MAX_ACCOUNT_ID (G_MAXUINT32 - 1)
#define MAX_UMASK_DIGITS 4
#define MAX_PORT 65535
#define HTTP_PREFIX "http://"

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, format, arguments);
  va_end (arguments);
  return FALSE;
}

/* Blanks and control characters, which no account, address or URL has. */
static gboolean
has_blank (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if ((guchar)*c <= ' ' || *c == 0x7f)
      return TRUE;
  return FALSE;
}

gboolean
zinit_check_description (const char *text, GError **error)
{
  gsize length = strlen (text);

  if (length > ZINIT_MAX_DESCRIPTION_BYTES)
    return refuse (error, "%" G_GSIZE_FORMAT " bytes were given; at most %d are allowed", length,
                   ZINIT_MAX_DESCRIPTION_BYTES);
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      return refuse (error, "it has a control character; one line of text is wanted");
  return TRUE;
}

gboolean
zinit_check_account (const char *text, GError **error)
{
  if (strlen (text) > MAX_ACCOUNT_BYTES || has_blank (text) || strpbrk (text, ":/") != NULL ||
      text[0] == '-') {
    g_autofree char *shown = zinit_schema_quote (text);

    return refuse (error,
                   "%s is no user or group; a name (at most %d bytes; no blank, ':' or '/'; not beginning "
                   "with '-') or a number is wanted",
                   shown, MAX_ACCOUNT_BYTES);
  }
  if (strspn (text, "0123456789") == strlen (text) &&
      !g_ascii_string_to_unsigned (text, 10, 0, MAX_ACCOUNT_ID, NULL, NULL))
    return refuse (error, "the number %.32s is too large; at most %u is allowed", text, MAX_ACCOUNT_ID);
  return TRUE;
}

/* HOST or [IPV6], then :PORT. */
static gboolean
is_host_and_port (const char *text)
{
  const char *colon = strrchr (text, ':');
  gsize host_length;

  if (colon == NULL || has_blank (text) ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 1, MAX_PORT, NULL, NULL))
    return FALSE;

  host_length = colon - text;
  if (text[0] == '[')
    return host_length > 2 && strchr (text, ']') == colon - 1;
  return host_length > 0 && strcspn (text, ":/[]") == host_length;
}

gboolean
zinit_check_address (const char *text, GError **error)
{
  g_autofree char *shown = NULL;

  if (text[0] == '/' || is_host_and_port (text))
    return TRUE;
  shown = zinit_schema_quote (text);
  return refuse (error,
                 "%s is no address; HOST:PORT, [IPV6]:PORT (port 1 to %d) or the absolute path of a Unix "
                 "socket is wanted",
                 shown, MAX_PORT);
}

gboolean
zinit_check_url (const char *text, GError **error)
{
  const char *host = g_str_has_prefix (text, HTTP_PREFIX) ? text + strlen (HTTP_PREFIX) : "";
  gsize host_length = strcspn (host, "/?#");
  g_autofree char *authority = g_strndup (host, host_length);
  g_autofree char *shown = NULL;
  gboolean has_port = strchr (authority, ':') != NULL && !g_str_has_suffix (authority, "]");

  if (host_length > 0 && !has_blank (text) && (!has_port || is_host_and_port (authority)))
    return TRUE;
  shown = zinit_schema_quote (text);
  return refuse (error, "%s is no such URL; %sHOST[:PORT][/PATH] is wanted", shown, HTTP_PREFIX);
}

gboolean
zinit_check_ready (const char *text, GError **error)
{
  ZinitReady ready;

  return zinit_ready_parse (text, &ready, error);
}

gboolean
zinit_check_env_file (const char *text, GError **error)
{
  g_autofree char *shown = NULL;

  if (text[0] == '/' || (text[0] == '-' && text[1] == '/'))
    return TRUE;
  shown = zinit_schema_quote (text);
  return refuse (error, "%s is not an absolute path; one is wanted, after a '-' if it need not be there",
                 shown);
}

gboolean
zinit_check_capability (const char *text, GError **error)
{
  g_autofree char *shown = NULL;

  if (zinit_capability_from_string (text) >= 0)
    return TRUE;
  shown = zinit_schema_quote (text);
  return refuse (error, "%s is not a capability; a name such as \"CAP_NET_BIND_SERVICE\" is wanted", shown);
}

gboolean
zinit_check_umask (const char *text, GError **error)
{
  g_autofree char *shown = NULL;

  if (strlen (text) <= MAX_UMASK_DIGITS && g_ascii_string_to_unsigned (text, 8, 0, 0777, NULL, NULL))
    return TRUE;
  shown = zinit_schema_quote (text);
  return refuse (error, "%s is not a mask of permissions; octal digits from \"0000\" to \"0777\" are wanted",
                 shown);
}

gboolean
zinit_check_limit (const char *text, GError **error)
{
  struct rlimit limit;

  return zinit_resource_limit_parse (text, &limit, error);
}

static void G_GNUC_PRINTF (4, 5)
    report_key (ZinitReportFunc report, gpointer data, const ZinitOption *option, const char *format, ...)
{
  g_autofree char *what = NULL;
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  message = g_strdup_printf ("%s.%s: %s", option->section, option->key, what);
  report (option, message, data);
}

/* The one field that each type of health check goes by. */
static void
validate_health (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data)
{
  const struct {
    ZinitHealthType type;
    const char *key;
    const char *text;
  } fields[] = { { ZINIT_HEALTH_TCP, "address", definition->health_address },
                 { ZINIT_HEALTH_HTTP, "url", definition->health_url },
                 { ZINIT_HEALTH_EXEC, "command", definition->health_command } };

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
    const char *word = zinit_health_words[fields[i].type];
    gboolean is_wanted = fields[i].type == (ZinitHealthType)definition->health_type;

    if (is_wanted && fields[i].text == NULL)
      report_key (report, data, zinit_schema_find ("health", fields[i].key),
                  "is missing; health.type = \"%s\" needs it", word);
    if (!is_wanted && fields[i].text != NULL)
      report_key (report, data, zinit_schema_find ("health", fields[i].key),
                  "does not go with the type given; it needs health.type = \"%s\"", word);
  }
}

/* It would be given up just then. */
static void
validate_ready (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data)
{
  ZinitReady ready;

  if (!zinit_ready_parse (definition->ready, &ready, NULL) || ready.kind != ZINIT_READY_ALIVE ||
      ready.alive_ms < definition->start_timeout_ms)
    return;
  report_key (report, data, zinit_schema_find ("service", "ready"),
              "%" G_GUINT64_FORMAT " ms is not below lifecycle.start_timeout_ms, %" G_GUINT64_FORMAT
              " ms, in which it has to be ready",
              ready.alive_ms, definition->start_timeout_ms);
}

static gboolean
is_in_both (const ZinitDefinition *definition, ZinitExit exit)
{
  return zinit_exit_codes_contain ((const char *const *)definition->success_exit_codes, &exit) &&
         zinit_exit_codes_contain ((const char *const *)definition->permanent_exit_codes, &exit);
}

/* An end is a success or a failure. */
static void
validate_exit_codes (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data)
{
  const ZinitOption *option = zinit_schema_find ("lifecycle", "permanent_exit_codes");
  const ZinitExit none = { ZINIT_EXIT_EXITED, 0 };

  if (zinit_exit_codes_contain ((const char *const *)definition->permanent_exit_codes, &none))
    report_key (
        report, data, option,
        "code 0 is a success; with lifecycle.restart = \"on-failure\" it is not started again after it");
  for (gint32 code = 1; code <= ZINIT_MAX_EXIT_CODE; code++) {
    if (!is_in_both (definition, (ZinitExit){ ZINIT_EXIT_EXITED, code }))
      continue;
    report_key (report, data, option, "code %d is in lifecycle.success_exit_codes too; only one is allowed",
                code);
    return;
  }
  for (gint32 signo = 1; signo <= ZINIT_MAX_SIGNAL; signo++)
    if (is_in_both (definition, (ZinitExit){ ZINIT_EXIT_KILLED, signo }))
      report_key (report, data, option, "%s is in lifecycle.success_exit_codes too; only one is allowed",
                  zinit_signal_to_string (signo));
}

void
zinit_schema_validate (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data)
{
  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    ZinitValue value;
    gboolean is_there = zinit_schema_get (definition, option, &value);

    if ((option->flags & ZINIT_OPTION_REQUIRED) && !is_there)
      report_key (report, data, option, "is missing; every service needs it");
    if (option->type == ZINIT_TYPE_LIST && option->check == NULL && definition->name != NULL &&
        value.strings != NULL && g_strv_contains (value.strings, definition->name))
      report_key (report, data, option, "names the service itself, %s; only others are allowed",
                  definition->name);
  }
  if (definition->restart_delay_max_ms < definition->restart_delay_ms)
    report_key (report, data, zinit_schema_find ("lifecycle", "restart_delay_max_ms"),
                "%" G_GUINT64_FORMAT " ms is below lifecycle.restart_delay_ms, %" G_GUINT64_FORMAT
                " ms; it must be at least as long",
                definition->restart_delay_max_ms, definition->restart_delay_ms);
  validate_exit_codes (definition, report, data);
  validate_ready (definition, report, data);
  validate_health (definition, report, data);
}
