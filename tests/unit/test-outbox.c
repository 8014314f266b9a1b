/* SPDX-License-Identifier: Apache-2.0
 *
 * What a connection is sent, in which order, and how little is kept for one that does not read.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "bus/outbox.h"
#include "bus/properties.h"
#include "fake-fixture.h"
#include "model/limits.h"

typedef struct {
  Fixture fixture;
  ZinitPaths paths;
  ZinitOutbox *outbox;
  ZinitService *a, *b;
  GPtrArray *bodies; /* GVariant, what was sent */
  GString *sent;     /* "PropertiesChanged@a …" */
} Test;

static void
set_up (Test *test, gconstpointer data)
{
  fixture_init (&test->fixture);
  test->paths = (ZinitPaths){ .runtime_dir = (char *)"/r", .socket = (char *)"/r/s" };
  test->a = fixture_add (&test->fixture, "[service]\nname = \"a\"\nexec = \"x\"\nstatus = \"ignore\"\n");
  test->b = fixture_add (&test->fixture, "[service]\nname = \"b\"\nexec = \"x\"\nstatus = \"ignore\"\n");
  test->outbox = zinit_outbox_new ();
  test->bodies = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  test->sent = g_string_new (NULL);
}

static void
tear_down (Test *test, gconstpointer data)
{
  zinit_outbox_free (test->outbox);
  g_ptr_array_unref (test->bodies);
  g_string_free (test->sent, TRUE);
  fixture_clear (&test->fixture);
}

static void
write_down (const char *path, const char *interface, const char *member, GVariant *body, gpointer data)
{
  Test *test = data;
  const char *slash = strrchr (path, '/');

  g_ptr_array_add (test->bodies, g_variant_ref_sink (body));
  g_string_append_printf (test->sent, "%s@%s", member, slash + 1);
  if (strcmp (member, "ServiceStateChanged") == 0) {
    const char *text;

    g_variant_get (body, "(&s)", &text);
    g_string_append_printf (test->sent, ":%s", text);
  } else if (strcmp (member, "InterfacesAdded") == 0 || strcmp (member, "InterfacesRemoved") == 0) {
    const char *object;

    g_variant_get_child (body, 0, "&o", &object);
    g_string_append_printf (test->sent, ":%s", strrchr (object, '/') + 1);
  }
  g_string_append_c (test->sent, ' ');
}

static void
drain (Test *test, guint max_messages, const char *expected)
{
  g_string_truncate (test->sent, 0);
  g_ptr_array_set_size (test->bodies, 0);
  zinit_outbox_drain (test->outbox, test->fixture.supervisor, &test->paths, max_messages, write_down, test);
  g_assert_cmpstr (test->sent->str, ==, expected);
}

static void
transition (Test *test, ZinitService *service, const char *text)
{
  g_autoptr (GVariant) body = g_variant_ref_sink (g_variant_new ("(s)", text));

  zinit_outbox_transition (test->outbox, service, body);
}

static void
test_order (Test *test, gconstpointer data)
{
  g_autoptr (GVariant) body = g_variant_ref_sink (g_variant_new ("(b)", TRUE));

  g_assert_true (zinit_outbox_is_empty (test->outbox));
  drain (test, G_MAXUINT, "");
  transition (test, test->a, "1");
  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_STATE);
  zinit_outbox_service_changed (test->outbox, test->b, ZINIT_CHANGED_CAN_STOP);
  transition (test, test->b, "2");
  transition (test, test->a, "3");
  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_PID);
  zinit_outbox_signal (test->outbox, "PrepareForShutdown", body);
  zinit_outbox_manager_changed (test->outbox, ZINIT_MANAGER_CHANGED_STATE);
  g_assert_false (zinit_outbox_is_empty (test->outbox));
  drain (test, G_MAXUINT,
         "PropertiesChanged@Manager PropertiesChanged@a ServiceStateChanged@Manager:1 PropertiesChanged@b "
         "ServiceStateChanged@Manager:2 ServiceStateChanged@Manager:3 PrepareForShutdown@Manager ");
  g_assert_true (zinit_outbox_is_empty (test->outbox));
  drain (test, G_MAXUINT, "");
}

/* What changes several times is one signal with what is true when it is sent. */
static void
test_gathered (Test *test, gconstpointer data)
{
  g_autoptr (GVariant) properties = NULL;
  const char *state;
  guint32 pid;

  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_STATE);
  zinit_outbox_service_changed (test->outbox, test->b, ZINIT_CHANGED_STATE);
  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_PID);
  g_assert_true (zinit_supervisor_start (test->fixture.supervisor, test->a, FALSE, NULL));
  g_assert_cmpstr (fixture_state (&test->fixture, "a"), ==, "running");
  drain (test, G_MAXUINT, "PropertiesChanged@a PropertiesChanged@b ");
  g_variant_get_child (test->bodies->pdata[0], 1, "@a{sv}", &properties);
  g_assert_cmpuint (g_variant_n_children (properties), ==, 2);
  g_assert_true (g_variant_lookup (properties, "State", "&s", &state));
  g_assert_cmpstr (state, ==, "running");
  g_assert_true (g_variant_lookup (properties, "Pid", "u", &pid));
  g_assert_cmpuint (pid, !=, 0);
}

