/* SPDX-License-Identifier: Apache-2.0
 *
 * One match rule a name, for as long as a service with that name is active. A rule goes before the question
 * who owns the name now, so that no change is missed; answers may come twice, and mean the same then.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/name-watch.h"

#include <string.h>

#include "bus/driver.h"

struct _ZinitNameWatch {
  ZinitSupervisor *supervisor;
  GDBusConnection *connection; /* NULL once it is freed: questions are still on their way */
  GHashTable *names;           /* those that are watched, a set, owned */
  guint subscription;          /* NameOwnerChanged */
  grefcount refs;
};

/* What the bus was asked about @name. */
typedef struct {
  ZinitNameWatch *self; /* a reference */
  char *name;
} Question;

static void
watch_unref (ZinitNameWatch *self)
{
  if (g_ref_count_dec (&self->refs))
    g_free (self);
}

static Question *
question_new (ZinitNameWatch *self, const char *name)
{
  Question *question = g_new0 (Question, 1);

  g_ref_count_inc (&self->refs);
  question->self = self;
  question->name = g_strdup (name);
  return question;
}

static void
question_free (Question *question)
{
  watch_unref (question->self);
  g_free (question->name);
  g_free (question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_free)

static void
call_match (ZinitNameWatch *self, const char *method, const char *name)
{
  g_autofree char *rule =
      g_strdup_printf ("type='signal',sender='" ZINIT_DRIVER_NAME "',path='" ZINIT_DRIVER_PATH
                       "',interface='" ZINIT_DRIVER_NAME "',member='NameOwnerChanged',arg0='%s'",
                       name);

  if (!g_dbus_connection_is_closed (self->connection))
    zinit_driver_call (self->connection, method, g_variant_new ("(s)", rule), NULL, NULL, NULL, NULL);
}

/* @pid 0 = nobody owns it. */
static void
report (ZinitNameWatch *self, const char *name, pid_t pid)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (self->supervisor);

  for (guint i = 0; i < services->len; i++)
    if (g_strcmp0 (zinit_service_get_bus_name (services->pdata[i]), name) == 0)
      zinit_service_bus_name_owned (services->pdata[i], pid);
}

static void
on_pid (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Question) question = data;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  guint32 pid;

  /* Without an answer the owner is gone, which is a change of its own. */
  if (reply == NULL || question->self->connection == NULL)
    return;
  g_variant_get (reply, "(u)", &pid);
  if (pid <= G_MAXINT32)
    report (question->self, question->name, (pid_t)pid);
}

static void
ask_for_pid (ZinitNameWatch *self, const char *name, const char *owner)
{
  zinit_driver_call (self->connection, "GetConnectionUnixProcessID", g_variant_new ("(s)", owner),
                     G_VARIANT_TYPE ("(u)"), NULL, on_pid, question_new (self, name));
}

static void
on_owner (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Question) question = data;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  const char *owner;

  if (reply == NULL || question->self->connection == NULL)
    return;
  g_variant_get (reply, "(&s)", &owner);
  ask_for_pid (question->self, question->name, owner);
}

static void
on_owner_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                  const char *member, GVariant *parameters, gpointer data)
{
  ZinitNameWatch *self = data;
  const char *name, *owner;

  if (!zinit_driver_is_sender (sender) || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sss)")))
    return;
  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &owner);
  if (!g_hash_table_contains (self->names, name))
    return;
  if (*owner == '\0')
    report (self, name, 0);
  else
    ask_for_pid (self, name, owner);
}

static gboolean
is_wanted (ZinitNameWatch *self, const char *name)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (self->supervisor);

  for (guint i = 0; i < services->len; i++)
    if (g_strcmp0 (zinit_service_get_bus_name (services->pdata[i]), name) == 0)
      return TRUE;
  return FALSE;
}

static void
watch_name (ZinitNameWatch *self, const char *name)
{
  if (!g_hash_table_add (self->names, g_strdup (name)))
    return;
  call_match (self, "AddMatch", name);
  zinit_driver_call (self->connection, "GetNameOwner", g_variant_new ("(s)", name), G_VARIANT_TYPE ("(s)"),
                     NULL, on_owner, question_new (self, name));
}

void
zinit_name_watch_service_moved (ZinitNameWatch *self, ZinitService *service)
{
  const char *name = zinit_service_get_bus_name (service);
  GHashTableIter iter;
  gpointer watched;

  if (name != NULL)
    watch_name (self, name);
  if (name != NULL || g_hash_table_size (self->names) == 0)
    return;
  g_hash_table_iter_init (&iter, self->names);
  while (g_hash_table_iter_next (&iter, &watched, NULL))
    if (!is_wanted (self, watched)) {
      call_match (self, "RemoveMatch", watched);
      g_hash_table_iter_remove (&iter);
    }
}

ZinitNameWatch *
zinit_name_watch_new (ZinitSupervisor *supervisor, GDBusConnection *connection)
{
  ZinitNameWatch *self = g_new0 (ZinitNameWatch, 1);
  g_autoptr (GPtrArray) services = zinit_supervisor_list (supervisor);

  self->supervisor = supervisor;
  self->connection = connection;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_ref_count_init (&self->refs);
  self->subscription = zinit_driver_subscribe (connection, "NameOwnerChanged", NULL, on_owner_changed, self);
  for (guint i = 0; i < services->len; i++)
    if (zinit_service_get_bus_name (services->pdata[i]) != NULL)
      watch_name (self, zinit_service_get_bus_name (services->pdata[i]));
  return self;
}

void
zinit_name_watch_free (ZinitNameWatch *self)
{
  if (self == NULL)
    return;
  g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  g_hash_table_unref (self->names);
  self->connection = NULL;
  watch_unref (self);
}
