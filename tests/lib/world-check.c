/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of world-check.h, one function each.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "world-check.h"

#include <string.h>

#define BROKEN(service, ...) broken (service, G_STRLOC, __VA_ARGS__)

static void broken (const ZinitService *service, const char *place, const char *format, ...)
    G_GNUC_PRINTF (3, 4) G_GNUC_NORETURN;

static void
broken (const ZinitService *service, const char *place, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list list;

  va_start (list, format);
  text = g_strdup_vprintf (format, list);
  va_end (list);
  g_error ("%s: service %s, %s: %s", place, zinit_service_get_name (service),
           zinit_state_to_string (zinit_service_get_status (service)->state), text);
}

static gboolean
is_active (const ZinitService *service)
{
  return zinit_state_is_active (zinit_service_get_status (service)->state);
}

static ZinitServiceRecord
get_record (const ZinitService *service)
{
  ZinitServiceRecord record;

  zinit_service_get_record (service, &record);
  return record;
}

static gboolean
names (char **list, const char *name)
{
  return list != NULL && g_strv_contains ((const char *const *)list, name);
}

/* Rules of a transition. */

static void
check_one_writer (World *world, const ZinitTransition *transition)
{
  const char *name = zinit_service_get_name (transition->service);
  ZinitState last = (ZinitState)GPOINTER_TO_UINT (g_hash_table_lookup (world->told, name));

  if (transition->old_state != last ||
      transition->new_state != zinit_service_get_status (transition->service)->state)
    BROKEN (transition->service, "one writer: told %s to %s, before that %s",
            zinit_state_to_string (transition->old_state), zinit_state_to_string (transition->new_state),
            zinit_state_to_string (last));
  if (transition->sequence != world->sequence + 1)
    BROKEN (transition->service, "one writer: sequence %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT,
            transition->sequence, world->sequence);
  world->sequence = transition->sequence;
  g_hash_table_insert (world->told, g_strdup (name), GUINT_TO_POINTER (transition->new_state));
}

static gboolean
goes_down (const ZinitService *service)
{
  return get_record (service).stop_pending ||
         zinit_service_get_status (service)->state == ZINIT_STATE_STOPPING;
}

static gboolean
comes_after (const ZinitService *service, const ZinitService *other)
{
  return names (zinit_service_get_definition (service)->after, zinit_service_get_name (other)) ||
         names (zinit_service_get_definition (other)->before, zinit_service_get_name (service));
}

static gboolean
is_starting (const ZinitService *service)
{
  ZinitState state = zinit_service_get_status (service)->state;

  return state == ZINIT_STATE_STARTING ||
         (state == ZINIT_STATE_RUNNING && zinit_service_get_definition (service)->oneshot);
}

/* What binds to @service, and all that needs one of these, is not on its way down still. */
static void
check_all_above_is_down (ZinitService *service, const GPtrArray *services)
{
  g_autoptr (GPtrArray) above = g_ptr_array_new ();

  g_ptr_array_add (above, service);
  for (guint i = 0; i < above->len; i++) {
    const char *name = zinit_service_get_name (above->pdata[i]);

    if (i > 0 && goes_down (above->pdata[i]))
      BROKEN (service, "starts before %s is down, which went down with it", name);
    for (guint j = 0; j < services->len; j++) {
      const ZinitDefinition *definition = zinit_service_get_definition (services->pdata[j]);
      gboolean is_above =
          i == 0 ? names (definition->binds_to, name) : zinit_definition_needs (definition, name);

      if (is_above && !g_ptr_array_find (above, services->pdata[j], NULL))
        g_ptr_array_add (above, services->pdata[j]);
    }
  }
}

