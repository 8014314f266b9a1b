/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a child runs as. The databases of users and groups are asked before the child is made, because nothing
 * of it may happen between clone and exec. Changing identity is the child's matter.
 */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

/* All zero: stays the daemon's. */
typedef struct {
  gboolean sets_uid; /* another user than the daemon's: also the supplementary groups are set */
  gboolean sets_gid;
  gboolean sets_groups;
  uid_t uid;
  gid_t gid;
  gid_t *groups;
  int n_groups;
  char *environment[5]; /* HOME, USER, LOGNAME and SHELL of another user, as far as known; NULL-terminated */
} ZinitCredentials;

/* Looks up @user and @group, each a name or a number or NULL. @ret_identity is cleared by the caller, also
 * after a failure, which is ZINIT_ERROR_SPAWN_FAILED with the step "user" or "group". */
gboolean zinit_credentials_resolve (const char *user, const char *group, ZinitCredentials *ret_identity,
                                    GError **error);
/* Adds @groups, each a name or a number, to the supplementary groups of @identity, which are the daemon's own
 * where it sets none. On FALSE ZINIT_ERROR_SPAWN_FAILED with the step "groups". */
gboolean zinit_credentials_add_groups (ZinitCredentials *identity, const char *const *groups, GError **error);
void zinit_credentials_clear (ZinitCredentials *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitCredentials, zinit_credentials_clear)

G_END_DECLS
