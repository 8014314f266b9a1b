/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of the daemon: what it wrote down, and waiting for more of it.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "client.h"

#include <stdio.h>
#include <string.h>

#include "names.h"
#include "processes.h"

static gboolean
is_signal (GDBusMessage *message, const char *path, const char *member)
{
  return g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_SIGNAL &&
         (path == NULL || g_strcmp0 (g_dbus_message_get_path (message), path) == 0) &&
         (member == NULL || g_strcmp0 (g_dbus_message_get_member (message), member) == 0);
}

static gboolean
is_transition (GDBusMessage *message, const char *service, const char *from, const char *to)
{
  const char *name, *path, *old_state, *new_state;

  if (!is_signal (message, ZINIT_MANAGER_PATH, "ServiceStateChanged"))
    return FALSE;
  g_variant_get (g_dbus_message_get_body (message), "(&s&o&s&s@a{sv})", &name, &path, &old_state, &new_state,
                 NULL);
  return (service == NULL || strcmp (name, service) == 0) &&
         (from == NULL || strcmp (old_state, from) == 0) && (to == NULL || strcmp (new_state, to) == 0);
}

void
client_set_mark (TestClient *client)
{
  g_mutex_lock (&client->lock);
  client->mark = client->messages->len;
  g_mutex_unlock (&client->lock);
}

GPtrArray *
client_record (TestClient *client)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_object_unref);

  g_mutex_lock (&client->lock);
  for (guint i = client->mark; i < client->messages->len; i++)
    g_ptr_array_add (copy, g_object_ref (g_ptr_array_index (client->messages, i)));
  g_mutex_unlock (&client->lock);
  return copy;
}

void
client_fail (TestClient *client, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list list;

  g_mutex_lock (&client->lock);
  fprintf (stderr, "# what the client was told:\n");
  for (guint i = 0; i < client->messages->len; i++) {
    GDBusMessage *message = g_ptr_array_index (client->messages, i);
    GVariant *body = g_dbus_message_get_body (message);
    g_autofree char *shown = body ? g_variant_print (body, FALSE) : g_strdup ("");

    if (is_signal (message, NULL, NULL))
      fprintf (stderr, "# %s%4u %s %s %.400s\n", i < client->mark ? " " : ">", i,
               g_dbus_message_get_path (message), g_dbus_message_get_member (message), shown);
  }
  g_mutex_unlock (&client->lock);
  va_start (list, format);
  text = g_strdup_vprintf (format, list);
  va_end (list);
  g_error ("%s", text);
}

/* FALSE at the deadline; the lock is held. */
static gboolean
wait_for_more (TestClient *client, guint known, gint64 deadline)
{
  while (client->messages->len <= known) {
    if (!g_cond_wait_until (&client->arrived, &client->lock, deadline))
      return FALSE;
  }
  return TRUE;
}

void
client_wait_for (TestClient *client, ClientCheck check, gpointer data, const char *what)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autoptr (GPtrArray) messages = client_record (client);
    gboolean is_more;

    if (check (messages, data))
      return;
    g_mutex_lock (&client->lock);
    is_more = wait_for_more (client, client->mark + messages->len, deadline);
    g_mutex_unlock (&client->lock);
    if (!is_more)
      client_fail (client, "waited in vain for %s", what);
  }
}

typedef struct {
  const char *service, *from, *to;
  GVariant *body;
} WantedTransition;

static gboolean
find_transition (GPtrArray *messages, gpointer data)
{
  WantedTransition *wanted = data;

  for (guint i = 0; i < messages->len; i++) {
    GDBusMessage *message = g_ptr_array_index (messages, i);

    if (is_transition (message, wanted->service, wanted->from, wanted->to)) {
      wanted->body = g_variant_ref (g_dbus_message_get_body (message));
      return TRUE;
    }
  }
  return FALSE;
}

GVariant *
client_wait_transition (TestClient *client, const char *service, const char *from, const char *to)
{
  WantedTransition wanted = { service, from, to, NULL };
  g_autofree char *what = g_strdup_printf ("%s to go from %s to %s", service ? service : "any service",
                                           from ? from : "any state", to ? to : "any state");

  client_wait_for (client, find_transition, &wanted, what);
  return wanted.body;
}

void
client_wait_property (TestClient *client, const char *service, const char *property, const char *text)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);

  for (;;) {
    g_autofree char *actual = NULL;
    gboolean is_more = TRUE;
    guint known;

    g_mutex_lock (&client->lock);
    known = client->messages->len;
    g_mutex_unlock (&client->lock);
    actual = client_get_text (client, service, property);
    if (strcmp (actual, text) == 0)
      return;
    g_mutex_lock (&client->lock);
    while (is_more && known < client->messages->len &&
           !is_signal (g_ptr_array_index (client->messages, known), NULL, NULL))
      known++;
    is_more = wait_for_more (client, known, deadline);
    g_mutex_unlock (&client->lock);
    if (!is_more)
      client_fail (client, "%s of %s is %s, waited in vain for %s", property,
                   service ? service : "the manager", actual, text);
  }
}

