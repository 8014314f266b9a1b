/* SPDX-License-Identifier: Apache-2.0
 *
 * The handshake of both sides as a conversation, whole and byte by byte, and the addresses of buses.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "bus/address.h"
#include "bus/handshake.h"
#include "model/error.h"
#include "model/limits.h"

#define GUID "0123456789abcdef0123456789abcdef"
#define OK_LINE "OK " GUID "\r\n"
#define TEXT(bytes) bytes, sizeof (bytes) - 1

typedef struct {
  const char *input;
  gsize length;
  const char *output;
  ZinitHandshakeState state;
  gsize n_used; /* 0 = all */
} Conversation;

/* The user id 1000 is "31303030". */
static const Conversation served[] = {
  /* GDBus, libdbus, and sd-bus, which says it all at once. */
  { TEXT ("\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n"), OK_LINE, ZINIT_HANDSHAKE_DONE, 0 },
  { TEXT ("\0AUTH\r\nAUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"),
    "REJECTED EXTERNAL\r\n" OK_LINE "ERROR\r\n", ZINIT_HANDSHAKE_DONE, 0 },
  { TEXT ("\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1\0\1"), "DATA\r\n" OK_LINE "ERROR\r\n",
    ZINIT_HANDSHAKE_DONE, 48 },
  { TEXT ("\0AUTH EXTERNAL\r\nDATA 31303030\r\nBEGIN\r\n"), "DATA\r\n" OK_LINE, ZINIT_HANDSHAKE_DONE, 0 },
  /* Another mechanism first, a wrong name first, a change of mind. */
  { TEXT ("\0AUTH ANONYMOUS\r\nAUTH DBUS_COOKIE_SHA1 31\r\nAUTH EXTERNAL 31303030\r\n"),
    "REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\n" OK_LINE, ZINIT_HANDSHAKE_BEGIN, 0 },
  { TEXT ("\0AUTH EXTERNAL 30\r\n"), "REJECTED EXTERNAL\r\n", ZINIT_HANDSHAKE_AUTH, 0 },
  { TEXT ("\0AUTH EXTERNAL 3130303030\r\n"), "REJECTED EXTERNAL\r\n", ZINIT_HANDSHAKE_AUTH, 0 },
  { TEXT ("\0AUTH EXTERNAL zzzzzzzz\r\n"), "REJECTED EXTERNAL\r\n", ZINIT_HANDSHAKE_AUTH, 0 },
  { TEXT ("\0AUTH EXTERNALLY\r\n"), "REJECTED EXTERNAL\r\n", ZINIT_HANDSHAKE_AUTH, 0 },
  { TEXT ("\0AUTH EXTERNAL\r\nDATA 30\r\n"), "DATA\r\nREJECTED EXTERNAL\r\n", ZINIT_HANDSHAKE_AUTH, 0 },
  { TEXT ("\0AUTH EXTERNAL\r\nCANCEL\r\nAUTH EXTERNAL\r\n"), "DATA\r\nREJECTED EXTERNAL\r\nDATA\r\n",
    ZINIT_HANDSHAKE_DATA, 0 },
  { TEXT ("\0AUTH EXTERNAL 31303030\r\nERROR\r\n"), OK_LINE "REJECTED EXTERNAL\r\n", ZINIT_HANDSHAKE_AUTH,
    0 },
  /* What is not known, or not now. */
  { TEXT ("\0DATA\r\nHELP\r\n\r\n"), "ERROR\r\nERROR\r\nERROR\r\n", ZINIT_HANDSHAKE_AUTH, 0 },
  { TEXT ("\0AUTH EXTERNAL 31303030\r\nAUTH EXTERNAL 31303030\r\n"), OK_LINE "ERROR\r\n",
    ZINIT_HANDSHAKE_BEGIN, 0 },
  { TEXT ("\0BEGIN\r\nAUTH"), "", ZINIT_HANDSHAKE_FAILED, 8 },
  { TEXT ("\0AUTH EXTERNAL\r\nBEGIN\r\n"), "DATA\r\n", ZINIT_HANDSHAKE_FAILED, 0 },
  /* No D-Bus. */
  { TEXT ("GET / HTTP/1.0\r\n"), "", ZINIT_HANDSHAKE_FAILED, 1 },
  { TEXT ("\0\n"), "", ZINIT_HANDSHAKE_FAILED, 0 },
  { TEXT ("\0AUTH EXTERNAL 31303030\n"), "", ZINIT_HANDSHAKE_FAILED, 0 },
  { TEXT ("\0AUTH\0EXTERNAL\r\n"), "", ZINIT_HANDSHAKE_FAILED, 0 },
};

