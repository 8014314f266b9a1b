/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods about one service: on its own object, and on the manager with the service's name first.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/call.h"
#include "bus/errors.h"
#include "bus/waiters.h"
#include "common/signals.h"
#include "config/format.h"
#include "model/error.h"
#include "model/limits.h"

/* Empty lines have no bytes of text and need room in the answer all the same. */
#define MAX_REPLY_LINES 100000u

/* The requests that can be waited for, as functions of one shape. */
static gboolean
start (ZinitCall *call, ZinitService *service, GError **error)
{
  return zinit_supervisor_start (call->connection->bus->supervisor, service, call->options.tree, error);
}

static gboolean
stop (ZinitCall *call, ZinitService *service, GError **error)
{
  return zinit_supervisor_stop (call->connection->bus->supervisor, service, error);
}

static gboolean
restart (ZinitCall *call, ZinitService *service, GError **error)
{
  return zinit_supervisor_restart (call->connection->bus->supervisor, service, call->options.tree, error);
}

static gboolean
request (ZinitCall *call, ZinitService *service, ZinitWaiterKind kind,
         gboolean (*func) (ZinitCall *call, ZinitService *service, GError **error), GError **error)
{
  gboolean was_running = zinit_service_get_status (service)->state == ZINIT_STATE_RUNNING;
  ZinitWaiter *waiter;

  if (call->options.wait && !zinit_waiters_has_room (call, error))
    return FALSE;
  if (!func (call, service, error))
    return FALSE;
  if (call->options.wait) {
    waiter = zinit_waiter_new (call, NULL);
    zinit_waiter_add (waiter, service, kind, was_running);
    zinit_waiter_begin (waiter, TRUE);
  }
  return TRUE;
}

static gboolean
handle_start (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return request (call, service, ZINIT_WAITER_START, start, error);
}

static gboolean
handle_stop (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return request (call, service, ZINIT_WAITER_STOP, stop, error);
}

static gboolean
handle_restart (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return request (call, service, ZINIT_WAITER_RESTART, restart, error);
}

static gboolean
handle_reset_failed (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return zinit_supervisor_reset_failed (call->connection->bus->supervisor, service, error);
}

static gboolean
handle_kill (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  g_autoptr (GVariant) argument = zinit_call_get_argument (call, 0);
  gint32 signo = g_variant_get_int32 (argument);

  if (zinit_signal_to_string (signo) == NULL) {
    g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_SIGNAL, "there is no signal %d; allowed are 1 to %d",
                 signo, ZINIT_MAX_SIGNAL);
    return FALSE;
  }
  return zinit_supervisor_kill (call->connection->bus->supervisor, service, signo,
                                (ZinitWhom)call->options.whom, error);
}

static gboolean
handle_remove (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  return zinit_supervisor_remove (call->connection->bus->supervisor, service, call->options.stop, error);
}

static gboolean
handle_get_config (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  const ZinitDefinition *definition = zinit_service_get_next_definition (service);

  *ret_reply = g_variant_new ("(@a{sa{sv}})", zinit_definition_to_variant (definition, call->is_privileged));
  return TRUE;
}

static gboolean
handle_why_blocked (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  g_autoptr (GPtrArray) blockers = zinit_supervisor_why_blocked (call->connection->bus->supervisor, service);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sss)"));
  for (guint i = 0; i < blockers->len; i++) {
    const ZinitBlocker *blocker = blockers->pdata[i];

    g_variant_builder_add (&builder, "(sss)", zinit_block_kind_to_string (blocker->kind), blocker->service,
                           blocker->is_known ? zinit_state_to_string (blocker->state) : "unknown");
  }
  *ret_reply = g_variant_new ("(a(sss))", &builder);
  return TRUE;
}

/* Lines are bytes; on the bus text is UTF-8 without NUL. */
static GVariant *
line_text (const ZinitLogLine *line)
{
  g_autoptr (GString) text = NULL;

  if (memchr (line->text, '\0', line->length) == NULL)
    return g_variant_new_take_string (g_utf8_make_valid (line->text, (gssize)line->length));

  text = g_string_sized_new (line->length + 16);
  for (gsize i = 0; i < line->length; i++) {
    if (line->text[i] == '\0')
      g_string_append (text, "\357\277\275"); /* U+FFFD */
    else
      g_string_append_c (text, line->text[i]);
  }
  return g_variant_new_take_string (g_utf8_make_valid (text->str, (gssize)text->len));
}

