/* SPDX-License-Identifier: Apache-2.0
 *
 * One function a state and line. The D-Bus specification, "Authentication Protocol", has the states.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/handshake.h"

#include <string.h>

#include "model/error.h"
#include "model/limits.h"

static void
say (ZinitHandshake *self, const char *line)
{
  g_string_append_printf (self->output, "%s\r\n", line);
}

void
zinit_handshake_init (ZinitHandshake *self, ZinitHandshakeRole role, uid_t uid, const char *guid)
{
  g_autofree char *digits = g_strdup_printf ("%lu", (unsigned long)uid);

  *self = (ZinitHandshake){ .uid = uid, .line = g_string_new (NULL), .output = g_string_new (NULL) };
  if (role == ZINIT_HANDSHAKE_SERVER) {
    self->state = ZINIT_HANDSHAKE_AUTH;
    g_strlcpy (self->guid, guid, sizeof self->guid);
    return;
  }
  self->state = ZINIT_HANDSHAKE_REPLY;
  self->has_nul = TRUE;
  g_string_append_c (self->output, '\0');
  g_string_append (self->output, "AUTH EXTERNAL ");
  for (const char *digit = digits; *digit != '\0'; digit++)
    g_string_append_printf (self->output, "%02x", (guint)*digit);
  say (self, "");
}

void
zinit_handshake_clear (ZinitHandshake *self)
{
  if (self->line != NULL)
    g_string_free (g_steal_pointer (&self->line), TRUE);
  if (self->output != NULL)
    g_string_free (g_steal_pointer (&self->output), TRUE);
}

static gboolean
fail (ZinitHandshake *self, GError **error, const char *what)
{
  self->state = ZINIT_HANDSHAKE_FAILED;
  g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_FAILED, "the handshake failed: %s", what);
  return FALSE;
}

static void
reject (ZinitHandshake *self)
{
  say (self, "REJECTED EXTERNAL");
  self->state = ZINIT_HANDSHAKE_AUTH;
}

/* The other side may say what its user id is, and then it must be right: @hex is the decimal number as
 * hexadecimal bytes. Without it the kernel's word is enough. */
static gboolean
is_identity (const ZinitHandshake *self, const char *hex)
{
  g_autofree char *digits = g_strdup_printf ("%lu", (unsigned long)self->uid);
  gsize length = strlen (digits);

  if (*hex == '\0')
    return TRUE;
  if (strlen (hex) != 2 * length)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (g_ascii_xdigit_value (hex[2 * i]) * 16 + g_ascii_xdigit_value (hex[2 * i + 1]) != digits[i])
      return FALSE;
  return TRUE;
}

static void
check_identity (ZinitHandshake *self, const char *hex)
{
  if (!is_identity (self, hex)) {
    reject (self);
    return;
  }
  g_string_append_printf (self->output, "OK %s\r\n", self->guid);
  self->state = ZINIT_HANDSHAKE_BEGIN;
}

/* @argument: what follows @command in the line, without blanks around it; "" = nothing. */
static gboolean
is_command (const char *line, const char *command, const char **ret_argument)
{
  gsize length = strlen (command);

  if (strncmp (line, command, length) != 0 || (line[length] != '\0' && line[length] != ' '))
    return FALSE;
  *ret_argument = line + length;
  while (**ret_argument == ' ')
    (*ret_argument)++;
  return TRUE;
}

static void
handle_auth (ZinitHandshake *self, const char *argument)
{
  const char *identity;

  if (!is_command (argument, "EXTERNAL", &identity)) {
    reject (self);
  } else if (*identity != '\0') {
    check_identity (self, identity);
  } else {
    say (self, "DATA");
    self->state = ZINIT_HANDSHAKE_DATA;
  }
}

static gboolean
handle_client_line (ZinitHandshake *self, const char *line, GError **error)
{
  const char *argument;

  if (is_command (line, "BEGIN", &argument)) {
    if (self->state != ZINIT_HANDSHAKE_BEGIN)
      return fail (self, error, "BEGIN comes before the authentication");
    self->state = ZINIT_HANDSHAKE_DONE;
  } else if (self->state == ZINIT_HANDSHAKE_AUTH && is_command (line, "AUTH", &argument)) {
    handle_auth (self, argument);
  } else if (self->state == ZINIT_HANDSHAKE_DATA && is_command (line, "DATA", &argument)) {
    check_identity (self, argument);
  } else if (is_command (line, "CANCEL", &argument) || is_command (line, "ERROR", &argument)) {
    reject (self);
  } else {
    /* NEGOTIATE_UNIX_FD too: no method takes or gives descriptors, and no client may fill our table. */
    say (self, "ERROR");
  }
  return TRUE;
}

static gboolean
handle_server_line (ZinitHandshake *self, const char *line, GError **error)
{
  const char *argument;

  if (is_command (line, "REJECTED", &argument))
    return fail (self, error, "the bus does not accept this user by the mechanism EXTERNAL");
  if (!is_command (line, "OK", &argument))
    return fail (self, error, "the bus does not answer as D-Bus requires");
  say (self, "BEGIN");
  self->state = ZINIT_HANDSHAKE_DONE;
  return TRUE;
}

static gboolean
handle_line (ZinitHandshake *self, GError **error)
{
  const char *line = self->line->str;
  gboolean is_fine;

  if (!g_str_has_suffix (line, "\r\n") || strlen (line) != self->line->len)
    return fail (self, error, "a line is not text that ends as D-Bus says");
  if (++self->n_lines > ZINIT_MAX_HANDSHAKE_LINES)
    return fail (self, error, "there are too many lines");
  g_string_truncate (self->line, self->line->len - 2);
  is_fine = self->state == ZINIT_HANDSHAKE_REPLY ? handle_server_line (self, line, error)
                                                 : handle_client_line (self, line, error);
  g_string_truncate (self->line, 0);
  return is_fine;
}

gsize
zinit_handshake_feed (ZinitHandshake *self, const char *bytes, gsize length, GError **error)
{
  for (gsize i = 0; i < length; i++) {
    if (self->state == ZINIT_HANDSHAKE_DONE || self->state == ZINIT_HANDSHAKE_FAILED)
      return i;
    if (!self->has_nul) {
      self->has_nul = bytes[i] == '\0';
      if (!self->has_nul)
        fail (self, error, "the first byte is not 0");
      continue;
    }
    g_string_append_c (self->line, bytes[i]);
    if (bytes[i] == '\n')
      handle_line (self, error);
    else if (self->line->len >= ZINIT_MAX_HANDSHAKE_LINE_BYTES)
      fail (self, error, "a line is too long");
  }
  return length;
}
