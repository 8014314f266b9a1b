/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptors that a daemon must have before it may supervise. Where they can be had in a moment it waits
 * for them, since services lose less by that than by its end, after which a service manager soon gives up.
 * Nothing else runs yet, so it may block.
 */
#pragma once

/* Returns when there are enough free descriptors for the main loop. */
void zinit_claim_descriptors (void);