static void
check_may_start (World *world, ZinitService *service)
{
  const ZinitDefinition *definition = zinit_service_get_definition (service);
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);
  ZinitNeedIter iter = { 0 };
  const char *need;

  if (zinit_service_get_status (service)->wanted == ZINIT_WANTED_STOP)
    BROKEN (service, "starts though it was stopped");
  if (world->is_shutting_down)
    BROKEN (service, "starts during the shutdown");
  while ((need = zinit_definition_next_need (definition, &iter)) != NULL) {
    ZinitService *needed = zinit_supervisor_find (world->supervisor, need, NULL);

    if (needed == NULL || !zinit_service_is_satisfied (needed) || get_record (needed).stop_pending)
      BROKEN (service, "starts without %s, which it needs", need);
  }
  check_all_above_is_down (service, services);
  for (guint i = 0; i < services->len; i++) {
    ZinitService *other = services->pdata[i];

    if (other != service && is_active (other) &&
        (names (definition->conflicts, zinit_service_get_name (other)) ||
         names (zinit_service_get_definition (other)->conflicts, definition->name)))
      BROKEN (service, "starts beside %s, with which it conflicts", zinit_service_get_name (other));
    if (other != service && comes_after (service, other) && is_starting (other))
      BROKEN (service, "does not wait for the start of %s", zinit_service_get_name (other));
  }
}

static gboolean
needs (World *world, const ZinitService *dependent, const ZinitService *service)
{
  return zinit_definition_needs (zinit_service_get_definition (dependent),
                                 zinit_service_get_name (service)) ||
         (world->is_shutting_down && comes_after (dependent, service));
}

/* Definitions that wait for the next start let those in force go in a circle; then there is no order. */
static gboolean
has_tie (World *world)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);
  g_autoptr (GPtrArray) definitions = g_ptr_array_new ();
  g_autoptr (GHashTable) cycles = NULL;

  for (guint i = 0; i < services->len; i++)
    if (is_active (services->pdata[i]))
      g_ptr_array_add (definitions, (gpointer)zinit_service_get_definition (services->pdata[i]));
  cycles = zinit_graph_find_impossible (definitions, definitions->len);
  return g_hash_table_size (cycles) > 0;
}

static void
check_stops_in_order (World *world, ZinitService *service)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);

  if (get_record (service).stop_cause != ZINIT_STOP_CAUSE_REQUESTED &&
      get_record (service).stop_cause != ZINIT_STOP_CAUSE_DEPENDENCY)
    return;
  for (guint i = 0; i < services->len; i++)
    if (services->pdata[i] != service && is_active (services->pdata[i]) &&
        needs (world, services->pdata[i], service) && !has_tie (world))
      BROKEN (service, "is stopped before %s, which needs it", zinit_service_get_name (services->pdata[i]));
}

static void
on_transition (const ZinitTransition *transition, gpointer data)
{
  check_one_writer (data, transition);
  if (transition->new_state == ZINIT_STATE_STARTING)
    check_may_start (data, transition->service);
  else if (transition->new_state == ZINIT_STATE_STOPPING)
    check_stops_in_order (data, transition->service);
}

static void
on_removed (ZinitService *service, gpointer data)
{
  World *world = data;

  if (is_active (service))
    BROKEN (service, "is removed while it is up");
  g_hash_table_remove (world->told, zinit_service_get_name (service));
}

const ZinitObserver world_check_observer = { .transition = on_transition, .service_removed = on_removed };

/* Rules that hold between steps. */

static void
check_processes (World *world, const ZinitService *service)
{
  guint n_living = fake_host_count_living (&world->host, zinit_service_get_name (service));

  if (n_living > 1)
    BROKEN (service, "has %u processes", n_living);
  if ((n_living == 1) != (is_active (service) || zinit_service_get_undying_pid (service) != 0))
    BROKEN (service, n_living == 1 ? "is down and has a process" : "is up without a process");
  if ((zinit_service_get_status (service)->pid != 0) != is_active (service))
    BROKEN (service, "its pid is %d", (int)zinit_service_get_status (service)->pid);
}

