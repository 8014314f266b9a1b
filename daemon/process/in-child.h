/* SPDX-License-Identifier: Apache-2.0
 *
 * The mark of functions that run between clone and exec, on a borrowed stack in the daemon's memory: they
 * make plain system calls only, and a sanitizer knows nothing of where they run.
 */
#pragma once

#define ZINIT_IN_CHILD __attribute__ ((noinline, no_sanitize ("address"), no_sanitize ("undefined")))
