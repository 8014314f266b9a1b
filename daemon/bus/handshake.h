/* SPDX-License-Identifier: Apache-2.0
 *
 * The text with which a D-Bus connection begins, for both sides: the mechanism EXTERNAL alone. Takes bytes
 * and gives bytes; it neither reads nor writes a socket, and knows no time.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

typedef enum { ZINIT_HANDSHAKE_SERVER, ZINIT_HANDSHAKE_CLIENT } ZinitHandshakeRole;

typedef enum {
  ZINIT_HANDSHAKE_AUTH,  /* a server: the other side has to name its user */
  ZINIT_HANDSHAKE_DATA,  /* the same, and has begun */
  ZINIT_HANDSHAKE_BEGIN, /* a server: the other side is known and may begin */
  ZINIT_HANDSHAKE_REPLY, /* a client: waits for the answer */
  ZINIT_HANDSHAKE_DONE,  /* messages follow */
  ZINIT_HANDSHAKE_FAILED,
} ZinitHandshakeState;

/* The fields belong to the functions below, but that all may read @state. */
typedef struct {
  ZinitHandshakeState state;
  uid_t uid;
  char guid[33]; /* of a server; 32 hexadecimal digits */
  guint n_lines;
  gboolean has_nul; /* the byte before the text */
  GString *line;    /* the beginning of one that is not complete */
  GString *output;  /* to be written; the caller empties it */
} ZinitHandshake;

/* @uid of a server is the other side's, as the kernel says; of a client its own. @guid is NULL for a client.
 * A client has output at once. Clear it with zinit_handshake_clear(). */
void zinit_handshake_init (ZinitHandshake *self, ZinitHandshakeRole role, uid_t uid, const char *guid);
void zinit_handshake_clear (ZinitHandshake *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitHandshake, zinit_handshake_clear)

/* Returns how many of @bytes belong to the handshake: all, or fewer when it is over. Sets ZINIT_ERROR_FAILED
 * when @state has become ZINIT_HANDSHAKE_FAILED. */
gsize zinit_handshake_feed (ZinitHandshake *self, const char *bytes, gsize length, GError **error);

G_END_DECLS
