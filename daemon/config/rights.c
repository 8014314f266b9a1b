/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks the kernel for this process's own capabilities: a definition that wants others for a service is
 * refused when it is read (rule H6), not at each of its starts.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/rights.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/capability.h"

static gboolean
read_own (guint64 *ret_effective, guint64 *ret_permitted)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

  if (syscall (SYS_capget, &header, data) != 0)
    return FALSE;
  *ret_effective = data[0].effective | (guint64)data[1].effective << 32;
  *ret_permitted = data[0].permitted | (guint64)data[1].permitted << 32;
  return TRUE;
}

/* NULL when this process may set those of @definition. Transfer full. */
static char *
refuse_capabilities (const ZinitDefinition *definition)
{
  guint64 wanted, effective = 0, permitted = 0;

  if (definition->capabilities == NULL)
    return NULL;
  if (!read_own (&effective, &permitted) || (effective >> CAP_SETPCAP & 1) == 0)
    return g_strdup (
        "this zinitd may not set capabilities, which needs root's rights (CAP_SETPCAP); leave the key "
        "out, and it has those of zinitd");
  wanted = zinit_capability_set ((const char *const *)definition->capabilities);
  for (int i = 0; zinit_capability_to_string (i) != NULL; i++)
    if ((wanted >> i & 1) != 0 && ((permitted >> i & 1) == 0 || prctl (PR_CAPBSET_READ, i, 0, 0, 0) != 1))
      return g_strdup_printf ("zinitd itself does not have %s; only what it has is allowed",
                              zinit_capability_to_string (i));
  return NULL;
}

void
zinit_rights_validate (const ZinitDefinition *definition, ZinitReportFunc report, gpointer data)
{
  g_autofree char *why = refuse_capabilities (definition);
  g_autofree char *message = g_strconcat ("service.capabilities: ", why, NULL);

  if (why != NULL)
    report (zinit_schema_find ("service", "capabilities"), message, data);
}
