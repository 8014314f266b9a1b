/* SPDX-License-Identifier: Apache-2.0
 *
 * How a supervised process of the tests says that it is ready.
 */
#pragma once

/* Sends @text to NOTIFY_SOCKET; "\n" in it is a line feed. Ends the process when that fails. */
void child_notify (const char *text);
/* As sd_notify_barrier(3). */
void child_notify_barrier (void);
/* The number in the variable @word, or @word itself. */
int child_find_descriptor (const char *word);
