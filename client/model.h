/* SPDX-License-Identifier: Apache-2.0
 *
 * What the daemon said about its services at one moment. A snapshot: nothing here changes by itself.
 */
#pragma once

#include "client/command.h"

G_BEGIN_DECLS

/* Members are named after the properties of org.zinit.Service; what the daemon did not send is empty, 0 or
 * NULL. Times are µs since 1970, 0 = never. Strings are borrowed from @properties. */
typedef struct {
  GVariant *properties; /* a{sv} */
  const char *name;
  const char *description;
  const char *exec;
  const char *service_class;
  const char *wanted_status;
  const char *state;
  const char *sub_state;
  const char *health;
  const char *status_text;
  gboolean oneshot;
  gboolean ephemeral;
  gboolean needs_restart;
  guint32 pid;
  guint32 restart_count;
  guint64 next_restart_usec;
  guint64 started_at_usec;
  guint64 state_changed_at_usec;
  GVariant *failure_reason; /* a{sv} */
  GVariant *last_exit;      /* (si) */
  const char **waiting_on;  /* names; the list is owned, the names are not. So are the next ones. */
  const char **requires;
  const char **after;
  const char **wants;
  const char **conflicts;
  const char **required_by;
} ZinitServiceInfo;

void zinit_service_info_free (ZinitServiceInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitServiceInfo, zinit_service_info_free)
/* From a{sv}. Missing properties and such of another type are passed over. Transfer full. */
ZinitServiceInfo *zinit_service_info_new (GVariant *properties);

/* All services, sorted by name, in one call. Transfer full. */
GPtrArray *zinit_model_fetch (ZinitClient *client, GError **error);
/* One service; NoSuchService as the daemon says it. Transfer full. */
ZinitServiceInfo *zinit_model_fetch_one (ZinitClient *client, const char *name, GError **error);
/* Services of the names and patterns @words, or all when it is empty, in order; of names the daemon does not
 * know an error is printed and its code kept in @exit_code. NULL when there is no daemon, or no pattern
 * matched. Transfer full.
 */
GPtrArray *zinit_model_fetch_named (ZinitClient *client, char **words, ZinitExitCode *exit_code);
/* By name in an array from zinit_model_fetch(); NULL when there is none. Borrowed. */
ZinitServiceInfo *zinit_model_find (GPtrArray *services, const char *name);
/* Properties of one object, a{sv}. Transfer full. */
GVariant *zinit_model_fetch_properties (ZinitClient *client, const char *path, const char *interface,
                                        GError **error);

G_END_DECLS
