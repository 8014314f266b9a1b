/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks from service to service: what a request moves is a small part of all that there is.
 */
#define G_LOG_DOMAIN "zinit-client"

#include "client/concern.h"

static void
visit (ZinitClient *client, const ZinitWaitRequest *request, GHashTable *concerned, const char *name)
{
  if (!g_hash_table_add (concerned, g_strdup (name)))
    return;
  g_autoptr (ZinitServiceInfo) info = zinit_model_fetch_one (client, name, NULL);
  if (info == NULL)
    return;
  const char **lists[] = { request->request == ZINIT_REQUEST_START ? NULL : info->required_by,
                           request->tree ? info->requires : NULL, request->tree ? info->wants : NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    for (gsize j = 0; lists[i] != NULL && lists[i][j] != NULL; j++)
      visit (client, request, concerned, lists[i][j]);
}

GHashTable *
zinit_concern_find (ZinitClient *client, const ZinitWaitRequest *request)
{
  GHashTable *concerned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; request->names[i] != NULL; i++)
    visit (client, request, concerned, request->names[i]);
  return concerned;
}