void
client_wait_state (TestClient *client, const char *service, const char *state)
{
  client_wait_property (client, service, "State", state);
}

static gboolean
is_reply (GDBusMessage *message, guint32 serial)
{
  GDBusMessageType type = g_dbus_message_get_message_type (message);

  return (type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR) &&
         g_dbus_message_get_reply_serial (message) == serial;
}

static GDBusMessage *
find_reply (TestClient *client, guint32 serial)
{
  for (guint i = client->messages->len; i > 0; i--) {
    GDBusMessage *message = g_ptr_array_index (client->messages, i - 1);

    if (is_reply (message, serial))
      return message;
  }
  return NULL;
}

GDBusMessage *
client_wait_reply (TestClient *client, guint32 serial)
{
  gint64 deadline = processes_deadline (CLIENT_PATIENCE_SECONDS);
  GDBusMessage *reply;

  g_mutex_lock (&client->lock);
  while ((reply = find_reply (client, serial)) == NULL) {
    if (!wait_for_more (client, client->messages->len, deadline))
      break;
  }
  if (reply)
    g_object_ref (reply);
  g_mutex_unlock (&client->lock);
  if (reply == NULL)
    client_fail (client, "no reply to call %u", serial);
  return reply;
}

gboolean
client_has_reply (TestClient *client, guint32 serial)
{
  gboolean has_it;

  g_mutex_lock (&client->lock);
  has_it = find_reply (client, serial) != NULL;
  g_mutex_unlock (&client->lock);
  return has_it;
}

char *
client_chain (TestClient *client, const char *service)
{
  g_autoptr (GPtrArray) messages = client_record (client);
  GString *chain = g_string_new (NULL);
  g_autofree char *last = NULL;

  for (guint i = 0; i < messages->len; i++) {
    const char *old_state, *new_state;

    if (!is_transition (g_ptr_array_index (messages, i), service, NULL, NULL))
      continue;
    g_variant_get (g_dbus_message_get_body (g_ptr_array_index (messages, i)), "(&s&o&s&s@a{sv})", NULL, NULL,
                   &old_state, &new_state, NULL);
    if (last == NULL)
      g_string_append (chain, old_state);
    else if (strcmp (last, old_state) != 0)
      client_fail (client, "%s went to %s, and then from %s", service, last, old_state);
    g_string_append_printf (chain, " %s", new_state);
    g_free (last);
    last = g_strdup (new_state);
  }
  return g_string_free (chain, FALSE);
}

char *
client_order (TestClient *client)
{
  g_autoptr (GPtrArray) messages = client_record (client);
  GString *order = g_string_new (NULL);

  for (guint i = 0; i < messages->len; i++) {
    const char *name, *new_state;

    if (!is_transition (g_ptr_array_index (messages, i), NULL, NULL, NULL))
      continue;
    g_variant_get (g_dbus_message_get_body (g_ptr_array_index (messages, i)), "(&s&o&s&s@a{sv})", &name, NULL,
                   NULL, &new_state, NULL);
    g_string_append_printf (order, "%s%s:%s", order->len ? " " : "", name, new_state);
  }
  return g_string_free (order, FALSE);
}

guint
client_position (TestClient *client, const char *service, const char *state)
{
  g_autoptr (GPtrArray) messages = client_record (client);

  for (guint i = 0; i < messages->len; i++) {
    if (is_transition (g_ptr_array_index (messages, i), service, NULL, state))
      return i;
  }
  client_fail (client, "%s never went to %s", service, state);
}

guint
client_count_signals (TestClient *client, const char *path, const char *member)
{
  g_autoptr (GPtrArray) messages = client_record (client);
  guint count = 0;

  for (guint i = 0; i < messages->len; i++)
    count += is_signal (g_ptr_array_index (messages, i), path, member) ? 1 : 0;
  return count;
}

void
client_check_sequence (TestClient *client)
{
  g_autoptr (GPtrArray) messages = client_record (client);
  guint64 last = 0;

  for (guint i = 0; i < messages->len; i++) {
    g_autoptr (GVariant) details = NULL;
    guint64 sequence = 0;

    if (!is_transition (g_ptr_array_index (messages, i), NULL, NULL, NULL))
      continue;
    g_variant_get (g_dbus_message_get_body (g_ptr_array_index (messages, i)), "(&s&o&s&s@a{sv})", NULL, NULL,
                   NULL, NULL, &details);
    g_assert_true (g_variant_lookup (details, "sequence", "t", &sequence));
    if (last != 0)
      g_assert_cmpuint (sequence, ==, last + 1);
    last = sequence;
  }
}
