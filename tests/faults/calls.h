/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of system calls and errors, and which errors the kernel gives for which call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* NULL when there is none of that number. */
const char *calls_name (long number);
/* -1 when there is none of that name. */
long calls_number (const char *name);
/* 0 when it is none of those that the harness knows. */
int calls_errno (const char *name);
const char *calls_errno_name (int error);
/* Whether the kernel may answer the call with these arguments with that error on a machine that works. */
bool calls_may_fail (long number, int error, const uint64_t *arguments);
/* Whether it answers so only when its first argument is the descriptor of a file, not of a pipe or an event.
 */
bool calls_fails_on_files (long number, int error);
