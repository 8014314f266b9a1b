/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service says of itself, as text: the option `ready`, and messages of the sd_notify protocol.
 */
#include <string.h>

#include "model/error.h"
#include "model/ready.h"
#include "process/notify-message.h"

static void
test_good (void)
{
  static const struct {
    const char *text;
    ZinitReady ready;
  } cases[] = {
    { NULL, { .kind = ZINIT_READY_EXEC } },
    { "exec", { .kind = ZINIT_READY_EXEC } },
    { "notify", { .kind = ZINIT_READY_NOTIFY } },
    { "alive:1", { .kind = ZINIT_READY_ALIVE, .alive_ms = 1 } },
    { "alive:2500", { .kind = ZINIT_READY_ALIVE, .alive_ms = 2500 } },
    { "fd:3", { .kind = ZINIT_READY_FD, .fd = 3 } },
    { "fd:1023", { .kind = ZINIT_READY_FD, .fd = 1023 } },
    { "fd:READY_FD", { .kind = ZINIT_READY_FD, .fd = 3, .variable = "READY_FD" } },
    { "dbus:org.example.Web-1._x", { .kind = ZINIT_READY_DBUS, .bus_name = "org.example.Web-1._x" } },
    { "fd:_1", { .kind = ZINIT_READY_FD, .fd = 3, .variable = "_1" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const ZinitReady *wanted = &cases[i].ready;
    g_autoptr (GError) error = NULL;
    ZinitReady ready;

    g_assert_true (zinit_ready_parse (cases[i].text, &ready, &error));
    g_assert_no_error (error);
    g_assert_cmpint (ready.kind, ==, wanted->kind);
    g_assert_cmpuint (ready.alive_ms, ==, wanted->alive_ms);
    g_assert_cmpint (ready.fd, ==, wanted->fd);
    g_assert_cmpstr (ready.variable, ==, wanted->variable);
    g_assert_cmpstr (ready.bus_name, ==, wanted->bus_name);
  }
}

static void
test_refused (void)
{
  static const char *const texts[] = {
    "",          "ready",     "alive",     "alive:",    "alive:0",   "alive:-1", "alive:1s",
    "fd",        "fd:",       "fd:2",      "fd:-3",     "fd:1024",   "fd:3 ",    "fd:A-B",
    "fd:A=B",    "Notify",    "notify:1",  "exec ",     "alive:1.5", "dbus:",    "dbus:org",
    "dbus:.a.b", "dbus:a..b", "dbus::1.5", "dbus:a.1b", "dbus:a.b c"
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    ZinitReady ready;

    g_test_message ("%s", texts[i]);
    g_assert_false (zinit_ready_parse (texts[i], &ready, &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
    g_assert_nonnull (strstr (error->message, "alive:MS"));
  }
}

static void
parse (const char *text, ZinitNotifyMessage *ret_message)
{
  g_assert_true (zinit_notify_message_parse (text, strlen (text), ret_message));
}

static void
test_message (void)
{
  g_auto (ZinitNotifyMessage) message = { 0 };

  parse ("READY=1\nSTATUS=at your service\nMAINPID=4711\nEXTEND_TIMEOUT_USEC=5000000\nX_KEY=1\nWATCHDOG=1\n"
         "WATCHDOG_USEC=70",
         &message);
  g_assert_true (message.is_ready);
  g_assert_false (message.is_stopping);
  g_assert_cmpstr (message.status, ==, "at your service");
  g_assert_cmpint (message.main_pid, ==, 4711);
  g_assert_cmpuint (message.extend_usec, ==, 5000000);
  g_assert_true (message.is_alive);
  g_assert_false (message.has_failed);
  g_assert_cmpuint (message.watchdog_usec, ==, 70);
}

/* Nothing of it means anything, and nothing of it is an error. */
static void
test_meaningless (void)
{
  static const char *const texts[] = {
    "",
    "\n\n",
    "READY",
    "READY=",
    "READY=0",
    "READY=11",
    "ready=1",
    "=1",
    "STATUS=",
    "STATUS= \t",
    "MAINPID=0",
    "MAINPID=1",
    "MAINPID=-2",
    "MAINPID=99999999999",
    "MAINPID=5x",
    "EXTEND_TIMEOUT_USEC=0",
    "WATCHDOG=0",
    "WATCHDOG=",
    "WATCHDOG_USEC=0",
    "WATCHDOG_USEC=x",
    "EXTEND_TIMEOUT_USEC=-1",
    "EXTEND_TIMEOUT_USEC=99999999999999999999",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_auto (ZinitNotifyMessage) message = { 0 };

    g_test_message ("%s", texts[i]);
    parse (texts[i], &message);
    g_assert_false (message.is_ready);
    g_assert_null (message.status);
    g_assert_cmpint (message.main_pid, ==, 0);
    g_assert_cmpuint (message.extend_usec, ==, 0);
    g_assert_false (message.is_alive || message.has_failed || message.watchdog_usec != 0);
  }
}

static void
test_status (void)
{
  g_autofree char *large = g_strnfill (10000, 'x');
  g_autofree char *text = g_strconcat ("STATUS=", large, NULL);
  g_auto (ZinitNotifyMessage) odd = { 0 };
  g_auto (ZinitNotifyMessage) last = { 0 };
  g_auto (ZinitNotifyMessage) cut = { 0 };
  g_auto (ZinitNotifyMessage) nul = { 0 };

  parse ("STATUS=\033[1mred\xff\x07", &odd);
  g_assert_true (g_utf8_validate (odd.status, -1, NULL));
  for (const char *at = odd.status; *at != '\0'; at++)
    g_assert_false (g_ascii_iscntrl (*at));
  parse ("STATUS=first\nSTATUS=second", &last);
  g_assert_cmpstr (last.status, ==, "second");
  parse (text, &cut);
  g_assert_cmpuint (strlen (cut.status), ==, 1024);
  g_assert_false (zinit_notify_message_parse ("READY=1\0", 8, &nul));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ready/good", test_good);
  g_test_add_func ("/ready/refused", test_refused);
  g_test_add_func ("/notify-message/all", test_message);
  g_test_add_func ("/notify-message/meaningless", test_meaningless);
  g_test_add_func ("/notify-message/status", test_status);
  return g_test_run ();
}
