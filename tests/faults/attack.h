/* SPDX-License-Identifier: Apache-2.0
 *
 * Lives that are attacked one after another, and the report of those that went wrong. An attack is repeated
 * by hand with what the report says:
 *
 *   ZINIT_FAULT='--step 3 --nth 17' meson test -C build kill-calls --test-args='-p /kill-calls/by-hand' -v
 *
 * ZINIT_FAULT takes the tool's options (syscall-fault.c); with ZINIT_TEST_KEEP the folder of the life stays.
 */
#pragma once

#include "life.h"

G_BEGIN_DECLS

typedef struct {
  Harness *h;
  FaultControl *control;
  char *control_path;
  guint n_lives;
  guint n_failed;
  guint max_failed;
} Attack;

/* The caller goes on as a child of one that reaps what loses its parent, as services of a daemon that was
 * killed. The machine's first process does that too, but at its leisure, and a stop waits for it. To be
 * called first of all. */
void attack_reap_orphans (void);

Attack *attack_new (void);
void attack_free (Attack *attack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Attack, attack_free)

/* One life with the tool's @options. FALSE when its script came to the end and nothing was hit. The test has
 * failed when something is wrong afterwards. */
gboolean attack_once (Attack *attack, const char *options);
/* Lives with @options, which have --unseen or --unseen-call, until there is no such call left. Gives up after
 * ZINIT_FAULT_FAILURES (default 10) that went wrong, as one cause has many of them. */
void attack_unseen (Attack *attack, const char *options);
/* Lives with @options and --nth 1, 2, …, until several in a row have no such call; the same limit. */
void attack_all_calls (Attack *attack, const char *options);

/* Adds "@prefix/by-hand" if ZINIT_FAULT says what to attack. */
void attack_add_by_hand (const char *prefix);

G_END_DECLS
