/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds out which user a caller is, and decides by that.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/authorize.h"

#include <unistd.h>

#include "bus/driver.h"

typedef struct {
  ZinitAuthorizeFunc func;
  gpointer data;
} Question;

gboolean
zinit_authorize_uid (uid_t uid)
{
  return uid == 0 || uid == geteuid ();
}

static void
on_unix_user (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Question *question = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  guint32 uid;
  gboolean is_privileged = FALSE;

  if (reply != NULL) {
    g_variant_get (reply, "(u)", &uid);
    is_privileged = zinit_authorize_uid (uid);
  } else {
    g_debug ("the user of a caller cannot be found out: %s", error->message);
  }
  question->func (is_privileged, question->data);
}

void
zinit_authorize (ZinitConnection *connection, const char *sender, ZinitAuthorizeFunc func, gpointer data)
{
  Question *question;

  if (connection->is_peer) {
    func (zinit_authorize_uid (connection->peer_uid), data);
    return;
  }
  if (sender == NULL) {
    func (FALSE, data);
    return;
  }
  question = g_new0 (Question, 1);
  question->func = func;
  question->data = data;
  zinit_driver_call (connection->connection, "GetConnectionUnixUser", g_variant_new ("(s)", sender),
                     G_VARIANT_TYPE ("(u)"), NULL, on_unix_user, question);
}
