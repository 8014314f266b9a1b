/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of the daemon that writes down every message it gets, in the order of arrival: calls, properties,
 * and waits for signals that end by a deadline with the whole record on stderr, never by luck. Needs no main
 * loop.
 *
 * A service is meant by its name; NULL is the Manager. Arguments and expected values are GVariant text.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define NO_OPTIONS "@a{sv} {}"
/* How long anything may take at normal speed. */
#define CLIENT_PATIENCE_SECONDS 20.0

typedef struct {
  GDBusConnection *connection;
  guint filter;
  const char *destination; /* NULL on the private socket */
  GPtrArray *messages;     /* GDBusMessage *, under the lock */
  guint mark;              /* chains and waits for transitions look from here on */
  GMutex lock;
  GCond arrived;
} TestClient;

/* Both fail the test when there is no connection. Transfer full. */
TestClient *client_new_for_bus (const char *address);
TestClient *client_new_for_socket (const char *path);
/* For a daemon that may be gone: NULL with an error then. Transfer full. */
TestClient *client_try_for_socket (const char *path, GError **error);
void client_free (TestClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestClient, client_free)

/* Escaped as the contract says, worked out anew here. Transfer full. */
char *client_service_path (const char *service);

/* Calls. */
/* The reply's tuple, or NULL and the error as it came (remote name in the message). Floating @arguments. */
GVariant *client_call_on (TestClient *client, const char *path, const char *interface, const char *method,
                          GVariant *arguments, GError **error);
/* A method of the Manager that must succeed; @format makes the text of the argument tuple. Transfer full. */
GVariant *client_ok (TestClient *client, const char *method, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* One that must fail with org.zinit.Error.@error_name (or a whole name with dots). Returns the message.
 * Transfer full. */
char *client_fails (TestClient *client, const char *error_name, const char *method, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* Sends without waiting for the reply; returns the serial. */
guint32 client_send (TestClient *client, const char *method, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The reply of a call that was sent. Transfer full. */
GDBusMessage *client_wait_reply (TestClient *client, guint32 serial);
gboolean client_has_reply (TestClient *client, guint32 serial);

/* Properties. */
/* Unpacked; fails the test when it cannot be read. Transfer full. */
GVariant *client_get (TestClient *client, const char *service, const char *property);
guint32 client_get_pid (TestClient *client, const char *service);
/* In text form as g_variant_print() without types. Transfer full. */
char *client_get_text (TestClient *client, const char *service, const char *property);
/* FailureReason as "exit_code code=3", "" for none. Transfer full. */
char *client_failure (TestClient *client, const char *service);
/* Until the property has the value, looking again at each signal about its object. */
void client_wait_property (TestClient *client, const char *service, const char *property, const char *text);
void client_wait_state (TestClient *client, const char *service, const char *state);

#define assert_property(client, service, property, text)                                                     \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *actual_ = client_get_text (client, service, property);                                  \
    g_assert_cmpstr (actual_, ==, text);                                                                     \
  }                                                                                                          \
  G_STMT_END

/* Until the service has written @lines in all: what is in a pipe is read when the daemon comes to it. */
void client_wait_log_lines (TestClient *client, const char *service, guint lines);

#define assert_failure(client, service, text)                                                                \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *failure_ = client_failure (client, service);                                            \
    g_assert_cmpstr (failure_, ==, text);                                                                    \
  }                                                                                                          \
  G_STMT_END

/* The record. */
/* From now on. */
void client_set_mark (TestClient *client);
/* Waits for ServiceStateChanged of @service from @from to @to since the mark (NULL = any). Returns its body.
 * Transfer full. */
GVariant *client_wait_transition (TestClient *client, const char *service, const char *from, const char *to);
/* The states since the mark, "inactive blocked starting running": each transition must begin where the one
 * before ended. Empty when there was none. Transfer full. */
char *client_chain (TestClient *client, const char *service);
/* All services' transitions since the mark, "a:starting b:starting a:running". Transfer full. */
char *client_order (TestClient *client);
/* Place of the first transition of @service to @state since the mark, among all messages; fails the test when
 * there is none. */
guint client_position (TestClient *client, const char *service, const char *state);
/* Signals @member since the mark, from the object of @service (or any path when that is NULL). */
guint client_count_signals (TestClient *client, const char *path, const char *member);
/* Copy of the record since the mark. Transfer full. */
GPtrArray *client_record (TestClient *client);
/* Waits until @check says so of the messages since the mark; @what is for the failure's text. */
typedef gboolean (*ClientCheck) (GPtrArray *messages, gpointer data);
void client_wait_for (TestClient *client, ClientCheck check, gpointer data, const char *what);
/* The sequence of all recorded transitions rises by exactly one. */
void client_check_sequence (TestClient *client);

#define assert_chain(client, service, text)                                                                  \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *chain_ = client_chain (client, service);                                                \
    g_assert_cmpstr (chain_, ==, text);                                                                      \
  }                                                                                                          \
  G_STMT_END

/* Ends the test with the record of transitions on stderr. */
void client_fail (TestClient *client, const char *format, ...) G_GNUC_PRINTF (2, 3) G_GNUC_NORETURN;

G_END_DECLS