static void
check_reasons (World *world, ZinitService *service)
{
  ZinitState state = zinit_service_get_status (service)->state;
  g_autoptr (GPtrArray) blockers = zinit_supervisor_why_blocked (world->supervisor, service);

  if ((ZinitState)GPOINTER_TO_UINT (g_hash_table_lookup (world->told, zinit_service_get_name (service))) !=
      state)
    BROKEN (service, "one writer: its state was told by nobody");
  if ((state == ZINIT_STATE_FAILED) !=
      (zinit_service_get_status (service)->failure.type != ZINIT_FAILURE_NONE))
    BROKEN (service, "the reason of its failure: %s",
            zinit_failure_type_to_string (zinit_service_get_status (service)->failure.type));
  if ((state == ZINIT_STATE_BLOCKED) != (zinit_service_get_status (service)->waiting_on != NULL))
    BROKEN (service, "what it waits for");
  if (state == ZINIT_STATE_BLOCKED && blockers->len == 0)
    BROKEN (service, "is blocked, and nothing holds it");
}

/* The pair of a service and one to which it binds, while both are up: unless one of them was defined anew. */
static char *
describe_bond (const ZinitService *service, const ZinitService *bound_to)
{
  return g_strdup_printf ("%s %" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT, zinit_service_get_name (service),
                          zinit_definition_hash (zinit_service_get_definition (service)),
                          zinit_service_get_name (bound_to),
                          zinit_definition_hash (zinit_service_get_definition (bound_to)));
}

/* What was up together with one to which it binds does not stay up without it. */
static void
check_bonds (World *world, const ZinitService *service, GHashTable *bonds)
{
  char **name = zinit_service_get_definition (service)->binds_to;

  for (; name != NULL && *name != NULL && is_active (service); name++) {
    ZinitService *bound_to = zinit_supervisor_find (world->supervisor, *name, NULL);
    g_autofree char *bond = bound_to != NULL ? describe_bond (service, bound_to) : NULL;

    if (bond == NULL)
      continue;
    if (!is_active (bound_to) && !zinit_service_is_satisfied (bound_to) &&
        g_hash_table_contains (world->bonds, bond) && !goes_down (service))
      BROKEN (service, "stays up without %s, to which it binds", *name);
    /* To one that went down already it was bound too late. */
    if (is_active (bound_to) && (!goes_down (bound_to) || g_hash_table_contains (world->bonds, bond)))
      g_hash_table_add (bonds, g_steal_pointer (&bond));
  }
}

/* A state that ends by itself has a deadline that is not over and not too far. */
static void
check_deadlines (World *world, const ZinitService *service)
{
  const ZinitDefinition *definition = zinit_service_get_definition (service);
  ZinitServiceRecord record = get_record (service);
  gint64 now_usec = world->host.now_usec, left_usec = record.deadline_usec - now_usec;
  gint64 next_usec = zinit_service_get_status (service)->next_restart_usec;

  if (record.deadline_usec != 0 && left_usec < 0)
    BROKEN (service, "its deadline is %" G_GINT64_FORMAT " ms ago", -left_usec / 1000);
  switch (record.state) {
  case ZINIT_STATE_STOPPING:
    if (record.deadline_usec == 0 || left_usec > (gint64)definition->stop_timeout_ms * 1000)
      BROKEN (service, "its stop ends in %" G_GINT64_FORMAT " ms", left_usec / 1000);
    if (!record.sigkill_sent &&
        now_usec - record.state_changed_at_usec > (gint64)definition->stop_timeout_ms * 1000)
      BROKEN (service, "has stopped for too long and is not killed");
    break;
  case ZINIT_STATE_RUNNING:
    if (left_usec > (gint64)MAX (definition->stability_period_ms,
                                 definition->oneshot && definition->start_timeout_is_given
                                     ? definition->start_timeout_ms
                                     : 0) *
                        1000)
      BROKEN (service, "its period ends in %" G_GINT64_FORMAT " ms", left_usec / 1000);
    break;
  case ZINIT_STATE_EXITED:
  case ZINIT_STATE_FAILED:
    if ((next_usec != 0) != (record.deadline_usec != 0) ||
        (next_usec != 0 && next_usec != record.deadline_usec))
      BROKEN (service, "its next restart is at %" G_GINT64_FORMAT ", its timer at %" G_GINT64_FORMAT,
              next_usec, record.deadline_usec);
    if (next_usec != 0 && record.wanted == ZINIT_WANTED_STOP)
      BROKEN (service, "was stopped and will be restarted");
    break;
  default:
    if (record.deadline_usec != 0 || next_usec != 0)
      BROKEN (service, "has a timer");
  }
}

