/* SPDX-License-Identifier: Apache-2.0
 *
 * One request for all services, which the daemon answers once each has settled. Meanwhile the signals tell
 * what moves and what has to wait; and they alone tell how a start ends that somebody else has asked for.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/wait.h"

#include "client/concern.h"
#include "client/describe.h"
#include "client/format.h"
#include "client/json.h"
#include "client/outcome.h"
#include "client/output.h"
#include "client/rows.h"
#include "client/transition.h"
#include "names.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>

typedef struct {
  ZinitClient *client;
  const ZinitWaitRequest *request;
  GMainLoop *loop;
  GHashTable *items;     /* name → Item */
  GHashTable *concerned; /* names whose transitions are shown; NULL = of all that moves */
  GHashTable
      *moved; /* of a request for all: names of services that moved because of it, as far as one can see */
  guint open; /* items without result */
  gboolean is_answered;
  gboolean is_told; /* the same error for all was printed */
  gboolean interrupted;
  ZinitExitCode exit_code;
  GString *json; /* results */
} Wait;

typedef struct {
  Wait *wait;
  char *name;
  char *said;              /* what it was last said to wait for */
  gboolean was_on_its_way; /* before the request: then its start is somebody else's */
  gboolean by_signal;      /* its transitions tell when it has settled */
  gboolean done;
} Item;

static void
item_free (gpointer data)
{
  Item *item = data;
  g_free (item->name);
  g_free (item->said);
  g_free (item);
}

static Item *
add_item (Wait *wait, const char *name)
{
  Item *item = g_new0 (Item, 1);
  item->wait = wait;
  item->name = g_strdup (name);
  g_hash_table_insert (wait->items, item->name, item);
  wait->open++;
  return item;
}

static void
quit_when_done (Wait *wait)
{
  if (wait->open == 0 && wait->is_answered)
    g_main_loop_quit (wait->loop);
}

/* @info NULL when the service is not known (any more). */
static void
finish_item (Item *item, const ZinitServiceInfo *info, const GError *error)
{
  Wait *wait = item->wait;
  if (item->done)
    return;
  item->done = TRUE;
  wait->exit_code = zinit_command_worse (wait->exit_code, zinit_command_exit_code (error));
  if (wait->client->json)
    zinit_outcome_append_json (wait->json, item->name, info, error);
  else if (!wait->is_told)
    zinit_outcome_print (wait->client, wait->request, item->name, info, error, item->said);
  wait->open--;
  quit_when_done (wait);
}

static gboolean
is_up (const ZinitServiceInfo *info)
{
  static const char *const words[] = { "done", "listening", "skipped", NULL };
  return (g_str_equal (info->state, "running") && !info->oneshot) || g_strv_contains (words, info->sub_state);
}

static gboolean
is_down (const ZinitServiceInfo *info)
{
  static const char *const words[] = { "exited", "failed", "inactive", NULL };
  return g_strv_contains (words, info->state);
}

static gboolean
has_arrived (const Wait *wait, const ZinitServiceInfo *info)
{
  return wait->request->request == ZINIT_REQUEST_STOP ? is_down (info) : is_up (info);
}

/* The same error that the daemon gives to who waits by call. */
static GError *
cannot_start (Item *item, const ZinitServiceInfo *info)
{
  gboolean failed = g_str_equal (info->state, "failed");
  g_autofree char *cause =
      failed ? zinit_describe_failure (info->failure_reason) : zinit_describe_state (info);
  g_autofree char *message = g_strdup_printf (_ ("%s did not start: %s"), item->name, cause);
  return g_dbus_error_new_for_dbus_error (ZINIT_ERROR_PREFIX "CannotStart", message);
}

/* Where a start that is somebody else's has come to. */
static void
look_again (Item *item)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (item->wait->client, item->name, &error);
  if (info != NULL && !is_up (info) && !is_down (info))
    return;
  if (info != NULL && !is_up (info))
    error = cannot_start (item, info);
  finish_item (item, info, error);
}

