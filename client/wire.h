/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads D-Bus's wire format where it lies. For long answers of one known type alone: GDBus makes an object of
 * each string and number, which takes longer than all the rest of a command.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a message says of itself; borrowed from its bytes. */
typedef struct {
  guint type;            /* GDBusMessageType */
  guint32 reply_serial;  /* 0 = it is no answer */
  const char *signature; /* of the body; "" = it has none */
  gsize body;            /* where it begins */
} ZinitWireHeader;

/* FALSE when @message is not a whole message in this machine's byte order. */
gboolean zinit_wire_read_header (const guchar *message, gsize length, ZinitWireHeader *ret_header);

/* A place in a body. Once something did not fit, @is_broken stays TRUE, numbers are 0 and strings "". */
typedef struct {
  const guchar *bytes;
  gsize length;
  gsize at;
  gboolean is_broken;
} ZinitWire;

/* To the next multiple of @alignment. */
void zinit_wire_align (ZinitWire *wire, gsize alignment);
guint32 zinit_wire_read_uint32 (ZinitWire *wire);
guint64 zinit_wire_read_uint64 (ZinitWire *wire);
/* A string or an object path, valid UTF-8. Borrowed from the bytes. */
const char *zinit_wire_read_string (ZinitWire *wire);
/* Where the array that begins here ends; its first element, aligned to @alignment, is read next. */
gsize zinit_wire_enter_array (ZinitWire *wire, gsize alignment);

G_END_DECLS
