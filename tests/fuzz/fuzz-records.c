/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a record log, applied to a state: what is believed is a beginning of it, is believed alike when
 * it is read again, and is a state that can be saved; records that the state includes change nothing.
 */
#define G_LOG_DOMAIN "zinit-fuzz"

#include "persist/record-log.h"
#include "target.h"

static char *
apply (const char *text, gsize size, guint64 sequence, gsize *ret_good, guint64 *ret_sequence)
{
  g_autofree char *exact = g_memdup2 (text, size);
  g_autoptr (ZinitSavedState) state = zinit_saved_state_new ();

  state->record_sequence = sequence;
  *ret_good = zinit_records_apply (exact, size, state, ret_sequence);
  g_assert_cmpuint (*ret_good, <=, size);
  g_assert_cmpuint (*ret_sequence, >=, sequence);
  return zinit_saved_state_print (state, NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *text = (const char *)data;
  g_autofree char *first = NULL, *second = NULL, *none = NULL, *empty = NULL;
  guint64 sequence, sequence_again;
  gsize good, again;

  first = apply (text, size, 0, &good, &sequence);
  /* Nothing is half a record. */
  g_assert_true (good == 0 || text[good - 1] == '\n');
  second = apply (text, good, 0, &again, &sequence_again);
  g_assert_cmpuint (again, ==, good);
  g_assert_cmpuint (sequence_again, ==, sequence);
  g_assert_cmpstr (second, ==, first);
  none = apply (text, good, sequence, &again, &sequence_again);
  empty = apply ("", 0, sequence, &again, &sequence_again);
  g_assert_cmpstr (none, ==, empty);
  return 0;
}
