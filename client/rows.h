/* SPDX-License-Identifier: Apache-2.0
 *
 * What a list of services shows, in one cheap call: Manager.List.
 */
#pragma once

#include "client/command.h"

G_BEGIN_DECLS

/* As the properties of org.zinit.Service of that name. Times are µs since 1970, 0 = none. */
typedef struct {
  const char *name;
  const char *state;
  const char *sub_state;
  const char *health;
  const char *status_text;
  guint32 pid;
  guint32 restart_count;
  guint64 state_changed_at_usec;
  guint64 started_at_usec;
  guint64 next_restart_usec;
} ZinitRow;

typedef struct {
  GArray *rows;  /* ZinitRow, sorted by name */
  GBytes *bytes; /* what the strings belong to: this, or @value */
  GVariant *value;
} ZinitRows;

/* Of the services @names, of which those that do not exist are left out; NULL or none = all. Transfer full.
 */
ZinitRows *zinit_rows_fetch (ZinitClient *client, char **names, GError **error);
void zinit_rows_free (ZinitRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitRows, zinit_rows_free)
/* NULL when there is none of that name. Borrowed. */
const ZinitRow *zinit_rows_find (const ZinitRows *rows, const char *name);

G_END_DECLS
