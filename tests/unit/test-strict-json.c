/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict JSON reader: what is JSON and what is not, where an error is, trees and what they cannot hold,
 * passing over, and the fixed layout in which text is written again.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include "config/json-writer.h"
#include "config/strict-json.h"
#include "model/error.h"
#include "model/limits.h"

/* @text in a block of its own size, so that a reader that goes too far is seen by valgrind and sanitizers. */
static JsonNode *
parse (const char *text, gsize length, GError **error)
{
  g_autofree char *exact = g_memdup2 (text, length);

  return zinit_strict_json_parse (exact, length, error);
}

static void
test_good (void)
{
  static const struct {
    const char *text, *written;
  } rows[] = {
    { "null", "null" },
    { " true\t\r\n", "true" },
    { "0", "0" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "9223372036854775807", "9223372036854775807" },
    { "1.5e3", "1500.0" },
    { "-0", "-0.0" },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\uD83D\\udE00\"", "\"\\\"\\\\/\\b\\f\\n\\r\\tAä😀\"" },
    { "\"\\u001F\x7f\xef\xbb\xbf\"", "\"\\u001f\x7f\xef\xbb\xbf\"" },
    { "{}", "{}" },
    { "[ ]", "[]" },
    { "[[],{},[1]]", "[\n  [],\n  {},\n  [\n    1\n  ]\n]" },
    { "{\"b\":1,\"a\":{\"c\":[true,false]}}",
      "{\n  \"b\": 1,\n  \"a\": {\n    \"c\": [\n      true,\n      false\n    ]\n  }\n}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = parse (rows[i].text, strlen (rows[i].text), &error);
    g_autoptr (GString) written = g_string_new (NULL);

    g_assert_no_error (error);
    zinit_json_write_node (written, node, 0);
    g_assert_cmpstr (written->str, ==, rows[i].written);
  }
}

static const struct {
  const char *text, *message;
} bad_texts[] = {
  { "", "1:1: the text ends; a value is expected" },
  { " \n  ", "2:3: the text ends; a value is expected" },
  { "nul", "1:1: no value; did you mean null?" },
  { "nulls", "1:5: 's'; the end of the text is expected" },
  { "True", "1:1: 'T'; a value is expected" },
  { "\f1", "1:1: U+000C; a value is expected" },
  { "\xef\xbb\xbf{}", "1:1: a byte order mark; none is allowed" },
  { "\"ä\xff\"", "1:3: not UTF-8: byte 0xff" },
  { "\xf0", "1:1: not UTF-8: byte 0xf0" },
  { "\"\xc0\x80\"", "1:2: not UTF-8: byte 0xc0" },
  { "\"\xed\xa0\x80\"", "1:2: not UTF-8: byte 0xed" },
  { "\"ää\n\"", "1:4: control character U+000A in a string; it has to be escaped" },
  { "\"abc", "1:1: a string without an end" },
  { "\"abc\\", "1:5: no escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are allowed" },
  { "\"\\x41\"", "1:2: no escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are allowed" },
  { "\"\\u12\"", "1:6: \\u needs four hexadecimal digits" },
  { "\"\\ud800x\"", "1:2: a high surrogate without a low one after it" },
  { "\"\\ud800\\ud800\"", "1:2: a high surrogate without a low one after it" },
  { "\"\\ud800\\ue000\"", "1:2: a high surrogate without a low one after it" },
  { "\"\\ud800\\n\"", "1:2: a high surrogate without a low one after it" },
  { "\"\\udc00\"", "1:2: a low surrogate without a high one before it" },
  { "\"\\u0000\"", "1:1: U+0000 in a string; it is not allowed here" },
  { "{\"a\\u0000\":1}", "1:2: U+0000 in a string; it is not allowed here" },
  { "01", "1:1: a number with a leading zero" },
  { "-", "1:2: the text ends; a digit is expected" },
  { "+1", "1:1: '+'; a value is expected" },
  { "1.", "1:3: the text ends; a digit is expected" },
  { ".5", "1:1: '.'; a value is expected" },
  { "1e", "1:3: the text ends; a digit is expected" },
  { "1e+", "1:4: the text ends; a digit is expected" },
  { "0x1", "1:2: 'x'; the end of the text is expected" },
  { "1e999", "1:1: the number is out of range" },
  { "9223372036854775808", "1:1: the number is out of range; -9223372036854775808 to 9223372036854775807 are "
                           "allowed" },
  { "-9223372036854775809",
    "1:1: the number is out of range; -9223372036854775808 to 9223372036854775807 are "
    "allowed" },
  { "18446744073709551617",
    "1:1: the number is out of range; -9223372036854775808 to 9223372036854775807 are "
    "allowed" },
  { "[1,]", "1:4: ']'; a value is expected" },
  { "[1 2]", "1:4: '2'; ',' or ']' is expected" },
  { "[1}", "1:3: '}'; ',' or ']' is expected" },
  { "[,1]", "1:2: ','; a value is expected" },
  { "[", "1:2: the text ends; a value is expected" },
  { "{\"a\":1,}", "1:8: '}'; a name in double quotes is expected" },
  { "{a:1}", "1:2: 'a'; a name in double quotes is expected" },
  { "{'a':1}", "1:2: '''; a name in double quotes is expected" },
  { "{\"a\" 1}", "1:6: '1'; ':' is expected" },
  { "{\"a\":}", "1:6: '}'; a value is expected" },
  { "{\n  \"a\": 1,\n  \"\\u0061\": 2\n}", "3:3: \"a\" is given twice" },
  { "{} // x", "1:4: '/'; the end of the text is expected" },
  { "{}{}", "1:3: '{'; the end of the text is expected" },
};

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = parse (bad_texts[i].text, strlen (bad_texts[i].text), &error);

    g_test_message ("%s", bad_texts[i].message);
    g_assert_null (node);
    g_assert_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG);
    g_assert_cmpstr (error->message, ==, bad_texts[i].message);
  }
}