static char *
describe_record (const ZinitServiceRecord *record)
{
  return g_strdup_printf (
      "%s wanted=%s failure=%s,%d,%s exit=%s,%d count=%u delay=%" G_GUINT64_FORMAT
      " started=%" G_GINT64_FORMAT " changed=%" G_GINT64_FORMAT " deadline=%" G_GINT64_FORMAT
      " ticks=%" G_GUINT64_FORMAT " next=%d cause=%d%s%s%s%s"
      " for=%s waiting=%s",
      zinit_state_to_string (record->state), zinit_wanted_words[record->wanted],
      zinit_failure_type_to_string (record->failure.type), record->failure.number,
      record->failure.text != NULL ? record->failure.text : "-",
      zinit_exit_kind_to_string (record->last_exit.kind),
      record->last_exit.kind == ZINIT_EXIT_UNKNOWN ? -1 : record->last_exit.value, record->restart_count,
      record->restart_delay_ms, record->started_at_usec, record->state_changed_at_usec, record->deadline_usec,
      record->start_ticks, (int)record->next, (int)record->stop_cause,
      record->main_ended ? " main_ended" : "", record->comes_back ? " comes_back" : "",
      record->stop_pending ? " stop_pending" : "", record->sigkill_sent ? " sigkill_sent" : "",
      record->started_for != NULL ? record->started_for : "-",
      record->failures != NULL ? record->failures : "-");
}

/* The text says of each service what is, though only what was told to have changed is printed again. */
static void
check_saved (World *world)
{
  g_autofree char *text = world_save (world);
  g_autoptr (ZinitSavedState) state = world_parse (text);
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);

  for (guint i = 0; i < services->len; i++) {
    const ZinitService *service = services->pdata[i];
    const ZinitSavedService *saved = g_tree_lookup (state->services, zinit_service_get_name (service));
    ZinitServiceRecord record = get_record (service), read;
    g_autofree char *is = NULL, *says = NULL;

    if (saved == NULL)
      BROKEN (service, "is not saved");
    zinit_snapshot_read (saved, &read);
    read.start_ticks = saved->extra->pid_start_ticks;
    /* What a shutdown has not let start is started by the next daemon. */
    if (world->is_shutting_down)
      read.next = record.next;
    /* SIGKILL is sent again and again, and once more is no harm: that deadline is not kept. */
    if (record.sigkill_sent)
      read.deadline_usec = record.deadline_usec;
    is = describe_record (&record);
    says = describe_record (&read);
    if (!g_str_equal (is, says))
      BROKEN (service, "saved and read again it is another:\n  is    %s\n  saved %s", is, says);
  }
  if ((guint)g_tree_nnodes (state->services) != services->len)
    g_error ("%d services are saved, and %u are there", g_tree_nnodes (state->services), services->len);
}

void
world_check (World *world)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);
  GHashTable *bonds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n_failed = 0;

  for (guint i = 0; i < services->len; i++) {
    check_processes (world, services->pdata[i]);
    check_reasons (world, services->pdata[i]);
    check_deadlines (world, services->pdata[i]);
    check_bonds (world, services->pdata[i], bonds);
    n_failed += zinit_service_get_status (services->pdata[i])->state == ZINIT_STATE_FAILED;
  }
  g_hash_table_unref (world->bonds);
  world->bonds = bonds;
  g_assert_cmpuint (zinit_supervisor_count_failed (world->supervisor), ==, n_failed);
  check_saved (world);
}