static const Conversation asked[] = {
  { TEXT (OK_LINE), "BEGIN\r\n", ZINIT_HANDSHAKE_DONE, 0 },
  { TEXT (OK_LINE "l\2\1\1"), "BEGIN\r\n", ZINIT_HANDSHAKE_DONE, sizeof OK_LINE - 1 },
  { TEXT ("OK\r\n"), "BEGIN\r\n", ZINIT_HANDSHAKE_DONE, 0 },
  { TEXT ("REJECTED EXTERNAL DBUS_COOKIE_SHA1\r\n"), "", ZINIT_HANDSHAKE_FAILED, 0 },
  { TEXT ("HTTP/1.0 400 Bad Request\r\n\r\n"), "", ZINIT_HANDSHAKE_FAILED, 26 },
  { TEXT ("OK"), "", ZINIT_HANDSHAKE_REPLY, 0 },
};

/* In pieces of @n_step bytes. */
static void
talk (ZinitHandshakeRole role, const Conversation *conversation, gsize n_step)
{
  g_auto (ZinitHandshake) handshake = { 0 };
  g_autoptr (GError) error = NULL;
  gsize n_used = 0, n_expected = conversation->n_used != 0 ? conversation->n_used : conversation->length;

  zinit_handshake_init (&handshake, role, 1000, GUID);
  if (role == ZINIT_HANDSHAKE_CLIENT) {
    static const char first[] = "\0AUTH EXTERNAL 31303030\r\n";

    g_assert_cmpmem (handshake.output->str, handshake.output->len, first, sizeof first - 1);
    g_string_truncate (handshake.output, 0);
  }
  while (n_used < conversation->length) {
    gsize n_bytes = MIN (n_step, conversation->length - n_used);
    gsize n = zinit_handshake_feed (&handshake, conversation->input + n_used, n_bytes, &error);

    n_used += n;
    if (n < n_bytes || handshake.state == ZINIT_HANDSHAKE_FAILED)
      break;
  }
  g_assert_cmpint (handshake.state, ==, conversation->state);
  g_assert_cmpstr (handshake.output->str, ==, conversation->output);
  g_assert_cmpuint (n_used, ==, n_expected);
  if (conversation->state == ZINIT_HANDSHAKE_FAILED)
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  else
    g_assert_no_error (error);
}

static void
test_conversations (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (served); i++)
    for (gsize n_step = 1; n_step <= served[i].length; n_step++)
      talk (ZINIT_HANDSHAKE_SERVER, &served[i], n_step);
  for (gsize i = 0; i < G_N_ELEMENTS (asked); i++)
    for (gsize n_step = 1; n_step <= asked[i].length; n_step++)
      talk (ZINIT_HANDSHAKE_CLIENT, &asked[i], n_step);
}

static void
test_limits (void)
{
  g_autofree char *line = g_strnfill (ZINIT_MAX_HANDSHAKE_LINE_BYTES, 'x');
  g_auto (ZinitHandshake) handshake = { 0 };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  zinit_handshake_init (&handshake, ZINIT_HANDSHAKE_SERVER, 1000, GUID);
  zinit_handshake_feed (&handshake, "", 1, &error);
  g_assert_no_error (error);
  zinit_handshake_feed (&handshake, line, strlen (line), &error);
  g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED);
  g_assert_cmpint (handshake.state, ==, ZINIT_HANDSHAKE_FAILED);
  zinit_handshake_clear (&handshake);
  g_clear_error (&error);

  zinit_handshake_init (&handshake, ZINIT_HANDSHAKE_SERVER, 1000, GUID);
  zinit_handshake_feed (&handshake, "", 1, &error);
  while (error == NULL) {
    g_assert_cmpuint (n++, <=, ZINIT_MAX_HANDSHAKE_LINES);
    zinit_handshake_feed (&handshake, "AUTH\r\n", 6, &error);
  }
  g_assert_cmpuint (n, ==, ZINIT_MAX_HANDSHAKE_LINES + 1);
}

