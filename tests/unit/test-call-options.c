/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of calls on the bus, and the names that errors get there.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <gio/gio.h>
#include <string.h>

#include "bus/errors.h"
#include "bus/options.h"
#include "model/error.h"
#include "model/state.h"

#define ALL ((ZINIT_CALL_STREAM * 2 - 1) | ZINIT_CALL_TIMEOUT)

static gboolean
parse (const char *text, guint allowed, ZinitCallOptions *options, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

  g_assert_nonnull (dictionary);
  return zinit_call_options_parse (dictionary, allowed, options, error);
}

static void
test_defaults (void)
{
  ZinitCallOptions options;
  g_autoptr (GError) error = NULL;

  memset (&options, 0xff, sizeof options);
  g_assert_true (parse ("{}", 0, &options, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (options.given, ==, 0);
  g_assert_false (options.wait);
  g_assert_false (options.stop);
  g_assert_cmpint (options.whom, ==, ZINIT_WHOM_ALL);
}

static void
test_values (void)
{
  ZinitCallOptions options;
  g_autoptr (GError) error = NULL;

  g_assert_true (
      parse ("{'wait': <true>, 'tree': <false>, 'persist': <true>, 'replace': <true>, 'stop': <true>,"
             " 'lines': <uint32 7>, 'since': <uint64 18446744073709551615>, 'whom': <'main'>,"
             " 'stream': <'stderr'>, 'timeout_ms': <uint32 1500>}",
             ALL, &options, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (options.given, ==, ALL);
  g_assert_true (options.wait);
  g_assert_false (options.tree);
  g_assert_true (options.persist);
  g_assert_true (options.replace);
  g_assert_true (options.stop);
  g_assert_cmpuint (options.lines, ==, 7);
  g_assert_cmpuint (options.timeout_ms, ==, 1500);
  g_assert_cmpuint (options.since_usec, ==, G_MAXUINT64);
  g_assert_cmpint (options.whom, ==, ZINIT_WHOM_MAIN);
  g_assert_cmpint (options.stream, ==, ZINIT_STREAM_STDERR);
}

/* As definitions do: a client in a language without types of integers sends the one that it has. */
static void
test_integers (void)
{
  static const char *const types[] = { "byte", "int16", "uint16", "int32", "uint32", "int64", "uint64" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *text = g_strdup_printf ("{'lines': <%s 7>, 'since': <%s 9>, 'timeout_ms': <%s 11>}",
                                             types[i], types[i], types[i]);
    g_autoptr (GError) error = NULL;
    ZinitCallOptions options;

    g_assert_true (parse (text, ALL, &options, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (options.lines, ==, 7);
    g_assert_cmpuint (options.since_usec, ==, 9);
    g_assert_cmpuint (options.timeout_ms, ==, 11);
  }
}

/* Each message names what is wrong and what is allowed. */
static void
test_refused (void)
{
  static const struct {
    const char *text;
    guint allowed;
    const char *wrong, *right;
  } cases[] = {
    { "{'wiat': <true>}", ZINIT_CALL_WAIT | ZINIT_CALL_TREE, "wiat", "wait (b), tree (b)" },
    { "{'tree': <true>}", ZINIT_CALL_WAIT, "tree", "wait (b)" },
    { "{'wait': <true>}", 0, "wait", "none" },
    { "{'wait': <'yes'>}", ZINIT_CALL_WAIT, "wait", "allowed is b" },
    { "{'wait': <<true>>}", ZINIT_CALL_WAIT, "wait", "allowed is b" },
    { "{'lines': <uint64 4294967296>}", ZINIT_CALL_LINES, "lines” is 4294967296", "from 0 to 4294967295" },
    { "{'lines': <-1>}", ZINIT_CALL_LINES, "lines” is -1", "from 0 to 4294967295" },
    { "{'since': <int64 -1>}", ZINIT_CALL_SINCE, "since” is -1", "from 0 to 18446744073709551615" },
    { "{'lines': <1.5>}", ZINIT_CALL_LINES, "of type d", "an integer from 0" },
    { "{'lines': <true>}", ZINIT_CALL_LINES, "of type b", "an integer from 0" },
    { "{'wait': <1>}", ZINIT_CALL_WAIT, "of type i", "allowed is b" },
    { "{'wait': <['yes']>}", ZINIT_CALL_WAIT, "“wait” is of type as", "allowed is b" },
    { "{'whom': <'nobody'>}", ZINIT_CALL_WHOM, "nobody", "“main” or “all”" },
    { "{'stream': <'stdin'>}", ZINIT_CALL_STREAM, "stdin", "“stdout” or “stderr”" },
    { "{'stream': <''>}", ZINIT_CALL_STREAM, "stream", "“stdout” or “stderr”" },
    { "{'wait': <true>, 'wait': <false>}", ZINIT_CALL_WAIT, "wait", "twice" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    ZinitCallOptions options;
    g_autoptr (GError) error = NULL;

    g_assert_false (parse (cases[i].text, cases[i].allowed, &options, &error));
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS);
    g_assert_nonnull (strstr (error->message, cases[i].wrong));
    g_assert_nonnull (strstr (error->message, cases[i].right));
  }
}

static void
test_error_names (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  static const struct {
    int code;
    const char *name;
  } some[] = {
    { ZINIT_ERROR_FAILED, "org.zinit.Error.Failed" },
    { ZINIT_ERROR_NO_SUCH_SERVICE, "org.zinit.Error.NoSuchService" },
    { ZINIT_ERROR_LIMIT_EXCEEDED, "org.zinit.Error.LimitExceeded" },
    { ZINIT_ERROR_INVALID_ARGS, "org.freedesktop.DBus.Error.InvalidArgs" },
    { ZINIT_ERROR_ACCESS_DENIED, "org.freedesktop.DBus.Error.AccessDenied" },
    { ZINIT_ERROR_NOT_SUPPORTED, "org.freedesktop.DBus.Error.NotSupported" },
  };

  for (int code = 0; code < ZINIT_N_ERRORS; code++) {
    g_autoptr (GError) error = g_error_new_literal (ZINIT_ERROR, code, "x");
    char *name = zinit_bus_error_name (error);

    g_assert_true (g_dbus_is_interface_name (name));
    g_assert_true (g_hash_table_add (seen, name));
  }
  for (guint i = 0; i < G_N_ELEMENTS (some); i++) {
    g_autoptr (GError) error = g_error_new_literal (ZINIT_ERROR, some[i].code, "x");
    g_autofree char *name = zinit_bus_error_name (error);

    g_assert_cmpstr (name, ==, some[i].name);
  }
}

/* No error of another domain reaches the wire under GLib's name for it. */
static void
test_foreign_errors (void)
{
  g_autoptr (GError) io = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "x");
  g_autoptr (GError) beyond = g_error_new_literal (ZINIT_ERROR, ZINIT_N_ERRORS, "x");
  g_autoptr (GError) dbus = g_error_new_literal (G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, "x");
  g_autofree char *io_name = zinit_bus_error_name (io);
  g_autofree char *beyond_name = zinit_bus_error_name (beyond);
  g_autofree char *dbus_name = zinit_bus_error_name (dbus);

  g_assert_cmpstr (io_name, ==, "org.zinit.Error.Failed");
  g_assert_cmpstr (beyond_name, ==, "org.zinit.Error.Failed");
  g_assert_cmpstr (dbus_name, ==, "org.freedesktop.DBus.Error.UnknownObject");
}

static void
test_strings (void)
{
  g_autoptr (GVariant) good = g_variant_ref_sink (zinit_bus_string ("grün"));
  g_autoptr (GVariant) bad = g_variant_ref_sink (zinit_bus_string ("a\377b"));
  g_autoptr (GVariant) none = g_variant_ref_sink (zinit_bus_string (NULL));
  g_autoptr (GVariant) list = g_variant_ref_sink (zinit_bus_strings (NULL));

  g_assert_cmpstr (g_variant_get_string (good, NULL), ==, "grün");
  g_assert_cmpstr (g_variant_get_string (bad, NULL), ==, "a\357\277\275b");
  g_assert_cmpstr (g_variant_get_string (none, NULL), ==, "");
  g_assert_cmpstr (g_variant_get_type_string (list), ==, "as");
  g_assert_cmpuint (g_variant_n_children (list), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/call-options/defaults", test_defaults);
  g_test_add_func ("/call-options/values", test_values);
  g_test_add_func ("/call-options/integers", test_integers);
  g_test_add_func ("/call-options/refused", test_refused);
  g_test_add_func ("/call-options/error-names", test_error_names);
  g_test_add_func ("/call-options/foreign-errors", test_foreign_errors);
  g_test_add_func ("/call-options/strings", test_strings);
  return g_test_run ();
}
