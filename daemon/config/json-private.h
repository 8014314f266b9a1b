/* SPDX-License-Identifier: Apache-2.0
 *
 * What the halves of the pull reader share: json-token.c reads strings and numbers, json-reader.c the
 * containers around them; strict-json.c reports at the reader what a tree cannot hold. For these files alone.
 */
#pragma once

#include "config/strict-json.h"

G_BEGIN_DECLS

struct _ZinitJsonReader {
  const char *start;
  const char *at;
  const char *end;
  guint max_depth;
  GByteArray *containers; /* '{' or '[', outermost first */
  gboolean is_fresh;      /* the innermost container was just entered: no comma is due */
  gboolean is_skipping;   /* strings are checked and not decoded, depth is free */
  const char *key_quote;  /* where the member's name begins */
  GString *key;
  GString *string;
  GError *error;
  char *reason;     /* the error's message after its place */
  ZinitPlace place; /* of place_at, up to which lines have been counted; of the error, if there is one */
  const char *place_at;
};

/* Makes reader->place that of @where. Places that are asked for in the order of the text cost one pass over
 * it.
 */
void zinit_json_count_place (ZinitJsonReader *reader, const char *where);
/* Keeps the first error only; @where is the byte it is about. Always FALSE. */
gboolean zinit_json_fail (ZinitJsonReader *reader, const char *where, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* Says what stands where @expected ("a value is", "':' is") should. Always FALSE. */
gboolean zinit_json_fail_expected (ZinitJsonReader *reader, const char *expected);
/* Passes over white space; the byte after it, or -1 at the end of the text. */
int zinit_json_next_byte (ZinitJsonReader *reader);
/* The string whose quote is next, into @decoded; only checked if that is NULL. */
gboolean zinit_json_scan_string (ZinitJsonReader *reader, GString *decoded);
/* The number whose minus or first digit is next. */
gboolean zinit_json_scan_number (ZinitJsonReader *reader, ZinitJsonNumber *ret_number);

G_END_DECLS
