/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring of a service's output: lines, limits, queries.
 */
#include "logs/log.h"

#include <string.h>

#include "model/limits.h"

#define BOTH ((1u << ZINIT_STREAM_STDOUT) | (1u << ZINIT_STREAM_STDERR))

static const ZinitLogQuery everything = { G_MAXUINT64, G_MAXSIZE, 0, BOTH };

static gboolean
print_line (const ZinitLogLine *line, gpointer data)
{
  g_string_append_printf (data, "%" G_GINT64_FORMAT "%c[%.*s]", line->time_usec,
                          line->stream == ZINIT_STREAM_STDOUT ? 'o' : 'e', (int)line->length, line->text);
  return TRUE;
}

static char *
query (const ZinitLog *log, const ZinitLogQuery *query)
{
  GString *text = g_string_new (NULL);

  zinit_log_foreach (log, query, print_line, text);
  return g_string_free (text, FALSE);
}

#define assert_log(log, expected)                                                                            \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *found_ = query (log, &everything);                                                      \
    g_assert_cmpstr (found_, ==, expected);                                                                  \
  }                                                                                                          \
  G_STMT_END

static void
say (ZinitLog *log, const char *text, gint64 time_usec)
{
  zinit_log_append (log, ZINIT_STREAM_STDOUT, text, strlen (text), time_usec);
}

static void
warn_once (ZinitLog *log, const char *text, gint64 time_usec)
{
  zinit_log_append (log, ZINIT_STREAM_STDERR, text, strlen (text), time_usec);
}

static void
test_lines (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (100);

  assert_log (log, "");
  g_assert_cmpuint (zinit_log_get_bytes (log), ==, 0);
  say (log, "one\ntwo\n\nthree\r\n", 5);
  assert_log (log, "5o[one]5o[two]5o[]5o[three\r]");
  g_assert_cmpuint (zinit_log_get_total (log), ==, 4);
  g_assert_cmpuint (zinit_log_get_dropped (log), ==, 0);
  g_assert_cmpuint (zinit_log_get_bytes (log), ==, 3 + 3 + 0 + 6 + 4 * 12);
}

static void
test_unfinished (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (100);

  say (log, "ab", 1);
  warn_once (log, "xy", 2);
  say (log, "c", 3);
  assert_log (log, "1o[abc]2e[xy]");
  g_assert_cmpuint (zinit_log_get_total (log), ==, 0);
  g_assert_cmpuint (zinit_log_get_bytes (log), ==, 5);
  warn_once (log, "z\nnext", 4);
  assert_log (log, "2e[xyz]1o[abc]4e[next]");
  zinit_log_end (log);
  assert_log (log, "2e[xyz]1o[abc]4e[next]");
  g_assert_cmpuint (zinit_log_get_total (log), ==, 3);
  zinit_log_end (log);
  g_assert_cmpuint (zinit_log_get_total (log), ==, 3);
  say (log, "new\n", 9);
  assert_log (log, "2e[xyz]1o[abc]4e[next]9o[new]");
}

/* The same bytes give the same lines however they are cut into pieces. */
static void
test_pieces (void)
{
  const char *text = "first\nsecond line\n\nfourth, which is longer than the others\nrest";
  gsize length = strlen (text);

  for (gsize size = 1; size <= length; size++) {
    g_autoptr (ZinitLog) log = zinit_log_new (100);

    for (gsize at = 0; at < length; at += size)
      zinit_log_append (log, ZINIT_STREAM_STDOUT, text + at, MIN (size, length - at), 1);
    assert_log (log, "1o[first]1o[second line]1o[]1o[fourth, which is longer than the others]1o[rest]");
  }
}

static gboolean
collect_length (const ZinitLogLine *line, gpointer data)
{
  for (gsize i = 0; i < line->length; i++)
    g_assert_cmpint (line->text[i], ==, 'x');
  g_array_append_val ((GArray *)data, line->length);
  return TRUE;
}

static void
check_split (gsize length, gsize piece)
{
  g_autoptr (ZinitLog) log = zinit_log_new (100);
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autofree char *text = g_strnfill (length, 'x');
  gsize left = length;

  for (gsize at = 0; at < length; at += piece)
    zinit_log_append (log, ZINIT_STREAM_STDOUT, text + at, MIN (piece, length - at), 1);
  zinit_log_append (log, ZINIT_STREAM_STDOUT, "\n", 1, 2);
  zinit_log_foreach (log, &everything, collect_length, lengths);
  for (guint i = 0; i < lengths->len; i++) {
    g_assert_cmpuint (g_array_index (lengths, gsize, i), ==, MIN (left, ZINIT_MAX_LINE_BYTES));
    left -= g_array_index (lengths, gsize, i);
  }
  g_assert_cmpuint (left, ==, 0);
  g_assert_cmpuint (lengths->len, ==, MAX (1, (length + ZINIT_MAX_LINE_BYTES - 1) / ZINIT_MAX_LINE_BYTES));
}

static void
test_split (void)
{
  static const gsize lengths[] = { 0,
                                   1,
                                   ZINIT_MAX_LINE_BYTES - 1,
                                   ZINIT_MAX_LINE_BYTES,
                                   ZINIT_MAX_LINE_BYTES + 1,
                                   2 * ZINIT_MAX_LINE_BYTES,
                                   3 * ZINIT_MAX_LINE_BYTES + 5 };
  static const gsize pieces[] = { 1, 100, 4096, ZINIT_MAX_LINE_BYTES, G_MAXINT };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (guint j = 0; j < G_N_ELEMENTS (pieces); j++)
      check_split (lengths[i], pieces[j]);
}

