/* SPDX-License-Identifier: Apache-2.0
 *
 * The entry points of a fuzz target, as libFuzzer names them; replay-main.c calls the same ones with the
 * files of a folder, so that what was once found is tested for ever.
 */
#pragma once

#include <glib.h>

/* Once, before the first input. Warnings about an input are part of the job and are not shown. */
int LLVMFuzzerInitialize (int *argc, char ***argv);
/* @data is one input of @size bytes, without a NUL at its end. What must hold for every input is asserted.
 * Returns 0. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
