/* SPDX-License-Identifier: Apache-2.0
 *
 * What a frontend shows of all services: chosen by name, state and class, and made of shared values, as this
 * is called often and with thousands of services.
 */
#define G_LOG_DOMAIN "zinit-bus"

#include "bus/list-methods.h"

#include "bus/properties.h"
#include "bus/values.h"
#include "model/error.h"
#include "object-path.h"

static char *
join_words (const char *(*to_string) (guint value), guint n_words)
{
  GString *text = g_string_new (NULL);

  for (guint value = 0; value < n_words; value++)
    g_string_append_printf (text, "%s%s", value > 0 ? ", " : "", to_string (value));
  return g_string_free (text, FALSE);
}

/* The bits of those of @words that are in @list, or all of them without a list. */
static gboolean
read_words (char **list, const char *(*to_string) (guint value), guint n_words, const char *option,
            guint *ret_bits, GError **error)
{
  *ret_bits = list != NULL ? 0 : G_MAXUINT;
  for (char **item = list; item != NULL && *item != NULL; item++) {
    guint value = 0;

    while (value < n_words && strcmp (to_string (value), *item) != 0)
      value++;
    if (value == n_words) {
      g_autofree char *all = join_words (to_string, n_words);

      g_set_error (error, ZINIT_ERROR, ZINIT_ERROR_INVALID_ARGS, "option “%s” has “%.32s”; allowed are %s",
                   option, *item, all);
      return FALSE;
    }
    *ret_bits |= 1u << value;
  }
  return TRUE;
}

static const char *
state_word (guint value)
{
  return zinit_state_to_string ((ZinitState)value);
}

static const char *
sub_state_word (guint value)
{
  return zinit_sub_state_to_string ((ZinitSubState)value);
}

static int
compare_by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (zinit_service_get_name (*(ZinitService *const *)a),
                 zinit_service_get_name (*(ZinitService *const *)b));
}

/* Those of the option `names` that are there, or all; each once, sorted by name. Transfer container. */
static GPtrArray *
find_named (const ZinitCall *call)
{
  ZinitSupervisor *supervisor = call->connection->bus->supervisor;
  g_autoptr (GHashTable) seen = NULL;
  GPtrArray *services;

  if (call->options.names == NULL)
    return zinit_supervisor_list (supervisor);
  seen = g_hash_table_new (NULL, NULL);
  services = g_ptr_array_new ();
  for (char **name = call->options.names; *name != NULL; name++) {
    ZinitService *service = zinit_supervisor_find (supervisor, *name, NULL);

    if (service != NULL && g_hash_table_add (seen, service))
      g_ptr_array_add (services, service);
  }
  g_ptr_array_sort (services, compare_by_name);
  return services;
}

static GVariant *
new_row (const ZinitService *service, const ZinitServiceStatus *status)
{
  const char *name = zinit_service_get_name (service);
  g_autofree char *path = zinit_object_path_for_service (name);
  GVariant *values[] = {
    g_variant_new_string (name),
    g_variant_new_object_path (path),
    zinit_value_word (zinit_state_to_string (status->state)),
    zinit_value_word (zinit_sub_state_to_string (status->sub_state)),
    zinit_value_word (zinit_service_health_word (service)),
    zinit_value_small_number ((guint32)status->pid),
    zinit_value_number ((guint64)status->state_changed_at_usec),
    zinit_value_number ((guint64)status->started_at_usec),
    zinit_value_number ((guint64)status->next_restart_usec),
    zinit_value_small_number (status->restart_count),
    *status->text != '\0' ? g_variant_new_string (status->text) : zinit_value_word (""),
  };

  return g_variant_new_tuple (values, G_N_ELEMENTS (values));
}

/* (a…) of @n_rows of the type @row_type. Takes over floating @rows. */
static GVariant *
new_reply (const char *row_type, GVariant **rows, gsize n_rows)
{
  GVariant *array = g_variant_new_array (G_VARIANT_TYPE (row_type), rows, n_rows);

  return g_variant_new_tuple (&array, 1);
}

gboolean
zinit_bus_handle_list (ZinitCall *call, ZinitService *unused, GVariant **ret_reply, GError **error)
{
  const ZinitCallOptions *options = &call->options;
  g_autoptr (GPtrArray) services = NULL;
  g_autofree GVariant **rows = NULL;
  guint states, sub_states, n_rows = 0;

  if (!read_words (options->states, state_word, ZINIT_N_STATES, "states", &states, error) ||
      !read_words (options->sub_states, sub_state_word, ZINIT_N_SUB_STATES, "sub_states", &sub_states, error))
    return FALSE;
  services = find_named (call);
  rows = g_new (GVariant *, services->len);
  for (guint i = 0; i < services->len; i++) {
    const ZinitService *service = services->pdata[i];
    const ZinitServiceStatus *status = zinit_service_get_status (service);

    if ((states & (1u << status->state)) == 0 || (sub_states & (1u << status->sub_state)) == 0)
      continue;
    if ((options->given & ZINIT_CALL_CLASS) != 0 &&
        (int)zinit_service_get_definition (service)->service_class != options->service_class)
      continue;
    rows[n_rows++] = new_row (service, status);
  }
  *ret_reply = new_reply ("(sosssutttus)", rows, n_rows);
  return TRUE;
}

gboolean
zinit_bus_handle_list_stats (ZinitCall *call, ZinitService *unused, GVariant **ret_reply, GError **error)
{
  g_autoptr (GPtrArray) services = find_named (call);
  g_autofree ZinitProcessStats *stats = g_new0 (ZinitProcessStats, services->len);
  g_autofree GVariant **rows = g_new (GVariant *, services->len);

  zinit_services_read_stats ((const ZinitService *const *)services->pdata, services->len, stats);
  for (guint i = 0; i < services->len; i++) {
    const ZinitService *service = services->pdata[i];
    guint n_processes = stats[i].processes != NULL ? stats[i].processes->len : 0;

    rows[i] =
        g_variant_new ("(sttuu)", zinit_service_get_name (service), stats[i].cpu_usec, stats[i].memory_bytes,
                       n_processes, zinit_service_get_status (service)->restart_count);
    zinit_process_stats_clear (&stats[i]);
  }
  *ret_reply = new_reply ("(sttuu)", rows, services->len);
  return TRUE;
}
