/* SPDX-License-Identifier: Apache-2.0
 *
 * The command's own reading of D-Bus's wire format: what GDBus writes is read, and what is broken is refused,
 * wherever it is cut and whichever byte is another.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "client/wire.h"

#include <gio/gio.h>
#include <string.h>

static guchar *
make_reply (gsize *ret_length)
{
  g_autoptr (GDBusMessage) call = g_dbus_message_new_method_call (NULL, "/x", "a.b", "C");
  g_autoptr (GDBusMessage) reply = NULL;

  g_dbus_message_set_serial (call, 7);
  reply = g_dbus_message_new_method_reply (call);
  g_dbus_message_set_serial (reply, 3);
  g_dbus_message_set_body (
      reply, g_variant_new_parsed (
                 "([('a', uint32 1, uint64 2), ('\u00e9\u00e9', 4294967295, 18446744073709551615)],)"));
  return g_dbus_message_to_blob (reply, ret_length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
}

/* Reads all that make_reply() wrote; FALSE when it is not a whole message of that type. Any bytes will do. */
static gboolean
read_reply (const guchar *bytes, gsize length, guint *ret_rows, guint64 *ret_sum)
{
  ZinitWireHeader header;
  ZinitWire wire = { 0 };
  gsize end;

  if (!zinit_wire_read_header (bytes, length, &header) || strcmp (header.signature, "a(sut)") != 0)
    return FALSE;
  wire.bytes = bytes + header.body;
  wire.length = length - header.body;
  end = zinit_wire_enter_array (&wire, 8);
  for (*ret_rows = *ret_sum = 0; !wire.is_broken && wire.at < end; ++*ret_rows) {
    zinit_wire_align (&wire, 8);
    *ret_sum += strlen (zinit_wire_read_string (&wire));
    *ret_sum += zinit_wire_read_uint32 (&wire);
    *ret_sum += zinit_wire_read_uint64 (&wire);
  }
  return !wire.is_broken;
}

static void
test_read (void)
{
  gsize length = 0;
  g_autofree guchar *bytes = make_reply (&length);
  ZinitWireHeader header;
  guint rows = 0;
  guint64 sum = 0;

  g_assert_true (zinit_wire_read_header (bytes, length, &header));
  g_assert_cmpuint (header.type, ==, G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
  g_assert_cmpuint (header.reply_serial, ==, 7);
  g_assert_cmpstr (header.signature, ==, "a(sut)");
  g_assert_true (read_reply (bytes, length, &rows, &sum));
  g_assert_cmpuint (rows, ==, 2);
  g_assert_cmpuint (sum, ==, 1 + 1 + 2 + 4 + G_GUINT64_CONSTANT (4294967295) - 1);
}

/* Each in memory of just its length, so that valgrind and the sanitizers see a step too far. */
static void
test_cut (void)
{
  gsize length = 0;
  g_autofree guchar *bytes = make_reply (&length);
  guint rows = 0;
  guint64 sum = 0;

  for (gsize i = 0; i < length; i++) {
    g_autofree guchar *cut = g_memdup2 (bytes, i);

    g_assert_false (read_reply (cut, i, &rows, &sum));
  }
}

static void
test_changed (void)
{
  static const guchar values[] = { 0, 1, 0x7f, 0x80, 0xff };
  gsize length = 0;
  g_autofree guchar *bytes = make_reply (&length);

  for (gsize i = 0; i < length; i++)
    for (gsize j = 0; j < G_N_ELEMENTS (values); j++) {
      g_autofree guchar *changed = g_memdup2 (bytes, length);
      guint rows = 0;
      guint64 sum = 0;

      changed[i] = values[j];
      read_reply (changed, length, &rows, &sum);
      g_assert_cmpuint (rows, <=, length);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/read", test_read);
  g_test_add_func ("/wire/cut", test_cut);
  g_test_add_func ("/wire/changed", test_changed);
  return g_test_run ();
}
