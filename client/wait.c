/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for services. The daemon answers a call with `wait` once the service has settled. Where there is no
 * such call (StartAll, StopAll) or somebody else asked before (AlreadyRunning), the signals tell.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/wait.h"

#include "client/describe.h"
#include "client/format.h"
#include "client/json.h"
#include "client/outcome.h"
#include "client/output.h"
#include "client/transition.h"
#include "names.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>

typedef struct {
  ZinitClient *client;
  const ZinitWaitRequest *request;
  GMainLoop *loop;
  GHashTable *items;     /* name → Item */
  GHashTable *concerned; /* names whose transitions are shown; NULL = those of @items */
  guint open;            /* items without result */
  ZinitExitCode exit_code;
  GString *json; /* results */
  gboolean interrupted;
} Wait;

typedef struct {
  Wait *wait;
  char *name;
  char *said;         /* what it was last said to wait for */
  gboolean by_signal; /* no call is open for it: its transitions tell when it has settled */
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

/* @info NULL when the service is not known (any more). */
static void
finish_item (Item *item, const ZinitServiceInfo *info, const GError *error)
{
  Wait *wait = item->wait;
  if (item->done)
    return;
  item->done = TRUE;
  gboolean told = wait->exit_code == ZINIT_EXIT_NO_DAEMON; /* once is enough for all */
  wait->exit_code = zinit_command_worse (wait->exit_code, zinit_command_exit_code (error));
  if (wait->client->json)
    zinit_outcome_append_json (wait->json, item->name, info, error);
  else if (!told)
    zinit_outcome_print (wait->client, wait->request, item->name, info, error, item->said);
  if (--wait->open == 0)
    g_main_loop_quit (wait->loop);
}

static gboolean
is_up (const ZinitServiceInfo *info)
{
  static const char *const words[] = { "done", "listening", "skipped", NULL };
  return (g_str_equal (info->state, "running") && !info->oneshot) || g_strv_contains (words, info->sub_state);
}

static gboolean
is_settled (ZinitRequest request, const ZinitServiceInfo *info)
{
  static const char *const down[] = { "exited", "failed", "inactive", NULL };
  return g_strv_contains (down, info->state) || (request != ZINIT_REQUEST_STOP && is_up (info));
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

/* Looks where the service is now: done, or its transitions go on telling. */
static void
look_again (Item *item)
{
  Wait *wait = item->wait;
  g_autoptr (GError) error = NULL;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (wait->client, item->name, &error);
  if (info == NULL) {
    gboolean removed =
        wait->request->request == ZINIT_REQUEST_STOP && zinit_command_is_error (error, "NoSuchService");
    finish_item (item, NULL, removed ? NULL : error);
    return;
  }
  if (!wait->request->no_wait && !is_settled (wait->request->request, info)) {
    item->by_signal = TRUE;
    return;
  }
  if (!wait->request->no_wait && wait->request->request != ZINIT_REQUEST_STOP && !is_up (info))
    error = cannot_start (item, info);
  finish_item (item, info, error);
}

static void
call_failed (Item *item, const GError *error)
{
  ZinitRequest request = item->wait->request->request;
  gboolean reached = (request == ZINIT_REQUEST_START && zinit_command_is_error (error, "AlreadyRunning")) ||
                     (request == ZINIT_REQUEST_STOP && zinit_command_is_error (error, "NotRunning"));
  if (reached) {
    look_again (item);
    return;
  }
  g_autoptr (ZinitServiceInfo) info = NULL;
  if (zinit_command_exit_code (error) == ZINIT_EXIT_FAILED)
    info = zinit_model_fetch_one (item->wait->client, item->name, NULL);
  finish_item (item, info, error);
}

static void
call_answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Item *item = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (item->done)
    return;
  if (reply == NULL)
    call_failed (item, error);
  else
    look_again (item);
}

static Item *
add_item (Wait *wait, const char *name)
{
  if (g_hash_table_contains (wait->items, name))
    return NULL;
  Item *item = g_new0 (Item, 1);
  item->wait = wait;
  item->name = g_strdup (name);
  g_hash_table_insert (wait->items, item->name, item);
  wait->open++;
  return item;
}

static void
say_waiting (Item *item)
{
  if (item->wait->request->request != ZINIT_REQUEST_STOP && !item->wait->request->no_wait)
    zinit_outcome_say_waiting (item->wait->client, item->wait->request, item->name, &item->said);
}

/* What is blocked already has no transition to tell of it. */
static void
say_who_waits (Wait *wait)
{
  if (wait->request->request == ZINIT_REQUEST_STOP || wait->request->no_wait)
    return;
  GHashTableIter iter;
  gpointer item = NULL;
  g_hash_table_iter_init (&iter, wait->items);
  while (g_hash_table_iter_next (&iter, NULL, &item)) {
    g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (wait->client, ((Item *)item)->name, NULL);
    if (info != NULL && g_str_equal (info->state, "blocked"))
      say_waiting (item);
  }
}

static gboolean
timed_out (gpointer data)
{
  Wait *wait = data;
  gboolean stop = wait->request->request == ZINIT_REQUEST_STOP;
  g_autofree char *after = zinit_format_duration ((guint64)wait->request->timeout_ms * 1000);
  GHashTableIter iter;
  gpointer value = NULL;
  g_hash_table_iter_init (&iter, wait->items);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Item *item = value;
    g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (wait->client, item->name, NULL);
    g_autofree char *state = info != NULL ? zinit_describe_state (info) : g_strdup (_ ("removed"));
    g_autofree char *message = g_strdup_printf (stop ? _ ("%s is not down after %s; it is %s")
                                                     : _ ("%s is not up after %s; it is %s"),
                                                item->name, after, state);
    g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (ZINIT_ERROR_PREFIX "TimedOut", message);
    gboolean is_open = !stop && !item->done && info != NULL;
    finish_item (item, info, error);
    if (is_open)
      zinit_outcome_explain (wait->client, wait->request, item->name, item->said);
  }
  zinit_output_print_detail (_ ("No longer waiting; what was asked for goes on."));
  return G_SOURCE_CONTINUE;
}

