/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for an order of calls that explains what was seen; see history.h.
 */
#define G_LOG_DOMAIN "zinit-test"

#include "history.h"

#define MAX_CALLS 64

typedef struct {
  GPtrArray *calls; /* of one service, HistoryCall, borrowed */
  HistoryState after;
  GHashTable *seen; /* positions that lead nowhere: gint64, the calls that are done, for each state */
} Search;

void
history_call_free (HistoryCall *call)
{
  g_free (call->service);
  g_free (call->result);
  g_free (call);
}

const char *
history_kind_to_string (HistoryKind kind)
{
  static const char *const words[HISTORY_N_KINDS] = { "start",   "stop",   "restart",  "add",
                                                      "replace", "remove", "stop all", "reload" };

  return words[kind];
}

const char *
history_state_to_string (HistoryState state)
{
  static const char *const words[HISTORY_N_STATES] = { "absent", "leaving", "wanted", "stopped" };

  return words[state];
}

/* What a call does to a service that is in @state: the state afterwards, or -1 when the call cannot have had
 * this result there. A call without a reply may have any. */
static int
apply (const HistoryCall *call, HistoryState state)
{
  gboolean is_there = state == HISTORY_WANTED || state == HISTORY_STOPPED;
  const char *result = call->result;

  if (call->kind == HISTORY_RELOAD)
    return (int)state;
  if (call->kind == HISTORY_STOP_ALL)
    return is_there ? HISTORY_STOPPED : (int)state;
  if (result == NULL)
    result = "ok";
  if (g_str_equal (result, "NoSuchService"))
    return state == HISTORY_ABSENT ? HISTORY_ABSENT : -1;
  switch (call->kind) {
  case HISTORY_ADD:
    if (g_str_equal (result, "ServiceExists"))
      return state != HISTORY_ABSENT ? (int)state : -1;
    return state == HISTORY_ABSENT && g_str_equal (result, "ok") ? HISTORY_WANTED : -1;
  case HISTORY_REPLACE:
    /* The wanted status of a service that is there is kept. */
    if (g_str_equal (result, "ServiceExists"))
      return state == HISTORY_LEAVING ? (int)state : -1;
    if (state == HISTORY_LEAVING || !g_str_equal (result, "ok"))
      return -1;
    return state == HISTORY_ABSENT ? HISTORY_WANTED : (int)state;
  case HISTORY_REMOVE:
    /* The second removal of the same service may fail in many ways, and changes nothing. */
    if (state == HISTORY_LEAVING)
      return HISTORY_LEAVING;
    return is_there && g_str_equal (result, "ok") ? HISTORY_LEAVING : -1;
  case HISTORY_STOP:
    if (state == HISTORY_LEAVING)
      return HISTORY_LEAVING;
    /* Failed: it was started again before it was down. */
    return is_there ? HISTORY_STOPPED : -1;
  default:
    if (g_str_equal (result, "CannotStart") && state == HISTORY_LEAVING)
      return HISTORY_LEAVING;
    return is_there ? HISTORY_WANTED : -1;
  }
}

/* Nothing that is still to come had its reply before @call was made. */
static gboolean
may_be_next (const Search *search, guint64 done, const HistoryCall *call)
{
  for (guint i = 0; i < search->calls->len; i++) {
    const HistoryCall *other = search->calls->pdata[i];

    if ((done & (G_GUINT64_CONSTANT (1) << i)) == 0 && other->result != NULL &&
        other->replied_usec < call->called_usec)
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_over (const Search *search, guint64 done, HistoryState state)
{
  if (state != search->after)
    return FALSE;
  for (guint i = 0; i < search->calls->len; i++)
    if ((done & (G_GUINT64_CONSTANT (1) << i)) == 0 &&
        ((const HistoryCall *)search->calls->pdata[i])->result != NULL)
      return FALSE;
  return TRUE;
}

static gboolean
search_from (Search *search, guint64 done, HistoryState state)
{
  g_autofree char *position = g_strdup_printf ("%" G_GINT64_MODIFIER "x %d", done, state);

  if (is_over (search, done, state))
    return TRUE;
  if (!g_hash_table_add (search->seen, g_steal_pointer (&position)))
    return FALSE;
  if (state == HISTORY_LEAVING && search_from (search, done, HISTORY_ABSENT))
    return TRUE;
  for (guint i = 0; i < search->calls->len; i++) {
    const HistoryCall *call = search->calls->pdata[i];
    guint64 bit = G_GUINT64_CONSTANT (1) << i;
    int next;

    if ((done & bit) != 0 || !may_be_next (search, done, call))
      continue;
    next = apply (call, state);
    if (next >= 0 && search_from (search, done | bit, (HistoryState)next))
      return TRUE;
  }
  return FALSE;
}

static int
compare_calls (gconstpointer a, gconstpointer b)
{
  const HistoryCall *one = *(const HistoryCall *const *)a, *other = *(const HistoryCall *const *)b;

  return one->called_usec < other->called_usec ? -1 : one->called_usec > other->called_usec;
}

/* Those about @service, in the order in which they were made. Transfer container. */
static GPtrArray *
select_calls (GPtrArray *calls, const char *service)
{
  GPtrArray *own = g_ptr_array_new ();

  for (guint i = 0; i < calls->len; i++) {
    HistoryCall *call = calls->pdata[i];

    if (service == NULL || call->service == NULL || g_str_equal (call->service, service))
      g_ptr_array_add (own, call);
  }
  g_ptr_array_sort (own, compare_calls);
  return own;
}

char *
history_tell (GPtrArray *calls, const char *service)
{
  g_autoptr (GPtrArray) own = select_calls (calls, service);
  GString *story = g_string_new (NULL);
  gint64 start_usec = own->len > 0 ? ((const HistoryCall *)own->pdata[0])->called_usec : 0;

  for (guint i = 0; i < own->len; i++) {
    const HistoryCall *call = own->pdata[i];

    g_string_append_printf (story, "#   %s %s: called at %" G_GINT64_FORMAT " us, ",
                            history_kind_to_string (call->kind), call->service != NULL ? call->service : "",
                            call->called_usec - start_usec);
    if (call->result != NULL)
      g_string_append_printf (story, "%s at %" G_GINT64_FORMAT " us\n", call->result,
                              call->replied_usec - start_usec);
    else
      g_string_append (story, "no reply\n");
  }
  return g_string_free (story, FALSE);
}

gboolean
history_explains (GPtrArray *calls, const char *service, HistoryState before, HistoryState after,
                  char **ret_story)
{
  g_autoptr (GPtrArray) own = select_calls (calls, service);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *told = NULL;
  Search search = { own, after, seen };

  g_assert_cmpuint (own->len, <=, MAX_CALLS);
  if (search_from (&search, 0, before))
    return TRUE;
  told = history_tell (calls, service);
  *ret_story = g_strdup_printf ("it was %s\n%s#   and it is %s", history_state_to_string (before), told,
                                history_state_to_string (after));
  return FALSE;
}