char *
world_describe (World *world)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < services->len; i++) {
    const ZinitService *service = services->pdata[i];
    ZinitServiceRecord record = get_record (service);
    g_autofree char *description = NULL;

    /* SIGKILL is sent again and again, and once more is no harm: that deadline is not kept. */
    if (record.sigkill_sent)
      record.deadline_usec = 0;
    description = describe_record (&record);
    g_string_append_printf (
        text, "%s %s pid=%d next=%" G_GINT64_FORMAT " file=%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
        zinit_service_get_name (service), description, (int)zinit_service_get_status (service)->pid,
        zinit_service_get_status (service)->next_restart_usec, zinit_service_get_path (service),
        zinit_definition_hash (zinit_service_get_definition (service)),
        /* There is no next start of one that is being removed. */
        record.next == ZINIT_NEXT_REMOVE
            ? 0
            : zinit_definition_hash (zinit_service_get_next_definition (service)));
  }
  return g_string_free (text, FALSE);
}

char *
world_describe_requests (World *world)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < services->len; i++) {
    const ZinitService *service = services->pdata[i];

    /* What is being removed may be gone by then, and an end brings the wanted status of a new definition. */
    if (get_record (service).next != ZINIT_NEXT_REMOVE && !zinit_service_get_status (service)->needs_restart)
      g_string_append_printf (text, "%s wanted=%s\n", zinit_service_get_name (service),
                              zinit_wanted_words[zinit_service_get_status (service)->wanted]);
  }
  return g_string_free (text, FALSE);
}

void
world_check_same (const char *before, const char *after, const char *what)
{
  if (!g_str_equal (before, after))
    g_error ("%s. Before:\n%sAfter:\n%s", what, before, after);
}

void
world_check_kept (const char *before, const char *after, const char *what)
{
  g_auto (GStrv) lines = g_strsplit (before, "\n", -1);
  g_auto (GStrv) kept = g_strsplit (after, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    if (!g_strv_contains ((const char *const *)kept, *line))
      g_error ("%s: %s. Before:\n%sAfter:\n%s", what, *line, before, after);
}

void
world_check_restored (World *world)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);

  /* What had lost its file is on its way already. */
  world->sequence = zinit_supervisor_get_sequence (world->supervisor);
  g_hash_table_remove_all (world->told);
  for (guint i = 0; i < services->len; i++)
    g_hash_table_insert (world->told, g_strdup (zinit_service_get_name (services->pdata[i])),
                         GUINT_TO_POINTER (zinit_service_get_status (services->pdata[i])->state));
}

/* The service of a file NAME.toml is not known, or has none: the next daemon finds the file all the same. */
static gboolean
has_foreign_file (World *world)
{
  g_autoptr (GDir) folder = g_dir_open (world->paths.config_dir, 0, NULL);
  const char *file;

  while ((file = g_dir_read_name (folder)) != NULL) {
    g_autofree char *name = g_strndup (file, strcspn (file, "."));
    ZinitService *service = zinit_supervisor_find (world->supervisor, name, NULL);

    if (g_str_has_suffix (file, ".toml") &&
        (service == NULL || zinit_service_get_status (service)->is_ephemeral))
      return TRUE;
  }
  return FALSE;
}

gboolean
world_is_all_saved (World *world)
{
  g_autoptr (GPtrArray) services = zinit_supervisor_list (world->supervisor);

  if (world_saves_pending ())
    return TRUE;
  for (guint i = 0; i < services->len; i++)
    if (zinit_service_get_status (services->pdata[i])->is_ephemeral &&
        zinit_service_get_status (services->pdata[i])->needs_restart)
      return FALSE;
  return !has_foreign_file (world);
}