static void
transition_seen (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                 const char *signal_name, GVariant *parameters, gpointer data)
{
  Wait *wait = data;
  g_auto (ZinitTransitionInfo) transition = { NULL };
  if (!zinit_transition_read (&transition, parameters))
    return;

  Item *item = g_hash_table_lookup (wait->items, transition.name);
  gboolean concerned =
      wait->concerned != NULL ? g_hash_table_contains (wait->concerned, transition.name) : item != NULL;
  if (wait->request->show && concerned) {
    g_autofree char *line = zinit_transition_to_line (&transition);
    zinit_output_print ("%s\n", line);
    zinit_output_flush ();
  }
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
  Wait *wait = data;
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");
  GHashTableIter iter;
  gpointer item = NULL;
  g_hash_table_iter_init (&iter, wait->items);
  while (g_hash_table_iter_next (&iter, NULL, &item))
    finish_item (item, NULL, error);
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
concern (Wait *wait, GPtrArray *services, const char *name)
{
  if (!g_hash_table_add (wait->concerned, g_strdup (name)))
    return;
  const ZinitServiceInfo *info = zinit_model_find (services, name);
  if (info == NULL)
    return;
  const char **lists[2] = { info->required_by, NULL };
  if (wait->request->request == ZINIT_REQUEST_START) {
    lists[0] = info->requires;
    lists[1] = info->wants;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    for (gsize j = 0; lists[i] != NULL && lists[i][j] != NULL; j++)
      concern (wait, services, lists[i][j]);
}

/* Others than the named ones move with them: what they need, or those that need them. */
static void
find_concerned (Wait *wait)
{
  const ZinitWaitRequest *request = wait->request;
  if (!request->show || request->all || (request->request == ZINIT_REQUEST_START && !request->tree))
    return;
  g_autoptr (GPtrArray) services = zinit_model_fetch (wait->client, NULL);
  if (services == NULL)
    return;
  wait->concerned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; request->names[i] != NULL; i++)
    concern (wait, services, request->names[i]);
}

static void
ask_for_each (Wait *wait)
{
  static const char *const methods[] = { "StartService", "StopService", "RestartService" };
  ZinitConnection *connection = wait->client->connection;
  for (gsize i = 0; wait->request->names[i] != NULL; i++) {
    Item *item = add_item (wait, wait->request->names[i]);
    if (item == NULL)
      continue;
    GVariantDict options;
    g_variant_dict_init (&options, NULL);
    if (!wait->request->no_wait)
      g_variant_dict_insert (&options, "wait", "b", TRUE);
    if (wait->request->tree)
      g_variant_dict_insert (&options, "tree", "b", TRUE);
    g_dbus_connection_call (
        zinit_connection_get_bus (connection), zinit_connection_get_destination (connection),
        ZINIT_MANAGER_PATH, ZINIT_MANAGER_INTERFACE, methods[wait->request->request],
        g_variant_new ("(s@a{sv})", item->name, g_variant_dict_end (&options)), G_VARIANT_TYPE ("()"),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, call_answered, item);
  }
}

static gboolean
ask_for_all (Wait *wait, GError **error)
{
  const char *method = wait->request->request == ZINIT_REQUEST_START ? "StartAll" : "StopAll";
  g_autoptr (GVariant) reply = zinit_command_call (
      wait->client, method, g_variant_new ("(@a{sv})", zinit_command_no_options ()), "(as)", error);
  if (reply == NULL)
    return FALSE;
  g_autofree const char **names = NULL;
  g_variant_get (reply, "(^a&s)", &names);
  /* All are known before the first is done: the last one ends the loop. */
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  for (gsize i = 0; names[i] != NULL; i++)
    g_ptr_array_add (items, add_item (wait, names[i]));
  for (gsize i = 0; i < items->len; i++)
    look_again (g_ptr_array_index (items, i));
  return TRUE;
}

static ZinitExitCode
wait_until_settled (Wait *wait)
{
  guint source = g_unix_signal_add (SIGINT, interrupted, wait);
  guint timer =
      wait->request->timeout_ms >= 0 ? g_timeout_add ((guint)wait->request->timeout_ms, timed_out, wait) : 0;
  say_who_waits (wait);
  if (wait->open > 0)
    g_main_loop_run (wait->loop);
  g_source_remove (source);
  if (timer != 0)
    g_source_remove (timer);
  if (wait->client->json)
    zinit_json_print (g_string_append_c (g_steal_pointer (&wait->json), ']'));
  if (wait->interrupted) {
    zinit_output_print_error (_ ("no longer waiting; what was asked for goes on"));
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
  wait.json = g_string_new ("[");
  zinit_connection_on_gone (connection, daemon_gone, &wait);
  zinit_connection_subscribe (connection, "ServiceStateChanged", transition_seen, &wait);
  find_concerned (&wait);

  ZinitExitCode exit_code = ZINIT_EXIT_DONE;
  if (!request->all)
    ask_for_each (&wait);
  if (request->all && !ask_for_all (&wait, &error))
    exit_code = zinit_command_fail (error);
  else
    exit_code = wait_until_settled (&wait);

  zinit_connection_on_gone (connection, NULL, NULL);
  g_clear_pointer (&wait.concerned, g_hash_table_unref);
  if (wait.json != NULL)
    g_string_free (wait.json, TRUE);
  g_main_loop_unref (wait.loop);
  g_hash_table_unref (wait.items);
  return exit_code;
}