/* Random bytes and random lines end in one of the states, and what is said stays short. */
static void
test_garbage (void)
{
  static const char *const words[] = { "AUTH",  " ",        "EXTERNAL", "DATA",   "31303030", "\r\n",
                                       "BEGIN", "REJECTED", "ERROR",    "CANCEL", "\r",       "\n",
                                       "OK",    "\xff",     "30",       "AUTH",   "\r\n",     "\r\n" };
  g_autoptr (GRand) random = g_rand_new_with_seed (8);

  for (int i = 0; i < 20000; i++) {
    g_auto (ZinitHandshake) handshake = { 0 };
    g_autoptr (GError) error = NULL;

    zinit_handshake_init (&handshake, i % 3 != 0 ? ZINIT_HANDSHAKE_SERVER : ZINIT_HANDSHAKE_CLIENT, 1000,
                          GUID);
    if (i % 3 != 0)
      zinit_handshake_feed (&handshake, "", 1, &error);
    for (int j = 0; j < 60 && error == NULL; j++) {
      const char *word = words[g_rand_int_range (random, 0, G_N_ELEMENTS (words))];
      char byte = (char)g_rand_int_range (random, 0, 256);

      if (i % 2)
        zinit_handshake_feed (&handshake, word, strlen (word), &error);
      else
        zinit_handshake_feed (&handshake, &byte, 1, &error);
      g_assert_cmpuint (handshake.line->len, <, ZINIT_MAX_HANDSHAKE_LINE_BYTES);
    }
    g_assert_true ((error != NULL) == (handshake.state == ZINIT_HANDSHAKE_FAILED));
    g_assert_cmpuint (handshake.output->len, <, 60 * ZINIT_MAX_HANDSHAKE_LINES);
  }
}

static void
assert_address (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) addresses = zinit_bus_address_parse (text, &error);
  g_autoptr (GString) found = g_string_new (NULL);

  for (guint i = 0; addresses != NULL && i < addresses->len; i++) {
    const ZinitBusAddress *address = &g_array_index (addresses, ZinitBusAddress, i);
    gsize length = address->length - G_STRUCT_OFFSET (struct sockaddr_un, sun_path);
    const char *path = address->address.sun_path;

    g_assert_cmpint (address->address.sun_family, ==, AF_UNIX);
    if (path[0] == '\0')
      g_string_append_printf (found, " @%.*s", (int)length - 1, path + 1);
    else
      g_string_append_printf (found, " %.*s", (int)length - 1, path);
    if (path[0] != '\0')
      g_assert_cmpint (path[length - 1], ==, '\0');
  }
  if (expected == NULL) {
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS);
    g_assert_null (addresses);
  } else {
    g_assert_no_error (error);
    g_assert_cmpstr (found->str, ==, expected);
  }
}

static void
test_addresses (void)
{
  g_autofree char *long_name = g_strnfill (108, 'n'), *fits = g_strnfill (107, 'n');
  g_autofree char *too_long = g_strconcat ("unix:path=", long_name, NULL);
  g_autofree char *long_path = g_strconcat ("unix:path=", fits, NULL), *shown = g_strconcat (" ", fits, NULL);
  g_autofree char *runtime = g_strdup_printf (" %s/bus", g_get_user_runtime_dir ());

  assert_address ("unix:path=/run/dbus/system_bus_socket", " /run/dbus/system_bus_socket");
  assert_address ("unix:abstract=/tmp/dbus-x,guid=" GUID, " @/tmp/dbus-x");
  assert_address ("unix:path=/a%20b%2c;unix:path=/c;", " /a b, /c");
  assert_address ("tcp:host=localhost,port=1;unix:path=/c", " /c");
  assert_address ("unix:runtime=yes", runtime);
  assert_address (long_path, shown);
  assert_address (too_long, NULL);
  assert_address ("", NULL);
  assert_address ("unix:", NULL);
  assert_address ("unix:guid=" GUID, NULL);
  assert_address ("unix:path", NULL);
  assert_address ("unix:path=%zz", NULL);
  assert_address ("unix:path=/a%00b", NULL);
  assert_address ("tcp:host=localhost,port=1", NULL);
  assert_address ("autolaunch:", NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handshake/conversations", test_conversations);
  g_test_add_func ("/handshake/limits", test_limits);
  g_test_add_func ("/handshake/garbage", test_garbage);
  g_test_add_func ("/handshake/addresses", test_addresses);
  return g_test_run ();
}