/* The newest of each service are kept, in their order among the others. */
static void
test_limit (Test *test, gconstpointer data)
{
  GString *expected = g_string_new ("ServiceStateChanged@Manager:first ");

  transition (test, test->b, "first");
  for (guint i = 0; i < ZINIT_MAX_QUEUED_TRANSITIONS * 5 + 3; i++) {
    g_autofree char *text = g_strdup_printf ("%u", i);

    transition (test, test->a, text);
    if (i >= ZINIT_MAX_QUEUED_TRANSITIONS * 4 + 3)
      g_string_append_printf (expected, "ServiceStateChanged@Manager:%s ", text);
  }
  transition (test, test->b, "last");
  g_string_append (expected, "ServiceStateChanged@Manager:last ");
  drain (test, G_MAXUINT, expected->str);
  g_string_free (expected, TRUE);
  g_assert_true (zinit_outbox_is_empty (test->outbox));
}

/* A burst ends where it is told to, and the next goes on there. */
static void
test_bursts (Test *test, gconstpointer data)
{
  for (char text[] = "1"; *text <= '5'; (*text)++)
    transition (test, *text % 2 ? test->a : test->b, text);
  zinit_outbox_service_changed (test->outbox, test->b, ZINIT_CHANGED_STATE);
  drain (test, 2, "ServiceStateChanged@Manager:1 PropertiesChanged@b ");
  transition (test, test->a, "6");
  drain (test, 3,
         "ServiceStateChanged@Manager:2 ServiceStateChanged@Manager:3 ServiceStateChanged@Manager:4 ");
  drain (test, 3, "ServiceStateChanged@Manager:5 ServiceStateChanged@Manager:6 ");
  g_assert_true (zinit_outbox_is_empty (test->outbox));
}

static void
test_added (Test *test, gconstpointer data)
{
  g_autoptr (GVariant) interfaces = NULL;
  g_autoptr (GVariant) properties = NULL;

  zinit_outbox_service_added (test->outbox, test->a);
  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_STATE);
  transition (test, test->a, "1");
  drain (test, G_MAXUINT, "InterfacesAdded@zinit:a ServiceStateChanged@Manager:1 ");
  g_variant_get_child (test->bodies->pdata[0], 1, "@a{sa{sv}}", &interfaces);
  properties = g_variant_lookup_value (interfaces, "org.zinit.Service", G_VARIANT_TYPE_VARDICT);
  g_assert_nonnull (properties);
  g_assert_cmpuint (g_variant_n_children (properties), ==, 28);

  /* Once it is known, changes are told as such again. */
  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_STATE);
  drain (test, G_MAXUINT, "PropertiesChanged@a ");
}

/* Its transitions go first; its properties cannot be asked any more. */
static void
test_removed (Test *test, gconstpointer data)
{
  transition (test, test->a, "1");
  zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_STATE);
  zinit_outbox_service_removed (test->outbox, test->a);
  transition (test, test->b, "2");
  drain (test, G_MAXUINT,
         "ServiceStateChanged@Manager:1 InterfacesRemoved@zinit:a ServiceStateChanged@Manager:2 ");
  g_assert_true (zinit_outbox_is_empty (test->outbox));
}

/* Coming and going while nobody reads must not fill the queue. */
static void
test_unheard_of (Test *test, gconstpointer data)
{
  zinit_outbox_service_removed (test->outbox, test->a);
  for (guint i = 0; i < 100; i++) {
    zinit_outbox_service_added (test->outbox, test->a);
    transition (test, test->a, "1");
    zinit_outbox_service_changed (test->outbox, test->a, ZINIT_CHANGED_STATE);
    zinit_outbox_service_removed (test->outbox, test->a);
  }
  drain (test, G_MAXUINT, "InterfacesRemoved@zinit:a ");
  zinit_outbox_service_added (test->outbox, test->b);
  zinit_outbox_service_removed (test->outbox, test->b);
  g_assert_true (zinit_outbox_is_empty (test->outbox));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/outbox/" name, Test, NULL, set_up, func, tear_down)
  ADD ("order", test_order);
  ADD ("gathered", test_gathered);
  ADD ("limit", test_limit);
  ADD ("bursts", test_bursts);
  ADD ("added", test_added);
  ADD ("removed", test_removed);
  ADD ("unheard-of", test_unheard_of);
  return g_test_run ();
}