/* @text: what happened, as the daemon says it; NULL = all is well. */
static void
item_answered (Item *item, const char *text)
{
  const ZinitWaitRequest *request = item->wait->request;
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (item->wait->client, item->name, &error);
  if (info == NULL) {
    gboolean removed = text == NULL && request->request == ZINIT_REQUEST_STOP &&
                       zinit_command_is_error (error, "NoSuchService");
    finish_item (item, NULL, removed ? NULL : error);
    return;
  }
  /* What is so already is no error to the person who wants it so. */
  if (text == NULL || (request->request != ZINIT_REQUEST_RESTART && has_arrived (item->wait, info))) {
    finish_item (item, info, NULL);
    return;
  }
  item->by_signal = item->was_on_its_way && !request->no_wait && !is_down (info);
  if (item->by_signal)
    return;
  error = g_dbus_error_new_for_dbus_error (
      request->request == ZINIT_REQUEST_STOP ? ZINIT_ERROR_PREFIX "Failed" : ZINIT_ERROR_PREFIX "CannotStart",
      text);
  finish_item (item, info, error);
}

/* One error for all that have no result yet. */
static void
fail_all (Wait *wait, const GError *error)
{
  GHashTableIter iter;
  gpointer item = NULL;
  if (wait->open == 0)
    wait->exit_code = zinit_command_worse (wait->exit_code, zinit_command_fail (error));
  wait->is_answered = TRUE;
  g_hash_table_iter_init (&iter, wait->items);
  while (g_hash_table_iter_next (&iter, NULL, &item)) {
    finish_item (item, NULL, error);
    wait->is_told = TRUE;
  }
  quit_when_done (wait);
}

static void
services_answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Wait *wait = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (reply == NULL) {
    fail_all (wait, error);
    return;
  }
  wait->is_answered = TRUE;
  g_autoptr (GVariant) results = g_variant_get_child_value (reply, 0);
  for (gsize i = 0; i < g_variant_n_children (results); i++) {
    const char *name = NULL, *text = NULL;
    gboolean is_well = FALSE;
    g_variant_get_child (results, i, "(&sb&s)", &name, &is_well, &text);
    Item *item = g_hash_table_lookup (wait->items, name);
    if (item != NULL && !item->done)
      item_answered (item, is_well ? NULL : text);
  }
  quit_when_done (wait);
}

/* One by one what has come of a request for all that did not succeed as a whole. */
static void
adopt_moved (Wait *wait)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (wait->moved), (GCompareFunc)strcmp);
  for (GList *at = names; at != NULL; at = at->next)
    add_item (wait, at->data);
}

static void
judge (Item *item)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (item->wait->client, item->name, &error);
  if (info != NULL && !has_arrived (item->wait, info) && item->wait->request->request == ZINIT_REQUEST_START)
    error = cannot_start (item, info);
  finish_item (item, info, error);
}

static void
for_each_item (Wait *wait, void (*func) (Item *item))
{
  g_autoptr (GList) items = g_list_sort (g_hash_table_get_keys (wait->items), (GCompareFunc)strcmp);
  for (GList *at = items; at != NULL; at = at->next)
    func (g_hash_table_lookup (wait->items, at->data));
}

static void
all_answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Wait *wait = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean is_of_services = error != NULL && zinit_command_exit_code (error) == ZINIT_EXIT_FAILED;
  if (wait->is_answered)
    return;
  if (reply == NULL && !is_of_services) {
    fail_all (wait, error);
    return;
  }
  wait->is_answered = TRUE;
  if (reply == NULL) {
    adopt_moved (wait);
    for_each_item (wait, judge);
    /* The daemon knows of one that we have not seen. */
    if (wait->exit_code == ZINIT_EXIT_DONE)
      wait->exit_code = zinit_command_fail (error);
  } else {
    g_autofree const char **names = NULL;
    g_variant_get (reply, "(^a&s)", &names);
    for (gsize i = 0; names[i] != NULL; i++)
      item_answered (add_item (wait, names[i]), NULL);
  }
  quit_when_done (wait);
}