static void
test_nul (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse ("{}\0", 3, &error));
  g_assert_cmpstr (error->message, ==, "1:3: a NUL byte");
}

static void
test_depth (void)
{
  for (guint depth = ZINIT_MAX_JSON_DEPTH; depth <= ZINIT_MAX_JSON_DEPTH + 1; depth++) {
    g_autofree char *text = g_strnfill (2 * depth, '[');
    g_autoptr (JsonNode) node = NULL;

    memset (text + depth, ']', depth);
    node = parse (text, 2 * depth, NULL);
    g_assert_cmpint (node != NULL, ==, depth == ZINIT_MAX_JSON_DEPTH);
  }
}

/* A value that is passed over, and where the reader is afterwards. */
static void
test_skip (void)
{
  static const struct {
    const char *value;
    gboolean is_json;
  } rows[] = {
    { "1e999", TRUE },
    { "-0", TRUE },
    { "123456789012345678901234567890", TRUE },
    { "\"\\ud800 \\u0000\"", TRUE },
    { "{\"\\udc00\": 1, \"a\": 2, \"a\": [[], {}, [{\"b\": null}]]}", TRUE },
    { "[]", TRUE },
    { "01", FALSE },
    { "tru", FALSE },
    { "\"\\q\"", FALSE },
    { "\"\x01\"", FALSE },
    { "[1,]", FALSE },
    { "{\"a\":1,}", FALSE },
    { "{\"a\"}", FALSE },
    { "[}", FALSE },
    { "", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf ("[%s, 7]", rows[i].value);
    g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (text, strlen (text), 1);
    const char *skipped;
    ZinitJsonNumber number;
    gsize length;

    g_assert_true (zinit_json_reader_enter (reader));
    g_assert_true (zinit_json_reader_next (reader));
    g_assert_cmpint (zinit_json_reader_skip (reader, &skipped, &length), ==, rows[i].is_json);
    g_assert_cmpint (zinit_json_reader_get_error (reader) == NULL, ==, rows[i].is_json);
    if (!rows[i].is_json)
      continue;
    g_assert_cmpmem (skipped, length, rows[i].value, strlen (rows[i].value));
    g_assert_true (zinit_json_reader_next (reader));
    g_assert_true (zinit_json_reader_number (reader, &number));
    g_assert_cmpuint (number.magnitude, ==, 7);
    g_assert_false (zinit_json_reader_next (reader));
    g_assert_true (zinit_json_reader_end (reader));
  }
}

static void
test_numbers (void)
{
  static const struct {
    const char *text;
    gboolean is_integer, fits, is_negative;
    guint64 magnitude;
  } rows[] = {
    { "0", TRUE, TRUE, FALSE, 0 },
    { "-0", FALSE, FALSE, TRUE, 0 },
    { "-7", TRUE, TRUE, TRUE, 7 },
    { "9007199254740993", TRUE, TRUE, FALSE, 9007199254740993 },
    { "18446744073709551615", TRUE, TRUE, FALSE, G_MAXUINT64 },
    { "18446744073709551616", TRUE, FALSE, FALSE, 0 },
    { "99999999999999999999999999", TRUE, FALSE, FALSE, 0 },
    { "1.0", FALSE, FALSE, FALSE, 0 },
    { "1E2", FALSE, FALSE, FALSE, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (rows[i].text, strlen (rows[i].text), 0);
    ZinitJsonNumber number;

    g_assert_true (zinit_json_reader_number (reader, &number));
    g_assert_cmpint (number.is_integer, ==, rows[i].is_integer);
    g_assert_cmpint (number.fits, ==, rows[i].fits);
    g_assert_cmpint (number.is_negative, ==, rows[i].is_negative);
    if (number.fits)
      g_assert_cmpuint (number.magnitude, ==, rows[i].magnitude);
    g_assert_cmpmem (number.text, number.length, rows[i].text, strlen (rows[i].text));
  }
}

/* The first error stays, whatever is asked after it. */
static void
test_error_stays (void)
{
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new ("[x, 1]", 6, 5);
  gboolean truth;

  g_assert_true (zinit_json_reader_enter (reader));
  g_assert_true (zinit_json_reader_next (reader));
  g_assert_false (zinit_json_reader_boolean (reader, &truth));
  g_assert_cmpstr (zinit_json_reader_get_error (reader)->message, ==, "1:2: 'x'; a value is expected");
  g_assert_false (zinit_json_reader_next (reader));
  g_assert_null (zinit_json_reader_string (reader, NULL));
  g_assert_false (zinit_json_reader_skip (reader, NULL, NULL));
  g_assert_false (zinit_json_reader_end (reader));
  g_assert_cmpint (zinit_json_reader_peek (reader), ==, ZINIT_JSON_INVALID);
  g_assert_cmpstr (zinit_json_reader_get_error (reader)->message, ==, "1:2: 'x'; a value is expected");
}

/* Numbers keep their digits and names their order, twice or not. */
static void
test_copy (void)
{
  static const char text[] = "[1.50E+3,{\"a\":{},\"a\":[18446744073709551615]},\"\\u0001\"]";
  g_autoptr (ZinitJsonReader) reader = zinit_json_reader_new (text, strlen (text), 5);
  g_autoptr (GString) out = g_string_new ("x");

  g_assert_true (zinit_json_copy_value (reader, out, 1));
  g_assert_cmpstr (out->str, ==,
                   "x[\n    1.50E+3,\n    {\n      \"a\": {},\n      \"a\": [\n        18446744073709551615\n"
                   "      ]\n    },\n    \"\\u0001\"\n  ]");
  for (const char *const *bad = (const char *[]){ "1e999", "[\"\\u0000\"]", "[[[[[[1]]]]]]", "[1", NULL };
       *bad != NULL; bad++) {
    g_autoptr (ZinitJsonReader) other = zinit_json_reader_new (*bad, strlen (*bad), 5);

    g_assert_false (zinit_json_copy_value (other, out, 0));
    g_assert_nonnull (zinit_json_reader_get_error (other));
  }
}

static void
test_written_numbers (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  zinit_json_write_number (out, FALSE, 0);
  zinit_json_write_number (out, TRUE, 1);
  zinit_json_write_number (out, FALSE, G_MAXUINT64);
  zinit_json_write_number (out, TRUE, (guint64)1 << 63);
  g_assert_cmpstr (out->str, ==, "0-118446744073709551615-9223372036854775808");
}

static void
test_one_line (void)
{
  static const char text[] = "{\"a\": {}, \"b\": [1, [], {\"c\": \"x\\n\"}], \"d\": null}";
  g_autoptr (JsonNode) node = zinit_strict_json_parse (text, strlen (text), NULL);
  g_autoptr (GString) out = g_string_new ("x");

  zinit_json_write_node (out, node, ZINIT_JSON_ONE_LINE);
  g_assert_cmpstr (out->str + 1, ==, text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/strict-json/good", test_good);
  g_test_add_func ("/strict-json/bad", test_bad);
  g_test_add_func ("/strict-json/nul", test_nul);
  g_test_add_func ("/strict-json/depth", test_depth);
  g_test_add_func ("/strict-json/skip", test_skip);
  g_test_add_func ("/strict-json/numbers", test_numbers);
  g_test_add_func ("/strict-json/error-stays", test_error_stays);
  g_test_add_func ("/strict-json/copy", test_copy);
  g_test_add_func ("/strict-json/one-line", test_one_line);
  g_test_add_func ("/strict-json/written-numbers", test_written_numbers);
  return g_test_run ();
}
