/* SPDX-License-Identifier: Apache-2.0
 *
 * What a supervised process of the tests tells of itself.
 */
#pragma once

/* Everything that a process inherits, as lines for the test to look at, in the file @path, which appears
 * whole or not at all. Ends the process when that fails. */
void child_report (const char *path);