static void
say_waiting (Item *item)
{
  if (item->wait->request->request != ZINIT_REQUEST_STOP && !item->wait->request->no_wait)
    zinit_outcome_say_waiting (item->wait->client, item->wait->request, item->name, &item->said);
}

/* What is blocked already has no transition to tell of it. */
static void
say_if_blocked (Item *item)
{
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (item->wait->client, item->name, NULL);
  if (info != NULL && g_str_equal (info->state, "blocked"))
    say_waiting (item);
}

static void
give_up_on (Item *item)
{
  const ZinitWaitRequest *request = item->wait->request;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (item->wait->client, item->name, NULL);
  g_autofree char *after = zinit_format_duration ((guint64)request->timeout_ms * 1000);
  g_autofree char *state = info != NULL ? zinit_describe_state (info) : g_strdup (_ ("removed"));
  g_autofree char *message =
      g_strdup_printf (request->request == ZINIT_REQUEST_STOP ? _ ("%s is not down after %s; it is %s")
                                                              : _ ("%s is not up after %s; it is %s"),
                       item->name, after, state);
  g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (ZINIT_ERROR_PREFIX "TimedOut", message);
  gboolean has_come = item->done || (info != NULL && has_arrived (item->wait, info));
  finish_item (item, info, has_come ? NULL : error);
  if (!has_come && info != NULL && request->request != ZINIT_REQUEST_STOP)
    zinit_outcome_explain (item->wait->client, request, item->name, item->said);
}

static gboolean
timed_out (gpointer data)
{
  Wait *wait = data;
  if (wait->request->all && !wait->is_answered)
    adopt_moved (wait);
  wait->is_answered = TRUE;
  for_each_item (wait, give_up_on);
  wait->exit_code = zinit_command_worse (wait->exit_code, ZINIT_EXIT_FAILED);
  zinit_output_print_detail (_ ("No longer waiting; the request itself goes on."));
  quit_when_done (wait);
  return G_SOURCE_CONTINUE;
}

static void
note_moved (Wait *wait, const ZinitTransitionInfo *transition)
{
  static const char *const up[] = { "blocked", "starting", NULL };
  gboolean is_ours = wait->request->request == ZINIT_REQUEST_STOP
                         ? g_str_equal (transition->new_state, "stopping")
                         : g_strv_contains (up, transition->new_state);
  if (wait->request->all && !wait->is_answered && is_ours)
    g_hash_table_add (wait->moved, g_strdup (transition->name));
}

static void
transition_seen (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                 const char *signal_name, GVariant *parameters, gpointer data)
{
  Wait *wait = data;
  g_auto (ZinitTransitionInfo) transition = { NULL };
  if (!zinit_transition_read (&transition, parameters))
    return;

  note_moved (wait, &transition);
  if (wait->request->show &&
      (wait->concerned == NULL || g_hash_table_contains (wait->concerned, transition.name))) {
    g_autofree char *line = zinit_transition_to_line (&transition);
    zinit_output_print ("%s\n", line);
    zinit_output_flush ();
  }
  Item *item = g_hash_table_lookup (wait->items, transition.name);
  if (item == NULL || item->done)
    return;
  if (g_str_equal (transition.new_state, "blocked"))
    say_waiting (item);
  else if (item->by_signal)
    look_again (item);
}

static void
daemon_gone (gpointer connection, gpointer data)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");
  fail_all (data, error);
}

static gboolean
interrupted (gpointer data)
{
  Wait *wait = data;
  wait->interrupted = TRUE;
  g_main_loop_quit (wait->loop);
  return G_SOURCE_CONTINUE;
}