static gboolean
add_line (const ZinitLogLine *line, gpointer data)
{
  g_variant_builder_add (data, "(ts@s)", (guint64)line->time_usec, zinit_stream_words[line->stream],
                         line_text (line));
  return TRUE;
}

static gboolean
handle_get_logs (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  const ZinitCallOptions *options = &call->options;
  ZinitLogQuery query = {
    .max_lines =
        (options->given & ZINIT_CALL_LINES) != 0 ? MIN (options->lines, MAX_REPLY_LINES) : MAX_REPLY_LINES,
    .max_bytes = ZINIT_MAX_LOG_REPLY_BYTES,
    .since_usec = (gint64)MIN (options->since_usec, (guint64)G_MAXINT64),
    .streams =
        (options->given & ZINIT_CALL_STREAM) != 0 ? 1u << options->stream : (1u << ZINIT_N_STREAMS) - 1,
  };
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(tss)"));
  zinit_log_foreach (zinit_service_get_log (service), &query, add_line, &builder);
  *ret_reply = g_variant_new ("(a(tss))", &builder);
  return TRUE;
}

static gboolean
handle_get_stats (ZinitCall *call, ZinitService *service, GVariant **ret_reply, GError **error)
{
  const ZinitLog *log = zinit_service_get_log (service);
  ZinitProcessStats stats;
  GVariantBuilder builder, processes;

  zinit_service_read_stats (service, &stats);
  g_variant_builder_init (&processes, G_VARIANT_TYPE ("a(us)"));
  for (guint i = 0; stats.processes != NULL && i < stats.processes->len; i++) {
    const ZinitProcessInfo *info = &g_array_index (stats.processes, ZinitProcessInfo, i);

    g_variant_builder_add (&processes, "(u@s)", (guint32)info->pid, zinit_bus_string (info->name));
  }
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "cpu_usec", g_variant_new_uint64 (stats.cpu_usec));
  g_variant_builder_add (&builder, "{sv}", "memory_bytes", g_variant_new_uint64 (stats.memory_bytes));
  g_variant_builder_add (&builder, "{sv}", "processes", g_variant_builder_end (&processes));
  g_variant_builder_add (&builder, "{sv}", "log_lines", g_variant_new_uint64 (zinit_log_get_total (log)));
  g_variant_builder_add (&builder, "{sv}", "log_dropped", g_variant_new_uint64 (zinit_log_get_dropped (log)));
  g_variant_builder_add (&builder, "{sv}", "log_bytes", g_variant_new_uint64 (zinit_log_get_bytes (log)));
  *ret_reply = g_variant_new ("(a{sv})", &builder);
  zinit_process_stats_clear (&stats);
  return TRUE;
}

const ZinitMethod zinit_service_methods[] = {
  { "StartService", "Start", ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING | ZINIT_CALL_TREE, TRUE, handle_start },
  { "StopService", "Stop", ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING, TRUE, handle_stop },
  { "RestartService", "Restart", ZINIT_ACCESS_REQUEST, ZINIT_CALL_WAITING | ZINIT_CALL_TREE, TRUE,
    handle_restart },
  { "ResetFailed", "ResetFailed", ZINIT_ACCESS_REQUEST, 0, TRUE, handle_reset_failed },
  { "KillService", "Kill", ZINIT_ACCESS_PRIVILEGED, ZINIT_CALL_WHOM, TRUE, handle_kill },
  { "RemoveService", "Remove", ZINIT_ACCESS_REQUEST, ZINIT_CALL_STOP, TRUE, handle_remove },
  { NULL, "GetConfig", ZINIT_ACCESS_FILTERED, 0, TRUE, handle_get_config },
  { "GetLogs", "GetLogs", ZINIT_ACCESS_PRIVILEGED, ZINIT_CALL_LINES | ZINIT_CALL_SINCE | ZINIT_CALL_STREAM,
    TRUE, handle_get_logs },
  { "GetStats", "GetStats", ZINIT_ACCESS_PUBLIC, 0, TRUE, handle_get_stats },
  { "WhyBlocked", "WhyBlocked", ZINIT_ACCESS_PUBLIC, 0, TRUE, handle_why_blocked },
  { NULL },
};
