/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel does the counting, see loop/reserve.h.
 */
#define G_LOG_DOMAIN "zinit-handover"

#include "handover/room.h"

#include "loop/reserve.h"
#include "persist/state-format.h"

static gboolean
add_process (gpointer key, gpointer value, gpointer data)
{
  const ZinitSavedService *saved = value;
  ZinitRoom *room = data;

  if (saved->has_pid && zinit_state_is_active (saved->state))
    room->n_to_come++;
  return FALSE;
}

void
zinit_room_add_saved (ZinitRoom *room, GTree *services)
{
  g_tree_foreach (services, add_process, room);
}

void
zinit_room_enter (const ZinitRoom *room)
{
  zinit_reserve_lock (room->n_to_come);
}

void
zinit_room_leave (ZinitRoom *room)
{
  if (!zinit_descriptors_are_left (1))
    room->n_short++;
  zinit_reserve_unlock ();
}

void
zinit_room_report (const ZinitRoom *room)
{
  if (room->n_short > 0)
    g_warning ("%u services may have been adopted without their output: no descriptors left (limit "
               "%" G_GUINT64_FORMAT ")",
               room->n_short, zinit_descriptor_limit ());
}