static void
send_request (Wait *wait, const char *method, GVariant *parameters, const char *reply_type,
              GAsyncReadyCallback answered)
{
  ZinitConnection *connection = wait->client->connection;
  g_dbus_connection_call (zinit_connection_get_bus (connection),
                          zinit_connection_get_destination (connection), ZINIT_MANAGER_PATH,
                          ZINIT_MANAGER_INTERFACE, method, parameters, G_VARIANT_TYPE (reply_type),
                          G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, answered, wait);
}

/* Which of them somebody else has on its way already. */
static void
add_items (Wait *wait)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitRows) rows = zinit_rows_fetch (wait->client, wait->request->names, &error);
  for (gsize i = 0; wait->request->names[i] != NULL; i++) {
    Item *item = add_item (wait, wait->request->names[i]);
    const ZinitRow *row = rows != NULL ? zinit_rows_find (rows, item->name) : NULL;
    item->was_on_its_way = row != NULL && wait->request->request == ZINIT_REQUEST_START &&
                           (g_str_equal (row->state, "starting") || g_str_equal (row->state, "running"));
  }
}

static void
ask (Wait *wait)
{
  static const char *const methods[] = { "StartServices", "StopServices", "RestartServices" };
  static const char *const methods_for_all[] = { "StartAll", "StopAll" };
  const ZinitWaitRequest *request = wait->request;
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "wait", "b", !request->no_wait);
  if (request->tree)
    g_variant_dict_insert (&options, "tree", "b", TRUE);
  GVariant *dictionary = g_variant_dict_end (&options);
  if (request->all)
    send_request (wait, methods_for_all[request->request], g_variant_new ("(@a{sv})", dictionary), "(as)",
                  all_answered);
  else
    send_request (wait, methods[request->request], g_variant_new ("(^as@a{sv})", request->names, dictionary),
                  "(a(sbs))", services_answered);
}

static ZinitExitCode
wait_until_settled (Wait *wait)
{
  guint source = g_unix_signal_add (SIGINT, interrupted, wait);
  guint timer =
      wait->request->timeout_ms >= 0 ? g_timeout_add ((guint)wait->request->timeout_ms, timed_out, wait) : 0;
  if (wait->request->request != ZINIT_REQUEST_STOP && !wait->request->no_wait)
    for_each_item (wait, say_if_blocked);
  if (wait->open > 0 || !wait->is_answered)
    g_main_loop_run (wait->loop);
  g_source_remove (source);
  if (timer != 0)
    g_source_remove (timer);
  if (wait->client->json)
    zinit_json_print (g_string_append_c (g_steal_pointer (&wait->json), ']'));
  if (wait->interrupted) {
    zinit_output_print_error (_ ("no longer waiting; the request itself goes on"));
    zinit_output_flush ();
    /* Ends the way a shell expects of an interrupted program. */
    signal (SIGINT, SIG_DFL);
    raise (SIGINT);
  }
  return wait->exit_code;
}

ZinitExitCode
zinit_wait_run (ZinitClient *client, const ZinitWaitRequest *request)
{
  g_autoptr (GError) error = NULL;
  ZinitConnection *connection = zinit_command_connect (client, &error);
  if (connection == NULL)
    return zinit_command_fail (error);

  Wait wait = { .client = client, .request = request, .loop = g_main_loop_new (NULL, FALSE) };
  wait.items = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, item_free);
  wait.moved = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  wait.json = g_string_new ("[");
  zinit_connection_on_gone (connection, daemon_gone, &wait);
  zinit_connection_subscribe (connection, "ServiceStateChanged", transition_seen, &wait);
  if (request->show && !request->all)
    wait.concerned = zinit_concern_find (client, request);
  if (!request->all)
    add_items (&wait);
  ask (&wait);
  ZinitExitCode exit_code = wait_until_settled (&wait);

  zinit_connection_on_gone (connection, NULL, NULL);
  g_clear_pointer (&wait.concerned, g_hash_table_unref);
  if (wait.json != NULL)
    g_string_free (wait.json, TRUE);
  g_main_loop_unref (wait.loop);
  g_hash_table_unref (wait.moved);
  g_hash_table_unref (wait.items);
  return exit_code;
}
