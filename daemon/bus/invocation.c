/* SPDX-License-Identifier: Apache-2.0
 *
 * The message of a call, and the messages that answer it.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/invocation.h"

#include "bus/driver.h"
#include "bus/errors.h"
#include "loop/trim.h"
#include "model/error.h"
#include "model/limits.h"

/* The system bus takes messages up to 32 MiB, the protocol allows 128 MiB; the rest is for header and
 * padding. */
#define LARGE_REPLY_BYTES (256 * 1024) /* the memory of a larger one is given back */
#define MAX_BUS_REPLY_BYTES (30u << 20)
#define MAX_PEER_REPLY_BYTES (120u << 20)

ZinitInvocation *
zinit_invocation_new (ZinitConnection *connection, GDBusMessage *message)
{
  ZinitInvocation *invocation = g_new0 (ZinitInvocation, 1);
  GVariant *body = g_dbus_message_get_body (message);

  invocation->connection = zinit_connection_ref (connection);
  invocation->message = g_object_ref (message);
  invocation->arguments =
      body != NULL ? g_variant_ref (body) : g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  return invocation;
}

void
zinit_invocation_drop (ZinitInvocation *invocation)
{
  zinit_connection_unref (invocation->connection);
  g_object_unref (invocation->message);
  g_variant_unref (invocation->arguments);
  g_free (invocation);
}

const char *
zinit_invocation_get_sender (const ZinitInvocation *invocation)
{
  return g_dbus_message_get_sender (invocation->message);
}

const char *
zinit_invocation_get_path (const ZinitInvocation *invocation)
{
  return g_dbus_message_get_path (invocation->message);
}

const char *
zinit_invocation_get_interface (const ZinitInvocation *invocation)
{
  return g_dbus_message_get_interface (invocation->message);
}

const char *
zinit_invocation_get_member (const ZinitInvocation *invocation)
{
  return g_dbus_message_get_member (invocation->message);
}

/* How many arguments of @invocation are those that @method takes, from the first on. */
static guint
count_fitting (const ZinitInvocation *invocation, const GDBusMethodInfo *method, guint n_given)
{
  guint n = 0;

  for (; n < n_given && method->in_args != NULL && method->in_args[n] != NULL; n++) {
    g_autoptr (GVariant) value = g_variant_get_child_value (invocation->arguments, n);

    if (strcmp (g_variant_get_type_string (value), method->in_args[n]->signature) != 0)
      break;
  }
  return n;
}

static char *
join_signatures (GDBusArgInfo **arguments)
{
  GString *text = g_string_new ("(");

  for (; arguments != NULL && *arguments != NULL; arguments++)
    g_string_append (text, (*arguments)->signature);
  return g_string_free (g_string_append_c (text, ')'), FALSE);
}

static void
append_empty_options (ZinitInvocation *invocation, guint n_given)
{
  g_autofree GVariant **children = g_new (GVariant *, n_given + 1);
  GVariant *arguments;

  for (guint i = 0; i < n_given; i++)
    children[i] = g_variant_get_child_value (invocation->arguments, i);
  children[n_given] = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  arguments = g_variant_ref_sink (g_variant_new_tuple (children, n_given + 1));
  for (guint i = 0; i <= n_given; i++)
    g_variant_unref (children[i]);
  g_variant_unref (invocation->arguments);
  invocation->arguments = arguments;
}

gboolean
zinit_invocation_fit_arguments (ZinitInvocation *invocation, const GDBusMethodInfo *method, GError **error)
{
  guint n_given = (guint)g_variant_n_children (invocation->arguments);
  guint n_wanted = 0;
  g_autofree char *wanted = NULL;

  while (method->in_args != NULL && method->in_args[n_wanted] != NULL)
    n_wanted++;
  if (count_fitting (invocation, method, n_given) == n_given) {
    if (n_given == n_wanted)
      return TRUE;
    if (n_given + 1 == n_wanted && strcmp (method->in_args[n_given]->signature, "a{sv}") == 0) {
      append_empty_options (invocation, n_given);
      return TRUE;
    }
  }
  wanted = join_signatures (method->in_args);
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS, "%s takes arguments of types %s, not %s",
               method->name, wanted, g_variant_get_type_string (invocation->arguments));
  return FALSE;
}

/* Takes over @reply, and frees @invocation. */
static void
send_reply (ZinitInvocation *invocation, GDBusMessage *reply)
{
  if (g_strcmp0 (g_dbus_message_get_destination (invocation->message), ZINIT_DRIVER_NAME) == 0)
    g_dbus_message_set_sender (reply, ZINIT_DRIVER_NAME);
  zinit_connection_send_reply (invocation->connection, reply);
  g_object_unref (reply);
  zinit_invocation_drop (invocation);
}

static gboolean
is_answer_wanted (const ZinitInvocation *invocation)
{
  return invocation->connection->bus != NULL &&
         (g_dbus_message_get_flags (invocation->message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) == 0;
}

void
zinit_invocation_return (ZinitInvocation *invocation, GVariant *reply)
{
  gsize limit = invocation->connection->is_peer ? MAX_PEER_REPLY_BYTES : MAX_BUS_REPLY_BYTES;
  g_autoptr (GVariant) body = reply != NULL ? g_variant_ref_sink (reply) : NULL;
  GDBusMessage *message;

  if (!is_answer_wanted (invocation)) {
    zinit_invocation_drop (invocation);
    return;
  }
  zinit_connection_send_all (invocation->connection);
  if (body != NULL && g_variant_get_size (body) >= LARGE_REPLY_BYTES)
    zinit_trim_soon ();
  if (body != NULL && g_variant_get_size (body) > limit) {
    zinit_invocation_refuse (invocation, ZINIT_ERROR, ZINIT_ERROR_LIMIT_EXCEEDED,
                             "the answer has %" G_GSIZE_FORMAT " bytes; at most %" G_GSIZE_FORMAT
                             " are allowed",
                             g_variant_get_size (body), limit);
    return;
  }
  message = g_dbus_message_new_method_reply (invocation->message);
  if (body != NULL)
    g_dbus_message_set_body (message, body);
  send_reply (invocation, message);
}

/* What a call says is repeated in errors, and an answer larger than a bus takes ends the connection to it. */
static char *
make_text (const char *message)
{
  g_autofree char *text = NULL;

  if (strnlen (message, ZINIT_MAX_ERROR_BYTES + 1) <= ZINIT_MAX_ERROR_BYTES)
    return g_utf8_make_valid (message, -1);
  text = g_utf8_make_valid (message, ZINIT_MAX_ERROR_BYTES);
  return g_strconcat (text, "…", NULL);
}

void
zinit_invocation_return_error (ZinitInvocation *invocation, const GError *error)
{
  g_autofree char *name = zinit_bus_error_name (error);
  g_autofree char *text = make_text (error->message);

  if (!is_answer_wanted (invocation)) {
    zinit_invocation_drop (invocation);
    return;
  }
  zinit_connection_send_all (invocation->connection);
  send_reply (invocation, g_dbus_message_new_method_error_literal (invocation->message, name, text));
}

void
zinit_invocation_refuse (ZinitInvocation *invocation, GQuark domain, int code, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list list;

  va_start (list, format);
  error = g_error_new_valist (domain, code, format, list);
  va_end (list);
  zinit_invocation_return_error (invocation, error);
}