static void
test_max_lines (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (3);

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *line = g_strdup_printf ("line %u\n", i);

    say (log, line, i);
  }
  assert_log (log, "997o[line 997]998o[line 998]999o[line 999]");
  g_assert_cmpuint (zinit_log_get_total (log), ==, 1000);
  g_assert_cmpuint (zinit_log_get_dropped (log), ==, 997);
  g_assert_cmpuint (zinit_log_get_bytes (log), ==, 3 * (8 + 12));
  zinit_log_set_max_lines (log, 5);
  say (log, "more\n", 1000);
  zinit_log_set_max_lines (log, 2);
  assert_log (log, "999o[line 999]1000o[more]");
  g_assert_cmpuint (zinit_log_get_dropped (log), ==, 999);
  zinit_log_set_max_lines (log, 0);
  assert_log (log, "");
  g_assert_cmpuint (zinit_log_get_bytes (log), ==, 0);
  say (log, "lost\nunfinished", 1001);
  assert_log (log, "");
  g_assert_cmpuint (zinit_log_get_total (log), ==, 1002);
  g_assert_cmpuint (zinit_log_get_dropped (log), ==, 1002);
}

static void
test_max_bytes (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (ZINIT_MAX_BUFFER_LINES);
  g_autofree char *line = g_strnfill (ZINIT_MAX_LINE_BYTES, 'x');
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
  guint n = 3 * (ZINIT_MAX_LOG_BYTES / ZINIT_MAX_LINE_BYTES);

  for (guint i = 0; i < n; i++) {
    zinit_log_append (log, ZINIT_STREAM_STDOUT, line, ZINIT_MAX_LINE_BYTES, i);
    zinit_log_append (log, ZINIT_STREAM_STDOUT, "\n", 1, i);
    g_assert_cmpuint (zinit_log_get_bytes (log), <=, ZINIT_MAX_LOG_BYTES);
  }
  g_assert_cmpuint (zinit_log_get_total (log), ==, n);
  zinit_log_foreach (log, &everything, collect_length, lengths);
  g_assert_cmpuint (lengths->len, ==, ZINIT_MAX_LOG_BYTES / (ZINIT_MAX_LINE_BYTES + 12));
  g_assert_cmpuint (zinit_log_get_dropped (log), ==, n - lengths->len);
}

static void
test_query (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (100);
  ZinitLogQuery some = everything;

  say (log, "one\n", 10);
  warn_once (log, "two\n", 20);
  say (log, "three\nfour", 30);
#define assert_query(expected)                                                                               \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *found_ = query (log, &some);                                                            \
    g_assert_cmpstr (found_, ==, expected);                                                                  \
  }                                                                                                          \
  G_STMT_END
  some.max_lines = 2;
  assert_query ("30o[three]30o[four]");
  some.max_lines = 0;
  assert_query ("");
  some = everything;
  some.since_usec = 20;
  assert_query ("20e[two]30o[three]30o[four]");
  some.max_lines = 1;
  some.streams = 1u << ZINIT_STREAM_STDERR;
  assert_query ("20e[two]");
  some = everything;
  some.streams = 1u << ZINIT_STREAM_STDOUT;
  some.max_lines = 2;
  assert_query ("30o[three]30o[four]");
  some = everything;
  some.max_bytes = 9;
  assert_query ("30o[three]30o[four]");
  some.max_bytes = 8;
  assert_query ("30o[four]");
  some.max_bytes = 3;
  assert_query ("");
#undef assert_query
}

static gboolean
stop_at_second (const ZinitLogLine *line, gpointer data)
{
  return ++*(guint *)data < 2;
}

static void
test_stop (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (100);
  guint n = 0;

  say (log, "a\nb\nc\nd", 1);
  zinit_log_foreach (log, &everything, stop_at_second, &n);
  g_assert_cmpuint (n, ==, 2);
}

/* Bytes of any kind come back as they went in, over many chunks and sizes. */
static gboolean
check_line (const ZinitLogLine *line, gpointer data)
{
  guint *n = data;

  g_assert_cmpint (line->time_usec, ==, *n);
  g_assert_cmpuint (line->length, ==, *n % 700);
  for (gsize i = 0; i < line->length; i++)
    g_assert_cmpint ((guint8)line->text[i], ==, 128 + (*n + i) % 128);
  ++*n;
  return TRUE;
}

static void
test_bytes (void)
{
  g_autoptr (ZinitLog) log = zinit_log_new (1500);
  char line[700 + 1];
  guint n = 5000 - 1500;

  for (guint i = 0; i < 5000; i++) {
    for (guint j = 0; j < i % 700; j++)
      line[j] = (char)(128 + (i + j) % 128);
    line[i % 700] = '\n';
    zinit_log_append (log, ZINIT_STREAM_STDERR, line, i % 700 + 1, i);
  }
  zinit_log_foreach (log, &everything, check_line, &n);
  g_assert_cmpuint (n, ==, 5000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/lines", test_lines);
  g_test_add_func ("/log/unfinished", test_unfinished);
  g_test_add_func ("/log/pieces", test_pieces);
  g_test_add_func ("/log/split", test_split);
  g_test_add_func ("/log/max-lines", test_max_lines);
  g_test_add_func ("/log/max-bytes", test_max_bytes);
  g_test_add_func ("/log/query", test_query);
  g_test_add_func ("/log/stop", test_stop);
  g_test_add_func ("/log/bytes", test_bytes);
  return g_test_run ();
}
