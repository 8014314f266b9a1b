/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of JSON text in one fixed layout: two blanks a level, one member or element a line, no blank before
 * a colon, "{}" and "[]" when empty. json-glib's generator writes U+001F raw and numbers from 2^63 as
 * negative ones. What a document holds is its writer's matter.
 */
#pragma once

#include "config/strict-json.h"

G_BEGIN_DECLS

/* With its quotes; only what has to be escaped is. What is not UTF-8 (a path may be anything) becomes U+FFFD.
 */
void zinit_json_write_string (GString *out, const char *text);
void zinit_json_write_number (GString *out, gboolean is_negative, guint64 magnitude);
/* In place of a level: all in one line. */
#define ZINIT_JSON_ONE_LINE G_MAXUINT
/* Begins the next element, or member with @name and its colon, of a container whose items are in lines of
 * @level: the value is to follow. A comma goes before it unless @out ends with the container's bracket. */
void zinit_json_write_next (GString *out, guint level);
void zinit_json_write_next_name (GString *out, const char *name, guint level);
/* Ends a container, whose bracket stands in a line of @level unless it is empty. */
void zinit_json_write_end (GString *out, char bracket, guint level);
/* @node's whole value, as it looks when its first byte is in a line of @level. It recurses: for trees of our
 * own making and of zinit_strict_json_parse(). */
void zinit_json_write_node (GString *out, JsonNode *node, guint level);
/* The same for @reader's next value, without recursion: numbers keep their digits, names their order. U+0000
 * in a string and numbers that no double can hold are errors. On FALSE the reader has the error and @out some
 * of the value. */
gboolean zinit_json_copy_value (ZinitJsonReader *reader, GString *out, guint level);

G_END_DECLS
