/* SPDX-License-Identifier: Apache-2.0
 *
 * Nothing is taken on trust: each length is held against the bytes that there are.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/wire.h"

#include <string.h>

#define FIXED_HEADER_BYTES 12
#define BYTE_ORDER_MARK (G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B')

enum { FIELD_REPLY_SERIAL = 5, FIELD_SIGNATURE = 8 };

/* Steps over @size bytes; NULL when there are not so many. */
static const guchar *
take (ZinitWire *wire, gsize size)
{
  if (wire->is_broken || size > wire->length - wire->at) {
    wire->is_broken = TRUE;
    return NULL;
  }
  const guchar *bytes = wire->bytes + wire->at;
  wire->at += size;
  return bytes;
}

void
zinit_wire_align (ZinitWire *wire, gsize alignment)
{
  take (wire, (alignment - wire->at % alignment) % alignment);
}

guint32
zinit_wire_read_uint32 (ZinitWire *wire)
{
  guint32 number = 0;
  zinit_wire_align (wire, sizeof number);
  const guchar *bytes = take (wire, sizeof number);
  if (bytes != NULL)
    memcpy (&number, bytes, sizeof number);
  return number;
}

guint64
zinit_wire_read_uint64 (ZinitWire *wire)
{
  guint64 number = 0;
  zinit_wire_align (wire, sizeof number);
  const guchar *bytes = take (wire, sizeof number);
  if (bytes != NULL)
    memcpy (&number, bytes, sizeof number);
  return number;
}

/* @length bytes and the NUL behind them. */
static const char *
take_text (ZinitWire *wire, gsize length)
{
  const char *text = (const char *)take (wire, length + 1);
  if (text == NULL)
    return "";
  if (text[length] == '\0' && g_utf8_validate (text, (gssize)length, NULL))
    return text;
  wire->is_broken = TRUE;
  return "";
}

const char *
zinit_wire_read_string (ZinitWire *wire)
{
  guint32 length = zinit_wire_read_uint32 (wire);
  return take_text (wire, length);
}

gsize
zinit_wire_enter_array (ZinitWire *wire, gsize alignment)
{
  guint32 size = zinit_wire_read_uint32 (wire);
  zinit_wire_align (wire, alignment);
  if (size > wire->length - wire->at)
    wire->is_broken = TRUE;
  return wire->is_broken ? wire->at : wire->at + size;
}

static const char *
read_signature (ZinitWire *wire)
{
  const guchar *length = take (wire, 1);
  return length != NULL ? take_text (wire, *length) : "";
}

/* One field of the header: its number, and a value whose type stands before it. */
static void
read_field (ZinitWire *wire, ZinitWireHeader *header)
{
  zinit_wire_align (wire, 8);
  const guchar *field = take (wire, 1);
  const char *type = read_signature (wire);
  if (g_str_equal (type, "u")) {
    guint32 number = zinit_wire_read_uint32 (wire);
    if (field != NULL && *field == FIELD_REPLY_SERIAL)
      header->reply_serial = number;
  } else if (g_str_equal (type, "g")) {
    const char *signature = read_signature (wire);
    if (field != NULL && *field == FIELD_SIGNATURE)
      header->signature = signature;
  } else if (g_str_equal (type, "s") || g_str_equal (type, "o"))
    zinit_wire_read_string (wire);
  else
    wire->is_broken = TRUE;
}

gboolean
zinit_wire_read_header (const guchar *message, gsize length, ZinitWireHeader *ret_header)
{
  ZinitWire wire = { .bytes = message, .length = length, .at = FIXED_HEADER_BYTES };
  if (length < FIXED_HEADER_BYTES || message[0] != BYTE_ORDER_MARK)
    return FALSE;
  *ret_header = (ZinitWireHeader){ .type = message[1], .signature = "" };
  gsize end = zinit_wire_enter_array (&wire, 8);
  while (!wire.is_broken && wire.at < end)
    read_field (&wire, ret_header);
  zinit_wire_align (&wire, 8);
  ret_header->body = wire.at;
  return !wire.is_broken;
}
